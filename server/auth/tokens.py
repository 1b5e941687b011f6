"""Bearer tokens: 256 random bits, shown once, stored as their SHA-256.

A token is one user, mostly on one installation. A hash without salt is enough: nobody guesses 256 bits.
A token that replaces another one ends it when it is first used: only then is it certain that it has arrived.
"""

import hashlib
import secrets
from dataclasses import dataclass

from flask import request
from sqlalchemy import Connection, delete, insert, select, update

from server.auth.writing import write
from server.clock import now
from server.problems import Problem
from server.store.base import table
from server.store.store import SqlTransaction
from server.store.tables import Device, Token, db
from sync.arrival import Sender

PREFIX = "toam_"
token_table, device_table = table(Token), table(Device)


@dataclass(frozen=True)
class Caller:
    """An authenticated request: the user, his installation, and everyone who uses it; `token` is its hash."""

    user: str
    sender: Sender
    revoked: bool
    expired: bool
    token: str

    @property
    def reads(self) -> bool:
        """Whether he may still read: the right to send outlives it."""
        return not (self.revoked or self.expired)

    def reader(self) -> str:
        """The user, where he may still read. Raises the problem `device_revoked` or `token_expired`."""
        if self.revoked:
            raise Problem("device_revoked")
        if self.expired:
            raise Problem("token_expired")
        return self.user


def issue(user: str, device: str | None, at: int) -> str:
    """Make a token for `user` (on `device`) and return it; it cannot be read again. The caller commits."""
    return mint(db.session.connection(), user, device, at)


def mint(
    connection: Connection,
    user: str,
    device: str | None,
    at: int,
    expires_at: int | None = None,
    replaces: str | None = None,
    label: str | None = None,
) -> str:
    """Make a token in a transaction. Of those that replace the same one, only the newest is left."""
    token = PREFIX + secrets.token_urlsafe(32)
    if replaces is not None:
        connection.execute(delete(token_table).where(token_table.c.replaces == replaces))
    row = {"sha256": digest(token), "user": user, "device": device, "issued_at": at}
    row |= {"revoked_at": None, "expires_at": expires_at, "replaces": replaces, "label": label}
    connection.execute(insert(token_table), [row])
    return token


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def rotate(who: Caller, at: int) -> tuple[str, int | None]:
    """Another token in the place of the caller's, good as long as his; gives it and when it expires (ms)."""

    def replace(tx: SqlTransaction) -> tuple[str, int | None]:
        own = select(token_table.c.expires_at).where(token_table.c.sha256 == who.token).with_for_update()
        row = tx.connection.execute(own).one_or_none()
        if row is None:  # ended since this request came
            raise Problem("unauthenticated")
        made = mint(tx.connection, who.user, who.sender.device, at, row.expires_at, replaces=who.token)
        return made, row.expires_at

    return write(replace)


def caller() -> Caller:
    """The caller of this request. Raises the problem `unauthenticated`."""
    found = known_caller()
    if found is None:
        raise Problem("unauthenticated")
    return found


def known_caller() -> Caller | None:
    """The caller of this request, where it may be anybody; None without a token, or with one that is not known."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        return None
    return holder(token.strip())


def holder(token: str) -> Caller | None:
    """Whose token this is; None of one that is not known."""
    connection = db.session.connection()
    t, d = token_table.c, device_table.c
    facts = (d.enrolled_at, d.revoked_at.label("device_revoked_at"))
    query = select(token_table, *facts).join_from(token_table, device_table, t.device == d.id, isouter=True)
    found = connection.execute(query.where(t.sha256 == digest(token))).one_or_none()
    if found is None:
        return None
    if found.replaces is not None:
        _take_over(found.sha256, found.replaces)
    users = {found.user}
    if found.device is not None:
        users |= set(connection.scalars(select(t.user).where(t.device == found.device)))
    revoked = found.revoked_at is not None or found.device_revoked_at is not None
    expired = found.expires_at is not None and found.expires_at <= now()
    enrolled = found.issued_at if found.enrolled_at is None else found.enrolled_at
    sender = Sender(found.user, found.device, frozenset(users), enrolled)
    return Caller(found.user, sender, revoked, expired, found.sha256)


def _take_over(sha256: str, old: str) -> None:
    """The first use of a token: the one that it replaces ends."""

    def end(tx: SqlTransaction) -> None:
        taken = update(token_table).where(token_table.c.sha256 == sha256).values(replaces=None)
        if tx.connection.execute(taken).rowcount:
            tx.connection.execute(delete(token_table).where(token_table.c.sha256 == old))

    write(end)
