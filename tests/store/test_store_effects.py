"""What a store does with everything that follows from a submission: feeds, doubts and issued lines."""

from typing import Any

from sqlalchemy import insert, text

from server.store.dialects import check_durability
from server.store.store import SqlStore
from server.store.tables import ConflictTable, FeedMark, NoticeTable, ReminderLine
from sync.ports import Changes, Touched
from sync.state.model import Conflict, Notice, NoticeKind
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


def conflicts_of(store: SqlStore, at: int, *open_now: str, by: str | None = None) -> list[tuple[Any, ...]]:
    """What is stored when these are the open conflicts of `c1`, on a cell each, and `by` has ruled on all of them."""
    found = [Conflict(ident, "c1", f"cell-{ident}", ("s1", "s2")) for ident in open_now]
    closed_by = {("c1", f"cell-{ident}"): by for ident in ("k1", "k2")} if by else {}
    write(store, Changes(entities=[entity("c1")], conflicts=found, closed_by=closed_by, at=at))
    names = ("id", "open", "opened_at", "resolved_by", "closed_at")
    return rows(store, *(getattr(ConflictTable, name) for name in names))


def test_conflicts_close_and_reopen_and_remember_when_they_opened(store: SqlStore) -> None:
    write(store, Changes(entities=[entity("c9")], conflicts=[Conflict("k9", "c9", "dob", ("s1",))], at=1))
    other = ("k9", True, 1, None, None)
    first, second = ("k1", True, 10, None, None), ("k2", True, 20, None, None)
    assert conflicts_of(store, 10, "k1") == [first, other]
    assert conflicts_of(store, 20, "k1", "k2") == [first, second, other]
    assert conflicts_of(store, 30, "k2") == [("k1", False, 10, None, 30), second, other]
    assert conflicts_of(store, 40, by="s5") == [("k1", False, 10, None, 30), ("k2", False, 20, "s5", 40), other]
    assert conflicts_of(store, 50, "k1", by="s6") == [first, ("k2", False, 20, "s5", 40), other]
    assert conflicts_of(store, 60, "k2", by="s7") == [("k1", False, 10, "s7", 60), second, other]
    assert rows(store, ConflictTable.area, ConflictTable.members)[0] == (HERE, b'["s1","s2"]')


def test_a_conflict_is_closed_by_the_ruling_on_its_own_cell_and_entity(store: SqlStore) -> None:
    subjects = [("c1", "phone"), ("c1", "doses/BCG"), ("c2", "phone"), ("c3", "phone")]
    found = [Conflict(f"k{n}", *subject, ("s1", "s2")) for n, subject in enumerate(subjects)]
    everyone = [entity(ident) for ident in ("c1", "c2", "c3")]
    write(store, changes(entities=everyone, conflicts=found))
    closed_by = {("c1", "phone"): "s8", ("c1", "doses/BCG"): "s9", ("c3", "phone"): "s7"}
    write(store, changes(entities=everyone[:2], closed_by=closed_by))
    assert rows(store, ConflictTable.id, ConflictTable.open, ConflictTable.resolved_by) == [
        ("k0", False, "s8"),
        ("k1", False, "s9"),
        ("k2", False, None),
        ("k3", True, None),
    ]


def test_a_conflict_moves_with_its_entity(store: SqlStore) -> None:
    conflict = Conflict("k1", "c1", "schooling/" + "9" * 300, ("s1", "s2"))
    write(store, changes(entities=[entity("c1")], conflicts=[conflict]))
    write(store, changes(entities=[entity("c1", area=THERE)], conflicts=[conflict]), (HERE, THERE))
    assert rows(store, ConflictTable.area, ConflictTable.cell) == [(THERE, conflict.cell)]


def test_notices_of_an_entity_are_replaced(store: SqlStore) -> None:
    def notices(*told: tuple[str, NoticeKind]) -> list[tuple[Any, ...]]:
        found = [("c1", Notice("phone", sub, "s9", kind)) for sub, kind in told]
        write(store, changes(entities=[entity("c1")], notices=found))
        return rows(store, NoticeTable.entity, NoticeTable.sub, NoticeTable.by_sub, NoticeTable.kind)

    write(
        store,
        changes(entities=[entity("c9")], notices=[("c9", Notice("dob", "s1", "s2", NoticeKind.ASKS_TO_LOWER))]),
    )
    first, both = ("s1", NoticeKind.OVERRULED), [("s2", NoticeKind.OVERRULED), ("s2", NoticeKind.RULED)]
    other = ("c9", "s1", "s2", "asks_to_lower")
    second = [("c1", "s2", "s9", "overruled"), ("c1", "s2", "s9", "ruled")]
    assert notices(first, *both) == [("c1", "s1", "s9", "overruled"), *second, other]
    assert notices(*both) == [*second, other]
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
