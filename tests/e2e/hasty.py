"""The server's entry point with jobs in a hurry: `tests.e2e.hasty:app` has a lease of two seconds and one slow job.

The job issues lists; it pauses in each turn, before its transaction or inside, as a file beside its data folder
tells, and writes down what it has done. See `tests/e2e/test_jobs_taken_over.py`.
"""

import os
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from server.app import create_app
from server.reminders import fence, jobs, lease
from server.reminders.fence import FencedStore
from server.reminders.issue import issue
from server.serve import begin
from server.store.store import SqlTransaction
from server.world import Nest
from sync.visits.lists import ListKind
from tests.e2e.paces import BEGUN, ISSUED, PAUSE, PAUSE_AT

lease.TERM = 2_000
jobs.RENEW_SECONDS = 0.3  # type: ignore[assignment]
jobs.CATCH_UP_SECONDS = 1
fence.LONGEST_PAUSE = 1_500


def folder() -> Path:
    nest: Nest = app.extensions["toam"]
    return nest.settings.data.parent


def note(where: str, area: str) -> None:
    """One short line, written at once."""
    with (folder() / where).open("a") as file:
        file.write(f"{os.getpid()} {area}\n")


def pause(place: str, area: str) -> None:
    if (folder() / PAUSE_AT).read_text() == place:
        note(BEGUN, area)
        time.sleep(PAUSE)


def slow(
    nest: Nest, area: str, kind: ListKind, day: date, at: int, by: str, people: Collection[str] | None = None
) -> list[str]:
    pause("before", area)
    numbers = issue(nest, area, kind, day, at, by, people)
    note(ISSUED, area)
    return numbers


real = FencedStore.transaction


@contextmanager
def transaction(store: FencedStore, areas: Collection[str]) -> Iterator[SqlTransaction]:
    with real(store, areas) as tx:
        pause("inside", min(areas))
        yield tx


FencedStore.transaction = transaction  # type: ignore[method-assign, assignment]
jobs.issue = slow
jobs.JOBS = {"lists": jobs.Job("lists", jobs.cron(hour=0), lambda held: len(jobs.run_lists(held)))}
app = create_app()
begin(app)
