"""Writing under a lease: a process that was stopped and wakes up later writes nothing any more."""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

from sqlalchemy import Engine

from server.reminders.lease import LeaseHolder
from server.store.dialects import limit_idleness
from server.store.store import SqlStore, SqlTransaction
from server.store.tables import db
from server.world import Nest, current_nest

Result = TypeVar("Result")
LONGEST_PAUSE = 20_000  # ms in which a job's transaction may stand still, with its areas locked


class Overtaken(RuntimeError):
    """Another process holds the lease now; what is left of the job is its business."""


class FencedStore(SqlStore):
    """A store whose every transaction checks the number of the lease, once it holds its areas.

    Whoever took the lease over waits for the areas of a transaction that was checked before, and then sees what it
    wrote; one that is checked later is refused. So of two processes never both do the same.
    """

    def __init__(self, engine: Engine, lease: LeaseHolder) -> None:
        super().__init__(engine)
        self._lease = lease

    @contextmanager
    def transaction(self, areas: Collection[str]) -> Iterator[SqlTransaction]:
        with super().transaction(areas) as tx:
            limit_idleness(tx.connection, LONGEST_PAUSE)
            if not self._lease.holds(tx.connection):
                raise Overtaken
            yield tx


class Shift:
    """What a job works with: the store to write to, and its turns. Without a lease it is run by hand."""

    def __init__(self, lease: LeaseHolder | None = None) -> None:
        own = current_nest()
        self._committer, self.lease = own.committer, lease
        self.store = FencedStore(db.engine, lease) if lease is not None else own.store
        self.nest: Nest = replace(own, writes_to=self.store)  # nothing of a job writes past the fence

    def turn(self, work: Callable[[], Result]) -> Result:
        """One short piece of work between two batches of submissions. Raises `Overtaken`."""
        if self.lease is not None and not self.lease.current():
            raise Overtaken
        done: Result = self._committer.run(work)
        return done
