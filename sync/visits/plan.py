"""Which visits are due: a pure function of what is known of a subject. Running it twice changes nothing.

A visit's key is (rule, subject, start). Start is the first write, by (time, submission), of the unbroken run
in which the trigger holds, or the last completing visit if later, or an age of the subject. Confirming what is
known already never restarts a clock.
"""

import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import product
from typing import Any, Protocol

from sync.times import ZONE, end_of_day, iso, local_date, to_ms
from sync.visits.calendar import Calendar
from sync.visits.conditions import Facts, reached
from sync.visits.rules import Rule, Rules, Trigger, Unit

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
    """The merged values of some properties from the instant `t` (ms) on; `sub` made the step."""

    t: int
    sub: str
    data: Mapping[str, Any]


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
    """Whether a visit made is one that the rule counts for its subject."""
    counts = rule.done_by.get(visit.form)
    named = visit.subject == subject or (counts == "household" and visit.household == (household or subject))
    return counts is not None and named and visit.result in _COMPLETED


def _visit(subject: Subject, made: Sequence[Made], rule: Rule, calendar: Calendar, today: date) -> Visit | None:
    if rule.trigger is Trigger.NOBODY_HOME:
        return _retry(subject, made, rule, calendar)
    possible = (_due(subject, made, rule, calendar, today, values) for values in _values(subject, rule))
    visits = [visit for visit in possible if visit is not None]
    return min(visits, key=lambda visit: (visit.due_at, visit.id), default=None)


def _values(subject: Subject, rule: Rule) -> Iterator[Mapping[str, Any]]:
    """What the rule's properties may be: as they are; during a conflict, every candidate as well."""
    names = sorted(rule.condition.properties) if rule.condition else []
    if subject.type != "household":
        names.append("dob")
    options = [subject.candidates(name) for name in names]
    for count, values in enumerate(product(*options)):
        if count == _MOST_CANDIDATES:
            return
        yield dict(zip(names, values, strict=True))


def _births(subject: Subject, values: Mapping[str, Any]) -> list[date]:
    if subject.type == "household":
        return [child.dob for child in subject.children if child.dob is not None]
    born = values.get("dob")
    return [date.fromisoformat(born)] if born else []


def _due(
    subject: Subject,
    made: Sequence[Made],
    rule: Rule,
    calendar: Calendar,
    today: date,
    values: Mapping[str, Any],
) -> Visit | None:
    births = _births(subject, values)
    if rule.condition is None or not rule.condition.holds(Facts(values, births, today)):
        return None
    known_at, cause = _run(subject, rule, values, births)
    done = [one for one in made if completes(rule, one, subject.id, subject.household) and one.sub != cause]
    if rule.clock.at:
        return _milestone(subject, done, rule, calendar, births, known_at, cause)
    start_at = max([known_at, *(_midnight(reached(born, *age)) for age in rule.condition.ages for born in births)])
    last = next((one for one in reversed(done) if one.t >= start_at), None)
    if last is not None:
        start_at, cause = last.t, last.sub
    due = rule.clock.due(local_date(start_at), rule.clock.count, calendar)
    attempts = [one for one in made if one.result == _NOBODY_HOME and one.t >= start_at]
    return _build(subject, rule, calendar, iso(start_at), start_at, due, cause, len(attempts))


def _run(subject: Subject, rule: Rule, values: Mapping[str, Any], births: Sequence[date]) -> tuple[int, str]:
    """When, and by which submission, the run began in which the trigger holds unbroken until now."""
    assert rule.condition is not None
    names = sorted(rule.condition.properties)
    if not names:
        return min(((c.since, c.sub) for c in subject.children if c.dob), default=(subject.since, subject.sub))
    steps = list(subject.timeline(names))
    if not steps:
        return subject.since, subject.sub
    steps[-1] = replace(steps[-1], data=values)
    start = steps[-1]
    for step in reversed(steps):
        if not rule.condition.holds(Facts(step.data, births, None)):
            break
        start = step
    return start.t, start.sub


def _milestone(
    subject: Subject,
    done: Sequence[Made],
    rule: Rule,
    calendar: Calendar,
    births: Sequence[date],
    known_at: int,
    cause: str,
) -> Visit | None:
    """The first age not yet visited; ages that were past before anyone knew are skipped, but for the last."""
    if not births:
        return None
    dates = {age: rule.clock.due(births[0], age, calendar) for age in rule.clock.at}
    ahead = [age for age in rule.clock.at if dates[age] >= local_date(known_at)] or [rule.clock.at[-1]]
    for age in ahead:
        start_at = _midnight(dates[age] - timedelta(days=rule.before))
        if not any(one.t >= start_at for one in done):
            return _build(subject, rule, calendar, f"{rule.clock.unit}-{age}", start_at, dates[age], cause, 0)
    return None


def _retry(subject: Subject, made: Sequence[Made], rule: Rule, calendar: Calendar) -> Visit | None:
    """After nobody was home: counted from the last attempt since somebody was met."""
    mine = [one for one in made if one.subject == subject.id]
    met = [index for index, one in enumerate(mine) if completes(rule, one, subject.id, subject.household)]
    failed = [one for one in mine[met[-1] + 1 if met else 0 :] if one.result == _NOBODY_HOME]
    if not failed:
        return None
    last = failed[-1]
    due = rule.clock.due(local_date(last.t), rule.clock.count, calendar)
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


def _midnight(day: date) -> int:
    return to_ms(datetime.combine(day, time(), ZONE))
