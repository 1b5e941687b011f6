"""Which lists of an area and period are issued, and how much of them has been answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from server.reading.lists import answered, list_heads
from server.reading.load import charge_day
from server.reminders.drafting import capacities
from server.store.people import collaborators, names_of
from server.store.store import SqlTransaction
from server.store.tables import ReminderList, db
from server.world import Nest
from sync.visits.lists import Period


@dataclass(frozen=True)
class Issue:
    """One collaborator of an area, and his list of a period, if it is issued: its head, lines answered and in all."""

    person: str
    name: str
    head: dict[str, Any] | None
    by: str
    done: int
    total: int


def issues(nest: Nest, area: str, period: Period, today: date, now: int) -> list[Issue]:
    """Everybody who has charge of anything in an area in a period, or had when its lists were issued; by name."""
    connection = db.session.connection()
    tx = SqlTransaction(connection, {})
    heads = {
        one["collaborator"]: one
        for one in list_heads([area], {"kind": period.kind.value, "on": period.begins})
        if one["begins"] == period.begins.isoformat()
    }
    people = {one.id for one in collaborators(area, charge_day(period, today), tx)} | heads.keys()
    names, by = capacities(nest, connection, people), names_of({one["issued_by"] for one in heads.values()})
    found = []
    for person in people:
        head = heads.get(person)
        done, total = answered(head["number"], head["revision"], now) if head else (0, 0)
        name = names[person][0] if person in names else person
        issuer = by.get(head["issued_by"], "") if head else ""
        found.append(Issue(person, name, head, issuer, done, total))
    return sorted(found, key=lambda one: (one.name, one.person))


def revisions(number: str) -> Sequence[ReminderList]:
    """All revisions of a list, the newest first."""
    query = select(ReminderList).where(ReminderList.number == number)
    return db.session.scalars(query.order_by(ReminderList.revision.desc())).all()
