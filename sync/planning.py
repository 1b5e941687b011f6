"""Which visits follow from what a transaction touched: planned from states, settled with those that are stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sync.danger import Alarm, AlarmSubject
from sync.ports import Changes, EntityRow, Touched, Transaction
from sync.state.frame import Frame
from sync.state.merge import history
from sync.thing import Thing
from sync.times import local_date
from sync.visits.calendar import Calendar
from sync.visits.plan import Child, Made, Step, Visit, VisitState, plan
from sync.visits.rules import Rules
from sync.visits.settle import settle
from sync.workspace import Workspace


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
        return self.thing.known.area

    @property
    def scope(self) -> str:
        return self.thing.known.scope or ""

    @property
    def since(self) -> int:
        return self.thing.known.since

    @property
    def sub(self) -> str:
        return self.thing.known.first_sub

    @property
    def data(self) -> Mapping[str, Any]:
        return self.thing.settle().data

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        steps = history(self.thing.kind, self.thing.settle().cells, properties)
        return [Step(t, sub, data) for t, sub, data in steps]

    def candidates(self, prop: str) -> Sequence[Any]:
        state, definition = self.thing.settle(), self.thing.kind.properties.get(prop)
        cell = state.cells.get(definition.cell) if definition else None
        if cell is None or not cell.conflicts:
            return [state.data.get(prop)]
        values = [self.data.get(prop), *(entry.value.get(prop) for entry in cell.live)]
        return [value for index, value in enumerate(values) if value not in values[:index]]


def plan_visits(
    space: Workspace, changes: Changes, rules: Rules, calendar: Calendar, now: int, left: set[str | None]
) -> None:
    """Plan for every touched entity and the households it lives in and has left; without a place no visits."""
    touched = [thing for thing in space.touched if thing.row is not None]
    homes = left | {thing.settle().data.get("household") for thing in touched if _lives_in_one(thing)}
    things = {thing.id: thing for thing in touched}
    for home in sorted(home for home in homes if home):
        household = space.find(home)
        if household is not None and household.row is not None and household.row.scope is not None:
            things.setdefault(home, household)
    if things or space.alarms:
        plan_things(
            list(things.values()), list(space.alarms.values()), changes, space.tx, rules, calendar, local_date(now)
        )


def _lives_in_one(thing: Thing) -> bool:
    return thing.kind.name != "household" and any(entry.present for entry in thing.log)


def plan_things(
    things: Sequence[Thing],
    alarms: Sequence[Alarm],
    changes: Changes,
    tx: Transaction,
    rules: Rules,
    calendar: Calendar,
    today: date,
) -> None:
    """Plan and settle the visits of these entities and alarms; a handful of statements for all of them."""
    households = [thing.id for thing in things if thing.kind.name == "household"]
    members = _members(things, tx.children(households) if households else [])
    ids = sorted({thing.id for thing in things} | set(households))
    stored = tx.made(ids) if ids else []
    made = _made(things, stored, changes)
    planned: list[Visit] = []
    for thing in things:
        if thing.known.scope is not None and not thing.known.dead:
            subject = _Subject(thing, members.get(thing.id, ()))
            concerning = [one for one in made if thing.id in (one.subject, one.household)]
            planned += plan(subject, concerning, rules, calendar, today)
    for alarm in alarms:
        planned += plan(AlarmSubject(alarm), (), rules, calendar, today) if alarm.signs else ()
    existing = {visit.id: visit for visit in tx.visits([*ids, *(alarm.sub for alarm in alarms)])}
    settled = settle(existing.values(), planned, made, rules)
    changes.visits += settled.rows
    changes.moved_visits |= settled.taken_over
    for visit in settled.rows:
        is_open = visit.state is VisitState.OPEN  # one that has ended is taken off the phones
        changes.touched.add(Touched(visit.area, visit.scope, "visit", visit.id, here=is_open))
        before = existing.get(visit.id, visit)
        if before.scope != visit.scope:
            changes.touched.add(Touched(before.area, before.scope, "visit", visit.id, here=False))


def _members(things: Sequence[Thing], stored: Iterable[EntityRow]) -> dict[str, list[Child]]:
    """The children of each household: as they are now in this transaction, else as stored."""
    rows = {row.id: row for row in stored}
    rows |= {thing.id: thing.known for thing in things if thing.kind.name == "child"}
    members: dict[str, list[Child]] = {}
    for row in rows.values():
        if row.type == "child" and row.household and not row.dead:
            born = date.fromisoformat(row.dob) if row.dob else None
            members.setdefault(row.household, []).append(Child(row.id, born, row.since, row.first_sub))
    return members


def _made(things: Sequence[Thing], stored: Sequence[Made], changes: Changes) -> list[Made]:
    """The visits made, as the logs of `things` tell them now; what differs from the stored ones is noted."""
    found = {(one.sub, one.subject): one for one in stored}
    for thing in things:
        now = {(one.sub, one.subject): one for one in visits_made(thing)}
        gone = [one for key, one in found.items() if key[1] == thing.id and key not in now]
        changes.unmade += gone
        changes.made += [one for key, one in now.items() if found.get(key) != one]
        for one in gone:
            del found[one.sub, one.subject]
        found |= now
    return sorted(found.values(), key=lambda one: (one.t, one.sub, one.subject))


def visits_made(thing: Thing) -> list[Made]:
    """The visits of which a log tells: the last word of each submission that was not rejected."""
    if thing.follows or not any(entry.result for entry in thing.log):
        return []
    home = thing.id if thing.kind.name == "household" else thing.settle().data.get("household")
    ops = {entry.op.sub: entry.op for entry in thing.log if entry.present}
    frame = Frame(ops, frozenset(ops))
    return [
        Made(entry.op.sub, entry.form, frame.told(entry.op.sub).t, entry.result, thing.id, home)
        for entry in thing.log
        if entry.present and entry.result and entry.op.sub not in frame.rejected
        if frame.amendments.standing(entry.op.sub)[-1] == entry.op.sub
    ]
