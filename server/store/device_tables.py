"""The tables of people's access: their installations, tokens and passwords, and what each phone has been told."""
# mypy: disable-error-code="misc, name-defined"

from sqlalchemy import Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import ID, SCOPE, USER, db

DEVICE = String(60)
HASH = String(64)
TAKEN = text("turn IS NOT NULL")


class Device(db.Model):
    """An installation of a client on a phone; a new one at every install. What it told of itself at its last sync."""

    __tablename__ = "device"
    id: Mapped[str] = mapped_column(DEVICE, primary_key=True)
    label: Mapped[str]
    enrolled_at: Mapped[int]
    revoked_at: Mapped[int | None]
    wiped_at: Mapped[int | None]  # when it said that it had deleted everything
    cloned_at: Mapped[int | None]  # when two phones were last seen to use it
    last_seen: Mapped[int | None]
    app: Mapped[str | None] = mapped_column(String(100))
    clock_offset: Mapped[int | None]  # ms to add to its clock
    unsent: Mapped[int | None]  # submissions that still waited on it


class Token(db.Model):
    """The right of one user to act, on one device or (without one) from anywhere; only its hash is here.

    Past `expires_at` it still sends, and no longer reads. `replaces`: the token that ends at its first use.
    `label`: the browser of a login, for its user to know it by.
    """

    __tablename__ = "token"
    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    user: Mapped[str] = mapped_column(USER, index=True)
    device: Mapped[str | None] = mapped_column(DEVICE, index=True)
    issued_at: Mapped[int]
    revoked_at: Mapped[int | None]
    expires_at: Mapped[int | None]
    replaces: Mapped[str | None] = mapped_column(HASH)
    label: Mapped[str | None] = mapped_column(String(100))


class Enrolment(db.Model):
    """A one-time code by which a user gets a token on a phone; only its hash is here."""

    __tablename__ = "enrolment"
    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    user: Mapped[str] = mapped_column(USER, index=True)
    issued_at: Mapped[int]
    issued_by: Mapped[str] = mapped_column(USER)
    expires_at: Mapped[int]
    used_at: Mapped[int | None]
    device: Mapped[str | None] = mapped_column(DEVICE)  # that used it
    token: Mapped[str | None] = mapped_column(HASH)  # that it gave


class Password(db.Model):
    """A user's password as Argon2id; past `expires_at` nobody logs in with it."""

    __tablename__ = "password"
    user: Mapped[str] = mapped_column(USER, primary_key=True)
    argon2: Mapped[str]
    set_at: Mapped[int]
    expires_at: Mapped[int | None]


class Attempt(db.Model):
    """A try to log in or to enrol, for the limits on guessing; `who` is a hash of a name or an address."""

    __tablename__ = "attempt"
    __table_args__ = (Index("attempt_who", "who", "at"),)
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    who: Mapped[str] = mapped_column(HASH)
    at: Mapped[int]


class Reading(db.Model):
    """How many pages a user on a phone has turned; an earlier turn coming back means that the phone was copied."""

    __tablename__ = "reading"
    device: Mapped[str] = mapped_column(DEVICE, primary_key=True)
    user: Mapped[str] = mapped_column(USER, primary_key=True)
    turn: Mapped[int]
    at: Mapped[int]


class Holding(db.Model):
    """That a phone was given an entity for one of its users: what is on it if it is lost.

    `since` the first and `served` the last page that told of it; `until` the page that took it away, number `turn`.
    The phone has read that page once `reading.turn` has reached `turn`.
    """

    __tablename__ = "device_holding"
    __table_args__ = (
        Index("holding_entity", "entity"),
        Index("holding_taken", "device", "user", "turn", sqlite_where=TAKEN, postgresql_where=TAKEN),
    )
    device: Mapped[str] = mapped_column(DEVICE, primary_key=True)
    user: Mapped[str] = mapped_column(USER, primary_key=True)
    entity: Mapped[str] = mapped_column(ID, primary_key=True)
    scope: Mapped[str] = mapped_column(SCOPE)
    since: Mapped[int]
    served: Mapped[int]
    until: Mapped[int | None]
    turn: Mapped[int | None]


class ServerFact(db.Model):
    """What makes this server this server: `epoch`, the number of its histories; `key`, which signs tokens (hex)."""

    __tablename__ = "server"
    name: Mapped[str] = mapped_column(String(20), primary_key=True)
    value: Mapped[str]
