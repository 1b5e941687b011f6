"""Who has how much to do in a period against what he can do: counted from a few columns, without writing any list.

The figures are those of the lists as they would be issued (`sync.visits.lists.draft`). A line is a child or
household; only homes in which several of them are due need to be looked at closely.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Select, not_, select

from server.reading.charge import Charge, cancelled, columns, put_off
from server.reminders.arranged import STANDING, arrangement, visit
from server.reminders.drafting import capacities
from server.store.base import table
from server.store.people import collaborators
from server.store.reads import fetch
from server.store.store import SqlTransaction
from server.store.tables import FeedMark, Scope, db
from server.world import Nest
from sync.authority import PROTECTION
from sync.visits.lists import Period, Task, absorb
from sync.visits.plan import VisitState

scope, mark = table(Scope), table(FeedMark)


@dataclass(frozen=True)
class Share:
    """What one person has to do in a scope: visits, how many of them stand on another one's list, too; and lines: in
    all, those that the law wants within the period, and those with anything that the law wants.
    """

    visits: int = 0
    shared: int = 0
    lines: int = 0
    must: int = 0
    statutory: int = 0

    def __add__(self, other: "Share") -> "Share":
        names = self.__dataclass_fields__
        return Share(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclass(frozen=True)
class Counted:
    """The shares of a scope by person, and the visits that are nobody's, as they were at a state of its feed.

    `head`: the newest number there, with the mark that no other history has, should a backup be restored.
    """

    head: tuple[int, str | None]
    able: tuple[str, ...]
    shares: Mapping[str, Share]
    nobody: int


# Whatever changes in a scope moves its feed on, so what was counted at its head still holds: by server and rules,
# scope, and the last day. A process keeps so many.
MOST_KEPT = 4_000
_kept: dict[tuple[str, int, str, date], Counted] = {}


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
    counted = _counted(nest, Charge(people, [area], day), area, period)
    loads = []
    for person, (name, a_day) in sorted(capacities(nest, tx.connection, [one.id for one in people]).items()):
        mine = sum((one.shares.get(person, Share()) for one in counted), Share())
        # What draft() carries over: the lines beyond the capacity, of those that the law does not want now.
        capacity = period.capacity(a_day, nest.calendar)
        carried = max(0, mine.lines - mine.must - max(0, capacity - mine.must))
        told = {"visits": mine.visits, "lines": mine.lines, "carried": carried, "statutory": mine.statutory}
        about = {"collaborator": person, "name": name, "visits_a_day": a_day, "capacity": capacity}
        loads.append(about | told | {"shared": mine.shared})
    return loads, sum(one.nobody for one in counted)


def charge_day(period: Period, today: date) -> date:
    """The day whose assignments count: the first of the period, or today if it has begun."""
    return min(max(period.begins, today), period.ends)


def _counted(nest: Nest, charge: Charge, area: str, period: Period) -> list[Counted]:
    """Every scope of an area; only those are counted anew in which anything has happened since."""
    connection = db.session.connection()
    where = scope.c.counter == area, scope.c.name.startswith(f"{area}/"), scope.c.name != f"{area}/{PROTECTION}"
    marked = (mark.c.counter == scope.c.counter) & (mark.c.seq == scope.c.head)
    query = select(scope.c.name, scope.c.head, mark.c.nonce).outerjoin_from(scope, mark, marked).where(*where)
    heads = {row.name: (row.head, row.nonce) for row in connection.execute(query)}
    here = str(nest.settings.data) + nest.settings.url, id(nest.rules)
    stale = [
        name
        for name, head in heads.items()
        if (known := _kept.get((*here, name, period.ends))) is None
        or (known.head, known.able) != (head, charge.able(name))
    ]
    rows: dict[str, list[Any]] = {name: [] for name in stale}
    for row in fetch(connection, stale, lambda some: _query(some, period)):
        rows[row.scope].append(row)
    if len(_kept) + len(rows) > MOST_KEPT:
        _kept.clear()
    fresh = {name: _scope(nest, charge, heads[name], name, its, period) for name, its in rows.items()}
    found = [fresh[name] if name in fresh else _kept[(*here, name, period.ends)] for name in heads]
    _kept.update({(*here, name, period.ends): one for name, one in fresh.items()})
    return found


def _query(scopes: Sequence[str], period: Period) -> Select[Any]:
    query = select(*columns()).outerjoin_from(visit, arrangement, STANDING)
    query = query.where(visit.c.area == scopes[0].partition("/")[0], visit.c.scope.in_(scopes))
    query = query.where(visit.c.state == VisitState.OPEN.value, visit.c.assignee_role == "collaborator")
    idle = arrangement.c.visit.is_not(None) & (cancelled() | put_off(period.ends))
    return query.where(visit.c.earliest <= period.ends, not_(idle))


def _scope(
    nest: Nest, charge: Charge, head: tuple[int, str | None], name: str, rows: Iterable[Any], period: Period
) -> Counted:
    homes: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    shared: Counter[str] = Counter()
    nobody = 0
    for row in rows:
        whose = charge.whose(row.scope, row.assignee)
        nobody += not whose
        for person in whose:
            homes[person][row.household or row.subject].append(row)
            shared[person] += len(whose) > 1
    rules = _Rules(nest)
    shares = {person: _share(rules, its, shared[person], period) for person, its in homes.items()}
    return Counted(head, charge.able(name), shares, nobody)


def _share(rules: "_Rules", homes: Mapping[str, list[Any]], shared: int, period: Period) -> Share:
    lines = must = statutory = 0
    for home, rows in homes.items():
        if len(rows) == 1 or len({row.subject for row in rows}) == 1:
            stops: Sequence[Sequence[Any]] = (rows,)
        else:
            stops = [stop.tasks for stop in absorb([rules.task(row, home) for row in rows], period.ends)]
        lines += len(stops)
        for its in stops:
            law = [one for one in its if one.statutory]
            statutory += bool(law)
            must += any(one.due <= period.ends for one in law)
    return Share(sum(map(len, homes.values())), shared, lines, must, statutory)


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
