"""What follows from the ops that a transaction took in: where entities live, what is in doubt, whom to visit."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from forms.entity_types import protected_id
from sync.danger import Alarm, AlarmSubject
from sync.ports import Changes, EntityRow, Touched, Transaction
from sync.state.frame import Frame
from sync.state.merge import history
from sync.state.model import DELETED, Act, Conflict, Notice, NoticeKind, State
from sync.states import tell_authors
from sync.times import local_date
from sync.visits.calendar import Calendar
from sync.visits.plan import Child, Made, Step, Visit, plan
from sync.visits.rules import Rules
from sync.visits.settle import settle
from sync.workspace import Thing, Workspace, place_of

LIFE = (Act.DELETE, Act.RESTORE)


def follow(space: Workspace, changes: Changes, rules: Rules, calendar: Calendar, now: int) -> None:
    """Complete `changes` with everything that the touched entities of `space` entail."""
    follow_place(space, changes)
    left = {thing.row.household for thing in space.touched if thing.row is not None}  # where they lived before
    for thing in space.touched:
        record(thing, changes)
    tell_authors(space, changes, now, [thing for thing in space.touched if thing.row is not None])
    plan_visits(space, changes, rules, calendar, now, left)


def follow_place(space: Workspace, changes: Changes) -> None:
    """Households first; then all who live in one that has moved or is new, wherever they are; then their halves."""
    homes = [thing for thing in space.touched if thing.kind.name == "household" and thing.row is not None]
    moved = [thing for thing in homes if _move(space, thing, changes)]
    if moved:
        children = space.tx.children([thing.id for thing in moved])
        space.load(child.id for child in children)
        for child in children:
            found = space.find(child.id)
            if found is not None:
                found.moved = True
    living = [thing for thing in space.touched if thing.kind.name != "household" and thing.row is not None]
    for thing in sorted(living, key=lambda one: one.follows):
        if _move(space, thing, changes) and not thing.follows:
            half = space.find(protected_id(thing.id))
            if half is not None and half.row is not None:
                half.moved = True
                _move(space, half, changes)


def _move(space: Workspace, thing: Thing, changes: Changes) -> bool:
    """Put an entity into its scope; readers of the one it left hear of it. Says whether it moved."""
    row, (area, scope) = _row(thing), place_of(space, thing)
    if (row.scope, row.area) == (scope, area or row.area):
        return False
    if row.scope is not None and row.scope != scope:
        changes.touched.add(Touched(row.area, row.scope, "entity", thing.id, here=False))
    if row.scope is None and scope is not None:
        _end_alarms(space, thing)
    thing.row = replace(row, area=area or row.area, scope=scope)
    return True


def _end_alarms(space: Workspace, thing: Thing) -> None:
    """Danger that was told before there was a place for it is planned about the entity itself from now on."""
    for entry in thing.log:
        if entry.present and entry.op.sub not in thing.fresh:
            space.alarms.setdefault(entry.op.sub, Alarm(entry.op.sub, entry.area, 0, {}))


def _row(thing: Thing) -> EntityRow:
    assert thing.row is not None
    return thing.row


def record(thing: Thing, changes: Changes) -> None:
    """The entity's row, its new and re-derived ops, its conflicts and notices, its entry in the feed."""
    if thing.row is not None:
        thing.row = row_of(thing)
        changes.entities.append(thing.row)
        state = thing.settle()
        changes.conflicts += state.conflicts
        changes.notices += [(thing.id, notice) for notice in notices_of(state)]
        changes.closed_by |= {(thing.id, cell): by for cell, by in rulings_of(thing).items()}
        changes.also |= {one.id: area for one in state.conflicts if (area := _other_area(thing, one)) is not None}
        if thing.row.scope is not None:
            here = not thing.row.dead
            changes.touched.add(Touched(thing.row.area, thing.row.scope, "entity", thing.id, here))
    for entry in thing.log:
        if entry.op.sub in thing.fresh:
            changes.ops.append(replace(entry, area=thing.row.area if thing.row else entry.area))
        elif entry.op.sub in thing.changed:
            changes.rederived.append(entry)


def row_of(thing: Thing) -> EntityRow:
    """The stored form of an entity's state. Of one whose every op was withdrawn nothing shows."""
    row = _row(thing)
    present = [entry for entry in thing.log if entry.present]
    if not present:
        return replace(row, label="", dob=None, data={}, src={}, broken=(), household=None)
    state = thing.settle()
    first = min((entry.op.t, entry.op.sub) for entry in present)
    household = None if thing.kind.name == "household" else state.data.get("household")
    return replace(
        row,
        household=household,
        label="" if thing.follows else str(state.data.get(thing.kind.label, "")),
        dob=state.data.get("dob"),
        since=first[0],
        first_sub=first[1],
        data=state.data,
        src={name: cell.current.op for name, cell in state.cells.items()},
        broken=state.broken,
        dead=state.life.dead,
    )


def rulings_of(thing: Thing) -> dict[str, str]:
    """The newest ruling on each cell, and on each key of a series: what closes a conflict there."""
    found: dict[str, str] = {}
    state = thing.settle()
    for name, cell in state.cells.items():
        for entry in (entry for entry in cell.entries if entry.rules and entry.gone is None):
            key = thing.kind.cells[name].members[0].key
            keys = {str(item.get(key)) for item in entry.write.items} if key else set()
            found |= {f"{name}/{one}": entry.op for one in keys} if keys else {name: entry.op}
    lives = [e.op for e in thing.log if e.present and e.op.rules and (e.op.act in LIFE or DELETED in e.op.said)]
    return found | ({DELETED: max(lives, key=lambda op: (op.t, op.sub)).sub} if lives else {})


def _other_area(thing: Thing, conflict: Conflict) -> str | None:
    """The area to which somebody wishes a household to move: its supervisors have a say."""
    cell = thing.settle().cells.get(conflict.cell)
    if thing.kind.name != "household" or conflict.cell != thing.kind.placement.name or cell is None:
        return None
    areas = {str(entry.value["ward_code"]) for entry in cell.live if "ward_code" in entry.value}
    return min(areas - {_row(thing).area}, default=None)


def notices_of(state: State) -> list[Notice]:
    """All notices of an entity: writes that lost to a rule, and acts that were made without knowing of each other."""
    acts = [
        Notice("$acts", sub, verdict.by, NoticeKind.OVERRULED)
        for verdict in state.verdicts.values()
        for sub in verdict.overruled
    ]
    found = {(one.cell, one.op, one.kind): one for one in (*state.notices, *acts)}
    return [found[key] for key in sorted(found)]


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
        return _row(self.thing).since

    @property
    def sub(self) -> str:
        return _row(self.thing).first_sub

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
        if _row(thing).scope is not None and not _row(thing).dead:
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
        changes.touched.add(Touched(visit.area, visit.scope, "visit", visit.id))
        before = existing.get(visit.id, visit)
        if before.scope != visit.scope:
            changes.touched.add(Touched(before.area, before.scope, "visit", visit.id, here=False))


def _members(things: Sequence[Thing], stored: Iterable[EntityRow]) -> dict[str, list[Child]]:
    """The children of each household: as they are now in this transaction, else as stored."""
    rows = {row.id: row for row in stored}
    rows |= {thing.id: _row(thing) for thing in things if thing.kind.name == "child"}
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
