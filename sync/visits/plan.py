"""Which visits are due: a pure function of what is known of a subject. Running it twice changes nothing.

A visit's key is (rule, subject, start). Start is the first write, by (time, submission), of the unbroken run
in which the trigger holds, or the last completing visit if later, or an age of the subject. Confirming what
is known already never restarts a clock.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from itertools import islice, product
from typing import Any, Protocol

from sync.times import end_of_day, iso, local_date, to_ms
from sync.visits.calendar import Calendar
from sync.visits.conditions import Facts
from sync.visits.rules import Rule, Rules, Trigger, Unit
from sync.visits.runs import History, as_if, current_run, midnight

_NAMESPACE = uuid.UUID("0a7b6a3e-9d0f-5f7e-8a55-1f6c2f1c7d10")
_COMPLETED, _NOBODY_HOME = ("1", "2"), "3"
_MOST_CANDIDATES = 16


class VisitState(StrEnum):
    """What became of a follow-up visit."""

    OPEN = "open"
    DONE = "done"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class Step:
    """The merged values of some properties from the instant `t` (ms) on; `sub` made the step, and said `told`."""

    t: int
    sub: str
    data: Mapping[str, Any]
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Child:
    """What a rule about households needs of a child; `since` (ms) and `sub` are its first write."""

    id: str
    dob: date | None
    since: int
    sub: str


class Subject(Protocol):
    """A household or child as planning sees it; `since` (ms) and `sub` are its first write."""

    @property
    def type(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def household(self) -> str | None: ...
    @property
    def area(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def since(self) -> int: ...
    @property
    def sub(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def children(self) -> Sequence[Child]: ...

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        """How these properties came to be, ascending by (t, sub)."""

    def candidates(self, prop: str) -> Sequence[Any]:
        """Every live value while a conflict is open, else the one there is."""


@dataclass(frozen=True)
class Made:
    """A visit that was made: one submission naming an entity; `result` is a code of list visit_result."""

    sub: str
    form: str
    t: int
    result: str
    subject: str
    household: str | None


@dataclass(frozen=True)
class Visit:
    """A follow-up visit. Dates are local (Asia/Ho_Chi_Minh); `due_at` (ms) is when it becomes overdue.

    `show_on` is the working day on or before the due date, for printed lists. `calendar` names the version
    that computed the dates; `caused_by` is the submission that started the clock.
    """

    id: str
    rule: str
    rule_version: int
    subject_type: str
    subject: str
    household: str | None
    area: str
    scope: str
    start: str
    start_at: int
    earliest: date
    due: date
    latest: date
    due_at: int
    show_on: date
    assignee_role: str
    priority: int
    statutory: bool
    reason: str
    caused_by: str
    calendar: str
    state: VisitState
    done_by: str | None
    attempts: int


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
    counted = [one for one in made if _counts(rule, one, subject.id, subject.household)]
    possible = (_due(subject, counted, rule, calendar, run) for run in _runs(subject, rule, today))
    visits = [visit for visit in possible if visit is not None]
    return min(visits, key=lambda visit: (visit.due_at, visit.id), default=None)


@dataclass(frozen=True)
class _Run:
    """The unbroken run in which a trigger holds: its first instant, what caused it; the subject's birth."""

    start_at: int
    cause: str
    born: date | None


def _runs(subject: Subject, rule: Rule, today: date) -> Iterator[_Run]:
    """The run as things are; during a conflict, that of every candidate value as well."""
    if rule.condition is None:
        return
    names = sorted(rule.condition.properties)
    disputed = {name: subject.candidates(name) for name in names}
    dated = subject.type != "household" and (rule.condition.ages or rule.clock.at)
    births = subject.candidates("dob") if dated else [None]
    first = (subject.since, subject.sub)
    told = [((step.t, step.sub), step.data) for step in subject.timeline(names)]
    if not told or told[0][0] > first:
        told = [(first, {}), *told]
    for dob, *values in islice(product(births, *disputed.values()), _MOST_CANDIDATES):
        steps = as_if(told, dict(zip(names, values, strict=True)), disputed)
        born = date.fromisoformat(dob) if dob else None
        known = [(max(first, (one.since, one.sub)), one.dob) for one in subject.children if one.dob]
        run = current_run(rule.condition, History(steps, [(first, born)] if born else known), today)
        if run is not None:
            yield _Run(*run, born)


def _due(subject: Subject, counted: Sequence[Made], rule: Rule, calendar: Calendar, run: _Run) -> Visit | None:
    if rule.clock.at:
        return _milestone(subject, counted, rule, calendar, run)
    done = [one for one in counted if _later(one, run, run.start_at) and one.result in _COMPLETED]
    start_at, cause = (done[-1].t, done[-1].sub) if done else (_origin(subject, rule, run), run.cause)
    if done and rule.once:
        news = _news(subject, rule, done)
        if news is None:
            return None
        start_at, cause = news.t, news.sub
    due = rule.clock.due(start_at, rule.clock.count, calendar)
    return _build(subject, rule, calendar, iso(start_at), start_at, due, cause, _failed(counted, start_at))


def _origin(subject: Subject, rule: Rule, run: _Run) -> int:
    """When the clock began to run: with the write, or earlier if a property says so."""
    stated = subject.data.get(rule.clock.origin) if rule.clock.origin else None
    return run.start_at if stated is None else min(run.start_at, to_ms(datetime.fromisoformat(stated)))


def _news(subject: Subject, rule: Rule, done: Sequence[Made]) -> Step | None:
    """The first submission after the last completing visit that tells by itself what the rule is about."""
    assert rule.condition is not None
    known, last = {one.sub for one in done}, (done[-1].t, done[-1].sub)
    for step in subject.timeline(sorted(rule.condition.properties)):
        new = (step.t, step.sub) > last and step.sub not in known
        if new and rule.condition.holds(Facts(step.told, [], local_date(step.t))):
            return step
    return None


def _milestone(subject: Subject, counted: Sequence[Made], rule: Rule, calendar: Calendar, run: _Run) -> Visit | None:
    """The first age not yet visited; ages that were past before anyone knew are skipped, but for the last."""
    if run.born is None:
        return None
    dates = {age: rule.clock.due(midnight(run.born), age, calendar) for age in rule.clock.at}
    ahead = [age for age in rule.clock.at if dates[age] >= local_date(run.start_at)] or [rule.clock.at[-1]]
    for age in ahead:
        start_at = max(run.start_at, midnight(dates[age] - timedelta(days=rule.before)))
        if not any(_later(one, run, start_at) and one.result in _COMPLETED for one in counted):
            key, failed = f"{rule.clock.unit}-{age}", _failed(counted, start_at)
            return _build(subject, rule, calendar, key, start_at, dates[age], run.cause, failed)
    return None


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
