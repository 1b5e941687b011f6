"""A scheduler's acts on visits. Each is a row of its own and an entry in the audit log; the plan is not touched."""

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import func, insert, select, update

from server.auth.access import Access
from server.problems import Problem
from server.reminders.arranged import Arranged, visits_of
from server.store.base import table
from server.store.store import SqlTransaction
from server.store.tables import ArrangementTable, Entity, VisitTable
from server.world import Nest
from sync.ports import AuditRow, Changes, Touched
from sync.times import local_date
from sync.visits.arrangements import Arrangement, Arranging, Unlawful, Whom, arranged, by_hand
from sync.visits.plan import Visit, VisitState
from sync.visits.runs import midnight

visit, arrangement, entity = table(VisitTable), table(ArrangementTable), table(Entity)
SUBJECTS = ("child", "household")  # whom a form can be about, and who lives in an open scope


@dataclass(frozen=True)
class Wish:
    """What a scheduler asks for. `to`: who is to go; `until`: the first day on which it may be on a list again."""

    act: Arranging
    reason: str
    to: str | None = None
    until: date | None = None


def arrange(nest: Nest, access: Access, area: str, ident: str, wish: Wish, at: int) -> None:
    """Carry out an act on an open visit of an area; one that changes nothing leaves no trace. Raises a `Problem`."""
    with nest.store.transaction([area]) as tx:
        found = next(iter(visits_of(tx.connection, [area], visit.c.id == ident)), None)
        if found is None or not access.plans(found.visit.area, found.visit.scope):
            raise Problem("not_found")
        if found.visit.state is not VisitState.OPEN:
            raise Problem("visit_over")
        _check(tx, found.visit, wish, at)
        try:
            after = arranged(found.visit, found.held, wish.act, wish.to, wish.until)
        except Unlawful as error:
            raise Problem("statutory_visit", deadline=found.visit.due.isoformat()) from error
        if after != found.held:
            _write(tx, access.author.id, found.visit, wish, after, at)


def add(nest: Nest, access: Access, area: str, asked: Mapping[str, Any], at: int) -> str:
    """Add a visit by hand and return its id; asked again with the same `id` it is the same visit."""
    key = asked.get("id") or str(uuid.uuid4())
    with nest.store.transaction([area]) as tx:
        whom = _whom(tx, asked["subject"])
        if whom is None or not access.plans(whom.area, whom.scope) or whom.area != area:
            raise Problem("not_found")
        made = by_hand(f"{access.author.id} {key}", whom, asked["due"], asked["reason"], at, nest.calendar)
        query = select(visit.c.subject, visit.c.due, visit.c.reason).where(visit.c.id == made.id)
        before = tx.connection.execute(query).first()
        if before is not None:
            if tuple(before) != (made.subject, made.due, made.reason):
                raise Problem("id_reuse")
            return made.id
        if made.due < local_date(at):
            raise Problem("invalid", errors={"due": ["in the past"]})
        wish = Wish(Arranging.ADD, asked["reason"], asked.get("to"))
        if wish.to is not None:
            _check(tx, made, wish, at)
        _write(tx, access.author.id, made, wish, Arrangement(wish.to), at, [made])
        return made.id


def hand_on(tx: SqlTransaction, by: str, found: Iterable[Arranged], to: str, reason: str, at: int) -> int:
    """Give visits to somebody else, within a transaction; gives how many.

    He need not have charge of the place yet: until then it holds what holds without an arrangement.
    """
    moved = 0
    for one in found:
        if one.held.assignee != to:
            after = arranged(one.visit, one.held, Arranging.REASSIGN, to)
            _write(tx, by, one.visit, Wish(Arranging.REASSIGN, reason, to), after, at)
            moved += 1
    return moved


def _check(tx: SqlTransaction, about: Visit, wish: Wish, at: int) -> None:
    """Whether who is to go may go there, and a day is ahead."""
    if wish.to is not None:
        person = tx.authors([wish.to]).get(wish.to)
        able = person is not None and person.reads(about.area, about.scope, midnight(local_date(at)))
        if person is None or not able or person.role.value != about.assignee_role:
            raise Problem("not_in_charge")
    if wish.until is not None and wish.until <= local_date(at):
        raise Problem("invalid", errors={"until": ["not after today"]})


def _whom(tx: SqlTransaction, subject: str) -> Whom | None:
    columns = (entity.c.type, entity.c.id, entity.c.household, entity.c.area, entity.c.scope)
    query = select(*columns).where(entity.c.id == subject, entity.c.type.in_(SUBJECTS), ~entity.c.dead)
    row = tx.connection.execute(query.where(entity.c.scope.is_not(None))).first()
    return None if row is None else Whom(*row)


def _write(
    tx: SqlTransaction,
    by: str,
    about: Visit,
    wish: Wish,
    after: Arrangement,
    at: int,
    made: list[Visit] | None = None,
) -> None:
    mine = arrangement.c.visit == about.id
    last = tx.connection.scalar(select(func.max(arrangement.c.n)).where(mine)) or 0
    tx.connection.execute(update(arrangement).where(mine).values(standing=False))
    row = {"visit": about.id, "n": last + 1, "standing": True, "act": wish.act.value, "reason": wish.reason}
    row |= {"assignee": after.assignee, "until": after.until, "cancelled": after.cancelled}
    tx.connection.execute(insert(arrangement), [row | {"who": by, "at": at}])
    detail = {"to": after.assignee, "until": after.until.isoformat() if after.until else None, "n": last + 1}
    audit = AuditRow(about.area, at, by, f"visit_{wish.act.value}", about.id, detail=detail)
    touched = {Touched(about.area, about.scope, "visit", about.id, here=not after.cancelled)}
    tx.write(Changes(at=at, visits=made or [], touched=touched, audit=[audit]))
