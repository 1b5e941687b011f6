"""The nightly plan: time passes without anybody sending anything, so every area is planned anew."""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial

from sqlalchemy import select

from server.store.store import SqlStore, SqlTransaction
from server.store.tables import Entity, VisitTable, db
from sync.planning import plan_things
from sync.ports import Changes
from sync.receive import World
from sync.times import local_date
from sync.visits.plan import VisitState
from sync.workspace import Workspace

TURN = 0.015  # seconds that a turn of the committer may take, or syncing waits for it
FIRST, MOST = 10, 200  # entities in the first turn, and at most
READ = 100  # entities that are looked at together


class Pace:
    """How many entities fit into a turn, learnt from the turns before: `size` of them now."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self.size, self._clock = FIRST, clock

    def timed(self, work: Callable[[], int], count: int) -> int:
        """Do the work of one turn about `count` entities."""
        begun = self._clock()
        done = work()
        fits = int(count * TURN / max(self._clock() - begun, 1e-6))
        self.size = max(1, min(MOST, fits, 2 * self.size))
        return done


def plan_all(
    store: SqlStore,
    world: World,
    now: int,
    turn: Callable[[Callable[[], int]], int],
    tell: Callable[[int], None] = lambda planned: None,
) -> int:
    """Plan every placed entity about which there may be visits; returns how many visits changed.

    Most nights change little: what to plan is found by reading alone, beside syncing, and only what changes is
    planned again in short turns, under the lock of its area. It holds the ids of one area at a time. `tell` hears how
    many entities are planned so far.
    """
    pace, changed, planned = Pace(), 0, 0
    kinds = _kinds(world)
    for area in _areas():
        ids = _placed(area, kinds)
        for start in range(0, len(ids), READ):
            chunk = ids[start : start + READ]
            left = _changing(world, area, chunk, now)
            changed += turn(lambda: 0)  # also if nothing is left: who was overtaken stops
            while left:
                some, left = left[: pace.size], left[pace.size :]
                work = partial(_plan, store, world, area, some, now)
                changed += turn(partial(pace.timed, work, len(some)))
            planned += len(chunk)
            tell(planned)
    return changed


def _kinds(world: World) -> list[str]:
    """The types of entities with rules, also with past ones, and of those with visits that are still open."""
    query = select(VisitTable.subject_type).where(VisitTable.state == VisitState.OPEN.value).distinct()
    with db.engine.connect() as connection:
        return sorted({rule.subject for rule in world.rules.rules} | set(connection.scalars(query)))


def _areas() -> Iterator[str]:
    """One after the other, each found when it is its turn."""
    last = ""
    query = select(Entity.area).order_by(Entity.area).limit(1)
    while True:
        with db.engine.connect() as connection:
            found = connection.scalar(query.where(Entity.area > last))
        if found is None:
            return
        yield found
        last = found


def _placed(area: str, kinds: Sequence[str]) -> list[str]:
    query = select(Entity.id).where(Entity.area == area, Entity.type.in_(kinds), Entity.scope.is_not(None))
    with db.engine.connect() as connection:
        return list(connection.scalars(query.order_by(Entity.household, Entity.id)))


def _changing(world: World, area: str, ids: list[str], now: int) -> list[str]:
    """Those about which a visit would change; read without any lock, so it is planned again before it is written."""
    with db.engine.connect() as connection:
        planned = _planned(SqlTransaction(connection, {}), world, area, ids, now)
    subjects = {visit.subject for visit in planned.visits}
    return [ident for ident in ids if ident in subjects]


def _plan(store: SqlStore, world: World, area: str, ids: list[str], now: int) -> int:
    with store.transaction([area]) as tx:
        changes = _planned(tx, world, area, ids, now)
        if changes.visits:
            tx.write(changes)
        return len(changes.visits)


def _planned(tx: SqlTransaction, world: World, area: str, ids: list[str], now: int) -> Changes:
    """What planning these entities changes, of those that live in the area."""
    space = Workspace(tx, world.types, ids)
    things = [thing for ident in ids if (thing := space.find(ident)) and thing.row and thing.row.area == area]
    changes = Changes(at=now)
    if things:
        plan_things(things, [], changes, tx, world.rules, world.calendar, local_date(now))
    return changes
