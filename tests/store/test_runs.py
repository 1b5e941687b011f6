"""The history of the jobs decides which run is still to be made, on both databases."""

import pytest
from flask import Flask

from server.reminders.runs import KEEP, MOST_TRIES, Outcome, claim, end, forget, history

GRACE = 1_000
HOUR = 3_600_000


@pytest.fixture(autouse=True)
def context(app: Flask) -> object:
    with app.app_context():
        yield


def begin(planned: int, at: int, fence: int, job: str = "plan") -> bool:
    return claim(job, planned, at, GRACE, fence, "scheduler")


def done(planned: int, fence: int, job: str = "plan") -> None:
    end(job, planned, fence, planned + 5, Outcome.DONE, 7, None)


def rows() -> list[tuple[int, str, bool, int, int]]:
    return [(run.planned, run.outcome, run.late, run.tries, run.fence) for run in history("plan")]


def test_a_run_is_made_once() -> None:
    assert begin(100, 100, 1)
    assert rows() == [(100, "running", False, 1, 1)]
    done(100, 1)
    assert not begin(100, 200, 1)
    assert not begin(100, 200, 2)
    assert rows() == [(100, "done", False, 1, 1)]
    assert [run.did for run in history()] == [7]


def test_a_run_whose_process_died_is_taken_over_and_the_dead_ends_nothing() -> None:
    assert begin(100, 100, 1)
    assert begin(100, 105, 2)
    done(100, 1)
    assert rows() == [(100, "running", False, 2, 2)]
    assert not begin(100, 106, 1)  # the first one wakes up
    done(100, 2)
    assert rows() == [(100, "done", False, 2, 2)]


def test_a_run_that_failed_is_tried_again_and_in_the_end_given_up() -> None:
    for number in range(MOST_TRIES):
        assert begin(100, 100 + number, 1)
        end("plan", 100, 1, 101 + number, Outcome.FAILED, None, "ValueError")
    assert not begin(100, 200, 1)
    assert rows() == [(100, "failed", False, MOST_TRIES, 1)]
    assert begin(200, 200, 1)
    assert history("plan")[1].error == "ValueError"


def test_what_begins_after_its_time_is_late_but_for_the_first_run_of_all() -> None:
    assert begin(100, 100 + HOUR, 1)
    done(100, 1)
    assert begin(200 + HOUR, 200 + 2 * HOUR, 1)
    assert [late for _, _, late, _, _ in rows()] == [True, False]


def test_the_newest_run_of_each_job_is_kept_whatever_its_age() -> None:
    for planned in (100, 200, 300):
        assert begin(planned, planned, 1)
        assert begin(planned, planned, 1, "lists")
    assert forget(KEEP) == 4
    assert [run.planned for run in history()] == [300, 300]
    assert forget(250) == 0
