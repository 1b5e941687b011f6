"""Enrolment by a one-time code: who gives one out, what it does, and what it never tells."""

import re
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
import time_machine
from flask import Flask
from lxml import etree
from sqlalchemy import delete, select, update

from server import audit
from server.auth import enrolment
from server.auth.codes import ALPHABET, code_digest
from server.store.tables import AuditTable, Device, Enrolment, Token, User, db
from tests.api.access import at_once, call, processes, reads, refused, tokens_of, told
from tests.api.builders import AREA, OTHER, new_id, register
from tests.api.conftest import Town
from tests.databases import DATABASES

__all__ = ["processes"]
PHONE = "0f3b2a6e-57c1-4f7e-9a51-2f8f6c1f7d10"
SECOND = "7d1c9b04-1111-4c4c-8888-0a0b0c0d0e0f"
both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def invited(town: Town, user: str = "u1", by: str = "a1", **more: Any) -> str:
    return told(call(town, "enrolments", town.tokens[by], user=user, **more), 201)["code"]


def enrol(town: Town, code: str, phone: str = PHONE, bearer: str | None = None, **more: Any) -> Any:
    return call(town, "devices", bearer, code=code, installation=phone, label="Samsung A05", app="1.4.2", **more)


def enrolled(town: Town, user: str = "u1", phone: str = PHONE, bearer: str | None = None) -> str:
    return told(enrol(town, invited(town, user), phone, bearer), 201)["token"]


def later(**delta: float) -> time_machine.travel:
    return time_machine.travel(datetime.now(UTC) + timedelta(**delta), tick=False)


def test_a_code_enrols_a_phone_once(town: Town) -> None:
    code = invited(town)
    answer = told(enrol(town, code), 201)
    assert answer == {
        "device": PHONE,
        "user": {"id": "u1", "name": "Người dùng u1", "role": "collaborator"},
        "token": answer["token"],
    }
    assert reads(town, answer["token"]) == 200
    (row,) = town.rows(select(*Device.__table__.c).where(Device.id == PHONE))
    assert (row.label, row.app, row.revoked_at, row.last_seen) == ("Samsung A05", "1.4.2", None, None)
    (receipt,) = _push(town, answer["token"])
    assert receipt["outcome"] == "applied", receipt


def _push(town: Town, bearer: str, author: str = "u1") -> Any:
    value = register(new_id(), {}) | {"author": author}
    body = orjson.dumps({"v": 1, "items": [value]})
    return town.post(body, Authorization=f"Bearer {bearer}").get_json()["receipts"]


def test_the_code_the_link_and_its_image(new_town: Any) -> None:
    town = new_town(public_url="https://toam.example/")
    before = time.time()
    answer = told(call(town, "enrolments", town.tokens["s1"], user="u1", days=3), 201)
    assert re.fullmatch(f"[{ALPHABET}]{{5}}-[{ALPHABET}]{{5}}", answer["code"])
    assert answer["link"] == f"https://toam.example/app/#enrol={answer['code']}"
    ends = datetime.fromisoformat(answer["expires_at"]).timestamp()
    assert 3 * 86_400 - 1 < ends - before < 3 * 86_400 + 60
    assert etree.fromstring(answer["qr"].encode()).tag.endswith("svg")
    assert answer["code"] != invited(town)


def test_only_its_hash_is_stored(town: Town) -> None:
    code = invited(town)
    (row,) = town.rows(select(*Enrolment.__table__.c))
    assert row.sha256 == code_digest(code)
    assert code not in repr(row) and code.replace("-", "") not in repr(row)
    assert (row.user, row.issued_by, row.used_at) == ("u1", "a1", None)


@pytest.mark.parametrize(
    "typed", ["0A1Z5-KQ7VW", "0a1z5kq7vw", " oa1z5 kq7vw ", "OAIZ5-KQ7VW", "0alz5–kq7vw", "0-A-L-Z-5.K_Q7VW"]
)
def test_a_code_is_taken_however_it_was_typed(typed: str) -> None:
    assert code_digest(typed) == code_digest("0A1Z5-KQ7VW")
    assert code_digest("0A1Z5-KQ7VX") != code_digest(typed)


def test_unknown_used_and_expired_codes_are_told_alike(town: Town) -> None:
    used, old, orphan = invited(town), invited(town, days=1), invited(town, "u2")
    told(enrol(town, used), 201)
    with town.app.app_context():
        db.session.execute(delete(User).where(User.id == "u2"))
        db.session.commit()
    with later(days=1, minutes=1):
        answers = [enrol(town, code, SECOND) for code in ("00000-00000", "?", used, old, orphan)]
        # nor does an installation that exists make a difference
        answers += [enrol(town, code, town.devices["u9"]) for code in ("00000-00000", used, old)]
    assert {(one.status_code, one.data, one.headers.get("Retry-After")) for one in answers} == {
        (403, answers[0].data, None)
    }
    assert answers[0].get_json()["code"] == "code_refused"
    assert town.rows(select(Device.id).where(Device.id == SECOND)) == []


@both
def test_of_phones_that_use_a_code_at_once_one_gets_in(
    town: Town, processes: list[Flask], monkeypatch: pytest.MonkeyPatch
) -> None:
    together, settle_in = threading.Barrier(2), enrolment._settle_in

    def slowly(*args: Any) -> None:
        with suppress(threading.BrokenBarrierError):
            together.wait(0.3)  # where nothing keeps them apart, two are here at the same time
        settle_in(*args)

    monkeypatch.setattr(enrolment, "_settle_in", slowly)
    code = invited(town)
    phones = [f"phone-{number:04d}" for number in range(8)]
    answers = at_once(lambda n: enrol(town, code, phones[n], process=processes[n % 2]), 8)
    assert sorted(one.status_code for one in answers) == [201] + [403] * 7
    (winner,) = (phone for phone, one in zip(phones, answers, strict=True) if one.status_code == 201)
    assert [row.id for row in town.rows(select(Device.id).where(Device.id.in_(phones)))] == [winner]
    assert tokens_of(town, "u1") == 2


@both
def test_of_codes_that_make_one_installation_at_once_one_does(town: Town, processes: list[Flask]) -> None:
    codes = [invited(town, user) for user in ("u1", "u2", "u9", "s1")]
    answers = at_once(lambda n: enrol(town, codes[n], process=processes[n % 2]), 4)
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]
    assert len(town.rows(select(Token.user).where(Token.device == PHONE))) == 1


def test_an_installation_that_is_taken_needs_the_token_of_somebody_on_it(town: Town) -> None:
    first = enrolled(town)
    code = invited(town, "u2")
    for bearer in (None, "toam_nobody", town.tokens["u9"], town.tokens["a1"]):
        assert refused(enrol(town, code, PHONE, bearer)) == (409, "installation_taken")
    second = told(enrol(town, code, PHONE, first), 201)
    assert second["user"]["id"] == "u2"
    assert reads(town, first) == reads(town, second["token"]) == 200
    # what one of them wrote may be sent by the other
    assert [_push(town, first, "u2")[0]["outcome"], _push(town, second["token"], "u1")[0]["outcome"]] == [
        "applied"
    ] * 2


def test_a_further_user_may_come_by_a_login_that_has_expired(town: Town) -> None:
    first = enrolled(town)
    _expire(town, "u1")
    assert reads(town, first) == 403
    assert enrol(town, invited(town, "u2"), PHONE, first).status_code == 201


def _expire(town: Town, user: str) -> None:
    with town.app.app_context():
        db.session.execute(update(Token).where(Token.user == user).values(expires_at=1))
        db.session.commit()


def test_enrolling_the_same_user_again_ends_his_token_once_the_new_one_is_used(town: Town) -> None:
    first = enrolled(town)
    second = told(enrol(town, invited(town), PHONE, first), 201)["token"]
    assert reads(town, first) == 200
    assert [reads(town, second), reads(town, first)] == [200, 401]


def test_a_revoked_installation_is_never_enrolled_again(town: Town) -> None:
    code = invited(town)
    first = told(enrol(town, code), 201)["token"]
    town.act(f"devices/{PHONE}/revoke", "a1", reason="Mất máy")
    assert refused(enrol(town, code, PHONE)) == (403, "device_revoked")
    assert refused(enrol(town, invited(town, "u2"), PHONE, first)) == (403, "device_revoked")
    assert refused(enrol(town, invited(town, "u2"), PHONE)) == (409, "installation_taken")


def test_a_lost_answer_is_answered_again_within_the_hour(town: Town) -> None:
    code = invited(town)
    first = told(enrol(town, code), 201)["token"]
    with later(minutes=50):
        second = told(enrol(town, code), 201)["token"]
        assert [reads(town, first), reads(town, second)] == [401, 200]
    with later(minutes=55):
        third = told(enrol(town, code.lower()), 201)["token"]
        assert [reads(town, second), reads(town, third)] == [401, 200]
        assert refused(enrol(town, code, SECOND)) == (403, "code_refused")
        assert reads(town, third) == 200
    with later(minutes=61):
        assert refused(enrol(town, code)) == (403, "code_refused")
        assert reads(town, third) == 200
    assert tokens_of(town, "u1") == 2


def test_an_answer_that_has_arrived_is_not_answered_again(town: Town) -> None:
    code = invited(town)
    first = told(enrol(town, code), 201)["token"]
    second = told(call(town, "devices/token", first))["token"]
    assert reads(town, second) == 200
    assert refused(enrol(town, code)) == (403, "code_refused")
    assert reads(town, second) == 200


@pytest.mark.parametrize(
    "phone", ["", "short", "x" * 61, "has blank in it", "../../etc/passwd", "đất-nước-ta", PHONE + "\n"]
)
def test_an_installation_names_itself_by_a_uuid(town: Town, phone: str) -> None:
    code = invited(town)
    assert refused(enrol(town, code, phone)) == (422, "invalid")
    assert enrol(town, code).status_code == 201


@pytest.mark.parametrize(
    ("by", "user", "status"),
    [
        ("a1", "u5", 201),
        ("a1", "s5", 201),
        ("a1", "a1", 201),
        ("a1", "nobody", 404),
        ("s1", "u1", 201),
        ("s1", "u9", 201),
        ("s1", "u5", 404),  # of another area
        ("s1", "nobody", 404),
        ("s1", "s1", 404),  # collaborators alone
        ("s1", "c1", 404),
        ("s1", "a1", 404),
        ("s5", "u5", 201),
        ("s5", "u1", 404),
        ("u1", "u1", 403),
        ("u1", "u2", 403),
        ("c1", "u1", 403),
    ],
)
def test_who_gives_out_a_code_for_whom(town: Town, by: str, user: str, status: int) -> None:
    answer = call(town, "enrolments", town.tokens[by], user=user)
    assert answer.status_code == status, answer.text
    assert ("qr" in answer.get_json()) == (status == 201)
    assert len(town.rows(select(Enrolment.user))) == (status == 201)


def test_a_code_may_be_given_before_the_first_day_and_not_after_the_last(town: Town) -> None:
    town.relieved("u9")
    town.assigned("u9", AREA, "05", begins=3)
    town.relieved("u2")
    town.assigned("u2", AREA, "01", begins=-9, ends=-1)
    assert call(town, "enrolments", town.tokens["s1"], user="u9").status_code == 201
    assert call(town, "enrolments", town.tokens["s1"], user="u2").status_code == 404
    assert call(town, "enrolments", town.tokens["a1"], user="u2").status_code == 201


def test_a_revoked_phone_gives_out_nothing(town: Town) -> None:
    bearer = enrolled(town, "s1")
    assert call(town, "enrolments", bearer, user="u1").status_code == 201
    town.act(f"devices/{PHONE}/revoke", "a1", reason="Mất máy")
    assert refused(call(town, "enrolments", bearer, user="u1")) == (403, "device_revoked")


@pytest.mark.parametrize("days", [0, 31, -1, "7", 1.5, None])
def test_a_code_is_good_for_some_days(town: Town, days: Any) -> None:
    assert refused(call(town, "enrolments", town.tokens["a1"], user="u1", days=days)) == (422, "invalid")


def test_who_gave_out_a_code_is_in_the_audit_log(town: Town) -> None:
    town.assigned("u1", OTHER, "02", begins=-1)
    for by in ("s1", "s5", "a1"):
        told(call(town, "enrolments", town.tokens[by], user="u1", days=2), 201)
    told(call(town, "enrolments", town.tokens["a1"], user="a1"), 201)
    rows = town.rows(select(*AuditTable.__table__.c).order_by(AuditTable.area, AuditTable.n))
    entries = [(row.area, row.who, row.act, row.subject) for row in rows]
    assert entries == [
        (OTHER, "s5", "invite", "u1"),
        (OTHER, "a1", "invite", "u1"),
        (AREA, "s1", "invite", "u1"),
        ("unplaced", "a1", "invite", "a1"),
    ]
    with town.app.app_context():
        assert audit.verify(db.session.connection()) == []


def test_guessing_codes_is_stopped_for_the_address(town: Town) -> None:
    code = invited(town)
    for number in range(30):
        assert refused(enrol(town, f"GUESS-{number:05d}")) == (403, "code_refused")
    answer = enrol(town, code)
    assert refused(answer) == (429, "too_many_attempts")
    assert 0 < int(answer.headers["Retry-After"]) <= 900
    assert answer.get_json()["retry_after"] == int(answer.headers["Retry-After"])
    elsewhere = enrol(town, code, address="203.0.113.6")
    assert elsewhere.status_code == 201
    with later(minutes=16):
        assert enrol(town, invited(town, "u2"), SECOND).status_code == 201


def test_codes_that_are_right_count_for_nothing(town: Town) -> None:
    first = enrolled(town)
    for _ in range(40):
        assert enrol(town, invited(town, "u2"), PHONE, first).status_code == 201


def test_of_an_ipv6_network_all_addresses_count_as_one(town: Town) -> None:
    for number in range(30):
        enrol(town, "GUESS-00000", address=f"2001:db8:1:2::{number:x}")
    assert enrol(town, "GUESS-00000", address="2001:db8:1:2:ffff::1").status_code == 429
    assert enrol(town, "GUESS-00000", address="2001:db8:1:3::1").status_code == 403


@pytest.mark.parametrize(("proxied", "status"), [(True, 403), (False, 429)])
def test_behind_a_proxy_the_address_is_the_one_that_it_saw(new_town: Any, proxied: bool, status: int) -> None:
    town = new_town(proxied=proxied)

    def guess(seen: str) -> int:
        headers = {"X-Forwarded-For": f"198.51.100.99, {seen}"}  # the first is what the client claims
        body = {"code": "GUESS-00000", "installation": PHONE}
        return town.app.test_client().post("/api/v1/devices", json=body, headers=headers).status_code

    assert {guess("198.51.100.1") for _ in range(30)} == {403}
    assert guess("198.51.100.1") == 429
    assert guess("198.51.100.2") == status


def test_a_large_body_is_refused_unread(town: Town) -> None:
    assert refused(call(town, "devices", code="x" * 70_000, installation=PHONE)) == (413, "too_large")


def test_the_command_that_invites(new_town: Any, tmp_path: Path) -> None:
    town = new_town(public_url="https://toam.example")
    image = tmp_path / "code.svg"
    result = town.app.test_cli_runner().invoke(args=["device", "invite", "u1", "--days", "2", "--svg", str(image)])
    assert result.exit_code == 0, result.output
    code = re.findall(r"^code +(\S+)$", result.output, re.MULTILINE)[0]
    assert f"https://toam.example/app/#enrol={code}" in result.output
    assert "█" in result.output or "▄" in result.output
    assert etree.fromstring(image.read_bytes()).tag.endswith("svg")
    assert told(enrol(town, code), 201)["user"]["id"] == "u1"
    (row,) = town.rows(select(AuditTable.area, AuditTable.who, AuditTable.subject))
    assert tuple(row) == (AREA, "cli", "u1")
    assert town.app.test_cli_runner().invoke(args=["device", "invite", "nobody"]).exit_code == 1


def test_the_command_that_enrols_a_tool(town: Town) -> None:
    result = town.app.test_cli_runner().invoke(args=["device", "enrol", "--label", "Máy thử", "--user", "u1"])
    token = re.findall(r"^token +(\S+)$", result.output, re.MULTILINE)[0]
    assert reads(town, token) == 200
