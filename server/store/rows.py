"""Between the values of the pure core and the rows of the tables."""

from collections.abc import Mapping
from typing import Any

import orjson
import zstandard

from sync.model import Act, Op, Standing, Write
from sync.ports import EntityRow, OpRow, SubmissionRow
from sync.visits.plan import Visit, VisitState

ZSTD = b"\x01"  # format byte of stored bodies: one more value will mean "encrypted", one "erased"


def pack(raw: bytes) -> bytes:
    """Bytes as they are stored: a format byte, then the compressed body."""
    return ZSTD + zstandard.compress(raw)


def unpack(stored: bytes) -> bytes:
    """The bytes exactly as they were received."""
    if stored[:1] != ZSTD:
        raise ValueError(f"unknown format byte {stored[:1]!r}")
    return zstandard.decompress(stored[1:])


def submission_row(row: SubmissionRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    return values | {"raw": pack(row.raw), "receipt": orjson.dumps(row.receipt)}


def entity_row(row: EntityRow) -> dict[str, Any]:
    values = {name: getattr(row, name) for name in row.__dataclass_fields__}
    return values | {
        "data": orjson.dumps(row.data, option=orjson.OPT_SORT_KEYS),
        "src": orjson.dumps(row.src),
    }


def read_entity(row: Any) -> EntityRow:
    names = EntityRow.__dataclass_fields__
    values = {name: getattr(row, name) for name in names}
    return EntityRow(**values | {"data": orjson.loads(row.data), "src": orjson.loads(row.src)})


def op_row(entry: OpRow) -> dict[str, Any]:
    op = entry.op
    said = {
        "said": op.said,
        "seen": op.seen,
        "loaded": sorted(op.loaded),
        "after": op.after,
        "areas": sorted(op.areas),
    }
    return {
        "entity": op.entity,
        "rev": entry.rev,
        "area": entry.area,
        "sub": op.sub,
        "author": op.author,
        "standing": op.standing.value,
        "act": op.act.value,
        "t_norm": op.t,
        "late": op.late,
        "suspect": op.suspect,
        "creates": op.creates,
        "received": entry.received,
        "base_rev": entry.base_rev,
        "base_ok": op.base_ok,
        "schema": entry.schema,
        "etag": entry.etag,
        "said": orjson.dumps(said),
        "writes": write_bytes(entry.writes),
    }


def write_bytes(writes: Mapping[str, Write]) -> bytes:
    return orjson.dumps(
        {
            cell: {
                "value": write.value,
                "replaces": sorted(write.replaces),
                "blind": write.blind,
                "request": write.request,
            }
            for cell, write in writes.items()
        }
    )


def read_ops(rows: list[Any]) -> list[OpRow]:
    """The log of one entity from its rows in order of revision; `base_rev` becomes the ops it names."""
    log: list[OpRow] = []
    for row in rows:
        named = row.base_rev if row.base_ok and row.base_rev else 0
        snapshot = frozenset(entry.op.sub for entry in log if entry.rev <= named)
        said = orjson.loads(row.said)
        op = Op(
            sub=row.sub,
            entity=row.entity,
            author=row.author,
            t=row.t_norm,
            said=said["said"],
            creates=row.creates,
            snapshot=snapshot,
            base_ok=row.base_ok,
            after=tuple(said["after"]),
            seen=said["seen"],
            loaded=frozenset(said["loaded"]),
            standing=Standing(row.standing),
            act=Act(row.act),
            late=row.late,
            suspect=row.suspect,
            areas=frozenset(said["areas"]),
        )
        log.append(
            OpRow(
                row.rev,
                row.etag,
                row.received,
                op,
                _read_writes(row.writes),
                row.base_rev,
                row.schema,
                row.area,
            )
        )
    return log


def _read_writes(stored: bytes) -> dict[str, Write]:
    return {
        cell: Write(write["value"], frozenset(write["replaces"]), write["blind"], write["request"])
        for cell, write in orjson.loads(stored).items()
    }


def visit_row(visit: Visit) -> dict[str, Any]:
    return {name: getattr(visit, name) for name in visit.__dataclass_fields__} | {"state": visit.state.value}


def read_visit(row: Any) -> Visit:
    values = {name: getattr(row, name) for name in Visit.__dataclass_fields__}
    return Visit(**values | {"state": VisitState(row.state)})
