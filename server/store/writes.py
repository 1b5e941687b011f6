"""What the one store writes: each part of `sync.ports.Changes` in a fixed number of statements."""

import secrets
from collections.abc import Iterable, Mapping, MutableMapping
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.store import rows
from server.store.base import table
from server.store.dialects import chunks, upsert
from server.store.reads import fetch
from server.store.tables import (
    ArrangementTable,
    ConflictTable,
    Counter,
    Entity,
    FeedEntry,
    FeedMark,
    MadeTable,
    NoticeTable,
    OpTable,
    ReminderLine,
    Scope,
    Submission,
    SubmissionMedium,
    SubmissionState,
    VisitTable,
    WaitingTable,
)
from sync.ports import Changes, Touched
from sync.visits.plan import VisitState


def write_log(connection: Connection, changes: Changes) -> None:
    """Submissions and ops, and what follows from them about each; new ones that are here already are an error."""
    _insert(connection, Submission, [rows.submission_row(row) for row in changes.submissions])
    upsert(connection, table(SubmissionMedium), [rows.medium_row(row) for row in changes.media])
    _insert(connection, OpTable, [rows.op_row(entry) for entry in changes.ops])
    upsert(connection, table(OpTable), [rows.op_row(entry) for entry in changes.rederived])
    upsert(connection, table(Entity), [rows.entity_row(row) for row in changes.entities])
    upsert(connection, table(SubmissionState), [rows.state_row(row) for row in changes.states.values()])
    waiting = table(WaitingTable)
    for subs in chunks(changes.waiting):
        connection.execute(delete(waiting).where(waiting.c.sub.in_(subs)))
    awaited = sorted({one for those in changes.waiting.values() for one in those})
    _insert(connection, WaitingTable, [{"key": w.key, "entity": w.entity, "sub": w.sub} for w in awaited])


def write_doubts(connection: Connection, changes: Changes) -> None:
    """Conflicts and notices of the touched entities become exactly those of their new state."""
    conflicts, notices = table(ConflictTable), table(NoticeTable)
    areas = {row.id: row.area for row in changes.entities}
    open_now = {conflict.id for conflict in changes.conflicts}
    known = fetch(
        connection,
        areas,
        lambda some: select(conflicts).where(conflicts.c.entity.in_(some), conflicts.c.open),
    )
    closed = [
        {"closed": row.id, "at": changes.at, "by": changes.closed_by.get((row.entity, row.cell))}
        for row in known
        if row.id not in open_now
    ]
    closing = update(conflicts).where(conflicts.c.id == bindparam("closed"))
    closing = closing.values(open=False, closed_at=bindparam("at"), resolved_by=bindparam("by"))
    _each(connection, closing, closed)
    found = [
        rows.conflict_row(conflict, areas[conflict.entity], changes.also.get(conflict.id), changes.at)
        for conflict in changes.conflicts
    ]
    upsert(connection, conflicts, found, keep=["opened_at"])
    for some in chunks(areas):
        connection.execute(delete(notices).where(notices.c.entity.in_(some)))
    upsert(connection, notices, [rows.notice_row(entity, notice) for entity, notice in changes.notices])


def write_visits(connection: Connection, changes: Changes) -> None:
    """Visits made and to make. Issued lines follow their visit: to the row that took it over, and to its outcome."""
    made, lines = table(MadeTable), table(ReminderLine)
    gone = [{"whose": one.subject, "which": one.sub} for one in changes.unmade]
    unmaking = delete(made).where(made.c.subject == bindparam("whose"), made.c.sub == bindparam("which"))
    _each(connection, unmaking, gone)
    upsert(connection, made, [rows.made_row(one) for one in changes.made])
    upsert(connection, table(VisitTable), [rows.visit_row(visit) for visit in changes.visits])

    moved = [{"before": before, "after": after} for before, after in sorted(changes.moved_visits.items())]
    moving = update(lines).where(lines.c.visit == bindparam("before"), lines.c.outcome.is_(None))
    _each(connection, moving.values(visit=bindparam("after")), moved)
    _move_arrangements(connection, changes.moved_visits)
    ended = [
        {"ended": visit.id, "how": visit.state.value, "by": visit.done_by}
        for visit in changes.visits
        if visit.state is not VisitState.OPEN
    ]
    ending = update(lines).where(lines.c.visit == bindparam("ended"), lines.c.outcome.is_(None))
    _each(connection, ending.values(outcome=bindparam("how"), outcome_sub=bindparam("by")), ended)


def _move_arrangements(connection: Connection, moved: Mapping[str, str]) -> None:
    """What was decided about a visit holds for the one that took it over, after whatever was decided about that."""
    decided = table(ArrangementTable)
    if not moved:
        return
    both = [*moved, *moved.values()]
    found = fetch(connection, both, lambda some: select(decided).where(decided.c.visit.in_(some)))
    newest: dict[str, int] = {}
    for row in found:
        newest[row.visit] = max(newest.get(row.visit, 0), row.n)
    taken = [row for row in found if row.visit in moved]
    for row in taken:
        after = moved[row.visit]
        earlier = update(decided).where(decided.c.visit == after, decided.c.n <= newest.get(after, 0))
        connection.execute(earlier.values(standing=False))
        mine = (decided.c.visit == row.visit) & (decided.c.n == row.n)
        connection.execute(update(decided).where(mine).values(visit=after, n=row.n + newest.get(after, 0)))


def write_feed(connection: Connection, touched: Iterable[Touched], numbers: MutableMapping[str, int]) -> None:
    """Number the entries from the counters held, and mark every counter with a new random nonce."""
    entries: list[dict[str, Any]] = []
    for one in sorted(touched):
        numbers[one.counter] += 1
        entry = {"scope": one.scope, "kind": one.kind, "id": one.id, "seq": numbers[one.counter], "here": one.here}
        entries.append(entry)
    upsert(connection, table(FeedEntry), entries)
    counters = {one.scope: one.counter for one in touched}
    heads = {entry["scope"]: entry["seq"] for entry in entries}  # the greatest: in order of numbers
    upsert(
        connection,
        table(Scope),
        [{"name": name, "counter": counters[name], "head": heads[name]} for name in sorted(heads)],
    )
    moved = sorted({one.counter for one in touched})
    upsert(connection, table(Counter), [{"name": name, "n": numbers[name]} for name in moved])
    marks = [{"counter": name, "seq": numbers[name], "nonce": secrets.token_hex(8)} for name in moved]
    _insert(connection, FeedMark, marks)


def _insert(connection: Connection, model: type, values: list[dict[str, Any]]) -> None:
    _each(connection, insert(table(model)), values)


def _each(connection: Connection, statement: Any, values: list[dict[str, Any]]) -> None:
    """One statement with many sets of parameters; nothing if there are none."""
    if values:
        connection.execute(statement, values)
