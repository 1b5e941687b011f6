"""The entities that one transaction works on, in memory, each with its log; grows op by op."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from forms.entity_types import EntityType
from sync.batch import Claim
from sync.extract import Extraction
from sync.model import Op, State, Write
from sync.ports import EntityRow, Ledger, OpRow, Transaction


@dataclass(frozen=True)
class Base:
    """What a claim's base stands for in our log. `ok` is False where its history is not ours."""

    ok: bool
    snapshot: frozenset[str]
    not_before: int | None


@dataclass
class Thing:
    """One entity while a transaction works on it. `row` is None until its first op."""

    id: str
    kind: EntityType
    row: EntityRow | None
    log: list[OpRow]
    state: State | None = None
    fresh: list[str] = field(default_factory=list)
    changed: set[str] = field(default_factory=set)
    bumped: bool = False
    moved: bool = False

    @property
    def rev(self) -> int:
        return self.row.rev if self.row else 0

    @property
    def touched(self) -> bool:
        return bool(self.fresh) or self.bumped or self.moved

    def base(self, claim: Claim | None) -> Base:
        """Resolve `<rev>-<etag>` against the log: the ops that it names, and whether it is ours at all."""
        if claim is not None and claim.base_rev == 0:
            return Base(True, frozenset(), None)
        if claim is None or claim.base_rev is None or claim.base_rev > self.rev:
            return Base(False, frozenset(), None)
        before = [entry for entry in self.log if entry.rev <= claim.base_rev]
        if not before or before[-1].etag != claim.base_etag:
            return Base(False, frozenset(), None)
        return Base(True, frozenset(entry.op.sub for entry in before), before[-1].received)

    def add(self, op: Op, area: str, received: int, base_rev: int | None) -> None:
        """Take in one op: the next revision, its writes, and again those of ops that were waiting for it."""
        etag = hashlib.sha256(f"{self.log[-1].etag if self.log else self.id} {op.sub}".encode()).hexdigest()[:10]
        entry = OpRow(self.rev + 1, etag, received, op, {}, base_rev, self.kind.version, area)
        self.log.append(entry)
        self.fresh.append(op.sub)
        blank = EntityRow(self.id, self.kind.name, area, None, 0, "", None, "", None, op.t, op.sub)
        self.row = replace(self.row or blank, rev=entry.rev, etag=etag)
        self._derive(waiting_for=op.sub)

    def bump(self) -> None:
        """Take a revision without an op, so that a phone which counted a held item as applied is overtaken."""
        if self.row is not None:
            self.row = replace(self.row, rev=self.row.rev + 1)
            self.bumped = True

    def settle(self) -> State:
        """The present state; read from the log if nothing has changed it."""
        if self.state is None:
            self._derive(waiting_for=None)
        assert self.state is not None
        return self.state

    def writes(self, sub: str) -> Mapping[str, Write]:
        """What one op wrote."""
        return next(entry.writes for entry in self.log if entry.op.sub == sub)

    def _derive(self, waiting_for: str | None) -> None:
        stale = {e.op.sub for e in self.log if waiting_for in (e.op.sub, *e.op.after)} if waiting_for else set()
        kept = {entry.op.sub: entry.writes for entry in self.log if entry.op.sub not in stale}
        extraction = Extraction(self.kind, {entry.op.sub: entry.op for entry in self.log}, kept)
        self.state, writes = extraction.state(), extraction.writes()
        for index, entry in enumerate(self.log):
            if writes[entry.op.sub] != entry.writes:
                self.changed.add(entry.op.sub)
                self.log[index] = replace(entry, writes=writes[entry.op.sub])


class Workspace:
    """All entities of a transaction, and those beside them that decide where they live."""

    def __init__(self, tx: Transaction, types: Mapping[str, EntityType], ids: Iterable[str]) -> None:
        self._tx, self._types = tx, types
        self._ledgers: dict[str, Ledger] = {}
        self._asked: set[str] = set()
        self.things: dict[str, Thing] = {}
        self.load(ids)
        self.load(ledger.row.household for ledger in list(self._ledgers.values()) if ledger.row.household)

    def load(self, ids: Iterable[str]) -> None:
        """Read the logs of these entities in one statement, if they are not here yet."""
        missing = sorted(set(ids) - self._asked)
        if missing:
            self._asked |= set(missing)
            self._ledgers.update(self._tx.ledgers(missing))

    def find(self, ident: str) -> Thing | None:
        """An entity that exists, or None."""
        self.load([ident])
        if ident not in self.things and ident in self._ledgers:
            ledger = self._ledgers[ident]
            self.things[ident] = Thing(ident, self._types[ledger.row.type], ledger.row, list(ledger.ops))
        return self.things.get(ident)

    def obtain(self, kind: str, ident: str) -> Thing:
        """An entity that exists, or a new one without any op."""
        found = self.find(ident)
        if found is None:
            found = self.things[ident] = Thing(ident, self._types[kind], None, [])
        return found

    @property
    def touched(self) -> list[Thing]:
        return [thing for thing in self.things.values() if thing.touched]
