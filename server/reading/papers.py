"""Submissions on an officer's desk, line by line: about whom, by whom, how late; the held ones by their cause."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import func, select

from server.reading.words import Words
from server.store.people import names_of
from server.store.reads import Reads
from server.store.tables import Entity, Submission, SubmissionState, db
from server.world import Nest
from sync.times import local_date

PAGE = 30
MOST_HELD = 500
KINDS = ("visit", "delete")  # what devices send: acts are no papers to review
SHELVES: Mapping[str, Sequence[str]] = {
    "waiting": ("received", "edited"),
    "returned": ("has_issues",),
    "approved": ("approved",),
    "rejected": ("rejected",),
    "all": ("received", "edited", "has_issues", "approved", "rejected"),
}
HELD = ("quarantined", "stored", "set_aside")


@dataclass(frozen=True)
class Paper:
    """One submission in a line. `late` are the days between the visit and its arrival."""

    id: str
    form: str
    kind: str
    state: str
    reason: str | None
    cause: str
    author: str
    observed_at: int | None
    received_at: int
    late: int
    elsewhere: bool
    about: Sequence[tuple[str, str, str]]
    danger: bool


@dataclass(frozen=True)
class Asked:
    """Which submissions: of a shelf, of one form, of one author."""

    shelf: str = "waiting"
    form: str | None = None
    author: str | None = None


def counts(areas: Collection[str]) -> dict[str, int]:
    """How many there are on each shelf, and how many are held."""
    query = select(SubmissionState.state, func.count()).where(SubmissionState.area.in_(sorted(areas)))
    found = {state: number for state, number in db.session.execute(query.group_by(SubmissionState.state))}  # noqa: C416
    told = {shelf: sum(found.get(state, 0) for state in states) for shelf, states in SHELVES.items()}
    return told | {state: found.get(state, 0) for state in HELD}


def papers(
    nest: Nest, words: Words, areas: Collection[str], asked: Asked, after: str | None
) -> tuple[list[Paper], bool]:
    """A page of submissions, the oldest first, and whether there are more."""
    query = _query(areas, SHELVES[asked.shelf], asked).limit(PAGE + 1)
    before = db.session.get(Submission, after) if after else None
    if before is not None:
        query = query.where(_later(before))
    rows = db.session.execute(query).all()
    return _told(nest, words, rows[:PAGE]), len(rows) > PAGE


def next_waiting(areas: Collection[str], asked: Asked, ident: str) -> str | None:
    """The one that waits after a submission, else the first that waits."""
    query, last = _query(areas, SHELVES["waiting"], asked).limit(1), db.session.get(Submission, ident)
    row = db.session.execute(query.where(_later(last))).first() if last is not None else None
    row = row or db.session.execute(query.where(Submission.id != ident)).first()
    return row[0].id if row is not None else None


def held_papers(nest: Nest, words: Words, areas: Collection[str], aside: bool) -> dict[str, list[Paper]]:
    """Those that are held (or were set aside), by cause: one act can deal with all of a cause. The largest first."""
    states = ("set_aside",) if aside else ("quarantined", "stored")
    rows = db.session.execute(_query(areas, states, Asked()).limit(MOST_HELD)).all()
    by_cause: dict[str, list[Paper]] = {}
    for one in _told(nest, words, rows):
        by_cause.setdefault(one.cause, []).append(one)
    danger = lambda cause: any(one.danger for one in by_cause[cause])  # noqa: E731
    order = sorted(by_cause, key=lambda cause: (not danger(cause), -len(by_cause[cause]), cause))
    return {cause: by_cause[cause] for cause in order}


def authors_of(areas: Collection[str]) -> list[tuple[str, str]]:
    """(id, name) of whoever has submissions there, by name."""
    query = select(SubmissionState.author).where(SubmissionState.area.in_(sorted(areas))).distinct()
    return sorted(names_of(set(db.session.scalars(query))).items(), key=lambda one: one[1])


def _query(areas: Collection[str], states: Sequence[str], asked: Asked) -> Any:
    query = select(Submission, SubmissionState).join(SubmissionState, SubmissionState.sub == Submission.id)
    where: list[Any] = [SubmissionState.area.in_(sorted(areas)), SubmissionState.state.in_(states)]
    if asked.form is not None:
        where.append(Submission.form == asked.form)
    if asked.author is not None:
        where.append(Submission.author == asked.author)
    return query.where(*where).order_by(Submission.received_at, Submission.id)


def _later(before: Submission) -> Any:
    same = (Submission.received_at == before.received_at) & (Submission.id > before.id)
    return (Submission.received_at > before.received_at) | same


def _told(nest: Nest, words: Words, rows: Sequence[Any]) -> list[Paper]:
    reads, ids = Reads(db.session.connection()), [row[0].id for row in rows]
    touching = reads.touching(ids)
    wanted = {entity for entities in touching.values() for entity in entities}
    query = select(Entity.id, Entity.type, Entity.label).where(Entity.id.in_(sorted(wanted)), Entity.label != "")
    known = {row.id: (row.type, row.id, row.label) for row in db.session.execute(query)}
    people, alarms = names_of({row[0].author for row in rows}), {visit.subject for visit in reads.visits(ids)}
    titles = {form.id: form.title for form in nest.catalogue.current()}
    about = {sub: [known[one] for one in entities if one in known] for sub, entities in touching.items()}
    return [_paper(row[0], row[1], people, titles, about.get(row[0].id, []), alarms) for row in rows]


def _paper(
    row: Submission,
    state: SubmissionState,
    people: Mapping[str, str],
    titles: Mapping[str, str],
    about: Sequence[tuple[str, str, str]],
    alarms: Collection[str],
) -> Paper:
    problems = orjson.loads(row.facts).get("problems", []) if row.facts else []
    first = problems[0] if problems else {}
    late = (local_date(row.received_at) - local_date(row.observed_at)).days if row.observed_at is not None else 0
    return Paper(
        id=row.id,
        form=titles.get(row.form, row.form or ""),
        kind=row.kind,
        state=state.state,
        reason=state.reason,
        cause=" ".join(part for part in (state.reason, first.get("code"), first.get("pointer")) if part),
        author=people.get(row.author, row.author),
        observed_at=row.observed_at,
        received_at=row.received_at,
        late=max(late, 0),
        elsewhere=state.elsewhere,
        about=sorted(about, key=lambda one: (one[0] != "child", one[2]))[:3],
        danger=row.id in alarms,
    )
