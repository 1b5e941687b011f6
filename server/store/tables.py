"""All tables; those of the log are made in `log_tables.py`, those of people's access in `device_tables.py`, those
of files in `media_tables.py`, that of the jobs' runs in `job_tables.py`, those of lost phones in
`incident_tables.py`.

Times are BigInteger ms since 1970 UTC; JSON is kept as bytes, ready to be served.
The area leads the key or an index of every large table, so that a city can partition by it.
"""

from datetime import date

from sqlalchemy import BigInteger, Date, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import AREA, FORM, ID, SCOPE, TYPE, USER, db
from server.store.device_tables import (
    Attempt,
    Device,
    Enrolment,
    Holding,
    Password,
    Reading,
    ServerFact,
    Token,
)
from server.store.incident_tables import Incident, LostThing
from server.store.job_tables import JobRun
from server.store.log_tables import (
    AuditTable,
    ConflictTable,
    Entity,
    NoticeTable,
    OpTable,
    Submission,
    SubmissionState,
    WaitingTable,
)
from server.store.media_tables import Media, SubmissionMedium, Upload

__all__ = [
    "Area",
    "AreaSuccessor",
    "ArrangementTable",
    "AssignmentTable",
    "Attempt",
    "AuditTable",
    "ConflictTable",
    "Counter",
    "Device",
    "Enrolment",
    "Entity",
    "EscalationTable",
    "FeedEntry",
    "FeedMark",
    "HamletTable",
    "Holding",
    "Incident",
    "JobRun",
    "Lease",
    "LostThing",
    "MadeTable",
    "Media",
    "NoticeTable",
    "OpTable",
    "Password",
    "Reading",
    "ReminderLine",
    "ReminderList",
    "Scope",
    "ServerFact",
    "Submission",
    "SubmissionMedium",
    "SubmissionState",
    "Token",
    "Upload",
    "User",
    "VisitTable",
    "WaitingTable",
    "db",
]


class Counter(db.Model):
    """The row that orders an area or a user's feed; holding it is the right to write there."""

    __tablename__ = "counter"
    name: Mapped[str] = mapped_column(USER, primary_key=True)
    n: Mapped[int]


class FeedMark(db.Model):
    """A random number for each state of a counter, by which a device finds out that a backup was restored."""

    __tablename__ = "feed_mark"
    counter: Mapped[str] = mapped_column(USER, primary_key=True)
    seq: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    nonce: Mapped[str] = mapped_column(String(16))


class FeedEntry(db.Model):
    """One row for each thing in each scope; every change moves it to the head."""

    __tablename__ = "feed_entry"
    __table_args__ = (Index("feed_order", "scope", "seq", "here"),)
    scope: Mapped[str] = mapped_column(SCOPE, primary_key=True)
    kind: Mapped[str] = mapped_column(String(20), primary_key=True)
    id: Mapped[str] = mapped_column(ID, primary_key=True)
    seq: Mapped[int]
    here: Mapped[bool]


class Scope(db.Model):
    """Every scope in which there has been anything, with the counter that orders it and its newest number."""

    __tablename__ = "scope"
    name: Mapped[str] = mapped_column(SCOPE, primary_key=True)
    counter: Mapped[str] = mapped_column(USER, index=True)
    head: Mapped[int]


class MadeTable(db.Model):
    """A visit that was made: the facts of a submission that planning needs, for each entity it names."""

    __tablename__ = "visit_made"
    subject: Mapped[str] = mapped_column(ID, primary_key=True)
    sub: Mapped[str] = mapped_column(ID, primary_key=True)
    household: Mapped[str | None] = mapped_column(ID, index=True)
    form: Mapped[str] = mapped_column(FORM)
    t_norm: Mapped[int]
    result: Mapped[str] = mapped_column(String(10))


class VisitTable(db.Model):
    """A follow-up visit: planned from rules, due, done or no longer needed."""

    __tablename__ = "visit"
    __table_args__ = (
        Index("visit_area", "area", "state", "due"),
        Index("visit_scope", "scope", "state", "due"),
        Index("visit_subject", "subject"),
        Index("visit_overdue", "state", "due_at"),
        # What waits at a desk is counted without reading any row.
        Index(
            "visit_need",
            "area",
            "state",
            "assignee_role",
            "rule",
            "earliest",
            "due",
            "statutory",
            "priority",
            "due_at",
            "id",
        ),
    )
    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    area: Mapped[str] = mapped_column(AREA)
    scope: Mapped[str] = mapped_column(SCOPE)
    rule: Mapped[str] = mapped_column(String(30))
    rule_version: Mapped[int] = mapped_column(Integer)
    subject_type: Mapped[str] = mapped_column(TYPE)
    subject: Mapped[str] = mapped_column(ID)
    household: Mapped[str | None] = mapped_column(ID)
    start: Mapped[str] = mapped_column(String(60))
    start_at: Mapped[int]
    earliest: Mapped[date]
    due: Mapped[date]
    latest: Mapped[date]
    due_at: Mapped[int]
    show_on: Mapped[date]
    assignee_role: Mapped[str] = mapped_column(String(20))
    priority: Mapped[int] = mapped_column(Integer)
    statutory: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(60))
    caused_by: Mapped[str] = mapped_column(ID)
    calendar: Mapped[str] = mapped_column(String(120))
    state: Mapped[str] = mapped_column(String(20))
    done_by: Mapped[str | None] = mapped_column(ID)
    attempts: Mapped[int] = mapped_column(Integer)


class EscalationTable(db.Model):
    """Somebody above was to hear of a visit that was not made: one row for each visit and step, never changed.

    `at` is when the step was reached, `noted_at` when that was found. Where the visit lives now, its row says.
    """

    __tablename__ = "escalation"
    visit: Mapped[str] = mapped_column(String(36), primary_key=True)
    step: Mapped[str] = mapped_column(String(30), primary_key=True)
    told: Mapped[str] = mapped_column(String(20))  # supervisor, chairman or city
    rule_version: Mapped[int] = mapped_column(Integer)
    at: Mapped[int]
    noted_at: Mapped[int]


class ArrangementTable(db.Model):
    """What a scheduler decided about a visit, act by act; the `standing` one holds. Planning never writes here.

    `reason` is for officers: it may say what no collaborator is to read.
    """

    __tablename__ = "arrangement"
    visit: Mapped[str] = mapped_column(String(36), primary_key=True)
    n: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    standing: Mapped[bool]
    act: Mapped[str] = mapped_column(String(20))
    assignee: Mapped[str | None] = mapped_column(USER)
    until: Mapped[date | None]
    cancelled: Mapped[bool]
    reason: Mapped[str]
    who: Mapped[str] = mapped_column(USER)
    at: Mapped[int]


class ReminderList(db.Model):
    """An issued list: numbered, frozen, for one collaborator and period. `head`: what is printed above (JSON)."""

    __tablename__ = "reminder_list"
    __table_args__ = (UniqueConstraint("area", "collaborator", "kind", "begins", "revision"),)
    number: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    area: Mapped[str] = mapped_column(AREA, index=True)
    collaborator: Mapped[str] = mapped_column(USER, index=True)
    kind: Mapped[str] = mapped_column(String(20))
    begins: Mapped[date]
    ends: Mapped[date]
    issued_at: Mapped[int]
    issued_by: Mapped[str] = mapped_column(USER)
    head: Mapped[bytes | None]


class ReminderLine(db.Model):
    """One visit on an issued list, in the words it was printed with; only the outcome is filled in later.

    A line is a child or household: its visits are its parts. `carried`: beyond the capacity, for a later list.
    """

    __tablename__ = "reminder_line"
    __table_args__ = (Index("line_visit", "visit"),)
    number: Mapped[str] = mapped_column(String(40), primary_key=True)
    revision: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    line: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    visit: Mapped[str] = mapped_column(String(36))
    body: Mapped[bytes]
    outcome: Mapped[str | None] = mapped_column(String(30))
    outcome_sub: Mapped[str | None] = mapped_column(ID)
    part: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False, default=1)
    carried: Mapped[bool] = mapped_column(default=False)


class User(db.Model):
    """A person who works with the system. `role` is one of `sync.authority.Role`.

    `visits_a_day`: how many lines of a list he can do; none: as the setting says.
    """

    __tablename__ = "user"
    id: Mapped[str] = mapped_column(USER, primary_key=True)
    name: Mapped[str]
    role: Mapped[str] = mapped_column(String(20))
    visits_a_day: Mapped[int | None] = mapped_column(Integer)


class AssignmentTable(db.Model):
    """A user's charge of a hamlet (or of a whole area: `hamlet` is ''), with its dates."""

    __tablename__ = "assignment"
    user: Mapped[str] = mapped_column(USER, primary_key=True)
    area: Mapped[str] = mapped_column(AREA, primary_key=True)
    hamlet: Mapped[str] = mapped_column(String(10), primary_key=True)
    begins: Mapped[date] = mapped_column(Date, primary_key=True)
    ends: Mapped[date | None]


class Area(db.Model):
    """A commune or ward of the list in force, or of an earlier one; `key` is `<list>.<code>`."""

    __tablename__ = "area"
    key: Mapped[str] = mapped_column(AREA, primary_key=True)
    name: Mapped[str]
    kind: Mapped[str] = mapped_column(String(20))
    lat: Mapped[str | None] = mapped_column(String(20))
    lon: Mapped[str | None] = mapped_column(String(20))


class AreaSuccessor(db.Model):
    """Where an earlier ward went; several rows where it was split."""

    __tablename__ = "area_successor"
    before: Mapped[str] = mapped_column(AREA, primary_key=True)
    after: Mapped[str] = mapped_column(AREA, primary_key=True)


class HamletTable(db.Model):
    """A hamlet of an area; `invented` marks those that no official list confirms."""

    __tablename__ = "hamlet"
    area: Mapped[str] = mapped_column(AREA, primary_key=True)
    code: Mapped[str] = mapped_column(String(10), primary_key=True)
    name: Mapped[str]
    invented: Mapped[bool]


class Lease(db.Model):
    """Who may run the scheduled jobs, until when; `fence` grows with every holder."""

    __tablename__ = "lease"
    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    holder: Mapped[str] = mapped_column(String(60))
    fence: Mapped[int]
    until: Mapped[int]
