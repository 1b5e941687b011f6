"""Users and their assignments, as the console and the command line read and write them."""

from collections.abc import Collection, Mapping
from datetime import date

from sqlalchemy import select

from server.store.store import SqlTransaction
from server.store.tables import AssignmentTable, Token, User, db
from sync.authority import Author, Role


def author_of(user: str) -> Author:
    """A user with every assignment that he ever had. Raises `KeyError` for an unknown one."""
    return SqlTransaction(db.session.connection(), {}).authors([user])[user]


def authors_of(users: Collection[str]) -> Mapping[str, Author]:
    """These users with every assignment that they ever had; an unknown one is left out."""
    return SqlTransaction(db.session.connection(), {}).authors(users)


def users_of(device: str) -> list[Author]:
    """The users of an installation, by id."""
    found = authors_of(list(db.session.scalars(select(Token.user).where(Token.device == device).distinct())))
    return [found[user] for user in sorted(found)]


def user_body(user: str) -> dict[str, str]:
    """A user as the API shows him. Raises `KeyError` for an unknown one."""
    found = db.session.get(User, user)
    if found is None:
        raise KeyError(user)
    return {"id": found.id, "name": found.name, "role": found.role}


def names_of(users: Collection[str]) -> dict[str, str]:
    """What these users are called, by id; one that does not exist is left out."""
    if not users:
        return {}
    found = db.session.execute(select(User.id, User.name).where(User.id.in_(sorted(users))))
    return {row.id: row.name for row in found}


def add_user(user: str, name: str, role: Role, visits_a_day: int | None = None) -> None:
    """Add a user, or change his name and role, and how much he can do if that is given. The caller commits."""
    more = {} if visits_a_day is None else {"visits_a_day": visits_a_day}
    db.session.merge(User(id=user, name=name, role=role.value, **more))


def assign(user: str, area: str, hamlet: str | None, begins: date, ends: date | None = None) -> None:
    """Give a user charge of a hamlet, or of a whole area. The caller commits."""
    row = AssignmentTable(user=user, area=area, hamlet=hamlet or "", begins=begins, ends=ends)
    db.session.merge(row)


def collaborators(area: str, day: date, tx: SqlTransaction) -> list[Author]:
    """The collaborators who hold an assignment in `area` on `day`, by id."""
    query = select(AssignmentTable.user).join(User, User.id == AssignmentTable.user)
    query = query.where(AssignmentTable.area == area, User.role == Role.COLLABORATOR.value).distinct()
    found = tx.authors(list(tx.connection.scalars(query)))
    return [found[user] for user in sorted(found) if area in found[user].areas([day])]
