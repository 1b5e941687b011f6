"""The fixed jobs: APScheduler fires them, the lease decides which process may run them.

State is in rows, so a late or missed tick loses nothing.
"""

from collections.abc import Callable
from functools import partial

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from flask import Flask

from server.clock import now
from server.media.expiry import clear_media
from server.reminders.issue import areas_with_people, issue
from server.reminders.lease import LeaseHolder
from server.reminders.nightly import plan_all
from server.store.reads import stored_submissions
from server.store.tables import db
from server.world import current_nest
from sync.retry import retry
from sync.times import ZONE, local_date
from sync.visits.lists import ListKind

log = structlog.get_logger()
RENEW_SECONDS = 10
RETRY_SECONDS = 300


def start_jobs(app: Flask) -> BackgroundScheduler:
    """Start the scheduler of this process: plan at 01:00, issue the day's lists at 04:00, local time.

    At 02:00 it puts away uploads that were left. Every few minutes it tries again what a fault of ours kept from
    being applied.
    """
    lease = LeaseHolder()
    scheduler = BackgroundScheduler(timezone=ZONE, job_defaults={"coalesce": True, "misfire_grace_time": 3600})

    def renew() -> None:
        with app.app_context():
            lease.hold(now())

    def nightly() -> None:
        with app.app_context():
            if lease.hold(now()):
                run_plan(lease)

    def daily() -> None:
        with app.app_context():
            if lease.hold(now()):
                run_lists(lease)

    def again() -> None:
        with app.app_context():
            if lease.hold(now()):
                run_retry(lease)

    def clear() -> None:
        with app.app_context():
            if lease.hold(now()):
                run_clear(lease)

    scheduler.add_job(again, "interval", seconds=RETRY_SECONDS, id="retry")
    scheduler.add_job(renew, "interval", seconds=RENEW_SECONDS, id="lease")
    scheduler.add_job(nightly, "cron", hour=1, id="plan")
    scheduler.add_job(daily, "cron", hour=4, id="lists")
    scheduler.add_job(clear, "cron", hour=2, id="media")
    scheduler.start()
    return scheduler


class Overtaken(RuntimeError):
    """Another process holds the lease now; what is left of the job is its business."""


def run_clear(lease: LeaseHolder | None = None) -> int:
    """Delete what is left of uploads that nobody went on with; returns how many rows and files went."""
    nest = current_nest()

    def turn(work: Callable[[], int]) -> int:
        _check(lease)
        return int(nest.committer.run(work))

    return clear_media(nest, now(), turn)


def run_plan(lease: LeaseHolder | None = None) -> int:
    """Plan all visits; returns how many changed."""
    nest = current_nest()

    def turn(work: Callable[[], int]) -> int:
        _check(lease)
        return int(nest.committer.run(work))

    return plan_all(nest.store, nest.world, now(), turn)


def run_retry(lease: LeaseHolder | None = None) -> int:
    """Apply what has the outcome `stored`; returns how many submissions are applied or held now."""
    nest, done = current_nest(), 0
    for sub in stored_submissions(db.session.connection()):
        _check(lease)
        try:
            work = partial(retry, sub, nest.store, nest.world, nest.reader, now())
            done += nest.committer.run(work) is not None
        except Exception as error:  # the fault is still there; the next run tries again
            log.error("still_stored", submission=sub, error=type(error).__name__)
    return done


def run_lists(lease: LeaseHolder | None = None) -> list[str]:
    """Issue today's and this week's lists of every area; returns their numbers."""
    nest, numbers, day = current_nest(), list[str](), local_date(now())
    for area in areas_with_people(day):
        for kind in ListKind:
            _check(lease)
            numbers += nest.committer.run(partial(issue, nest, area, kind, day, now(), "scheduler"))
    return numbers


def _check(lease: LeaseHolder | None) -> None:
    if lease is not None and not lease.current():
        raise Overtaken
