"""A hamlet goes from one collaborator to another in one step.

The day before is the last of the one and that day the first of the other; days that are over stay as they were.
So what the old one filled in before that day is applied whenever his phone sends it, and what he fills in later is
judged by what he has charge of then. His phone is told at its next sync to forget what it may read no longer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import insert

from server.audit import append
from server.auth.access import Access
from server.auth.charges import assignment, cut, day_before, in_reach, known_place, overlaps, row_of
from server.auth.writing import write
from server.problems import Problem
from server.reminders.arrange import hand_on
from server.reminders.arranged import Arranged, visit, visits_of
from server.store.store import SqlTransaction
from sync.authority import Assignment, Author, Role
from sync.ports import AuditRow
from sync.times import local_date
from sync.visits.plan import VisitState


@dataclass(frozen=True)
class Handover:
    """Who gives which hamlet to whom, from which day on, and why."""

    area: str
    hamlet: str
    giver: str
    taker: str
    day: date
    reason: str

    @property
    def scope(self) -> str:
        return f"{self.area}/{self.hamlet}"

    @property
    def charge(self) -> Assignment:
        """What the new one is given."""
        return Assignment(self.area, self.hamlet, self.day)


def check(access: Access, wish: Handover, people: Sequence[Author | None], at: int) -> tuple[Author, Author]:
    """The two of a hand-over that may be done, of a place that is known.

    `people`: the giver and the taker as they are stored. Raises the problems `not_found`, `invalid`, `past_day`,
    `whole_area`, `charge_gone` and `charge_overlaps`.
    """
    giver, taker = people
    for one in (giver, taker):
        if one is None or one.role is not Role.COLLABORATOR or not in_reach(access, one):
            raise Problem("not_found")
    assert giver is not None and taker is not None
    if wish.giver == wish.taker:
        raise Problem("invalid", errors={"to": ["the same person"]})
    if wish.day < local_date(at):
        raise Problem("past_day")
    held = [one for one in giver.assignments if one.area == wish.area and one.on(wish.day)]
    if not any(one.hamlet == wish.hamlet for one in held):
        raise Problem("whole_area" if any(one.hamlet is None for one in held) else "charge_gone")
    if not _has_already(taker, wish) and any(overlaps(one, wish.charge) for one in taker.assignments):
        raise Problem("charge_overlaps")
    return giver, taker


def hand_over(access: Access, wish: Handover, at: int) -> int:
    """Carry it out; gives how many visits that were arranged for the old one are now arranged for the new one.

    Raises the problems of `check`, and `not_found` of a place that is none.
    """
    known_place(access, wish.area, wish.hamlet)

    def put(tx: SqlTransaction) -> int:
        found = tx.authors([wish.giver, wish.taker])
        giver, taker = check(access, wish, [found.get(wish.giver), found.get(wish.taker)], at)
        for one in giver.assignments:
            if overlaps(one, wish.charge):
                cut(tx, giver.id, one, day_before(wish.day))
        if not _has_already(taker, wish):
            tx.connection.execute(insert(assignment), [row_of(taker.id, wish.charge)])
        moved = hand_on(tx, access.author.id, arranged_to_giver(tx, wish, at), taker.id, wish.reason, at)
        detail = {"from": giver.id, "to": taker.id, "day": wish.day.isoformat(), "visits": moved}
        detail |= {"reason": wish.reason}
        row = AuditRow(wish.area, at, access.author.id, "handover", wish.scope, detail=detail)
        append(tx.connection, [row], tx.areas)
        return moved

    return write(put, [wish.area])


def arranged_to_giver(tx: SqlTransaction, wish: Handover, at: int) -> list[Arranged]:
    """The open visits of the hamlet that are arranged for the old one and that he cannot make any more.

    Before that day he still goes, so what is due by then stays his.
    """
    where = [visit.c.scope == wish.scope, visit.c.state == VisitState.OPEN.value]
    if wish.day > local_date(at):
        where.append(visit.c.due >= wish.day)
    return [one for one in visits_of(tx.connection, [wish.area], *where) if one.held.assignee == wish.giver]


def _has_already(taker: Author, wish: Handover) -> bool:
    """Whether the new one looks after it from that day on anyway, as two may share a hamlet."""
    mine = (one for one in taker.assignments if (one.area, one.hamlet) == (wish.area, wish.hamlet))
    return any(one.on(wish.day) and one.ends is None for one in mine)
