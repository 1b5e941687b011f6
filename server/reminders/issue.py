"""Issuing reminder lists: numbered, frozen, one for each collaborator, area and period; issued again as a revision.

The number is `<ward>-<yyyymmdd>-<n>` or `<ward>-<yyyy>W<ww>-<n>`. Issuing a period again gives the lists that there
are. The area's counter is held meanwhile, so whoever issues at the same time waits and finds them.
"""

from collections.abc import Collection
from datetime import date

import orjson
from sqlalchemy import func, insert, select

from server.reminders.drafting import Drafted, drafts
from server.store.base import table
from server.store.store import SqlTransaction
from server.store.tables import AssignmentTable, ReminderLine, ReminderList, db
from server.world import Nest
from sync.ports import AuditRow, Changes, Touched
from sync.times import local_date
from sync.visits.lists import ListKind, Period, period_of

lists, lines = table(ReminderList), table(ReminderLine)


class NotIssued(Exception):
    """A list cannot be issued again; the argument says why: `stale`, `period_over`, `nothing_due`."""


def issue(
    nest: Nest, area: str, kind: ListKind, day: date, at: int, by: str, people: Collection[str] | None = None
) -> list[str]:
    """Issue the lists of one area for the day or its week, for these `people` or all.

    Returns their numbers, of those that existed already too.
    """
    period = period_of(kind, day)
    with nest.store.transaction([area]) as tx:
        numbers = _issued(tx, area, period)
        drafted = drafts(nest, tx, area, period, _charge(period, at), people, set(numbers))
        for one in drafted:  # one at a time in memory
            number = _number(tx, area, period)
            _store(tx, number, 1, area, period, one, at, by)
            numbers[one.person] = number
        return [numbers[person] for person in sorted(numbers) if people is None or person in people]


def reissue(nest: Nest, area: str, number: str, revision: int, reason: str, at: int, by: str) -> int:
    """Issue a list of an area again as it would be now; returns the new revision. The earlier ones stay.

    `revision` is the newest that the caller saw. Raises `NotIssued`, and `KeyError` if there is no such list.
    """
    with nest.store.transaction([area]) as tx:
        query = select(lists).where(lists.c.number == number, lists.c.area == area)
        last = tx.connection.execute(query.order_by(lists.c.revision.desc())).first()
        if last is None:
            raise KeyError(number)
        if last.revision != revision:
            raise NotIssued("stale")
        period = Period(ListKind(last.kind), last.begins, last.ends)
        if period.ends < local_date(at):
            raise NotIssued("period_over")
        drafted = next(drafts(nest, tx, area, period, _charge(period, at), [last.collaborator]), None)
        if drafted is None:
            raise NotIssued("nothing_due")
        _store(tx, number, revision + 1, area, period, drafted, at, by, reason)
        return revision + 1


def areas_with_people(day: date) -> list[str]:
    """The areas in which anybody holds an assignment on that day."""
    query = select(AssignmentTable.area, AssignmentTable.begins, AssignmentTable.ends)
    found = db.session.execute(query)
    return sorted({row.area for row in found if row.begins <= day and (row.ends is None or day <= row.ends)})


def _charge(period: Period, at: int) -> date:
    """The day whose assignments count: the first of the period, or today if it has begun."""
    return min(max(period.begins, local_date(at)), period.ends)


def _issued(tx: SqlTransaction, area: str, period: Period) -> dict[str, str]:
    """Collaborator -> the number of his list."""
    query = select(lists.c.collaborator, lists.c.number).where(lists.c.area == area, lists.c.revision == 1)
    query = query.where(lists.c.kind == period.kind.value, lists.c.begins == period.begins)
    return {row.collaborator: row.number for row in tx.connection.execute(query)}


def _number(tx: SqlTransaction, area: str, period: Period) -> str:
    prefix = f"{area.partition('.')[2]}-{period.name}-"
    query = select(func.count()).where(lists.c.number.startswith(prefix), lists.c.revision == 1)
    return f"{prefix}{(tx.connection.scalar(query) or 0) + 1:02d}"


def _store(
    tx: SqlTransaction,
    number: str,
    revision: int,
    area: str,
    period: Period,
    drafted: Drafted,
    at: int,
    by: str,
    reason: str = "",
) -> None:
    person = drafted.person
    which = {"number": number, "revision": revision}
    head = which | {
        "area": area,
        "collaborator": person,
        "kind": period.kind.value,
        "begins": period.begins,
        "ends": period.ends,
        "issued_at": at,
        "issued_by": by,
        "head": orjson.dumps({**drafted.head, "reason": reason}),
    }
    parts = [
        which
        | {"line": one.line, "part": one.part, "carried": one.carried, "visit": one.visit}
        | {"body": orjson.dumps(one.body), "outcome": None, "outcome_sub": None}
        for one in drafted.parts
    ]
    tx.connection.execute(insert(lists), [head])
    tx.connection.execute(insert(lines), parts)
    act, user = "issue" if revision == 1 else "reissue", f"user:{person}"
    audit = AuditRow(area, at, by, act, number, detail={"revision": revision, "collaborator": person})
    tx.write(Changes(at=at, touched={Touched(user, user, "list", number)}, audit=[audit]))
