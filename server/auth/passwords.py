"""Passwords: Argon2id with the library's recommended parameters, verified in the same time whoever is asked for.

Source: RFC 9106. Nothing here runs in the committer's thread: a verification takes some 50 ms and 64 MiB.
"""

import base64
import secrets
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, delete, select, update

from server.auth import throttle
from server.auth.tokens import Caller, mint, token_table
from server.auth.writing import write
from server.problems import Problem
from server.store.base import connect, table
from server.store.dialects import upsert
from server.store.store import SqlTransaction
from server.store.tables import Password, User

SHORTEST = 10  # characters
LONGEST = 500
HOUR = 3_600_000
hasher = PasswordHasher()
password_table = table(Password)


@dataclass(frozen=True)
class Known:
    """A password that was just verified: its hash as stored, and when it expires (ms)."""

    argon2: str
    expires_at: int | None


_at_once = threading.BoundedSemaphore(2)  # of 64 MiB each


def log_in(
    user: str, password: str, who: Caller | None, at: int, hours: int, label: str | None = None
) -> tuple[str, int | None]:
    """A token for whoever knows the password, and when it expires (ms).

    It is for the installation of the caller, if he has one; else free, for `hours`. It never outlives the password.
    `label` tells its user later where that was.
    Raises the problems `login_failed`, `password_expired`, `too_many_attempts`, `device_revoked`.
    """
    if who is not None and who.revoked:
        raise Problem("device_revoked")
    known = _verified(user, password, at)
    if known.expires_at is not None and known.expires_at <= at:
        raise Problem("password_expired")
    device = who.sender.device if who else None
    ends = [known.expires_at] if device else [known.expires_at, at + hours * HOUR]
    expires_at = min((end for end in ends if end is not None), default=None)
    own = who.token if who and device and who.user == user else None  # ends when the new one is used
    return write(lambda tx: mint(tx.connection, user, device, at, expires_at, own, label)), expires_at


def change(who: Caller, old: str, new: str, at: int) -> None:
    """Another password in the place of one's own; it expires when the old one would have.

    Raises the problems `login_failed`, `weak_password`, `too_many_attempts`.
    """
    known = _verified(who.user, old, at)
    check_strength(who.user, new)
    hashed = _hash(new)

    def put(tx: SqlTransaction) -> None:
        same = (password_table.c.user == who.user, password_table.c.argon2 == known.argon2)
        changing = update(password_table).where(*same).values(argon2=hashed, set_at=at)
        if not tx.connection.execute(changing).rowcount:  # changed by somebody else meanwhile
            raise Problem("login_failed")
        _end_logins(tx.connection, who.user, but=who.token)

    write(put)


def set_password(user: str, password: str, at: int, expires_at: int | None) -> None:
    """Give a user a password. Raises the problem `weak_password`."""
    check_strength(user, password)
    write(put_password(user, password, at, expires_at))


def put_password(user: str, password: str, at: int, expires_at: int | None) -> Callable[[SqlTransaction], None]:
    """What stores a password, hashed before the transaction begins; the user's logins end."""
    row = {"user": user, "argon2": _hash(password), "set_at": at, "expires_at": expires_at}

    def put(tx: SqlTransaction) -> None:
        upsert(tx.connection, password_table, [row])
        _end_logins(tx.connection, user)

    return put


def check_strength(user: str, password: str) -> None:
    """Raises the problem `weak_password`. Length is what counts; no rule about kinds of characters."""
    plain = _plain(password)
    if not SHORTEST <= len(plain) <= LONGEST or plain.casefold() == _plain(user).casefold():
        raise Problem("weak_password")


def _verified(user: str, password: str, at: int) -> Known:
    """The user's password, if this is it. An unknown user costs the same work as a wrong password."""
    made = throttle.begin(at, user)
    with connect() as connection:
        query = select(password_table).join(User, User.id == password_table.c.user)
        row = connection.execute(query.where(password_table.c.user == user)).one_or_none()
    known = row.argon2 if row is not None else _dummy()
    if not _matches(known, password) or row is None:
        raise Problem("login_failed")
    made.succeeded()
    if hasher.check_needs_rehash(known):
        stronger = update(password_table).where(password_table.c.user == user, password_table.c.argon2 == known)
        hashed = _hash(password)
        write(lambda tx: tx.connection.execute(stronger.values(argon2=hashed)))
        known = hashed
    return Known(known, row.expires_at)


def _matches(known: str, password: str) -> bool:
    try:
        with _at_once:
            return hasher.verify(known, _plain(password))
    except (VerificationError, InvalidHashError):
        return False


def _hash(password: str) -> str:
    with _at_once:
        return hasher.hash(_plain(password))


def _plain(text: str) -> str:
    """The same word typed on another keyboard is the same word: Vietnamese letters are composed or decomposed."""
    return unicodedata.normalize("NFC", text)


def _dummy() -> str:
    """The hash of no password, with today's parameters: to verify against it takes as long as against a real one."""
    draw = lambda size: base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")  # noqa: E731
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    return f"$argon2id$v=19${costs}${draw(hasher.salt_len)}${draw(hasher.hash_len)}"


def _end_logins(connection: Connection, user: str, but: str = "") -> None:
    """Free tokens that a password gave end with it; those of phones stay, as do an operator's, which never expire."""
    t = token_table.c
    free = (t.user == user, t.device.is_(None), t.expires_at.is_not(None), t.sha256 != but)
    connection.execute(delete(token_table).where(*free))
