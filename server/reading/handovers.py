"""What a hand-over of a hamlet would mean: what the old one still has, what the new one gets. Numbers alone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import Connection, func, select

from server.auth.access import Access
from server.auth.charges import known_place
from server.auth.handover import Handover, arranged_to_giver, check
from server.reading.collaborators import Collaborator, collaborator, sizes
from server.reading.devices import Phone
from server.reading.words import Words
from server.reminders.arranged import visits_of
from server.store.base import table
from server.store.devices import holding, still_held
from server.store.people import authors_of
from server.store.store import SqlTransaction
from server.store.tables import Entity, ReminderLine, ReminderList, VisitTable, db
from server.world import Nest
from sync.authority import Role
from sync.visits.plan import VisitState

entity, lists, lines, visit = table(Entity), table(ReminderList), table(ReminderLine), table(VisitTable)


@dataclass(frozen=True)
class Issued:
    """An issued list that names the old one; `here`: how many of its visits are in the hamlet."""

    number: str
    revision: int
    begins: date
    ends: date
    here: int


@dataclass(frozen=True)
class Preview:
    """Both sides. `on_phone`: entities of the hamlet on each phone; `stay`: visits that are due before that day."""

    wish: Handover
    place: str
    giver: Collaborator
    taker: Collaborator
    on_phone: Sequence[tuple[Phone, int]]
    moving: int
    stay: int
    issued: Sequence[Issued]
    households: int
    children: int
    visits: int

    @property
    def load(self) -> tuple[int, int]:
        """What the new one would have this week, against what he can do."""
        return (self.taker.visits or 0) + self.visits, self.taker.capacity


def preview(nest: Nest, words: Words, access: Access, wish: Handover, at: int) -> Preview:
    """What it would mean. Raises the problems of `server.auth.handover.check`."""
    known_place(access, wish.area, wish.hamlet)
    found = authors_of([wish.giver, wish.taker])
    check(access, wish, [found.get(wish.giver), found.get(wish.taker)], at)
    giver, taker = (collaborator(nest, words, access, one) for one in (wish.giver, wish.taker))
    assert giver is not None and taker is not None
    tx = SqlTransaction(db.session.connection(), {})
    moving, size = len(arranged_to_giver(tx, wish, at)), sizes(wish.scope)
    held = _held(tx.connection, wish)
    return Preview(
        wish=wish,
        place=words.place(wish.scope),
        giver=giver,
        taker=taker,
        on_phone=[(one, held.get(one.row.id, 0)) for one in giver.phones],
        moving=moving,
        stay=_arranged(tx, wish) - moving,
        issued=_issued(tx.connection, wish, access.today),
        households=size.get("household", 0),
        children=size.get("child", 0),
        visits=_open(tx.connection, wish.scope, access.today + timedelta(days=6 - access.today.weekday())),
    )


def _held(connection: Connection, wish: Handover) -> dict[str, int]:
    query = still_held(holding.c.device, func.count(holding.c.entity.distinct()).label("n"))
    query = query.where(holding.c.user == wish.giver, holding.c.scope == wish.scope).group_by(holding.c.device)
    return {row.device: row.n for row in connection.execute(query)}


def _arranged(tx: SqlTransaction, wish: Handover) -> int:
    """All open visits of the hamlet that are arranged for the old one, whenever they are due."""
    where = (visit.c.scope == wish.scope, visit.c.state == VisitState.OPEN.value)
    return sum(one.held.assignee == wish.giver for one in visits_of(tx.connection, [wish.area], *where))


def _open(connection: Connection, scope: str, last: date) -> int:
    """How many children and households of a scope collaborators are to visit by a day."""
    mine = (visit.c.scope == scope, visit.c.assignee_role == Role.COLLABORATOR.value)
    query = select(func.count(visit.c.subject.distinct()))
    query = query.where(*mine, visit.c.state == VisitState.OPEN.value, visit.c.earliest <= last)
    return int(connection.scalar(query) or 0)


def _issued(connection: Connection, wish: Handover, today: date) -> list[Issued]:
    """The newest revisions of his lists that are not over, and how much of each is in the hamlet."""
    same = (lines.c.number == lists.c.number) & (lines.c.revision == lists.c.revision)
    query = select(lists.c.number, lists.c.revision, lists.c.begins, lists.c.ends, func.count(visit.c.id).label("n"))
    query = query.outerjoin(lines, same).outerjoin(
        visit, (visit.c.id == lines.c.visit) & (visit.c.scope == wish.scope)
    )
    query = query.where(lists.c.area == wish.area, lists.c.collaborator == wish.giver, lists.c.ends >= today)
    query = query.group_by(lists.c.number, lists.c.revision, lists.c.begins, lists.c.ends)
    newest: dict[str, Issued] = {}
    for row in connection.execute(query.order_by(lists.c.begins, lists.c.number, lists.c.revision)):
        newest[row.number] = Issued(row.number, row.revision, row.begins, row.ends, row.n)
    return list(newest.values())
