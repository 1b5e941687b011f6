"""The history of the jobs: a row for each run, which also decides whether a run is still to be made.

Every run is named by its job and the time it was planned for, so that two processes, or one before and after a crash,
speak of the same run.
"""

from collections.abc import Sequence
from enum import StrEnum

from sqlalchemy import Connection, and_, delete, insert, or_, select, update

from server.store.base import table
from server.store.dialects import WRITING, insert_missing, locked
from server.store.tables import JobRun, db

run = table(JobRun)
MOST_TRIES = 5  # of one run, after faults and crashes
KEEP = 90 * 86_400_000  # ms
SCHEDULER, COMMAND = "scheduler", "cli"  # by whom runs are, that no person asked for at the desk


class Outcome(StrEnum):
    """What became of a run."""

    WANTED = "wanted"  # at the desk; whoever holds the lease begins it within seconds
    RUNNING = "running"  # or its process died, and nobody has taken it over yet
    DONE = "done"
    FAILED = "failed"


def claim(job: str, planned: int, at: int, grace: int, fence: int, by: str) -> bool:
    """Begin a run, unless it is done, given up, or in the hands of a later holder of the lease; says whether.

    It is late if it begins more than `grace` ms after its time, and the job has run before.
    """
    with _writing() as connection, connection.begin():
        known = connection.scalar(select(run.c.planned).where(run.c.job == job, run.c.by == by).limit(1)) is not None
        late = known and at - planned > grace
        first = {"job": job, "planned": planned, "started": at, "ended": None, "outcome": Outcome.RUNNING.value}
        first |= {"late": late, "tries": 0, "fence": fence, "did": None, "error": None, "by": by}
        insert_missing(connection, run, [first])
        this = (run.c.job == job, run.c.planned == planned)
        row = connection.execute(locked(connection, select(run).where(*this))).one()
        if row.outcome == Outcome.DONE or row.tries >= MOST_TRIES or row.fence > fence:
            return False
        again = {"started": at, "ended": None, "outcome": Outcome.RUNNING.value, "error": None}
        again |= {"late": row.late or late, "tries": row.tries + 1, "fence": fence}
        connection.execute(update(run).where(*this).values(**again))
        return True


def end(job: str, planned: int, fence: int, at: int, outcome: Outcome, did: int | None, error: str | None) -> None:
    """Note how a run ended, unless somebody else has taken it over."""
    with _writing() as connection, connection.begin():
        mine = update(run).where(run.c.job == job, run.c.planned == planned, run.c.fence == fence)
        connection.execute(mine.values(ended=at, outcome=outcome.value, did=did, error=error))


def want(connection: Connection, job: str, at: int, by: str) -> bool:
    """Ask for a run, in the transaction of whoever asks; says no where one that was asked for has not begun yet."""
    waiting = select(run.c.planned).where(run.c.job == job, run.c.outcome == Outcome.WANTED.value).limit(1)
    if connection.scalar(waiting) is not None:
        return False
    row = {"job": job, "planned": at, "started": at, "ended": None, "outcome": Outcome.WANTED.value, "late": False}
    row |= {"tries": 0, "fence": 0, "did": None, "error": None, "by": by}
    connection.execute(insert(run), [row])
    return True


def wanted(fence: int) -> list[tuple[str, int, str]]:
    """(job, planned, by) of the runs that were asked for and have not begun, or whose process died: it held an
    earlier number of the lease than `fence`.
    """
    broken = and_(run.c.outcome == Outcome.RUNNING.value, run.c.fence.between(1, fence - 1))
    query = select(run.c.job, run.c.planned, run.c.by).where(run.c.by.not_in((SCHEDULER, COMMAND)))
    query = query.where(or_(run.c.outcome == Outcome.WANTED.value, broken)).order_by(run.c.planned)
    with db.engine.connect() as connection:
        return [(row.job, row.planned, row.by) for row in connection.execute(query)]


def history(job: str | None = None, most: int = 50) -> Sequence[JobRun]:
    """The latest runs, the newest first."""
    db.session.rollback()
    query = select(JobRun).order_by(JobRun.started.desc(), JobRun.job).limit(most)
    return db.session.scalars(query.where(JobRun.job == job) if job else query).all()


def forget(before: int) -> int:
    """Delete the runs that were planned before; of each job the newest stays. Returns how many went."""
    with _writing() as connection, connection.begin():
        order = select(run.c.job, run.c.planned).order_by(run.c.planned)
        newest = {row.job: row.planned for row in connection.execute(order)}
        gone = 0
        for job, planned in newest.items():
            old = delete(run).where(run.c.job == job, run.c.planned < min(before, planned))
            gone += connection.execute(old).rowcount
        return gone


def _writing() -> Connection:
    return db.engine.connect().execution_options(**{WRITING: True})
