"""The one Store, over SQLAlchemy Core: a fixed number of statements however many items there are."""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from server.audit import append
from server.store.base import table
from server.store.dialects import WRITING, is_race, lock_counters
from server.store.reads import Reads, areas_of
from server.store.tables import Counter
from server.store.writes import write_doubts, write_feed, write_log, write_visits
from sync.ports import Changes, Raced

__all__ = ["SqlStore", "SqlTransaction", "table"]


class SqlTransaction(Reads):
    """See `sync.ports.Transaction`."""

    def __init__(self, connection: Connection, areas: Mapping[str, int]) -> None:
        super().__init__(connection)
        self._numbers = dict(areas)
        self._areas = frozenset(areas)

    @property
    def areas(self) -> frozenset[str]:
        return self._areas

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        numbers = dict(self._numbers)  # users' counters that are locked inside are free again after a rollback
        try:
            with self.connection.begin_nested():
                yield
        except BaseException:
            self._numbers = numbers
            raise

    def write(self, changes: Changes) -> None:
        try:
            self._write(changes)
        except DBAPIError as error:
            if is_race(error):
                raise Raced from error
            raise

    def _write(self, changes: Changes) -> None:
        users = {touched.counter for touched in changes.touched} - self._areas
        self._numbers |= lock_counters(self.connection, table(Counter), users)
        write_log(self.connection, changes)
        write_doubts(self.connection, changes)
        write_visits(self.connection, changes)
        append(self.connection, changes.audit, self._areas)
        write_feed(self.connection, changes.touched, self._numbers)


class SqlStore:
    """See `sync.ports.Store`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def areas_of(self, ids: Collection[str]) -> Mapping[str, str]:
        with self._engine.connect() as connection:
            return areas_of(connection, ids)

    @contextmanager
    def transaction(self, areas: Collection[str]) -> Iterator[SqlTransaction]:
        with self._engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
            yield SqlTransaction(connection, lock_counters(connection, table(Counter), areas))
