"""An entity's log as it is stored: ops that are held, that came in and left; what their bases stand for."""

from dataclasses import replace
from typing import Any

import orjson
import pytest
from sqlalchemy import select, update

from server.store.store import SqlStore, table
from server.store.tables import OpTable
from sync.ports import Mark, OpRow
from sync.state.model import Op, Write
from tests.store.samples import NOON, THERE, changes, entity, op, rich_op, rows, write


def log_of(store: SqlStore, ident: str) -> list[OpRow]:
    with store.transaction([]) as tx:
        return list(tx.ledgers([ident])[ident].ops)


def marked(sub: str, *marks: tuple[int, int], **values: Any) -> OpRow:
    """An op of `c1` with marks (revision, seconds after noon)."""
    entry = op("c1", sub, None, **values)
    return replace(entry, marks=tuple(Mark(rev, f"{rev:010x}", NOON + 1_000 * at) for rev, at in marks))


def test_an_entity_of_which_all_is_held_has_a_log_and_no_row(store: SqlStore) -> None:
    held = op("c1", "s1", None)
    write(store, changes(ops=[held]))
    with store.transaction([]) as tx:
        found = tx.ledgers(["c1", "c2"])
    assert list(found) == ["c1"]
    assert (found["c1"].row, list(found["c1"].ops)) == (None, [held])
    assert not held.present
    assert rows(store, OpTable.sub, OpTable.rev) == [("s1", None)]


def test_a_log_is_in_the_order_of_first_receipts(store: SqlStore) -> None:
    arrivals = [("s9", 1), ("s2", 2), ("s3", 2), ("S4", 2), ("s1", 3)]
    log = [op("c1", sub, None, arrived=arrived) for sub, arrived in arrivals]
    log[2] = replace(log[2], marks=(Mark(1, "a" * 10, NOON),))
    write(store, changes(ops=list(reversed(log)), entities=[entity("c1")]))
    assert [entry.op.sub for entry in log_of(store, "c1")] == ["s9", "S4", "s2", "s3", "s1"]


@pytest.mark.parametrize(
    ("base", "ok", "seen"),
    [
        (2, True, {"s1", "s2"}),
        (4, True, {"s1", "s2", "s3"}),
        (0, True, set()),
        (None, True, set()),
        (2, False, set()),
    ],
)
def test_the_base_of_an_op_stands_for_the_ops_up_to_that_revision(
    store: SqlStore, base: int | None, ok: bool, seen: set[str]
) -> None:
    """Revisions have gaps: here nothing has revision 4."""
    log = [op("c1", "s1", 1), op("c1", "s2", 2), op("c1", "s3", 3), op("c1", "s5", 5, base_ok=ok)]
    log[-1] = replace(log[-1], base_rev=base)
    write(store, changes(ops=log, entities=[entity("c1", rev=5)]))
    found = log_of(store, "c1")[-1]
    assert (set(found.op.snapshot), found.op.base_ok, found.base_rev) == (seen, ok, base)


@pytest.mark.parametrize(("base", "counted"), [(1, False), (2, True), (3, True), (4, False), (5, True), (6, False)])
def test_a_base_stands_for_the_ops_that_counted_at_it(store: SqlStore, base: int, counted: bool) -> None:
    """One was held when others came in, and has left, come back and left again since."""
    came_and_went = marked("s1", (2, 0), (4, 0), (5, 0), (6, 0))
    later = replace(op("c1", "s7", 7), base_rev=base)
    write(store, changes(ops=[came_and_went, op("c1", "s0", 1), later], entities=[entity("c1", rev=7)]))
    assert log_of(store, "c1")[-1].op.snapshot == ({"s0", "s1"} if counted else {"s0"})


def test_a_base_names_nothing_that_came_after_its_op_was_received(store: SqlStore) -> None:
    """An op that was held may claim a revision of which its author cannot have known; nor does it name itself."""
    claims = replace(marked("s2", (3, 9)), base_rev=4, received=NOON + 2_000)
    log = [marked("s1", (1, 2)), marked("s4", (4, 3)), claims, marked("s3", (2, 1), (5, 9))]
    write(store, changes(ops=log, entities=[entity("c1", rev=5)]))
    found = {entry.op.sub: entry.op.snapshot for entry in log_of(store, "c1")}
    assert found["s2"] == {"s1", "s3"}


def test_what_is_derived_is_replaced_and_nothing_else_of_the_log(store: SqlStore) -> None:
    first, second = op("c1", "s1", 1), rich_op("c1")
    write(store, changes(ops=[first, second], entities=[entity("c1", rev=6)]))
    again = replace(second, writes={"grade": second.writes["phone"]}, key="1e" * 16)
    write(store, changes(rederived=[again], entities=[entity("c1", rev=6)]))
    assert log_of(store, "c1") == [first, again]


def test_a_held_op_comes_in_and_leaves_again(store: SqlStore) -> None:
    held = marked("s1")
    write(store, changes(ops=[held]))
    for marks, present in [(((1, 0),), True), (((1, 0), (2, 1)), False), (((1, 0), (2, 1), (3, 2)), True)]:
        entry = replace(held, marks=marked("s1", *marks).marks)
        write(store, changes(rederived=[entry], entities=[entity("c1", rev=marks[-1][0])]))
        assert log_of(store, "c1") == [entry]
        assert entry.present is present
        assert rows(store, OpTable.sub, OpTable.rev) == [("s1", 1)]


def test_several_ops_may_be_held_and_one_submission_speaks_of_several_entities(store: SqlStore) -> None:
    log = [op("c1", "s1", None), op("c1", "s2", None), op("c2", "s1", None)]
    write(store, changes(ops=log))
    assert log_of(store, "c1") == log[:2]
    with store.transaction([]) as tx:
        assert tx.touching(["s1", "s2", "s3"]) == {"s1": {"c1", "c2"}, "s2": {"c1"}}


def test_the_visit_that_an_op_made_is_told_with_it(store: SqlStore) -> None:
    entry = replace(op("c1", "s1", 1), form="child_situation", result="3", type="child", area=THERE)
    write(store, changes(ops=[entry], entities=[entity("c1")]))
    assert log_of(store, "c1") == [entry]


def test_only_members_that_are_not_empty_are_stored_of_a_write(store: SqlStore) -> None:
    write(store, changes(ops=[rich_op("c1")], entities=[entity("c1")]))
    ((stored,),) = rows(store, OpTable.writes)
    assert {cell: set(write) for cell, write in orjson.loads(stored).items()} == {
        "full_name": {"value", "replaces", "blind", "request"},
        "sc_codes": {"value", "added", "removed"},
        "weight": {"value", "items"},
        "phone": set(),
    }


def test_ops_that_were_stored_by_the_first_version_read_as_they_were(store: SqlStore) -> None:
    entry = op("c1", "s1", 1)
    write(store, changes(ops=[entry], entities=[entity("c1")]))
    said = {"said": {"grade": 4}, "seen": None, "loaded": ["grade"], "after": [], "areas": [THERE]}
    writes = {"grade": {"value": {"grade": 4}, "replaces": ["s0"], "blind": False, "request": True}}
    with store.transaction([]) as tx:
        first = {"said": orjson.dumps(said), "writes": orjson.dumps(writes)}
        tx.connection.execute(update(table(OpTable)).values(first))
    (found,) = log_of(store, "c1")
    told = Op("s1", "c1", "u11", NOON, {"grade": 4}, loaded=frozenset({"grade"}), places=frozenset({THERE}))
    assert found.op == replace(told, arrived=entry.op.arrived)
    assert found.op.areas == {THERE}
    assert found.writes == {"grade": Write({"grade": 4}, frozenset({"s0"}), request=True)}


def test_the_writes_of_an_op_are_bytes_that_can_be_compared(store: SqlStore) -> None:
    """The same op gives the same bytes, whatever the order of its sets."""
    write(store, changes(ops=[rich_op("c1"), rich_op("c2")]))
    with store.transaction([]) as tx:
        stored = tx.connection.execute(select(OpTable.said, OpTable.writes).distinct()).all()
    assert len(stored) == 1
