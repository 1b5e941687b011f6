"""Between the values of the pure core and the rows of the tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import orjson
import zstandard

from sync.batch import MediumRow
from sync.ports import EntityRow, Mark, OpRow, Review, StateRow, SubmissionRow
from sync.state.model import Act, Branch, Conflict, Notice, Op, Standing, Write
from sync.visits.plan import Made, Visit, VisitState

# The format byte of stored bodies and files: one more value will mean "encrypted", one "erased".
PLAIN, ZSTD = b"\x00", b"\x01"


def pack(raw: bytes) -> bytes:
    """Bytes as they are stored: a format byte, then the compressed body."""
    return ZSTD + zstandard.compress(raw)


def unpack(stored: bytes) -> bytes:
    """The bytes exactly as they were received."""
    if stored[:1] != ZSTD:
        raise ValueError(f"unknown format byte {stored[:1]!r}")
    return zstandard.decompress(stored[1:])


def submission_row(row: SubmissionRow) -> dict[str, Any]:
    stored = {"raw": pack(row.raw), "receipt": orjson.dumps(row.receipt), "facts": orjson.dumps(row.facts)}
    return _values(row) | stored


def read_submission(row: Any) -> SubmissionRow:
    facts = orjson.loads(row.facts) if row.facts is not None else {}
    read = {"raw": unpack(row.raw), "receipt": orjson.loads(row.receipt), "facts": facts}
    return SubmissionRow(**_named(SubmissionRow, row) | read)


def medium_row(row: MediumRow) -> dict[str, Any]:
    return _values(row)


def read_medium(row: Any) -> MediumRow:
    return MediumRow(**_named(MediumRow, row))


def state_row(row: StateRow) -> dict[str, Any]:
    return _values(row) | {"state": row.state.value, "notices": orjson.dumps(row.notices)}


def read_state(row: Any) -> StateRow:
    read = {"state": Review(row.state), "notices": tuple(orjson.loads(row.notices))}
    return StateRow(**_named(StateRow, row) | read)


def entity_row(row: EntityRow) -> dict[str, Any]:
    stored = {
        "data": orjson.dumps(row.data, option=orjson.OPT_SORT_KEYS),
        "src": orjson.dumps(row.src),
        "broken": orjson.dumps(row.broken),
    }
    return _values(row) | stored


def read_entity(row: Any) -> EntityRow:
    read = {
        "data": orjson.loads(row.data),
        "src": orjson.loads(row.src),
        "broken": tuple(orjson.loads(row.broken)),
    }
    return EntityRow(**_named(EntityRow, row) | read)


def op_row(entry: OpRow) -> dict[str, Any]:
    op = entry.op
    said = {
        "said": op.said,
        "seen": op.seen,
        "loaded": sorted(op.loaded),
        **({"hidden": {name: sorted(codes) for name, codes in op.hidden.items()}} if op.hidden else {}),
        "after": op.after,
        **({"branch": [op.branch.id, op.branch.step, op.branch.rooted]} if op.branch else {}),
        "places": sorted(op.places),
        "day": op.day,
    }
    return {
        "entity": op.entity,
        "sub": op.sub,
        "type": entry.type,
        "rev": entry.marks[0].rev if entry.marks else None,
        "area": entry.area,
        "author": op.author,
        "standing": op.standing.value,
        "act": op.act.value,
        "form": entry.form,
        "result": entry.result,
        "amends": op.amends,
        "target": op.target,
        "t_norm": op.t,
        "late": op.late,
        "suspect": op.suspect,
        "creates": op.creates,
        "received": entry.received,
        "arrived": op.arrived,
        "base_rev": entry.base_rev,
        "base_ok": op.base_ok,
        "schema": op.schema,
        "key": entry.key,
        "marks": orjson.dumps([[mark.rev, mark.etag, mark.at] for mark in entry.marks]),
        "said": orjson.dumps(said),
        "writes": write_bytes(entry.writes),
    }


def write_bytes(writes: Mapping[str, Write]) -> bytes:
    """Writes as JSON, each with those members alone that are not empty."""
    return orjson.dumps({cell: _write(write) for cell, write in writes.items()})


def _write(write: Write) -> dict[str, Any]:
    members = {
        "value": write.value,
        "replaces": sorted(write.replaces),
        "blind": write.blind,
        "request": write.request,
        "added": sorted(write.added),
        "removed": sorted(write.removed),
        "items": write.items,
    }
    return {name: member for name, member in members.items() if member}


def read_ops(rows: Sequence[Any]) -> list[OpRow]:
    """The log of one entity from its rows in order of arrival; `base_rev` becomes the ops that it names."""
    log = [_read_op(row) for row in rows]
    return [_with_snapshot(entry, _snapshot(entry, log)) for entry in log]


def _with_snapshot(entry: OpRow, snapshot: frozenset[str]) -> OpRow:
    return replace(entry, op=replace(entry.op, snapshot=snapshot)) if snapshot else entry


def _snapshot(entry: OpRow, log: Sequence[OpRow]) -> frozenset[str]:
    """The ops that counted at its base; none that came later than it did, whatever revision it claims."""
    if not entry.op.base_ok or not entry.base_rev:
        return frozenset()
    base = entry.base_rev
    found = (other for other in log if other is not entry and other.present_at(base))
    return frozenset(
        other.op.sub for other in found if max(m.at for m in other.marks if m.rev <= base) <= entry.received
    )


def _read_op(row: Any) -> OpRow:
    said = orjson.loads(row.said)
    op = Op(
        sub=row.sub,
        entity=row.entity,
        author=row.author,
        t=row.t_norm,
        said=said["said"],
        creates=row.creates,
        base_ok=row.base_ok,
        after=tuple(said["after"]),
        seen=said["seen"],
        loaded=frozenset(said["loaded"]),
        hidden={name: frozenset(codes) for name, codes in said.get("hidden", {}).items()},
        standing=Standing(row.standing),
        act=Act(row.act),
        late=row.late,
        suspect=row.suspect,
        places=frozenset(said["places"] if "places" in said else said["areas"]),
        arrived=row.arrived,
        amends=row.amends,
        day=said.get("day"),
        schema=row.schema,
        target=row.target,
        branch=Branch(*said["branch"]) if "branch" in said else None,
    )
    return OpRow(
        op=op,
        marks=tuple(Mark(*mark) for mark in orjson.loads(row.marks)),
        received=row.received,
        area=row.area,
        base_rev=row.base_rev,
        writes={cell: _read_write(write) for cell, write in orjson.loads(row.writes).items()},
        key=row.key,
        form=row.form,
        result=row.result,
        type=row.type,
    )


def _read_write(stored: Mapping[str, Any]) -> Write:
    if len(stored) == 1 and "value" in stored:  # most of them
        return Write(stored["value"])
    return Write(
        value=stored.get("value", {}),
        replaces=frozenset(stored.get("replaces", ())),
        blind=stored.get("blind", False),
        request=stored.get("request", False),
        added=frozenset(stored.get("added", ())),
        removed=frozenset(stored.get("removed", ())),
        items=tuple(stored.get("items", ())),
    )


def conflict_row(conflict: Conflict, area: str, also: str | None, at: int) -> dict[str, Any]:
    """An open conflict; of one that was there before, `opened_at` is kept by whoever writes it."""
    return {
        "id": conflict.id,
        "area": area,
        "also": also,
        "entity": conflict.entity,
        "cell": conflict.cell,
        "members": orjson.dumps(conflict.members),
        "open": True,
        "opened_at": at,
        "resolved_by": None,
        "closed_at": None,
    }


def notice_row(entity: str, notice: Notice) -> dict[str, Any]:
    return {
        "entity": entity,
        "cell": notice.cell,
        "sub": notice.op,
        "kind": notice.kind.value,
        "by_sub": notice.by,
    }


def made_row(made: Made) -> dict[str, Any]:
    values = _values(made)
    return values | {"t_norm": values.pop("t")}


def read_made(row: Any) -> Made:
    return Made(row.sub, row.form, row.t_norm, row.result, row.subject, row.household)


def visit_row(visit: Visit) -> dict[str, Any]:
    return _values(visit) | {"state": visit.state.value}


def read_visit(row: Any) -> Visit:
    return Visit(**_named(Visit, row) | {"state": VisitState(row.state)})


def _values(value: Any) -> dict[str, Any]:
    """The fields of a dataclass by name."""
    return {name: getattr(value, name) for name in value.__dataclass_fields__}


def _named(kind: Any, row: Any) -> dict[str, Any]:
    """The columns of a row that are named as the fields of a dataclass."""
    return {name: getattr(row, name) for name in kind.__dataclass_fields__}
