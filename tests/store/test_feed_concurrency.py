"""Readers of the feed miss nothing while others write. Two other cursors, over the very same transactions, do.

A number from a sequence and the time of a request are drawn before the commit, so what is slow becomes visible after
a reader has gone past it. The feed's numbers are drawn under the lock of the area that they order.
"""

import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import orjson
from sqlalchemy import Connection, Engine, select, text

from server.store.dialects import WRITING
from server.store.feed import SqlFeed
from server.store.store import SqlStore
from server.store.tables import Entity
from sync.feed import Page, Reader, known, pull
from sync.ports import EntityRow, Touched
from tests.store.samples import HERE, THERE, changes, entity, rows, write
from tests.sync.feeds import READER, Body, Phone

WAIT = 60  # seconds after which something hangs
WRITERS, TURNS = 4, 25
ONE, TWO, OTHER = f"{HERE}/01", f"{HERE}/02", f"{THERE}/01"
ENTITIES = [f"c{number:02d}" for number in range(24)]
FAR = ENTITIES[-1]  # lives in the other area at first


class RolledBack(Exception):
    """A transaction that fails in the end."""


class Naive:
    """A table that every transaction writes too, each row with a number from a sequence and the time of the request.

    On PostgreSQL the number is a bigserial. SQLite has no sequence outside of transactions: an AUTOINCREMENT in the
    main transaction would lose nothing, as BEGIN IMMEDIATE lets one writer in and so orders numbers like commits.
    There an application draws the number in a small transaction of its own, before the main one begins.
    """

    def __init__(self, engine: Engine) -> None:
        self.engine, self.serial = engine, engine.dialect.name == "postgresql"
        kind = "bigserial" if self.serial else "bigint"
        with engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
            connection.execute(text(f"create table naive (id text primary key, n {kind}, t bigint)"))
            connection.execute(text("create table naive_number (n bigint)"))
            connection.execute(text("insert into naive_number values (0)"))

    def draw(self) -> int | None:
        if self.serial:
            return None  # the row draws it
        with self.engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
            return connection.scalar(text("update naive_number set n = n + 1 returning n"))

    def insert(self, connection: Connection, ident: str, number: int | None, at: int) -> None:
        names, values = ("id, t", ":id, :t") if number is None else ("id, t, n", ":id, :t, :n")
        row = {"id": ident, "t": at, "n": number}
        connection.execute(text(f"insert into naive ({names}) values ({values})"), row)


@dataclass
class Office:
    """Whoever writes. `hold` is called where a transaction is slow: its number is drawn, it is not committed."""

    store: SqlStore
    naive: Naive

    def run(
        self, name: str, ident: str, to: str, alive: bool, hold: Callable[[], object], fails: bool = False
    ) -> bool:
        """One request that moves or changes an entity; says whether it was committed."""
        began, number = time.time_ns(), self.naive.draw()
        if not self.naive.serial:
            hold()
        areas = {self.store.areas_of([ident])[ident], to.partition("/")[0]}
        try:
            with self.store.transaction(areas) as tx:
                self.naive.insert(tx.connection, name, number, began)
                if self.naive.serial:
                    hold()
                before = tx.connection.execute(select(Entity).where(Entity.id == ident)).one()
                if before.area not in areas:
                    raise RolledBack  # it has moved meanwhile
                left = {Touched(before.area, before.scope, "entity", ident, here=False)} - {
                    to_touched(ident, to, False)
                }
                row = version(ident, to, before.rev + 1, alive)
                tx.write(changes(entities=[row], touched=left | {to_touched(ident, to, alive)}))
                if fails:
                    raise RolledBack
        except RolledBack:
            return False
        return True

    def work(self, thread: int) -> set[str]:
        """Requests one after another, some of them slow, some failing in the end; the names of those committed."""
        dice, done = random.Random(thread), set[str]()
        for turn in range(TURNS):
            name, pause = f"{thread}-{turn}", dice.choice([0, 0, 0.002, 0.01])
            ident, to = dice.choice(ENTITIES), dice.choice([ONE, TWO, OTHER])
            hold = lambda pause=pause: time.sleep(pause)  # noqa: E731
            if self.run(name, ident, to, dice.random() < 0.8, hold, dice.random() < 0.15):
                done.add(name)
        return done

    def overtaken(self, readers: Sequence["NaiveReader"]) -> set[str]:
        """A slow request that holds until a fast one, begun later, is committed and everybody has read of it."""
        drawn, go = threading.Event(), threading.Event()

        def hold() -> None:
            drawn.set()
            assert go.wait(WAIT)

        with ThreadPoolExecutor(1) as pool:
            slow = pool.submit(self.run, "slow", FAR, OTHER, True, hold)
            assert drawn.wait(WAIT)
            assert self.run("fast", ENTITIES[0], ONE, True, lambda: None)
            for reader in readers:
                assert reader.saw_fast.wait(WAIT)
            go.set()
            assert slow.result(WAIT)
        return {"slow", "fast"}


def to_touched(ident: str, scope: str, here: bool) -> Touched:
    return Touched(scope.partition("/")[0], scope, "entity", ident, here)


def version(ident: str, scope: str, rev: int, alive: bool = True) -> EntityRow:
    page = orjson.dumps({"id": ident, "scope": scope, "revision": rev, "data": {"full_name": "Trần Thị Bưởi"}})
    return entity(ident, area=scope.partition("/")[0], scope=scope, rev=rev, dead=not alive, page=page)


class Looking(threading.Thread):
    """Asks again and again while others write, and once more after the last of them."""

    def __init__(self, engine: Engine) -> None:
        super().__init__()
        self.engine, self.stop = engine, threading.Event()

    def run(self) -> None:
        last = False
        while not last:
            last = self.stop.is_set()
            self.look(last)
            time.sleep(0.001)

    def look(self, last: bool) -> None:
        raise NotImplementedError


class NaiveReader(Looking):
    """Remembers the greatest number or time that it has seen, and asks for what is greater."""

    def __init__(self, engine: Engine, column: str) -> None:
        super().__init__(engine)
        query = f"select id, {column} as at from naive where {column} > :after order by {column}"
        self.query, self.after, self.seen, self.saw_fast = text(query), 0, set[str](), threading.Event()

    def look(self, last: bool) -> None:
        with self.engine.connect() as connection:
            for row in connection.execute(self.query, {"after": self.after}):
                self.seen.add(row.id)
                self.after = row.at
        if "fast" in self.seen:
            self.saw_fast.set()


@dataclass
class Losses:
    missing: set[str] = field(default_factory=set)
    extra: set[str] = field(default_factory=set)
    stale: set[str] = field(default_factory=set)


class FeedReader(Looking):
    """A phone that pulls page by page. Some of its pages get lost, and its charges may change."""

    def __init__(self, engine: Engine, number: int, *charges: Sequence[str]) -> None:
        super().__init__(engine)
        self.dice, self.charges, self.scopes = random.Random(number), charges, charges[0]
        self.phone, self.pages = Phone(), 0

    def look(self, last: bool) -> None:
        page = self.page()
        while last and page.more:
            page = self.page()

    def page(self) -> Page:
        """Ask for a page as `server.syncing` does: heads first, each page through a connection of its own."""
        self.scopes = self.dice.choice(self.charges) if not self.stop.is_set() else self.charges[-1]
        counters = sorted({scope.partition("/")[0] for scope in self.scopes})
        reader = Reader(READER, tuple(counters), tuple(self.scopes), "h:0")
        with self.engine.connect() as connection:
            feed = SqlFeed(connection, lambda visit: {}, lambda row: {})
            assert known(self.phone.position.marks, feed)
            page = pull(reader, self.phone.position, feed.heads(counters), self.dice.randint(1, 6), feed)
        if self.stop.is_set() or self.dice.random() < 0.8:
            self.phone.apply(replace(page, served=[replace(one, body=shown(one.body)) for one in page.served]))
        self.pages += 1
        return page

    def losses(self, store: SqlStore) -> Losses:
        """What the phone holds against what is stored in its scopes."""
        stored = rows(store, Entity.id, Entity.scope, Entity.rev, Entity.dead)
        truth = {
            ident: Body(scope, rev, "") for ident, scope, rev, dead in stored if scope in self.scopes and not dead
        }
        held = {ident: body for (_, ident), body in self.phone.held.items()}
        both = truth.keys() & held.keys()
        return Losses(
            truth.keys() - held.keys(), held.keys() - truth.keys(), {one for one in both if truth[one] != held[one]}
        )


def shown(fragment: orjson.Fragment) -> Body:
    body = orjson.loads(orjson.dumps(fragment))
    return Body(body["scope"], body["revision"], "")


def test_readers_of_the_feed_miss_nothing_where_other_cursors_do(store: SqlStore) -> None:
    homes = {ident: OTHER if ident == FAR else ONE for ident in ENTITIES}
    living = [version(ident, scope, 1) for ident, scope in homes.items()]
    write(
        store,
        changes(entities=living, touched={to_touched(*home, here=True) for home in homes.items()}),
        (HERE, THERE),
    )
    engine = store._engine
    office = Office(store, Naive(engine))
    naive = [NaiveReader(engine, column) for column in ("n", "t")]
    everything = (ONE, TWO, OTHER)
    phones = [
        FeedReader(engine, 1, [ONE]),
        FeedReader(engine, 2, everything),
        FeedReader(engine, 3, [TWO], everything, [OTHER, TWO]),
    ]
    for reader in (*naive, *phones):
        reader.start()
    try:
        with ThreadPoolExecutor(WRITERS) as pool:
            committed = office.overtaken(naive).union(*pool.map(office.work, range(WRITERS), timeout=WAIT))
    finally:
        for reader in (*naive, *phones):
            reader.stop.set()
            reader.join(WAIT)

    lost = {reader.query.text: committed - reader.seen for reader in naive}
    assert all("slow" in missing for missing in lost.values()), lost
    assert [phone.losses(store) for phone in phones] == [Losses()] * len(phones)
    assert all(phone.pages > 10 for phone in phones)
