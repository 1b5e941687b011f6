"""A phone in the hand of a test: the reference client over the test client, a network that fails, a clock to set."""

import gzip
import random
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.api.builders import VERSIONS, new_id, registration, situation
from tests.api.conftest import Town
from tests.device import Answer, Clock, Faults, Phone, Report

NAME = "Trần Thị Bưởi"


class Wire:
    """The way to the server under test; it remembers what was said."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.said: list[tuple[str, Any]] = []

    def __call__(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        try:
            plain = gzip.decompress(body or b"") if "Content-Encoding" in headers else body
            self.said.append((path, orjson.loads(plain or b"null")))
        except (EOFError, orjson.JSONDecodeError):
            self.said.append((path, None))
        found = self.town.app.test_client().open(path, method=method, headers=dict(headers), data=body)
        return Answer(found.status_code, dict(found.headers), found.get_data())


class Longest(random.Random):
    """Dice that make every wait as long as it may be."""

    def uniform(self, a: float, b: float) -> float:
        return b


class Handset:
    """One phone with its users; `naps` are the waits (s) that nobody waited."""

    def __init__(self, town: Town, path: Path, *users: str, installation: str | None = None, **more: Any) -> None:
        self.town, self.path, self.more = town, path, more
        self.naps: list[float] = []
        self.wire = Wire(town)
        self.network = Faults(self.wire)
        self.clock = Clock(sleep=self.naps.append)
        self.installation = installation or town.devices[users[0]]
        self.phone = self.opened()
        for user in users:
            self.phone.add_user(user, town.second_token(user, self.installation))

    def opened(self) -> Phone:
        """The file opened by a new process."""
        return Phone(self.path, self.installation, self.network, self.clock, Longest(1), **self.more)

    def reopen(self) -> None:
        """After the process has died: what it had not committed is lost."""
        self.phone.close()
        self.phone = self.opened()

    def sync(self, user: str = "u1", *plan: Any) -> Report:
        """A sync that does all it should, on a network that fails as planned."""
        self.network.expect(plan)
        report = self.phone.sync(user)
        assert report.stopped == "", report
        return report

    def register(self, user: str = "u1", **more: Any) -> tuple[str, str]:
        """A household with one child; gives their ids."""
        home, child = new_id(), new_id()
        self.fill("household_registration", registration(home, {child: NAME}, **more), "household", home, user)
        return home, child

    def visit(self, child: str, user: str = "u1", prefilled: Any = None, **answers: Any) -> str:
        """A visit that leaves all else as the phone shows it."""
        shown = self.phone.screen(user, child)
        found = situation(child, NAME)
        found |= {name: value for name, value in shown.items() if name in found} | answers
        return self.fill("child_situation", found, "child", child, user, prefilled)

    def fill(self, form: str, answers: Any, kind: str, ident: str, user: str = "u1", prefilled: Any = None) -> str:
        about = [{"type": kind, "id": ident}]
        return self.phone.fill(user, form, VERSIONS[form], answers, about, prefilled=prefilled)

    def pushes(self) -> list[Any]:
        """The bodies of the pushes so far."""
        return [body for path, body in self.wire.said if path == "/api/v1/sync"]

    def holds(self, user: str = "u1") -> dict[str, str]:
        """Entity -> etag."""
        return {ident: one["etag"] for ident, one in self.phone.entities(user).items()}

    def waiting(self) -> list[str]:
        return [item["id"] for item in self.phone.outbox()]


Make = Callable[..., Handset]


@pytest.fixture
def make(town: Town, tmp_path: Path) -> Iterator[Make]:
    """Makes phones with their users."""
    made: list[Handset] = []

    def handset(*users: str, file: Path | None = None, **more: Any) -> Handset:
        made.append(Handset(town, file or tmp_path / f"phone{len(made)}", *users, **more))
        return made[-1]

    yield handset
    for one in made:
        one.phone.close()


@pytest.fixture
def hand(make: Make) -> Handset:
    """A phone of u1."""
    return make("u1")


def refusal(status: int, code: str, **headers: str) -> Answer:
    """A problem document that comes from elsewhere than the server under test."""
    return Answer(status, headers, orjson.dumps({"code": code, "status": status}))


class Killed(BaseException):
    """The phone's process has died."""


class Dying:
    """A connection whose process dies at its n-th statement."""

    def __init__(self, inner: sqlite3.Connection, statements: int) -> None:
        self.inner, self.left = inner, statements

    def execute(self, *query: Any) -> sqlite3.Cursor:
        self._count()
        return self.inner.execute(*query)

    def executemany(self, *query: Any) -> sqlite3.Cursor:
        self._count()
        return self.inner.executemany(*query)

    def close(self) -> None:
        self.inner.close()

    def _count(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise Killed


@contextmanager
def dying(phone: Phone, statements: int) -> Iterator[None]:
    """The phone's process dies at its n-th statement from now on, if it comes to that."""
    phone.store.db = Dying(phone.store.db, statements)  # type: ignore[assignment]
    with suppress(Killed):
        yield
