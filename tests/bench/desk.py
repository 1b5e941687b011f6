"""`python -m tests.bench.desk [sqlite] [postgresql]`: what an officer's pages cost as the city grows.

SQLite unless told. `CHILDREN` (40000,200000) are the sizes, `ROUNDS` (40) how often each page is asked for. It writes
its section of docs/benchmarks.md. Times are those of the application alone, in one process: statements,
words, HTML, compression.
"""

import os
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, func, insert, select, update

from server.auth.tokens import mint
from server.clock import now
from server.reading.board import GRAVE
from server.store.base import table
from server.store.people import add_user, assign
from server.store.tables import ConflictTable, Entity, NoticeTable, OpTable, Submission, SubmissionState, db
from server.world import current_nest
from sync.arrival import Sender
from sync.authority import Role
from sync.envelope import RawItem
from sync.receive import receive
from sync.times import DAY, local_date
from tests.api.builders import claim, item, situation
from tests.bench.__main__ import urls
from tests.bench.grow import PEOPLE, grow
from tests.bench.page import PAGE, conditions, put
from tests.databases import DATABASES, application, close, migrate

SIZES = [int(size) for size in os.environ.get("CHILDREN", "40000,200000").split(",")]
ROUNDS = int(os.environ.get("ROUNDS", "40"))
WANTED = 20_000  # children in the area, or as near to it from above as there is a ward
AIM, MOST_BYTES = 0.050, 150_000  # s at the 95th percentile, bytes of a first view as they travel
EVERY = 100  # one child in so many has an open conflict, one submission a closed one, a notice, or is held
TITLE = "## The officers' desk"
OFFICER, NAME = "officer", "Trần Gia Ân"


@dataclass(frozen=True)
class Cost:
    """What one page costs: seconds each time it was asked for, those of the CPU, statements, bytes of HTML."""

    times: Sequence[float]
    cpu: Sequence[float]
    statements: int
    size: int

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[18]


@dataclass(frozen=True)
class Measured:
    """One size on one database: children in all and in the officer's area, costs by page, bytes of a first view."""

    database: str
    children: int
    here: int
    costs: dict[str, Cost]
    first: int


def main(names: Sequence[str]) -> int:
    if strange(names):
        return 1
    write(PAGE, [one for name in names or DATABASES[:1] for one in measure(name, SIZES, ROUNDS)])
    return 0


def strange(names: Sequence[str]) -> bool:
    """Whether a database is asked for that is none, and says so."""
    unknown = sorted(set(names) - set(DATABASES))
    if unknown:
        print(f"no database is called {', '.join(unknown)}; there are {', '.join(DATABASES)}")
    return bool(unknown)


def measure(database: str, sizes: Sequence[int], rounds: int) -> Iterator[Measured]:
    """Every page on every size."""
    with tempfile.TemporaryDirectory(prefix="toam-bench-") as folder, urls(database, Path(folder)) as new_url:
        for size in sizes:
            app = application(Path(folder) / str(size), new_url())
            migrate(app)
            grow(app, size)
            area, here = busy(app)
            found = Measured(database, size, here, *costs(app, area, rounds))
            for line in lines([found]):
                print(line, flush=True)
            close(app)
            yield found


def busy(app: Flask) -> tuple[str, int]:
    """An officer with a full desk in a ward of about as many children as an area has; (area, children there)."""
    with app.app_context():
        counted = select(Entity.area, func.count()).where(Entity.type == "child").group_by(Entity.area)
        by_area: dict[str, int] = {area: number for area, number in db.session.execute(counted)}  # noqa: C416
        enough = [area for area, number in by_area.items() if number >= WANTED]
        area = min(enough, key=lambda one: by_area[one]) if enough else max(by_area, key=lambda one: by_area[one])
        add_user(OFFICER, "Cán bộ", Role.SUPERVISOR)
        assign(OFFICER, area, None, local_date(now() - DAY))
        db.session.commit()
        _quarrel(area)
        with db.engine.begin() as connection:
            _doubts(connection, area)
            _spread(connection)
            if db.engine.dialect.name == "postgresql":
                connection.exec_driver_sql("analyze")
    return area, by_area[area]


def _quarrel(area: str) -> None:
    """A conflict that is one: two people give a child another name, neither having seen the other."""
    nest = current_nest()
    where = Entity.type == "child", Entity.area == area
    child = db.session.scalars(select(Entity).where(*where).order_by(Entity.id).limit(1)).one()
    seen = claim("child", child.id, f"{child.rev}-{child.etag}", orjson.loads(child.data))
    answers = [situation(child.id, f"{NAME} {number}") for number in (1, 2)]
    values = [item("child_situation", one, seen) for one in answers]
    db.session.rollback()
    for who, value in zip(PEOPLE, values, strict=False):
        sender = Sender(who, None, frozenset({who}), now() - 30 * DAY)
        raw = RawItem(orjson.dumps(value), value, None)
        receive([nest.reader.read(raw, sender, None, now())], nest.store, nest.world, now())


def _doubts(connection: Any, area: str) -> None:
    """Conflicts, notices and held submissions about every so many: rows alone, for the lists."""
    where = Entity.type == "child", Entity.dead.is_(False)
    rows = connection.execute(select(Entity.id, Entity.area).where(*where).order_by(Entity.id)).all()[::EVERY]
    cells = (*GRAVE[:3], "ethnicity", "disability_degree")
    conflicts = [
        {
            "id": f"{number:023d}{kind}", "area": row.area, "entity": row.id, "cell": cells[number % len(cells)],
            "members": orjson.dumps([]), "open": kind == "o", "opened_at": now() - number * 60_000,
            "resolved_by": None, "also": None, "closed_at": None if kind == "o" else now(),
        }
        for number, row in enumerate(rows)
        for kind in "oc"
    ]  # fmt: skip
    connection.execute(insert(table(ConflictTable)), conflicts)
    chosen = select(OpTable.entity, OpTable.sub).where(OpTable.entity.in_([row.id for row in rows[:5_000]]))
    ops = connection.execute(chosen.order_by(OpTable.entity, OpTable.arrived.desc())).all()
    told = {op.entity: op.sub for op in ops}
    notices = [
        {"entity": entity, "cell": "risk_now", "sub": sub, "kind": "overruled", "by_sub": sub}
        for entity, sub in told.items()
    ]
    connection.execute(insert(table(NoticeTable)), notices)
    held = list(told.values())[::4]
    state = update(SubmissionState).where(SubmissionState.sub.in_(held))
    connection.execute(state.values(state="quarantined", reason="bad_value"))


def _spread(connection: Any) -> None:
    """What was received in one go is spread over half a year, by the beginning of its id."""
    for number, digit in enumerate("0123456789abcdef"):
        for model, ident in ((Submission, Submission.id), (SubmissionState, SubmissionState.sub)):
            moved = update(table(model)).where(ident.like(f"uuid:{digit}%"))
            connection.execute(moved.values(received_at=table(model).c.received_at - number * 12 * DAY))


def costs(app: Flask, area: str, rounds: int) -> tuple[dict[str, Cost], int]:
    """Every page as the officer gets it; and what a first view of the desk loads."""
    client = app.test_client()
    with app.app_context():
        token = mint(db.session.connection(), OFFICER, None, now(), now() + DAY)
        db.session.commit()
        where = Entity.type == "child", Entity.area == area
        child = db.session.scalars(select(Entity.id).where(*where).order_by(Entity.id).limit(1)).one()
        quarrel = select(ConflictTable.id).where(ConflictTable.entity == child, ConflictTable.cell == "full_name")
        conflict = db.session.scalars(quarrel.where(func.length(ConflictTable.members) > 5)).one()
        db.session.rollback()
    with client.session_transaction() as session:
        session["token"] = token
    secret = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk/account").text)
    assert secret is not None
    searched = {"csrf_token": secret[1], "q": "gia an"}
    pages: dict[str, Callable[[], Any]] = {
        "desk": lambda: client.get("/desk", headers=ZIPPED),
        "submissions": lambda: client.get("/desk/submissions", headers=ZIPPED),
        "conflicts": lambda: client.get("/desk/conflicts", headers=ZIPPED),
        "overruled": lambda: client.get("/desk/conflicts?tab=rules", headers=ZIPPED),
        "one conflict": lambda: client.get(f"/desk/conflicts/{conflict}", headers=ZIPPED),
        "quarantine": lambda: client.get("/desk/quarantine", headers=ZIPPED),
        "child": lambda: client.get(f"/desk/child/{child}", headers=ZIPPED),
        "register": lambda: client.get("/desk/find", headers=ZIPPED),
        "search": lambda: client.post("/desk/find", data=searched, headers=ZIPPED),
    }
    return {name: _cost(app, ask, rounds) for name, ask in pages.items()}, first_view(client)


ZIPPED = {"Accept-Encoding": "gzip"}


def _cost(app: Flask, ask: Callable[[], Any], rounds: int) -> Cost:
    with counted(app) as statements:
        answer = ask()
    assert answer.status_code == 200, answer.status_code
    times, cpu = [], []
    for _ in range(max(rounds, 2)):
        begun, used = time.perf_counter(), time.process_time()
        ask()
        times.append(time.perf_counter() - begun)
        cpu.append(time.process_time() - used)
    return Cost(times, cpu, len(statements), len(answer.get_data()))


@contextmanager
def counted(app: Flask) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    seen: list[str] = []
    with app.app_context():
        engine = db.engine

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def first_view(client: FlaskClient) -> int:
    """The bytes of the desk's page with its sheets and scripts, as they travel."""
    page = client.get("/desk", headers=ZIPPED)
    plain = client.get("/desk").text
    parts = re.findall(r'(?:href|src)="(/static/[^"]+)"', plain)
    answers = [page, *(client.get(part, headers=ZIPPED) for part in parts)]
    size = sum(len(answer.get_data()) for answer in answers)
    for answer in answers:
        answer.close()
    return size


def lines(found: Sequence[Measured]) -> list[str]:
    """The section: a table for each size, and whether the aims are met."""
    told = []
    for one in found:
        worst = max(cost.p95 for cost in one.costs.values())
        told += [
            f"**{one.database}**, {one.children:,} children, {one.here:,} of them in the officer's area:",
            "",
            "| page | median ms | p95 ms | CPU ms | statements | KB |",
            "|---|--:|--:|--:|--:|--:|",
            *(_row(name, cost) for name, cost in one.costs.items()),
            "",
            f"Slowest at p95: {worst * 1e3:.0f} ms; the aim is {AIM * 1e3:.0f} ms. A first view travels as"
            f" {one.first / 1e3:.0f} KB; the aim is {MOST_BYTES / 1e3:.0f} KB.",
            "",
        ]
    return told


def _row(name: str, cost: Cost) -> str:
    median, cpu = statistics.median(cost.times), statistics.median(cost.cpu)
    figures = f"{median * 1e3:.0f} | {cost.p95 * 1e3:.0f} | {cpu * 1e3:.0f} | {cost.statements}"
    return f"| {name} | {figures} | {cost.size / 1e3:.0f} |"


def write(path: Path, found: Sequence[Measured]) -> None:
    about = (
        "What the application needs for a page, in one process and without the network: median and 95th percentile",
        f"of {ROUNDS} times each, statements to the database, bytes as they travel. One child in {EVERY} has an open",
        "conflict. To measure again: `python -m tests.bench.desk`.",
    )
    put(path, TITLE, [*about, "", conditions(), "", *lines(found)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
