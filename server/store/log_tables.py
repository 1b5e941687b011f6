"""The tables of the log: what was received, what it said, and what follows from that about each entity."""
# mypy: disable-error-code="misc, name-defined"

from sqlalchemy import BigInteger, Index, SmallInteger, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import AREA, CELL, FORM, ID, SCOPE, TYPE, USER, db
from sync.names import KEY_LENGTH


class Submission(db.Model):
    """A submission as received, for ever: never updated, never deleted."""

    __tablename__ = "submission"
    __table_args__ = (
        Index("submission_area", "area", "received_at", "id"),
        Index("submission_form", "form", "form_version"),
    )
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    area: Mapped[str] = mapped_column(AREA)
    sha256: Mapped[str] = mapped_column(String(64))
    device: Mapped[str | None] = mapped_column(String(60))
    author: Mapped[str] = mapped_column(USER, index=True)
    seq: Mapped[int | None]
    form: Mapped[str] = mapped_column(FORM)
    form_version: Mapped[str] = mapped_column(String(100))
    kind: Mapped[str] = mapped_column(String(50))
    dialect: Mapped[str] = mapped_column(String(20))
    raw: Mapped[bytes]  # format byte, then the body
    observed_at: Mapped[int | None]
    received_at: Mapped[int]
    outcome: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(40))
    receipt: Mapped[bytes]
    facts: Mapped[bytes | None]  # NULL: received before facts were kept


class SubmissionState(db.Model):
    """The part of a submission that changes: how it was reviewed, and what its author is told about it."""

    __tablename__ = "submission_state"
    __table_args__ = (
        Index("submission_state_area", "area", "state", "received_at", "sub"),
        Index("submission_state_author", "author", "area"),
    )
    sub: Mapped[str] = mapped_column(ID, primary_key=True)
    area: Mapped[str] = mapped_column(AREA)
    author: Mapped[str] = mapped_column(USER)
    state: Mapped[str] = mapped_column(String(20))
    reason: Mapped[str | None] = mapped_column(String(40))
    comment: Mapped[str | None]
    question: Mapped[str | None]
    by: Mapped[str | None] = mapped_column(USER)
    at: Mapped[int | None]
    notices: Mapped[bytes]
    elsewhere: Mapped[bool]
    received_at: Mapped[int] = mapped_column(default=0, server_default="0")  # of the submission, to be read in order


class WaitingTable(db.Model):
    """A submission that must be judged or read again when something happens to `key`."""

    __tablename__ = "waiting"
    key: Mapped[str] = mapped_column(ID, primary_key=True)
    sub: Mapped[str] = mapped_column(ID, primary_key=True, index=True)
    entity: Mapped[str] = mapped_column(ID, primary_key=True)


class OpTable(db.Model):
    """One submission's effect on one entity. Only what is derived is ever replaced: marks, writes and their key."""

    __tablename__ = "op"
    __table_args__ = (UniqueConstraint("entity", "rev"), Index("op_sub", "sub"))
    entity: Mapped[str] = mapped_column(ID, primary_key=True)
    sub: Mapped[str] = mapped_column(ID, primary_key=True)
    type: Mapped[str] = mapped_column(TYPE)
    rev: Mapped[int | None] = mapped_column(BigInteger)  # of the first mark; NULL while it is held
    area: Mapped[str] = mapped_column(AREA)
    author: Mapped[str] = mapped_column(USER)
    standing: Mapped[str] = mapped_column(String(20))
    act: Mapped[str] = mapped_column(String(20))
    form: Mapped[str] = mapped_column(FORM)
    result: Mapped[str | None] = mapped_column(String(10))
    amends: Mapped[str | None] = mapped_column(ID, index=True)
    target: Mapped[str | None] = mapped_column(ID, index=True)
    t_norm: Mapped[int]
    late: Mapped[bool]
    suspect: Mapped[bool]
    creates: Mapped[bool]
    received: Mapped[int]
    arrived: Mapped[int]
    base_rev: Mapped[int | None]
    base_ok: Mapped[bool]
    schema: Mapped[int]
    key: Mapped[str] = mapped_column(String(32))
    marks: Mapped[bytes]  # [[rev, etag, at], …]
    said: Mapped[bytes]  # {said, seen, loaded, hidden, after, places, day}; before 0002 `areas` and no `day`
    writes: Mapped[bytes]


class Entity(db.Model):
    """The present state of an entity, derived from its ops."""

    __tablename__ = "entity"
    __table_args__ = (
        Index("entity_area", "area", "type"),
        Index("entity_household", "household"),
        Index("entity_scope", "scope"),
        Index("entity_risk", "area", "type", "dead", "risk", "sort", "id"),  # the register, the highest risk first
        Index("entity_names", "area", "sort", "id", "search"),  # a search reads no row that it does not find
    )
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    type: Mapped[str] = mapped_column(TYPE)
    area: Mapped[str] = mapped_column(AREA)
    scope: Mapped[str | None] = mapped_column(SCOPE)
    rev: Mapped[int]
    etag: Mapped[str] = mapped_column(String(10))
    household: Mapped[str | None] = mapped_column(ID)
    label: Mapped[str]
    dob: Mapped[str | None] = mapped_column(String(10))
    since: Mapped[int]
    first_sub: Mapped[str] = mapped_column(ID)
    data: Mapped[bytes]
    src: Mapped[bytes]
    broken: Mapped[bytes]
    dead: Mapped[bool]
    page: Mapped[bytes]  # what a reader of its scope is served
    search: Mapped[str] = mapped_column(String(KEY_LENGTH))  # words to find it by, without tones and diacritics
    sort: Mapped[bytes]  # in whose order labels are sorted
    risk: Mapped[int | None] = mapped_column(SmallInteger)


class ConflictTable(db.Model):
    """Concurrent writes that a person must decide; `id` is the hash of entity, cell and members."""

    __tablename__ = "conflict"
    __table_args__ = (Index("conflict_area", "area", "open"), Index("conflict_also", "also", "open"))
    id: Mapped[str] = mapped_column(String(24), primary_key=True)
    area: Mapped[str] = mapped_column(AREA)
    entity: Mapped[str] = mapped_column(ID, index=True)
    cell: Mapped[str]  # of a series with its key, which may be long
    members: Mapped[bytes]
    open: Mapped[bool]
    opened_at: Mapped[int]
    resolved_by: Mapped[str | None] = mapped_column(ID)
    also: Mapped[str | None] = mapped_column(AREA)  # the other area that a move is about
    closed_at: Mapped[int | None]


class NoticeTable(db.Model):
    """A write that a rule overruled, for its author to see."""

    __tablename__ = "notice"
    __table_args__ = (Index("notice_sub", "sub"),)
    entity: Mapped[str] = mapped_column(ID, primary_key=True)
    cell: Mapped[str] = mapped_column(CELL, primary_key=True)
    sub: Mapped[str] = mapped_column(ID, primary_key=True)
    kind: Mapped[str] = mapped_column(String(30), primary_key=True)
    by_sub: Mapped[str] = mapped_column(ID)


class AuditTable(db.Model):
    """The acts of persons, in each area a chain: `hash` covers the row and the hash of the one before."""

    __tablename__ = "audit"
    __table_args__ = (  # the journal is read the newest first, by one of these at most
        Index("audit_at", "at", "area", "n"),
        Index("audit_act", "act", "at", "area", "n"),
        Index("audit_who", "who", "at", "area", "n"),
        Index("audit_subject", "subject", "at", "area", "n"),
    )
    area: Mapped[str] = mapped_column(AREA, primary_key=True)
    n: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    at: Mapped[int]
    who: Mapped[str] = mapped_column(USER)
    act: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(ID)
    sub: Mapped[str | None] = mapped_column(ID)
    detail: Mapped[bytes]
    prev: Mapped[str] = mapped_column(String(64))  # "" for the first
    hash: Mapped[str] = mapped_column(String(64))
