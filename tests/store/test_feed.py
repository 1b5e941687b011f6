"""What `sync.feed` asks of the stored feed, demanded of the one there is on both of its databases."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import Any

import orjson
import pytest
from sqlalchemy import event, insert, select

from server.store.feed import SqlFeed
from server.store.store import SqlStore
from server.store.tables import FeedMark, ReminderLine, ReminderList
from sync.feed import Served
from sync.ports import Review, Touched
from sync.tokens import Cursor
from sync.tokens import FeedMark as Mark
from sync.visits.plan import VisitState
from tests.store.samples import (
    HERE,
    NOON,
    THERE,
    changes,
    entity,
    rows,
    state,
    submission,
    touched,
    visit,
    write,
)

SCOPE, BESIDE, ABROAD, OWN = f"{HERE}/01", f"{HERE}/02", f"{THERE}/01", "user:u11"
ALL = 1_000
START = Cursor(0)


@contextmanager
def reading(store: SqlStore) -> Iterator[SqlFeed]:
    with store._engine.connect() as connection:
        yield SqlFeed(connection, lambda found: {"visit": found}, lambda row: {"sub": row.sub, "row": row})


def told(
    store: SqlStore, scope: str = SCOPE, after: Cursor = START, head: int = ALL, most: int = ALL, *readable: str
) -> Sequence[Served]:
    with reading(store) as feed:
        found = feed.entries(scope, after, head, frozenset(readable or (scope,)), most)
        if most == ALL:
            assert feed.remaining(scope, after, head) == len(found)
        return found


def bodies(found: Sequence[Served]) -> dict[str, Any]:
    return {one.id: one.body for one in found}


def page(ident: str, **more: Any) -> bytes:
    """A page as no serialiser of today would write it: served as stored, whatever wrote it."""
    return orjson.dumps({"z": "Nguyễn Thị Mỹ Duyên", "id": ident} | more, option=orjson.OPT_INDENT_2)


def into(ident: str, scope: str, here: bool = True, kind: str = "entity") -> Touched:
    return Touched(scope.partition("/")[0], scope, kind, ident, here)


def own(kind: str, ident: str) -> Touched:
    return Touched(OWN, OWN, kind, ident)


def test_heads_are_the_newest_numbers_of_all_scopes_of_some_counters(store: SqlStore) -> None:
    write(store, changes(touched={into("c1", SCOPE), into("c2", BESIDE), into("c3", ABROAD)}), (HERE, THERE))
    write(store, changes(touched={into("c1", SCOPE), own("submission", "s1")}))
    with reading(store) as feed:
        assert feed.heads([HERE]) == {SCOPE: 3, BESIDE: 2}
        assert feed.heads([HERE, OWN, "2025.31150"]) == {SCOPE: 3, BESIDE: 2, OWN: 1}
        assert feed.heads([]) == {}


def test_the_newest_mark_is_that_of_the_counter_as_it_stands(store: SqlStore) -> None:
    for ident in ("c1", "c2"):
        write(
            store, changes(touched={into(ident, SCOPE), into(f"{ident}b", SCOPE), into(ident, ABROAD)}), (HERE, THERE)
        )
    marks = {(c, seq): nonce for c, seq, nonce in rows(store, FeedMark.counter, FeedMark.seq, FeedMark.nonce)}
    with reading(store) as feed:
        assert feed.newest([HERE, THERE, OWN]) == {HERE: Mark(4, marks[HERE, 4]), THERE: Mark(2, marks[THERE, 2])}
        assert feed.newest([HERE]) == {HERE: Mark(4, marks[HERE, 4])}
    with store.transaction([]) as tx:
        tx.connection.execute(insert(FeedMark), [{"counter": HERE, "seq": 9, "nonce": "of no counter"}])
    with reading(store) as feed:
        assert feed.newest([HERE]) == {HERE: Mark(4, marks[HERE, 4])}


def test_the_mark_that_follows_may_be_the_very_one_or_a_later_one_or_none(store: SqlStore) -> None:
    with store.transaction([]) as tx:
        marks = [(HERE, 3, "a"), (HERE, 7, "b"), (HERE, 2**53, "c"), (THERE, 3, "d")]
        tx.connection.execute(
            insert(FeedMark), [dict(zip(("counter", "seq", "nonce"), m, strict=True)) for m in marks]
        )
    with reading(store) as feed:
        for asked, found in [(1, "a"), (3, "a"), (4, "b"), (7, "b"), (8, "c"), (2**53, "c"), (2**53 + 1, None)]:
            assert feed.following({HERE: Mark(asked, "")}) == {HERE: found}
        three = {THERE: Mark(3, ""), OWN: Mark(1, ""), HERE: Mark(5, "")}
        assert feed.following(three) == {THERE: "d", OWN: None, HERE: "b"}


def test_entries_come_in_order_within_their_bounds(store: SqlStore) -> None:
    write(
        store,
        changes(touched={into(f"c{n}", scope) for n in range(1, 6) for scope in (SCOPE, ABROAD)}),
        (HERE, THERE),
    )
    write(store, changes(touched={into("c2", SCOPE)}))
    assert [(one.id, one.seq) for one in told(store)] == [("c1", 1), ("c3", 3), ("c4", 4), ("c5", 5), ("c2", 6)]
    assert [one.id for one in told(store, after=Cursor(3), head=5)] == ["c4", "c5"]
    assert [one.id for one in told(store, most=2)] == ["c1", "c3"]
    assert told(store)[0] == Served("entity", "c1", 1, SCOPE, None)
    assert told(store, BESIDE) == []


def test_an_entity_is_served_byte_for_byte_and_only_where_it_is_now(store: SqlStore) -> None:
    """Of each entity the scope has an entry; some have left it since, or died, or show nothing."""
    living = [
        entity("stays", page=page("stays")),
        entity("beside", scope=BESIDE, page=page("beside")),
        entity("abroad", area=THERE, scope=ABROAD, page=page("abroad")),
        entity("dead", dead=True, page=page("dead")),
        entity("empty", page=b""),
        entity("nowhere", scope=None, page=page("nowhere")),
    ]
    left = {into(one.id, SCOPE, one.id in ("stays", "empty")) for one in living}
    write(store, changes(entities=living, touched=left | {into("unknown", SCOPE)}), (HERE, THERE))
    found = bodies(told(store, SCOPE, START, ALL, ALL, SCOPE, BESIDE))
    shown = {ident: orjson.dumps(body) for ident, body in found.items() if body is not None}
    assert shown == {"stays": page("stays"), "beside": page("beside")}
    assert found.keys() == {one.id for one in living} | {"unknown"}
    assert [ident for ident, body in bodies(told(store)).items() if body is not None] == ["stays"]


def test_a_visit_is_served_while_it_is_open_and_where_it_is_now(store: SqlStore) -> None:
    planned = [
        visit("open", household="h1", statutory=True, attempts=2),
        visit("beside", scope=BESIDE),
        visit("abroad", area=THERE, scope=ABROAD),
        visit("done", state=VisitState.DONE, done_by="s1"),
        visit("idle", state=VisitState.NOT_NEEDED),
    ]
    write(
        store, changes(visits=planned, touched={into(one.id, SCOPE, kind="visit") for one in planned}), (HERE, THERE)
    )
    found = bodies(told(store, SCOPE, START, ALL, ALL, SCOPE, BESIDE))
    assert found == {one.id: None for one in planned} | {v.id: {"visit": v} for v in planned[:2]}


def test_things_of_different_kinds_may_have_one_name(store: SqlStore) -> None:
    write(
        store,
        changes(
            entities=[entity("x", page=page("x"))],
            visits=[visit("x")],
            touched={into("x", SCOPE), into("x", SCOPE, kind="visit")},
        ),
    )
    found = {one.kind: one.body for one in told(store)}
    assert orjson.dumps(found["entity"]) == page("x")
    assert found["visit"] == {"visit": visit("x")}


def test_whoever_comes_new_is_told_of_what_left_since_and_not_of_what_left_before(store: SqlStore) -> None:
    everyone = [entity(f"c{n}", page=page(f"c{n}")) for n in range(5)]
    write(store, changes(entities=everyone, touched={into(one.id, SCOPE) for one in everyone}))
    write(store, changes(touched={into("c0", SCOPE, here=False), into("c1", SCOPE, here=False)}))
    head = 7
    write(store, changes(touched={into("c2", SCOPE, here=False)}))
    write(store, changes(touched={into("c1", SCOPE)}))
    assert [one.id for one in told(store, after=Cursor(0, head))] == ["c3", "c4", "c2", "c1"]
    assert [one.id for one in told(store, after=Cursor(0))] == ["c3", "c4", "c0", "c2", "c1"]
    assert [one.id for one in told(store, after=Cursor(5, head))] == ["c2", "c1"]
    assert [one.id for one in told(store, after=Cursor(0, head), most=2)] == ["c3", "c4"]


def issue(
    store: SqlStore, number: str, revision: int, collaborator: str, visits: Sequence[str], day: int = 1
) -> None:
    """Store a list with these visits, the last one first; in December."""
    begins = date(2026, 12, day)
    head = {
        "number": number, "revision": revision, "area": HERE, "collaborator": collaborator, "kind": "daily",
        "begins": begins, "ends": begins, "issued_at": NOON, "issued_by": "c1",
    }  # fmt: skip
    lines = [
        {"number": number, "revision": revision, "line": n, "visit": ident, "body": b'{"name":"x"}'}
        for n, ident in reversed(list(enumerate(visits, start=1)))
    ]
    with store.transaction([]) as tx:
        tx.connection.execute(insert(ReminderList), [head])
        tx.connection.execute(insert(ReminderLine), lines)


def test_a_user_is_told_of_his_own_submissions_and_lists_and_of_no_others(store: SqlStore) -> None:
    write(
        store,
        changes(
            submissions=[submission("s1", outcome="merged"), submission("s2", author="u12")],
            states={
                "s1": state("s1", state=Review.APPROVED, comment="Đã xem", by="s1"),
                "s2": state("s2", author="u12"),
            },
            touched={own("submission", "s1"), own("submission", "s2"), own("submission", "unknown")}
            | {own("list", number) for number in ("L1", "L2", "L3", "unknown")},
        ),
    )
    issue(store, "L1", 1, "u11", ["v1", "v2"])
    issue(store, "L1", 2, "u11", ["v2", "v3", "v1"])
    issue(store, "L2", 1, "u12", ["v4"])
    issue(store, "L3", 1, "u11", ["v5"], day=9)
    found = {(one.kind, one.id): one.body for one in told(store, OWN)}
    mine = found.pop(("submission", "s1"))
    assert (mine["sub"], mine["row"].outcome, mine["row"].comment) == ("s1", "merged", "Đã xem")
    same = {"area": HERE, "kind": "daily"}
    first, ninth = ({"begins": day, "ends": day} for day in ("2026-12-01", "2026-12-09"))
    lines = [{"line": n, "visit": ident} for n, ident in enumerate(["v2", "v3", "v1"], start=1)]
    assert found == {
        ("submission", "s2"): None,
        ("submission", "unknown"): None,
        ("list", "L1"): {"number": "L1", "revision": 2, "lines": lines} | same | first,
        ("list", "L2"): None,
        ("list", "L3"): {"number": "L3", "revision": 1, "lines": [{"line": 1, "visit": "v5"}]} | same | ninth,
        ("list", "unknown"): None,
    }


def test_a_list_that_was_reissued_to_another_is_the_first_ones_no_longer(store: SqlStore) -> None:
    issue(store, "L1", 1, "u11", ["v1"])
    issue(store, "L1", 2, "u12", ["v1"])
    write(store, changes(touched={own("list", "L1")}))
    assert bodies(told(store, OWN)) == {"L1": None}


@pytest.mark.parametrize("scope", [SCOPE, OWN])
def test_the_number_of_statements_does_not_grow_with_the_page(store: SqlStore, scope: str) -> None:
    ids = [f"x{n:03d}" for n in range(120)]
    write(
        store,
        changes(
            entities=[entity(i, page=page(i)) for i in ids],
            visits=[visit(i) for i in ids],
            submissions=[submission(i) for i in ids],
            states={i: state(i) for i in ids},
            touched={into(i, SCOPE, kind=kind) for i in ids for kind in ("entity", "visit")}
            | {own(kind, i) for i in ids for kind in ("submission", "list")},
        ),
    )
    for number, ident in enumerate(ids[:20], start=1):
        issue(store, ident, 1, "u11", ["v1", "v2"], day=number)
    statements: list[str] = []
    event.listen(store._engine, "before_cursor_execute", lambda c, cursor, said, *rest: statements.append(said))

    def asked(most: int) -> list[str]:
        statements.clear()
        with reading(store) as feed:
            marks = feed.newest([HERE, OWN])
            assert feed.following(marks) == {counter: mark.nonce for counter, mark in marks.items()}
            head = feed.heads([HERE, OWN])[scope]
            found = feed.entries(scope, START, head, frozenset([scope]), most)
            assert len(found) == most
            assert feed.remaining(scope, START, head) == 240
        return [said for said in statements if said != "BEGIN"]

    few, many = asked(1), asked(240)
    assert len(few) == len(many) == (6 if scope == OWN else 5), many


def test_a_page_that_is_read_twice_tells_the_same(store: SqlStore) -> None:
    write(store, changes(entities=[entity("c1", page=page("c1"))], touched={touched("c1")}))
    assert [orjson.dumps(one.body) for one in told(store)] == [orjson.dumps(one.body) for one in told(store)]
    with store.transaction([]) as tx:
        assert tx.connection.scalar(select(FeedMark.seq)) == 1
