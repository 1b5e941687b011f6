"""What stands on a reminder list: what is due for one child becomes one line, and one person can do only so much.

Pure: the plan knows nothing of lists. Absorbing happens when a list is made, so that a visit is due by its own rule
whatever it was printed with.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from sync.visits.calendar import Calendar
from sync.visits.plan import Visit
from sync.visits.route import Home, last_point, walk
from sync.visits.rules import Rules


class ListKind(StrEnum):
    """For how long a list is."""

    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True)
class Period:
    """The days a list is for, both included."""

    kind: ListKind
    begins: date
    ends: date

    @property
    def name(self) -> str:
        """As it stands in the number of a list: `20261123`, `2026W48`."""
        year, week, _ = self.begins.isocalendar()
        return f"{year}W{week:02d}" if self.kind is ListKind.WEEKLY else f"{self.begins:%Y%m%d}"

    def capacity(self, visits_a_day: int, calendar: Calendar) -> int:
        """How many lines somebody can do; on a daily list also on a day off, as it was asked for."""
        if self.kind is ListKind.DAILY:
            return visits_a_day
        days = [self.begins + timedelta(days=n) for n in range((self.ends - self.begins).days + 1)]
        return visits_a_day * sum(calendar.is_working_day(day) for day in days)


def period_of(kind: ListKind, day: date) -> Period:
    """The period in which a day lies; weeks are those of ISO 8601, from Monday to Sunday."""
    if kind is ListKind.DAILY:
        return Period(kind, day, day)
    begins = day - timedelta(days=day.weekday())
    return Period(kind, begins, begins + timedelta(days=6))


@dataclass(frozen=True)
class Task:
    """A visit as a list needs it. `absorbs`: rules about the household that its rule does along.

    `by_member`: a visit to any member of the household does it.
    """

    visit: str
    rule: str
    subject: str
    home: str
    scope: str
    due: date
    priority: int
    statutory: bool
    absorbs: frozenset[str] = frozenset()
    by_member: bool = False


@dataclass(frozen=True)
class Stop:
    """One line: a child or household, and everything that is due there, the most urgent first."""

    tasks: tuple[Task, ...]

    @property
    def lead(self) -> Task:
        return self.tasks[0]

    @property
    def statutory(self) -> bool:
        return any(task.statutory for task in self.tasks)


@dataclass(frozen=True)
class Draft:
    """What a list says: the lines in walking order, and those that are carried over, the most urgent first."""

    stops: tuple[Stop, ...]
    carried: tuple[Stop, ...]


def task_of(visit: Visit, rules: Rules) -> Task:
    """A visit with what its rule says about doing several at once."""
    rule = rules.find(visit.rule, visit.subject_type)
    home = visit.household or visit.subject
    absorbs = frozenset(rule.absorbs) if rule else frozenset[str]()
    by_member = rule is not None and visit.subject == home and "household" in rule.done_by.values()
    about = visit.id, visit.rule, visit.subject, home, visit.scope
    return Task(*about, visit.due, visit.priority, visit.statutory, absorbs, by_member)


def absorb(tasks: Iterable[Task], ends: date) -> list[Stop]:
    """One line for each subject; what a visit to a child does for its household goes onto the child's line."""
    by_subject: dict[str, list[Task]] = {}
    members: dict[str, list[list[Task]]] = {}
    for task in sorted(tasks, key=lambda task: _urgency(task, ends)):
        if task.subject not in by_subject:
            by_subject[task.subject] = []
            if task.subject != task.home:
                members.setdefault(task.home, []).append(by_subject[task.subject])
        by_subject[task.subject].append(task)
    for home, children in members.items():
        for task in list(by_subject.get(home, ())):
            taker = next((its for its in children if _does(its, task)), None)
            if taker is not None:
                by_subject[home].remove(task)
                taker.append(task)
    stops = [Stop(tuple(sorted(its, key=lambda task: _urgency(task, ends)))) for its in by_subject.values() if its]
    return sorted(stops, key=lambda stop: _urgency(stop.lead, ends))


def draft(tasks: Iterable[Task], homes: Mapping[str, Home], capacity: int, ends: date) -> Draft:
    """The list of one person for a period that `ends` on that day.

    Capacity counts lines. What the law wants before the period ends is never carried over, however much it is.
    """
    stops = absorb(tasks, ends)
    must = [stop for stop in stops if any(task.statutory and task.due <= ends for task in stop.tasks)]
    rest = [stop for stop in stops if stop not in must]
    room = max(0, capacity - len(must))
    return Draft(tuple(_in_order([*must, *rest[:room]], homes, ends)), tuple(rest[room:]))


def _in_order(stops: Sequence[Stop], homes: Mapping[str, Home], ends: date) -> list[Stop]:
    """Homes with anything statutory first, then the others from where that walk ends; a home is never split."""
    urgent = {stop.lead.home for stop in stops if stop.statutory}
    others = {stop.lead.home for stop in stops} - urgent
    first = walk(homes[ident] for ident in urgent)
    order = [*first, *walk((homes[ident] for ident in others), last_point(first))]
    place = {home.id: index for index, home in enumerate(order)}
    return sorted(stops, key=lambda stop: (place[stop.lead.home], _urgency(stop.lead, ends)))


def _does(tasks: Sequence[Task], task: Task) -> bool:
    """Whether going to a child for `tasks` does a visit to its household along."""
    return task.by_member or any(task.rule in one.absorbs for one in tasks)


def _urgency(task: Task, ends: date) -> tuple[bool, bool, int, date, str, str]:
    """Statutory first; what is due within the period before what could wait; then priority and date."""
    return (not task.statutory, task.due > ends, -task.priority, task.due, task.subject, task.visit)
