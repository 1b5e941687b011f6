"""Writing about people's access and files: one short turn of the committer, in one transaction."""

from collections.abc import Callable, Collection
from typing import TypeVar, cast

from sqlalchemy.exc import DBAPIError

from server.store.dialects import is_race
from server.store.store import SqlTransaction
from server.world import current_nest

T = TypeVar("T")


def write(work: Callable[[SqlTransaction], T], areas: Collection[str] = ()) -> T:
    """Run `work` in a transaction that holds the counters of `areas`; what it raises rolls everything back.

    It is run once more if another process stored one of its rows first: then it sees that row.
    """
    nest = current_nest()

    def turn() -> T:
        with nest.store.transaction(areas) as tx:
            return work(tx)

    try:
        return cast(T, nest.committer.run(turn))
    except DBAPIError as error:
        if not is_race(error):
            raise
        return cast(T, nest.committer.run(turn))
