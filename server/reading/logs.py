"""The log of an entity as people may read it: every write on every cell, with what its author had seen."""

from collections.abc import Mapping
from typing import Any

from server.store.reads import Reads
from server.world import Nest
from sync.ports import Ledger, OpRow
from sync.state.extract import Extraction
from sync.state.model import CellState, Entry, State
from sync.thing import Thing
from sync.times import iso


class Log:
    """One entity with its state and, when asked, what each of its authors had before him."""

    def __init__(self, nest: Nest, ledger: Ledger) -> None:
        assert ledger.row is not None
        self.row = ledger.row
        self.kind = nest.catalogue.types[self.row.type]
        self.thing = Thing(self.row.id, self.kind, self.row, list(ledger.ops))
        self.ops: Mapping[str, OpRow] = {entry.op.sub: entry for entry in ledger.ops}

    @property
    def state(self) -> State:
        return self.thing.settle()

    @property
    def etag(self) -> str:
        return f"{self.row.rev}-{self.row.etag}"

    def screen(self, sub: str) -> Mapping[str, Any]:
        """What stood on the screen of a submission's author, as far as is known here."""
        op = self.ops[sub].op
        if op.seen is not None:
            return op.seen
        present = {entry.op.sub: entry.op for entry in self.thing.log if entry.present}
        if sub not in present:
            return {}
        derived = {entry.op.sub: (entry.key, entry.writes) for entry in self.thing.log if entry.present}
        return Extraction(self.kind, present, derived, None).screen(sub)

    def shown(self, sub: str, cell: str) -> dict[str, Any]:
        """The cell as it stood on the author's screen."""
        screen = self.screen(sub)
        return {p.name: screen[p.name] for p in self.kind.cells[cell].members if screen.get(p.name) not in (None, "")}

    def entry(self, entry: Entry) -> dict[str, Any]:
        """One write: whose, when, how sure its time is, and on what knowledge."""
        row = self.ops[entry.op]
        return {
            "value": entry.value,
            "submission": entry.op,
            "act": row.op.act.value,
            "author": row.op.author,
            "observed_at": iso(entry.t),
            "received_at": iso(row.received),
            "late": entry.late,
            "clock_suspect": row.op.suspect,
            "unknown_base": not row.op.base_ok,
            "saw": sorted(entry.knew),
        }

    def history(self) -> dict[str, list[dict[str, Any]]]:
        """Every cell's writes, the earliest first; whether each shows, stands beside, was replaced or withdrawn."""
        cells = {name: self._history(cell) for name, cell in self.state.cells.items()}
        past = {
            name: [self.entry(entry) | {"fate": str(entry.gone)} for entry in entries]
            for name, entries in self.state.past.items()
        }
        return cells | past

    def _history(self, cell: CellState) -> list[dict[str, Any]]:
        live = {entry.op for entry in cell.live}
        return [self.entry(entry) | {"fate": _fate(entry, cell, live)} for entry in cell.entries]


def _fate(entry: Entry, cell: CellState, live: set[str]) -> str:
    if entry.gone is not None:
        return entry.gone.value
    if entry.op == cell.current.op:
        return "shows"
    return "stands" if entry.op in live else "replaced"


def read_log(nest: Nest, reads: Reads, ident: str) -> Log | None:
    """The log of an entity of which anything counts."""
    ledger = reads.ledgers([ident]).get(ident)
    return Log(nest, ledger) if ledger is not None and ledger.row is not None else None
