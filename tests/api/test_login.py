"""Passwords: a token for one, what it is good for, guesses, expiry."""

import hashlib
import unicodedata
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import time_machine
from argon2 import PasswordHasher, extract_parameters
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY
from flask import Flask
from sqlalchemy import select, update

from server.auth import passwords
from server.logs import set_up_logs
from server.store.tables import Attempt, Password, Token, db
from tests.api.access import (
    HERE,
    PASSWORD,
    Counting,
    at_once,
    call,
    cheap,
    get,
    give_password,
    processes,
    reads,
    refused,
    tokens_of,
    told,
)
from tests.api.builders import new_id, register
from tests.api.conftest import PEOPLE, Town
from tests.databases import DATABASES

__all__ = ["cheap", "processes"]
NEW = "mây trắng bay về"
both = pytest.mark.parametrize("database", DATABASES, indirect=True)
pytestmark = pytest.mark.usefixtures("cheap")


def log_in(town: Town, user: str = "s1", password: str = PASSWORD, bearer: str | None = None, **more: Any) -> Any:
    return call(town, "login", bearer, user=user, password=password, **more)


def later(**delta: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**delta), tick=False)


def push(town: Town, bearer: str) -> dict[str, Any]:
    value = register(new_id(), {})
    body = orjson.dumps({"v": 1, "items": [value], "pull": {}})
    return told(town.post(body, Authorization=f"Bearer {bearer}"))


def hours(answer: dict[str, Any]) -> float:
    """In how many hours a token expires."""
    left = datetime.fromisoformat(answer["expires_at"]) - datetime.now(UTC)
    return round(left / timedelta(hours=1), 1)


def test_a_password_gives_a_free_token_for_some_hours(new_town: Callable[..., Town]) -> None:
    town = new_town(login_hours=3)
    give_password(town, "s1")
    answer = told(log_in(town))
    assert answer["user"] == {"id": "s1", "name": "Người dùng s1", "role": "supervisor"}
    assert answer["device"] is None
    assert hours(answer) == 3
    bearer = answer["token"]
    with later(hours=2.9):
        assert get(town, "conflicts", bearer).status_code == 200
    with later(hours=3.1):
        assert refused(get(town, "conflicts", bearer)) == (403, "token_expired")
        assert refused(call(town, "sync/pull", bearer, token=None)) == (403, "token_expired")
        assert refused(call(town, "devices/token", bearer)) == (403, "token_expired")
        assert refused(call(town, "enrolments", bearer, user="u1")) == (403, "token_expired")


def test_an_expired_token_still_sends_and_its_phone_is_told(town: Town) -> None:
    give_password(town, "u1", days=2)
    bearer = told(log_in(town, "u1", bearer=town.tokens["u1"]))["token"]
    assert [one["outcome"] for one in push(town, bearer)["receipts"]] == ["applied"]
    with later(days=2, minutes=1):
        body = push(town, bearer)
        assert [(one["outcome"], one["reason"]) for one in body["receipts"]] == [("quarantined", "device_revoked")]
        assert body["device"] == "expired"
        assert "page" not in body and "update" not in body and body["ack"]
        (receipt,) = body["receipts"]
        status = told(call(town, "sync/status", bearer, ids=[receipt["id"]]))
        assert status["receipts"][0]["outcome"] == "quarantined"
        assert status["states"][0]["state"] is None
        # after another login everything is as before
        give_password(town, "u1")
        again = told(log_in(town, "u1", bearer=bearer))["token"]
        body = push(town, again)
        assert "device" not in body and "page" in body
    town.revoke("u1")
    assert push(town, again)["device"] == "revoked"


def test_on_an_installation_the_token_lasts_as_long_as_the_password(town: Town) -> None:
    give_password(town, "u2")
    give_password(town, "u9", days=5)
    answer = told(log_in(town, "u2", bearer=town.tokens["u1"]))
    assert (answer["device"], answer["expires_at"]) == (town.devices["u1"], None)
    assert hours(told(log_in(town, "u9", bearer=town.tokens["u1"]))) == 5 * 24
    value = register(new_id(), {}) | {"author": "u2"}  # u2 uses the phone of u1 now
    assert town.push([value], "u1")[0]["outcome"] == "applied"


def test_a_free_token_never_outlives_the_password(town: Town) -> None:
    give_password(town, "s1", days=1)
    assert hours(told(log_in(town))) == 12
    with later(hours=20):
        assert hours(told(log_in(town))) == 4


def test_a_free_token_in_the_request_is_no_installation(town: Town) -> None:
    give_password(town, "s1")
    answer = told(log_in(town, bearer=town.tokens["s1"]))
    assert answer["device"] is None
    assert hours(answer) == 12
    assert reads(town, town.tokens["s1"]) == reads(town, answer["token"]) == 200


def test_another_login_of_the_same_user_ends_his_token_once_it_is_used(town: Town) -> None:
    give_password(town, "u1")
    first = told(log_in(town, "u1", bearer=town.tokens["u1"]))["token"]
    lost = told(log_in(town, "u1", bearer=town.tokens["u1"]))["token"]
    assert [reads(town, one) for one in (first, lost, town.tokens["u1"])] == [401, 200, 401]


def test_a_revoked_phone_and_an_unknown_token_do_not_log_in(town: Town) -> None:
    give_password(town, "u1")
    town.revoke("u1")
    assert refused(log_in(town, "u1", bearer=town.tokens["u1"])) == (403, "device_revoked")
    assert refused(log_in(town, "u1", bearer="toam_nobody")) == (401, "unauthenticated")


def test_a_wrong_password_and_an_unknown_user_are_told_alike_after_the_same_work(
    town: Town, cheap: type[Counting]
) -> None:
    give_password(town, "s1")
    answers = []
    for user, password in (
        ("s1", "sai mật khẩu"),
        ("nobody", PASSWORD),
        ("u1", PASSWORD),
        ("s1", ""),
        ("S1", PASSWORD),
    ):
        before = len(cheap.asked)
        answers.append(log_in(town, user, password))
        assert len(cheap.asked) == before + 1, user
    costs = [extract_parameters(known) for known in cheap.asked]
    assert all(one == CHEAPEST for one in costs)
    assert {(one.status_code, one.data) for one in answers} == {(401, answers[0].data)}
    assert answers[0].get_json()["code"] == "login_failed"


def test_the_hash_of_nobody_costs_what_a_password_costs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for hasher in (PasswordHasher(), PasswordHasher.from_parameters(CHEAPEST)):
        monkeypatch.setattr(passwords, "hasher", hasher)
        assert extract_parameters(passwords._dummy()) == extract_parameters(hasher.hash("x"))
    assert passwords._matches(passwords._dummy(), "x") is False


def test_passwords_are_stored_as_argon2id_with_the_recommended_parameters(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(passwords, "hasher", PasswordHasher())
    give_password(town, "s1")
    (row,) = town.rows(select(Password.argon2))
    assert row.argon2.startswith("$argon2id$")
    assert extract_parameters(row.argon2) == RFC_9106_LOW_MEMORY
    assert PASSWORD not in row.argon2
    assert log_in(town).status_code == 200


def test_a_stored_hash_grows_with_the_parameters(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    give_password(town, "s1")
    stronger = PasswordHasher(time_cost=2, memory_cost=16, parallelism=1)
    monkeypatch.setattr(passwords, "hasher", stronger)
    assert log_in(town, password="sai mật khẩu").status_code == 401
    (before,) = town.rows(select(Password.argon2))
    assert stronger.check_needs_rehash(before.argon2)
    for _ in range(2):
        assert log_in(town).status_code == 200
        (after,) = town.rows(select(Password.argon2))
        assert not stronger.check_needs_rehash(after.argon2)


def test_that_a_password_has_expired_is_told_to_those_alone_who_know_it(town: Town) -> None:
    give_password(town, "s1", days=1)
    with later(days=1, minutes=1):
        assert refused(log_in(town, password="sai mật khẩu")) == (401, "login_failed")
        assert refused(log_in(town)) == (403, "password_expired")
    assert tokens_of(town, "s1") == 1


def test_a_password_may_be_typed_on_any_keyboard(town: Town) -> None:
    give_password(town, "s1", unicodedata.normalize("NFC", PASSWORD))
    assert log_in(town, password=unicodedata.normalize("NFD", PASSWORD)).status_code == 200


# Guesses


def test_guesses_about_one_user_are_stopped(town: Town) -> None:
    give_password(town, "s1")
    give_password(town, "s5")
    for number in range(5):
        assert refused(log_in(town, password="sai", address=f"203.0.113.{number}")) == (401, "login_failed")
    with later(minutes=5):
        answer = log_in(town)
        assert refused(answer) == (429, "too_many_attempts")
        assert 590 <= int(answer.headers["Retry-After"]) <= 600
        assert log_in(town, "s5").status_code == 200
        assert log_in(town).headers["Retry-After"] == answer.headers["Retry-After"]
    with later(minutes=15, seconds=5):
        assert log_in(town).status_code == 200


def test_a_user_who_does_not_exist_is_guessed_no_more_often(town: Town) -> None:
    assert [log_in(town, "nobody").status_code for _ in range(6)] == [401] * 5 + [429]


def test_success_forgets_the_failures_of_that_user(town: Town) -> None:
    give_password(town, "s1")
    for _ in range(3):
        assert [log_in(town, password="sai").status_code for _ in range(4)] == [401] * 4
        assert log_in(town).status_code == 200


def test_guesses_about_many_users_are_stopped_for_the_address(town: Town) -> None:
    give_password(town, "s1")
    for number in range(30):
        assert log_in(town, f"người{number}").status_code == 401
        assert log_in(town).status_code == 200 or number == 29  # a success does not free the address
    assert refused(log_in(town)) == (429, "too_many_attempts")
    assert log_in(town, address="203.0.113.77").status_code == 200


@both
def test_guesses_that_come_at_once_are_stopped_as_well(
    town: Town, processes: list[Flask], cheap: type[Counting]
) -> None:
    give_password(town, "s1")
    answers = at_once(lambda n: log_in(town, password=f"sai {n}", process=processes[n % 2]), 12)
    assert {one.status_code for one in answers} <= {401, 429}
    verified = sum(one.status_code == 401 for one in answers)
    assert verified == len(cheap.asked) <= 5
    assert log_in(town).status_code == (429 if verified == 5 else 200)


def test_guesses_hold_no_name_and_no_address_and_go(town: Town) -> None:
    for user in ("s1", "nobody"):
        log_in(town, user, "sai")
    rows = town.rows(select(Attempt.id, Attempt.who, Attempt.at))
    assert len(rows) == 4
    plain = {hashlib.sha256(text.encode()).hexdigest() for text in ("s1", "user:s1", HERE, f"address:{HERE}")}
    assert not plain & {row.who for row in rows}
    assert all(len(row.who) == 64 for row in rows)
    with later(minutes=16):
        log_in(town, "s5", "sai")
        assert len(town.rows(select(Attempt.id))) == 2


# One's own password


def change(town: Town, bearer: str, old: str = PASSWORD, new: str = NEW) -> Any:
    return call(town, "password", bearer, old=old, new=new)


def test_one_changes_ones_own_password(town: Town) -> None:
    give_password(town, "s1")
    give_password(town, "s5")
    assert change(town, town.tokens["s1"]).status_code == 204
    assert refused(log_in(town)) == (401, "login_failed")
    assert log_in(town, password=NEW).status_code == 200
    assert log_in(town, "s5").status_code == 200


def test_the_old_one_must_be_known_and_guessing_it_is_stopped(town: Town) -> None:
    give_password(town, "s1")
    assert [refused(change(town, town.tokens["s1"], "sai"))[0] for _ in range(6)] == [401] * 5 + [429]
    assert refused(log_in(town)) == (429, "too_many_attempts")
    assert refused(change(town, town.tokens["u1"])) == (401, "login_failed")  # who has none


@pytest.mark.parametrize("new", ["", "chín ký tự"[:9], "nguyễn.an@toam.vn", "NGUYỄN.AN@toam.vn", "x" * 501])
def test_a_weak_password_is_refused(new_town: Callable[..., Town], new: str) -> None:
    ident = "nguyễn.an@toam.vn"
    town = new_town(people={ident: PEOPLE["s1"]})
    give_password(town, ident)
    assert refused(change(town, town.tokens[ident], new=new)) == (422, "weak_password")
    assert log_in(town, ident).status_code == 200
    assert change(town, town.tokens[ident], new="x" * 10).status_code == 204


def test_who_may_not_read_changes_no_password(town: Town) -> None:
    give_password(town, "u1")
    town.revoke("u1")
    assert refused(change(town, town.tokens["u1"])) == (403, "device_revoked")
    with town.app.app_context():
        db.session.execute(update(Token).where(Token.user == "u2").values(expires_at=1))
        db.session.commit()
    give_password(town, "u2")
    assert refused(change(town, town.tokens["u2"])) == (403, "token_expired")


def test_logins_by_the_old_password_end_with_it(town: Town) -> None:
    give_password(town, "s1")
    give_password(town, "s5")
    free, mine = told(log_in(town))["token"], told(log_in(town))["token"]
    phone = told(log_in(town, bearer=town.tokens["u1"]))["token"]
    other = told(log_in(town, "s5"))["token"]
    assert change(town, mine).status_code == 204
    assert reads(town, free) == 401
    assert {reads(town, one) for one in (mine, phone, other, town.tokens["s1"])} == {200}
    give_password(town, "s1", NEW)
    assert reads(town, mine) == 401


def test_a_password_that_expires_expires_also_after_a_change(town: Town) -> None:
    give_password(town, "s1", days=2)
    assert change(town, town.tokens["s1"]).status_code == 204
    with later(days=2, minutes=1):
        assert refused(log_in(town, password=NEW)) == (403, "password_expired")


def test_the_command_that_sets_a_password(town: Town) -> None:
    runner = town.app.test_cli_runner()
    result = runner.invoke(args=["user", "password", "s1", "--days", "3"], input=f"{PASSWORD}\n")
    assert (result.exit_code, result.output) == (0, "")
    assert log_in(town).status_code == 200
    with later(days=3, minutes=1):
        assert refused(log_in(town)) == (403, "password_expired")
    weak = runner.invoke(args=["user", "password", "s1"], input="ngắn\n")
    assert weak.exit_code == 1
    assert "ngắn" not in weak.output
    assert runner.invoke(args=["user", "password", "s1", PASSWORD], input=f"{PASSWORD}\n").exit_code == 2
    assert runner.invoke(args=["user", "password", "nobody"], input=f"{PASSWORD}\n").exit_code == 1
    assert runner.invoke(args=["user", "password", "s1"], input=f"{NEW}\r\n").exit_code == 0
    assert told(log_in(town, password=NEW))


def test_no_log_holds_a_secret(
    town: Town, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_up_logs("debug")  # to where this test looks
    give_password(town, "s1")
    log_in(town, password="mật khẩu sai")
    log_in(town)
    monkeypatch.setattr(passwords, "_matches", lambda known, password: 1 / 0)
    assert log_in(town, password="mật khẩu sai").status_code == 500
    said = "".join(capsys.readouterr())
    assert "ZeroDivisionError" in said
    assert "khẩu" not in said and PASSWORD not in said and "kh\\u1ea9u" not in said
