"""Stored visits against a fresh plan: what is new, what changed, what is done, what is no longer needed."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.visits.plan import Made, Visit, VisitState, completes
from sync.visits.rules import Rule, Rules


@dataclass
class Settled:
    """Rows to write, and which visit takes over the list lines of another whose start has moved."""

    rows: list[Visit] = field(default_factory=list)
    taken_over: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class _Done:
    """The visits that were made: by the entity that they are about (`visits_about`), and all their submissions."""

    about: Mapping[str, list[Made]]
    subs: frozenset[str]


def settle(existing: Iterable[Visit], planned: Sequence[Visit], made: Sequence[Made], rules: Rules) -> Settled:
    """Compare the stored visits of subjects with what is planned for them. Settling twice writes nothing."""
    settled = Settled()
    done = _Done(visits_about(made), frozenset(one.sub for one in made))
    wanted = {visit.id: visit for visit in planned}
    instead = {(visit.rule, visit.subject): visit for visit in planned}
    for row in existing:
        successor = instead.get((row.rule, row.subject))
        now = wanted.pop(row.id, None) or _ended(row, successor, done, rules)
        if now != row:
            settled.rows.append(now)
        if row.state is VisitState.OPEN and now.state is VisitState.NOT_NEEDED and successor:
            settled.taken_over[row.id] = successor.id
    settled.rows += wanted.values()
    return settled


def visits_about(made: Iterable[Made]) -> Mapping[str, list[Made]]:
    """The visits made by the entity that they name, and by the household in which that lives; in the same order."""
    about: dict[str, list[Made]] = {}
    for one in made:
        for ident in {one.subject, one.household} - {None}:
            about.setdefault(str(ident), []).append(one)
    return about


def _ended(row: Visit, successor: Visit | None, done: _Done, rules: Rules) -> Visit:
    """A stored visit that is no longer planned: completed by the first visit that counts, or not needed."""
    rule = rules.find(row.rule, row.subject_type)
    if row.state is VisitState.NOT_NEEDED or (rule is None and row.state is VisitState.DONE):
        return row
    by = None if rule is None else _completing(row, successor, done, rule)
    if by is None:
        return replace(row, state=VisitState.NOT_NEEDED, done_by=None)
    return replace(row, state=VisitState.DONE, done_by=by)


def _completing(row: Visit, successor: Visit | None, done: _Done, rule: Rule) -> str | None:
    """The submission that did it."""
    if rule.clock.since:
        return _telling(row, successor, done.subs)
    # Whatever a rule counts names the subject, or the household in which that lives.
    possible = (*done.about.get(row.subject, ()), *done.about.get(row.household or row.subject, ()))
    counted = [
        (one.t, one.sub)
        for one in possible
        if one.t >= row.start_at and one.sub != row.caused_by and completes(rule, one, row.subject, row.household)
    ]
    return min(counted)[1] if counted else None


def _telling(row: Visit, successor: Visit | None, made: frozenset[str]) -> str | None:
    """What waits for a later date is done by the visit that told it; who told it first stays."""
    later = successor is not None and successor.start_at > row.start_at
    teller = row.done_by or (successor.caused_by if successor is not None and later else None)
    return teller if teller in made else None
