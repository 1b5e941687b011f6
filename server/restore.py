"""After the database was restored from a backup: a new history begins, and every device learns so.

Source: the feed's tokens find a restored backup by themselves; bare revisions, as ODK Collect sends them, do not.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import orjson
from sqlalchemy import bindparam, func, select, update

from server.store.base import table
from server.store.dialects import upsert
from server.store.tables import Entity, ServerFact, Submission, db
from server.syncing import identity
from server.world import Nest
from sync.times import DAY

JUMP = 1_000_000  # revisions: more than any entity can have had in what was lost
CHUNK = 500
Turn = Callable[[Callable[[], Any]], Any]


def begin_anew(nest: Nest, turn: Turn) -> int:
    """Put the revisions of all entities beyond those that were lost, then count a new epoch; returns it.

    If it is interrupted it may be run again: revisions have gaps anyway.
    """
    by_area: dict[str, list[str]] = {}
    for row in db.session.execute(select(Entity.area, Entity.id).order_by(Entity.area, Entity.id)):
        by_area.setdefault(row.area, []).append(row.id)
    for area, ids in by_area.items():
        for start in range(0, len(ids), CHUNK):
            turn(partial(_jump, nest, area, ids[start : start + CHUNK]))
    return int(turn(partial(_count, nest)))


def days_lost(now: int) -> int | None:
    """For how many days the backup has not heard of anything; None if nothing was ever received."""
    newest = db.session.scalar(select(func.max(Submission.received_at)))
    return None if newest is None else (now - newest) // DAY


def _jump(nest: Nest, area: str, ids: list[str]) -> None:
    entity = table(Entity)
    moving = update(entity).where(entity.c.id == bindparam("which"))
    moving = moving.values(rev=bindparam("number"), page=bindparam("body"))
    with nest.store.transaction([area]) as tx:
        query = select(entity.c.id, entity.c.rev, entity.c.etag, entity.c.page).where(entity.c.id.in_(ids))
        rows = [
            {"which": row.id, "number": row.rev + JUMP, "body": _page(row.page, row.rev + JUMP, row.etag)}
            for row in tx.connection.execute(query)
        ]
        tx.connection.execute(moving, rows)


def _page(page: bytes, rev: int, etag: str) -> bytes:
    if not page:
        return page
    body = orjson.loads(page) | {"revision": rev, "etag": f"{rev}-{etag}"}
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _count(nest: Nest) -> int:
    with nest.store.transaction([]) as tx:
        epoch = identity(tx.connection).epoch + 1
        upsert(tx.connection, table(ServerFact), [{"name": "epoch", "value": str(epoch)}])
        return epoch
