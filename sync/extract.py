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


class Extraction:
    """Derives the writes of one entity's ops, cell by cell: what is said of one cell never matters to another.

    `derived` are writes computed earlier: they are right as long as everything that was known to their op and
    is here now was here then, so the caller leaves out those of ops whose predecessors have just arrived.
    """

    def __init__(self, kind: EntityType, ops: Mapping[str, Op], derived: Mapping[str, Writes] | None = None) -> None:
        self._kind = kind
        self._ops = ops
        self._known = Knowledge(ops).known
        self._derived = derived or {}
        self._extracted: dict[tuple[str, str, frozenset[str]], Write | None] = {}
        self._views: dict[tuple[str, frozenset[str]], CellState | None] = {}

    def state(self) -> State:
        """The state of the entity."""
        everything = frozenset(self._ops)
        cells = {name: self._view(name, everything) for name in self._kind.cells}
        return state_of(next(iter(self._ops.values())).entity, cells)

    def writes(self) -> dict[str, Writes]:
        """The writes of every op, by submission."""
        everything = frozenset(self._ops)
        return {sub: self._writes(sub, everything) for sub in causes_first(self._ops, self._known)}

    def screen(self, sub: str) -> dict[str, Any]:
        """What the server infers that the author had before him: property -> value over exactly what he knew."""
        cells = {name: self._view(name, self._known[sub]) for name in self._kind.cells}
        return dict(state_of("", cells).data)

    def _writes(self, sub: str, universe: frozenset[str]) -> Writes:
        if sub in self._derived:
            return self._derived[sub]
        found = {name: self._write(sub, name, universe) for name in self._kind.cells}
        return {name: write for name, write in found.items() if write is not None}

    def _write(self, sub: str, cell: str, universe: frozenset[str]) -> Write | None:
        known = self._known[sub]
        if known <= universe and sub in self._derived:
            return self._derived[sub].get(cell)
        key = (sub, cell, known & universe)
        if key not in self._extracted:
            view = partial(self._view, cell, known & universe)
            self._extracted[key] = _write(self._ops[sub], self._kind.cells[cell], view)
        return self._extracted[key]

    def _view(self, cell: str, universe: frozenset[str]) -> CellState | None:
        """One cell as it would be if only the ops of `universe` had ever arrived; None if it was never written."""
        if (cell, universe) not in self._views:
            found = {sub: self._write(sub, cell, universe) for sub in universe}
            writes = {sub: write for sub, write in found.items() if write is not None}
            known = {sub: self._known[sub] & universe for sub in writes}
            state = merge_cell(self._kind.cells[cell], self._ops, writes, known) if writes else None
            self._views[cell, universe] = state
        return self._views[cell, universe]


def _write(op: Op, cell: Cell, view: View) -> Write | None:
    asked = {prop.name: op.said[prop.name] for prop in cell.members if prop.name in op.said}
    if not asked:
        return None
    screen = _screen(op, cell, view)
    told = {
        prop.name: asked[prop.name]
        for prop in cell.members
        if prop.name in asked and not (blank(asked[prop.name]) and (prop.placement or prop.name not in screen))
    }
    if not any(_changes(op, prop, told, screen) for prop in cell.members):
        return None
    value = _value(cell, told, screen, view)
    return Write(
        value=value,
        replaces=_shown(screen, view),
        blind=_blind(op, told, view),
        request=cell.placement and _request(op, value, view),
    )


def _screen(op: Op, cell: Cell, view: View) -> dict[str, Any]:
    """The prefilled members of the cell with the value shown (None if the field was empty)."""
    if op.creates:
        return {}
    if op.seen is not None:
        return {prop.name: op.seen[prop.name] for prop in cell.members if prop.name in op.seen}
    loaded = [prop.name for prop in cell.members if prop.name in op.loaded]
    return {name: _before(view).get(name) for name in loaded}


def _before(view: View) -> CellValue:
    state = view()
    return {} if state is None else state.current.value


def _changes(op: Op, prop: Property, told: Mapping[str, Any], screen: Mapping[str, Any]) -> bool:
    if prop.name not in told:
        return False
    answer = None if blank(told[prop.name]) else told[prop.name]
    if prop.name not in screen or op.rules:
        return True
    shown = None if blank(screen[prop.name]) else screen[prop.name]
    return answer != shown or (prop.confirms and answer is not None)


def _value(cell: Cell, told: Mapping[str, Any], screen: Mapping[str, Any], view: View) -> CellValue:
    """The whole cell as its author left it: members that he was not asked about stay as they were for him."""
    value = {}
    for prop in cell.members:
        source = next((s for s in (told, screen) if prop.name in s), None)
        known = (_before(view) if source is None else source).get(prop.name)
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
        if all((entry.value.get(name) or None) == (value or None) for name, value in screen.items())
    )


def _blind(op: Op, told: Mapping[str, Any], view: View) -> bool:
    """Prefilled with something of which nothing is known here: the base's history is not ours."""
    if op.base_ok or op.seen is not None:
        return False
    return view() is None and any(name in op.loaded for name in told)


def _request(op: Op, value: CellValue, view: View) -> bool:
    """Whether a change of place is a wish for a supervisor: out of the area, or from a place nobody saw."""
    if op.creates or op.standing is Standing.SUPERVISOR:
        return False
    if "ward_code" not in value:
        return True
    before = (op.seen or {}).get("ward_code") or _before(view).get("ward_code")
    after = value["ward_code"]
    return before is None or (before != after and not {before, after} <= op.areas)
