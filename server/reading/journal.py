"""The journal: what persons did, the newest first, found by act, person, area, subject and day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import orjson
from sqlalchemy import exists, select, tuple_

from server.store.tables import AuditTable, Counter, User, db
from sync.visits.runs import midnight

PAGE = 50
Cursor = tuple[int, str, int]  # at, area, n


@dataclass(frozen=True)
class Asked:
    """What is searched for; days are local, both included."""

    act: str | None = None
    who: str | None = None
    area: str | None = None
    subject: str | None = None
    since: date | None = None
    until: date | None = None

    def said(self) -> dict[str, str]:
        """What was asked for, as it is noted and as addresses have it."""
        found = ((name, getattr(self, name)) for name in ("act", "who", "area", "subject", "since", "until"))
        return {name: str(value) for name, value in found if value}


@dataclass(frozen=True)
class Entry:
    """One act. `name`: of who did it, if he is known."""

    area: str
    n: int
    at: int
    who: str
    name: str
    act: str
    subject: str
    sub: str | None
    detail: Mapping[str, Any]

    @property
    def cursor(self) -> str:
        return f"{self.at}:{self.n}:{self.area}"


def read_cursor(text: str | None) -> Cursor | None:
    """Where a page ended; None for the first, and for what is no cursor."""
    at, _, rest = (text or "").partition(":")
    n, _, area = rest.partition(":")
    good = at.isdecimal() and n.isdecimal() and len(at) < 17 and len(n) < 17
    return (int(at), area, int(n)) if good else None


def entries(asked: Asked, after: Cursor | None, most: int = PAGE) -> tuple[list[Entry], str | None]:
    """At most `most` entries after the cursor, and the cursor of the next page if there is one.

    Within an area its numbers are the order, which is that of time as long as the clock did not go back.
    """
    query, one = select(AuditTable), AuditTable
    if asked.area is not None:
        query = query.where(one.area == asked.area).order_by(one.n.desc())
        query = query.where(one.n < after[2]) if after is not None else query
    else:
        query = query.order_by(one.at.desc(), one.area.desc(), one.n.desc())
        query = query.where(tuple_(one.at, one.area, one.n) < tuple_(*after)) if after is not None else query
    for column, value in ((one.act, asked.act), (one.who, asked.who), (one.subject, asked.subject)):
        query = query.where(column == value) if value is not None else query
    if asked.since is not None:
        query = query.where(one.at >= midnight(asked.since))
    if asked.until is not None:
        query = query.where(one.at < midnight(asked.until + timedelta(days=1)))
    rows = db.session.scalars(query.limit(most + 1)).all()
    found = _told(rows[:most])
    return found, found[-1].cursor if len(rows) > most else None


def _told(rows: Sequence[AuditTable]) -> list[Entry]:
    people = {row.who for row in rows}
    names = {row.id: row.name for row in db.session.execute(select(User.id, User.name).where(User.id.in_(people)))}
    return [
        Entry(row.area, row.n, row.at, row.who, names.get(row.who, ""), row.act, row.subject, row.sub, _detail(row))
        for row in rows
    ]


def _detail(row: AuditTable) -> Mapping[str, Any]:
    said = orjson.loads(row.detail)
    return said if isinstance(said, dict) else {}


def areas_with_entries() -> list[str]:
    """The areas in whose journal anything stands."""
    any_there = exists().where(AuditTable.area == Counter.name)
    return list(db.session.scalars(select(Counter.name).where(any_there).order_by(Counter.name)))
