"""What lies between a phone and the server: its clock, the way there, how it may fail, and how long to wait then."""

import gzip
import json
import random
import time
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import Enum
from hashlib import sha256
from typing import Any, Protocol

import requests

Value = dict[str, Any]

LOCAL = timezone(timedelta(hours=7))
TIMEOUT = 30  # seconds; a phone gives up and tries again later
LONGEST = 15 * 60  # seconds; nobody waits longer than this for one answer
TRIES = 6  # in a row; then the phone waits for the next time that it is asked to sync
BROKEN = ("bad_digest", "truncated", "bad_json", "bad_request")  # the bytes were damaged on the way


class NoAnswer(Exception):
    """The connection broke, or what came back is not from the server (as from a hotel's network)."""


class GaveUp(Exception):
    """No useful answer after some tries; `reason` is the last one's code, or `no_answer`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Answer:
    """What came back, inflated."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Transport(Protocol):
    """One request and its answer. Raises `NoAnswer`."""

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer: ...


class HttpTransport:
    """Over HTTP, as a phone does it."""

    def __init__(self, url: str, timeout: float = TIMEOUT) -> None:
        self.url, self.timeout = url.rstrip("/"), timeout

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            found = requests.request(
                method, self.url + path, headers=dict(headers), data=body, timeout=self.timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            raise NoAnswer(str(error)) from error
        return Answer(found.status_code, found.headers, found.content)


class Clock:
    """The clocks of a phone: a wall clock that people set, and a monotonic one that begins anew at each start.

    `now` and `mono` (ms) are what really passes; `skew` is how far the wall clock is off.
    """

    def __init__(
        self,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        mono: Callable[[], int] = lambda: time.monotonic_ns() // 1_000_000,
        sleep: Callable[[float], object] = time.sleep,
        skew: timedelta = timedelta(0),
    ) -> None:
        self._now, self._mono, self.sleep, self.skew = now, mono, sleep, skew
        self.restart()

    def wall(self) -> datetime:
        """What the phone shows, with its zone."""
        return (self._now() + self.skew).astimezone(LOCAL)

    def mono_ms(self) -> int:
        """Since the phone was started."""
        return self._mono() - self._started

    def jump(self, by: timedelta) -> None:
        """Somebody, or the network, sets the wall clock."""
        self.skew += by

    def restart(self) -> None:
        """The phone is switched off and on."""
        self.boot, self._started = uuid.uuid4().hex[:12], self._mono()


class Drop(Enum):
    """How a request fails."""

    BEFORE = "it never reaches the server"
    AFTER = "the server handles it, the answer is lost"
    CUT = "half of its body arrives"


@dataclass
class Faults:
    """A bad network in front of a transport: `plan` says for each request in turn what happens to it.

    None lets it through, an `Answer` is given without asking the server, an exception is raised. After the plan's end
    everything goes well.
    """

    inner: Transport
    plan: Iterable[Drop | Answer | Exception | None] = ()
    calls: list[tuple[str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.expect(self.plan)

    def expect(self, plan: Iterable[Drop | Answer | Exception | None]) -> None:
        """What happens from now on."""
        self._plan = iter(plan)

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        self.calls.append((method, path))
        fate = next(self._plan, None)
        if isinstance(fate, Exception):
            raise fate
        if isinstance(fate, Answer):
            return fate
        if fate is Drop.BEFORE:
            raise NoAnswer(fate.value)
        if fate is Drop.CUT and body is not None:
            body = body[: len(body) // 2]
        answer = self.inner(method, path, headers, body)
        if fate is Drop.AFTER:
            raise NoAnswer(fate.value)
        return answer


def at_random(
    dice: random.Random, before: float = 0.1, after: float = 0.1, cut: float = 0.05
) -> Iterator[Drop | None]:
    """A plan without end; each share is the part of all requests that fails so."""
    while True:
        yield dice.choices([Drop.BEFORE, Drop.AFTER, Drop.CUT, None], [before, after, cut, 1 - before - after - cut])[
            0
        ]


@dataclass
class Line:
    """Requests in JSON, tried again with full jitter as long as the server cannot answer."""

    transport: Transport
    clock: Clock
    dice: random.Random
    tries: int = TRIES

    def call(
        self, method: str, path: str, token: str | None, body: Callable[[], bytes] | None = None, zipped: bool = False
    ) -> tuple[int, Value]:
        """Status and JSON of an answer that says something. `body` is made anew for each try. Raises `GaveUp`."""
        failures = 0
        while True:
            reason, least = "no_answer", 0.0
            try:
                answer = self._once(method, path, token, body() if body else None, zipped)
                found = _read(answer)
                reason = str(found.get("code", answer.status))
                if not _passing(answer.status, reason):
                    return answer.status, found
                least = _retry_after(answer)
            except NoAnswer:
                pass
            failures += 1
            if failures >= self.tries or least > LONGEST:
                raise GaveUp(reason)
            self.clock.sleep(max(least, self.dice.uniform(0, min(LONGEST, 2 * 2**failures))))

    def _once(self, method: str, path: str, token: str | None, body: bytes | None, zipped: bool) -> Answer:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if body is not None:
            headers |= {"Content-Type": "application/json"} | ({"Content-Encoding": "gzip"} if zipped else {})
            headers["Content-Digest"] = f"sha-256=:{b64encode(sha256(body).digest()).decode()}:"
        return self.transport(method, f"/api/v1/{path}", headers, body)


def packed(text: str) -> bytes:
    """As it is sent; the same text gives the same bytes."""
    return gzip.compress(text.encode(), 6, mtime=0)


def _passing(status: int, code: str) -> bool:
    """Whether the same request may well be answered later."""
    return status == 429 or status >= 500 or (status == 400 and code in BROKEN)


def _read(answer: Answer) -> Value:
    """The JSON object of an answer. What is none is not from our server, save that a proxy may find it too large."""
    if answer.status == 204:
        return {}
    try:
        found = json.loads(answer.body)
        if isinstance(found, dict) and not 300 <= answer.status < 400:
            return found
    except ValueError:
        pass
    if answer.status in (413, 429) or answer.status >= 500:
        return {}
    raise NoAnswer("not an answer of the server")


def _retry_after(answer: Answer) -> float:
    told = {name.lower(): value for name, value in answer.headers.items()}.get("retry-after", "")
    return float(told) if told.isdecimal() else 0.0
