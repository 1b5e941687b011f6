"""What is shown of devices: who uses them, when they were last seen, what is on them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, and_, func, select

from server.auth.access import Access
from server.store.base import table
from server.store.devices import device, holding, reading, still_held
from server.store.reads import Reads, fetch
from server.store.tables import AssignmentTable, Entity, Token, User
from sync.authority import Author
from sync.times import iso

token, user_table, assignment, entity = table(Token), table(User), table(AssignmentTable), table(Entity)


@dataclass(frozen=True)
class Phone:
    """A device and the people who use it, for access to be decided; `names` by user."""

    row: Row[Any]
    users: tuple[Author, ...]
    names: Mapping[str, str]

    def body(self, holding: int) -> dict[str, Any]:
        """The device with the number of entities that are on it."""
        row = self.row
        times = ("enrolled_at", "last_seen", "revoked_at", "cloned_at", "wiped_at")
        told = {name: _time(getattr(row, name)) for name in times}
        facts = {name: getattr(row, name) for name in ("id", "label", "app", "clock_offset", "unsent")}
        return facts | told | {"users": self.people(), "holding": holding}

    def people(self) -> list[dict[str, str]]:
        return [{"id": one.id, "name": self.names[one.id], "role": one.role.value} for one in self.users]


def phones(connection: Connection, ids: Collection[str]) -> list[Phone]:
    """These devices, by id; one that does not exist is left out."""
    rows = fetch(connection, ids, lambda some: select(device).where(device.c.id.in_(some)))
    using = select(token.c.device, token.c.user).distinct()
    pairs = fetch(connection, ids, lambda some: using.where(token.c.device.in_(some)))
    wanted = {row.user for row in pairs}
    authors = Reads(connection).authors(wanted)
    named = fetch(connection, wanted, lambda some: select(user_table).where(user_table.c.id.in_(some)))
    names = {row.id: row.name for row in named}
    users: dict[str, list[Author]] = {row.id: [] for row in rows}
    for row in sorted(pairs, key=lambda row: row.user):
        if row.user in authors and row.device in users:
            users[row.device].append(authors[row.user])
    return [Phone(row, tuple(users[row.id]), names) for row in sorted(rows, key=lambda row: row.id)]


def phone_list(connection: Connection, access: Access) -> list[dict[str, Any]]:
    """The devices that one may see. Raises the problem `forbidden`."""
    seen = seen_phones(connection, access)
    counts = held_counts(connection, [one.row.id for one in seen])
    return [one.body(counts.get(one.row.id, 0)) for one in seen]


def seen_phones(connection: Connection, access: Access) -> list[Phone]:
    """The same, with their users. Raises the problem `forbidden`."""
    areas = access.phones()
    if areas is None:
        query = select(device.c.id)
    else:
        placed = assignment.c.user == token.c.user
        query = select(token.c.device).join(assignment, placed).where(assignment.c.area.in_(sorted(areas))).distinct()
        query = query.where(token.c.device.is_not(None))
    return [one for one in phones(connection, list(connection.scalars(query))) if access.phone(one.users)]


def held_counts(connection: Connection, ids: Collection[str]) -> dict[str, int]:
    """How many entities are on each of these devices, as far as is known; none where there are none."""
    counting = still_held(holding.c.device, func.count(holding.c.entity.distinct()).label("n"))
    counting = counting.group_by(holding.c.device)
    found = fetch(connection, ids, lambda some: counting.where(holding.c.device.in_(some)))
    return {row.device: row.n for row in found}


def held_by(connection: Connection, device_id: str, access: Access) -> list[dict[str, Any]]:
    """What is on a device, of that which one may read: each entity with where it was told and since when."""
    since = func.min(holding.c.since).label("since")
    query = still_held(
        holding.c.entity, func.min(holding.c.scope).label("told"), since, entity.c.area, entity.c.scope
    )
    query = query.join(entity, entity.c.id == holding.c.entity).where(holding.c.device == device_id)
    query = query.group_by(holding.c.entity, entity.c.area, entity.c.scope).order_by(holding.c.entity)
    return [
        {"id": row.entity, "scope": row.told, "since": iso(row.since)}
        for row in connection.execute(query)
        if access.scope(row.area, row.scope)
    ]


def readable(connection: Connection, ident: str, access: Access) -> bool:
    """Whether there is such an entity, and one may read it."""
    row = connection.execute(select(entity.c.area, entity.c.scope).where(entity.c.id == ident)).one_or_none()
    return row is not None and access.scope(row.area, row.scope)


def trail(connection: Connection, ident: str) -> list[dict[str, Any]]:
    """Which devices have had an entity: for whom, since when, and until when if a page took it away.

    `read`: the device is known to have read that page, or to have deleted everything.
    """
    same = and_(reading.c.device == holding.c.device, reading.c.user == holding.c.user)
    query = select(holding, func.coalesce(reading.c.turn, 0).label("reached")).outerjoin(reading, same)
    by_device: dict[str, list[Row[Any]]] = {}
    for row in connection.execute(query.where(holding.c.entity == ident).order_by(holding.c.user)):
        by_device.setdefault(row.device, []).append(row)
    return [_stay(phone, by_device[phone.row.id]) for phone in phones(connection, by_device)]


def _stay(phone: Phone, rows: Collection[Row[Any]]) -> dict[str, Any]:
    told = {row.user for row in rows}
    over = all(row.until is not None for row in rows)
    return {
        "device": phone.row.id,
        "label": phone.row.label,
        "users": [one for one in phone.people() if one["id"] in told],
        "since": iso(min(row.since for row in rows)),
        "until": iso(max(row.until for row in rows)) if over else None,
        "read": over and all(row.turn <= row.reached for row in rows),
    }


def _time(at: int | None) -> str | None:
    return None if at is None else iso(at)
