"""What the one store writes: each part of `sync.ports.Changes` in a fixed number of statements."""

import secrets
from collections.abc import Collection, Iterable, Mapping, MutableMapping
from functools import cache
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from server.store import rows
from server.store.base import table
from server.store.dialects import IDS, chunks, upsert
from server.store.reads import asked, fetch
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

# Kept: to build a statement takes longer than to carry it out.
_conflicts, _made, _lines = table(ConflictTable).c, table(MadeTable).c, table(ReminderLine).c
_DISPUTED = select(table(ConflictTable)).where(_conflicts.entity.in_(IDS), _conflicts.open)
_CLOSING = update(table(ConflictTable)).where(_conflicts.id == bindparam("closed"))
_CLOSING = _CLOSING.values(open=False, closed_at=bindparam("at"), resolved_by=bindparam("by"))
_NOTICED = delete(table(NoticeTable)).where(table(NoticeTable).c.entity.in_(IDS))
_WAITED = delete(table(WaitingTable)).where(table(WaitingTable).c.sub.in_(IDS))
_UNMAKING = delete(table(MadeTable)).where(_made.subject == bindparam("whose"), _made.sub == bindparam("which"))
_OPEN_LINES = update(table(ReminderLine)).where(_lines.outcome.is_(None))
_MOVING = _OPEN_LINES.where(_lines.visit == bindparam("before")).values(visit=bindparam("after"))
_ENDING = _OPEN_LINES.where(_lines.visit == bindparam("ended"))
_ENDING = _ENDING.values(outcome=bindparam("how"), outcome_sub=bindparam("by"))


def write_log(connection: Connection, changes: Changes) -> None:
    """Submissions and ops, and what follows from them about each; new ones that are here already are an error."""
    _insert(connection, Submission, [rows.submission_row(row) for row in changes.submissions])
    upsert(connection, table(SubmissionMedium), [rows.medium_row(row) for row in changes.media])
    _insert(connection, OpTable, [rows.op_row(entry) for entry in changes.ops])
    upsert(connection, table(OpTable), [rows.op_row(entry) for entry in changes.rederived])
    upsert(connection, table(Entity), [rows.entity_row(row) for row in changes.entities])
    upsert(connection, table(SubmissionState), [rows.state_row(row) for row in changes.states.values()])
    _delete(connection, _WAITED, changes.waiting)
    awaited = sorted({one for those in changes.waiting.values() for one in those})
    _insert(connection, WaitingTable, [{"key": w.key, "entity": w.entity, "sub": w.sub} for w in awaited])


def write_doubts(connection: Connection, changes: Changes) -> None:
    """Conflicts and notices of the touched entities become exactly those of their new state."""
    conflicts, notices = table(ConflictTable), table(NoticeTable)
    areas = {row.id: row.area for row in changes.entities}
    open_now = {conflict.id for conflict in changes.conflicts}
    known = asked(connection, areas, _DISPUTED)
    closed = [
        {"closed": row.id, "at": changes.at, "by": changes.closed_by.get((row.entity, row.cell))}
        for row in known
        if row.id not in open_now
    ]
    _each(connection, _CLOSING, closed)
    found = [
        rows.conflict_row(conflict, areas[conflict.entity], changes.also.get(conflict.id), changes.at)
        for conflict in changes.conflicts
    ]
    upsert(connection, conflicts, found, keep=["opened_at"])
    _delete(connection, _NOTICED, areas)
    upsert(connection, notices, [rows.notice_row(entity, notice) for entity, notice in changes.notices])


def write_visits(connection: Connection, changes: Changes) -> None:
    """Visits made and to make. Issued lines follow their visit: to the row that took it over, and to its outcome."""
    _each(connection, _UNMAKING, [{"whose": one.subject, "which": one.sub} for one in changes.unmade])
    upsert(connection, table(MadeTable), [rows.made_row(one) for one in changes.made])
    upsert(connection, table(VisitTable), [rows.visit_row(visit) for visit in changes.visits])

    moved = [{"before": before, "after": after} for before, after in sorted(changes.moved_visits.items())]
    _each(connection, _MOVING, moved)
    _move_arrangements(connection, changes.moved_visits)
    ended = [
        {"ended": visit.id, "how": visit.state.value, "by": visit.done_by}
        for visit in changes.visits
        if visit.state is not VisitState.OPEN
    ]
    _each(connection, _ENDING, ended)


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
    _each(connection, _inserting(model), values)


@cache
def _inserting(model: type) -> Any:
    return insert(table(model))


def _delete(connection: Connection, statement: Any, ids: Collection[str]) -> None:
    for some in chunks(ids):
        connection.execute(statement, {"ids": some})


def _each(connection: Connection, statement: Any, values: list[dict[str, Any]]) -> None:
    """One statement with many sets of parameters; nothing if there are none."""
    if values:
        connection.execute(statement, values)
