"""One op's write on one cell: its answers against its author's screen, row by row of the table of writes.

| answer | prefilled | write |
|---|---|---|
| absent | any | none |
| blank | no, or with blank | none |
| blank | with a value | cleared |
| equal to the prefilled value | yes | none, unless the property `confirms` |
| another value | yes | the value; of a multi-select what was added and what was removed |
| a value | no | the value; of a multi-select only additions |
| an entry of a series, not blank | any | always an entry |
| a placement left blank | any | none |
| anything in a `resolve` or `correct` | any | always a write |
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from forms.entity_types import Cell, PolicyName, Property, PropertyType
from forms.lifting import EVERYTHING
from forms.once import once
from forms.values import blank
from sync.state.model import CellState, CellValue, Op, Standing, Write

SETS = (PolicyName.UNION, PolicyName.UNION_GROW)


@dataclass
class Context:
    """What one answer is compared with; views are computed when asked.

    `source` is the op whose screen it was (of an amendment: the root's), `said` the answers that count,
    `before` the cell as a form without `seen` showed it, `views` the cell over exactly what the author knew: one, or
    several if its members were cells of their own in the version that he worked with,
    `reach` whether the author may write a household, `hidden` the codes of each property that the form which was
    answered could not show (`*`: no value at all).
    """

    source: Op
    said: Mapping[str, Any]
    cell: Cell
    before: Callable[[], CellValue]
    views: Callable[[], Sequence[tuple[Cell, CellState]]]
    reach: Callable[[str], bool]
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @once
    def screen(self) -> Mapping[str, Any]:
        """The prefilled members of the cell with the value shown (None if the field was empty)."""
        if self.source.creates:
            return {}
        if self.source.seen is not None:
            seen = self.source.seen
            return {prop.name: seen[prop.name] for prop in self.cell.members if prop.name in seen}
        loaded = [prop.name for prop in self.cell.members if prop.name in self.source.loaded]
        shown = self.before() if loaded else {}
        return {name: shown.get(name) for name in loaded}

    @once
    def held(self) -> Mapping[str, Any]:
        """The whole cell as the phone held it: what was prefilled, and the members that this form did not show."""
        names = [prop.name for prop in self.cell.members]
        hidden = self.before() if any(name not in self.screen for name in names) else {}
        return {name: self.screen[name] if name in self.screen else hidden.get(name) for name in names}

    @once
    def granted(self) -> Mapping[str, Any]:
        """The values that stood for everybody when the author looked, as far as anything is known of that."""
        return {name: value for _, state in self.views() for name, value in state.value.items()}

    @once
    def asked(self) -> dict[str, Any]:
        """What was answered, blanks included; what the form could not show is in it as it stood for the author.

        A question was not put whose value he could not see and that he left blank.
        """
        asked = {prop.name: self.said[prop.name] for prop in self.cell.members if prop.name in self.said}
        for name in asked.keys() & self.hidden.keys():
            shown = self.screen.get(name)
            values = shown if isinstance(shown, list | tuple) else [] if blank(shown) else [shown]
            unseen = [v for v in values if EVERYTHING in self.hidden[name] or v in self.hidden[name]]
            if isinstance(shown, list | tuple):
                asked[name] = sorted({*(asked[name] or ()), *unseen}) or None
            elif unseen and blank(asked[name]):
                del asked[name]
        return asked


def first_word(said: Mapping[str, Any], cell: Cell) -> Write | None:
    """What `write_of` gives for an op that creates the entity and whose author knew of nothing: every answer is new.

    Most of what is ever written is that, so it goes without the screens that there were not.
    """
    asked = {prop.name: said[prop.name] for prop in cell.members if not blank(said.get(prop.name))}
    if not asked:
        return None
    if cell.policy in SETS:
        ((name, answer),) = asked.items()
        codes = frozenset(answer)
        return Write({name: sorted(codes)}, added=codes)
    return Write(asked)


def unchanged(op: Op, source: Op, words: Op, cell: Cell) -> bool:
    """Whether `write_of` plainly gives nothing: every answer is what the client says it had been prefilled with.

    Most answers of most visits are that, so they go without the context. A no says nothing.
    """
    seen = source.seen
    if seen is None or source.creates or op.rules or words.hidden or cell.policy is PolicyName.SERIES:
        return False
    for prop in cell.members:
        if prop.name in words.said:
            answer = _plain(words.said[prop.name])
            if answer != _plain(seen.get(prop.name)) or (answer is not None and prop.confirms):
                return False
    return True


def write_of(op: Op, context: Context) -> Write | None:
    """What `op` writes to the cell, if anything."""
    if not context.asked:
        return None
    if context.cell.policy is PolicyName.SERIES:
        return _entry(op, context)
    if context.cell.policy in SETS:
        return _difference(op, context)
    return _value(op, context)


def _entry(op: Op, context: Context) -> Write | None:
    """An entry, or one for each row; the second equal weighing is a second weighing."""
    prop = context.cell.members[0]
    if prop.type is PropertyType.ROWS:
        rows = [row for row in context.asked[prop.name] or () if row]
        return Write({prop.name: rows[-1:]}, items=tuple(rows)) if rows else None
    value = {name: answer for name, answer in context.asked.items() if not blank(answer)}
    return Write(value, items=(value,)) if value else None


def _difference(op: Op, context: Context) -> Write | None:
    """Of a multi-select: what was added to the screen, and what was taken from it."""
    ((name, answer),) = context.asked.items()
    said = frozenset(answer or ())
    if op.rules:
        shown = frozenset(context.granted.get(name) or ())
        return Write({name: sorted(said)} if said else {}, added=said, removed=shown - said)
    shown = frozenset(context.screen.get(name) or ())
    added, removed = said - shown, shown - said
    if context.cell.members[0].confirms:
        added = said
    if not added and not removed:
        return None
    value = {name: sorted(said)} if said else {}
    return Write(value, blind=_blind(context, {name: answer}), added=added, removed=removed)


def _value(op: Op, context: Context) -> Write | None:
    asked, screen = context.asked, context.screen
    told, changed = {}, False
    for prop in context.cell.members:
        if prop.name in asked and not (blank(asked[prop.name]) and _says_nothing(op, prop, context)):
            told[prop.name] = asked[prop.name]
            changed = changed or _changes(op, prop, told[prop.name], screen)
    if not changed:
        return None
    value = _left(context, told)
    return Write(
        value=value,
        replaces=_shown(context),
        blind=_blind(context, told),
        request=context.cell.placement and _request(op, value, context),
    )


def _says_nothing(op: Op, prop: Property, context: Context) -> bool:
    """A blank: of a place always; of a question that showed nothing, unless a supervisor rules that it is so."""
    return prop.placement or (prop.name not in context.screen and not op.rules)


def _changes(op: Op, prop: Property, told: Any, screen: Mapping[str, Any]) -> bool:
    """Whether an answer differs from what was on the screen, or says the same anew."""
    if prop.name not in screen or op.rules:
        return True
    answer = _plain(told)
    return answer != _plain(screen[prop.name]) or (prop.confirms and answer is not None)


def _plain(value: Any) -> Any:
    """A value with every kind of blank as None."""
    return None if blank(value) else value


def _left(context: Context, told: Mapping[str, Any]) -> CellValue:
    """The whole cell as its author left it: members that he was not asked about stay as they were for him."""
    left = {
        prop.name: told[prop.name] if prop.name in told else context.held[prop.name] for prop in context.cell.members
    }
    return {name: value for name, value in left.items() if not blank(value)}


def _shown(context: Context) -> frozenset[str]:
    """The live writes whose value was on the screen; they stood there whoever else carried the value along."""
    found: set[str] = set()
    for cell, state in context.views() if context.screen else ():
        shown = {p.name: value for p in cell.members if not blank(value := context.held.get(p.name))}
        found |= {entry.op for entry in state.live if entry.value == shown}
    return frozenset(found)


def _blind(context: Context, told: Mapping[str, Any]) -> bool:
    """Prefilled with something of which nothing is known here: the base's history is not ours."""
    source = context.source
    if source.base_ok or source.creates or source.seen is not None:
        return False
    return not context.views() and any(name in source.loaded for name in told)


def _request(op: Op, value: CellValue, context: Context) -> bool:
    """Whether a change of place is a wish for a supervisor: out of the area, or from a place nobody knows.

    Compared is the place that was granted, not an earlier wish of the author's that his phone shows already.
    """
    if context.source.creates or op.standing is Standing.SUPERVISOR:
        return False
    granted = context.granted if context.views() else context.source.seen or {}
    if "household" in value:
        before = granted.get("household")
        moves = before != value["household"]
        return before is None or (moves and not (context.reach(before) and context.reach(value["household"])))
    from_ward, to_ward = granted.get("ward_code"), value.get("ward_code")
    if from_ward is None or to_ward is None:
        return True
    return from_ward != to_ward and not {from_ward, to_ward} <= op.areas
