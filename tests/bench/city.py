"""`python -m tests.bench.city [sqlite] [postgresql]`: what a submission, the nightly plan and the lists cost as the
city grows, and how that compares with a bare endpoint in the same run. Both databases unless told.

`CHILDREN` (2000,20000,200000) are the sizes, `SECONDS` (4) how long each cell is measured. It writes
its sections of docs/benchmarks.md after each size; the machine's speed matters to everything there but the shares.
"""

import os
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import time_machine
from flask import Flask
from sqlalchemy import func, select, text

from server.clock import now
from server.reminders.jobs import run_lists, run_plan
from server.store.tables import Entity, ReminderLine, db
from sync.times import local_time
from tests.bench.__main__ import urls
from tests.bench.grow import grow
from tests.bench.load import BATCHES, KINDS, SPREADS, Rate, bodies, push, submissions
from tests.bench.page import PAGE, conditions, put, wrapped
from tests.bench.stored import stored
from tests.databases import DATABASES, application, close, migrate
from tests.e2e.server import Server

SIZES = [int(size) for size in os.environ.get("CHILDREN", "2000,20000,200000").split(",")]
SECONDS = float(os.environ.get("SECONDS", "4"))
MOST = 6_000  # submissions made for a cell
AIMS = {"postgresql": 0.40, "sqlite": 0.30}  # share of the bare endpoint's rate, in batches of 100
TITLES = {name: f"## Submissions, plans and lists: {name}" for name in DATABASES}


@dataclass
class Night:
    """Planning and issuing for one size, each twice: what was changed first, and a night on which nothing is."""

    children: int
    plan: float
    replan: float
    lists: float
    lines: int
    memory: int  # MB at most, of the process that did it


@dataclass
class Found:
    """All that was measured on one database: rates by (children, kind, spread, batch, path), nights."""

    database: str
    version: str = ""
    rates: dict[tuple[int, str, str, int, str], Rate] = field(default_factory=dict)
    nights: list[Night] = field(default_factory=list)


def main(names: Sequence[str]) -> int:
    if unknown := sorted(set(names) - set(DATABASES)):
        print(f"no database is called {', '.join(unknown)}; there are {', '.join(DATABASES)}")
        return 1
    for name in names or DATABASES:
        measure(name, lambda found: put(PAGE, TITLES[found.database], lines(found)))
    return 0


def measure(database: str, tell: Callable[[Found], None]) -> Found:
    """Measure one kind of database; `tell` hears of what is found after each size, as a large one takes long."""
    found = Found(database)
    with tempfile.TemporaryDirectory(prefix="toam-bench-") as folder, urls(database, Path(folder)) as new_url:
        for size in SIZES:
            data, url = Path(folder) / str(size), new_url()
            app = application(data, url)
            migrate(app)
            begun = time.perf_counter()
            tokens = grow(app, size)
            print(f"{database}: {size:,} children, made in {time.perf_counter() - begun:.0f} s", flush=True)
            with app.app_context():
                found.version = _version()
                stored.create(db.engine)
            close(app)
            with Server(data, url, "tests.bench.bare:app") as server:
                server.start()
                for kind, spread, batch in ((k, s, b) for k in KINDS for s in SPREADS for b in BATCHES):
                    cell(found, app, server.port, tokens, size, kind, spread, batch)
            found.nights.append(night(app, size))
            print(f"  {found.nights[-1]}", flush=True)
            close(app)
            tell(found)
    return found


def cell(
    found: Found, app: Flask, port: int, tokens: Mapping[str, str], size: int, kind: str, spread: str, batch: int
) -> None:
    """The full path and the bare endpoint with the same bodies, one right after the other."""
    some = submissions(app, kind, spread, MOST if batch > 1 else MOST // 2)
    close(app)
    for path, again in (("/api/v1/sync", False), ("/bench/bare", True)):
        rate = push(port, tokens, bodies(some, batch, path), SECONDS, again)
        found.rates[size, kind, spread, batch, path] = rate
    full, bare = (found.rates[size, kind, spread, batch, path] for path in ("/api/v1/sync", "/bench/bare"))
    share = f"{full.rate / bare.rate:.0%}"
    what = f"  {kind:<12}{spread:<7}{batch:>4}: {full.rate:>7.0f}/s, p95 {full.p95 * 1e3:>5.0f} ms"
    print(
        f"{what}; bare {bare.rate:>7.0f}/s, p95 {bare.p95 * 1e3:>5.0f} ms; {share} ({full.items} items)", flush=True
    )


def night(app: Flask, size: int) -> Night:
    """Three months later everything is due: a plan that changes what it must, one that changes nothing, the lists."""
    times = []
    Path("/proc/self/clear_refs").write_text("5")  # what was taken before does not count
    with time_machine.travel(local_time(now()) + timedelta(days=80), tick=True), app.app_context():
        for work in (run_plan, run_plan, run_lists):
            begun = time.perf_counter()
            work()
            times.append(time.perf_counter() - begun)
        db.session.rollback()
        lines = db.session.scalar(select(func.count()).select_from(ReminderLine)) or 0
        children = db.session.scalar(select(func.count()).where(Entity.type == "child")) or size
    peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
    memory = int(peak.split()[1]) // 1024
    return Night(children, times[0], times[1], times[2], lines, memory)


def _version() -> str:
    if db.engine.dialect.name == "sqlite":
        return f"SQLite {sqlite3.sqlite_version}"
    with db.engine.connect() as connection:
        return f"PostgreSQL {connection.scalar(text('show server_version'))}"


def lines(found: Found) -> list[str]:
    """The section: how it was measured, and every figure."""
    about = (
        "`make bench`, or a small one with `make bench CHILDREN=2000`. Machines differ, and so do their days: "
        "compare the shares, not the rates. The bare endpoint takes the same batches (token, digest, gunzip, gate) "
        "and stores each item by one upsert; nothing is merged or planned. Eight phones push without a pause, on the "
        "machine that serves them; `hot`: all into one ward. A plan is made eighty days later, when all is due, and "
        "again."
    )
    told = [
        *wrapped(about),
        "",
        conditions(found.version, f"{SECONDS:g} s for each figure"),
        "",
    ]
    return [*told, *_rates(found), "", *_growth(found), "", *_nights(found)]


def _rates(found: Found) -> list[str]:
    told = [
        "| children | submissions | where | batch | per s | p95 ms | bare per s | p95 ms | share |",
        "|--:|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for (size, kind, spread, batch, path), full in sorted(found.rates.items(), key=lambda rate: rate[0][0]):
        if path != "/bench/bare":
            bare = found.rates[size, kind, spread, batch, "/bench/bare"]
            figures = f"{full.rate:.0f} | {full.p95 * 1e3:.0f} | {bare.rate:.0f} | {bare.p95 * 1e3:.0f}"
            told.append(f"| {size:,} | {kind} | {spread} | {batch} | {figures} | {full.rate / bare.rate:.0%} |")
    return told


def _growth(found: Found) -> list[str]:
    """Whether the aim is met, and what a submission costs on the largest database against the smallest."""
    shares = [
        full.rate / found.rates[size, kind, spread, batch, "/bench/bare"].rate
        for (size, kind, spread, batch, path), full in found.rates.items()
        if batch == 100 and path != "/bench/bare"
    ]
    aim = AIMS[found.database]
    told = [f"Batches of 100: {min(shares):.0%} to {max(shares):.0%} of the bare endpoint; the aim is {aim:.0%}."]
    sizes = {key[0] for key in found.rates}
    small, large = min(sizes), max(sizes)
    if small != large:
        costs = []
        for kind in KINDS:
            one, other = (
                found.rates[size, kind, "spread", 100, "/bench/bare"].rate
                / found.rates[size, kind, "spread", 100, "/api/v1/sync"].rate
                for size in (small, large)
            )
            costs.append(f"{kind} {other / one:.2f}")
        told.append(
            f"Cost of a submission, in bare ones, with {large:,} children against {small:,}: {', '.join(costs)}."
        )
    return told


def _nights(found: Found) -> list[str]:
    told = [
        "| children | plan, s | again, s | ms a child | lists, s | lines | memory, MB |",
        "|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for one in sorted(found.nights, key=lambda night: night.children):
        each = one.replan / one.children * 1e3
        figures = f"{one.plan:.1f} | {one.replan:.1f} | {each:.2f} | {one.lists:.1f} | {one.lines:,} | {one.memory}"
        told.append(f"| {one.children:,} | {figures} |")
    return told


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
