"""What a scheduler looks at: the visits that are due, who can do how many, and what came of them."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from server.auth.access import Access
from server.reading.lists import draft_body, made_at
from server.reading.words import Words
from server.reminders.arranged import Arranged, open_visits, shares, visit, visits_of
from server.reminders.drafting import capacities, drafts, homes_of, rule_words
from server.store.base import table
from server.store.people import collaborators
from server.store.reads import Reads, fetch
from server.store.store import SqlTransaction
from server.store.tables import ArrangementTable, Submission, db
from server.world import Nest
from sync.authority import Author
from sync.times import iso
from sync.visits.lists import Period
from sync.visits.plan import VisitState

arrangement, submission = table(ArrangementTable), table(Submission)
COUNTS = ("due", "in_time", "late", "missed", "open")


def due_visits(nest: Nest, access: Access, areas: Collection[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the open visits that are due by the end of a period, overdue ones included, the longest due first.

    `asked`: `period`; `hamlet`, `collaborator`, `after` may be None; `limit`.
    """
    connection, period = db.session.connection(), asked["period"]
    open_now = (visit.c.state == VisitState.OPEN.value, visit.c.due <= period.ends)
    found = _seen(access, visits_of(connection, areas, *open_now))
    people = _people(areas, access.today)
    if asked["hamlet"] is not None:
        found = [one for one in found if one.visit.scope.partition("/")[2] == asked["hamlet"]]
    if asked["collaborator"] is not None:
        found = [one for one in found if asked["collaborator"] in one.whose(people, access.today)]
    found.sort(key=_cursor)
    total = len(found)
    if asked["after"] is not None:
        found = [one for one in found if _cursor(one) > asked["after"]]
    page = found[: asked["limit"]]
    told = _told(nest, connection, page, people, access.today)
    more = len(found) > len(page)
    return {"visits": told, "total": total, "more": more, "after": _cursor(page[-1]) if more else None}


def load(nest: Nest, area: str, period: Period, today: date) -> list[dict[str, Any]]:
    """How many lines each collaborator of an area would have in a period, against what he can do.

    `shared`: visits on his list that stand on another one's, too, as they were given to nobody.
    """
    tx = SqlTransaction(db.session.connection(), {})
    day = min(max(period.begins, today), period.ends)
    people = collaborators(area, day, tx)
    found = [one for one in open_visits(tx.connection, [area], period.ends) if one.shows(period.ends)]
    mine = shares([one for one in found if one.visit.assignee_role == "collaborator"], people, day)
    owners = Counter(one.visit.id for its in mine.values() for one in its)
    lists = {one.person: draft_body(one, area, period)["lines"] for one in drafts(nest, tx, area, period, day)}
    loads = []
    for person, (name, a_day) in sorted(capacities(nest, tx.connection, list(mine)).items()):
        lines = lists.get(person, [])
        counts = {
            "visits": len(mine[person]),
            "lines": len(lines),
            "carried": sum(line["carried"] for line in lines),
            "statutory": sum(any(task["statutory"] for task in line["tasks"]) for line in lines),
            "shared": sum(owners[one.visit.id] > 1 for one in mine[person]),
        }
        capacity = period.capacity(a_day, nest.calendar)
        loads.append({"collaborator": person, "name": name, "visits_a_day": a_day, "capacity": capacity} | counts)
    return loads


def preview(nest: Nest, area: str, period: Period, person: str | None, today: date) -> list[dict[str, Any]]:
    """The lists of an area as they would be issued now, of one person or of all."""
    tx = SqlTransaction(db.session.connection(), {})
    day = min(max(period.begins, today), period.ends)
    found = drafts(nest, tx, area, period, day, None if person is None else [person])
    return [draft_body(one, area, period) for one in found]


def summary(nest: Nest, access: Access, areas: Collection[str], begins: date, ends: date, now: int) -> dict[str, Any]:
    """What came of the visits that were due from `begins` to `ends`, by rule and by collaborator.

    In time or late is said by when a visit was made, however late it was synced. A visit that was done counts for
    whoever made it; another one for the one it was given to, or who alone can go; else for nobody (None).
    """
    connection = db.session.connection()
    wanted = (visit.c.due >= begins, visit.c.due <= ends, visit.c.state != VisitState.NOT_NEEDED.value)
    found = [one for one in _seen(access, visits_of(connection, areas, *wanted)) if not _cancelled(one)]
    made = Reads(connection).made({one.visit.subject for one in found} | {one.visit.household or "" for one in found})
    by_sub: dict[str, list[Any]] = {}
    for told in made:
        by_sub.setdefault(told.sub, []).append(told)
    authors, people = _authors(connection, found), _people(areas, access.today)
    total, by_rule, by_person = Counter[str](), dict[str, Counter[str]](), dict[str | None, Counter[str]]()
    for one in found:
        state = _fate(one, by_sub, now)
        person = authors.get(one.visit.done_by or "") or _alone(one, people, access.today)
        for counter in (
            total,
            by_rule.setdefault(one.visit.rule, Counter()),
            by_person.setdefault(person, Counter()),
        ):
            counter.update(("due", state))
    named = capacities(nest, connection, [person for person in by_person if person])
    rules = {one.visit.rule: rule_words(nest, one.visit)[0]["vi"] for one in found}
    return {
        "total": _counts(total),
        "by_rule": [{"rule": rule, "name": rules[rule]} | _counts(by_rule[rule]) for rule in sorted(by_rule)],
        "by_collaborator": [
            {"collaborator": person, "name": named[person][0] if person in named else None}
            | _counts(by_person[person])
            for person in sorted(by_person, key=lambda one: (one is None, one or ""))
        ],
    }


def week_of(text: str) -> date:
    """The Monday of a week of this century, as `2026-W48`. Raises `ValueError`."""
    if re.fullmatch(r"20[0-9]{2}-W[0-9]{2}", text) is None:
        raise ValueError(text)
    return date.fromisocalendar(int(text[:4]), int(text[-2:]), 1)


def next_week(today: date) -> date:
    """The Monday after a day."""
    return today + timedelta(days=7 - today.weekday())


def _seen(access: Access, found: Iterable[Arranged]) -> list[Arranged]:
    return [one for one in found if access.plans(one.visit.area, one.visit.scope)]


def _cancelled(one: Arranged) -> bool:
    return one.held.cancelled and one.visit.state is VisitState.OPEN


def _cursor(one: Arranged) -> str:
    return f"{one.visit.due.isoformat()}~{one.visit.id}"


def _people(areas: Collection[str], day: date) -> list[Author]:
    tx = SqlTransaction(db.session.connection(), {})
    found = {one.id: one for area in sorted(areas) for one in collaborators(area, day, tx)}
    return [found[ident] for ident in sorted(found)]


def _told(
    nest: Nest, connection: Connection, page: Sequence[Arranged], people: Sequence[Author], today: date
) -> list[dict[str, Any]]:
    known, _ = homes_of(connection, [one.visit for one in page])
    query = select(arrangement).where(arrangement.c.standing)
    rows = fetch(connection, [one.visit.id for one in page], lambda some: query.where(arrangement.c.visit.in_(some)))
    decided = {row.visit: row for row in rows}
    found = []
    for one in page:
        visit, row = one.visit, decided.get(one.visit.id)
        what, why = rule_words(nest, visit)
        home = known.get(visit.household or visit.subject, ("", {}))
        body = {
            name: getattr(visit, name) for name in ("id", "rule", "subject_type", "subject", "household", "scope")
        }
        body |= {"what": what["vi"], "why": why["vi"], "place": Words(nest).place(visit.scope)}
        body |= {
            "name": known.get(visit.subject, ("", {}))[0],
            "head": home[0],
            "address": home[1].get("address_line"),
        }
        body |= {name: getattr(visit, name).isoformat() for name in ("earliest", "due", "latest", "show_on")}
        body |= {"statutory": visit.statutory, "priority": visit.priority, "attempts": visit.attempts}
        body |= {"overdue": visit.due < today, "assignee_role": visit.assignee_role}
        body |= {"assignee": one.held.assignee, "cancelled": one.held.cancelled, "whose": one.whose(people, today)}
        body |= {"snoozed_until": one.held.until.isoformat() if one.held.until else None}
        about = {"act": row.act, "reason": row.reason, "by": row.who, "at": iso(row.at)} if row else None
        found.append(body | {"decided": about})
    return found


def _authors(connection: Connection, found: Sequence[Arranged]) -> dict[str, str]:
    """Submission -> who made it, of those that did visits."""
    subs = {one.visit.done_by for one in found if one.visit.done_by}
    query = select(submission.c.id, submission.c.author)
    return {
        row.id: row.author for row in fetch(connection, subs, lambda some: query.where(submission.c.id.in_(some)))
    }


def _alone(one: Arranged, people: Sequence[Author], day: date) -> str | None:
    able = one.whose(people, day)
    return able[0] if len(able) == 1 else None


def _fate(one: Arranged, made: Mapping[str, Sequence[Any]], now: int) -> str:
    if one.visit.state is VisitState.DONE:
        at = made_at(one.visit, made.get(one.visit.done_by or "", ()))
        return "late" if at is not None and at >= one.visit.due_at else "in_time"
    return "missed" if one.visit.due_at <= now else "open"


def _counts(counter: Counter[str]) -> dict[str, int]:
    return {name: counter[name] for name in COUNTS}
