"""The tables of the scheduled jobs: who may run them, and what each run did."""
# mypy: disable-error-code="misc, name-defined"

from sqlalchemy import BigInteger, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import USER, db


class JobRun(db.Model):
    """One run of a job, for the moment it was planned for; a run that another process took over is the same one.

    `outcome` is one of `server.reminders.runs.Outcome`; `fence` the number of the lease under which it ran last, 0 by
    hand; `late`: planned for a time when no server was there; `did`: how many things it changed; `error`: the type of
    what went wrong, never its message.
    """

    __tablename__ = "job_run"
    __table_args__ = (Index("job_run_outcome", "outcome"), Index("job_run_started", "started"))
    job: Mapped[str] = mapped_column(String(30), primary_key=True)
    planned: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    started: Mapped[int]
    ended: Mapped[int | None]
    outcome: Mapped[str] = mapped_column(String(20))
    late: Mapped[bool]
    tries: Mapped[int] = mapped_column(Integer)
    fence: Mapped[int]
    did: Mapped[int | None]
    error: Mapped[str | None] = mapped_column(String(60))
    by: Mapped[str] = mapped_column(USER)
