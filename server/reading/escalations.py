"""Escalations as officers and schedulers read them: which visit and step, why it was due, what became of it."""

from collections.abc import Collection, Sequence
from typing import Any

from sqlalchemy import and_, or_, select, tuple_

from server.auth.access import Access
from server.store.tables import Entity, EscalationTable, MadeTable, Submission, VisitTable, db
from server.world import Nest
from sync.authority import PROTECTION
from sync.times import iso
from sync.visits.plan import VisitState

_OPEN = VisitTable.state == VisitState.OPEN.value


def escalation_list(
    nest: Nest, access: Access, areas: Collection[str], closed: bool, after: str | None, limit: int
) -> dict[str, Any]:
    """Steps that were reached in these areas, the oldest first, in pages; `after` is the `id` of the last one before.

    `closed`: of visits that have ended, else of those that are still open. What the asker does not plan is left out.
    """
    query = (
        select(EscalationTable, VisitTable, Entity.label, Submission.form)
        .join(VisitTable, VisitTable.id == EscalationTable.visit)
        .outerjoin(Entity, Entity.id == VisitTable.subject)
        .outerjoin(Submission, Submission.id == VisitTable.caused_by)
        .where(VisitTable.area.in_(areas), ~_OPEN if closed else _OPEN)
        .order_by(EscalationTable.at, EscalationTable.visit, EscalationTable.step)
    )
    protected = [area for area in areas if not access.plans(area, f"{area}/{PROTECTION}")]
    query = query.where(VisitTable.scope.not_in([f"{area}/{PROTECTION}" for area in protected]))
    visit, _, step = (after or "").partition(":")
    before = db.session.get(EscalationTable, (visit, step)) if after else None
    if before is not None:
        place = tuple_(EscalationTable.at, EscalationTable.visit, EscalationTable.step)
        query = query.where(place > (before.at, before.visit, before.step))
    rows = db.session.execute(query.limit(limit + 1)).all()
    times = _made([row.VisitTable for row in rows[:limit]])
    lines = [_line(nest, row.EscalationTable, row.VisitTable, row.label, row.form, times) for row in rows[:limit]]
    return {"escalations": lines, "more": len(rows) > limit}


def _made(visits: Sequence[VisitTable]) -> dict[str, int]:
    """When the visits were made that completed these: submission -> ms."""
    subs = {one.done_by for one in visits if one.done_by}
    if not subs:
        return {}
    ids = {one.subject for one in visits} | {one.household for one in visits if one.household}
    near = or_(MadeTable.subject.in_(ids), MadeTable.household.in_(ids))
    query = select(MadeTable.sub, MadeTable.t_norm).where(and_(near, MadeTable.sub.in_(subs)))
    return {row.sub: row.t_norm for row in db.session.execute(query)}


def _line(
    nest: Nest, one: EscalationTable, visit: VisitTable, label: str | None, form: str | None, times: dict[str, int]
) -> dict[str, Any]:
    rule = nest.rules.find(visit.rule, visit.subject_type)
    return {
        "id": f"{one.visit}:{one.step}",
        "step": one.step,
        "told": one.told,
        "at": iso(one.at),
        "noted_at": iso(one.noted_at),
        "state": _state(one, visit, times),
        "area": visit.area,
        "scope": visit.scope,
        "visit": {
            "id": visit.id,
            "rule": visit.rule,
            "rule_version": visit.rule_version,
            "name": dict(rule.texts["name"]) if rule is not None else {},
            "source": rule.source if rule is not None else None,
            "statutory": visit.statutory,
            "subject": {"type": visit.subject_type, "id": visit.subject, "label": label},
            "household": visit.household,
            "start": iso(visit.start_at),
            "due": visit.due.isoformat(),
            "due_at": iso(visit.due_at),
            "assignee_role": visit.assignee_role,
            "attempts": visit.attempts,
            "done_by": visit.done_by,
            "caused_by": {"submission": visit.caused_by, "form": form},
            "calendar": {"version": visit.calendar, "predicted": nest.calendar.predicted(visit.due.year)},
        },
    }


def _state(one: EscalationTable, visit: VisitTable, times: dict[str, int]) -> str:
    """What became of the visit: a visit made before the step, and sent after it, was never late."""
    if visit.state == VisitState.OPEN.value:
        return "open"
    if visit.state != VisitState.DONE.value:
        return "withdrawn"
    made = times.get(visit.done_by or "")
    return "in_time" if made is not None and made < one.at else "answered"
