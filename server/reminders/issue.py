"""Issuing reminder lists: numbered, frozen, one for each collaborator and day.

The number is `<ward>-<yyyymmdd>-<n>`. Issuing the same day again gives the list that there is.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

import orjson
from sqlalchemy import func, insert, select

from server.store.people import collaborators
from server.store.rows import read_visit
from server.store.store import SqlStore, SqlTransaction, table
from server.store.tables import AssignmentTable, Entity, ReminderLine, ReminderList, VisitTable, db
from sync.authority import Author
from sync.ports import Changes, Touched
from sync.visits.plan import Visit, VisitState
from sync.visits.rules import Rules


def issue_daily(store: SqlStore, rules: Rules, area: str, day: date, at: int, by: str) -> list[str]:
    """Issue the lists of one area for one day; returns their numbers, of those that existed already too."""
    with store.transaction([area]) as tx:
        numbers = []
        for person in collaborators(area, day, tx):
            existing = tx.connection.scalar(
                select(ReminderList.number).where(
                    ReminderList.collaborator == person.id,
                    ReminderList.kind == "daily",
                    ReminderList.begins == day,
                )
            )
            visits = [] if existing else due_visits(tx, person, area, day)
            if existing or visits:
                numbers.append(existing or _issue(tx, rules, person, area, day, visits, at, by))
        return numbers


def areas_with_people(day: date) -> list[str]:
    """The areas in which anybody holds an assignment on that day."""
    query = select(AssignmentTable.area, AssignmentTable.begins, AssignmentTable.ends)
    found = db.session.execute(query)
    return sorted({row.area for row in found if row.begins <= day and (row.ends is None or day <= row.ends)})


def due_visits(tx: SqlTransaction, person: Author, area: str, day: date) -> list[Visit]:
    """The open visits in his hamlets whose window has begun, in walking order: hamlet, household, urgency."""
    scopes = {
        f"{held.area}/{held.hamlet}"
        for held in person.assignments
        if held.area == area and held.hamlet and held.on(day)
    }
    query = select(table(VisitTable)).where(
        VisitTable.scope.in_(scopes),
        VisitTable.state == VisitState.OPEN.value,
        VisitTable.assignee_role == person.role.value,
        VisitTable.earliest <= day,
    )
    visits = [read_visit(row) for row in tx.connection.execute(query)]
    return sorted(
        visits, key=lambda v: (v.scope, v.household or v.subject, not v.statutory, -v.priority, v.due, v.id)
    )


def issued_list(number: str) -> ReminderList | None:
    """The newest revision of a list; None if there is no such number."""
    query = select(ReminderList).where(ReminderList.number == number).order_by(ReminderList.revision.desc())
    return db.session.scalars(query).first()


def list_body(issued: ReminderList) -> dict[str, Any]:
    """A list as JSON: as it was printed, with the outcomes that came since."""
    query = select(ReminderLine).where(ReminderLine.number == issued.number, ReminderLine.revision == issued.revision)
    lines = [
        orjson.loads(line.body) | {"line": line.line, "visit": line.visit, "outcome": line.outcome}
        for line in db.session.scalars(query.order_by(ReminderLine.line))
    ]
    return {
        "number": issued.number,
        "revision": issued.revision,
        "area": issued.area,
        "collaborator": issued.collaborator,
        "kind": issued.kind,
        "begins": issued.begins.isoformat(),
        "ends": issued.ends.isoformat(),
        "lines": lines,
    }


def _issue(
    tx: SqlTransaction,
    rules: Rules,
    person: Author,
    area: str,
    day: date,
    visits: Sequence[Visit],
    at: int,
    by: str,
) -> str:
    prefix = f"{area.partition('.')[2]}-{day:%Y%m%d}-"
    count = tx.connection.scalar(
        select(func.count()).select_from(ReminderList).where(ReminderList.number.startswith(prefix))
    )
    number = f"{prefix}{(count or 0) + 1:02d}"
    head = {
        "number": number,
        "revision": 1,
        "area": area,
        "collaborator": person.id,
        "kind": "daily",
        "begins": day,
        "ends": day,
        "issued_at": at,
        "issued_by": by,
    }
    tx.connection.execute(insert(table(ReminderList)), [head])
    tx.connection.execute(insert(table(ReminderLine)), list(_lines(tx, rules, number, visits)))
    user = f"user:{person.id}"
    tx.write(Changes(at=at, touched={Touched(user, user, "list", number)}))
    return number


def _lines(tx: SqlTransaction, rules: Rules, number: str, visits: Sequence[Visit]) -> Iterable[dict[str, Any]]:
    """The lines in the words that are printed: a list stays as it was, whatever is learned later."""
    ids = {ident for visit in visits for ident in (visit.subject, visit.household) if ident}
    found = tx.connection.execute(select(Entity.id, Entity.label, Entity.data).where(Entity.id.in_(ids)))
    labels = {row.id: (row.label, orjson.loads(row.data)) for row in found}
    for index, visit in enumerate(visits, start=1):
        rule = rules.find(visit.rule, visit.subject_type)
        home = labels.get(visit.household or visit.subject, ("", {}))
        body = {
            "subject": visit.subject,
            "subject_type": visit.subject_type,
            "household": visit.household or visit.subject,
            "name": labels.get(visit.subject, ("", {}))[0],
            "head": home[0],
            "address": home[1].get("address_line"),
            "scope": visit.scope,
            "rule": visit.rule,
            "what": rule.texts["name"]["vi"] if rule else visit.rule,
            "why": rule.texts["why"]["vi"] if rule else "",
            "due": visit.due.isoformat(),
            "show_on": visit.show_on.isoformat(),
            "statutory": visit.statutory,
        }
        yield {
            "number": number,
            "revision": 1,
            "line": index,
            "visit": visit.id,
            "body": orjson.dumps(body),
            "outcome": None,
            "outcome_sub": None,
        }
