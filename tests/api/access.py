"""Calls as phones and officers make them without a token, with any token, from any address; and cheap passwords."""

import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from argon2 import PasswordHasher
from argon2.profiles import CHEAPEST
from flask import Flask
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from server.app import create_app
from server.auth import passwords
from server.auth.passwords import set_password
from server.clock import now
from server.store.tables import Token
from tests.api.conftest import Town
from tests.databases import close

HERE = "203.0.113.5"
PASSWORD = "chim sẻ về tổ"


class Counting(PasswordHasher):
    """Costs nothing, and notes the hashes against which it verified."""

    asked: ClassVar[list[Any]] = []

    def verify(self, hash: Any, password: Any) -> Any:
        self.asked.append(hash)
        return super().verify(hash, password)


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> type[Counting]:
    """Passwords that cost nothing to verify."""
    made = Counting.from_parameters(CHEAPEST)
    monkeypatch.setattr(Counting, "asked", [])
    monkeypatch.setattr(passwords, "hasher", made)
    return Counting


def call(
    town: Town, path: str, bearer: str | None = None, address: str = HERE, process: Flask | None = None, **body: Any
) -> TestResponse:
    """Post JSON to an endpoint of the API; `process` is another one of the same server."""
    headers = {"Authorization": f"Bearer {bearer}"} if bearer is not None else {}
    client = (process or town.app).test_client()
    return client.post(f"/api/v1/{path}", json=body, headers=headers, environ_base={"REMOTE_ADDR": address})


def refused(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.content_type == "application/problem+json", answer.text
    return answer.status_code, answer.get_json()["code"]


def told(answer: TestResponse, status: int = 200) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    return answer.get_json()


def get(town: Town, path: str, bearer: str) -> TestResponse:
    return town.app.test_client().get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {bearer}"})


def reads(town: Town, bearer: str) -> int:
    """The status with which a token reads."""
    return get(town, "sync/config", bearer).status_code


def give_password(town: Town, user: str, password: str = PASSWORD, days: float | None = None) -> None:
    with town.app.app_context():
        set_password(user, password, now(), None if days is None else now() + int(days * 86_400_000))


def tokens_of(town: Town, user: str) -> int:
    """How many tokens a user has."""
    (row,) = town.rows(select(func.count()).select_from(Token).where(Token.user == user))
    return int(row[0])


@pytest.fixture
def processes(town: Town) -> Iterator[list[Flask]]:
    """Two processes of one server: two applications on one database, each with its own queue of writes."""
    other = create_app(town.nest.settings)
    yield [town.app, other]
    close(other)


def at_once(work: Callable[[int], Any], count: int) -> list[Any]:
    """Run `work` in so many threads that start together; what each returned."""
    gate, results = threading.Barrier(count), [None] * count

    def run(number: int) -> None:
        gate.wait()
        results[number] = work(number)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results
