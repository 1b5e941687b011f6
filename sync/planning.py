"""Which visits follow from what a transaction touched: planned from states, settled with those that are stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sync.danger import Alarm, AlarmSubject
from sync.ports import Changes, EntityRow, Touched, Transaction
from sync.state.merge import history
from sync.state.model import CellState, Standing
from sync.thing import Thing
from sync.times import local_date
from sync.visits.arrangements import BY_HAND, Whom, kept
from sync.visits.calendar import Calendar
from sync.visits.plan import Child, Made, Step, Visit, VisitState, plan
from sync.visits.rules import Rules
from sync.visits.settle import settle, visits_about
from sync.workspace import Workspace

PRESENCE = "presence"  # whether somebody still lives in the household
AT_RISK = "at_risk_codes"  # groups of risk; those that only officers read are in the child's half
GONE = ("OUT", "DEATH")  # of list member_presence


@dataclass(frozen=True)
class _Subject:
    """An entity as planning sees it (`sync.visits.plan.Subject`).

    `beside` is what rules may ask about it that is not its own: property -> value.
    """

    thing: Thing
    children: Sequence[Child]
    beside: Mapping[str, Any] = field(default_factory=dict)
    _candidates: dict[str, Sequence[Any]] = field(default_factory=dict)  # asked by one rule after the other

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
        return {**self.thing.data, **self.beside} if self.beside else self.thing.data

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        known = [name for name in properties if name in self.thing.kind.properties]
        steps = history(self.thing.kind, self._cells(known), known)
        if not steps and self.beside:
            steps = [(self.since, self.sub, {})]
        return [Step(t, sub, {**data, **self.beside}, self._told(sub, known)) for t, sub, data in steps]

    def _told(self, sub: str, properties: Sequence[str]) -> Mapping[str, Any]:
        """What one submission wrote by itself."""
        entries = [entry for cell in self._cells(properties).values() for entry in cell.entries if entry.op == sub]
        said = {name: value for entry in entries for name, value in entry.value.items()}
        return {name: said.get(name) for name in properties}

    def _cells(self, properties: Iterable[str]) -> dict[str, CellState]:
        return self.thing.cells({self.thing.kind.properties[name].cell for name in properties})

    def candidates(self, prop: str) -> Sequence[Any]:
        if prop not in self._candidates:
            self._candidates[prop] = self._possible(prop)
        return self._candidates[prop]

    def _possible(self, prop: str) -> Sequence[Any]:
        if prop in self.beside:
            return [self.beside[prop]]
        definition = self.thing.kind.properties.get(prop)
        if definition is None or not self.thing.doubted(definition.cell):
            return [self.thing.data.get(prop)]
        cell = self.thing.cell(definition.cell)
        assert cell is not None
        values = [self.data.get(prop), *(entry.value.get(prop) for entry in cell.live)]
        return [value for index, value in enumerate(values) if value not in values[:index]]


def plan_visits(
    space: Workspace, changes: Changes, rules: Rules, calendar: Calendar, now: int, left: set[str | None]
) -> None:
    """Plan for every touched entity and the households it lives in and has left; without a place no visits."""
    touched = [thing for thing in space.touched if thing.row is not None]
    homes = left | {thing.data.get("household") for thing in touched if _lives_in_one(thing)}
    things = {thing.id: thing for thing in touched}
    for thing in touched:  # where a child lives decides whether a report about it is passed on
        reports = (one for one in space.speaking_of(thing.id) if one.row is not None and one.row.scope is not None)
        things |= {one.id: one for one in reports}
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
    beside = _beside(things, tx)
    ids = sorted({thing.id for thing in things} | set(households))
    stored = tx.made(ids) if ids else []
    made = _made(things, stored, changes)
    about = visits_about(made)
    planned: list[Visit] = []
    for thing in things:
        if thing.known.scope is not None and not thing.known.dead and not _gone(thing):
            subject = _Subject(thing, members.get(thing.id, ()), beside.get(thing.id, {}))
            planned += plan(subject, about.get(thing.id, ()), rules, calendar, today)
    for alarm in alarms:
        planned += plan(AlarmSubject(alarm), (), rules, calendar, today) if alarm.signs else ()
    existing = {visit.id: visit for visit in tx.visits([*ids, *(alarm.sub for alarm in alarms)])}
    settled = settle((row for row in existing.values() if row.rule != BY_HAND), planned, made, rules)
    settled.rows += _by_hand(existing.values(), things, made)
    changes.visits += settled.rows
    changes.moved_visits |= settled.taken_over
    for visit in settled.rows:
        is_open = visit.state is VisitState.OPEN  # one that has ended is taken off the phones
        changes.touched.add(Touched(visit.area, visit.scope, "visit", visit.id, here=is_open))
        before = existing.get(visit.id, visit)
        if before.scope != visit.scope:
            changes.touched.add(Touched(before.area, before.scope, "visit", visit.id, here=False))


def _by_hand(existing: Iterable[Visit], things: Sequence[Thing], made: Sequence[Made]) -> list[Visit]:
    """The visits that persons added, where they are different now: no rule plans them, and none ends them."""
    known = {thing.id: thing for thing in things}
    now = {row: kept(row, _whom(known[row.subject]), made) for row in existing if row.rule == BY_HAND}
    return [visit for row, visit in now.items() if visit != row]


def _whom(thing: Thing) -> Whom | None:
    """Where a child or household is visited now; None if it is not."""
    row = thing.known
    if row.scope is None or row.dead or _gone(thing):
        return None
    home = None if thing.kind.name == "household" else thing.data.get("household")
    return Whom(thing.kind.name, thing.id, home, row.area, row.scope)


def _members(things: Sequence[Thing], stored: Iterable[EntityRow]) -> dict[str, list[Child]]:
    """The children of each household: as they are now in this transaction, else as stored."""
    rows = {row.id: row for row in stored}
    rows |= {thing.id: thing.known for thing in things if thing.kind.name == "child"}
    members: dict[str, list[Child]] = {}
    for row in rows.values():
        if row.type == "child" and row.household and not row.dead and row.data.get(PRESENCE) not in GONE:
            born = date.fromisoformat(row.dob) if row.dob else None
            child = Child(row.id, born, row.since, row.first_sub, bool(row.data.get(AT_RISK)))
            members.setdefault(row.household, []).append(child)
    return members


def _gone(thing: Thing) -> bool:
    """Whether nobody is to be visited there any longer: left or died, and nobody says otherwise."""
    if thing.data.get(PRESENCE) not in GONE:
        return False
    cell = thing.cell(thing.kind.properties[PRESENCE].cell)
    return cell is None or all(entry.value.get(PRESENCE) in GONE for entry in cell.live)


def _beside(things: Sequence[Thing], tx: Transaction) -> dict[str, dict[str, Any]]:
    """Of each report whether the child lives in another area than that of the event, as the child's record says or,
    without one, the report."""
    reports = [thing for thing in things if thing.hidden and not thing.follows]
    wanted = {ident for thing in reports for ident in thing.about}
    rows = [ledger.row for ledger in tx.ledgers(sorted(wanted)).values()] if wanted else []
    homes = {row.id: row.area for row in rows if row is not None and row.scope is not None}
    homes |= {thing.id: thing.known.area for thing in things if thing.id in wanted and thing.known.scope is not None}
    found: dict[str, dict[str, Any]] = {}
    for thing in reports:
        data = thing.data
        home = homes.get(str(data.get("about_child"))) or data.get("residence_ward")
        found[thing.id] = {"child_elsewhere": "1" if home is not None and home != thing.known.area else "0"}
    return found


def _made(things: Sequence[Thing], stored: Sequence[Made], changes: Changes) -> list[Made]:
    """The visits made, as the logs of `things` tell them now; what differs from the stored ones is noted."""
    found = {(one.sub, one.subject): one for one in stored}
    before: dict[str, list[Made]] = {}
    for one in found.values():
        before.setdefault(one.subject, []).append(one)
    for thing in things:
        now = {(one.sub, one.subject): one for one in visits_made(thing)}
        gone = [one for one in before.get(thing.id, ()) if (one.sub, one.subject) not in now]
        changes.unmade += gone
        changes.made += [one for key, one in now.items() if found.get(key) != one]
        for one in gone:
            del found[one.sub, one.subject]
        found |= now
    return sorted(found.values(), key=lambda one: (one.t, one.sub, one.subject))


def visits_made(thing: Thing) -> list[Made]:
    """The visits of which a log tells: the last word of each submission that was not rejected."""
    if not any(entry.result for entry in thing.log):
        return []
    frame = thing.frame
    if frame is None:  # nothing counts
        return []
    home = thing.id if thing.kind.name == "household" else thing.data.get("household")
    return [
        Made(entry.op.sub, entry.form, frame.told(entry.op.sub).t, entry.result, thing.id, home)
        for entry in thing.log
        if entry.present and entry.result and entry.op.sub not in frame.rejected
        if not thing.hidden or entry.op.standing is Standing.SUPERVISOR  # what others told is no visit to a half
        if frame.amendments.standing(entry.op.sub)[-1] == entry.op.sub
    ]
