"""The nightly plan, the daily lists and the scheduler that fires them."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from server.clock import now
from server.reminders.jobs import Overtaken, run_lists, run_plan, start_jobs
from server.reminders.lease import LeaseHolder
from server.store.tables import ReminderLine, ReminderList, VisitTable, db
from sync.times import DAY, local_time
from tests.api.builders import new_id, register
from tests.api.conftest import Town


def visits(town: Town) -> list[tuple[str, str, str]]:
    """(rule, state, start) of every visit there is."""
    with town.app.app_context():
        return sorted((v.rule, v.state, v.start) for v in db.session.scalars(select(VisitTable)))


def test_planning_at_night_changes_nothing_that_the_batch_has_planned(town: Town) -> None:
    town.apply(register(new_id(), {new_id(): "Trần Thị Bích Thảo"}))
    planned = visits(town)
    assert [(rule, state) for rule, state, _ in planned] == [("F-CHECKUP", "open"), ("F-HHQ", "open")]
    with town.app.app_context():
        assert run_plan() == 0
    assert visits(town) == planned


def test_a_child_that_has_grown_up_ends_the_rounds_though_nobody_sent_anything(town: Town) -> None:
    town.apply(register(new_id(), {new_id(): "Trần Thị Bích Thảo"}))
    later = local_time(now()) + timedelta(days=366 * 17)
    with time_machine.travel(later, tick=False), town.app.app_context():
        assert run_plan() == 2
        assert run_plan() == 0
    ended = [("F-CHECKUP", "not_needed"), ("F-HHQ", "not_needed")]
    assert [(rule, state) for rule, state, _ in visits(town)] == ended


def test_the_daily_lists_are_issued_once(town: Town) -> None:
    town.apply(register(new_id(), {new_id(): "Trần Thị Bích Thảo"}))
    due = local_time(now()) + timedelta(days=92)
    with time_machine.travel(due, tick=False), town.app.app_context():
        numbers = run_lists()
        assert numbers
        assert run_lists() == numbers
        db.session.rollback()  # a reader sees what was there when it began
        issued = list(db.session.scalars(select(ReminderList.number)))
        lines = db.session.scalars(select(ReminderLine.number)).all()
    assert sorted(issued) == sorted(numbers)
    assert set(lines) == set(numbers)


def test_a_job_that_was_overtaken_stops(town: Town) -> None:
    town.apply(register(new_id(), {new_id(): "Trần Thị Bích Thảo"}))
    with town.app.app_context():
        mine, other = LeaseHolder(), LeaseHolder()
        assert mine.hold(now())
        assert other.hold(now() + DAY)
        with pytest.raises(Overtaken):
            run_plan(mine)
        with pytest.raises(Overtaken):
            run_lists(mine)


def test_the_scheduler_has_its_jobs_at_local_hours(new_town: Callable[..., Town]) -> None:
    scheduler = start_jobs(new_town().app)
    try:
        jobs = {job.id: job.next_run_time for job in scheduler.get_jobs()}
        assert set(jobs) == {"lease", "plan", "lists", "media", "retry"}
        assert jobs["plan"].astimezone(local_time(now()).tzinfo).hour == 1
        assert jobs["lists"].astimezone(local_time(now()).tzinfo).hour == 4
    finally:
        scheduler.shutdown(wait=False)
