"""Everybody an officer has in his charge, found by whatever he knows of them, and the register of children.

A name may be that of the child, of a parent or of the head; a phone number or the beginning of an id will do, too. It
never is in an address: searches are posted.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import ColumnElement, func, select

from forms.checks import national
from server.auth.access import Access
from server.reading.names import found
from server.reading.profile import age
from server.reading.words import Words
from server.store.reads import fetch
from server.store.tables import ConflictTable, Entity, db

PAGE = 30
MOST = 50_000  # rows of a sheet


@dataclass(frozen=True)
class Line:
    """One child, household, adult or report. `risk` is the level that shows, `doubts` how many conflicts are open."""

    type: str
    id: str
    name: str
    age: tuple[int, int] | None
    sex: str
    head: str
    address: str
    place: str
    risk: int | None
    doubts: int
    dob: date | None = None


@dataclass(frozen=True)
class Asked:
    """Which children: of one hamlet (its scope), from a level of risk on, with an open conflict alone."""

    scope: str | None = None
    risk: int | None = None
    doubtful: bool = False


def search(words: Words, access: Access, wanted: str, kind: str | None, after: str | None) -> tuple[list[Line], bool]:
    """A page of those who are found, in Vietnamese order, and whether there are more. Raises as `found` does."""
    page = found(access, None, kind, _plain(wanted), after, PAGE)
    return lines(words, [one["id"] for one in page["entities"]], access.today), page["more"]


def found_all(words: Words, access: Access, wanted: str, kind: str | None) -> list[Line]:
    """All who are found, as far as a sheet takes them."""
    page = found(access, None, kind, _plain(wanted), None, MOST)
    return lines(words, [one["id"] for one in page["entities"]], access.today)


def _plain(wanted: str) -> str:
    """A phone number in the national way; anything else as typed."""
    digits = national(wanted)
    return digits if digits.isdecimal() and len(digits) >= 9 else wanted


def children(
    words: Words, access: Access, areas: Collection[str], asked: Asked, page: int, size: int = PAGE
) -> tuple[list[Line], int]:
    """A page (from 0) of the children of some areas, the highest risk first, then by name; and how many there are."""
    where = [Entity.area.in_(sorted(areas)), Entity.type == "child", ~Entity.dead]
    if asked.scope is not None:
        where.append(Entity.scope == asked.scope)
    if asked.risk is not None:
        where.append(Entity.risk >= asked.risk)
    if asked.doubtful:
        where.append(Entity.id.in_(select(ConflictTable.entity).where(ConflictTable.open)))
    ids, total = _by_risk(where, page * size, size)
    return lines(words, ids, access.today), total


def _by_risk(where: Sequence[ColumnElement[bool]], skip: int, size: int) -> tuple[list[str], int]:
    """Ids from the highest level of risk down, within one by name; and how many there are.

    Level by level, because each is read in the order of its index: all at once would have to be sorted.
    """
    levels = select(Entity.risk, func.count()).where(*where).group_by(Entity.risk)
    counted: dict[int | None, int] = {level: number for level, number in db.session.execute(levels)}  # noqa: C416
    ids: list[str] = []
    for level in sorted(counted, key=lambda one: -1 if one is None else one, reverse=True):
        if skip < counted[level] and len(ids) < size:
            same = select(Entity.id).where(
                *where, Entity.risk == level if level is not None else Entity.risk.is_(None)
            )
            order = Entity.sort, Entity.id
            ids += db.session.scalars(same.order_by(*order).offset(skip).limit(size - len(ids)))
        skip = max(skip - counted[level], 0)
    return ids, sum(counted.values())


def lines(words: Words, ids: Sequence[str], today: date) -> list[Line]:
    """These entities in words, in that order: three statements, however many there are."""
    rows = _rows(ids)
    homes = _rows({row.household for row in rows.values() if row.household} - rows.keys())
    counts = _doubts(rows)
    return [_line(words, rows[ident], rows | homes, counts, today) for ident in ids if ident in rows]


def _rows(ids: Collection[str]) -> dict[str, Any]:
    names = ("id", "type", "label", "dob", "household", "scope", "risk", "data")
    query = select(*(getattr(Entity, name) for name in names))
    connection = db.session.connection()
    return {row.id: row for row in fetch(connection, ids, lambda some: query.where(Entity.id.in_(some)))}


def _doubts(ids: Collection[str]) -> Mapping[str, int]:
    query = (
        select(ConflictTable.entity, func.count().label("number"))
        .where(ConflictTable.open)
        .group_by(ConflictTable.entity)
    )
    connection = db.session.connection()
    rows = fetch(connection, ids, lambda some: query.where(ConflictTable.entity.in_(some)))
    return {row.entity: row.number for row in rows}


def _line(words: Words, row: Any, known: Mapping[str, Any], counts: Mapping[str, int], today: date) -> Line:
    data = orjson.loads(row.data)
    home = known.get(row.household or "")
    house = orjson.loads(home.data) if home is not None else data
    return Line(
        type=row.type,
        id=row.id,
        name=row.label,
        age=age(row.dob, today) if row.dob else None,
        sex=words.code("sex", data.get("sex")),
        head=home.label if home is not None else "",
        address=str(house.get("address_line") or ""),
        place=words.place(row.scope) if row.scope else "",
        risk=row.risk,
        doubts=counts.get(row.id, 0),
        dob=date.fromisoformat(row.dob) if row.dob else None,
    )
