"""What the demonstration page shows: counts, latest submissions, open conflicts, visits due, issued lists."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import orjson
from sqlalchemy import func, select

from server.reading.entities import entity_page
from server.reading.issued import Issued, issued_lists, person
from server.reading.words import Words
from server.store.tables import (
    ConflictTable,
    Entity,
    ReminderList,
    Submission,
    User,
    VisitTable,
    db,
)
from server.world import Nest
from sync.authority import PROTECTION, Role
from sync.times import local_date, local_time
from sync.visits.plan import VisitState

MOST_SUBMISSIONS = 8
MOST_CONFLICTS = 10
MOST_VISITS_OF_RULE = 3
MOST_VISITS = 500
MOST_PLANNED = 4
_UNPROTECTED = VisitTable.scope.not_like(f"%/{PROTECTION}")


@dataclass(frozen=True)
class Counts:
    """How much there is of everything."""

    households: int
    children: int
    submissions: int
    conflicts: int
    visits: int
    lists: int


@dataclass(frozen=True)
class Received:
    """One submission with what became of it; `reason` says why it was kept but not applied."""

    id: str
    form: str
    author: str
    observed: datetime | None
    outcome: str
    reason: str | None


@dataclass(frozen=True)
class Side:
    """One of the values between which somebody must decide; `shows` marks the one in use meanwhile."""

    lines: tuple[tuple[str, str], ...]  # (label of the property, value in words)
    author: str
    observed: datetime
    submission: str
    shows: bool


@dataclass(frozen=True)
class Doubt:
    """An open conflict: about whom, about what, and all its values."""

    id: str
    entity: str
    name: str
    type: str
    sides: tuple[Side, ...]


@dataclass(frozen=True)
class Due:
    """A visit to make, in words."""

    what: Mapping[str, str]
    why: Mapping[str, str]
    name: str
    head: str
    address: str
    place: str
    due: date
    statutory: bool
    overdue: bool


@dataclass(frozen=True)
class Overview:
    """Everything on the page but the lines to paste."""

    counts: Counts
    submissions: Sequence[Received]
    conflicts: Sequence[Doubt]
    visits: Sequence[Due]
    planned: Sequence[Due]
    lists: Sequence[Issued]


def overview(nest: Nest, at: int) -> Overview:
    """The state of the database at `at` (ms since 1970 UTC)."""
    words, today = Words(nest), local_date(at)
    people = {row.id: row.name for row in db.session.execute(select(User.id, User.name))}
    received = _received(nest)
    return Overview(
        counts=_counts(today),
        submissions=received,
        conflicts=_doubts(words, people),
        visits=_told(words, _due(today), today),
        planned=_told(words, _planned([one.id for one in received], today), today),
        lists=issued_lists(people, at),
    )


def _counts(today: date) -> Counts:
    types = db.session.execute(select(Entity.type, func.count()).group_by(Entity.type))
    kinds: dict[str, int] = {kind: number for kind, number in types}  # noqa: C416
    return Counts(
        households=kinds.get("household", 0),
        children=kinds.get("child", 0),
        submissions=_count(select(func.count()).select_from(Submission)),
        conflicts=_count(select(func.count()).select_from(ConflictTable).where(ConflictTable.open)),
        visits=_count(select(func.count()).select_from(VisitTable).where(*_open(today))),
        lists=_count(select(func.count(ReminderList.number.distinct()))),
    )


def _count(query: Any) -> int:
    return db.session.scalar(query) or 0


def _open(today: date) -> tuple[Any, ...]:
    """Visits whose window has begun, as on the lists; what officers alone may see stays out of this page."""
    return VisitTable.state == VisitState.OPEN.value, VisitTable.earliest <= today, _UNPROTECTED


def _received(nest: Nest) -> list[Received]:
    query = select(Submission).order_by(Submission.received_at.desc(), Submission.observed_at.desc(), Submission.id)
    titles = {form.id: form.title for form in nest.catalogue.current()}
    return [
        Received(
            id=row.id,
            form=titles.get(row.form, row.form) or row.kind,
            author=row.author,
            observed=None if row.observed_at is None else local_time(row.observed_at),
            outcome=row.outcome,
            reason=row.reason,
        )
        for row in db.session.scalars(query.limit(MOST_SUBMISSIONS))
    ]


def _doubts(words: Words, people: Mapping[str, str]) -> list[Doubt]:
    query = select(ConflictTable.id, ConflictTable.entity, Entity.type, Entity.label)
    query = query.join(Entity, Entity.id == ConflictTable.entity).where(ConflictTable.open)
    found = db.session.execute(query.order_by(ConflictTable.opened_at.desc(), ConflictTable.id).limit(MOST_CONFLICTS))
    doubts = []
    for row in found.all():
        page = entity_page(row.type, row.entity)
        conflict = next((c for c in page.body["conflicts"] if c["id"] == row.id), None) if page else None
        if page is not None and conflict is not None:
            cell = page.body["provenance"].get(conflict["cell"].partition("/")[0])
            shown = cell["submission"] if cell is not None else ""
            sides = (_side(words, row.type, value, shown, people) for value in conflict["values"])
            doubts.append(Doubt(row.id, row.entity, row.label, row.type, tuple(sides)))
    return doubts


def _side(words: Words, kind: str, value: Mapping[str, Any], shown: str, people: Mapping[str, str]) -> Side:
    return Side(
        lines=tuple(words.cell(kind, value["value"])),
        author=person(value["author"], people),
        observed=datetime.fromisoformat(value["observed_at"]),
        submission=value["submission"],
        shows=value["submission"] == shown,
    )


_URGENT = VisitTable.statutory.desc(), VisitTable.priority.desc(), VisitTable.due, VisitTable.id


def _due(today: date) -> Sequence[VisitTable]:
    query = select(VisitTable).where(*_open(today)).order_by(*_URGENT)
    return _some_of_each_rule(db.session.scalars(query.limit(MOST_VISITS)))


def _planned(causes: Sequence[str], today: date) -> Sequence[VisitTable]:
    """Visits of collaborators that these submissions gave rise to, in their order, whose window is to come."""
    query = select(VisitTable).where(
        VisitTable.caused_by.in_(causes),
        VisitTable.state == VisitState.OPEN.value,
        VisitTable.earliest > today,
        VisitTable.assignee_role == Role.COLLABORATOR.value,
        _UNPROTECTED,
    )
    found = db.session.scalars(query.order_by(*_URGENT)).all()
    return sorted(found, key=lambda visit: causes.index(visit.caused_by))[:MOST_PLANNED]


def _told(words: Words, visits: Sequence[VisitTable], today: date) -> list[Due]:
    """Visits in words, with the people and houses they go to."""
    ids = {ident for visit in visits for ident in (visit.subject, visit.household) if ident}
    rows = db.session.execute(select(Entity.id, Entity.label, Entity.data).where(Entity.id.in_(ids)))
    known = {row.id: (row.label, orjson.loads(row.data)) for row in rows}
    nobody: tuple[str, dict[str, Any]] = ("", {})
    dues = []
    for visit in visits:
        home = known.get(visit.household or visit.subject, nobody)
        name, why = words.rule(visit.rule, visit.subject_type)
        dues.append(
            Due(
                what=name,
                why=why,
                name=known.get(visit.subject, nobody)[0],
                head=home[0],
                address=home[1].get("address_line") or "",
                place=words.place(visit.scope),
                due=visit.due,
                statutory=visit.statutory,
                overdue=visit.due < today,
            )
        )
    return dues


def _some_of_each_rule(visits: Iterable[VisitTable]) -> list[VisitTable]:
    """The most urgent of every rule, so that a frequent one does not hide the others."""
    taken: Counter[str] = Counter()
    some = []
    for visit in visits:
        taken[visit.rule] += 1
        if taken[visit.rule] <= MOST_VISITS_OF_RULE:
            some.append(visit)
    return some
