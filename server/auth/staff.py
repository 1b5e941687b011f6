"""Users, as an administrator keeps them: who is added, what he is called, what he is, how much he can do."""

from dataclasses import dataclass

from sqlalchemy import insert, select, update

from server.audit import append
from server.auth.access import Access, acting_area
from server.auth.writing import write
from server.problems import Problem
from server.store.base import table
from server.store.people import authors_of
from server.store.store import SqlTransaction
from server.store.tables import User
from sync.authority import Role
from sync.ports import AuditRow
from sync.times import local_date

user_table = table(User)


@dataclass(frozen=True)
class Person:
    """What is kept of a user. `visits_a_day` None: as many as the setting says."""

    id: str
    name: str
    role: Role
    visits_a_day: int | None

    @property
    def row(self) -> dict[str, object]:
        return {"name": self.name, "role": self.role.value, "visits_a_day": self.visits_a_day}


def add_person(access: Access, person: Person, at: int) -> None:
    """Add a user. Raises the problems `forbidden` and `user_exists`."""
    area = acting_area([], local_date(at))

    def put(tx: SqlTransaction) -> None:
        _still_administrator(tx, access)
        if _stored(tx, person.id) is not None:
            raise Problem("user_exists")
        tx.connection.execute(insert(user_table), [{"id": person.id} | person.row])
        _note(tx, access, at, area, "add_user", person)

    write(put, [area])


def change_person(access: Access, person: Person, at: int) -> None:
    """Change what is kept of a user. Raises the problems `forbidden`, `not_found` and `own_role`.

    Nobody changes his own role, so there is always an administrator left.
    """
    area = acting_area(authors_of([person.id]).values(), local_date(at))

    def put(tx: SqlTransaction) -> None:
        _still_administrator(tx, access)
        before = _stored(tx, person.id)
        if before is None:
            raise Problem("not_found")
        if person.id == access.author.id and person.role is not access.author.role:
            raise Problem("own_role")
        if before != person:
            tx.connection.execute(update(user_table).where(user_table.c.id == person.id).values(**person.row))
            _note(tx, access, at, area, "change_user", person, before)

    write(put, [area])


def _still_administrator(tx: SqlTransaction, access: Access) -> None:
    """Two who take each other's role at once: the second one is none any more."""
    me = _stored(tx, access.author.id)
    if me is None or me.role is not Role.ADMINISTRATOR:
        raise Problem("forbidden")


def _stored(tx: SqlTransaction, ident: str) -> Person | None:
    row = tx.connection.execute(select(user_table).where(user_table.c.id == ident).with_for_update()).one_or_none()
    return None if row is None else Person(row.id, row.name, Role(row.role), row.visits_a_day)


def _note(
    tx: SqlTransaction, access: Access, at: int, area: str, act: str, after: Person, before: Person | None = None
) -> None:
    detail: dict[str, object] = {"role": after.role.value, "visits_a_day": after.visits_a_day}
    if before is not None:
        detail |= {"was": {"role": before.role.value, "visits_a_day": before.visits_a_day}}
        detail |= {"renamed": before.name != after.name}
    append(tx.connection, [AuditRow(area, at, access.author.id, act, after.id, detail=detail)], tx.areas)
