"""What the benchmark measures: pulls as a phone makes them, through the whole server except the network."""

import gzip
import random
import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import orjson

from server.store.tables import db
from sync.ports import Changes, Touched
from tests.bench.village import AREA, Village, some

DELTA = 20  # entities that changed since the last pull
URL = "/api/v1/sync/pull"


class Broken(Exception):
    """A pull did not tell what it must, or took more requests than it may."""


@dataclass(frozen=True)
class Pull:
    """A whole pull: its requests, what it told, how long it took (s), how much came (bytes), and the token after."""

    requests: int
    entities: int
    seconds: float
    raw: int
    zipped: int
    token: str


def pull(village: Village, person: str, token: str | None, limit: int) -> Pull:
    """Pull to the end."""
    client, more = village.app.test_client(), True
    headers = {"Authorization": f"Bearer {village.tokens[person]}", "Accept-Encoding": "gzip"}
    requests = entities = raw = zipped = 0
    seconds = 0.0
    while more:
        begun = time.perf_counter()
        answer = client.post(URL, json={"token": token, "limit": limit}, headers=headers)
        seconds += time.perf_counter() - begun
        if answer.status_code != 200:
            raise Broken(f"{answer.status_code}: {answer.text}")
        packed = answer.get_data()
        body = gzip.decompress(packed) if answer.headers.get("Content-Encoding") == "gzip" else packed
        page = orjson.loads(body)["page"]
        token, more = page["token"], page["more"]
        requests, entities = requests + 1, entities + len(page["entities"])
        raw, zipped = raw + len(body), zipped + len(packed)
    return Pull(requests, entities, seconds, raw, zipped, str(token))


def first_pull(village: Village, person: str, limit: int) -> Pull:
    """All that a person reads, on a phone that holds nothing; one request for each page, or one more."""
    village.phone(person)
    found = pull(village, person, None, limit)
    expected = sum(len(ids) for ids in village.read_by(person).values())
    if found.entities != expected:
        raise Broken(f"{person}: {found.entities} entities instead of {expected}")
    if found.requests > expected / limit + 1:
        raise Broken(f"{person}: {found.requests} requests for {expected} entities")
    return found


def change(village: Village, person: str, dice: random.Random) -> None:
    """Somebody changes `DELTA` entities that this person reads."""
    with village.app.app_context():
        nest = village.app.extensions["toam"]
        touched = {Touched(AREA, scope, "entity", ident) for scope, ident in some(village, person, DELTA, dice)}
        with nest.store.transaction([AREA]) as tx:
            tx.write(Changes(touched=touched))
        db.session.remove()


def deltas(
    villages: Sequence[Village], person: str, tokens: dict[int, str], rounds: int
) -> Mapping[int, list[float]]:
    """By size: how long the pull of a small change took, in each round. Each round asks every size, in another order.

    `tokens` are those of phones that hold everything, before and after.
    """
    dice = random.Random(7)
    for village in villages:
        tokens[village.size] = pull(village, person, tokens[village.size], 500).token
    found: dict[int, list[float]] = {village.size: [] for village in villages}
    for _ in range(rounds):
        for village in dice.sample(villages, len(villages)):
            change(village, person, dice)
            told = pull(village, person, tokens[village.size], 200)
            if (told.requests, told.entities) != (1, DELTA):
                raise Broken(
                    f"{person}: {told.entities} entities in {told.requests} requests instead of {DELTA} in 1"
                )
            tokens[village.size] = told.token
            found[village.size].append(told.seconds)
    return found


def ratio(times: Mapping[int, list[float]]) -> float:
    """How much longer the largest database takes than the smallest: the median over the rounds."""
    small, large = times[min(times)], times[max(times)]
    return statistics.median(b / a for a, b in zip(small, large, strict=True))
