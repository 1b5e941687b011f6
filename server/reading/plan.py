"""What a scheduler looks at: the visits that are due, who can do how many, and what came of them."""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, literal, not_, select, tuple_

from server.auth.access import Access
from server.reading.charge import Charge, cancelled, put_off
from server.reading.lists import draft_body, made_at
from server.reading.load import charge_day, due_count, load
from server.reading.words import Words
from server.reminders.arranged import Arranged, visit, visits_of
from server.reminders.drafting import capacities, drafts, homes_of, rule_words
from server.store.base import table
from server.store.people import collaborators
from server.store.reads import Reads, fetch
from server.store.store import SqlTransaction
from server.store.tables import ArrangementTable, Submission, db
from server.world import Nest
from sync.authority import PROTECTION, Author
from sync.times import iso
from sync.visits.lists import Period
from sync.visits.plan import Visit, VisitState

arrangement, submission = table(ArrangementTable), table(Submission)
__all__ = ["Fate", "due_visits", "fates", "load", "next_week", "preview", "summary", "week_of"]
COUNTS = ("due", "in_time", "late", "missed", "open")


def due_visits(nest: Nest, access: Access, areas: Collection[str], asked: Mapping[str, Any]) -> dict[str, Any]:
    """A page of the open visits that are due by the end of a period, overdue ones included, the longest due first.

    `asked`: `period`; `hamlet`, `collaborator` (or `NOBODY`), `after` may be None; `limit`. It may name a `day` whose
    assignments count instead of today's, a `role`, and whether those `aside` are wanted alone: cancelled, or put off
    beyond the period.
    """
    connection = db.session.connection()
    day = asked.get("day") or access.today
    charge = Charge(_people(areas, day), areas, day)
    where = _asked(access, charge, areas, asked)
    total = due_count(nest, access, charge, areas, asked)
    if asked["after"] is not None:
        due, _, ident = asked["after"].partition("~")
        where.append(tuple_(visit.c.due, visit.c.id) > tuple_(_day(due), literal(ident)))
    found = visits_of(connection, areas, *where, order=(visit.c.due, visit.c.id), limit=asked["limit"] + 1)
    page = found[: asked["limit"]]
    more = len(found) > len(page)
    told = _told(nest, connection, page, charge, access.today)
    return {"visits": told, "total": total, "more": more, "after": _cursor(page[-1]) if more else None}


def _asked(access: Access, charge: Charge, areas: Collection[str], asked: Mapping[str, Any]) -> list[Any]:
    """The conditions of `due_visits`."""
    where = [visit.c.state == VisitState.OPEN.value, visit.c.due <= asked["period"].ends, *_seen_in(access, areas)]
    if asked["hamlet"] is not None:
        where.append(visit.c.scope.in_([f"{area}/{asked['hamlet']}" for area in sorted(areas)]))
    if asked["collaborator"] is not None:
        where.append(charge.has(asked["collaborator"]))
    if asked.get("role") is not None:
        where.append(visit.c.assignee_role == asked["role"])
    if asked.get("aside") is not None:
        idle = arrangement.c.visit.is_not(None) & (cancelled() | put_off(asked["period"].ends))
        where.append(idle if asked["aside"] else not_(idle))
    if asked.get("aside"):  # the few that are arranged lead there
        where.append(visit.c.id.in_(select(arrangement.c.visit).where(arrangement.c.standing)))
    return where


def _seen_in(access: Access, areas: Collection[str]) -> list[Any]:
    """That he who asks plans it: `Access.plans` as a condition."""
    hidden = [f"{area}/{PROTECTION}" for area in sorted(areas) if not access.plans(area, f"{area}/{PROTECTION}")]
    shown = [area for area in sorted(areas) if access.plans(area, f"{area}/00")]
    return [visit.c.area.in_(shown), visit.c.scope.not_in(hidden)]


def _day(text: str) -> date:
    """The day of a cursor; what is none is before all days."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return date.min


def preview(nest: Nest, area: str, period: Period, person: str | None, today: date) -> list[dict[str, Any]]:
    """The lists of an area as they would be issued now, of one person or of all."""
    tx = SqlTransaction(db.session.connection(), {})
    day = charge_day(period, today)
    found = drafts(nest, tx, area, period, day, None if person is None else [person])
    return [draft_body(one, area, period) for one in found]


@dataclass(frozen=True)
class Fate:
    """What came of a visit: in time, late, missed or open. `made` is when it was made (ms), `person` whose it is.

    A visit that was done counts for whoever made it; another one for the one it was given to, or who alone can go;
    else for nobody (None).
    """

    visit: Visit
    state: str
    person: str | None
    made: int | None


def fates(
    nest: Nest, access: Access, areas: Collection[str], begins: date, ends: date, now: int
) -> tuple[list[Fate], dict[str, str]]:
    """What came of the visits that were due from `begins` to `ends`, and the names of their people.

    In time or late is said by when a visit was made, however late it was synced.
    """
    connection = db.session.connection()
    wanted = (visit.c.due >= begins, visit.c.due <= ends, visit.c.state != VisitState.NOT_NEEDED.value)
    found = visits_of(connection, areas, *wanted, *_seen_in(access, areas))
    found = [one for one in found if not _cancelled(one)]
    made = Reads(connection).made({one.visit.subject for one in found} | {one.visit.household or "" for one in found})
    by_sub: dict[str, list[Any]] = {}
    for told in made:
        by_sub.setdefault(told.sub, []).append(told)
    authors = _authors(connection, found)
    charge = Charge(_people(areas, access.today), areas, access.today)
    told_of = []
    for one in found:
        at = made_at(one.visit, by_sub.get(one.visit.done_by or "", ())) if one.visit.done_by else None
        able = charge.whose(one.visit.scope, one.held.assignee)
        person = authors.get(one.visit.done_by or "") or (able[0] if len(able) == 1 else None)
        told_of.append(Fate(one.visit, _state(one.visit, at, now), person, at))
    named = capacities(nest, connection, sorted({one.person for one in told_of if one.person}))
    return told_of, {person: name for person, (name, _a_day) in named.items()}


def summary(nest: Nest, access: Access, areas: Collection[str], begins: date, ends: date, now: int) -> dict[str, Any]:
    """What came of the visits that were due from `begins` to `ends`, by rule and by collaborator; see `Fate`."""
    found, named = fates(nest, access, areas, begins, ends, now)
    total, by_rule, by_person = Counter[str](), dict[str, Counter[str]](), dict[str | None, Counter[str]]()
    for one in found:
        for counter in (
            total,
            by_rule.setdefault(one.visit.rule, Counter()),
            by_person.setdefault(one.person, Counter()),
        ):
            counter.update(("due", one.state))
    rules = {one.visit.rule: rule_words(nest, one.visit)[0]["vi"] for one in found}
    return {
        "total": _counts(total),
        "by_rule": [{"rule": rule, "name": rules[rule]} | _counts(by_rule[rule]) for rule in sorted(by_rule)],
        "by_collaborator": [
            {"collaborator": person, "name": named.get(person or "")} | _counts(by_person[person])
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


def _cancelled(one: Arranged) -> bool:
    return one.held.cancelled and one.visit.state is VisitState.OPEN


def _cursor(one: Arranged) -> str:
    return f"{one.visit.due.isoformat()}~{one.visit.id}"


def _people(areas: Collection[str], day: date) -> list[Author]:
    tx = SqlTransaction(db.session.connection(), {})
    found = {one.id: one for area in sorted(areas) for one in collaborators(area, day, tx)}
    return [found[ident] for ident in sorted(found)]


def _told(
    nest: Nest, connection: Connection, page: Sequence[Arranged], charge: Charge, today: date
) -> list[dict[str, Any]]:
    known, _ = homes_of(connection, [one.visit for one in page])
    query = select(arrangement).where(arrangement.c.standing)
    rows = fetch(connection, [one.visit.id for one in page], lambda some: query.where(arrangement.c.visit.in_(some)))
    decided = {row.visit: row for row in rows}
    found = []
    for one in page:
        visit, row = one.visit, decided.get(one.visit.id)
        whose = list(charge.whose(visit.scope, one.held.assignee))
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
        body |= {"assignee": one.held.assignee, "cancelled": one.held.cancelled, "whose": whose}
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


def _state(about: Visit, made: int | None, now: int) -> str:
    if about.state is VisitState.DONE:
        return "late" if made is not None and made >= about.due_at else "in_time"
    return "missed" if about.due_at <= now else "open"


def _counts(counter: Counter[str]) -> dict[str, int]:
    return {name: counter[name] for name in COUNTS}
