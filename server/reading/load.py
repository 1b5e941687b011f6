"""Who has how much to do in a period against what he can do: counted from a few columns, without writing any list.

The figures are those of the lists as they would be issued (`sync.visits.lists.draft`). A line is a child or
household; only homes in which several of them are due need to be looked at closely.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import not_, select

from server.reading.charge import Charge, cancelled, columns, put_off
from server.reminders.arranged import STANDING, arrangement, visit
from server.reminders.drafting import capacities
from server.store.people import collaborators
from server.store.store import SqlTransaction
from server.store.tables import db
from server.world import Nest
from sync.visits.lists import Period, Task, absorb
from sync.visits.plan import VisitState


@dataclass
class Share:
    """What one person has to do: visits by home, and how many of them stand on another one's list, too."""

    homes: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))
    visits: int = 0
    shared: int = 0


@dataclass(frozen=True)
class Counts:
    """Lines in all, those that the law wants within the period, and those with anything that the law wants."""

    lines: int
    must: int
    statutory: int


def load(nest: Nest, area: str, period: Period, today: date) -> list[dict[str, Any]]:
    """How many lines each collaborator of an area would have in a period, against what he can do.

    `shared`: visits on his list that stand on another one's, too, as they were given to nobody.
    """
    return board(nest, area, period, today)[0]


def board(nest: Nest, area: str, period: Period, today: date) -> tuple[list[dict[str, Any]], int]:
    """The same, and how many visits stand on nobody's list, as nobody has charge of their place."""
    tx = SqlTransaction(db.session.connection(), {})
    day = charge_day(period, today)
    people = collaborators(area, day, tx)
    shares, nobody = _shares(Charge(people, [area], day), _rows(area, period))
    loads = []
    for person, (name, a_day) in sorted(capacities(nest, tx.connection, [one.id for one in people]).items()):
        mine = shares.get(person, Share())
        counts = _counts(nest, mine, period)
        # What draft() carries over: the lines beyond the capacity, of those that the law does not want now.
        room = max(0, period.capacity(a_day, nest.calendar) - counts.must)
        told = {
            "visits": mine.visits,
            "lines": counts.lines,
            "carried": max(0, counts.lines - counts.must - room),
            "statutory": counts.statutory,
            "shared": mine.shared,
        }
        capacity = period.capacity(a_day, nest.calendar)
        loads.append({"collaborator": person, "name": name, "visits_a_day": a_day, "capacity": capacity} | told)
    return loads, nobody


def charge_day(period: Period, today: date) -> date:
    """The day whose assignments count: the first of the period, or today if it has begun."""
    return min(max(period.begins, today), period.ends)


def _rows(area: str, period: Period) -> Sequence[Any]:
    query = select(*columns()).outerjoin_from(visit, arrangement, STANDING)
    query = query.where(visit.c.area == area, visit.c.state == VisitState.OPEN.value)
    query = query.where(visit.c.assignee_role == "collaborator", visit.c.earliest <= period.ends)
    # Of the few that are arranged it is asked only where there is an arrangement.
    idle = arrangement.c.visit.is_not(None) & (cancelled() | put_off(period.ends))
    return db.session.connection().execute(query.where(not_(idle))).all()


def _shares(charge: Charge, rows: Iterable[Any]) -> tuple[dict[str, Share], int]:
    shares: dict[str, Share] = defaultdict(Share)
    nobody = 0
    for row in rows:
        whose = charge.whose(row.scope, row.assignee)
        nobody += not whose
        for person in whose:
            mine = shares[person]
            mine.homes[row.household or row.subject].append(row)
            mine.visits += 1
            mine.shared += len(whose) > 1
    return shares, nobody


def _counts(nest: Nest, mine: Share, period: Period) -> Counts:
    rules = _Rules(nest)
    total: Counter[str] = Counter()
    for home, rows in mine.homes.items():
        if len(rows) == 1 or len({row.subject for row in rows}) == 1:
            stops: Iterable[Sequence[Any]] = (rows,)
        else:
            stops = [stop.tasks for stop in absorb([rules.task(row, home) for row in rows], period.ends)]
        for its in stops:
            law = [one for one in its if one.statutory]
            total["lines"] += 1
            total["statutory"] += bool(law)
            total["must"] += any(one.due <= period.ends for one in law)
    return Counts(total["lines"], total["must"], total["statutory"])


class _Rules:
    """What rules say about doing several visits at once; each is looked up once."""

    def __init__(self, nest: Nest) -> None:
        self._nest = nest
        self._known: dict[tuple[str, str], tuple[frozenset[str], bool]] = {}

    def task(self, row: Any, home: str) -> Task:
        key = row.rule, row.subject_type
        if key not in self._known:
            rule = self._nest.rules.find(*key)
            absorbs = frozenset(rule.absorbs) if rule else frozenset[str]()
            self._known[key] = absorbs, rule is not None and "household" in rule.done_by.values()
        absorbs, by_home = self._known[key]
        about = row.id, row.rule, row.subject, home, row.scope
        return Task(*about, row.due, row.priority, row.statutory, absorbs, by_home and row.subject == home)
