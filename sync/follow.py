"""What follows from the ops that a transaction took in: where entities live, what is in doubt, whom to visit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from sync.merge import history
from sync.places import UNKNOWN_HAMLET
from sync.ports import Changes, EntityRow, Touched, Transaction
from sync.times import local_date
from sync.visits.calendar import Calendar
from sync.visits.plan import Child, Made, Step, Visit, plan
from sync.visits.rules import Rules
from sync.visits.settle import settle
from sync.workspace import Thing, Workspace


def follow(space: Workspace, changes: Changes, tx: Transaction, rules: Rules, calendar: Calendar, now: int) -> None:
    """Complete `changes` with everything that the touched entities of `space` entail."""
    _place(space, changes, tx)
    for thing in space.touched:
        _record(thing, changes)
    plan_visits(space, changes, tx, rules, calendar, now)


def _place(space: Workspace, changes: Changes, tx: Transaction) -> None:
    """Households first; then all who live in one that has moved or is new, wherever they are."""
    moved = [thing for thing in space.touched if thing.kind.name == "household" and _settle_household(thing, changes)]
    if moved:
        space.load(child.id for child in tx.children([thing.id for thing in moved]))
        for child in tx.children([thing.id for thing in moved]):
            found = space.find(child.id)
            if found is not None:
                found.moved = True
    for thing in space.touched:
        if thing.kind.name != "household":
            home = space.find(thing.settle().data.get("household", ""))
            place = (home.row.area, home.row.scope) if home is not None and home.row is not None else None
            _move(thing, changes, *(place or (_row(thing).area, None)))


def _settle_household(thing: Thing, changes: Changes) -> bool:
    data = thing.settle().data
    area = data.get("ward_code")
    scope = f"{area}/{data.get('hamlet_code', UNKNOWN_HAMLET)}" if area else None
    return _move(thing, changes, area or _row(thing).area, scope)


def _move(thing: Thing, changes: Changes, area: str, scope: str | None) -> bool:
    """Put an entity into its scope; readers of the one it left hear of it. Says whether it moved."""
    row = _row(thing)
    if row.scope == scope:
        return False
    if row.scope is not None:
        changes.touched.add(Touched(row.area, row.scope, "entity", thing.id, here=False))
    thing.row = replace(row, area=area, scope=scope)
    return True


def _row(thing: Thing) -> EntityRow:
    assert thing.row is not None
    return thing.row


def _record(thing: Thing, changes: Changes) -> None:
    """The entity's row, its new and re-derived ops, its conflicts and notices, its entry in the feed."""
    state, row = thing.settle(), _row(thing)
    first = min((entry.op.t, entry.op.sub) for entry in thing.log)
    household = thing.id if thing.kind.name == "household" else state.data.get("household")
    thing.row = row = replace(
        row,
        household=None if household == thing.id else household,
        label=str(state.data.get(thing.kind.label, "")),
        dob=state.data.get("dob"),
        since=first[0],
        first_sub=first[1],
        data=state.data,
        src={name: cell.current.op for name, cell in state.cells.items()},
    )
    changes.entities.append(row)
    fresh = set(thing.fresh)
    for entry in thing.log:
        if entry.op.sub in fresh:
            changes.ops.append(replace(entry, area=row.area))
        elif entry.op.sub in thing.changed:
            changes.rederived.append(entry)
    changes.conflicts += state.conflicts
    changes.notices += [(thing.id, notice) for notice in state.notices]
    if row.scope is not None:
        changes.touched.add(Touched(row.area, row.scope, "entity", thing.id))


@dataclass(frozen=True)
class _Subject:
    """An entity as planning sees it (`sync.visits.plan.Subject`)."""

    thing: Thing
    children: Sequence[Child]

    @property
    def type(self) -> str:
        return self.thing.kind.name

    @property
    def id(self) -> str:
        return self.thing.id

    @property
    def household(self) -> str | None:
        return None if self.type == "household" else self.data.get("household")

    @property
    def area(self) -> str:
        return _row(self.thing).area

    @property
    def scope(self) -> str:
        return _row(self.thing).scope or ""

    @property
    def since(self) -> int:
        return min(entry.op.t for entry in self.thing.log)

    @property
    def sub(self) -> str:
        return min((entry.op.t, entry.op.sub) for entry in self.thing.log)[1]

    @property
    def data(self) -> Mapping[str, Any]:
        return self.thing.settle().data

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        steps = history(self.thing.kind, self.thing.settle(), properties)
        return [Step(t, sub, data) for t, sub, data in steps]

    def candidates(self, prop: str) -> Sequence[Any]:
        state, definition = self.thing.settle(), self.thing.kind.properties.get(prop)
        cell = state.cells.get(definition.cell) if definition else None
        if cell is None or cell.conflict is None:
            return [state.data.get(prop)]
        values = [self.data.get(prop), *(entry.value.get(prop) for entry in cell.live)]
        return [value for index, value in enumerate(values) if value not in values[:index]]


def plan_visits(
    space: Workspace, changes: Changes, tx: Transaction, rules: Rules, calendar: Calendar, now: int
) -> None:
    """Plan for every touched entity and the household it lives in; what has no place yet has no visits."""
    touched = [thing for thing in space.touched if _row(thing).scope is not None]
    homes = {thing.settle().data.get("household") for thing in touched if thing.kind.name != "household"}
    things = {thing.id: thing for thing in touched}
    for home in sorted(home for home in homes if home):
        household = space.find(home)
        if household is not None and household.row is not None and household.row.scope is not None:
            things.setdefault(home, household)
    if things:
        plan_things(list(things.values()), changes, tx, rules, calendar, local_date(now))


def plan_things(
    things: Sequence[Thing], changes: Changes, tx: Transaction, rules: Rules, calendar: Calendar, today: date
) -> None:
    """Plan and settle the visits of these entities; a handful of statements for all of them."""
    households = [thing.id for thing in things if thing.kind.name == "household"]
    members = _members(things, tx.children(households) if households else [])
    ids = sorted({thing.id for thing in things} | set(households))
    made = _with(tx.made(ids), changes.made)
    planned: list[Visit] = []
    for thing in things:
        subject = _Subject(thing, members.get(thing.id, ()))
        concerning = [one for one in made if thing.id in (one.subject, one.household)]
        planned += plan(subject, concerning, rules, calendar, today)
    settled = settle(tx.visits(ids), planned, made, rules)
    changes.visits += settled.rows
    changes.moved_visits |= settled.taken_over
    for visit in settled.rows:
        changes.touched.add(Touched(visit.area, visit.scope, "visit", visit.id))


def _members(things: Sequence[Thing], stored: Iterable[EntityRow]) -> dict[str, list[Child]]:
    """The children of each household: as they are now in this transaction, else as stored."""
    rows = {row.id: row for row in stored}
    rows |= {thing.id: _row(thing) for thing in things if thing.kind.name == "child"}
    members: dict[str, list[Child]] = {}
    for row in rows.values():
        if row.type == "child" and row.household:
            born = date.fromisoformat(row.dob) if row.dob else None
            members.setdefault(row.household, []).append(Child(row.id, born, row.since, row.first_sub))
    return members


def _with(stored: Iterable[Made], fresh: Iterable[Made]) -> list[Made]:
    found = {(one.sub, one.subject): one for one in (*stored, *fresh)}
    return sorted(found.values(), key=lambda one: (one.t, one.sub, one.subject))
