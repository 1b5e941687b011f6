"""Visits that are not made go up: one row for each visit and step, written once, whoever runs this and how often.

Messages are not sent here. A later run finds what was missed; `at` says when a step was reached, so a server that
was down notes it late and shows that.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Connection, and_, exists, select

from server.store.base import table
from server.store.dialects import upsert
from server.store.rows import read_visit
from server.store.store import SqlStore
from server.store.tables import EscalationTable, VisitTable, db
from sync.receive import World
from sync.visits.escalation import Escalation
from sync.visits.plan import Visit, VisitState
from sync.visits.rules import Rules

CHUNK = 100  # visits in a turn of the committer, which must stay short, or syncing waits for it
visit, escalation = table(VisitTable), table(EscalationTable)


def escalate(store: SqlStore, world: World, now: int, turn: Callable[[Callable[[], int]], int]) -> int:
    """Note every step that an open visit has reached by `now` (ms); returns how many are new. Twice is as once."""
    with db.engine.connect() as connection:
        found = _candidates(connection, world.rules, now)
    noted = 0
    for area, ids in sorted(found.items()):
        for start in range(0, len(ids), CHUNK):
            noted += turn(partial(_note, store, world.rules, area, ids[start : start + CHUNK], now))
    return noted


def _candidates(connection: Connection, rules: Rules, now: int) -> dict[str, list[str]]:
    """Area -> the open visits that have reached a step which is not noted; one statement for each kind of step."""
    found: dict[str, set[str]] = {}
    for step, codes in _kinds(rules).items():
        noted = exists().where(escalation.c.visit == visit.c.id, escalation.c.step == step.name)
        query = select(visit.c.area, visit.c.id).where(
            visit.c.state == VisitState.OPEN.value, visit.c.rule.in_(codes), _reached(step, now), ~noted
        )
        for row in connection.execute(query):
            found.setdefault(row.area, set()).add(row.id)
    return {area: sorted(ids) for area, ids in found.items()}


def _kinds(rules: Rules) -> dict[Escalation, list[str]]:
    """Every different step, with the codes of the rules that have it; of all their versions."""
    kinds: dict[Escalation, set[str]] = {}
    for rule in rules.rules:
        for step in rule.steps:
            kinds.setdefault(step, set()).add(rule.code)
    return {step: sorted(codes) for step, codes in kinds.items()}


def _reached(step: Escalation, now: int) -> Any:
    if step.failed is not None:
        return visit.c.attempts >= step.failed
    return visit.c.due_at <= now - (step.after or 0)


def _note(store: SqlStore, rules: Rules, area: str, ids: Sequence[str], now: int) -> int:
    """Look again under the lock of the area, as the visit may have been made meanwhile, and write."""
    with store.transaction([area]) as tx:
        is_open = and_(visit.c.area == area, visit.c.state == VisitState.OPEN.value, visit.c.id.in_(ids))
        visits = [read_visit(row) for row in tx.connection.execute(select(visit).where(is_open))]
        rows = [row for one in visits for row in reached_rows(one, rules, now)]
        query = select(escalation.c.visit, escalation.c.step).where(escalation.c.visit.in_(ids))
        noted = {(row.visit, row.step) for row in tx.connection.execute(query)}
        new = [row for row in rows if (row["visit"], row["step"]) not in noted]
        upsert(tx.connection, escalation, new, keep=("told", "rule_version", "at", "noted_at"))
        return len(new)


def reached_rows(one: Visit, rules: Rules, now: int) -> list[dict[str, Any]]:
    """The steps of an open visit by the version of the rule that planned it, else by the newest."""
    rule = rules.version_of(one.rule, one.subject_type, one.rule_version) or rules.find(one.rule, one.subject_type)
    if rule is None:
        return []
    return [
        {"visit": one.id, "step": step.name, "told": step.to, "rule_version": rule.version, "at": at, "noted_at": now}
        for step in rule.steps
        if (at := step.reached_at(one, now)) is not None
    ]
