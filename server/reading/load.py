"""Who has how much to do in a period against what he can do: counted, without writing any list.

The figures are those of the lists as they would be issued (`sync.visits.lists.draft`). A line is a child or
household; only homes in which several of them are due need to be looked at closely.
"""

from collections.abc import Collection, Mapping
from datetime import date
from typing import Any

from server.auth.access import Access
from server.reading.charge import NOBODY, Charge
from server.reading.counted import Group, Share, counted
from server.reminders.drafting import capacities
from server.store.people import collaborators
from server.store.store import SqlTransaction
from server.store.tables import db
from server.world import Nest
from sync.authority import PROTECTION
from sync.visits.lists import Period


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
    by_scope = counted(nest, Charge(people, [area], day), [area], period)
    found = [one for name, one in by_scope.items() if not name.endswith(f"/{PROTECTION}")]
    loads = []
    for person, (name, a_day) in sorted(capacities(nest, tx.connection, [one.id for one in people]).items()):
        mine = sum((one.shares.get(person, Share()) for one in found), Share())
        # What draft() carries over: the lines beyond the capacity, of those that the law does not want now.
        capacity = period.capacity(a_day, nest.calendar)
        carried = max(0, mine.lines - mine.must - max(0, capacity - mine.must))
        told = {"visits": mine.visits, "lines": mine.lines, "carried": carried, "statutory": mine.statutory}
        about = {"collaborator": person, "name": name, "visits_a_day": a_day, "capacity": capacity}
        loads.append(about | told | {"shared": mine.shared})
    return loads, sum(one.nobody for one in found)


def due_count(nest: Nest, access: Access, charge: Charge, areas: Collection[str], asked: Mapping[str, Any]) -> int:
    """How many visits `due_visits` is asked for."""
    by_scope = counted(nest, charge, areas, asked["period"])
    return sum(
        count
        for name, one in by_scope.items()
        if _wanted(access, name, asked)
        for group, count in one.due.items()
        if _meant(group, asked)
    )


def _wanted(access: Access, name: str, asked: Mapping[str, Any]) -> bool:
    area, _, hamlet = name.partition("/")
    if not access.plans(area, name) or (hamlet == PROTECTION and asked["collaborator"] is not None):
        return False
    return asked["hamlet"] is None or hamlet == asked["hamlet"]


def _meant(group: Group, asked: Mapping[str, Any]) -> bool:
    who = asked["collaborator"]
    if who is not None and (bool(group.whose) if who == NOBODY else who not in group.whose):
        return False
    if asked.get("role") is not None and group.role != asked["role"]:
        return False
    return asked.get("aside") is None or group.aside is asked["aside"]


def charge_day(period: Period, today: date) -> date:
    """The day whose assignments count: the first of the period, or today if it has begun."""
    return min(max(period.begins, today), period.ends)
