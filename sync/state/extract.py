"""From answers to writes: only a change is a write.

Forms send every answer, also prefilled ones that were left alone; those must not fight another person's
change. What counts is the difference from the screen, and the screen is what the whole merge function makes
of exactly the ops that the author knew.
"""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from forms.entity_types import Cell, EntityType, PolicyName
from sync.state.answered import SETS, Context, first_word, unchanged, write_of
from sync.state.branches import chained
from sync.state.frame import Frame, Reading, Told
from sync.state.life import life_of
from sync.state.merge import data_of, entries_of, merge_cell
from sync.state.model import Act, CellState, CellValue, Entry, Op, State, Write, Writes

Reach = Callable[[Op, str], bool]  # whether an op's author may write a household; known only outside of one entity


@dataclass(slots=True)
class _World:
    """What would be if only some of the ops had ever arrived.

    `speaking` lists by cell those who may write it, causes first; `told` is when each was told. `entries` and
    `views` are filled when asked.
    """

    frame: Frame
    speaking: Mapping[str, list[Reading]]
    told: Mapping[str, Told]
    entries: dict[str, tuple[Entry, ...]] = field(default_factory=dict)
    views: dict[str, CellState | None] = field(default_factory=dict)


def _nowhere(op: Op, household: str) -> bool:
    return False


def _cells(kind: EntityType, op: Op) -> frozenset[str]:
    """The cells of which an op says anything."""
    return frozenset(kind.cell_of[name] for name in op.said if name in kind.cell_of)


def key_of(kind: EntityType, reading: Reading) -> str:
    """A digest of what an op's writes follow from within its entity."""
    parts = (str(kind.version), reading.screen, reading.words, *sorted(reading.known))
    return hashlib.blake2b("\n".join(parts).encode(), digest_size=12).hexdigest()


class Extraction:
    """Derives the writes of one entity's ops, cell by cell: what is said of one cell never matters to another.

    `ops` are those that count now. `derived` are (key, writes) computed earlier; a key names everything that
    the writes of an op follow from, so writes with the right key need not be derived again. Without a key they follow
    from other entities as well: those stand as they were derived if `reach` is None.
    """

    def __init__(
        self,
        kind: EntityType,
        ops: Mapping[str, Op],
        derived: Mapping[str, tuple[str, Writes]] | None = None,
        reach: Reach | None = _nowhere,
    ) -> None:
        ops = chained(ops)
        self._kind, self._ops, self._reach = kind, ops, reach or _nowhere
        self._everything = frozenset(ops)
        self._spoken = {sub: _cells(kind, op) for sub, op in ops.items()}
        spoken = frozenset[str]().union(*self._spoken.values())
        self._cells = [name for name in kind.cells if name in spoken]  # most are spoken of by nobody
        self._rules = {sub: op.rules for sub, op in ops.items()}
        self._worlds: dict[frozenset[str], _World] = {}
        self._written: dict[Reading, dict[str, Write | None]] = {}
        self._earlier: dict[int, Extraction] = {}
        self.frame = Frame(ops, self._everything)
        self.readings = {sub: self.frame.reading(sub) for sub in ops}
        self.keys = {sub: self._key(reading) for sub, reading in self.readings.items()}
        known = derived or {}
        fixed = {s for s in ops if s in known and known[s][0] == self.keys[s]}
        self._derived = {s: known[s][1] for s in fixed if self.keys[s] or reach is None}

    def state(self) -> State:
        """The state of the entity."""
        entity = next(iter(self._ops.values())).entity
        whole = self._world(self._everything)
        found = {name: self._view(name, whole) for name in self._cells}
        cells = {name: cell for name, cell in found.items() if cell is not None}
        past = {n: e for n in self._cells if n not in cells and (e := self._all(n, whole))}
        data = data_of(self._kind, cells)
        standing = self._everything - self.frame.rejected
        edits = {entry.op for cell in cells.values() for entry in cell.entries if entry.gone is None}
        return State(
            entity=entity,
            cells=cells,
            data=data,
            past=past,
            broken=self._kind.broken(data),
            idle=self._kind.not_applicable(data),
            life=life_of(entity, self._ops, standing, edits, self.frame.known),
            verdicts=self.frame.verdicts,
        )

    def cell(self, name: str) -> CellState | None:
        """The state of one cell, without that of the others."""
        return self._view(name, self._world(self._everything))

    def writes(self) -> dict[str, Writes]:
        """The writes of every op, by submission, also of those that stand no longer."""
        return {sub: self._writes(sub) for sub in self._ops}

    def screen(self, sub: str) -> dict[str, Any]:
        """What the server infers that the author had before him: property -> value."""
        reading = self.readings[sub]
        twin = self._pinned(self._ops[reading.screen])
        cells = (twin._screen(reading, name) for name in twin._kind.cells)
        return {prop: value for cell in cells for prop, value in cell.items()}

    def _writes(self, sub: str) -> Writes:
        if sub in self._derived:
            return self._derived[sub]
        found = {name: self._write(self.readings[sub], name) for name in self._cells}
        return {name: write for name, write in found.items() if write is not None}

    def _key(self, reading: Reading) -> str:
        """Everything that the writes of an op follow from; empty where it lies outside of this entity."""
        if "household" in self._ops[reading.words].said and not self._ops[reading.screen].creates:
            return ""  # who may move a child depends on both households
        return key_of(self._kind, reading)

    def _world(self, universe: frozenset[str]) -> _World:
        """What would be if only the ops of `universe` had ever arrived."""
        found = self._worlds.get(universe)
        if found is None:
            frame = self.frame if universe == self._everything else Frame(self._ops, universe, self.frame)
            speaking: dict[str, list[Reading]] = {}
            for sub in frame.order:
                reading = frame.reading(sub)
                wrote = self._derived[sub] if self._is_derived(reading) else self._spoken[reading.words]
                for cell in wrote:
                    speaking.setdefault(cell, []).append(reading)
            found = self._worlds[universe] = _World(frame, speaking, {sub: frame.told(sub) for sub in universe})
        return found

    def _pinned(self, op: Op) -> "Extraction":
        """The same under the version of the entity type with which the author worked."""
        if op.schema == self._kind.version:
            return self
        if op.schema not in self._earlier:
            kind = self._kind.at(op.schema)
            same = kind.version == self._kind.version
            self._earlier[op.schema] = self if same else Extraction(kind, self._ops, None, self._reach)
        return self._earlier[op.schema]

    def _write(self, reading: Reading, cell: str) -> Write | None:
        """What one op writes to one cell if it is read so."""
        if cell not in self._spoken[reading.words]:
            return None
        if self._is_derived(reading):
            return self._derived[reading.sub].get(cell)
        written = self._written.setdefault(reading, {})
        if cell not in written:
            written[cell] = self._extract(reading, self._kind.cells[cell])
        return written[cell]

    def _is_derived(self, reading: Reading) -> bool:
        """Whether what an op writes if it is read so was computed earlier."""
        usual = self.readings[reading.sub]
        return reading.sub in self._derived and (reading is usual or reading == usual)

    def _extract(self, reading: Reading, cell: Cell) -> Write | None:
        op, source, words = (self._ops[sub] for sub in (reading.sub, reading.screen, reading.words))
        if op.act not in (Act.VISIT, Act.CORRECT, Act.RESOLVE):
            return None
        if (
            source.creates
            and not (reading.known or words.hidden or op.rules)
            and cell.policy is not PolicyName.SERIES
        ):
            return first_word(words.said, cell)
        if unchanged(op, source, words, cell):
            return None
        before, views = partial(self._pinned_screen, reading, cell), partial(self._pinned_views, reading, cell)
        context = Context(source, words.said, cell, before, views, partial(self._reach, op), words.hidden)
        return write_of(op, context)

    def _all(self, cell: str, world: _World) -> tuple[Entry, ...]:
        """Every write on one cell."""
        found = world.entries.get(cell)
        if found is None:
            frame, definition = world.frame, self._kind.cells[cell]
            writes: dict[str, Write] = {}
            # Causes first: what an op saw is then known already, and a long history needs no deep recursion.
            for reading in world.speaking.get(cell, ()):
                write = self._write(reading, cell)
                if write is not None:
                    writes[reading.sub] = write
            gone = {sub: frame.gone(sub, definition) for sub in writes}
            found = world.entries[cell] = entries_of(writes, frame.known, world.told, gone, self._rules)
        return found

    def _view(self, cell: str, world: _World) -> CellState | None:
        """What is in one cell."""
        if cell not in world.views:
            entity = next(iter(self._ops.values())).entity
            world.views[cell] = merge_cell(entity, self._kind.cells[cell], self._all(cell, world))
        return world.views[cell]

    def _screen(self, reading: Reading, cell: str) -> CellValue:
        """The snapshot's value, overlaid in order by what the author himself had changed since on the phone."""
        op, known = self._ops[reading.screen], reading.known
        state = self._view(cell, self._world(known & op.snapshot))
        value: CellValue = {} if state is None else state.value
        for other in op.after:
            if other in known and other not in op.snapshot:
                value = self._overlaid(value, cell, other, self._world(known).frame, op.snapshot)
        return value

    def _overlaid(self, value: CellValue, cell: str, own: str, frame: Frame, snapshot: frozenset[str]) -> CellValue:
        """What a phone shows after its own form `own` has changed a cell.

        An amendment changes it wherever it answers otherwise, be it back to what was there before. What it amends is
        not put on top of it again where that was held and the amendment was not.
        """
        if own in frame.rejected or not snapshot.isdisjoint(frame.amendments.later(own)):
            return value
        *earlier, _ = frame.amendments.chain(own)
        definition = self._kind.cells[cell]
        if earlier and frame.alike(earlier[-1], own, definition):
            return value
        write = self._write(frame.reading(own), cell)
        if definition.policy in SETS:
            (prop,) = definition.members
            added, removed = (write.added, write.removed) if write else (frozenset(), frozenset())
            if earlier:
                was, now = (frozenset(self._ops[sub].said.get(prop.name) or ()) for sub in (earlier[-1], own))
                added, removed = now - was, was - now
            codes = (frozenset(value.get(prop.name) or ()) - removed) | added
            return {prop.name: sorted(codes)} if codes else {}
        if write is not None:
            return write.value
        return self._pinned_screen(frame.reading(own), definition) if earlier else value

    def _pinned_screen(self, reading: Reading, cell: Cell) -> CellValue:
        """A cell as it stood on the author's screen, under the version of the entity type that he had."""
        twin = self._pinned(self._ops[reading.screen])
        shown: dict[str, Any] = {}
        for name in twin.cells_of(cell):
            shown |= twin._screen(reading, name)
        return {prop.name: shown[prop.name] for prop in cell.members if prop.name in shown}

    def _pinned_views(self, reading: Reading, cell: Cell) -> list[tuple[Cell, CellState]]:
        """The same over all that the author knew, as it stood for everybody; without cells of which nobody spoke."""
        twin = self._pinned(self._ops[reading.screen])
        world = twin._world(reading.known)
        found = ((twin._kind.cells[name], twin._view(name, world)) for name in twin.cells_of(cell))
        return [(known, state) for known, state in found if state is not None]

    def cells_of(self, cell: Cell) -> list[str]:
        """The cells of this version in which the members of a cell of another version are."""
        if self._kind.cells.get(cell.name) is cell:
            return [cell.name]
        names = (self._kind.cell_of[p.name] for p in cell.members if p.name in self._kind.cell_of)
        return [name for name in dict.fromkeys(names) if name in self._kind.cells]
