"""The other lists that forms ask for: wards, hamlets, and the visits that are due with whom, why and by when."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from server.auth.access import Access
from server.openrosa.columns import NAMELESS, line_of
from server.openrosa.document import CSV, Document
from server.reading.words import Words
from server.reminders.arranged import Arranged, open_visits, shares
from server.store.base import table
from server.store.people import collaborators
from server.store.reads import fetch
from server.store.store import SqlTransaction
from server.store.tables import Entity
from server.world import Nest
from sync.authority import Author, Role
from sync.places import UNKNOWN_HAMLET
from sync.visits.arrangements import BY_HAND, BY_HAND_NAME

entity = table(Entity)
AHEAD = timedelta(days=14)  # a phone without a network knows so far what will be due
SUBJECTS = ("child", "household")  # whom the form of a follow-up can be about
UNKNOWN = "Chưa rõ"


def wards(nest: Nest, access: Access) -> Document:
    """Every ward of the list in force, the reader's own first."""
    mine = access.author.areas([access.today])
    found = sorted(nest.places.wards.values(), key=lambda ward: (ward.key not in mine, ward.name, ward.key))
    return _csv(("name", "label"), ((ward.key, ward.name) for ward in found))


def hamlets(nest: Nest) -> Document:
    """Every hamlet with its ward; each ward has one that is not known."""
    known = [(one.code, one.name, one.ward) for one in nest.places.hamlets.values() if one.code != UNKNOWN_HAMLET]
    unknown = [(UNKNOWN_HAMLET, UNKNOWN, ward) for ward in nest.places.wards]
    return _csv(("name", "label", "ward"), sorted(known + unknown, key=lambda row: (row[2], row[0] == "00", row[0])))


def visits(nest: Nest, connection: Connection, access: Access) -> Document:
    """The visits that are the reader's own, those to be made first at the top."""
    found = _mine(connection, access.author, access.today)
    subjects = {one.visit.subject for one in found}
    named = fetch(connection, subjects, lambda some: select(entity.c.id, entity.c.label).where(entity.c.id.in_(some)))
    names, words = {row.id: row.label for row in named}, Words(nest)
    found.sort(key=lambda one: (one.visit.due, -one.visit.priority, names.get(one.visit.subject, ""), one.visit.id))
    rows = ((v.id, _label(v, names, words), v.subject_type, v.subject, v.due) for v in (one.visit for one in found))
    return _csv(("name", "label", "subject_type", "subject", "due"), rows)


def _mine(connection: Connection, author: Author, today: date) -> list[Arranged]:
    """The open visits that this person is to make, with those of the days to come."""
    tx, mine = SqlTransaction(connection, {}), list[Arranged]()
    for area in sorted(author.areas([today])):
        found = [one for one in open_visits(connection, [area], today + AHEAD) if one.shows(today + AHEAD)]
        wanted = [one for one in found if one.visit.assignee_role == author.role.value and _fits(one)]
        people = collaborators(area, today, tx) if author.role is Role.COLLABORATOR else [author]
        mine += shares(wanted, people, today).get(author.id, [])
    return mine


def _fits(one: Arranged) -> bool:
    return one.visit.subject_type in SUBJECTS


def _label(visit: Any, names: dict[str, str], words: Words) -> str:
    """By when, whom, why: a row of a choice is all that one sees."""
    name, why = words.rule(visit.rule, visit.subject_type)
    if visit.rule == BY_HAND:
        name, why = BY_HAND_NAME, {"vi": visit.reason}
    who = names.get(visit.subject) or NAMELESS
    said = f"{visit.due:%d/%m/%Y}: {who}, {name['vi']}"
    return f"{said} ({why['vi']})" if why.get("vi") else said


def _csv(columns: tuple[str, ...], rows: Iterable[tuple[Any, ...]]) -> Document:
    return Document("".join([line_of(columns), *(line_of(row) for row in rows)]).encode(), CSV)
