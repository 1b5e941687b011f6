"""A part of a transaction can fail alone: what was written before stays, and locks and numbers are as before it."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from sqlalchemy.exc import IntegrityError

from server.store.store import SqlStore
from server.store.tables import Submission, db
from sync.ports import Raced, Touched
from tests.store.samples import (
    HERE,
    THERE,
    changes,
    counters,
    entity,
    feed,
    op,
    rows,
    submission,
    touched,
    write,
)

WAIT = 20  # seconds after which something hangs
USER = Touched("user:u11", "user:u11", "submission", "s2")


def test_what_failed_is_undone_and_all_before_it_stays(store: SqlStore) -> None:
    with store.transaction([HERE]) as tx:
        tx.write(changes(submissions=[submission("s1")], touched={touched("c1")}))
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            tx.write(changes(submissions=[submission("s2")], entities=[entity("c2")], touched={touched("c2"), USER}))
            assert "s2" in tx.held(["s2"])
            raise ZeroDivisionError
        assert set(tx.held(["s1", "s2"])) == {"s1"}
        assert tx.ledgers(["c2"]) == {}
        with tx.savepoint():
            tx.write(changes(submissions=[submission("s3")], touched={touched("c3")}))
    assert rows(store, Submission.id) == [("s1",), ("s3",)]
    scope = f"{HERE}/01"
    assert feed(store) == {(scope, "entity", "c1"): (1, True), (scope, "entity", "c3"): (2, True)}
    assert counters(store) == {HERE: 2}


@pytest.mark.parametrize("known", [False, True])
def test_the_counter_of_a_user_counts_on_as_if_nothing_had_failed(store: SqlStore, known: bool) -> None:
    if known:
        write(store, changes(touched={USER}))
    with store.transaction([HERE]) as tx:
        for _ in range(2):
            with pytest.raises(ZeroDivisionError), tx.savepoint():
                tx.write(changes(touched={USER, touched("c1")}))
                raise ZeroDivisionError
        tx.write(changes(touched={USER, touched("c1")}))
    assert counters(store) == {HERE: 1, "user:u11": 1 + known}


def test_an_error_of_the_database_leaves_the_rest_of_the_transaction_usable(store: SqlStore) -> None:
    write(store, changes(submissions=[submission("s1")], ops=[op("c1", "s1", 1)], entities=[entity("c1")]))
    with store.transaction([HERE]) as tx:
        tx.write(changes(submissions=[submission("s2")], touched={touched("c1")}))
        with pytest.raises(Raced), tx.savepoint():
            tx.write(changes(submissions=[submission("s3"), submission("s1")], touched={touched("c2")}))
        with pytest.raises(IntegrityError), tx.savepoint():
            tx.write(changes(submissions=[submission("s4", author=None)]))
        tx.write(changes(submissions=[submission("s5")], touched={touched("c3")}))
    assert rows(store, Submission.id) == [("s1",), ("s2",), ("s5",)]
    assert counters(store) == {HERE: 2}


def test_savepoints_may_be_nested(store: SqlStore) -> None:
    with store.transaction([HERE]) as tx:
        with tx.savepoint():
            tx.write(changes(submissions=[submission("s1")], touched={touched("c1")}))
            with pytest.raises(ZeroDivisionError), tx.savepoint():
                tx.write(changes(submissions=[submission("s2")], touched={touched("c2")}))
                raise ZeroDivisionError
            tx.write(changes(submissions=[submission("s3")], touched={touched("c3")}))
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            with tx.savepoint():
                tx.write(changes(submissions=[submission("s4")], touched={touched("c4")}))
            raise ZeroDivisionError
    assert rows(store, Submission.id) == [("s1",), ("s3",)]
    assert counters(store) == {HERE: 2}


def test_a_transaction_that_fails_takes_its_savepoints_with_it(store: SqlStore) -> None:
    with pytest.raises(ZeroDivisionError), store.transaction([HERE]) as tx:
        with tx.savepoint():
            tx.write(changes(submissions=[submission("s1")], touched={touched("c1")}))
        raise ZeroDivisionError
    assert (rows(store, Submission.id), feed(store)) == ([], {})


def test_the_areas_stay_held_when_a_part_has_failed(store: SqlStore) -> None:
    inside = threading.Event()

    def second() -> None:
        with store.transaction([HERE]) as tx:
            inside.set()
            tx.write(changes(touched={touched("c2")}))

    with ThreadPoolExecutor(1) as pool:
        with store.transaction([HERE]) as tx:
            with pytest.raises(ZeroDivisionError), tx.savepoint():
                tx.write(changes(touched={touched("c1")}))
                raise ZeroDivisionError
            waiting = pool.submit(second)
            assert not inside.wait(0.3)
            tx.write(changes(touched={touched("c1")}))
        waiting.result(WAIT)
    assert feed(store)[f"{HERE}/01", "entity", "c2"] == (2, True)


def test_a_user_counter_taken_in_a_part_that_failed_is_free_and_read_again(postgresql_app: Flask) -> None:
    with postgresql_app.app_context():
        store = SqlStore(db.engine)
    write(store, changes(touched={USER}))
    with store.transaction([HERE]) as tx, ThreadPoolExecutor(1) as pool:
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            tx.write(changes(touched={USER}))
            raise ZeroDivisionError
        pool.submit(write, store, changes(touched={USER}), (THERE,)).result(WAIT)
        tx.write(changes(touched={USER}))
    assert counters(store)["user:u11"] == 3


def test_two_who_take_user_counters_crosswise_part_by_part_are_raced(postgresql_app: Flask) -> None:
    """Sorted locks cannot help where one transaction writes several times; the database finds the deadlock."""
    with postgresql_app.app_context():
        store = SqlStore(db.engine)
    both = threading.Barrier(2)

    def crosswise(area: str, users: tuple[str, str]) -> str:
        try:
            with store.transaction([area]) as tx:
                for number, user in enumerate(users):
                    with tx.savepoint():
                        tx.write(changes(touched={Touched(user, user, "submission", area)}))
                    if number == 0:
                        both.wait(WAIT)
        except Raced:
            return "raced"
        return "written"

    write(store, changes(touched={Touched(user, user, "submission", "s") for user in ("user:1", "user:2")}))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(crosswise, HERE, ("user:1", "user:2"))
        second = pool.submit(crosswise, THERE, ("user:2", "user:1"))
        assert sorted([first.result(WAIT), second.result(WAIT)]) == ["raced", "written"]
    assert (counters(store)["user:1"], counters(store)["user:2"]) == (2, 2)
