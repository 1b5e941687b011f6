"""The jobs, and who runs them when: APScheduler fires them, the lease decides which process may.

A new job is one line of `JOBS`. What it does must be safe to repeat: a run whose process died is made again by the
next holder of the lease, and `flask jobs run` makes one at any time.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from flask import Flask
from sqlalchemy.exc import DBAPIError

from server.clock import now
from server.media.expiry import clear_media
from server.reminders import runs
from server.reminders.escalation import escalate
from server.reminders.fence import Overtaken, Shift
from server.reminders.issue import areas_with_people, issue
from server.reminders.lease import LeaseHolder
from server.reminders.nightly import plan_all
from server.reminders.runs import Outcome
from server.store.reads import stored_submissions
from server.store.store import SqlStore
from server.store.tables import db
from sync.receive import World
from sync.retry import retry
from sync.times import ZONE, local_date, local_time, to_ms
from sync.visits.lists import ListKind

log = structlog.get_logger()
RENEW_SECONDS = 10
CATCH_UP_SECONDS = 300  # a run that failed, or that was missed, is tried again so often
GRACE = 600_000  # ms after which a run counts as late
BY = runs.SCHEDULER
SPANS = (timedelta(hours=2), timedelta(days=2), timedelta(days=8), timedelta(days=33))
Turns = Callable[[SqlStore, World, int, Callable[[Callable[[], int]], int]], int]  # store, world, now, turn -> count


def in_turns(work: Turns, lease: LeaseHolder | None = None) -> int:
    """Something that takes short turns by itself; returns how many things it did."""
    shift = Shift(lease)
    return work(shift.store, shift.nest.world, now(), shift.turn)


def run_plan(lease: LeaseHolder | None = None) -> int:
    """Plan all visits; returns how many changed."""
    return in_turns(plan_all, lease)


def run_lists(lease: LeaseHolder | None = None, kind: ListKind = ListKind.DAILY) -> list[str]:
    """Issue this day's or week's lists of every area; returns their numbers, also of those that were there already.

    A run that was missed issues no lists for the days that are past.
    """
    shift, numbers, day = Shift(lease), list[str](), local_date(now())
    for area in areas_with_people(day):
        numbers += shift.turn(partial(issue, shift.nest, area, kind, day, now(), BY))
    return numbers


def run_retry(lease: LeaseHolder | None = None) -> int:
    """Apply what has the outcome `stored`; returns how many submissions are applied or held now."""
    shift, done = Shift(lease), 0
    for sub in stored_submissions(db.session.connection()):
        try:
            work = partial(retry, sub, shift.store, shift.nest.world, shift.nest.reader, now())
            done += shift.turn(work) is not None
        except Overtaken:
            raise
        except Exception as error:  # the fault is still there; the next run tries again
            log.error("still_stored", submission=sub, error=type(error).__name__)
    return done


def run_clear(lease: LeaseHolder | None = None) -> int:
    """Delete what is left of uploads that nobody went on with, and old runs; returns how many rows and files went."""
    shift = Shift(lease)
    return clear_media(shift.nest, now(), shift.turn) + runs.forget(now() - runs.KEEP)


@dataclass(frozen=True)
class Job:
    """Something to do at fixed local times. `work` returns how many things it did."""

    name: str
    trigger: CronTrigger
    work: Callable[[LeaseHolder | None], int]

    def planned(self, at: int) -> int | None:
        """The last time, up to `at` (ms), for which it was planned; None if there was none in the last month."""
        until = local_time(at)
        for span in SPANS:
            last, following = None, self.trigger.get_next_fire_time(None, until - span)
            while following is not None and following <= until:
                last = following
                following = self.trigger.get_next_fire_time(None, last + timedelta(seconds=1))
            if last is not None:
                return to_ms(last)
        return None


cron = partial(CronTrigger, timezone=ZONE)
# In the order in which they are caught up: lists are issued of what was planned before.
JOBS: Mapping[str, Job] = {
    job.name: job
    for job in (
        Job("retry", cron(minute="*/5"), run_retry),
        Job("plan", cron(hour=1), run_plan),
        Job("clear", cron(hour=2), run_clear),
        Job("escalate", cron(minute="*/10"), partial(in_turns, escalate)),
        Job("lists", cron(hour=4), lambda lease: len(run_lists(lease))),
        Job("weekly-lists", cron(day_of_week="mon", hour=4), lambda lease: len(run_lists(lease, ListKind.WEEKLY))),
    )
}


def by_hand(job: Job) -> int:
    """Run a job now, whoever holds the lease; its run is in the history. Returns how many things it did."""
    at = now()
    runs.claim(job.name, at, at, GRACE, 0, runs.COMMAND)
    return _run(job, at, None)


class Foreman:
    """Runs the jobs of one process, for as long as it holds the lease."""

    def __init__(self, app: Flask) -> None:
        self.lease = LeaseHolder()
        self._app = app
        self._busy: dict[str, threading.Lock] = {name: threading.Lock() for name in JOBS}
        self._asked = threading.Lock()

    def renew(self, caught_up: Callable[[], None] = lambda: None) -> None:
        """Keep the lease, or take it if nobody has it; `caught_up` is called when it has just become ours."""
        before = self.lease.fence
        try:
            with self._app.app_context():
                held = self.lease.hold(now())
        except DBAPIError as error:  # a database that is away, or not migrated yet
            log.error("lease_not_renewed", error=type(error).__name__)
            return
        if held and self.lease.fence != before:
            log.info("lease_taken", fence=self.lease.fence)
            caught_up()

    def run(self, name: str, asked: tuple[int, str] | None = None) -> None:
        """Run a job for the last time it was planned for, if that is still to be done and the lease is ours.

        `asked`: for when and by whom a run of its own was asked for instead.
        """
        lock, job = self._busy[name], JOBS[name]
        if not lock.acquire(blocking=False):
            return
        try:
            with self._app.app_context():
                at = now()
                planned, by = asked or (job.planned(at), BY)
                ours = planned is not None and self.lease.hold(at)
                if planned is not None and ours and runs.claim(name, planned, at, GRACE, self.lease.fence, by):
                    _run(job, planned, self.lease)
        except Exception as error:  # whatever it is, it is in the history or comes again
            log.error("job_failed", job=name, error=type(error).__name__)
        finally:
            lock.release()

    def run_wanted(self) -> None:
        """Make the runs that somebody asked for at the desk, if the lease is ours; another call does not wait."""
        if self.lease.fence == 0 or not self._asked.acquire(blocking=False):
            return
        try:
            with self._app.app_context():
                waiting = runs.wanted(self.lease.fence) if self.lease.current() else []
            for name, planned, by in waiting:
                if name in JOBS:
                    self.run(name, (planned, by))
        except DBAPIError as error:
            log.error("wanted_not_read", error=type(error).__name__)
        finally:
            self._asked.release()

    def catch_up(self) -> None:
        """Make the runs that were missed or broken off, each job once, in turn."""
        for name in JOBS:
            self.run(name)


def start_jobs(app: Flask) -> BackgroundScheduler:
    """Start the scheduler of this process: each job at its local times; every few minutes what was missed."""
    foreman = Foreman(app)
    scheduler = BackgroundScheduler(timezone=ZONE, job_defaults={"coalesce": True, "misfire_grace_time": 3600})
    soon = lambda: scheduler.add_job(foreman.catch_up, id="first", replace_existing=True)  # noqa: E731
    first = {"id": "lease", "next_run_time": local_time(now())}
    scheduler.add_job(foreman.renew, "interval", [soon], seconds=RENEW_SECONDS, **first)
    scheduler.add_job(foreman.catch_up, "interval", seconds=CATCH_UP_SECONDS, id="catch_up")
    # A long run does not let the next look at what is wanted count as missed: it ends at once.
    scheduler.add_job(foreman.run_wanted, "interval", seconds=RENEW_SECONDS, id="wanted", max_instances=2)
    for name, job in JOBS.items():
        scheduler.add_job(foreman.run, job.trigger, [name], id=name)
    scheduler.start()
    return scheduler


def _run(job: Job, planned: int, lease: LeaseHolder | None) -> int:
    fence = lease.fence if lease is not None else 0
    try:
        did = job.work(lease)
    except Overtaken:
        log.warning("job_overtaken", job=job.name, fence=fence)
        return 0
    except Exception as error:
        runs.end(job.name, planned, fence, now(), Outcome.FAILED, None, type(error).__name__)
        raise
    runs.end(job.name, planned, fence, now(), Outcome.DONE, did, None)
    log.info("job_done", job=job.name, did=did)
    return did
