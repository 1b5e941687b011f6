"""What the one store reads: a fixed number of statements, however many ids are asked for."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, Executable, Row, or_, select

from server.store import rows
from server.store.base import table
from server.store.dialects import IDS, chunks
from server.store.tables import (
    AssignmentTable,
    ConflictTable,
    Entity,
    MadeTable,
    Media,
    NoticeTable,
    OpTable,
    Submission,
    SubmissionMedium,
    SubmissionState,
    User,
    VisitTable,
    WaitingTable,
)
from sync.authority import Assignment, Author, Role
from sync.batch import MediumRow
from sync.ports import EntityRow, Held, Ledger, Review, StateRow, SubmissionRow, Waiting
from sync.state.model import Notice, NoticeKind
from sync.visits.plan import Made, Visit

_AREAS = select(Entity.id, Entity.area).where(Entity.id.in_(IDS))
_HELD = select(Submission.id, Submission.sha256, Submission.receipt).where(Submission.id.in_(IDS))
_HERE = select(Media.sha256).where(Media.sha256.in_(IDS))
_TOUCHING = select(OpTable.sub, OpTable.entity).where(OpTable.sub.in_(IDS))
_MADE = select(table(MadeTable)).where(or_(MadeTable.subject.in_(IDS), MadeTable.household.in_(IDS)))


@cache
def _whole(model: type, column: str) -> Executable:
    return select(table(model)).where(table(model).c[column].in_(IDS))


def fetch(connection: Connection, ids: Collection[str], query: Callable[[list[str]], Executable]) -> list[Row[Any]]:
    """The rows of a query about these ids; in one statement, unless they are thousands."""
    return [row for some in chunks(ids) for row in connection.execute(query(some))]


def asked(connection: Connection, ids: Collection[str], query: Executable) -> list[Row[Any]]:
    """The same of a query that is kept, and looks for `IDS`: to build one takes longer than to carry it out."""
    return [row for some in chunks(ids) for row in connection.execute(query, {"ids": some})]


def areas_of(connection: Connection, ids: Collection[str]) -> dict[str, str]:
    """See `sync.ports.Store`."""
    found = asked(connection, ids, _AREAS)
    return {row.id: row.area for row in found}


def stored_submissions(connection: Connection) -> list[str]:
    """The submissions that a fault of ours kept from being applied, the oldest first."""
    query = select(Submission.id).join(SubmissionState, SubmissionState.sub == Submission.id)
    query = query.where(SubmissionState.state == Review.STORED.value).order_by(Submission.received_at, Submission.id)
    return list(connection.scalars(query))


class Reads:
    """The reading half of `sync.ports.Transaction`."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def held(self, ids: Collection[str]) -> Mapping[str, Held]:
        found = asked(self.connection, ids, _HELD)
        return {row.id: Held(row.sha256, orjson.loads(row.receipt)) for row in found}

    def ledgers(self, ids: Collection[str]) -> Mapping[str, Ledger]:
        entities = {row.id: rows.read_entity(row) for row in self._in(Entity, Entity.id, ids)}
        ops: dict[str, list[Row[Any]]] = defaultdict(list)
        for row in sorted(self._in(OpTable, OpTable.entity, ids), key=lambda row: (row.arrived, row.sub)):
            ops[row.entity].append(row)
        found = {ident: Ledger(entities.get(ident), rows.read_ops(ops[ident])) for ident in {*entities, *ops}}
        return {ident: found[ident] for ident in sorted(found) if not _torn(found[ident])}

    def children(self, households: Collection[str]) -> Sequence[EntityRow]:
        found = [rows.read_entity(row) for row in self._in(Entity, Entity.household, households)]
        return sorted(found, key=lambda row: row.id)

    def submissions(self, ids: Collection[str]) -> Mapping[str, SubmissionRow]:
        return {row.id: rows.read_submission(row) for row in self._in(Submission, Submission.id, ids)}

    def states(self, ids: Collection[str]) -> Mapping[str, StateRow]:
        return {row.sub: rows.read_state(row) for row in self._in(SubmissionState, SubmissionState.sub, ids)}

    def media(self, subs: Collection[str]) -> Mapping[str, frozenset[MediumRow]]:
        found: dict[str, set[MediumRow]] = defaultdict(set)
        for row in self._in(SubmissionMedium, SubmissionMedium.sub, subs):
            found[row.sub].add(rows.read_medium(row))
        return {sub: frozenset(media) for sub, media in found.items()}

    def here(self, sha256s: Collection[str]) -> frozenset[str]:
        found = asked(self.connection, sha256s, _HERE)
        return frozenset(row.sha256 for row in found)

    def touching(self, subs: Collection[str]) -> Mapping[str, frozenset[str]]:
        found: dict[str, set[str]] = defaultdict(set)
        for row in asked(self.connection, subs, _TOUCHING):
            found[row.sub].add(row.entity)
        return {sub: frozenset(entities) for sub, entities in found.items()}

    def waiting(self, keys: Collection[str]) -> Sequence[Waiting]:
        return sorted(Waiting(row.key, row.entity, row.sub) for row in self._in(WaitingTable, WaitingTable.key, keys))

    def watching(self, subs: Collection[str]) -> Sequence[Waiting]:
        return sorted(Waiting(row.key, row.entity, row.sub) for row in self._in(WaitingTable, WaitingTable.sub, subs))

    def doubts(self, ids: Collection[str]) -> tuple[Mapping[str, set[str]], Mapping[str, set[Notice]]]:
        conflicts: dict[str, set[str]] = defaultdict(set)
        notices: dict[str, set[Notice]] = defaultdict(set)
        for row in self._in(ConflictTable, ConflictTable.entity, ids):
            if row.open:
                conflicts[row.entity].add(row.id)
        for row in self._in(NoticeTable, NoticeTable.entity, ids):
            notices[row.entity].add(Notice(row.cell, row.sub, row.by_sub, NoticeKind(row.kind)))
        return conflicts, notices

    def authors(self, ids: Collection[str]) -> Mapping[str, Author]:
        users = self._in(User, User.id, ids)
        held: dict[str, list[Assignment]] = {user.id: [] for user in users}
        for row in self._in(AssignmentTable, AssignmentTable.user, held):
            held[row.user].append(Assignment(row.area, row.hamlet or None, row.begins, row.ends))
        return {user.id: Author(user.id, Role(user.role), tuple(held[user.id])) for user in users}

    def made(self, ids: Collection[str]) -> Sequence[Made]:
        found = asked(self.connection, ids, _MADE)
        made = {(row.t_norm, row.sub, row.subject): rows.read_made(row) for row in found}
        return [made[order] for order in sorted(made)]

    def visits(self, subjects: Collection[str]) -> Sequence[Visit]:
        found = [rows.read_visit(row) for row in self._in(VisitTable, VisitTable.subject, subjects)]
        return sorted(found, key=lambda visit: visit.id)

    def _in(self, model: type, column: Any, ids: Collection[str]) -> list[Row[Any]]:
        """The whole rows of a table with one of these ids in `column`."""
        return asked(self.connection, ids, _whole(model, column.key))


def _torn(ledger: Ledger) -> bool:
    """Made between the two statements that read it, in an area that is not held: not known yet."""
    return ledger.row is None and any(entry.marks for entry in ledger.ops)
