"""The server's entry point, ready to die: `tests.e2e.deadly:app` is `wsgi:app` that kills itself where it is told.

Where, it reads in a file of its data folder, once: whoever comes after the dead lives. See `Server.die_at`.
"""

import os
import signal
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import server.store.store
from server.store.store import SqlStore, SqlTransaction
from server.world import Nest
from tests.e2e.server import DIE_AT
from wsgi import app

__all__ = ["app"]

Transaction = Callable[[SqlStore, Collection[str]], AbstractContextManager[SqlTransaction]]


def _here(place: str) -> None:
    nest: Nest = app.extensions["toam"]
    order = nest.settings.data / DIE_AT
    if order.exists() and order.read_text() == place:
        order.unlink()
        os.kill(os.getpid(), signal.SIGKILL)


def _mortal(real: Transaction) -> Transaction:
    @contextmanager
    def transaction(store: SqlStore, areas: Collection[str]) -> Iterator[SqlTransaction]:
        if not areas:  # a note about a device
            with real(store, areas) as tx:
                yield tx
            return
        _here("before_begin")
        with real(store, areas) as tx:
            yield tx
            _here("before_commit")
        _here("after_commit")

    return transaction


def _interrupted(real: Callable[..., None]) -> Callable[..., None]:
    def write(*about: Any) -> None:
        _here("amid_writes")
        real(*about)

    return write


SqlStore.transaction = _mortal(SqlStore.transaction)  # type: ignore[method-assign, assignment]
server.store.store.write_visits = _interrupted(server.store.store.write_visits)
