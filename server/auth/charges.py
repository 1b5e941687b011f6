"""Charges: from when until when somebody looks after a hamlet, or a whole area.

What somebody might do on a day that is over stays as it was: forms of that day may still be on their way.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import delete, insert, update

from server.audit import append
from server.auth.access import Access
from server.auth.writing import write
from server.problems import Problem
from server.reminders.arrange import hand_on
from server.reminders.arranged import visit, visits_of
from server.store.base import table
from server.store.store import SqlTransaction
from server.store.tables import AssignmentTable
from server.world import current_nest
from sync.authority import Assignment, Author, Role
from sync.ports import AuditRow
from sync.times import local_date
from sync.visits.plan import VisitState

assignment = table(AssignmentTable)


@dataclass(frozen=True)
class Leave:
    """Who stands in for somebody, from a day to a day, both included."""

    user: str
    stand_in: str
    begins: date
    ends: date
    reason: str


def give(access: Access, user: str, charge: Assignment, at: int) -> None:
    """Give somebody a charge, from today on or later; the audit log of its area notes it.

    Raises the problems `not_found`, `past_day`, `invalid` and `charge_overlaps`.
    """
    known_place(access, charge.area, charge.hamlet)
    if charge.begins < local_date(at):
        raise Problem("past_day")
    if charge.ends is not None and charge.ends < charge.begins:
        raise Problem("invalid", errors={"ends": ["before it begins"]})

    def put(tx: SqlTransaction) -> None:
        who = tx.authors([user]).get(user)
        if who is None or not in_reach(access, who):
            raise Problem("not_found")
        if any(overlaps(one, charge) for one in who.assignments):
            raise Problem("charge_overlaps")
        tx.connection.execute(insert(assignment), [row_of(user, charge)])
        _note(tx, access, at, "assign", user, charge)

    write(put, [charge.area])


def end(access: Access, user: str, charge: Assignment, last: date, at: int) -> None:
    """Let a charge end with the day `last`, today or later; one that would never begin is taken back.

    Raises the problems `not_found`, `past_day` and `invalid` (it ends earlier already).
    """
    known_place(access, charge.area, charge.hamlet)
    if last < local_date(at):
        raise Problem("past_day")

    def put(tx: SqlTransaction) -> None:
        who = tx.authors([user]).get(user)
        found = next((one for one in who.assignments if same(one, charge)), None) if who else None
        if who is None or found is None or not in_reach(access, who):
            raise Problem("not_found")
        if found.ends is not None and found.ends < last:
            raise Problem("invalid", errors={"last": ["it ends earlier"]})
        cut(tx, user, found, last)
        _note(tx, access, at, "unassign", user, Assignment(found.area, found.hamlet, found.begins, last))

    write(put, [charge.area])


def stand_in(access: Access, leave: Leave, at: int) -> tuple[int, int]:
    """While somebody is on leave another one has his hamlets as well: he keeps his charges, and what is on his phone.

    Gives how many hamlets, and how many open visits due in these days were arranged for the one who stands in.
    Raises the problems `not_found`, `past_day`, `invalid`, `charge_gone` and `charge_overlaps`.
    """
    if leave.begins < local_date(at):
        raise Problem("past_day")
    if leave.ends < leave.begins or leave.user == leave.stand_in:
        raise Problem("invalid")
    with_areas = current_nest().store
    with with_areas.transaction([]) as tx:
        areas = {one.area for one in _held_during(tx, access, leave)}

    def put(tx: SqlTransaction) -> tuple[int, int]:
        hamlets, moved = 0, 0
        taker = _collaborator(tx, access, leave.stand_in)
        for one in _held_during(tx, access, leave):
            given = Assignment(one.area, one.hamlet, max(one.begins, leave.begins), _sooner(one.ends, leave.ends))
            if not any(overlaps(other, given) for other in taker.assignments):
                tx.connection.execute(insert(assignment), [row_of(taker.id, given)])
                _note(tx, access, at, "stand_in", leave.user, given, {"to": taker.id, "reason": leave.reason})
                hamlets += 1
            scope = f"{one.area}/{one.hamlet}"
            due = (visit.c.due >= given.begins, visit.c.due <= given.ends, visit.c.state == VisitState.OPEN.value)
            mine = visits_of(tx.connection, [one.area], visit.c.scope == scope, *due)
            free = [each for each in mine if each.held.assignee in (None, leave.user)]
            moved += hand_on(tx, access.author.id, free, taker.id, leave.reason, at)
        return hamlets, moved

    return write(put, areas)


def known_place(access: Access, area: str, hamlet: str | None) -> None:
    """Raises the problem `not_found` of a place that is none, or whose people he does not look after."""
    places = current_nest().places
    if area not in places.wards or (hamlet and (area, hamlet) not in places.hamlets) or not access.keeps(area):
        raise Problem("not_found")


def in_reach(access: Access, who: Author) -> bool:
    """Whether he may give this user a charge: an administrator anybody, a supervisor collaborators of his."""
    return access.invites(who)


def same(one: Assignment, other: Assignment) -> bool:
    return (one.area, one.hamlet, one.begins) == (other.area, other.hamlet, other.begins)


def overlaps(one: Assignment, other: Assignment) -> bool:
    """Whether two charges of the same place have a day in common."""
    if (one.area, one.hamlet) != (other.area, other.hamlet):
        return False
    return _before(one.begins, other.ends) and _before(other.begins, one.ends)


def cut(tx: SqlTransaction, user: str, charge: Assignment, last: date) -> None:
    """Let a stored charge end with `last`; it goes if it would begin later."""
    c = assignment.c
    mine = (c.user == user, c.area == charge.area, c.hamlet == (charge.hamlet or ""), c.begins == charge.begins)
    if charge.begins > last:
        tx.connection.execute(delete(assignment).where(*mine))
    else:
        tx.connection.execute(update(assignment).where(*mine).values(ends=last))


def row_of(user: str, charge: Assignment) -> dict[str, object]:
    """A charge as it is stored."""
    about = {"user": user, "area": charge.area, "hamlet": charge.hamlet or ""}
    return about | {"begins": charge.begins, "ends": charge.ends}


def day_before(day: date) -> date:
    return day - timedelta(days=1)


def _collaborator(tx: SqlTransaction, access: Access, user: str) -> Author:
    who = tx.authors([user]).get(user)
    if who is None or who.role is not Role.COLLABORATOR or not in_reach(access, who):
        raise Problem("not_found")
    return who


def _held_during(tx: SqlTransaction, access: Access, leave: Leave) -> list[Assignment]:
    """The hamlets that he has at any time of his leave, as far as they are in reach. Raises `charge_gone`."""
    whole = Assignment("", None, leave.begins, leave.ends)
    who = _collaborator(tx, access, leave.user)
    found = [one for one in who.assignments if one.hamlet and access.keeps(one.area)]
    found = [one for one in found if _before(one.begins, whole.ends) and _before(whole.begins, one.ends)]
    if not found:
        raise Problem("charge_gone")
    return found


def _sooner(one: date | None, other: date) -> date:
    return other if one is None else min(one, other)


def _before(day: date, end: date | None) -> bool:
    return end is None or day <= end


def _note(
    tx: SqlTransaction,
    access: Access,
    at: int,
    act: str,
    user: str,
    charge: Assignment,
    more: dict[str, str] | None = None,
) -> None:
    ends = charge.ends.isoformat() if charge.ends else None
    detail = {"hamlet": charge.hamlet, "begins": charge.begins.isoformat(), "ends": ends} | (more or {})
    append(tx.connection, [AuditRow(charge.area, at, access.author.id, act, user, detail=detail)], tx.areas)
