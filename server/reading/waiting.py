"""The oldest submissions in some states: the same few rows of an index, however many there are."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import func, select, union_all

from server.store.tables import Submission, SubmissionState, db


def oldest(
    areas: Collection[str], states: Collection[str], limit: int, after: str | None = None, *where: Any
) -> Sequence[Any]:
    """Rows (Submission, SubmissionState), the oldest first; `after`: later than that one. `where` narrows them."""
    found = _ids(areas, states, limit, [*where, *_later(after)])
    order = SubmissionState.received_at, SubmissionState.sub
    query = select(Submission, SubmissionState).join(SubmissionState, SubmissionState.sub == Submission.id)
    return db.session.execute(query.where(SubmissionState.sub.in_(found)).order_by(*order)).all()


def by_state(areas: Collection[str]) -> dict[str, int]:
    """How many submissions there are in each state."""
    query = select(SubmissionState.state, func.count()).where(SubmissionState.area.in_(sorted(areas)))
    return {state: number for state, number in db.session.execute(query.group_by(SubmissionState.state))}  # noqa: C416


def _ids(areas: Collection[str], states: Collection[str], limit: int, where: Sequence[Any]) -> list[str]:
    """Of each area and state the oldest, then the oldest of those: each is read in the order of its index."""
    query = select(SubmissionState.sub, SubmissionState.received_at)
    if any("submission." in str(one) for one in where):
        query = query.join(Submission, Submission.id == SubmissionState.sub)
    query, order = query.where(*where), (SubmissionState.received_at, SubmissionState.sub)
    parts = [
        query.where(SubmissionState.area == area, SubmissionState.state == state, *where)
        .order_by(*order)
        .limit(limit)
        for area in sorted(areas)
        for state in sorted(states)
    ]
    if not parts:
        return []
    every = union_all(*(select(part.subquery()) for part in parts)).subquery()
    return list(db.session.scalars(select(every.c.sub).order_by(every.c.received_at, every.c.sub).limit(limit)))


def _later(after: str | None) -> tuple[Any, ...]:
    before = db.session.get(SubmissionState, after) if after else None
    if before is None:
        return ()
    at = SubmissionState.received_at
    return ((at > before.received_at) | ((at == before.received_at) & (SubmissionState.sub > before.sub)),)
