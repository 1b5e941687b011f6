"""Stored visits against a fresh plan: what is new, what changed, what is done, what is no longer needed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sync.visits.plan import Made, Visit, VisitState, completes
from sync.visits.rules import Rules


@dataclass
class Settled:
    """Rows to write, and which visit takes over the list lines of another whose start has moved."""

    rows: list[Visit] = field(default_factory=list)
    taken_over: dict[str, str] = field(default_factory=dict)


def settle(existing: Iterable[Visit], planned: Sequence[Visit], made: Sequence[Made], rules: Rules) -> Settled:
    """Compare the stored visits of subjects with what is planned for them. Settling twice writes nothing."""
    settled = Settled()
    wanted = {visit.id: visit for visit in planned}
    instead = {(visit.rule, visit.subject): visit.id for visit in planned}
    for row in existing:
        now = wanted.pop(row.id, None) or _ended(row, made, rules)
        if now != row:
            settled.rows.append(now)
        successor = instead.get((row.rule, row.subject))
        if row.state is VisitState.OPEN and now.state is VisitState.NOT_NEEDED and successor:
            settled.taken_over[row.id] = successor
    settled.rows += wanted.values()
    return settled


def _ended(row: Visit, made: Sequence[Made], rules: Rules) -> Visit:
    """A stored visit that is no longer planned: completed by the first visit that counts, or not needed."""
    gone = rules.find(row.rule, row.subject_type) is None
    if row.state is VisitState.NOT_NEEDED or (gone and row.state is VisitState.DONE):
        return row
    done = _completing(row, made, rules)
    if done is None:
        return replace(row, state=VisitState.NOT_NEEDED, done_by=None)
    return replace(row, state=VisitState.DONE, done_by=done.sub)


def _completing(row: Visit, made: Sequence[Made], rules: Rules) -> Made | None:
    rule = rules.find(row.rule, row.subject_type)
    if rule is None:
        return None
    counted = [
        one
        for one in made
        if one.t >= row.start_at and one.sub != row.caused_by and completes(rule, one, row.subject, row.household)
    ]
    return min(counted, key=lambda one: (one.t, one.sub), default=None)
