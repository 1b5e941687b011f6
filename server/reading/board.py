"""The officer's desk: everything that waits for him, worst first, with how much of each there is.

Danger and the clocks of the law, conflicts about risk or identity, wishes to move, submissions to review, submissions
that are held, visits that are overdue.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import and_, func, or_, select

from server.reading.waiting import by_state, oldest
from server.reading.words import Words
from server.store.base import table
from server.store.people import names_of
from server.store.tables import (
    ArrangementTable,
    ConflictTable,
    Entity,
    VisitTable,
    db,
)
from server.world import Nest
from sync.authority import Role
from sync.state.model import DELETED
from sync.times import local_date
from sync.visits.plan import VisitState
from sync.visits.rules import Unit

MOST = 5  # rows of a section
GRAVE = ("risk_now", "full_name", "birth", "sex", "presence", DELETED)  # cells of risk and of identity
REVIEWED = ("received", "edited")
HELD = ("quarantined", "stored")
arrangement, visit = table(ArrangementTable), table(VisitTable)
OPEN = visit.c.state == VisitState.OPEN.value


@dataclass(frozen=True)
class Task:
    """A visit that somebody must make: what the rule asks, about whom, and until when (ms). Texts by language.

    `type` and `subject` name whose page to open: of a protected half the child's. `timed`: the clock runs in hours.
    """

    what: Mapping[str, str]
    why: Mapping[str, str]
    source: str
    name: str
    place: str
    due_at: int
    timed: bool
    overdue: bool
    statutory: bool
    type: str
    subject: str
    protected: bool


@dataclass(frozen=True)
class Doubt:
    """An open conflict in one line."""

    id: str
    type: str
    entity: str
    name: str
    about: str
    opened_at: int


@dataclass(frozen=True)
class Waiting:
    """A submission that waits, in one line."""

    id: str
    form: str
    author: str
    state: str
    reason: str | None
    observed_at: int | None
    received_at: int


@dataclass(frozen=True)
class Section:
    """The first of something, and how many there are."""

    total: int
    rows: Sequence[Any]


@dataclass(frozen=True)
class Board:
    """All that waits in some areas."""

    danger: Section
    duties: Section
    grave: Section
    moves: Section
    doubts: Section
    review: Section
    held: Section
    overdue: Section

    @property
    def clear(self) -> bool:
        """Whether nothing waits at all."""
        return not any(section.total for section in vars(self).values())


def board(nest: Nest, words: Words, areas: Collection[str], at: int) -> Board:
    """What waits in these areas at `at` (ms)."""
    return _Reading(nest, words, sorted(areas), at).board()


@dataclass(frozen=True)
class _Reading:
    nest: Nest
    words: Words
    areas: Sequence[str]
    at: int

    @property
    def today(self) -> date:
        return local_date(self.at)

    def board(self) -> Board:
        hours = [rule for rule in self.nest.rules.rules if rule.clock.unit is Unit.HOUR]
        timed, whose = {rule.code for rule in hours}, {rule.role for rule in hours}
        officers = visit.c.assignee_role == Role.SUPERVISOR.value
        moves = {kind.placement.name for kind in self.nest.catalogue.types.values()}
        late = and_(visit.c.assignee_role == Role.COLLABORATOR.value, visit.c.due < self.today)
        begun = and_(officers, visit.c.rule.not_in(timed), visit.c.earliest <= self.today)
        counted = by_state(self.areas)
        return Board(
            danger=self._visits(and_(visit.c.assignee_role.in_(whose), visit.c.rule.in_(timed))),
            duties=self._visits(begun),
            grave=self._conflicts(ConflictTable.cell.in_(GRAVE)),
            moves=self._conflicts(ConflictTable.cell.in_(moves)),
            doubts=self._conflicts(ConflictTable.cell.not_in([*GRAVE, *moves])),
            review=self._submissions(REVIEWED, counted),
            held=self._submissions(HELD, counted),
            overdue=self._visits(late),
        )

    def _visits(self, which: Any) -> Section:
        """Open visits that nobody has cancelled or put off, the most pressing first."""
        off = select(arrangement.c.visit).where(
            arrangement.c.standing, or_(arrangement.c.cancelled, arrangement.c.until > self.today)
        )
        query = select(visit.c.id, func.count().over().label("total"))
        query = query.where(visit.c.area.in_(self.areas), OPEN, which, visit.c.id.not_in(off))
        order = visit.c.statutory.desc(), visit.c.priority.desc(), visit.c.due_at, visit.c.id
        first = db.session.execute(query.order_by(*order).limit(MOST)).all()
        ids = [row.id for row in first]
        rows = db.session.execute(select(visit).where(visit.c.id.in_(ids)).order_by(*order)).all()
        return Section(first[0].total if first else 0, self._tasks(rows))

    def _tasks(self, rows: Sequence[Any]) -> list[Task]:
        ids = {ident for row in rows for ident in (row.subject, row.household) if ident}
        known = _named(ids)
        halves = {data["child"] for _, data in known.values() if data.get("child")}
        known |= _named(halves)
        return [self._task(row, known) for row in rows]

    def _task(self, row: Any, known: Mapping[str, tuple[str, Mapping[str, Any]]]) -> Task:
        rule = self.nest.rules.find(row.rule, row.subject_type)
        texts = rule.texts if rule is not None else {"name": {}, "why": {}}
        name, data = known.get(row.subject, ("", {}))
        protected = row.subject_type == "child_protected"
        subject = data.get("child") if protected else row.subject
        return Task(
            what=texts["name"],
            why=texts["why"],
            source=rule.source if rule is not None else "",
            name=known.get(subject or "", (name, {}))[0],
            place=self.words.place(row.scope),
            due_at=row.due_at,
            timed=rule is not None and rule.clock.unit is Unit.HOUR,
            overdue=row.due_at < self.at,
            statutory=row.statutory,
            type="child" if protected else row.subject_type,
            subject=subject or row.subject,
            protected=protected,
        )

    def _conflicts(self, which: Any) -> Section:
        query = select(ConflictTable, Entity.type, Entity.label, func.count().over().label("total"))
        query = query.join(Entity, Entity.id == ConflictTable.entity).where(
            or_(ConflictTable.area.in_(self.areas), ConflictTable.also.in_(self.areas)), ConflictTable.open, which
        )
        order = ConflictTable.opened_at, ConflictTable.id
        rows = db.session.execute(query.order_by(*order).limit(MOST)).all()
        told = [(row.ConflictTable, row.type, row.label) for row in rows]
        whose = _children({one.entity for one, kind, _ in told if kind == "child_protected"})
        doubts = [
            Doubt(one.id, kind, one.entity, whose.get(one.entity, label), self._about(kind, one.cell), one.opened_at)
            for one, kind, label in told
        ]
        return Section(rows[0].total if rows else 0, doubts)

    def _about(self, kind: str, cell: str) -> str:
        cells = self.nest.catalogue.types[kind].cells
        name = cell.partition("/")[0]
        return self.words.label(cells[name].members[0]) if name in cells else ""

    def _submissions(self, states: Sequence[str], counted: Mapping[str, int]) -> Section:
        rows = oldest(self.areas, states, MOST)
        titles = {form.id: form.title for form in self.nest.catalogue.current()}
        people = names_of({one.author for one, _ in rows})
        waiting = [
            Waiting(
                one.id, titles.get(one.form, one.form), people.get(one.author, one.author), state.state, state.reason,
                one.observed_at, one.received_at,
            )
            for one, state in rows
        ]  # fmt: skip
        return Section(sum(counted.get(state, 0) for state in states), waiting)


def _named(ids: Collection[str]) -> dict[str, tuple[str, dict[str, Any]]]:
    if not ids:
        return {}
    rows = db.session.execute(select(Entity.id, Entity.label, Entity.data).where(Entity.id.in_(sorted(ids))))
    return {row.id: (row.label, orjson.loads(row.data)) for row in rows}


def _children(halves: Collection[str]) -> dict[str, str]:
    """The names of the children whose protected halves these are."""
    found = _named(halves)
    names = _named({str(data.get("child")) for _, data in found.values()})
    return {half: names[child][0] for half, (_, data) in found.items() if (child := str(data.get("child"))) in names}
