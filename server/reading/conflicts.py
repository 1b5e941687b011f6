"""Open and closed conflicts: the base, all values, and how far the author of each had seen."""

from collections.abc import Collection, Mapping
from typing import Any

import orjson
from sqlalchemy import or_, select

from server.reading.logs import Log, read_log
from server.store.reads import Reads
from server.store.tables import ConflictTable, Entity, db
from server.world import Nest
from sync.state.model import DELETED, Conflict
from sync.times import iso

MOST = 200


def conflict_list(areas: Collection[str], closed: bool = False) -> list[dict[str, Any]]:
    """The conflicts of these areas, the longest open first; those about a move also for the area asked for."""
    query = (
        select(ConflictTable, Entity.type, Entity.label)
        .join(Entity, Entity.id == ConflictTable.entity)
        .where(or_(ConflictTable.area.in_(areas), ConflictTable.also.in_(areas)), ConflictTable.open.is_(not closed))
        .order_by(ConflictTable.opened_at, ConflictTable.id)
        .limit(MOST)
    )
    return [_line(row.ConflictTable, row.type, row.label) for row in db.session.execute(query)]


def conflict_row(ident: str) -> ConflictTable | None:
    """A conflict as stored, open or closed."""
    return db.session.get(ConflictTable, ident)


def conflict_page(nest: Nest, row: ConflictTable) -> dict[str, Any]:
    """One conflict with everything that deciding it needs; of one that is closed, who closed it."""
    log = read_log(nest, Reads(db.session.connection()), row.entity)
    assert log is not None
    page = _line(row, log.row.type, log.row.label) | {"entity_etag": log.etag}
    found = next((one for one in log.state.conflicts if one.id == row.id), None)
    if found is None:
        return page
    return page | {"members": [_member(log, found, sub) for sub in found.members], **_cell(log, found)}


def _line(row: ConflictTable, kind: str, label: str) -> dict[str, Any]:
    return {
        "id": row.id,
        "entity": {"type": kind, "id": row.entity, "label": label},
        "cell": row.cell,
        "area": row.area,
        "open": row.open,
        "opened_at": iso(row.opened_at),
        "resolved_by": row.resolved_by,
        "members": orjson.loads(row.members),
    }


def _cell(log: Log, conflict: Conflict) -> Mapping[str, Any]:
    """The words of the cell, and the value that shows meanwhile."""
    if conflict.cell == DELETED:
        return {"labels": {"vi": "Xóa hồ sơ", "en": "Deletion"}, "provisional": None}
    name = conflict.cell.partition("/")[0]
    members, state = log.kind.cells[name].members, log.state.cells[name]
    labels = {"vi": "; ".join(p.vi for p in members), "en": "; ".join(p.en for p in members)}
    return {"labels": labels, "provisional": state.value}


def _member(log: Log, conflict: Conflict, sub: str) -> dict[str, Any]:
    name = conflict.cell.partition("/")[0]
    entries = log.state.cells[name].entries if name in log.state.cells else ()
    entry = next((one for one in entries if one.op == sub), None)
    if entry is None:
        row = log.ops[sub]
        told = {"submission": sub, "act": row.op.act.value, "author": row.op.author, "observed_at": iso(row.op.t)}
        return told | {"received_at": iso(row.received), "value": None, "shows": False}
    shows = log.state.cells[name].current.op == sub
    return log.entry(entry) | {"base": log.shown(sub, name), "shows": shows, "request": entry.request}
