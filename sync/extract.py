"""From answers to writes: only a change is a write.

Forms send every answer, also prefilled ones that were left alone; those must not fight another person's
change. What counts is the difference from the screen, and the screen is what the whole merge function makes
of exactly the ops that the author knew.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from forms.entity_types import Cell, EntityType, Property
from forms.values import blank
from sync.merge import Knowledge, causes_first, merge_cell, state_of
from sync.model import CellState, CellValue, Op, Standing, State, Write, Writes

View = Callable[[], CellState | None]  # one cell over exactly what the author knew; computed when asked
Screen = Callable[[], CellValue]  # one cell as a form without `seen` showed it: snapshot, overlaid by the chain


class Extraction:
    """Derives the writes of one entity's ops, cell by cell: what is said of one cell never matters to another.

    `derived` are writes computed earlier: they are right as long as everything that was known to their op and
    is here now was here then, so the caller leaves out those of ops whose predecessors have just arrived.
    """

    def __init__(self, kind: EntityType, ops: Mapping[str, Op], derived: Mapping[str, Writes] | None = None) -> None:
        self._kind = kind
        self._ops = ops
        self._knowledge = Knowledge(ops)
        self._known = self._knowledge.known
        # A circle may have closed just now, which takes knowledge away from all who are in it.
        self._derived = {s: w for s, w in (derived or {}).items() if s not in self._knowledge.circular}
        self._extracted: dict[tuple[str, str, frozenset[str]], Write | None] = {}
        self._views: dict[tuple[str, frozenset[str]], CellState | None] = {}

    def state(self) -> State:
        """The state of the entity."""
        everything = frozenset(self._ops)
        cells = {name: self._view(name, everything) for name in self._kind.cells}
        return state_of(next(iter(self._ops.values())).entity, cells)

    def writes(self) -> dict[str, Writes]:
        """The writes of every op, by submission."""
        return {sub: self._writes(sub) for sub in causes_first(self._ops, self._known)}

    def screen(self, sub: str) -> dict[str, Any]:
        """What the server infers that the author had before him: property -> value."""
        cells = (self._screen(sub, name, self._known[sub]) for name in self._kind.cells)
        return {prop: value for cell in cells for prop, value in cell.items()}

    def _writes(self, sub: str) -> Writes:
        if sub in self._derived:
            return self._derived[sub]
        found = {name: self._write(sub, name, self._known[sub]) for name in self._kind.cells}
        return {name: write for name, write in found.items() if write is not None}

    def _write(self, sub: str, cell: str, known: frozenset[str]) -> Write | None:
        """What one op writes to one cell if of all that it claims to have seen only `known` is here."""
        if sub in self._derived and known == self._known[sub]:
            return self._derived[sub].get(cell)
        key = (sub, cell, known)
        if key not in self._extracted:
            view, screen = partial(self._view, cell, known), partial(self._screen, sub, cell, known)
            self._extracted[key] = _write(self._ops[sub], self._kind.cells[cell], view, screen)
        return self._extracted[key]

    def _view(self, cell: str, universe: frozenset[str]) -> CellState | None:
        """One cell as it would be if only the ops of `universe` had ever arrived; None if it was never written."""
        if (cell, universe) not in self._views:
            known = self._knowledge.within(universe)
            found = {sub: self._write(sub, cell, known[sub]) for sub in universe}
            writes = {sub: write for sub, write in found.items() if write is not None}
            state = merge_cell(self._kind.cells[cell], self._ops, writes, known) if writes else None
            self._views[cell, universe] = state
        return self._views[cell, universe]

    def _screen(self, sub: str, cell: str, known: frozenset[str]) -> CellValue:
        """The snapshot's value, or what the author himself had written over it on the phone, in order."""
        chain = [other for other in self._ops[sub].after if other in known]
        within = self._knowledge.within(known)
        for other in reversed(chain):
            own = self._write(other, cell, within[other])
            if own is not None:
                return own.value
        state = self._view(cell, known - frozenset(chain))
        return {} if state is None else state.current.value


def _write(op: Op, cell: Cell, view: View, before: Screen) -> Write | None:
    asked = {prop.name: op.said[prop.name] for prop in cell.members if prop.name in op.said}
    if not asked:
        return None
    screen = _screen(op, cell, before)
    told = {
        prop.name: asked[prop.name]
        for prop in cell.members
        if prop.name in asked and not (blank(asked[prop.name]) and _says_nothing(op, prop, screen))
    }
    if not any(_changes(op, prop, told, screen) for prop in cell.members):
        return None
    value = _value(cell, told, screen, before)
    return Write(
        value=value,
        replaces=_shown(screen, view),
        blind=_blind(op, told, view),
        request=cell.placement and _request(op, value, view),
    )


def _says_nothing(op: Op, prop: Property, screen: Mapping[str, Any]) -> bool:
    """A blank: of a place always; of a question that showed nothing, unless a supervisor rules that it is so."""
    return prop.placement or (prop.name not in screen and not op.rules)


def _screen(op: Op, cell: Cell, before: Screen) -> dict[str, Any]:
    """The prefilled members of the cell with the value shown (None if the field was empty)."""
    if op.creates:
        return {}
    if op.seen is not None:
        return {prop.name: op.seen[prop.name] for prop in cell.members if prop.name in op.seen}
    loaded = [prop.name for prop in cell.members if prop.name in op.loaded]
    return {name: before().get(name) for name in loaded}


def _changes(op: Op, prop: Property, told: Mapping[str, Any], screen: Mapping[str, Any]) -> bool:
    if prop.name not in told:
        return False
    if prop.name not in screen or op.rules:
        return True
    answer = _plain(told[prop.name])
    return answer != _plain(screen[prop.name]) or (prop.confirms and answer is not None)


def _plain(value: Any) -> Any:
    """A value with every kind of blank as None."""
    return None if blank(value) else value


def _value(cell: Cell, told: Mapping[str, Any], screen: Mapping[str, Any], before: Screen) -> CellValue:
    """The whole cell as its author left it: members that he was not asked about stay as they were for him."""
    value = {}
    for prop in cell.members:
        source = next((s for s in (told, screen) if prop.name in s), None)
        known = (before() if source is None else source).get(prop.name)
        if not blank(known):
            value[prop.name] = known
    return value


def _shown(screen: Mapping[str, Any], view: View) -> frozenset[str]:
    """The live writes whose value was on the screen; they stood there whoever else carried the value along."""
    state = view() if screen else None
    if state is None:
        return frozenset()
    return frozenset(
        entry.op
        for entry in state.live
        if all(_plain(entry.value.get(name)) == _plain(value) for name, value in screen.items())
    )


def _blind(op: Op, told: Mapping[str, Any], view: View) -> bool:
    """Prefilled with something of which nothing is known here: the base's history is not ours."""
    if op.base_ok or op.seen is not None:
        return False
    return view() is None and any(name in op.loaded for name in told)


def _request(op: Op, value: CellValue, view: View) -> bool:
    """Whether a change of place is a wish for a supervisor: out of the area, or from a place nobody knows.

    Compared is the place that was granted, not an earlier wish of the author's that his phone shows already.
    """
    if op.creates or op.standing is Standing.SUPERVISOR:
        return False
    state = view()
    granted = (op.seen or {}) if state is None else state.current.value
    from_ward, to_ward = granted.get("ward_code"), value.get("ward_code")
    if from_ward is None or to_ward is None:
        return True
    return from_ward != to_ward and not {from_ward, to_ward} <= op.areas
