"""What is or was on a phone, and what a report of its loss leads to: whom it concerns, kinds of data, the clock.

No value is told anywhere: names of kinds of data alone. An administrator sees neither names nor places.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, Row, select

from server.auth.access import Access
from server.auth.incidents import CLOCK, incident, lost_thing, things_on
from server.reading.devices import Phone, phones
from server.reading.profile import OTHER
from server.reading.words import Words
from server.store.base import table
from server.store.people import names_of
from server.store.reads import fetch
from server.store.tables import Entity, Submission, SubmissionState, db
from server.world import Nest

entity, submission, state = table(Entity), table(Submission), table(SubmissionState)
ORDER = ("household", "child", "child_protected", "person", "report")
PEOPLE = ("child", "person")  # each is somebody whom the data are about


@dataclass(frozen=True)
class Thing:
    """One entity on a phone. `name` and `place` are empty where the reader may not read it."""

    type: str
    id: str
    name: str
    place: str
    since: int
    readable: bool


@dataclass(frozen=True)
class Kind:
    """A kind of data of a type: the heading of the form that asks for it, and what is asked there."""

    title: str
    labels: Sequence[str]


@dataclass(frozen=True)
class OnPhone:
    """All that is on a phone: each thing that may be told, numbers of all by type, kinds of data by type."""

    things: Sequence[Thing]
    counts: Mapping[str, int]
    kinds: Mapping[str, Sequence[Kind]]
    since: int | None

    @property
    def people(self) -> int:
        """How many children and adults the data are about, at least."""
        return sum(self.counts.get(kind, 0) for kind in PEOPLE)

    @property
    def hidden(self) -> int:
        """How many things the reader is told of as a number alone."""
        return sum(self.counts.values()) - len(self.things)


@dataclass(frozen=True)
class Later:
    """What a phone sent after its right to read was taken away."""

    id: str
    received_at: int
    state: str


@dataclass(frozen=True)
class Clock:
    """An incident with its clock. `left` is in ms, below 0 when the time is over; that of a closed one stands."""

    row: Row[Any]
    phone: Phone
    reporter: str
    left: int

    @property
    def deadline(self) -> int:
        return int(self.row.detected_at + CLOCK)

    @property
    def running(self) -> bool:
        return self.row.closed_at is None


def on_phone(nest: Nest, words: Words, access: Access, phone: Phone, reported: bool) -> OnPhone:
    """What is on a phone; of one that was `reported` what was on it then."""
    connection = db.session.connection()
    if reported:
        query = select(lost_thing).where(lost_thing.c.device == phone.row.id).order_by(lost_thing.c.entity)
        rows = [dict(row._mapping) for row in connection.execute(query)]
    else:
        rows = things_on(connection, phone.row.id)
    counts = Counter(row["type"] for row in rows)
    kinds: dict[str, set[str]] = {}
    for row in rows:
        kinds.setdefault(row["type"], set()).update(orjson.loads(row["properties"]))
    return OnPhone(
        things=_things(connection, words, access, rows),
        counts={kind: counts[kind] for kind in ORDER if counts[kind]},
        kinds={kind: _kinds(nest, words, kind, kinds[kind]) for kind in ORDER if kind in kinds},
        since=min((row["since"] for row in rows), default=None),
    )


def clock_of(access: Access, ident: str, at: int) -> Clock | None:
    """The incident of a phone, if one was reported and the reader may know of it."""
    return next(iter(_clocks(access, at, incident.c.device == ident)), None)


def running_clocks(access: Access, at: int, areas: Collection[str] | None = None) -> list[Clock]:
    """The incidents that are not closed, the one with the least time first; of some areas, if given."""
    found = _clocks(access, at, incident.c.closed_at.is_(None))
    return [one for one in found if areas is None or one.row.area in areas]


def sent_later(connection: Connection, ident: str, since: int) -> list[Later]:
    """What a phone sent since an instant (ms), the earliest first."""
    query = select(submission.c.id, submission.c.received_at, state.c.state)
    query = query.outerjoin(state, state.c.sub == submission.c.id)
    query = query.where(submission.c.device == ident, submission.c.received_at >= since)
    order = (submission.c.received_at, submission.c.id)
    return [Later(row.id, row.received_at, row.state or "") for row in connection.execute(query.order_by(*order))]


def _clocks(access: Access, at: int, *where: Any) -> list[Clock]:
    connection = db.session.connection()
    rows = connection.execute(select(incident).where(*where).order_by(incident.c.detected_at, incident.c.device))
    seen = [row for row in rows if access.keeps(row.area)]
    known = {one.row.id: one for one in phones(connection, {row.device for row in seen})}
    names = names_of({row.reported_by for row in seen})
    return [
        Clock(
            row=row,
            phone=known[row.device],
            reporter=names.get(row.reported_by, row.reported_by),
            left=row.detected_at + CLOCK - (row.closed_at or at),
        )
        for row in seen
        if row.device in known
    ]


def _things(connection: Connection, words: Words, access: Access, rows: Sequence[Mapping[str, Any]]) -> list[Thing]:
    """Things by where they live and what they are; where one lives now decides who reads its name."""
    columns = (entity.c.id, entity.c.area, entity.c.scope, entity.c.label, entity.c.data)
    ids = [row["entity"] for row in rows]
    found = fetch(connection, ids, lambda some: select(*columns).where(entity.c.id.in_(some)))
    now = {one.id: one for one in found}
    owners = _owners(connection, found)
    told = []
    for row in rows:
        one = now.get(row["entity"])
        reads = one is not None and access.scope(one.area, one.scope)
        if reads and one is not None:
            name, place = owners.get(one.id, one.label), words.place(one.scope or one.area)
            told.append(Thing(row["type"], row["entity"], name, place, row["since"], True))
        elif access.administers:
            told.append(Thing(row["type"], row["entity"], "", "", row["since"], False))
    return sorted(told, key=lambda one: (ORDER.index(one.type), one.place, one.name, one.id))


def _owners(connection: Connection, found: Sequence[Row[Any]]) -> dict[str, str]:
    """The names of the children whose protected halves are among these."""
    halves = {one.id: str(orjson.loads(one.data).get("child")) for one in found if not one.label}
    query = select(entity.c.id, entity.c.label)
    rows = fetch(connection, set(halves.values()), lambda some: query.where(entity.c.id.in_(some)))
    names = {row.id: row.label for row in rows}
    return {half: names[child] for half, child in halves.items() if child in names}


def _kinds(nest: Nest, words: Words, kind: str, names: Collection[str]) -> list[Kind]:
    known = nest.catalogue.types[kind].properties
    headings = nest.headings.get(kind.removesuffix("_protected"), {})
    by_title: dict[str, list[str]] = {}
    for name, prop in known.items():
        if name in names and not prop.placement:
            texts = headings.get(name, OTHER)
            by_title.setdefault(texts.get(words.language) or texts["vi"], []).append(words.label(prop))
    return [Kind(title, labels) for title, labels in by_title.items()]
