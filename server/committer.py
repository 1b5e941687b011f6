"""The one queue through which everything is written.

One thread takes whatever waits, of however many requests, and makes it one transaction: group commit for
single submissions, the fair write queue that SQLite needs, and the place where jobs take turns with syncing.
"""

import queue
import threading
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import structlog

from sync.arrival import Arrival
from sync.ports import Store
from sync.receive import World, receive

log = structlog.get_logger()
MOST_ITEMS = 200


@dataclass
class _Turn:
    """What one caller waits for: a batch of arrivals, or a job's chunk."""

    arrivals: Sequence[Arrival] = ()
    job: Callable[[], Any] | None = None
    answer: "Future[Any]" = field(default_factory=Future)


class Committer:
    """Writes for one process. The thread starts with the first turn, and again in a process forked since."""

    def __init__(self, store: Store, world: World, now: Callable[[], int]) -> None:
        self._store, self._world, self._now = store, world, now
        self._turns: queue.SimpleQueue[_Turn | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def receive(self, arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
        """Receipts for these arrivals, once they are committed. Raises what the transaction raised."""
        return list(self._wait(_Turn(arrivals=arrivals))) if arrivals else []

    def run(self, job: Callable[[], Any]) -> Any:
        """Run one short chunk of a job between batches, and return what it returns."""
        return self._wait(_Turn(job=job))

    def close(self) -> None:
        """End the thread once everything that waits is done. A later turn starts another one."""
        with self._starting:
            if self._thread is not None and self._thread.is_alive():
                self._turns.put(None)
                self._thread.join()

    def _wait(self, turn: _Turn) -> Any:
        with self._starting:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._work, name="committer", daemon=True)
                self._thread.start()
            self._turns.put(turn)
        return turn.answer.result()

    def _work(self) -> None:
        while (first := self._turns.get()) is not None:
            together, jobs = self._gather(first)
            if together:
                self._commit(together)
            for turn in jobs:
                self._settle(turn, turn.job or (lambda: None))

    def _gather(self, first: _Turn) -> tuple[list[_Turn], list[_Turn]]:
        """Everything that waits, up to the size of one transaction."""
        turns = [first]
        while sum(len(turn.arrivals) for turn in turns) < MOST_ITEMS:
            try:
                turn = self._turns.get_nowait()
            except queue.Empty:
                break
            if turn is None:
                self._turns.put(None)  # the end comes after what waits
                break
            turns.append(turn)
        return [t for t in turns if t.job is None], [t for t in turns if t.job is not None]

    def _commit(self, turns: list[_Turn]) -> None:
        """All turns as one transaction; if that fails, each on its own, so that one cannot spoil another."""
        try:
            receipts = self._receive([arrival for turn in turns for arrival in turn.arrivals])
        except Exception as error:
            if len(turns) == 1:
                turns[0].answer.set_exception(error)
                return
            log.warning("shared_transaction_failed", turns=len(turns), error=type(error).__name__)
            for turn in turns:
                self._settle(turn, partial(self._receive, turn.arrivals))
            return
        for turn in turns:
            mine, receipts = receipts[: len(turn.arrivals)], receipts[len(turn.arrivals) :]
            turn.answer.set_result(mine)

    def _receive(self, arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
        return receive(arrivals, self._store, self._world, self._now(), _report)

    def _settle(self, turn: _Turn, work: Callable[[], Any]) -> None:
        try:
            turn.answer.set_result(work())
        except Exception as error:
            turn.answer.set_exception(error)


def _report(error: Exception) -> None:
    """A fault of ours while applying: its type and place, never its message, which may hold an answer."""
    place = traceback.extract_tb(error.__traceback__)[-1:]
    log.error("not_applied", error=type(error).__name__, at=[f"{frame.filename}:{frame.lineno}" for frame in place])
