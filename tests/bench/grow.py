"""Databases of any size with real logs: a few households received by the server itself, and copies of their rows.

A copy has new ids, everywhere they occur; its submissions' raw bytes stay those of the first. That is enough for
whatever a log is read for while receiving, planning and issuing lists; `flask rebuild` would not find it whole.
"""

import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import Connection, insert, select, text

import sync.visits.plan as planning
from forms.entity_types import EntityType, protected_id
from server.auth.tokens import issue
from server.cli.people import enrol_device, fill_areas
from server.clock import now
from server.store.base import table
from server.store.people import add_user, assign
from server.store.reads import Reads
from server.store.tables import (
    Entity,
    FeedEntry,
    MadeTable,
    OpTable,
    Submission,
    SubmissionState,
    VisitTable,
    db,
)
from server.world import current_nest
from sync.arrival import Sender
from sync.authority import Role
from sync.envelope import RawItem
from sync.receive import receive
from sync.state.extract import Extraction, key_of
from sync.state.frame import Reading
from sync.times import DAY, local_date
from tests.api.builders import claim, item, new_id, registration, situation

PEOPLE = [f"k{number}" for number in range(8)]
HOT = ("31135", [f"{number:02d}" for number in range(1, 9)])  # every second household lives there
OTHERS = [("31120", 4), ("31321", 4), ("31687", 7)]
PLACES = [(ward, f"{number:02d}") for ward, last in OTHERS for number in range(1, last + 1)]
BLOCK = 200  # households that are received; each with one child
COPIED = (Submission, SubmissionState, OpTable, Entity, MadeTable, VisitTable, FeedEntry)
UUID = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
NAMESPACE = uuid.UUID("6e1cbe05-9f2a-4f55-a7a5-5be1a5cf3a42")


def place(number: int) -> tuple[str, str]:
    """Ward and hamlet of a household."""
    return (HOT[0], HOT[1][number // 2 % 8]) if number % 2 else PLACES[number // 2 % len(PLACES)]


def grow(app: Flask, children: int) -> dict[str, str]:
    """Fill a migrated database with people and so many children; returns the tokens of people."""
    with app.app_context():
        tokens = _people()
        senders = {who: Sender(who, None, frozenset({who}), now() - 30 * DAY) for who in PEOPLE}
        nest, homes = current_nest(), [_home(number) for number in range(min(BLOCK, children))]
        for round_ in zip(*homes, strict=True):
            for start in range(0, len(round_), 50):
                raws = [RawItem(orjson.dumps(one), one, None) for one in round_[start : start + 50]]
                arrivals = [nest.reader.read(raw, senders[raw.value["author"]], None, now()) for raw in raws]
                found = {receipt["outcome"] for receipt in receive(arrivals, nest.store, nest.world, now())}
                assert found <= {"applied", "merged"}, found
        db.session.remove()
        with db.engine.begin() as connection:
            _copy(connection, children)
        if db.engine.dialect.name == "postgresql":
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("vacuum analyze"))
    return tokens


def _people() -> dict[str, str]:
    fill_areas()
    begins, tokens = local_date(now() - 30 * DAY), {}
    for who in PEOPLE:
        add_user(who, f"Người dùng {who}", Role.COLLABORATOR)
        for ward, hamlet in [(HOT[0], code) for code in HOT[1]] + PLACES:
            assign(who, f"2025.{ward}", hamlet, begins)
        tokens[who] = issue(who, enrol_device(f"Máy của {who}", now() - 29 * DAY), now() - 29 * DAY)
    db.session.commit()
    return tokens


def new_home(number: int, author: str) -> dict[str, Any]:
    """The registration of a household with one child."""
    home, child = new_id(), new_id()
    ward, hamlet = place(number)
    answers = registration(home, {child: "Trần Gia Ân"}, ward_code=ward, hamlet_code=hamlet)
    return item("household_registration", answers, claim("household", home), author=author)


def _home(number: int) -> tuple[dict[str, Any], dict[str, Any]]:
    author = PEOPLE[number % len(PEOPLE)]
    made = new_home(number, author)
    child = made["answers"]["members"][0]["__id"]
    visited = situation(child, "Trần Gia Ân", risk_now="012"[number % 3])
    about = claim("child", child, "0-", after=[made["id"]])
    return made, item("child_situation", visited, about, author=author)


def _copy(connection: Connection, children: int) -> None:
    """Copies of all rows of the first block, until there are so many children."""
    rows = {model: [dict(row._mapping) for row in connection.execute(select(table(model)))] for model in COPIED}
    readings = dict(_readings(connection, [row["id"] for row in rows[Entity]]))
    born = [row["id"] for row in rows[Entity] if row["type"] == "child"]
    for number in range(1, -(-children // max(1, len(born)))):
        known = _Ids(number, born)
        for model in COPIED:
            copies = [_renamed(known, row) for row in rows[model]]
            if model is VisitTable:
                for one in copies:
                    one["id"] = _visit_id(one)
            if model is OpTable:
                for one, first in zip(copies, rows[model], strict=True):
                    if one["key"]:  # else every write would be derived anew when its entity is touched
                        one["key"] = _key(known, *readings[first["entity"], first["sub"]])
            if model is FeedEntry:
                copies = [one for one in copies if one["kind"] == "entity"]
            if copies:
                connection.execute(insert(table(model)), copies)


def _readings(
    connection: Connection, ids: Sequence[str]
) -> Iterator[tuple[tuple[str, str], tuple[EntityType, Reading]]]:
    """How each op is read, by (entity, submission): what its key is a digest of."""
    types = current_nest().world.types
    for ident, ledger in Reads(connection).ledgers(ids).items():
        assert ledger.row is not None
        kind = types[ledger.row.type]
        extraction = Extraction(kind, {entry.op.sub: entry.op for entry in ledger.ops if entry.present})
        yield from (((ident, sub), (kind, reading)) for sub, reading in extraction.readings.items())


def _key(ids: "_Ids", kind: EntityType, reading: Reading) -> str:
    def of(sub: str) -> str:
        return UUID.sub(ids, sub.encode()).decode()

    known = frozenset(of(sub) for sub in reading.known)
    return key_of(kind, Reading(of(reading.sub), of(reading.screen), known, of(reading.words)))


def _visit_id(row: Mapping[str, Any]) -> str:
    return str(uuid.uuid5(planning._NAMESPACE, f"{row['rule']} {row['subject']} {row['start']}"))


class _Ids:
    """The ids of one copy: of each id of the first block another one, of halves that of their child's half."""

    def __init__(self, number: int, born: Sequence[str]) -> None:
        self.number = number
        self.known = {protected_id(child).encode(): protected_id(self.of(child)).encode() for child in born}

    def of(self, ident: str) -> str:
        return str(uuid.uuid5(NAMESPACE, f"{self.number}/{ident}"))

    def __call__(self, found: "re.Match[bytes]") -> bytes:
        before = found[0]
        if before not in self.known:
            self.known[before] = self.of(before.decode()).encode()
        return self.known[before]


def _renamed(ids: _Ids, row: Mapping[str, Any]) -> dict[str, Any]:
    return dict(_columns(ids, row))


def _columns(ids: _Ids, row: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in row.items():
        if isinstance(value, str) and len(value) >= 36:
            yield name, UUID.sub(ids, value.encode()).decode()
        elif isinstance(value, bytes) and name != "raw":
            yield name, UUID.sub(ids, value)
        else:
            yield name, value
