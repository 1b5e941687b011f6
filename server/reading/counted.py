"""How many visits there are in each scope, and whose: counted once for each state of a scope's feed.

Whatever changes in a scope moves its feed on, so what was counted at its head still holds. An area of 20,000 children
has tens of thousands of visits; a board counts those of the few hamlets anew in which anything has happened since.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from sqlalchemy import Select, select

from server.reading.charge import Charge
from server.reminders.arranged import STANDING, arrangement, visit
from server.store.base import table
from server.store.reads import fetch
from server.store.tables import FeedMark, Scope, db
from server.world import Nest
from sync.visits.lists import Period, Task, absorb
from sync.visits.plan import VisitState

scope, mark = table(Scope), table(FeedMark)
MOST_KEPT = 4_000  # scopes and periods that a process remembers
COLUMNS = ("id", "rule", "subject_type", "subject", "household", "scope", "due", "priority", "statutory")
Head = tuple[int, str | None]


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
class Group:
    """Visits that are due by the end of a period and alike: for which role, on whose lists, cancelled or put off."""

    role: str
    whose: tuple[str, ...]
    aside: bool


@dataclass(frozen=True)
class Counted:
    """A scope as it was at a state of its feed: shares by person, visits that are nobody's, and what is due.

    `head`: the newest number there, with the mark that no other history has, should a backup be restored.
    """

    head: Head
    able: tuple[str, ...]
    shares: Mapping[str, Share]
    nobody: int
    due: Mapping[Group, int] = field(default_factory=dict)


def counted(nest: Nest, charge: Charge, areas: Collection[str], period: Period) -> dict[str, Counted]:
    """Every scope of these areas, by name."""
    heads = _heads(areas)
    kept: dict[tuple[str, date], Counted] = nest.counted
    known = {name: kept.get((name, period.ends)) for name in heads}
    stale = [name for name, one in known.items() if one is None or (one.head, one.able) != _now(name, heads, charge)]
    rows: dict[str, list[Any]] = {name: [] for name in stale}
    for row in fetch(db.session.connection(), stale, lambda some: _query(some, period)):
        rows[row.scope].append(row)
    if len(kept) + len(rows) > MOST_KEPT:
        kept.clear()
    fresh = {name: _scope(nest, charge, heads[name], name, its, period) for name, its in rows.items()}
    kept.update({(name, period.ends): one for name, one in fresh.items()})
    return {name: one for name, one in known.items() if one is not None} | fresh


def _heads(areas: Collection[str]) -> dict[str, Head]:
    marked = (mark.c.counter == scope.c.counter) & (mark.c.seq == scope.c.head)
    query = select(scope.c.name, scope.c.head, mark.c.nonce).outerjoin_from(scope, mark, marked)
    query = query.where(scope.c.counter.in_(sorted(areas)), scope.c.name.contains("/"))
    return {row.name: (row.head, row.nonce) for row in db.session.connection().execute(query)}


def _now(name: str, heads: Mapping[str, Head], charge: Charge) -> tuple[Head, tuple[str, ...]]:
    return heads[name], charge.able(name)


def _query(scopes: Sequence[str], period: Period) -> Select[Any]:
    areas = sorted({name.partition("/")[0] for name in scopes})
    held = [arrangement.c[name] for name in ("assignee", "until", "cancelled")]
    query = select(*(visit.c[name] for name in COLUMNS), visit.c.assignee_role, *held)
    query = query.outerjoin_from(visit, arrangement, STANDING).where(visit.c.area.in_(areas))
    return query.where(
        visit.c.scope.in_(scopes), visit.c.state == VisitState.OPEN.value, visit.c.earliest <= period.ends
    )


def _scope(nest: Nest, charge: Charge, head: Head, name: str, rows: Iterable[Any], period: Period) -> Counted:
    homes: dict[str, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    shared, due, nobody = Counter[str](), Counter[tuple[str, tuple[str, ...], bool]](), 0
    for row in rows:
        whose, aside = charge.whose(name, row.assignee), _aside(row, period)
        if row.due <= period.ends:
            due[row.assignee_role, whose, aside] += 1
        if aside or row.assignee_role != "collaborator":
            continue
        nobody += not whose
        for person in whose:
            homes[person][row.household or row.subject].append(row)
            shared[person] += len(whose) > 1
    rules = _Rules(nest)
    shares = {person: _share(rules, its, shared[person], period) for person, its in homes.items()}
    groups = {Group(*key): count for key, count in due.items()}
    return Counted(head, charge.able(name), shares, nobody, groups)


def _aside(row: Any, period: Period) -> bool:
    """Whether it is cancelled, or put off beyond the period; `in_force` says what holds of that."""
    if row.cancelled and not row.statutory:
        return True
    until = row.until
    return until is not None and until > period.ends and not (row.statutory and row.due <= period.ends)


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
