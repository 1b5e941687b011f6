"""Collaborators: what they look after, how much they have to do this week, and when their phones were last heard."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Row, func, select

from server.auth.access import Access
from server.reading.devices import Phone, phones
from server.reading.load import load
from server.reading.words import Words
from server.store.base import table
from server.store.people import authors_of
from server.store.reads import fetch
from server.store.tables import AssignmentTable, Entity, Token, User, db
from server.world import Nest
from sync.authority import Assignment, Author, Role
from sync.visits.lists import ListKind, period_of

assignment, user, token = table(AssignmentTable), table(User), table(Token)
PAST, NOW, COMING = "past", "now", "coming"


@dataclass(frozen=True)
class Charge:
    """A charge with the name of its place; `when`: past, now or coming. `mine`: the reader may change it."""

    area: str
    hamlet: str | None
    place: str
    begins: date
    ends: date | None
    when: str
    mine: bool

    @property
    def key(self) -> str:
        """As forms name it."""
        return f"{self.area}~{self.hamlet or ''}~{self.begins.isoformat()}"


@dataclass(frozen=True)
class Collaborator:
    """A user with his charges and phones. `visits`: to how many he is to go this week, None: not counted."""

    id: str
    name: str
    role: str
    charges: Sequence[Charge]
    phones: Sequence[Phone]
    visits: int | None
    capacity: int

    @property
    def last_seen(self) -> int | None:
        return max((one.row.last_seen for one in self.phones if one.row.last_seen is not None), default=None)

    @property
    def unsent(self) -> int:
        return sum(one.row.unsent or 0 for one in self.phones if one.row.wiped_at is None)

    @property
    def active(self) -> bool:
        """Whether he has any charge now or later."""
        return any(one.when != PAST for one in self.charges)

    @property
    def too_much(self) -> bool:
        return self.visits is not None and self.visits > self.capacity


def kept_areas(access: Access) -> list[str]:
    """The areas whose collaborators he looks after. Raises the problem `forbidden`."""
    areas = access.phones()
    if areas is not None:
        return sorted(areas)
    return list(db.session.scalars(select(AssignmentTable.area).distinct().order_by(AssignmentTable.area)))


def collaborators_of(nest: Nest, words: Words, access: Access, area: str) -> list[Collaborator]:
    """Whoever has, had or will have a charge in an area, those at work first."""
    query = select(user.c.id, user.c.name).join(assignment, assignment.c.user == user.c.id)
    query = query.where(assignment.c.area == area, user.c.role == Role.COLLABORATOR.value).distinct()
    connection = db.session.connection()
    names = {row.id: row.name for row in connection.execute(query)}
    work = workload(nest, area, access.today)
    known, mine = authors_of(names), _phones_of(connection, names)
    found = [_told(words, access, known[one], names[one], mine.get(one, ()), work.get(one)) for one in known]
    return sorted(found, key=lambda one: (not one.active, one.id))


def collaborator(nest: Nest, words: Words, access: Access, ident: str) -> Collaborator | None:
    """One user, with his work in the areas that the reader looks after; None where he is out of reach."""
    who = authors_of([ident]).get(ident)
    return one_of(nest, words, access, who) if who is not None and access.invites(who) else None


def one_of(nest: Nest, words: Words, access: Access, who: Author) -> Collaborator:
    """The same of a user whom the reader has to do with, whatever he looks after now."""
    ident = who.id
    connection = db.session.connection()
    row = connection.execute(select(user).where(user.c.id == ident)).one()
    areas = [area for area in sorted(who.areas([access.today])) if access.keeps(area)]
    loads = [work for area in areas if (work := workload(nest, area, access.today).get(ident))]
    whole = (sum(one[0] for one in loads), loads[0][1]) if loads else None
    return _told(words, access, who, row.name, _phones_of(connection, [ident]).get(ident, ()), whole)


def workload(nest: Nest, area: str, today: date) -> dict[str, tuple[int, int]]:
    """Collaborator -> (children and households that wait for his visit this week, how many he can do) in an area."""
    week = period_of(ListKind.WEEKLY, today)
    return {one["collaborator"]: (one["lines"], one["capacity"]) for one in load(nest, area, week, today)}


def charge_of(words: Words, access: Access, one: Assignment) -> Charge:
    """A charge as a reader sees it."""
    when = NOW if one.on(access.today) else COMING if one.begins > access.today else PAST
    place = words.place(f"{one.area}/{one.hamlet}" if one.hamlet else one.area)
    mine = access.keeps(one.area) and when != PAST
    return Charge(one.area, one.hamlet, place, one.begins, one.ends, when, mine)


def _told(
    words: Words,
    access: Access,
    who: Author,
    name: str,
    mine: Sequence[Phone],
    load: tuple[int, int] | None,
) -> Collaborator:
    order = (NOW, COMING, PAST)
    charges = [charge_of(words, access, one) for one in who.assignments]
    charges.sort(key=lambda one: (order.index(one.when), one.area, one.hamlet or "", one.begins))
    visits, capacity = load if load is not None else (None, 0)
    return Collaborator(who.id, name, who.role.value, charges, mine, visits, capacity)


def _phones_of(connection: Connection, users: Collection[str]) -> Mapping[str, list[Phone]]:
    """User -> his phones that are still in use, the one that was heard last first."""
    query = select(token.c.device).distinct()
    rows: list[Row[Any]] = fetch(
        connection, users, lambda some: query.where(token.c.user.in_(some), token.c.device.is_not(None))
    )
    by_user: dict[str, list[Phone]] = {}
    for phone in phones(connection, {row.device for row in rows}):
        if phone.row.wiped_at is None:
            for one in phone.users:
                by_user.setdefault(one.id, []).append(phone)
    for found in by_user.values():
        found.sort(key=lambda one: (-(one.row.last_seen or 0), one.row.id))
    return by_user


def choices(area: str, today: date) -> list[tuple[str, str]]:
    """(id, name) of the collaborators who have a charge in an area today or later, by name."""
    open_now = (assignment.c.ends.is_(None), assignment.c.ends >= today)
    query = select(user.c.id, user.c.name).join(assignment, assignment.c.user == user.c.id).distinct()
    query = query.where(assignment.c.area == area, user.c.role == Role.COLLABORATOR.value, open_now[0] | open_now[1])
    return [(row.id, row.name) for row in db.session.execute(query.order_by(user.c.name, user.c.id))]


def sizes(scope: str) -> dict[str, int]:
    """How many households, children and adults live in a scope, by type."""
    query = select(Entity.type, func.count()).where(Entity.scope == scope, ~Entity.dead).group_by(Entity.type)
    return {row[0]: row[1] for row in db.session.execute(query)}
