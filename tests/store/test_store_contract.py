"""What `sync.ports` asks of a store, demanded of the one there is on both of its databases."""

from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from server.store import dialects
from server.store.store import SqlStore
from server.store.tables import (
    AssignmentTable,
    ConflictTable,
    FeedEntry,
    FeedMark,
    NoticeTable,
    Submission,
    User,
)
from sync.authority import Assignment, Author, Role
from sync.ports import Changes, Raced, Touched, Waiting
from sync.state.model import Conflict, Notice, NoticeKind
from sync.visits.plan import Made, VisitState
from tests.store.samples import (
    HERE,
    NOON,
    THERE,
    changes,
    counters,
    entity,
    op,
    rich_op,
    rows,
    state,
    submission,
    touched,
    visit,
    write,
)


def test_a_transaction_says_which_areas_it_holds(store: SqlStore) -> None:
    with store.transaction([THERE, HERE]) as tx:
        assert tx.areas == {HERE, THERE}
    with store.transaction([]) as tx:
        assert tx.areas == frozenset()


def test_reads_see_own_writes_and_nobody_else_does_before_commit(store: SqlStore) -> None:
    row, entry, made = entity("c1", household="h1"), op("c1", "s1", 1), Made("s1", "f", NOON, "1", "c1", "h1")
    planned = visit("v1", subject="c1")
    everything = changes(
        submissions=[submission("s1")], ops=[entry], entities=[row], made=[made], visits=[planned],
        touched={touched("c1")},
    )  # fmt: skip
    with store.transaction([HERE]) as tx:
        assert (tx.held(["s1"]), tx.ledgers(["c1"]), tx.children(["h1"])) == ({}, {}, [])
        tx.write(everything)
        assert tx.held(["s1"])["s1"].receipt == {"id": "s1", "outcome": "applied"}
        assert tx.ledgers(["c1"])["c1"].row == row
        assert list(tx.ledgers(["c1"])["c1"].ops) == [entry]
        assert list(tx.children(["h1"])) == [row]
        assert list(tx.made(["c1"])) == [made]
        assert list(tx.visits(["c1"])) == [planned]
        assert store.areas_of(["c1"]) == {}
    assert store.areas_of(["c1", "c2"]) == {"c1": HERE}


def test_an_exception_rolls_back_everything_and_is_raised_again(store: SqlStore) -> None:
    change = changes(
        submissions=[submission("s1")], ops=[op("c1", "s1", 1)], entities=[entity("c1")],
        made=[Made("s1", "f", NOON, "1", "c1", None)], visits=[visit("v1")],
        conflicts=[Conflict("k1", "c1", "phone", ("s1",))],
        notices=[("c1", Notice("phone", "s1", "s0", NoticeKind.OVERRULED))],
        touched={touched("c1"), Touched("user:u11", "user:u11", "submission", "s1")},
    )  # fmt: skip
    with pytest.raises(ZeroDivisionError), store.transaction([HERE]) as tx:
        tx.write(change)
        raise ZeroDivisionError
    with store.transaction([HERE]) as tx:
        assert (tx.held(["s1"]), tx.ledgers(["c1"]), tx.made(["c1"]), tx.visits(["h1"])) == ({}, {}, [], [])
    assert [rows(store, t.__table__) for t in (ConflictTable, NoticeTable, FeedEntry, FeedMark)] == [[]] * 4
    write(store, change)  # nothing of it is in the way
    assert counters(store) == {HERE: 1, "user:u11": 1}


def test_a_submission_is_held_with_its_hash_and_receipt(store: SqlStore) -> None:
    receipt = {"id": "s1", "entities": [{"id": "c1", "etag": "1-aaaaaaaaaa"}], "problems": ["Không đọc được"]}
    write(store, changes(submissions=[submission("s1", sha256="ab" * 32, receipt=receipt), submission("s2")]))
    with store.transaction([]) as tx:
        held = tx.held(["s1", "nobody"])
    assert list(held) == ["s1"]
    assert (held["s1"].sha256, held["s1"].receipt) == ("ab" * 32, receipt)


def test_ledgers_give_back_every_op_as_it_was(store: SqlStore) -> None:
    row = entity(
        "c1", rev=7, scope=None, household="h1", label="Đào", dob="2020-01-31", type="household",
        data={"full_name": "Lê Thị Đào", "sc_codes": ["SC1"]}, src={"full_name": "s2"},
        broken=("married_young", "grade_of_age"), dead=True,
    )  # fmt: skip
    log, other = [op("c1", "s1", 1), rich_op("c1")], op("c2", "s1", 1)
    write(store, changes(ops=[*reversed(log), other], entities=[row, entity("c2")]))
    with store.transaction([]) as tx:
        ledgers = tx.ledgers(["c1", "c2", "c3"])
    assert set(ledgers) == {"c1", "c2"}
    assert ledgers["c1"].row == row
    assert list(ledgers["c1"].ops) == log
    assert list(ledgers["c2"].ops) == [other]


def test_children_are_those_who_live_there_now(store: SqlStore) -> None:
    write(store, changes(entities=[entity("c2", household="h1"), entity("c1", household="h1"), entity("c3")]))
    write(store, changes(entities=[entity("c2", household="h2")]))
    with store.transaction([]) as tx:
        assert [row.id for row in tx.children(["h1"])] == ["c1"]
        assert [row.id for row in tx.children(["h1", "h2"])] == ["c1", "c2"]


def test_authors_come_with_all_their_assignments(store: SqlStore) -> None:
    begins, ends = date(2025, 7, 1), date(2026, 1, 31)
    with store.transaction([]) as tx:
        tx.connection.execute(
            insert(User.__table__),
            [{"id": user, "name": user, "role": "supervisor"} for user in ("u1", "u2", "u3")],
        )
        charges = [
            ("u1", HERE, "01", begins, ends),
            ("u1", THERE, "", begins, None),
            ("u3", HERE, "", begins, None),
        ]
        names = ("user", "area", "hamlet", "begins", "ends")
        tx.connection.execute(
            insert(AssignmentTable.__table__), [dict(zip(names, charge, strict=True)) for charge in charges]
        )
    with store.transaction([]) as tx:
        found = tx.authors(["u1", "u2", "nobody"])
    assert set(found) == {"u1", "u2"}
    assert set(found["u1"].assignments) == {
        Assignment(HERE, "01", begins, ends),
        Assignment(THERE, None, begins),
    }
    assert found["u2"] == Author("u2", Role.SUPERVISOR)


def test_visits_made_are_found_by_subject_and_by_household(store: SqlStore) -> None:
    first = Made("s1", "child_situation", NOON, "1", "c1", "h1")
    others = [Made("s2", "f", NOON - 1, "3", "c2", "h1"), Made("s3", "f", NOON, "1", "c3", None)]
    write(store, changes(made=[first, *others]))
    with store.transaction([]) as tx:
        assert list(tx.made(["h1"])) == [others[0], first]
        assert list(tx.made(["c1"])) == [first]
        assert list(tx.made(["c3", "c1"])) == [first, others[1]]


def test_a_visit_made_is_overwritten_and_forgotten_by_submission_and_subject(store: SqlStore) -> None:
    first, other = Made("s1", "f", NOON, "1", "c1", "h1"), Made("s1", "f", NOON, "1", "c2", None)
    write(store, changes(made=[first, other]))
    moved = Made("s1", "g", NOON + 1, "3", "c1", "h2")
    write(store, changes(made=[moved], unmade=[first]))
    with store.transaction([]) as tx:
        assert list(tx.made(["c1", "c2", "h1", "h2"])) == [other, moved]
    write(store, changes(unmade=[other, Made("s9", "f", NOON, "1", "c9", None)]))
    with store.transaction([]) as tx:
        assert list(tx.made(["c1", "c2"])) == [moved]


def test_visits_are_overwritten_by_id_and_read_in_any_state(store: SqlStore) -> None:
    write(store, changes(visits=[visit("v1"), visit("v2", subject="h2", household="x", statutory=True)]))
    done = visit("v1", state=VisitState.DONE, done_by="s9", attempts=2, due=date(2026, 12, 24))
    write(store, changes(visits=[done]))
    with store.transaction([]) as tx:
        assert list(tx.visits(["h1"])) == [done]
        assert [found.id for found in tx.visits(["h1", "h2"])] == ["v1", "v2"]


@pytest.mark.parametrize(
    "again",
    [
        changes(submissions=[submission("s1")]),
        changes(ops=[op("c1", "s9", 1)]),
        changes(ops=[op("c1", "s1", 9)]),
        changes(ops=[op("c1", "s1", None)]),
        changes(rederived=[op("c1", "s2", 1)]),
    ],
    ids=["the submission", "the revision", "the op", "the op that is held", "the revision of one that was held"],
)
def test_what_another_transaction_has_stored_first_is_raced(store: SqlStore, again: Changes) -> None:
    log = [op("c1", "s1", 1), op("c1", "s2", None)]
    write(store, changes(submissions=[submission("s1")], ops=log, entities=[entity("c1")]))
    before = rows(store, Submission.id), counters(store)
    again = replace(again, touched={touched("c2")}, submissions=[*again.submissions, submission("s7")])
    with pytest.raises(Raced), store.transaction([HERE]) as tx:
        tx.write(again)
    assert (rows(store, Submission.id), counters(store)) == before


def test_a_fault_of_our_own_is_not_taken_for_a_race(store: SqlStore) -> None:
    """Running again would not help."""
    with pytest.raises(IntegrityError), store.transaction([HERE]) as tx:
        tx.write(changes(submissions=[submission("s1", author=None)]))


def test_more_ids_than_a_statement_takes_are_read_and_written(store: SqlStore) -> None:
    many = [f"n{n:05}" for n in range(33_000)]
    last, waits = many[-1], Waiting("k1", "c1", many[-1])
    planned = visit("v1", subject=last)
    change = changes(
        submissions=[submission(last)], ops=[op(last, "s1", 1)], entities=[entity(last, household=last)],
        made=[Made("s1", "f", NOON, "1", many[0], last)], visits=[planned], states={last: state(last)},
        waiting={last: frozenset({waits})},
    )  # fmt: skip
    write(store, change)
    write(store, changes(waiting={sub: frozenset({waits}) if sub == last else frozenset() for sub in many}))
    with store.transaction([]) as tx:
        assert list(tx.held(many)) == list(tx.submissions(many)) == list(tx.states(many)) == [last]
        assert list(tx.ledgers(many)) == [last]
        assert [row.id for row in tx.children(many)] == [last]
        assert (tx.authors(many), tx.touching(many), list(tx.waiting(many)), list(tx.watching(many))) == (
            {},
            {},
            [],
            [waits],
        )
        assert ([made.subject for made in tx.made(many)], list(tx.visits(many))) == ([many[0]], [planned])
    assert store.areas_of(many) == {last: HERE}


def test_more_counters_than_a_statement_takes_are_locked(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialects, "MOST_IDS", 3)
    areas = [f"2025.{n:05}" for n in range(10)]
    write(store, changes(touched={touched("c1", areas[4])}), tuple(areas[:7]))
    with store.transaction(areas) as tx:
        assert tx.areas == set(areas)
        tx.write(changes(touched={touched("c1", area) for area in areas}))
    assert counters(store) == {area: 1 + (area == areas[4]) for area in areas}
