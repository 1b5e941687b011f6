"""What an author really had before him and what he really changed, told from his side of the screen.

Nothing here shares code with what is tested: the table of writes is written down once more, as a person would
read it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from forms.entity_types import Cell, EntityType
from forms.values import blank
from sync.state.model import Act, Op, Standing

Values = dict[str, Any]
SETS = ("union", "union_grow")
NOT_ASKED = object()


@dataclass(frozen=True)
class Change:
    """What one author changed in one cell: as he left it, the codes of a set, the entries of a series."""

    value: Values
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    rows: tuple[Values, ...] = ()


@dataclass(frozen=True)
class Truth:
    """What really happened when one op was made.

    `screen` holds every property the phone held, asked or not. `shows` is what the phone shows of it from then on:
    of an amendment, wherever its answers differ from those that it mends. `version` is that of the page.
    """

    screen: Values
    changed: Mapping[str, Change] = field(default_factory=dict)
    shows: Mapping[str, Change] = field(default_factory=dict)
    version: int = 1


def ruled(op: Op) -> bool:
    """Whether the op is a supervisor's word on values."""
    return op.standing is Standing.SUPERVISOR and op.act in (Act.CORRECT, Act.RESOLVE)


def changed(kind: EntityType, op: Op, screen: Values, said: Mapping[str, Any] | None = None) -> dict[str, Change]:
    """The cells that the author changed; `said` is what is read instead of his own answers, if anything."""
    answers = op.said if said is None else said
    found = ((cell.name, _change(cell, op, answers, screen)) for cell in kind.cells.values())
    return {name: change for name, change in found if change is not None}


def mended(kind: EntityType, before: Op, op: Op, screen: Values) -> dict[str, Change]:
    """What a phone shows differently once its author has mended `before` by `op`; both were filled on `screen`."""
    shows = {}
    for cell in kind.cells.values():
        if answers(before, cell) == answers(op, cell):
            continue
        if cell.policy in SETS:
            (prop,) = cell.members
            was, now = (frozenset(one.said.get(prop.name) or ()) for one in (before, op))
            shows[cell.name] = Change({}, now - was, was - now)
        else:
            change = _change(cell, op, op.said, screen)
            shows[cell.name] = change or Change(_of_cell(cell, screen))
    return shows


def answers(op: Op, cell: Cell) -> list[Any]:
    """What was said of a cell, as received."""
    return [op.said.get(prop.name, NOT_ASKED) for prop in cell.members]


def overlaid(kind: EntityType, screen: Values, shows: Mapping[str, Change]) -> Values:
    """A screen with one's own changes put on it."""
    values = dict(screen)
    for name, change in shows.items():
        cell = kind.cells[name]
        if cell.policy in SETS:
            (prop,) = cell.members
            codes = (frozenset(values.pop(prop.name, ())) - change.removed) | change.added
            values |= {prop.name: sorted(codes)} if codes else {}
        else:
            for prop in cell.members:
                values.pop(prop.name, None)
            values |= change.value
    return values


def plain(values: Mapping[str, Any], names: Iterable[str]) -> Values:
    """The given properties that have a value."""
    return {name: values[name] for name in names if not blank(values.get(name))}


def _of_cell(cell: Cell, values: Mapping[str, Any]) -> Values:
    return plain(values, [prop.name for prop in cell.members])


def _change(cell: Cell, op: Op, said: Mapping[str, Any], screen: Values) -> Change | None:
    if not any(prop.name in said for prop in cell.members):
        return None
    if cell.policy == "series":
        return _entries(cell, said)
    if cell.policy in SETS:
        return _codes(cell, op, said, screen)
    return _values(cell, op, said, screen)


def _entries(cell: Cell, said: Mapping[str, Any]) -> Change | None:
    first = cell.members[0]
    if first.type == "rows":
        rows = tuple(row for row in said[first.name] or () if row)
        return Change({first.name: [rows[-1]]}, rows=rows) if rows else None
    value = _of_cell(cell, said)
    return Change(value, rows=(value,)) if value else None


def _codes(cell: Cell, op: Op, said: Mapping[str, Any], screen: Values) -> Change | None:
    (prop,) = cell.members
    answer = frozenset(said[prop.name] or ())
    shown = frozenset(screen.get(prop.name) or ()) if prop.name in op.loaded or ruled(op) else frozenset()
    added = answer if ruled(op) or prop.confirms else answer - shown
    removed = shown - answer
    if not ruled(op) and not added and not removed:
        return None
    return Change({prop.name: sorted(answer)} if answer else {}, added, removed)


def _values(cell: Cell, op: Op, said: Mapping[str, Any], screen: Values) -> Change | None:
    left = _of_cell(cell, screen)
    has_changed = False
    for prop in (p for p in cell.members if p.name in said):
        answer, prefilled = said[prop.name], prop.name in op.loaded
        if blank(answer) and (cell.placement or (not prefilled and not ruled(op))):
            continue
        has_changed |= ruled(op) or not prefilled or answer != screen.get(prop.name)
        has_changed |= prop.confirms and not blank(answer)
        left.pop(prop.name, None)
        if not blank(answer):
            left[prop.name] = answer
    return Change(left) if has_changed else None
