"""Households and children found by name, of those that the reader reads, in Vietnamese order."""

from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, or_, select

from server.auth.access import Access
from server.problems import Problem
from server.store.tables import Entity, Scope, db
from sync.names import search_key

TOLD = ("type", "id", "label", "dob", "household", "area", "scope")


def found(access: Access, area: str | None, kind: str | None, wanted: str, after: str | None, limit: int) -> Any:
    """A page of those in whose names each word of `wanted` begins a word; `after` is the last of the page before.

    Raises the problems `forbidden` and `not_found`, the latter also for an `after` that the reader does not read.
    """
    readable = _readable(access, access.register(area))
    query = select(*(getattr(Entity, name) for name in TOLD)).where(*readable)
    for word in sorted(set(search_key(wanted).split())):
        query = query.where((" " + Entity.search).contains(f" {word}", autoescape=True))
    if kind is not None:
        query = query.where(Entity.type == kind)
    if after is not None:
        query = _following(query, after, readable)
    rows = db.session.execute(query.order_by(Entity.sort, Entity.id).limit(limit + 1)).all()
    return {
        "entities": [{name: getattr(row, name) for name in TOLD} for row in rows[:limit]],
        "more": len(rows) > limit,
    }


def _readable(access: Access, areas: frozenset[str]) -> tuple[ColumnElement[bool], ...]:
    """Named and alive, in a scope that he reads; a supervisor also what has no scope yet. The halves have no name."""
    scopes = access.scopes(db.session.scalars(select(Scope.name).where(Scope.counter.in_(areas))))
    unplaced = and_(Entity.scope.is_(None), Entity.area.in_(areas & access.areas))
    return (
        Entity.area.in_(areas),
        Entity.label != "",
        Entity.dead == false(),
        or_(Entity.scope.in_(scopes), unplaced),
    )


def _following(query: Select[Any], after: str, readable: tuple[ColumnElement[bool], ...]) -> Select[Any]:
    last = db.session.execute(select(Entity.sort).where(Entity.id == after, *readable)).one_or_none()
    if last is None:
        raise Problem("not_found")
    return query.where(or_(Entity.sort > last.sort, and_(Entity.sort == last.sort, Entity.id > after)))
