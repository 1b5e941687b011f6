"""What is noted of a device at each sync: when and how it was seen, and which entities its pages gave or took."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Select, and_, func, select, update

from server.store.base import table
from server.store.dialects import chunks, upsert
from server.store.tables import Device, Holding, Reading

device, reading, holding = table(Device), table(Reading), table(Holding)


@dataclass(frozen=True)
class Told:
    """What one page told a user on a device. `turn` is the page's number; `swept`: from the start of a full pull
    (ms) that ends here, so that what was not told since is on the phone no longer."""

    user: str
    turn: int
    entities: Mapping[str, str] = field(default_factory=dict)  # id -> scope
    gone: Collection[str] = ()
    dropped: Collection[str] = ()
    swept: int | None = None


@dataclass(frozen=True)
class Seen:
    """A device at one request. What is None it did not say."""

    device: str
    at: int
    app: str | None = None
    clock_offset: int | None = None
    unsent: int | None = None
    cloned: bool = False


def turn_of(connection: Connection, device_id: str, user: str) -> int:
    """The last page of which it is known that the user on this device has read it; 0 if none."""
    query = select(reading.c.turn).where(reading.c.device == device_id, reading.c.user == user)
    return connection.scalar(query) or 0


def write_seen(connection: Connection, seen: Seen) -> None:
    """Note that a device was here."""
    facts = {name: getattr(seen, name) for name in ("app", "clock_offset", "unsent")}
    said = {name: value for name, value in facts.items() if value is not None}
    said |= {"cloned_at": seen.at} if seen.cloned else {}
    connection.execute(update(device).where(device.c.id == seen.device).values(last_seen=seen.at, **said))


def write_told(connection: Connection, device_id: str, told: Told, at: int) -> None:
    """Note what a page gave and took, before it leaves."""
    before = turn_of(connection, device_id, told.user)
    row = {"device": device_id, "user": told.user, "turn": max(before, told.turn - 1), "at": at}
    upsert(connection, reading, [row])
    mine = update(holding).where(holding.c.device == device_id, holding.c.user == told.user)
    if told.turn > before:  # another page of this number may have been lost: what it took was not taken
        connection.execute(mine.where(holding.c.turn == told.turn).values(until=None, turn=None))
    ending = mine.where(holding.c.until.is_(None)).values(until=at, turn=told.turn)
    if told.dropped:
        connection.execute(ending.where(holding.c.scope.in_(list(told.dropped))))
    for some in chunks(told.gone):
        connection.execute(ending.where(holding.c.entity.in_(some)))
    rows = [
        {"device": device_id, "user": told.user, "entity": ident, "scope": scope, "since": at, "served": at}
        | {"until": None, "turn": None}
        for ident, scope in sorted(told.entities.items())
    ]
    upsert(connection, holding, rows, keep=["since"])
    if told.swept is not None:
        connection.execute(ending.where(holding.c.served < told.swept))


def held(connection: Connection, device_id: str) -> dict[tuple[str, str], str]:
    """What is on a device as far as is known: (user, entity) -> scope. What a page took counts until it was read."""
    query = still_held(holding.c.user, holding.c.entity, holding.c.scope).where(holding.c.device == device_id)
    order = (holding.c.user, holding.c.entity)
    return {(row.user, row.entity): row.scope for row in connection.execute(query.order_by(*order))}


def still_held(*columns: Any) -> Select[Any]:
    """These columns of what is on phones as far as is known. What a page took counts until that page was read."""
    read = and_(reading.c.device == holding.c.device, reading.c.user == holding.c.user)
    unread = holding.c.turn > func.coalesce(reading.c.turn, 0)
    query = select(*columns).select_from(holding).outerjoin(reading, read)
    return query.where(holding.c.until.is_(None) | unread)


def write_wiped(connection: Connection, device_id: str, at: int) -> None:
    """Note that a device has deleted everything: nothing is on it, whichever pages it has read."""
    connection.execute(update(device).where(device.c.id == device_id).values(wiped_at=at))
    ended = {"until": func.coalesce(holding.c.until, at), "turn": 0}
    connection.execute(update(holding).where(holding.c.device == device_id).values(**ended))
