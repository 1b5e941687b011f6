"""Issued lists as they were printed, with what has become of each line since.

An outcome is read from the facts of today, never stored: a submission that comes late, is amended or rejected
changes it. A visit counts by the time at which it was made, not by that at which it was synced.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, Row, and_, func, select

from server.reminders.arranged import arrangements
from server.reminders.drafting import Drafted
from server.store.base import table
from server.store.reads import Reads, fetch
from server.store.rows import read_visit
from server.store.tables import ReminderLine, ReminderList, VisitTable, db
from sync.times import iso, local_date
from sync.visits.arrangements import NOTHING, Arrangement, in_force
from sync.visits.lists import Period
from sync.visits.plan import Made, Visit, VisitState
from sync.visits.runs import midnight

lists, lines, visits = table(ReminderList), table(ReminderLine), table(VisitTable)
ATTEMPTS = {"3": "nobody_home", "4": "refused", "5": "not_found", "6": "moved_away"}  # of list visit_result
UNKNOWN: Mapping[str, Any] = {"outcome": None, "submission": None, "made_at": None, "in_time": None}
OPEN = frozenset({None, "carried_over", "missed", "not_made"})  # nothing has come back
MOST = 200


def issued_list(number: str, revision: int | None = None) -> ReminderList | None:
    """The newest revision of a list, or that one; None if there is none."""
    query = select(ReminderList).where(ReminderList.number == number)
    if revision is not None:
        query = query.where(ReminderList.revision == revision)
    return db.session.scalars(query.order_by(ReminderList.revision.desc())).first()


def list_heads(areas: Collection[str], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The newest revision of the lists of these areas, the latest period first."""
    newest = select(lists.c.number, func.max(lists.c.revision).label("revision")).group_by(lists.c.number).subquery()
    same = and_(newest.c.number == lists.c.number, newest.c.revision == lists.c.revision)
    query = select(lists).join(newest, same).where(lists.c.area.in_(sorted(areas)))
    for name in ("kind", "collaborator"):
        if asked.get(name) is not None:
            query = query.where(lists.c[name] == asked[name])
    if asked.get("on") is not None:
        query = query.where(lists.c.begins <= asked["on"], lists.c.ends >= asked["on"])
    query = query.order_by(lists.c.begins.desc(), lists.c.number).limit(MOST)
    return [_head(row) for row in db.session.execute(query)]


def list_body(issued: ReminderList, now: int, carried: bool = True) -> dict[str, Any]:
    """A list as JSON: as it was printed, with the outcomes that there are at `now` (ms).

    Without those `carried` over it is what can be done.
    """
    connection = db.session.connection()
    newest = connection.scalar(select(func.max(lists.c.revision)).where(lists.c.number == issued.number))
    return _head(issued) | {
        "newest_revision": newest,
        "lines": _told(connection, issued, now, *([] if carried else [~lines.c.carried])),
    }


def list_line(issued: ReminderList, line: int, now: int) -> dict[str, Any] | None:
    """One line of a list, as `list_body` has it; None if there is none."""
    return next(iter(_told(db.session.connection(), issued, now, lines.c.line == line)), None)


def _told(connection: Connection, issued: ReminderList, now: int, *where: Any) -> list[dict[str, Any]]:
    query = select(lines).where(lines.c.number == issued.number, lines.c.revision == issued.revision, *where)
    rows = connection.execute(query.order_by(lines.c.line, lines.c.part)).all()
    became = _outcomes(connection, issued, rows, now)
    parts = [
        (row.line, bool(row.carried), {"visit": row.visit} | orjson.loads(row.body) | became[row.visit])
        for row in rows
    ]
    return _lines(parts)


def answered(number: str, revision: int, now: int) -> tuple[int, int]:
    """How many of the lines to be done have come to something by `now` (ms), and how many there are."""
    issued = issued_list(number, revision)
    assert issued is not None
    connection = db.session.connection()
    query = select(lines).where(lines.c.number == number, lines.c.revision == revision, ~lines.c.carried)
    rows = connection.execute(query).all()
    became = _outcomes(connection, issued, rows, now)
    by_line: dict[int, set[str | None]] = defaultdict(set)
    for row in rows:
        by_line[row.line].add(became[row.visit]["outcome"])
    return sum(not said & OPEN for said in by_line.values()), len(by_line)


def draft_body(drafted: Drafted, area: str, period: Period) -> dict[str, Any]:
    """A list that is not issued, in the same shape."""
    head = {
        "number": None,
        "revision": None,
        "area": area,
        "collaborator": drafted.person,
        "kind": period.kind.value,
        "begins": period.begins.isoformat(),
        "ends": period.ends.isoformat(),
        "issued_at": None,
        "issued_by": None,
    }
    parts = [(one.line, one.carried, {"visit": one.visit} | dict(one.body) | dict(UNKNOWN)) for one in drafted.parts]
    return head | _printed_head(drafted.head) | {"newest_revision": None, "lines": _lines(parts)}


def _head(row: Any) -> dict[str, Any]:
    known = {name: getattr(row, name) for name in ("number", "revision", "area", "collaborator", "kind", "issued_by")}
    dates = {"begins": row.begins.isoformat(), "ends": row.ends.isoformat(), "issued_at": iso(row.issued_at)}
    return known | dates | _printed_head(orjson.loads(row.head) if row.head else {})


def _printed_head(head: Mapping[str, Any]) -> dict[str, Any]:
    return {name: head.get(name) for name in ("name", "ward", "capacity", "visits_a_day", "reason")}


def _lines(parts: Sequence[tuple[int, bool, dict[str, Any]]]) -> list[dict[str, Any]]:
    """One for each child or household. What stands first is its most urgent visit; `tasks` are all of them."""
    by_line: dict[int, list[tuple[bool, dict[str, Any]]]] = defaultdict(list)
    for number, carried, part in parts:
        by_line[number].append((carried, part))
    told = ("visit", "rule", "what", "why", "due", "statutory", "outcome", "submission", "made_at", "in_time")
    found = []
    for number, its in sorted(by_line.items()):
        carried, lead = its[0]
        tasks = [{name: part[name] for name in told} for _, part in its]
        outcomes = {task["outcome"] for task in tasks}
        whole = {"line": number, "carried": carried, "tasks": tasks}
        found.append({**lead, **whole, "outcome": lead["outcome"] if len(outcomes) == 1 else "partly"})
    return found


def _outcomes(
    connection: Connection, issued: ReminderList, rows: Sequence[Row[Any]], now: int
) -> dict[str, Mapping[str, Any]]:
    wanted = {row.visit for row in rows}
    found = fetch(connection, wanted, lambda some: select(visits).where(visits.c.id.in_(some)))
    known = {row.id: read_visit(row) for row in found}
    ids = {ident for one in known.values() for ident in (one.subject, one.household) if ident}
    made, held = defaultdict[str, list[Made]](list), arrangements(connection, wanted)
    for told in Reads(connection).made(ids):
        made[told.subject].append(told)
    later = _later(connection, issued, wanted)
    became: dict[str, Mapping[str, Any]] = {}
    for row in rows:
        visit = known.get(row.visit)
        if visit is None:
            became[row.visit] = UNKNOWN
            continue
        about = dict.fromkeys((visit.subject, visit.household or visit.subject))
        mine = sorted((one for ident in about for one in made[ident]), key=lambda one: (one.t, one.sub, one.subject))
        said = _said(visit, held.get(visit.id, NOTHING), mine, issued.begins)
        if said["outcome"] is None and (row.carried or visit.id in later):
            said = {**said, "outcome": "carried_over"}
        elif said["outcome"] is None and issued.ends < local_date(now):
            said = {**said, "outcome": "missed" if visit.due <= issued.ends else "not_made"}
        became[row.visit] = said
    return became


def _said(visit: Visit, arrangement: Arrangement, made: Sequence[Made], begins: date) -> Mapping[str, Any]:
    """What became of a visit, but for what later lists tell."""
    if visit.state is VisitState.DONE:
        at = made_at(visit, made)
        told = {"made_at": None if at is None else iso(at), "in_time": None if at is None else at < visit.due_at}
        return {**UNKNOWN, "outcome": "done", "submission": visit.done_by} | told
    if visit.state is VisitState.NOT_NEEDED:
        return {**UNKNOWN, "outcome": "not_needed"}
    if in_force(visit, arrangement).cancelled:
        return {**UNKNOWN, "outcome": "cancelled"}
    if visit.assignee_role != "collaborator":
        return {**UNKNOWN, "outcome": "escalated"}
    tries = [one for one in made if one.result in ATTEMPTS and one.t >= midnight(begins)]
    if tries:
        last = tries[-1]
        return {**UNKNOWN, "outcome": ATTEMPTS[last.result], "submission": last.sub, "made_at": iso(last.t)}
    return UNKNOWN


def made_at(visit: Visit, made: Sequence[Made]) -> int | None:
    """When the visit was made that did it (ms, by the phone's corrected clock)."""
    return min((one.t for one in made if one.sub == visit.done_by), default=None)


def _later(connection: Connection, issued: ReminderList, wanted: Collection[str]) -> set[str]:
    """Which of these visits stand on a later list of the same kind."""
    same = and_(lists.c.number == lines.c.number, lists.c.revision == lines.c.revision)
    query = select(lines.c.visit).join(lists, same).where(lists.c.area == issued.area, lists.c.kind == issued.kind)
    query = query.where(lists.c.begins > issued.begins)
    return {row.visit for row in fetch(connection, wanted, lambda some: query.where(lines.c.visit.in_(some)))}
