"""A lost phone: it is revoked, what was on it is written down as it was then, and the clock of the law runs.

Source: Luật Bảo vệ dữ liệu cá nhân 91/2025/QH15, Điều 23: the authority is notified within 72 hours of detection.
"""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, func, insert, select, update

from server.audit import append
from server.auth.access import Access
from server.auth.leaving import revoke_in
from server.auth.writing import write
from server.problems import Problem
from server.store.base import connect, table
from server.store.devices import device, holding, still_held
from server.store.people import users_of
from server.store.reads import fetch
from server.store.store import SqlTransaction
from server.store.tables import Entity, Incident, LostThing
from sync.ports import AuditRow

HOURS = 72
CLOCK = HOURS * 3_600_000  # ms
incident, lost_thing, entity = table(Incident), table(LostThing), table(Entity)


@dataclass(frozen=True)
class Report:
    """What is told of a lost phone: when it was missed (ms), by whom, how that came."""

    device: str
    detected_at: int
    noticed_by: str
    circumstances: str


def report_lost(access: Access, told: Report, at: int) -> None:
    """Revoke a phone and write down what was on it.

    Raises the problems `not_found`, `not_yet` (the moment lies ahead, or before the phone was enrolled) and
    `already_reported`.
    """
    users = users_of(told.device)
    if not access.phone(users):
        raise Problem("not_found")
    area = access.acts_in(users)

    def put(tx: SqlTransaction) -> None:
        known = tx.connection.execute(select(device).where(device.c.id == told.device)).one_or_none()
        if known is None:
            raise Problem("not_found")
        if told.detected_at > at or told.detected_at < known.enrolled_at:
            raise Problem("not_yet")
        if _stored(tx.connection, told.device) is not None:
            raise Problem("already_reported")
        revoke_in(tx, told.device, access.author.id, area, told.circumstances, at)
        row: dict[str, Any] = {column.name: None for column in incident.columns}
        row |= vars(told) | {"area": area, "reported_at": at, "reported_by": access.author.id}
        tx.connection.execute(insert(incident), [row | {"last_seen": known.last_seen, "unsent": known.unsent}])
        things = things_on(tx.connection, told.device)
        if things:
            tx.connection.execute(insert(lost_thing), [{"device": told.device} | one for one in things])
        detail = {"detected_at": told.detected_at, "things": len(things)}
        append(tx.connection, [AuditRow(area, at, access.author.id, "lost", told.device, detail=detail)], tx.areas)

    write(put, [area])


def close(access: Access, ident: str, notified_at: int | None, closing: str, at: int) -> None:
    """The notice was given at `notified_at` (ms), or `closing` says why none is needed; the clock stops.

    Raises the problems `not_found`, `already_closed`, `not_yet`, and `reason_needed` where there is neither.
    """
    known = known_incident(ident)
    if known is None or not access.keeps(known.area):
        raise Problem("not_found")
    if notified_at is None and not closing:
        raise Problem("reason_needed")
    if notified_at is not None and not known.detected_at <= notified_at <= at:
        raise Problem("not_yet")

    def put(tx: SqlTransaction) -> None:
        values = {"notified_at": notified_at, "closing": closing or None}
        values |= {"closed_at": at, "closed_by": access.author.id}
        closed = update(incident).where(incident.c.device == ident, incident.c.closed_at.is_(None))
        if not tx.connection.execute(closed.values(**values)).rowcount:
            raise Problem("already_closed")
        detail = {"notified_at": notified_at, "reason": closing or None}
        row = AuditRow(known.area, at, access.author.id, "close_incident", ident, detail=detail)
        append(tx.connection, [row], tx.areas)

    write(put, [known.area])


def note_reading(access: Access, ident: str, area: str, at: int) -> None:
    """Note that somebody read the annex of a notice, which is what he prints."""
    row = AuditRow(area, at, access.author.id, "read_annex", ident)
    write(lambda tx: append(tx.connection, [row], tx.areas), [area])


def known_incident(ident: str) -> Any | None:
    """What was reported of a phone."""
    with connect() as connection:
        return _stored(connection, ident)


def things_on(connection: Connection, ident: str) -> list[dict[str, Any]]:
    """What is on a phone as far as is known, as `LostThing` keeps it."""
    query = still_held(holding.c.entity, func.min(holding.c.since).label("since"))
    query = query.where(holding.c.device == ident).group_by(holding.c.entity)
    since = {row.entity: row.since for row in connection.execute(query)}
    columns = (entity.c.id, entity.c.type, entity.c.area, entity.c.scope, entity.c.data)
    rows = fetch(connection, since, lambda some: select(*columns).where(entity.c.id.in_(some)))
    found = []
    for row in sorted(rows, key=lambda row: row.id):
        said = sorted(name for name, value in orjson.loads(row.data).items() if value not in (None, "", []))
        about = {"entity": row.id, "type": row.type, "area": row.area, "scope": row.scope}
        found.append(about | {"since": since[row.id], "properties": orjson.dumps(said)})
    return found


def _stored(connection: Connection, ident: str) -> Any | None:
    return connection.execute(select(incident).where(incident.c.device == ident)).one_or_none()
