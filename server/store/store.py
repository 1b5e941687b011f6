"""The one Store, over SQLAlchemy Core: a fixed number of statements however many items there are."""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager

import orjson
from sqlalchemy import Connection, Engine, Table, bindparam, delete, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from server.store import rows
from server.store.dialects import WRITING, lock_counters, upsert
from server.store.tables import (
    AssignmentTable,
    ConflictTable,
    Counter,
    Entity,
    FeedEntry,
    FeedMark,
    MadeTable,
    NoticeTable,
    OpTable,
    ReminderLine,
    Submission,
    User,
    VisitTable,
)
from sync.authority import Assignment, Author, Role
from sync.ports import Changes, EntityRow, Held, Ledger, Raced
from sync.visits.plan import Made, Visit, VisitState


def table(model: type) -> Table:
    """The Core table of a model."""
    return model.__table__  # type: ignore[attr-defined]


class SqlTransaction:
    """See `sync.ports.Transaction`."""

    def __init__(self, connection: Connection, areas: Mapping[str, int]) -> None:
        self.connection = connection
        self._numbers = dict(areas)
        self._areas = frozenset(areas)

    @property
    def areas(self) -> frozenset[str]:
        return self._areas

    def held(self, ids: Collection[str]) -> Mapping[str, Held]:
        query = select(Submission.id, Submission.sha256, Submission.receipt).where(Submission.id.in_(ids))
        return {row.id: Held(row.sha256, orjson.loads(row.receipt)) for row in self.connection.execute(query)}

    def ledgers(self, ids: Collection[str]) -> Mapping[str, Ledger]:
        entities = self.connection.execute(select(table(Entity)).where(Entity.id.in_(ids))).all()
        log = select(table(OpTable)).where(OpTable.entity.in_(ids)).order_by(OpTable.entity, OpTable.rev)
        ops: dict[str, list[object]] = {row.id: [] for row in entities}
        for row in self.connection.execute(log):
            ops.setdefault(row.entity, []).append(row)
        return {row.id: Ledger(rows.read_entity(row), rows.read_ops(ops[row.id])) for row in entities}

    def children(self, households: Collection[str]) -> Sequence[EntityRow]:
        query = select(table(Entity)).where(Entity.household.in_(households)).order_by(Entity.id)
        return [rows.read_entity(row) for row in self.connection.execute(query)]

    def authors(self, ids: Collection[str]) -> Mapping[str, Author]:
        users = self.connection.execute(select(User.id, User.role).where(User.id.in_(ids))).all()
        held: dict[str, list[Assignment]] = {user.id: [] for user in users}
        for row in self.connection.execute(select(table(AssignmentTable)).where(AssignmentTable.user.in_(ids))):
            held[row.user].append(Assignment(row.area, row.hamlet or None, row.begins, row.ends))
        return {user.id: Author(user.id, Role(user.role), tuple(held[user.id])) for user in users}

    def made(self, ids: Collection[str]) -> Sequence[Made]:
        query = select(table(MadeTable)).where(or_(MadeTable.subject.in_(ids), MadeTable.household.in_(ids)))
        found = self.connection.execute(query.order_by(MadeTable.t_norm, MadeTable.sub, MadeTable.subject))
        return [Made(row.sub, row.form, row.t_norm, row.result, row.subject, row.household) for row in found]

    def visits(self, subjects: Collection[str]) -> Sequence[Visit]:
        query = select(table(VisitTable)).where(VisitTable.subject.in_(subjects)).order_by(VisitTable.id)
        return [rows.read_visit(row) for row in self.connection.execute(query)]

    def write(self, changes: Changes) -> None:
        users = {touched.counter for touched in changes.touched} - self._areas
        self._numbers |= lock_counters(self.connection, table(Counter), users)
        try:
            self._insert(Submission, [rows.submission_row(row) for row in changes.submissions])
            self._insert(OpTable, [rows.op_row(entry) for entry in changes.ops])
        except IntegrityError as error:
            raise Raced from error
        upsert(self.connection, table(OpTable), [rows.op_row(entry) for entry in changes.rederived])
        upsert(self.connection, table(Entity), [rows.entity_row(row) for row in changes.entities])
        self._insert(MadeTable, [_made_row(made) for made in changes.made])
        self._doubts(changes)
        upsert(self.connection, table(VisitTable), [rows.visit_row(visit) for visit in changes.visits])
        self._lines(changes)
        self._feed(changes)

    def _insert(self, model: type, values: list[dict[str, object]]) -> None:
        if values:
            self.connection.execute(insert(table(model)), values)

    def _doubts(self, changes: Changes) -> None:
        """Conflicts and notices of the touched entities become exactly those of their new state."""
        ids = [row.id for row in changes.entities]
        if not ids:
            return
        areas = {row.id: row.area for row in changes.entities}
        closing = update(table(ConflictTable)).where(ConflictTable.entity.in_(ids), ConflictTable.open)
        self.connection.execute(closing.values(open=False))
        found = [
            {
                "id": conflict.id,
                "area": areas[conflict.entity],
                "entity": conflict.entity,
                "cell": conflict.cell,
                "members": orjson.dumps(conflict.members),
                "open": True,
                "opened_at": changes.at,
            }
            for conflict in changes.conflicts
        ]
        upsert(self.connection, table(ConflictTable), found, keep=["opened_at"])
        self.connection.execute(delete(table(NoticeTable)).where(NoticeTable.entity.in_(ids)))
        self._insert(
            NoticeTable,
            [
                {"entity": entity, "cell": n.cell, "sub": n.op, "by_sub": n.by, "kind": n.kind.value}
                for entity, n in changes.notices
            ],
        )

    def _lines(self, changes: Changes) -> None:
        """Issued lines follow their visit: to the row that took it over, and to its outcome."""
        lines = table(ReminderLine)
        moved = [{"before": before, "after": after} for before, after in sorted(changes.moved_visits.items())]
        moving = update(lines).where(lines.c.visit == bindparam("before"), lines.c.outcome.is_(None))
        if moved:
            self.connection.execute(moving.values(visit=bindparam("after")), moved)
        ended = [
            {"ended": visit.id, "how": visit.state.value, "by": visit.done_by}
            for visit in changes.visits
            if visit.state is not VisitState.OPEN
        ]
        ending = update(lines).where(lines.c.visit == bindparam("ended"), lines.c.outcome.is_(None))
        if ended:
            self.connection.execute(ending.values(outcome=bindparam("how"), outcome_sub=bindparam("by")), ended)

    def _feed(self, changes: Changes) -> None:
        """Number the entries from the counters held, and mark every counter with a new random nonce."""
        entries = []
        for touched in sorted(changes.touched):
            self._numbers[touched.counter] += 1
            entries.append(
                {
                    "scope": touched.scope,
                    "kind": touched.kind,
                    "id": touched.id,
                    "seq": self._numbers[touched.counter],
                    "here": touched.here,
                }
            )
        upsert(self.connection, table(FeedEntry), entries)
        moved = sorted({touched.counter for touched in changes.touched})
        upsert(self.connection, table(Counter), [{"name": name, "n": self._numbers[name]} for name in moved])
        marks = [{"counter": n, "seq": self._numbers[n], "nonce": secrets.token_hex(8)} for n in moved]
        self._insert(FeedMark, marks)


def _made_row(made: Made) -> dict[str, object]:
    values = {name: getattr(made, name) for name in ("subject", "sub", "household", "form", "result")}
    return values | {"t_norm": made.t}


class SqlStore:
    """See `sync.ports.Store`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def areas_of(self, ids: Collection[str]) -> Mapping[str, str]:
        with self._engine.connect() as connection:
            query = select(Entity.id, Entity.area).where(Entity.id.in_(ids))
            return {row.id: row.area for row in connection.execute(query)}

    @contextmanager
    def transaction(self, areas: Collection[str]) -> Iterator[SqlTransaction]:
        with self._engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
            yield SqlTransaction(connection, lock_counters(connection, table(Counter), areas))
