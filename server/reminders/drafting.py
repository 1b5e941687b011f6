"""What a reminder list would say now, in the words that are printed."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import orjson
from sqlalchemy import Connection, select

from server.reading.words import Words
from server.reminders.arranged import Arranged, open_visits, shares
from server.store.base import table
from server.store.people import collaborators
from server.store.reads import fetch
from server.store.store import SqlTransaction
from server.store.tables import Entity, ReminderLine, ReminderList, User
from server.world import Nest
from sync.authority import Author
from sync.visits.arrangements import BY_HAND, BY_HAND_NAME
from sync.visits.lists import Draft, Period, Stop, draft, task_of
from sync.visits.plan import Visit
from sync.visits.route import Home, point_of

entity, user = table(Entity), table(User)
lists, lines = table(ReminderList), table(ReminderLine)


@dataclass(frozen=True)
class Part:
    """One visit on a list: its line, its place on the line, and what is printed of it."""

    line: int
    part: int
    carried: bool
    visit: str
    body: Mapping[str, Any]


@dataclass(frozen=True)
class Drafted:
    """A list that is not issued: for whom, what stands above it, and its visits."""

    person: str
    head: Mapping[str, Any]
    parts: tuple[Part, ...]


def drafts(
    nest: Nest,
    tx: SqlTransaction,
    area: str,
    period: Period,
    day: date,
    only: Collection[str] | None = None,
    but: Collection[str] = (),
) -> Iterator[Drafted]:
    """The lists of those who have charge of anything in an area on a day; who has nothing to do has none.

    `only` these persons, if given, `but` not those.
    """
    people = collaborators(area, day, tx)
    wanted = [one for one in people if one.id not in but and (only is None or one.id in only)]
    if not wanted:
        return
    found = [one for one in open_visits(tx.connection, [area], period.ends) if one.shows(period.ends)]
    mine = shares([one for one in found if one.visit.assignee_role == "collaborator"], people, day)
    persons = capacities(nest, tx.connection, [one.id for one in wanted])
    for person in wanted:
        if mine[person.id]:
            yield _drafted(nest, tx.connection, person, mine[person.id], period, persons[person.id])


def capacities(nest: Nest, connection: Connection, people: Collection[str]) -> dict[str, tuple[str, int]]:
    """(name, visits a day) of these people."""
    query = select(user.c.id, user.c.name, user.c.visits_a_day)
    found = fetch(connection, people, lambda some: query.where(user.c.id.in_(some)))
    return {row.id: (row.name, row.visits_a_day or nest.settings.visits_a_day) for row in found}


def homes_of(connection: Connection, visits: Sequence[Visit]) -> tuple[dict[str, tuple[str, Any]], dict[str, Home]]:
    """(label, data) of the subjects and households of visits, and where these households are.

    The data is that of households, or of whoever lives in none; of others only the label is read.
    """
    at_home = {one.household or one.subject for one in visits}
    ids = {ident for one in visits for ident in (one.subject, one.household) if ident}
    query = select(entity.c.id, entity.c.label, entity.c.data)
    found = fetch(connection, ids, lambda some: query.where(entity.c.id.in_(some)))
    known = {row.id: (row.label, orjson.loads(row.data) if row.id in at_home else {}) for row in found}
    homes: dict[str, Home] = {}
    for one in visits:
        ident = one.household or one.subject
        if ident in homes:
            continue
        homes[ident] = Home(ident, one.scope, point_of(known.get(ident, ("", {}))[1].get("gps")))
    return known, homes


def rule_words(nest: Nest, one: Visit) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """What a visit is about and why, each by language."""
    if one.rule == BY_HAND:
        return BY_HAND_NAME, {"vi": one.reason, "en": one.reason}
    return Words(nest).rule(one.rule, one.subject_type)


def _drafted(
    nest: Nest,
    connection: Connection,
    person: Author,
    mine: Sequence[Arranged],
    period: Period,
    known_as: tuple[str, int],
) -> Drafted:
    visits = {one.visit.id: one.visit for one in mine}
    known, homes = homes_of(connection, list(visits.values()))
    name, visits_a_day = known_as
    capacity = period.capacity(visits_a_day, nest.calendar)
    made = draft([task_of(one, nest.rules) for one in visits.values()], homes, capacity, period.ends)
    before = _unfinished(connection, person.id, period, list(visits))
    parts = [
        Part(line, part, carried, task.visit, _body(nest, visits[task.visit], known, before.get(task.visit)))
        for line, (carried, stop) in enumerate(_in_turn(made), start=1)
        for part, task in enumerate(stop.tasks, start=1)
    ]
    area = next(iter(visits.values())).area
    ward = nest.places.wards.get(area)
    head = {"name": name, "ward": ward.name if ward else area, "capacity": capacity, "visits_a_day": visits_a_day}
    return Drafted(person.id, head, tuple(parts))


def _in_turn(made: Draft) -> Iterator[tuple[bool, Stop]]:
    yield from ((False, stop) for stop in made.stops)
    yield from ((True, stop) for stop in made.carried)


def _body(nest: Nest, one: Visit, known: Mapping[str, tuple[str, Any]], before: str | None) -> dict[str, Any]:
    """What is printed of a visit: a list stays as it was, whatever is learned later."""
    home = known.get(one.household or one.subject, ("", {}))
    what, why = rule_words(nest, one)
    return {
        "subject": one.subject,
        "subject_type": one.subject_type,
        "household": one.household or one.subject,
        "name": known.get(one.subject, ("", {}))[0],
        "head": home[0],
        "address": home[1].get("address_line"),
        "scope": one.scope,
        "place": Words(nest).place(one.scope),
        "rule": one.rule,
        "what": what["vi"],
        "why": why["vi"],
        "due": one.due.isoformat(),
        "show_on": one.show_on.isoformat(),
        "statutory": one.statutory,
        "carried_from": before,
    }


def _unfinished(connection: Connection, person: str, period: Period, visits: Sequence[str]) -> dict[str, str]:
    """Visit -> the last earlier list of its kind on which it stood: they are open, so it was not done there."""
    query = select(lines.c.visit, lists.c.number, lists.c.begins)
    query = query.join(lists, (lists.c.number == lines.c.number) & (lists.c.revision == lines.c.revision))
    query = query.where(lists.c.collaborator == person, lists.c.kind == period.kind.value)
    query = query.where(lists.c.begins < period.begins)
    found = fetch(connection, visits, lambda some: query.where(lines.c.visit.in_(some)))
    return {row.visit: row.number for row in sorted(found, key=lambda row: (row.begins, row.number))}
