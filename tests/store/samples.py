"""Rows to store, with defaults for whatever a test does not speak of; and what is stored, read back."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import Row, select

from server.store.store import SqlStore
from server.store.tables import Counter, FeedEntry
from sync.ports import AuditRow, Changes, EntityRow, Mark, OpRow, Review, StateRow, SubmissionRow, Touched
from sync.state.model import Act, Op, Standing, Write
from sync.visits.plan import Visit, VisitState

HERE, THERE = "2025.31135", "2025.31147"
NOON = 1_795_500_000_000  # an instant in November 2026, ms


def submission(ident: str, **values: Any) -> SubmissionRow:
    row: dict[str, Any] = {
        "area": HERE, "sha256": "0" * 64, "device": None, "author": "u11", "seq": None,
        "form": "household_registration", "form_version": "1", "kind": "visit", "dialect": "batch",
        "raw": b"{}", "observed_at": NOON, "received_at": NOON, "outcome": "applied", "reason": None,
        "receipt": {"id": ident, "outcome": "applied"},
    }  # fmt: skip
    return SubmissionRow(id=ident, **row | values)


def entity(ident: str, **values: Any) -> EntityRow:
    row: dict[str, Any] = {
        "type": "child", "area": HERE, "scope": f"{HERE}/01", "rev": 1, "etag": "aaaaaaaaaa",
        "household": None, "label": "", "dob": None, "since": NOON, "first_sub": "s1",
    }  # fmt: skip
    return EntityRow(id=ident, **row | values)


def op(ident: str, sub: str, rev: int | None, **values: Any) -> OpRow:
    """A plain op, on no base; held if `rev` is None. Ops arrive in the order of their revisions."""
    marks = () if rev is None else (Mark(rev, f"{rev:010x}", NOON),)
    told: dict[str, Any] = {"arrived": NOON * 1_000 + (rev or 0)}
    return OpRow(Op(sub, ident, "u11", NOON, {}, **told | values), marks, NOON, HERE)


def rich_op(ident: str) -> OpRow:
    """An op of which no field has its default; its base is revision 1, whose op is `s1`."""
    told = Op(
        sub="s2",
        entity=ident,
        author="u21",
        t=NOON - 5,
        said={"full_name": "Lê Thị Đào", "sc_codes": ["SC1", "SC2"], "grade": 4, "phone": None},
        creates=True,
        snapshot=frozenset({"s1"}),
        base_ok=True,
        after=("s0", "s00"),
        seen={"full_name": "Lê Thị Dao", "weight_kg": 12.5},
        loaded=frozenset({"full_name", "dob"}),
        standing=Standing.SUPERVISOR,
        act=Act.REPAIR,
        late=True,
        suspect=True,
        places=frozenset({HERE, f"{THERE}/04"}),
        arrived=NOON * 1_000 + 7,
        amends="s00",
        day="2026-11-23",
        schema=3,
        target="s0",
    )
    writes = {
        "full_name": Write({"full_name": "Lê Thị Đào"}, frozenset({"s1"}), blind=True, request=True),
        "sc_codes": Write({"sc_codes": ["SC2"]}, added=frozenset({"SC2"}), removed=frozenset({"SC1", "SC3"})),
        "weight": Write({"kg": 12.5}, items=({"kg": 12.5, "on": "2026-11-23"}, {"kg": 12})),
        "phone": Write({}),
    }
    marks = (Mark(2, "bbbbbbbbbb", NOON + 1), Mark(5, "cccccccccc", NOON + 2), Mark(6, "dddddddddd", NOON + 3))
    return OpRow(told, marks, NOON + 1, THERE, 1, writes, "0f" * 16, "child_situation", "1", "child")


def state(sub: str, **values: Any) -> StateRow:
    row: dict[str, Any] = {"area": HERE, "author": "u11", "state": Review.RECEIVED}
    return StateRow(sub, **row | values)


def act(subject: str, area: str = HERE, **values: Any) -> AuditRow:
    row: dict[str, Any] = {"at": NOON, "who": "u21", "act": "approve", "sub": "s1", "detail": {"b": 1, "a": ["x"]}}
    return AuditRow(area, subject=subject, **row | values)


def visit(ident: str, **values: Any) -> Visit:
    day = date(2026, 12, 1)
    row: dict[str, Any] = {
        "rule": "F-HHQ", "rule_version": 1, "subject_type": "household", "subject": "h1", "household": None,
        "area": HERE, "scope": f"{HERE}/01", "start": "s", "start_at": NOON, "earliest": day, "due": day,
        "latest": day, "due_at": NOON + 9, "show_on": day, "assignee_role": "collaborator", "priority": 10,
        "statutory": False, "reason": "F-HHQ", "caused_by": "s1", "calendar": "table 0", "done_by": None,
        "state": VisitState.OPEN, "attempts": 0,
    }  # fmt: skip
    return Visit(id=ident, **row | values)


def touched(ident: str, area: str = HERE, here: bool = True, kind: str = "entity") -> Touched:
    return Touched(area, f"{area}/01", kind, ident, here)


def changes(**values: Any) -> Changes:
    return Changes(at=NOON, **values)


def write(store: SqlStore, change: Changes, areas: tuple[str, ...] = (HERE,)) -> None:
    with store.transaction(areas) as tx:
        tx.write(change)


def rows(store: SqlStore, *columns: Any) -> list[tuple[Any, ...]]:
    """What is committed, sorted."""
    with store.transaction([]) as tx:
        found: list[Row] = list(tx.connection.execute(select(*columns)))
    return sorted(tuple(row) for row in found)


def feed(store: SqlStore) -> Mapping[tuple[str, str, str], tuple[int, bool]]:
    found = rows(store, FeedEntry.scope, FeedEntry.kind, FeedEntry.id, FeedEntry.seq, FeedEntry.here)
    return {(scope, kind, ident): (seq, here) for scope, kind, ident, seq, here in found}


def counters(store: SqlStore) -> dict[str, int]:
    return dict(rows(store, Counter.name, Counter.n))
