"""The nightly plan: time passes without anybody sending anything, so every area is planned anew."""

from collections.abc import Callable
from functools import partial

from sqlalchemy import select

from server.store.store import SqlStore
from server.store.tables import Entity, db
from sync.planning import plan_things
from sync.ports import Changes
from sync.receive import World
from sync.times import local_date
from sync.workspace import Workspace

CHUNK = 20  # a turn of the committer must stay short, or syncing waits for it


def plan_all(store: SqlStore, world: World, now: int, turn: Callable[[Callable[[], int]], int]) -> int:
    """Plan every placed entity in short turns; returns how many visits changed."""
    query = select(Entity.area, Entity.id).where(Entity.scope.is_not(None)).order_by(Entity.area, Entity.id)
    by_area: dict[str, list[str]] = {}
    for row in db.session.execute(query):
        by_area.setdefault(row.area, []).append(row.id)
    changed = 0
    for area, ids in by_area.items():
        for start in range(0, len(ids), CHUNK):
            chunk = ids[start : start + CHUNK]
            changed += turn(partial(_plan, store, world, area, chunk, now))
    return changed


def _plan(store: SqlStore, world: World, area: str, ids: list[str], now: int) -> int:
    with store.transaction([area]) as tx:
        space = Workspace(tx, world.types, ids)
        things = [thing for ident in ids if (thing := space.find(ident)) and thing.row and thing.row.area == area]
        changes = Changes(at=now)
        if things:
            plan_things(things, [], changes, tx, world.rules, world.calendar, local_date(now))
        if changes.visits:
            tx.write(changes)
        return len(changes.visits)
