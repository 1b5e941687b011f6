"""Enrolment: an officer gives out a code that is good once, and a phone makes it a token.

Whether a code is unknown, used or too old is never told. A phone whose answer was lost sends the same code again.
"""

import io
import secrets
from dataclasses import dataclass
from typing import Any

import segno
from sqlalchemy import Connection, Row, delete, insert, select, update

from server.audit import append
from server.auth import throttle
from server.auth.access import acting_area
from server.auth.codes import code_digest, new_code
from server.auth.tokens import Caller, digest, mint, token_table
from server.auth.writing import write
from server.problems import Problem
from server.store.base import table
from server.store.people import authors_of
from server.store.store import SqlTransaction
from server.store.tables import Device, Enrolment, User
from server.world import current_nest
from sync.ports import AuditRow
from sync.times import DAY, local_date

AGAIN = 3_600_000  # ms: for how long a lost answer is answered again
PATH = "/app/#enrol="  # of the client; what follows the # never reaches a server
enrolment, device, user_table = table(Enrolment), table(Device), table(User)


@dataclass(frozen=True)
class Invitation:
    """A code that was just made; it cannot be read again."""

    code: str
    expires_at: int
    link: str

    def svg(self) -> str:
        """The link as a QR code."""
        return str(segno.make(self.link, error="m").svg_inline(scale=6, border=4, light="white", omitsize=True))

    def terminal(self) -> str:
        """The same for a terminal."""
        out = io.StringIO()
        segno.make(self.link, error="m").terminal(out, border=2, compact=True)
        return out.getvalue()


@dataclass(frozen=True)
class Installation:
    """A client on a phone, as it presents itself."""

    id: str
    label: str
    app: str | None


def invite(user: str, by: str, days: int, at: int) -> Invitation:
    """Make a code for `user`, good for `days`; the audit log notes who gave it out."""
    code, expires_at, today = new_code(), at + days * DAY, local_date(at)
    people = authors_of([user, by])
    area = acting_area([people[user]], today, people[by].supervises(today) if by in people else frozenset())
    row = {"sha256": code_digest(code), "user": user, "issued_at": at, "issued_by": by, "expires_at": expires_at}
    row |= {"used_at": None, "device": None, "token": None}

    def put(tx: SqlTransaction) -> None:
        tx.connection.execute(insert(enrolment), [row])
        append(tx.connection, [AuditRow(area, at, by, "invite", user, detail={"days": days})], tx.areas)

    write(put, [area])
    public_url = current_nest().settings.public_url
    return Invitation(code, expires_at, public_url.rstrip("/") + PATH + code)


def set_up(user: str, label: str, by: str, at: int) -> tuple[str, str]:
    """Make an installation whose token an officer hands over, as ODK Collect cannot enrol; gives its id and token."""
    ident, today = f"d-{secrets.token_hex(8)}", local_date(at)
    people = authors_of([user, by])
    area = acting_area([people[user]], today, people[by].supervises(today) if by in people else frozenset())
    row: dict[str, Any] = dict.fromkeys(column.name for column in device.columns)
    row |= {"id": ident, "label": label, "enrolled_at": at}

    def put(tx: SqlTransaction) -> str:
        tx.connection.execute(insert(device), [row])
        append(tx.connection, [AuditRow(area, at, by, "enrol", ident, detail={"user": user})], tx.areas)
        return mint(tx.connection, user, ident, at)

    return ident, write(put, [area])


def enrol(code: str, phone: Installation, who: Caller | None, at: int) -> tuple[Row, str]:
    """Use a code on a phone: gives the row of the user whose code it is, and his token there.

    Raises the problems `code_refused`, `installation_taken`, `device_revoked`, `too_many_attempts`.
    """
    made = throttle.begin(at)
    sha256 = code_digest(code)
    try:
        done = write(lambda tx: _use(tx.connection, sha256, phone, who, at))
    except Problem as problem:
        if problem.code != "code_refused":
            made.succeeded()
        raise
    made.succeeded()
    return done


def _use(connection: Connection, sha256: str, phone: Installation, who: Caller | None, at: int) -> tuple[Row, str]:
    # The row is locked: of two that use a code at once, the second sees that it was used.
    row = connection.execute(select(enrolment).where(enrolment.c.sha256 == sha256).with_for_update()).one_or_none()
    user = connection.execute(select(user_table).where(user_table.c.id == row.user)).one_or_none() if row else None
    if row is None or user is None:
        raise Problem("code_refused")
    if row.used_at is None:
        if row.expires_at <= at:
            raise Problem("code_refused")
        _settle_in(connection, phone, who, at)
        own = who.token if who and who.user == user.id and who.sender.device == phone.id else None
        token = mint(connection, user.id, phone.id, at, replaces=own)
    else:
        token = _again(connection, row, phone, at)
    used: dict[str, Any] = {"device": phone.id, "token": digest(token)}
    used |= {"used_at": at} if row.used_at is None else {}
    connection.execute(update(enrolment).where(enrolment.c.sha256 == sha256).values(**used))
    return user, token


def _settle_in(connection: Connection, phone: Installation, who: Caller | None, at: int) -> None:
    """Make the installation, or see that whoever asks is on it already."""
    known = connection.execute(select(device).where(device.c.id == phone.id)).one_or_none()
    if known is None:
        row = dict.fromkeys(column.name for column in device.columns)
        row |= {"id": phone.id, "label": phone.label, "enrolled_at": at, "app": phone.app}
        connection.execute(insert(device), [row])
    elif who is None or who.sender.device != phone.id:
        raise Problem("installation_taken")
    elif who.revoked or known.revoked_at is not None:
        raise Problem("device_revoked")


def _again(connection: Connection, row: Row, phone: Installation, at: int) -> str:
    """The answer was lost: another token in the place of the one that nobody has got.

    Where that one is no longer there it had arrived, as it was replaced since.
    """
    given = token_table.c.sha256 == row.token
    there = connection.execute(select(token_table.c.sha256).where(given)).one_or_none()
    if row.device != phone.id or at - row.used_at > AGAIN or there is None:
        raise Problem("code_refused")
    if connection.execute(select(device.c.revoked_at).where(device.c.id == row.device)).scalar() is not None:
        raise Problem("device_revoked")
    connection.execute(delete(token_table).where(given | (token_table.c.replaces == row.token)))
    return mint(connection, row.user, phone.id, at)
