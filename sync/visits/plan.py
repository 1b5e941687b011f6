"""Which visits are due: a pure function of what is known of a subject. Running it twice changes nothing.

A visit's key is (rule, subject, start). Start is the first write, by (time, submission), of the unbroken run
in which the trigger holds, or the last completing visit if later, or an age of the subject. Confirming what
is known already never restarts a clock.
"""

import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import count, islice, product
from typing import Any

from sync.times import ZONE, end_of_day, iso, local_date, to_ms
from sync.visits.calendar import Calendar
from sync.visits.conditions import Facts
from sync.visits.model import Child, Made, Step, Subject, Visit, VisitState
from sync.visits.rules import Rule, Rules, Trigger, Unit
from sync.visits.runs import History, as_if, current_run, midnight

__all__ = ["Child", "Made", "Step", "Subject", "Visit", "VisitState", "completes", "plan"]

_NAMESPACE = uuid.UUID("0a7b6a3e-9d0f-5f7e-8a55-1f6c2f1c7d10")
_COMPLETED, _NOBODY_HOME = ("1", "2"), "3"
_MOST_CANDIDATES = 16


def plan(subject: Subject, made: Iterable[Made], rules: Rules, calendar: Calendar, today: date) -> tuple[Visit, ...]:
    """The open visits of one subject: at most one for each rule."""
    visits = sorted(made, key=lambda one: (one.t, one.sub))
    found = (_visit(subject, visits, rule, calendar, today) for rule in rules.for_type(subject.type, today))
    return tuple(visit for visit in found if visit is not None)


def completes(rule: Rule, visit: Made, subject: str, household: str | None) -> bool:
    """Whether a visit made is one that the rule counts for its subject, and somebody was met."""
    return visit.result in _COMPLETED and _counts(rule, visit, subject, household)


def _counts(rule: Rule, visit: Made, subject: str, household: str | None) -> bool:
    counts = rule.done_by.get(visit.form)
    named = visit.subject == subject or (counts == "household" and visit.household == (household or subject))
    return counts is not None and named


def _visit(subject: Subject, made: Sequence[Made], rule: Rule, calendar: Calendar, today: date) -> Visit | None:
    if rule.trigger is Trigger.NOBODY_HOME:
        return _retry(subject, made, rule, calendar)
    runs = list(_runs(subject, rule, today))
    counted = [one for one in made if _counts(rule, one, subject.id, subject.household)] if runs else []
    possible = (_due(subject, counted, rule, calendar, run) for run in runs)
    visits = [visit for visit in possible if visit is not None]
    return min(visits, key=lambda visit: (visit.due_at, visit.id), default=None)


@dataclass(frozen=True)
class _Run:
    """The unbroken run in which a trigger holds: its first instant, what caused it; the subject's birth."""

    start_at: int
    cause: str
    born: date | None


def _runs(subject: Subject, rule: Rule, today: date) -> Iterator[_Run]:
    """The run as things are; during a conflict, that of every candidate value as well.

    Most rules end here: what holds in the end only of other values than these has no run, whenever it held.
    """
    if rule.condition is None:
        return
    names = rule.condition.names
    disputed = {name: subject.candidates(name) for name in names}
    if all(len(values) == 1 for values in disputed.values()):
        possible = rule.condition.told(subject.data) is not False
    else:
        possible = any(_possible(rule, names, values) for values in product(*disputed.values()))
    if not possible:
        return
    dated = subject.type != "household" and (rule.condition.ages or rule.clock.at)
    births = subject.candidates("dob") if dated else [None]
    first = (subject.since, subject.sub)
    told = [((step.t, step.sub), step.data) for step in subject.timeline(names)]
    if not told or told[0][0] > first:
        told = [(first, {}), *told]
    for dob, *values in islice(product(births, *disputed.values()), _MOST_CANDIDATES):
        if not _possible(rule, names, values):
            continue
        steps = as_if(told, dict(zip(names, values, strict=True)), disputed)
        born = date.fromisoformat(dob) if dob else None
        children = [one for one in subject.children if one.at_risk or not rule.condition.at_risk]
        known = [(max(first, (one.since, one.sub)), one.dob) for one in children if one.dob]
        run = current_run(rule.condition, History(steps, [(first, born)] if born else known), today)
        if run is not None:
            yield _Run(*run, born)


def _possible(rule: Rule, names: Sequence[str], values: Sequence[Any]) -> bool:
    """Whether a rule can hold while its properties have these values, whatever anybody's age."""
    return rule.condition is not None and rule.condition.told(dict(zip(names, values, strict=True))) is not False


def _due(subject: Subject, counted: Sequence[Made], rule: Rule, calendar: Calendar, run: _Run) -> Visit | None:
    if rule.clock.milestones:
        return _milestone(subject, counted, rule, calendar, run)
    if rule.clock.since:
        return _since(subject, counted, rule, calendar, run)
    done = [one for one in counted if _later(one, run, run.start_at) and one.result in _COMPLETED]
    origin = rule.clock.origin
    stated = subject.data.get(origin) if origin else None
    start_at, cause = (done[-1].t, done[-1].sub) if done else (_not_after(run.start_at, stated), run.cause)
    if done and rule.once:
        news = _news(subject, rule, done)
        if news is None:
            return None
        start_at, cause = _not_after(news.t, news.told.get(origin) if origin else None), news.sub
    due = rule.clock.due(start_at, rule.clock.count, calendar)
    return _build(subject, rule, calendar, iso(start_at), start_at, due, cause, _failed(counted, start_at))


def _not_after(told_at: int, stated: Any) -> int:
    """When the clock began to run: with the write (`told_at`), or earlier if a date or a time says so."""
    return told_at if stated is None else min(told_at, _instant(stated))


def _instant(stated: str) -> int:
    """A date (its first instant) or a time as an instant; without a zone it is local."""
    moment = datetime.fromisoformat(stated)
    return to_ms(moment if moment.tzinfo else moment.replace(tzinfo=ZONE))


def _news(subject: Subject, rule: Rule, done: Sequence[Made]) -> Step | None:
    """The first submission after the last completing visit that tells by itself what the rule is about."""
    assert rule.condition is not None
    known, last = {one.sub for one in done}, (done[-1].t, done[-1].sub)
    names = rule.condition.properties | ({rule.clock.origin} if rule.clock.origin else set())
    for step in subject.timeline(sorted(names)):
        new = (step.t, step.sub) > last and step.sub not in known
        if new and rule.condition.holds(Facts(step.told, _births(subject), local_date(step.t))):
            return step
    return None


def _births(subject: Subject) -> list[date]:
    """Every birth date that may be right: of the children of a household, or the subject's own."""
    if subject.type == "household":
        return [child.dob for child in subject.children if child.dob]
    return [date.fromisoformat(dob) for dob in subject.candidates("dob") if dob]


def _since(subject: Subject, counted: Sequence[Made], rule: Rule, calendar: Calendar, run: _Run) -> Visit:
    """Counted from the date that a property tells; only a later date moves it on, no visit does.

    Without a date it runs since the subject is known, and during a conflict from the earliest candidate.
    """
    name = str(rule.clock.since)
    start_at, cause = run.start_at, run.cause
    stated = min((value for value in subject.candidates(name) if value), default=None)
    telling = [step for step in subject.timeline([name]) if step.told.get(name) == stated]
    if stated is not None and telling:  # a date that lies ahead of its telling is a slip
        start_at, cause = _not_after(telling[0].t, stated), telling[0].sub
    due = rule.clock.due(start_at, rule.clock.count, calendar)
    key = iso(start_at)
    return _build(subject, rule, calendar, key, start_at, due, cause, _failed(counted, start_at))


def _milestone(subject: Subject, counted: Sequence[Made], rule: Rule, calendar: Calendar, run: _Run) -> Visit | None:
    """The first milestone not yet visited. Those that were past before anyone knew are skipped.

    Of ages the last one is asked for all the same. Counted from a property, the key names its date: another date is
    another series.
    """
    clock, base, prefix = rule.clock, run.born, ""
    if clock.origin:
        stated = min((value for value in subject.candidates(clock.origin) if value), default=None)
        base = local_date(_instant(stated)) if stated else None
        prefix = f"{base} "
    if base is None:
        return None
    for step in _ahead(clock.at or count(clock.every, clock.every), base, rule, calendar, run):
        due = clock.due(midnight(base), step, calendar)
        start_at = max(run.start_at, midnight(due - timedelta(days=rule.before)))
        if not any(_later(one, run, start_at) and one.result in _COMPLETED for one in counted):
            key, failed = f"{prefix}{clock.unit}-{step}", _failed(counted, start_at)
            return _build(subject, rule, calendar, key, start_at, due, run.cause, failed)
    return None


def _ahead(steps: Iterable[int], base: date, rule: Rule, calendar: Calendar, run: _Run) -> Iterator[int]:
    """The milestones that were not past when the run began; those of a property have their window left, too."""
    known, clock = local_date(run.start_at), rule.clock
    grace = timedelta(days=rule.after if clock.origin else 0)
    none = True
    for step in steps:
        if clock.due(midnight(base), step, calendar) + grace >= known:
            none = False
            yield step
    if none and clock.at and not clock.origin:
        yield clock.at[-1]


def _later(one: Made, run: _Run, start_at: int) -> bool:
    """Whether a visit was made at or after a start, and is not the one that caused it."""
    return one.t >= start_at and one.sub != run.cause


def _failed(counted: Sequence[Made], start_at: int) -> int:
    return sum(one.result == _NOBODY_HOME and one.t >= start_at for one in counted)


def _retry(subject: Subject, made: Sequence[Made], rule: Rule, calendar: Calendar) -> Visit | None:
    """After nobody was home: counted from the last attempt since somebody was met."""
    mine = [one for one in made if one.subject == subject.id]
    met = [index for index, one in enumerate(mine) if completes(rule, one, subject.id, subject.household)]
    failed = [one for one in mine[met[-1] + 1 if met else 0 :] if one.result == _NOBODY_HOME]
    if not failed:
        return None
    last = failed[-1]
    due = rule.clock.due(last.t, rule.clock.count, calendar)
    return _build(subject, rule, calendar, iso(last.t), last.t, due, last.sub, len(failed))


def _build(
    subject: Subject,
    rule: Rule,
    calendar: Calendar,
    start: str,
    start_at: int,
    due: date,
    cause: str,
    attempts: int,
) -> Visit:
    escalated = rule.escalate_after is not None and attempts >= rule.escalate_after
    hours = rule.clock.unit is Unit.HOUR
    return Visit(
        id=str(uuid.uuid5(_NAMESPACE, f"{rule.code} {subject.id} {start}")),
        rule=rule.code,
        rule_version=rule.version,
        subject_type=subject.type,
        subject=subject.id,
        household=subject.household,
        area=subject.area,
        scope=subject.scope,
        start=start,
        start_at=start_at,
        earliest=due - timedelta(days=rule.before),
        due=due,
        latest=due + timedelta(days=rule.after),
        due_at=start_at + rule.clock.count * 3_600_000 if hours else end_of_day(due),
        show_on=calendar.working_day_on_or_before(due),
        assignee_role="supervisor" if escalated else rule.role,
        priority=rule.priority,
        statutory=rule.statutory,
        reason=rule.code,
        caused_by=cause,
        calendar=calendar.version,
        state=VisitState.OPEN,
        done_by=None,
        attempts=attempts,
    )
