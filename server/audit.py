"""The log of what persons did, chained by hashes within each area, so that no row can change unseen.

Whoever changes, removes, adds or moves a row breaks the chain from there on. Rows cut off at its very end leave
no trace here; a hash that was noted elsewhere does.
"""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, Row, Select, and_, func, insert, select, tuple_

from server.store.base import table
from server.store.dialects import IDS
from server.store.reads import asked
from server.store.tables import AuditTable, Counter
from sync.ports import AuditRow

audit = table(AuditTable)
COVERED = ("area", "n", "at", "who", "act", "subject", "sub")


def append(connection: Connection, entries: Sequence[AuditRow], held: Collection[str]) -> None:
    """Put entries at the end of their areas' chains; the counters of these areas must be held."""
    areas = {entry.area for entry in entries}
    if areas - set(held):
        raise ValueError(f"audit of areas that are not held: {sorted(areas - set(held))}")
    ends = _ends(connection, areas)
    values = []
    for entry in entries:
        n, prev = ends.get(entry.area, (0, ""))
        row = {name: getattr(entry, name) for name in COVERED if name != "n"} | {"n": n + 1}
        row["detail"] = orjson.dumps(entry.detail, option=orjson.OPT_SORT_KEYS)
        row |= {"prev": prev, "hash": link(prev, row)}
        ends[entry.area] = row["n"], row["hash"]
        values.append(row)
    if values:
        connection.execute(insert(audit), values)


def link(prev: str, row: dict[str, Any]) -> str:
    """The hash of an entry: SHA-256 of the JSON list of the hash before it and all that it says."""
    said = [prev, *(row[name] for name in COVERED), orjson.Fragment(row["detail"])]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()


@dataclass(frozen=True)
class Verified:
    """What was found: the (area, n) of entries that are not what their hashes say, how many were looked at, and the
    last of them, after which it goes on; None: it is through.
    """

    broken: list[tuple[str, int]]
    entries: int
    last: tuple[str, int] | None


def verify(connection: Connection, area: str | None = None) -> list[tuple[str, int]]:
    """Where the chain of an area, or of any, is broken: the entries that are not what their hashes say."""
    return verify_part(connection, area).broken


def verify_part(
    connection: Connection, area: str | None = None, after: tuple[str, int] | None = None, most: int | None = None
) -> Verified:
    """The same for at most `most` entries after that one, in the order of areas and numbers; read as a stream."""
    query = select(audit).order_by(audit.c.area, audit.c.n).limit(most)
    if area is not None:
        query = query.where(audit.c.area == area)
    last: Row[Any] | None = None
    if after is not None:
        last = connection.execute(select(audit).where(audit.c.area == after[0], audit.c.n == after[1])).one_or_none()
        query = query.where(tuple_(audit.c.area, audit.c.n) > tuple_(*after))
    broken, entries = [], 0
    for row in connection.execute(query.execution_options(yield_per=1_000)):
        before = (last.n, last.hash) if last is not None and last.area == row.area else (0, "")
        if (row.n - 1, row.prev) != before or row.hash != link(row.prev, dict(row._mapping)):
            broken.append((row.area, row.n))
        last, entries = row, entries + 1
    more = most is not None and entries == most and last is not None
    return Verified(broken, entries, (last.area, last.n) if more and last is not None else None)


def _ends(connection: Connection, areas: Collection[str]) -> dict[str, tuple[int, str]]:
    """The last number and hash of each chain. Each is looked up from its counter, whatever its length."""
    return {row.area: (row.n, row.hash) for row in asked(connection, areas, _ending())}


@cache
def _ending() -> Select[Any]:
    counter, same = table(Counter), audit.alias()
    newest = select(func.max(same.c.n)).where(same.c.area == counter.c.name).scalar_subquery()
    at_end = and_(audit.c.area == counter.c.name, audit.c.n == newest)
    query = select(audit.c.area, audit.c.n, audit.c.hash).select_from(counter).join(audit, at_end)
    return query.where(counter.c.name.in_(IDS))
