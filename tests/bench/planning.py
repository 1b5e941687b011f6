"""`python -m tests.bench.planning [sqlite] [postgresql]`: what a scheduler's pages cost in a large area.

SQLite unless told. `CHILDREN` (40000: 20,000 of them in the area) are the sizes, `ROUNDS` (40) how often each page is
asked for. It puts its section at the end of docs/benchmarks.md. Open visits are spread over sixteen weeks, of which
two are over; each of eight collaborators has one hamlet.
"""

import os
import re
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import delete, func, select, update

from server.auth.tokens import mint
from server.clock import now
from server.console.planners import week_name
from server.reading.plan import next_week
from server.store.base import table
from server.store.people import add_user, assign
from server.store.tables import AssignmentTable, Entity, ReminderLine, ReminderList, Scope, VisitTable, db
from sync.authority import Role
from sync.times import DAY, end_of_day, local_date
from tests.bench.__main__ import urls
from tests.bench.desk import ROUNDS, ZIPPED, Cost, _cost, _row, strange
from tests.bench.grow import HOT, PEOPLE, grow
from tests.bench.page import PAGE, conditions, put
from tests.databases import DATABASES, application, close, migrate

SIZES = [int(size) for size in os.environ.get("CHILDREN", "40000").split(",")]
AREA, SCHEDULER = f"2025.{HOT[0]}", "scheduler-1"
TITLE = "## The scheduler's desk"
AIMS = {"board": 0.100, "board, after a change": 0.100, "result typed in": 0.050}  # s at the 95th percentile
ISSUE = 2.0  # s, for the week of an area
visit = table(VisitTable)


@dataclass(frozen=True)
class Measured:
    """One size on one database: children and open visits of the area, costs by page, seconds and lines of a week."""

    database: str
    here: int
    visits: int
    costs: dict[str, Cost]
    issued: float
    lines: int


def main(names: Sequence[str]) -> int:
    if strange(names):
        return 1
    write(PAGE, [one for name in names or DATABASES[:1] for one in measure(name, SIZES, ROUNDS)])
    return 0


def measure(database: str, sizes: Sequence[int], rounds: int) -> Iterator[Measured]:
    """Every page on every size."""
    with tempfile.TemporaryDirectory(prefix="toam-bench-") as folder, urls(database, Path(folder)) as new_url:
        for size in sizes:
            app = application(Path(folder) / str(size), new_url())
            migrate(app)
            grow(app, size)
            here, visits = planned(app)
            close(app)  # what was copied in one go is no longer read from the log of the database
            found = Measured(database, here, visits, *costs(app, rounds))
            print("\n".join(lines([found])), flush=True)
            close(app)
            yield found


def planned(app: Flask) -> tuple[int, int]:
    """An area with visits that are due, and a scheduler; (children, open visits due by this week)."""
    today = local_date(now())
    with app.app_context():
        add_user(SCHEDULER, "Người lập lịch", Role.SCHEDULER)
        db.session.execute(delete(AssignmentTable).where(AssignmentTable.area == AREA))
        for who, hamlet in zip(PEOPLE, HOT[1], strict=True):
            assign(who, AREA, hamlet, today - timedelta(days=30))
        assign(SCHEDULER, AREA, None, today - timedelta(days=30))
        db.session.commit()
        with db.engine.begin() as connection:
            for number, digit in enumerate("0123456789abcdef"):
                due = today + timedelta(days=7 * (number - 2))
                dates = {"earliest": due - timedelta(days=7), "due": due, "latest": due + timedelta(days=7)}
                moved = update(visit).where(visit.c.id.like(f"{digit}%"), visit.c.state == "open")
                connection.execute(moved.values(show_on=due, due_at=end_of_day(due), **dates))
        children = select(func.count()).where(Entity.area == AREA, Entity.type == "child")
        due_now = select(func.count()).where(visit.c.area == AREA, visit.c.state == "open", visit.c.due <= today)
        return db.session.scalar(children) or 0, db.session.scalar(due_now) or 0


def costs(app: Flask, rounds: int) -> tuple[dict[str, Cost], float, int]:
    """Every page as a scheduler gets it; the seconds in which next week's lists are issued, and their lines."""
    client = app.test_client()
    with app.app_context():
        token = mint(db.session.connection(), SCHEDULER, None, now(), now() + DAY)
        db.session.commit()
    with client.session_transaction() as session:
        session["token"] = token
    secret = re.search(r'name="csrf_token" value="([^"]+)"', client.get("/desk/account").text)
    assert secret is not None
    coming = next_week(local_date(now()))
    pages: dict[str, Callable[[], Any]] = {
        "board": lambda: client.get("/desk/plan", headers=ZIPPED),
        "board, next week": lambda: client.get(f"/desk/plan?week={week_name(coming)}", headers=ZIPPED),
        "board, one person": lambda: client.get(f"/desk/plan?collaborator={PEOPLE[0]}", headers=ZIPPED),
        "board, one hamlet": lambda: client.get(f"/desk/plan?hamlet={HOT[1][0]}", headers=ZIPPED),
    }
    found = {"board, first": _cost(app, lambda: _first(client), 3)}
    found |= {name: _cost(app, ask, rounds) for name, ask in pages.items()}
    found["board, after a change"] = _cost(app, _changed(app, client), rounds)
    asked = {"csrf_token": secret[1], "area": AREA, "kind": "weekly", "day": coming.isoformat()}
    begun = time.perf_counter()
    assert client.post("/desk/lists/issue", data=asked).status_code == 302
    issued = time.perf_counter() - begun
    with app.app_context():
        number = db.session.scalars(select(ReminderList.number).order_by(ReminderList.number)).first()
        count = db.session.scalar(select(func.count()).select_from(ReminderLine)) or 0
        free = db.session.scalars(
            select(ReminderLine.line)
            .where(ReminderLine.number == number, ReminderLine.carried.is_(False))
            .distinct()
            .order_by(ReminderLine.line)
        ).all()
    pages = {
        "lists": lambda: client.get(f"/desk/lists?day={coming.isoformat()}", headers=ZIPPED),
        "page to type into": lambda: client.get(f"/desk/lists/{number}/results", headers=ZIPPED),
        "result typed in": _typing(client, secret[1], str(number), free),
    }
    return found | {name: _cost(app, ask, rounds) for name, ask in pages.items()}, issued, count


def _first(client: FlaskClient) -> Any:
    """The board of a process that has counted nothing yet."""
    client.application.extensions["toam"].counted.clear()
    return client.get("/desk/plan", headers=ZIPPED)


def _changed(app: Flask, client: FlaskClient) -> Callable[[], Any]:
    """The board right after something has happened in one hamlet."""
    scope, here = table(Scope), f"{AREA}/{HOT[1][0]}"

    def one() -> Any:
        with app.app_context(), db.engine.begin() as connection:
            connection.execute(update(scope).where(scope.c.name == here).values(head=scope.c.head + 1))
        return client.get("/desk/plan", headers=ZIPPED)

    return one


def _typing(client: FlaskClient, secret: str, number: str, free: Sequence[int]) -> Callable[[], Any]:
    """Types in one line after the other; gives the answer, whose size is no page's."""
    today, at = local_date(now()).isoformat(), iter(range(10**6))

    def one() -> Any:
        line = str(free[next(at) % len(free)])
        row = {"csrf_token": secret, "line": line, "visit_result": "3", "made": today, "id": f"uuid:{uuid.uuid4()}"}
        answer = client.post(f"/desk/lists/{number}/results", data=row)
        assert answer.status_code == 302, answer.text
        answer.status_code = 200  # what every other page answers
        return answer

    return one


def lines(found: Sequence[Measured]) -> list[str]:
    """The section: a table for each size, and whether the aims are met."""
    told = []
    for one in found:
        aims = "; ".join(
            f"{name} {one.costs[name].p95 * 1e3:.0f} ms at p95, the aim is {aim * 1e3:.0f} ms"
            for name, aim in AIMS.items()
        )
        told += [
            f"**{one.database}**, {one.here:,} children in the area, {one.visits:,} open visits due or overdue:",
            "",
            "| page | median ms | p95 ms | CPU ms | statements | KB |",
            "|---|--:|--:|--:|--:|--:|",
            *(_row(name, cost) for name, cost in one.costs.items()),
            "",
            f"{aims}; the lists of a week ({one.lines:,} visits) issued in {one.issued:.1f} s,"
            f" the aim is {ISSUE:.0f} s.",
            "",
        ]
    return told


def write(path: Path, found: Sequence[Measured]) -> None:
    about = (
        "What the application needs for a scheduler's page, as above; open visits are spread over sixteen weeks, of",
        "which two are over. `first`: nothing is counted yet; `after a change`: one hamlet is counted anew.",
        "To measure again: `python -m tests.bench.planning`.",
    )
    put(path, TITLE, [*about, "", conditions(), "", *lines(found)])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
