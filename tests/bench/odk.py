"""`python -m tests.bench.odk [sqlite] [postgresql]`: what ODK Collect costs. SQLite unless told.

Single submissions as multipart over eight connections, merged and planned before the 201, beside a route of the same
server that only takes the body apart; the list of children when nothing changed, and when one child did. `CHILDREN`
(2000,20000) are the sizes, `SECONDS` (4) how long each rate is measured. It writes
its section of docs/benchmarks.md. Exit 1 if a submission was not taken in.
"""

import http.client
import os
import statistics
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import orjson
from flask import Flask
from sqlalchemy import select

from server.store.tables import Entity, db
from tests.api.builders import as_xml, situation
from tests.bench.__main__ import urls
from tests.bench.grow import PEOPLE, grow
from tests.bench.load import Rate
from tests.bench.page import PAGE, conditions, put, wrapped
from tests.databases import DATABASES, application, close, migrate
from tests.e2e.server import Server
from tests.openrosa.phone import BOUNDARY, multipart

SIZES = [int(size) for size in os.environ.get("CHILDREN", "2000,20000").split(",")]
SECONDS = float(os.environ.get("SECONDS", "4"))
HEADERS = {"X-OpenRosa-Version": "1.0", "Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
MOST, ROUNDS = 2_000, 20
TITLE = "## ODK Collect"


def main(names: Sequence[str]) -> int:
    if unknown := sorted(set(names) - set(DATABASES)):
        print(f"no database is called {', '.join(unknown)}; there are {', '.join(DATABASES)}")
        return 1
    put(PAGE, TITLE, lines([measure(name, size) for name in names or DATABASES[:1] for size in SIZES]))
    return 0


@dataclass(frozen=True)
class Collected:
    """What was measured on one database with so many children; a list has `rows`."""

    database: str
    children: int
    full: Rate
    apart: Rate
    rows: int
    same: float
    changed: float


def measure(database: str, size: int) -> Collected:
    with tempfile.TemporaryDirectory(prefix="toam-bench-") as folder, urls(database, Path(folder)) as new_url:
        data, url = Path(folder) / "data", new_url()
        app = application(data, url)
        migrate(app)
        tokens = grow(app, size)
        work = bodies(app, MOST)
        close(app)
        with Server(data, url, "tests.bench.bare:app") as server:
            server.start()
            bare = post(server.port, tokens, work, lambda token: "/bench/multipart", again=True)
            full = post(server.port, tokens, work, lambda token: f"/odk/{token}/submission", again=False)
        same, changed, rows = lists(app, tokens)
        close(app)
    found = Collected(database, size, full, bare, rows, same, changed)
    print(found, flush=True)
    return found


def lines(found: Sequence[Collected]) -> list[str]:
    """The section: how it was measured, and every figure."""
    about = (
        "As eight phones with ODK Collect send their forms, each merged and planned before its 201; `apart`: a route "
        "that only takes the body apart. A list as a phone fetches it: unchanged (304), and with one child changed. "
        "To measure again: `python -m tests.bench.odk sqlite postgresql`."
    )
    told = [
        *wrapped(about),
        "",
        conditions(f"{SECONDS:g} s for each rate"),
        "",
        "| database | children | submissions/s | p95 ms | apart /s | share | rows | 304 ms | changed list ms |",
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for one in found:
        rates = f"{one.full.rate:.0f} | {one.full.p95 * 1e3:.0f} | {one.apart.rate:.0f}"
        share = f"{one.full.rate / one.apart.rate:.0%}"
        times = f"{one.rows:,} | {one.same * 1e3:.1f} | {one.changed * 1e3:.1f}"
        told.append(f"| {one.database} | {one.children:,} | {rates} | {share} | {times} |")
    aims = "50% of taking apart, 304 in 5 ms, changed lists of 2,000 children in 40 ms and of 20,000 in 250 ms"
    return [*told, "", f"Aims: {aims}."]


def bodies(app: Flask, most: int) -> Mapping[str, Sequence[bytes]]:
    """By user: visits, each to another child, as the phone with the present list sends them."""
    made: dict[str, list[bytes]] = {who: [] for who in PEOPLE}
    form = app.extensions["toam"].catalogue.current_of("child_situation")
    with app.app_context():
        children = db.session.scalars(select(Entity).where(Entity.type == "child").order_by(Entity.id).limit(most))
        for turn, child in enumerate(children):
            answers = situation(child.id, orjson.loads(child.data)["full_name"], school_name=f"Trường {turn % 50}")
            element = {"dataset": "child", "id": child.id, "update": "1", "baseVersion": str(child.rev)}
            meta = f"<instanceID>uuid:{uuid.uuid4()}</instanceID></meta>"
            xml = as_xml(form, answers, element).replace("</meta>", meta)
            made[PEOPLE[turn % len(PEOPLE)]].append(multipart(xml.encode(), {}))
        db.session.remove()
    return made


def post(
    port: int,
    tokens: Mapping[str, str],
    work: Mapping[str, Sequence[bytes]],
    path: Callable[[str], str],
    again: bool,
) -> Rate:
    """All users at once, each over one connection, until the time is over (or, not `again`, the bodies used up)."""
    times: list[float] = []
    end = time.perf_counter() + SECONDS
    begun = time.perf_counter()

    def live(who: str) -> None:
        connection, supply = http.client.HTTPConnection("127.0.0.1", port, timeout=120), list(work[who])
        while supply and time.perf_counter() < end:
            body = supply[len(times) % len(supply)] if again else supply.pop()
            sent = time.perf_counter()
            connection.request("POST", path(tokens[who]), body, HEADERS)
            answer = connection.getresponse()
            said = answer.read()
            assert answer.status == 201, said[:500]
            assert again or b"full submission" in said, said[:500]
            times.append(time.perf_counter() - sent)
        connection.close()

    threads = [threading.Thread(target=live, args=(who,)) for who in work]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Rate(len(times), time.perf_counter() - begun, times)


def lists(app: Flask, tokens: Mapping[str, str]) -> tuple[float, float, int]:
    """Seconds (median) of a 304 and of a list in which one child has changed, and how many rows it has."""
    client, token = app.test_client(), tokens[PEOPLE[0]]
    path, headers = f"/odk/{token}/lists/child.csv", {"X-OpenRosa-Version": "1.0"}
    answer = client.get(path, headers=headers)
    rows, own, same, changed = (
        answer.data.count(b"\n") - 1,
        bodies(app, MOST)[PEOPLE[0]],
        list[float](),
        list[float](),
    )
    for number in range(min(ROUNDS, len(own))):
        begun = time.perf_counter()
        again = client.get(path, headers=headers | {"If-None-Match": answer.headers["ETag"]})
        same.append(time.perf_counter() - begun)
        assert again.status_code == 304
        assert client.post(f"/odk/{token}/submission", data=own[number], headers=HEADERS).status_code == 201
        begun = time.perf_counter()
        answer = client.get(path, headers=headers | {"If-None-Match": answer.headers["ETag"]})
        changed.append(time.perf_counter() - begun)
        assert answer.status_code == 200
    return statistics.median(same), statistics.median(changed), rows


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
