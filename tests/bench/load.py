"""Phones that push as fast as they can: bodies made before, clients that wait for each answer, times of requests."""

import base64
import gzip
import hashlib
import http.client
import statistics
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from flask import Flask
from sqlalchemy import select

from server.store.tables import Entity, db
from tests.api.builders import claim, item, situation
from tests.bench.grow import HOT, PEOPLE, new_home

KINDS = ("new", "updating", "conflicting")
BATCHES = (1, 10, 100)
SPREADS = ("spread", "hot")
NAMES = ("Trần Gia Bảo", "Trần Gia Huy", "Trần Gia Khang", "Trần Gia Phúc", "Trần Gia Vinh")


@dataclass(frozen=True)
class Body:
    """One request of a user."""

    user: str
    path: str
    data: bytes
    items: int

    @property
    def headers(self) -> dict[str, str]:
        digest = base64.b64encode(hashlib.sha256(self.data).digest()).decode()
        return {
            "Content-Encoding": "gzip",
            "Content-Digest": f"sha-256=:{digest}:",
            "Content-Type": "application/json",
        }


@dataclass(frozen=True)
class Rate:
    """What came of it: submissions, seconds in all, and of each request."""

    items: int
    seconds: float
    times: Sequence[float]

    @property
    def rate(self) -> float:
        return self.items / self.seconds

    @property
    def p95(self) -> float:
        return statistics.quantiles(self.times, n=20)[-1] if len(self.times) > 1 else self.times[0]


def submissions(app: Flask, kind: str, spread: str, most: int) -> list[dict[str, Any]]:
    """Up to `most` submissions that fit the database as it is now, each about another child; authors take turns."""
    if kind == "new":
        numbers = [2 * number + 1 if spread == "hot" else number for number in range(most)]
        return [new_home(number, PEOPLE[turn % len(PEOPLE)]) for turn, number in enumerate(numbers)]
    with app.app_context():
        query = select(Entity).where(Entity.type == "child").order_by(Entity.id)
        query = query.where(Entity.area == f"2025.{HOT[0]}") if spread == "hot" else query
        half = [
            one
            for one in db.session.scalars(query.limit(4 * most))
            if (int(one.id[-1], 16) < 8) == (kind == "updating")
        ]
        found = [_visit(kind, turn, one) for turn, one in enumerate(half[:most])]
        db.session.remove()
    return found


def _visit(kind: str, turn: int, child: Entity) -> dict[str, Any]:
    seen, author = orjson.loads(child.data), PEOPLE[turn % len(PEOPLE)]
    if kind == "updating":
        about = claim("child", child.id, f"{child.rev}-{child.etag}", seen)
        said = situation(child.id, seen["full_name"], school_name=f"Trường số {turn % 50}", grade=1 + turn % 5)
    else:
        about = claim("child", child.id, "0-", {})
        said = situation(child.id, NAMES[(child.rev + turn) % len(NAMES)], school_name="Trường Ngã Ba")
    return item("child_situation", said, about, author=author)


def bodies(found: Sequence[Mapping[str, Any]], size: int, path: str) -> dict[str, list[Body]]:
    """By user: requests with so many submissions each; what does not fill one is left out, unless nothing does."""
    made: dict[str, list[Body]] = {}
    for who in PEOPLE:
        mine = [one for one in found if one["author"] == who]
        groups = [mine[at : at + size] for at in range(0, len(mine), size)]
        full = [group for group in groups if len(group) == size] or groups[:1]
        made[who] = [Body(who, path, _packed(group), len(group)) for group in full if group]
    return made


def _packed(items: Sequence[Mapping[str, Any]]) -> bytes:
    return gzip.compress(orjson.dumps({"v": 1, "app": "1.0.0", "items": list(items)}), compresslevel=3)


def push(
    port: int, tokens: Mapping[str, str], work: Mapping[str, Sequence[Body]], seconds: float, again: bool
) -> Rate:
    """All users at once, until their bodies are used up (or, `again`, from the first one) or the time is over."""
    times: list[float] = []
    done = [0] * len(work)
    end = time.perf_counter() + seconds
    begun = time.perf_counter()

    def live(index: int, who: str) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        for body in _supply(work[who], again):
            if time.perf_counter() > end:
                break
            sent = time.perf_counter()
            connection.request(
                "POST", body.path, body.data, body.headers | {"Authorization": f"Bearer {tokens[who]}"}
            )
            answer = connection.getresponse()
            said = answer.read()
            times.append(time.perf_counter() - sent)
            assert answer.status == 200, said[:500]
            outcomes = {receipt.get("outcome", "applied") for receipt in orjson.loads(said)["receipts"]}
            assert outcomes <= {"applied", "merged", "conflict"}, said[:500]
            done[index] += body.items
        connection.close()

    threads = [threading.Thread(target=live, args=(index, who)) for index, who in enumerate(work)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Rate(sum(done), time.perf_counter() - begun, times)


def _supply(some: Sequence[Body], again: bool) -> Iterator[Body]:
    while some:
        yield from some
        if not again:
            return
