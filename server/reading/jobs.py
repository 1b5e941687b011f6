"""What is shown of the scheduled jobs: when each ran and will run, and who may run them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select

from server.reminders.jobs import GRACE, JOBS, Job
from server.reminders.lease import NAME
from server.reminders.runs import SCHEDULER, Outcome
from server.store.tables import JobRun, Lease, db
from sync.times import local_time, to_ms


@dataclass(frozen=True)
class JobLine:
    """One job. Times in ms; `missed`: a time that is past and for which nobody has run it; `wanted`: since when
    somebody waits for a run that he asked for.
    """

    name: str
    last: JobRun | None
    next_at: int | None
    missed: int | None
    wanted: int | None


@dataclass(frozen=True)
class Holder:
    """The process that runs the jobs, until when (ms) unless it goes on, and whether that is past."""

    name: str
    until: int
    fence: int
    gone: bool


def job_lines(at: int) -> list[JobLine]:
    """All jobs, in the order in which they are caught up."""
    return [_line(job, at) for job in JOBS.values()]


def _line(job: Job, at: int) -> JobLine:
    mine = select(JobRun).where(JobRun.job == job.name)
    started = mine.where(JobRun.outcome != Outcome.WANTED.value).order_by(JobRun.started.desc()).limit(1)
    wanted = db.session.scalar(mine.where(JobRun.outcome == Outcome.WANTED.value).limit(1))
    following = job.trigger.get_next_fire_time(None, local_time(at) + timedelta(seconds=1))
    return JobLine(
        job.name,
        db.session.scalar(started),
        to_ms(following) if following is not None else None,
        _missed(job, at),
        wanted.planned if wanted is not None else None,
    )


def _missed(job: Job, at: int) -> int | None:
    planned = job.planned(at)
    if planned is None or at - planned <= GRACE:
        return None
    known = select(JobRun.planned).where(JobRun.job == job.name, JobRun.planned >= planned)
    return None if db.session.scalar(known.where(JobRun.by == SCHEDULER).limit(1)) is not None else planned


def holder(at: int) -> Holder | None:
    """Who holds the lease, or held it last; None if nobody ever has."""
    row = db.session.get(Lease, NAME)
    if row is None or not row.holder:
        return None
    machine, process, *_ = (*row.holder.split(":"), "")
    return Holder(f"{machine}:{process}", row.until, row.fence, row.until < at)


def latest_runs(job: str | None, failed: bool, most: int) -> Sequence[JobRun]:
    """The latest runs, the newest first; of one job, or those that failed."""
    query = select(JobRun).order_by(JobRun.started.desc(), JobRun.job).limit(most)
    if job is not None:
        query = query.where(JobRun.job == job)
    if failed:
        query = query.where(JobRun.outcome == Outcome.FAILED.value)
    return db.session.scalars(query).all()
