"""What a store does with everything that follows from a submission: feeds, doubts and issued lines."""

from typing import Any

from sqlalchemy import insert, text

from server.store.dialects import check_durability
from server.store.store import SqlStore
from server.store.tables import ConflictTable, FeedMark, NoticeTable, ReminderLine
from sync.model import Conflict, Notice, NoticeKind
from sync.ports import Changes, Touched
from sync.visits.plan import VisitState
from tests.store.samples import HERE, THERE, changes, counters, entity, feed, rows, touched, visit, write


def test_feed_entries_are_numbered_from_the_counters_held_and_move_to_the_head(store: SqlStore) -> None:
    user = Touched("user:u11", "user:u11", "submission", "s1")
    write(store, changes(touched={touched("c1"), touched("c2"), touched("c3", THERE), user}), (HERE, THERE))
    assert counters(store) == {HERE: 2, THERE: 1, "user:u11": 1}
    scope = f"{HERE}/01"
    assert feed(store) == {
        (scope, "entity", "c1"): (1, True),
        (scope, "entity", "c2"): (2, True),
        (f"{THERE}/01", "entity", "c3"): (1, True),
        ("user:u11", "submission", "s1"): (1, True),
    }
    write(store, changes(touched={touched("c1")}))
    assert feed(store)[scope, "entity", "c1"] == (3, True)
    assert len(feed(store)) == 4
    assert counters(store) == {HERE: 3, THERE: 1, "user:u11": 1}


def test_what_leaves_a_scope_stays_in_its_feed_as_gone(store: SqlStore) -> None:
    write(store, changes(touched={touched("c1")}))
    write(store, changes(touched={touched("c1", here=False), touched("c1", THERE)}), (HERE, THERE))
    assert feed(store) == {
        (f"{HERE}/01", "entity", "c1"): (2, False),
        (f"{THERE}/01", "entity", "c1"): (1, True),
    }
    write(store, changes(touched={touched("c1", here=False), touched("c1")}))
    assert feed(store)[f"{HERE}/01", "entity", "c1"][1], "left and came back: it is here"


def test_every_counter_that_moved_is_marked_with_a_random_number(store: SqlStore) -> None:
    for ident in ("c1", "c2"):
        user = Touched("user:u11", "user:u11", "submission", f"s-{ident}")
        write(store, changes(touched={touched(ident), touched(f"{ident}b"), user}), (HERE, THERE))
    marks = rows(store, FeedMark.counter, FeedMark.seq, FeedMark.nonce)
    assert [mark[:2] for mark in marks] == [(HERE, 2), (HERE, 4), ("user:u11", 1), ("user:u11", 2)]
    assert len({mark[2] for mark in marks}) == 4
    assert all(len(mark[2]) == 16 for mark in marks)


def test_conflicts_close_and_reopen_and_remember_when_they_opened(store: SqlStore) -> None:
    def conflicts(at: int, *open_now: str) -> list[tuple[Any, ...]]:
        found = [Conflict(ident, "c1", "phone", ("s1", "s2")) for ident in open_now]
        write(store, Changes(entities=[entity("c1")], conflicts=found, at=at))
        return rows(store, ConflictTable.id, ConflictTable.open, ConflictTable.opened_at)

    write(store, Changes(entities=[entity("c9")], conflicts=[Conflict("k9", "c9", "dob", ("s1",))], at=1))
    other = ("k9", True, 1)
    assert conflicts(10, "k1") == [("k1", True, 10), other]
    assert conflicts(20, "k1", "k2") == [("k1", True, 10), ("k2", True, 20), other]
    assert conflicts(30, "k2") == [("k1", False, 10), ("k2", True, 20), other]
    assert conflicts(40) == [("k1", False, 10), ("k2", False, 20), other]
    assert conflicts(50, "k1") == [("k1", True, 10), ("k2", False, 20), other]
    assert rows(store, ConflictTable.area, ConflictTable.members)[0] == (HERE, b'["s1","s2"]')


def test_notices_of_an_entity_are_replaced(store: SqlStore) -> None:
    def notices(*subs: str) -> list[tuple[Any, ...]]:
        found = [("c1", Notice("phone", sub, "s9", NoticeKind.OVERRULED)) for sub in subs]
        write(store, changes(entities=[entity("c1")], notices=found))
        return rows(store, NoticeTable.entity, NoticeTable.sub, NoticeTable.by_sub, NoticeTable.kind)

    write(
        store,
        changes(entities=[entity("c9")], notices=[("c9", Notice("dob", "s1", "s2", NoticeKind.ASKS_TO_LOWER))]),
    )
    other = ("c9", "s1", "s2", "asks_to_lower")
    assert notices("s1", "s2") == [("c1", "s1", "s9", "overruled"), ("c1", "s2", "s9", "overruled"), other]
    assert notices("s2") == [("c1", "s2", "s9", "overruled"), other]
    assert notices() == [other]


def test_issued_lines_follow_their_visit_and_get_its_outcome_once(store: SqlStore) -> None:
    with store.transaction([]) as tx:
        lines = [("v1", None), ("v1", "done"), ("v2", None), ("v3", None)]
        blank = {"number": "L1", "revision": 1, "body": b"{}", "outcome_sub": None}
        values = [blank | {"line": n, "visit": ident, "outcome": outcome} for n, (ident, outcome) in enumerate(lines)]
        tx.connection.execute(insert(ReminderLine.__table__), values)
    columns = (ReminderLine.line, ReminderLine.visit, ReminderLine.outcome, ReminderLine.outcome_sub)

    moved = visit("v1", state=VisitState.NOT_NEEDED)
    write(store, changes(visits=[moved, visit("v4")], moved_visits={"v1": "v4"}))
    unmoved = [(1, "v1", "done", None), (2, "v2", None, None), (3, "v3", None, None)]
    assert rows(store, *columns) == [(0, "v4", None, None), *unmoved]

    ended = [visit("v4", state=VisitState.DONE, done_by="s5"), visit("v2", state=VisitState.NOT_NEEDED)]
    write(store, changes(visits=ended))
    write(store, changes(visits=[visit("v4", state=VisitState.DONE, done_by="s6")]))
    assert rows(store, *columns) == [
        (0, "v4", "done", "s5"),
        (1, "v1", "done", None),
        (2, "v2", "not_needed", None),
        (3, "v3", None, None),
    ]


def test_connections_keep_what_they_acknowledge(store: SqlStore) -> None:
    with store.transaction([]) as tx:
        assert check_durability(tx.connection) is None
        if tx.connection.dialect.name == "sqlite":
            pragmas = [tx.connection.scalar(text(f"pragma {name}")) for name in ("journal_mode", "synchronous")]
            assert pragmas == ["wal", 2]
        else:
            tx.connection.execute(text("set local synchronous_commit = off"))
            assert check_durability(tx.connection) == "synchronous_commit is off"
