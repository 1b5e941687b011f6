"""One writer for each area at a time; feed numbers in the order of commits; no deadlock; few statements."""

import random
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event, select

from server.store.store import SqlStore
from server.store.tables import FeedEntry, FeedMark, db
from sync.ports import Touched, Waiting
from sync.state.model import Conflict, Notice, NoticeKind
from sync.visits.plan import Made, VisitState
from tests.store.samples import (
    HERE,
    THERE,
    act,
    changes,
    counters,
    entity,
    feed,
    op,
    rows,
    state,
    submission,
    touched,
    visit,
    write,
)

WAIT = 20  # seconds after which something hangs
THREADS, TURNS = 4, 12


@contextmanager
def busy(store: SqlStore, *areas: str) -> Iterator[None]:
    """Another thread holds these areas; it commits one entry when the block ends."""
    entered, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with store.transaction(areas) as tx:
            entered.set()
            assert leave.wait(WAIT)
            tx.write(changes(entities=[entity("held")], touched={touched("held", areas[0])}))

    with ThreadPoolExecutor(1) as pool:
        holder = pool.submit(hold)
        assert entered.wait(WAIT)
        yield
        leave.set()
        holder.result(WAIT)


@pytest.fixture(params=["fresh counters", "known counters"])
def areas(request: pytest.FixtureRequest, store: SqlStore) -> tuple[str, str]:
    """Two areas, of which nothing was ever stored, or something was."""
    if request.param == "known counters":
        write(store, changes(touched={touched("c0"), touched("c0", THERE)}), (HERE, THERE))
    return HERE, THERE


def test_a_second_writer_of_an_area_waits_and_then_sees_the_first(store: SqlStore, areas: tuple[str, str]) -> None:
    first = counters(store).get(HERE, 0)
    inside = threading.Event()

    def second() -> tuple[bool, int]:
        with store.transaction([THERE, HERE]) as tx:
            inside.set()
            known = "held" in tx.ledgers(["held"])
            tx.write(changes(touched={touched("second")}))
        return known, feed(store)[f"{HERE}/01", "entity", "second"][0]

    with ThreadPoolExecutor(1) as pool:
        with busy(store, HERE):
            waiting = pool.submit(second)
            assert not inside.wait(0.3)
        assert waiting.result(WAIT) == (True, first + 2)


def test_writers_of_other_areas_go_on_in_parallel_on_postgresql(postgresql_app: Flask) -> None:
    with postgresql_app.app_context():
        store = SqlStore(db.engine)
    with busy(store, HERE), ThreadPoolExecutor(1) as pool:
        pool.submit(write, store, changes(touched={touched("c1", THERE)}), (THERE,)).result(WAIT)
        assert counters(store) == {THERE: 1}


def test_readers_do_not_wait_for_a_writer(store: SqlStore) -> None:
    write(store, changes(entities=[entity("c1")]))
    with busy(store, HERE), ThreadPoolExecutor(1) as pool:
        assert pool.submit(store.areas_of, ["c1"]).result(WAIT) == {"c1": HERE}


class Reader(threading.Thread):
    """Follows the feed of an area by its numbers alone, as a phone does, while others write."""

    def __init__(self, store: SqlStore, scope: str) -> None:
        super().__init__()
        self.query = select(FeedEntry.seq).where(FeedEntry.scope == scope).order_by(FeedEntry.seq)
        self.engine, self.seen, self.stop = store._engine, list[int](), threading.Event()

    def run(self) -> None:
        last = False
        while not last:
            last = self.stop.is_set()
            with self.engine.connect() as connection:
                after = self.seen[-1] if self.seen else 0
                self.seen += connection.scalars(self.query.where(FeedEntry.seq > after))


def test_many_writers_neither_deadlock_nor_lose_a_number(store: SqlStore) -> None:
    """Numbers are without gaps and become visible in order: a reader that only looks ahead misses nothing."""
    keys = [f"2025.0000{n}" for n in range(3)]
    dice = random.Random(7)
    plans = [[(dice.sample(keys, 2), dice.random() / 300) for _ in range(TURNS)] for _ in range(THREADS)]

    def work(thread: int) -> None:
        for turn, (pair, pause) in enumerate(plans[thread]):
            with store.transaction(pair) as tx:
                time.sleep(pause)
                told = {touched(f"{thread}-{turn}-{n}", area) for area in pair for n in range(2)}
                users = {Touched(f"user:{n}", f"user:{n}", "s", f"{thread}-{turn}") for n in (thread, turn % 3)}
                tx.write(changes(submissions=[submission(f"{thread}-{turn}")], touched=told | users))
                time.sleep(pause)

    readers = [Reader(store, f"{key}/01") for key in keys]
    for reader in readers:
        reader.start()
    with ThreadPoolExecutor(THREADS) as pool:
        writers = [pool.submit(work, thread) for thread in range(THREADS)]
        for writer in writers:
            writer.result(5 * WAIT)
    for reader in readers:
        reader.stop.set()
        reader.join(WAIT)

    expected = {key: 2 * sum(key in pair for plan in plans for pair, _ in plan) for key in keys}
    assert {key: reader.seen for key, reader in zip(keys, readers, strict=True)} == {
        key: list(range(1, n + 1)) for key, n in expected.items()
    }
    found = counters(store)
    assert {key: found[key] for key in keys} == expected
    numbered: dict[str, list[int]] = {}
    for scope, seq in rows(store, FeedEntry.scope, FeedEntry.seq):
        numbered.setdefault(scope.removesuffix("/01"), []).append(seq)
    assert numbered == {name: list(range(1, n + 1)) for name, n in found.items()}
    heads: dict[str, int] = dict(rows(store, FeedMark.counter, FeedMark.seq))  # sorted: the last one stays
    assert heads == found


def test_counters_of_which_only_one_is_new_cannot_deadlock(store: SqlStore) -> None:
    """One writer has found neither of two counters; one of them is made; another writer comes for both."""
    engine = store._engine
    paused = {name: threading.Event() for name in ("early", "late")}
    resume = {name: threading.Event() for name in ("early", "late")}

    def hook(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        name = threading.current_thread().name
        if name in paused and not paused[name].is_set() and statement.startswith("INSERT INTO counter"):
            paused[name].set()
            assert resume[name].wait(WAIT)

    def take(name: str, both: tuple[str, ...] = (HERE, THERE)) -> Future[None]:
        outcome: Future[None] = Future()

        def run() -> None:
            try:
                write(store, changes(touched={touched(name, area) for area in both}), both)
                outcome.set_result(None)
            except Exception as error:
                outcome.set_exception(error)

        threading.Thread(target=run, name=name).start()
        return outcome

    event.listen(engine, "before_cursor_execute", hook)
    early = take("early")
    assert paused["early"].wait(WAIT)
    if engine.dialect.name == "postgresql":  # SQLite lets nobody in beside the first
        take("between", (THERE,)).result(WAIT)
    late = take("late")
    if engine.dialect.name == "postgresql":
        assert paused["late"].wait(WAIT)
    resume["early"].set()
    wait([early], timeout=1)  # time to reach whatever it may have to wait for
    resume["late"].set()
    early.result(WAIT)
    late.result(WAIT)
    event.remove(engine, "before_cursor_execute", hook)
    assert counters(store)[HERE] == 2


def test_the_number_of_statements_does_not_grow_with_the_number_of_items(store: SqlStore) -> None:
    statements: list[str] = []

    def batch(run: str, count: int) -> list[str]:
        ids = [f"{run}-{n}" for n in range(count)]
        change = changes(
            submissions=[submission(i) for i in ids],
            states={i: state(i) for i in ids},
            ops=[op(i, i, 1) for i in ids] + [op(i, f"{i}-held", None) for i in ids],
            rederived=[op(i, i, 1) for i in ids],
            waiting={i: frozenset({Waiting(i, i, i), Waiting(run, i, i)}) for i in ids},
            audit=[act(i) for i in ids],
            entities=[entity(i) for i in ids],
            conflicts=[Conflict(i, i, "phone", (i,)) for i in ids],
            notices=[(i, Notice("phone", i, i, NoticeKind.OVERRULED)) for i in ids],
            made=[Made(i, "f", 1, "1", i, None) for i in ids],
            unmade=[Made(i, "f", 1, "1", f"{i}-other", None) for i in ids],
            visits=[visit(i, state=VisitState.DONE) for i in ids],
            moved_visits={i: f"{i}-next" for i in ids},
            touched={Touched(f"user:{i}", f"user:{i}", "s", i) for i in ids} | {touched(i) for i in ids},
        )
        statements.clear()
        store.areas_of(ids)
        with store.transaction([HERE]) as tx:
            reads = (tx.held, tx.submissions, tx.states, tx.waiting, tx.watching, tx.authors, tx.touching)
            for read in (*reads, tx.ledgers, tx.children, tx.made, tx.visits):
                read(ids)
            tx.write(change)
            tx.write(changes(entities=change.entities))  # closes all the conflicts
        return list(statements)

    batch("first", 1)
    event.listen(
        store._engine,
        "before_cursor_execute",
        lambda c, cursor, statement, *rest: statements.append(statement),
    )
    few, many = batch("few", 2), batch("many", 40)
    assert len(many) == len(few), [statement for statement in set(many) if many.count(statement) > 3]


def test_an_entity_that_is_made_elsewhere_while_ledgers_are_read_is_not_known_yet(
    postgresql_app: Flask,
) -> None:
    """Its area is not held, so it may be committed between the two statements that read a ledger."""
    with postgresql_app.app_context():
        store = SqlStore(db.engine)
    others = [changes(ops=[op("c2", "s1", 1)], entities=[entity("c2", area=THERE)])]

    def hook(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
        if "FROM op" in statement and others:
            with ThreadPoolExecutor(1) as pool:
                pool.submit(write, store, others.pop(), (THERE,)).result(WAIT)

    write(store, changes(ops=[op("c1", "s1", 1)], entities=[entity("c1")]))
    event.listen(store._engine, "before_cursor_execute", hook)
    with store.transaction([HERE]) as tx:
        assert list(tx.ledgers(["c1", "c2"])) == ["c1"]
        assert list(tx.ledgers(["c1", "c2"])) == ["c1", "c2"]
