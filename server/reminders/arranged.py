"""Open visits with what schedulers decided about them, and whose they are."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, and_, select

from server.store.base import table
from server.store.reads import fetch
from server.store.rows import read_visit
from server.store.tables import ArrangementTable, VisitTable
from sync.authority import Author
from sync.visits.arrangements import NOTHING, Arrangement, in_force
from sync.visits.plan import Visit, VisitState
from sync.visits.runs import midnight

visit, arrangement = table(VisitTable), table(ArrangementTable)
STANDING = and_(arrangement.c.visit == visit.c.id, arrangement.c.standing)


@dataclass(frozen=True)
class Arranged:
    """A visit, and what holds of its arrangement."""

    visit: Visit
    held: Arrangement

    def shows(self, last: date) -> bool:
        """Whether it is worth a place on a list that ends on a day."""
        begun = self.visit.earliest <= last and (self.held.until is None or self.held.until <= last)
        return begun and not self.held.cancelled

    def whose(self, people: Iterable[Author], day: date) -> list[str]:
        """Who may go: the one it was given to, if he still has charge of the place; else all who have."""
        return self.given_to(
            [one.id for one in people if one.reads(self.visit.area, self.visit.scope, midnight(day))]
        )

    def given_to(self, able: list[str]) -> list[str]:
        """The same, of those who have charge of the place."""
        return [self.held.assignee] if self.held.assignee in able else able


def visits_of(
    connection: Connection, areas: Collection[str], *where: Any, order: Sequence[Any] = (), limit: int | None = None
) -> list[Arranged]:
    """The visits of these areas that meet the conditions, by id or in another order; at most so many."""
    names = ("assignee", "until", "cancelled")
    query = select(visit, *(arrangement.c[name].label(f"held_{name}") for name in names))
    query = query.outerjoin(arrangement, STANDING).where(visit.c.area.in_(sorted(areas)), *where)
    query = query.order_by(*(order or (visit.c.id,))).limit(limit)
    return [_arranged(row) for row in connection.execute(query)]


def open_visits(connection: Connection, areas: Collection[str], last: date) -> list[Arranged]:
    """The open visits whose window has begun by a day, with those that are cancelled or put off."""
    return visits_of(connection, areas, visit.c.state == VisitState.OPEN.value, visit.c.earliest <= last)


def arrangements(connection: Connection, visits: Collection[str]) -> Mapping[str, Arrangement]:
    """What stands about these visits, by id; one about which nothing was decided is left out."""
    query = select(arrangement).where(arrangement.c.standing)
    found = fetch(connection, visits, lambda some: query.where(arrangement.c.visit.in_(some)))
    return {row.visit: Arrangement(row.assignee, row.until, bool(row.cancelled)) for row in found}


def shares(found: Iterable[Arranged], people: Sequence[Author], day: date) -> dict[str, list[Arranged]]:
    """The visits of each person; one that was given to nobody is everybody's who has charge of the place."""
    mine: dict[str, list[Arranged]] = {one.id: [] for one in people}
    at, able = midnight(day), dict[tuple[str, str], list[str]]()  # charge hangs on the place alone
    for one in found:
        place = one.visit.area, one.visit.scope
        if place not in able:
            able[place] = [person.id for person in people if person.reads(*place, at)]
        for person in one.given_to(able[place]):
            mine[person].append(one)
    return mine


def _arranged(row: Any) -> Arranged:
    found = read_visit(row)
    if row.held_cancelled is None:
        return Arranged(found, NOTHING)
    return Arranged(found, in_force(found, Arrangement(row.held_assignee, row.held_until, bool(row.held_cancelled))))
