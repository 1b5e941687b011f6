"""The nightly plan, the daily lists and the scheduler that fires them."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from server.clock import now
from server.reminders import jobs
from server.reminders.fence import Overtaken, Shift
from server.reminders.jobs import JOBS, Job, cron, run_lists, run_plan, start_jobs
from server.reminders.lease import LeaseHolder
from server.reminders.nightly import Pace
from server.reminders.runs import history
from server.store.tables import ReminderLine, ReminderList, VisitTable, db
from sync.times import DAY, ZONE, local_time, to_ms
from tests.api.builders import new_id, register
from tests.api.conftest import Town
from tests.databases import DATABASES


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


def noting(did: list[int]) -> Job:
    """A job that notes when it ran."""

    def work(lease: LeaseHolder | None) -> int:
        did.append(now())
        return 3

    return Job("plan", cron(hour=1), work)


def at(day: int, hour: int, minute: int = 0) -> int:
    """Local time in December 2026; the 1st is a Tuesday."""
    return to_ms(datetime(2026, 12, day, hour, minute, tzinfo=ZONE))


@pytest.mark.parametrize(
    ("trigger", "asked", "planned"),
    [
        (cron(hour=1), at(2, 0, 59), at(1, 1)),
        (cron(hour=1), at(2, 1), at(2, 1)),
        (cron(minute="*/5"), at(2, 1, 4), at(2, 1, 0)),
        (cron(day_of_week="mon", hour=4), at(7, 3), at(1, 4) - DAY),
        (cron(day=1, hour=4), at(28, 3), at(1, 4)),
        (cron(month=6, day=1), at(28, 3), None),
    ],
)
def test_the_last_time_for_which_a_job_was_planned(trigger: Any, asked: int, planned: int | None) -> None:
    assert Job("x", trigger, lambda lease: 0).planned(asked) == planned


def test_what_was_missed_is_caught_up_once_and_marked_late(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three nights without a server: one run, for the last of them, late."""
    did: list[int] = []
    monkeypatch.setattr(jobs, "JOBS", {"plan": noting(did)})
    foreman = jobs.Foreman(town.app)
    for when, late in ((at(1, 1), False), (at(4, 9), True), (at(4, 10), None), (at(5, 1), False)):
        before = len(did)
        with time_machine.travel(local_time(when), tick=False):
            foreman.renew()
            foreman.catch_up()
            assert len(did) - before == (late is not None)
    with town.app.app_context():
        found = [(run.planned, run.outcome, run.late, run.did) for run in history()]
    assert found == [(at(5, 1), "done", False, 3), (at(4, 1), "done", True, 3), (at(1, 1), "done", False, 3)]


def test_a_job_that_fails_is_in_the_history_without_its_message_and_tried_again(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(lease: LeaseHolder | None) -> int:
        raise ValueError("Trần Thị Bích Thảo")

    monkeypatch.setattr(jobs, "JOBS", {"plan": Job("plan", cron(hour=1), fail)})
    foreman = jobs.Foreman(town.app)
    foreman.renew()
    for tries in (1, 2):
        foreman.run("plan")
        with town.app.app_context():
            (run,) = history()
            assert (run.outcome, run.error, run.tries, run.did) == ("failed", "ValueError", tries, None)


def test_who_does_not_hold_the_lease_runs_nothing(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[int] = []
    monkeypatch.setattr(jobs, "JOBS", {"plan": noting(did)})
    first, second = jobs.Foreman(town.app), jobs.Foreman(town.app)
    first.renew()
    second.renew()
    second.catch_up()
    assert did == []
    first.catch_up()
    assert len(did) == 1


@pytest.mark.parametrize("name", JOBS)
@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_each_job_by_hand_again_and_again(town: Town, name: str) -> None:
    """Each is safe to repeat, and its runs are told."""
    town.apply(register(new_id(), {new_id(): "Trần Thị Bích Thảo"}))
    due = local_time(now()) + timedelta(days=92)
    runner = town.app.test_cli_runner()
    told = []
    with time_machine.travel(due) as clock:
        for _ in range(3):
            with town.app.app_context():
                result = runner.invoke(args=["jobs", "run", name])
            assert result.exit_code == 0, result.output
            told.append(result.output)
            clock.shift(timedelta(seconds=1))
    assert told[1] == told[2]
    with town.app.app_context():
        lines = runner.invoke(args=["jobs", "history", "--job", name]).output.splitlines()
        issued = list(db.session.scalars(select(ReminderList.number)))
    assert [line.split("\t")[4] for line in lines] == ["done"] * 3
    assert len(issued) == len(set(issued)) == (2 if name.endswith("lists") else 0)


def test_syncing_goes_on_between_the_turns_of_a_job(town: Town) -> None:
    """A batch that comes while a job is at work is received before the job ends."""
    seen: list[str] = []

    def push() -> None:
        town.apply(register(new_id(), {}))
        seen.append("batch")

    with town.app.app_context():
        shift, pushing = Shift(), threading.Thread(target=push)
        shift.turn(lambda: seen.append("turn"))
        pushing.start()
        for _ in range(10_000):
            shift.turn(lambda: seen.append("turn"))
            if "batch" in seen:
                break
    pushing.join()
    assert seen[0] == "turn" and "batch" in seen


def test_turns_are_as_long_as_syncing_can_bear() -> None:
    times = iter([0.0, 0.015 * 2, 1.0, 1.0 + 0.015 / 8, 2.0, 2.001, 3.0, 9.0])
    pace = Pace(lambda: next(times))
    sizes = [pace.size]
    for _ in range(4):
        pace.timed(lambda: 0, pace.size)
        sizes.append(pace.size)
    assert sizes == [10, 5, 10, 20, 1]


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
        found = {job.id: job.next_run_time for job in scheduler.get_jobs()}
        assert set(found) - {"first"} == {"lease", "catch_up", "wanted", *JOBS}
        assert found["plan"].astimezone(local_time(now()).tzinfo).hour == 1
        assert found["lists"].astimezone(local_time(now()).tzinfo).hour == 4
    finally:
        scheduler.shutdown(wait=False)
