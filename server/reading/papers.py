"""Submissions on an officer's desk, line by line: about whom, by whom, how late; the held ones by their cause."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import exists, select

from server.reading.waiting import by_state, oldest
from server.reading.words import Words
from server.store.people import names_of
from server.store.reads import Reads
from server.store.tables import AssignmentTable, Entity, Submission, SubmissionState, User, db
from server.world import Nest
from sync.names import sort_key
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
    found = by_state(areas)
    told = {shelf: sum(found.get(state, 0) for state in states) for shelf, states in SHELVES.items()}
    return told | {state: found.get(state, 0) for state in HELD}


def papers(
    nest: Nest, words: Words, areas: Collection[str], asked: Asked, after: str | None
) -> tuple[list[Paper], bool]:
    """A page of submissions, the oldest first, and whether there are more."""
    rows = oldest(areas, SHELVES[asked.shelf], PAGE + 1, after, *_narrowed(asked))
    return _told(nest, words, rows[:PAGE]), len(rows) > PAGE


def next_waiting(areas: Collection[str], asked: Asked, ident: str) -> str | None:
    """The one that waits after a submission, else the first that waits."""
    states, narrowed = SHELVES["waiting"], _narrowed(asked)
    rows = oldest(areas, states, 1, ident, *narrowed)
    rows = rows or oldest(areas, states, 1, None, SubmissionState.sub != ident, *narrowed)
    return rows[0][0].id if rows else None


def held_papers(nest: Nest, words: Words, areas: Collection[str], aside: bool) -> dict[str, list[Paper]]:
    """Those that are held (or were set aside), by cause: one act can deal with all of a cause. The largest first."""
    states = ("set_aside",) if aside else ("quarantined", "stored")
    rows = oldest(areas, states, MOST_HELD)
    by_cause: dict[str, list[Paper]] = {}
    for one in _told(nest, words, rows):
        by_cause.setdefault(one.cause, []).append(one)
    danger = lambda cause: any(one.danger for one in by_cause[cause])  # noqa: E731
    order = sorted(by_cause, key=lambda cause: (not danger(cause), -len(by_cause[cause]), cause))
    return {cause: by_cause[cause] for cause in order}


def authors_of(areas: Collection[str]) -> list[tuple[str, str]]:
    """(id, name) of those with a charge there, now or earlier, who have sent something, by name."""
    mine = sorted(areas)
    known = select(AssignmentTable.user).where(AssignmentTable.area.in_(mine)).distinct()
    sent = exists().where(SubmissionState.author == User.id, SubmissionState.area.in_(mine))
    found = db.session.execute(select(User.id, User.name).where(User.id.in_(known), sent))
    return sorted(((row.id, row.name) for row in found), key=lambda one: sort_key(one[1]))


def _narrowed(asked: Asked) -> list[Any]:
    found: list[Any] = []
    if asked.form is not None:
        found.append(Submission.form == asked.form)
    if asked.author is not None:
        found.append(SubmissionState.author == asked.author)
    return found


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
