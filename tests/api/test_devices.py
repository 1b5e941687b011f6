"""Devices: rotation of tokens, who sees and revokes which, what is on them, how they are wiped."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from forms.entity_types import protected_id
from server import audit
from server.problems import CATALOGUE
from server.store.tables import AuditTable, Device, Token, db
from tests.api.access import at_once, call, get, processes, reads, refused, tokens_of, told
from tests.api.builders import AREA, OTHER, PROTECTED, new_id, register
from tests.api.conftest import Town
from tests.api.homes import NAME, Home
from tests.databases import DATABASES

__all__ = ["processes"]
both = pytest.mark.parametrize("database", DATABASES, indirect=True)
WHY = "Mất máy trên xe buýt"


def rotated(town: Town, bearer: str) -> str:
    return told(call(town, "devices/token", bearer))["token"]


def revoke(town: Town, device: str, by: str = "s1", reason: str = WHY) -> Any:
    return call(town, f"devices/{device}/revoke", town.tokens[by], reason=reason)


def listed(town: Town, by: str) -> dict[str, dict[str, Any]]:
    answer = get(town, "devices", town.tokens[by])
    return {one["id"]: one for one in told(answer)["devices"]}


def holding(town: Town, device: str, by: str) -> Any:
    return get(town, f"devices/{device}/holding", town.tokens[by])


def trail(town: Town, ident: str, by: str = "s1") -> Any:
    return get(town, f"holding?entity={ident}", town.tokens[by])


# Rotation


@both
def test_an_old_token_ends_when_the_new_one_is_used(town: Town) -> None:
    old = town.tokens["u1"]
    new = rotated(town, old)
    assert new != old
    assert reads(town, old) == 200
    assert [reads(town, new), reads(town, old), reads(town, new)] == [200, 401, 200]
    assert tokens_of(town, "u1") == 1
    body = orjson.dumps({"v": 1, "items": [register(new_id(), {})], "pull": {}})
    answer = told(town.post(body, Authorization=f"Bearer {new}"))
    assert answer["receipts"][0]["outcome"] == "applied" and "page" in answer


def test_a_lost_answer_leaves_the_old_token_and_only_the_last_new_one(town: Town) -> None:
    old = town.tokens["u1"]
    lost, also_lost, last = (rotated(town, old) for _ in range(3))
    assert tokens_of(town, "u1") == 2
    assert [reads(town, one) for one in (lost, also_lost, old, last, old)] == [401, 401, 200, 200, 401]
    assert refused(call(town, "devices/token", old)) == (401, "unauthenticated")


def test_a_phone_keeps_its_feed_its_ack_and_its_users_over_a_rotation(town: Town) -> None:
    second = town.second_token("u2", "u1")
    before = told(town.post(orjson.dumps({"v": 1, "items": [], "pull": {}})))
    new = rotated(town, town.tokens["u1"])
    body = {"v": 1, "items": [register(new_id(), {}) | {"author": "u2"}], "ack": before["ack"]}
    body |= {"pull": {"token": before["page"]["token"]}}
    answer = told(town.post(orjson.dumps(body), Authorization=f"Bearer {new}"))
    assert answer["receipts"][0]["outcome"] == "applied"
    value = register(new_id(), {}) | {"author": "u1"}
    receipts = told(town.post(orjson.dumps({"v": 1, "items": [value]}), Authorization=f"Bearer {second}"))["receipts"]
    assert receipts[0]["outcome"] == "applied"


def test_a_free_token_keeps_what_it_is(town: Town) -> None:
    new = told(call(town, "devices/token", town.tokens["s1"]))
    assert new["expires_at"] is None
    assert [reads(town, new["token"]), reads(town, town.tokens["s1"])] == [200, 401]
    ((device,),) = town.rows(select(Token.device).where(Token.user == "s1"))
    assert device is None


def test_who_may_not_read_gets_no_token(town: Town) -> None:
    town.revoke("u1")
    assert refused(call(town, "devices/token", town.tokens["u1"])) == (403, "device_revoked")
    assert refused(call(town, "devices/token")) == (401, "unauthenticated")


@both
def test_of_rotations_at_once_one_new_token_is_left(town: Town, processes: list[Flask]) -> None:
    old = town.tokens["u1"]
    answers = at_once(lambda n: call(town, "devices/token", old, process=processes[n % 2]), 6)
    made = [told(one)["token"] for one in answers]
    assert sorted(reads(town, one) for one in made) == [200] + [401] * 5
    assert (tokens_of(town, "u1"), reads(town, old)) == (1, 401)


# The list


def test_who_sees_which_devices(town: Town) -> None:
    devices = town.devices
    assert set(listed(town, "a1")) == set(devices.values())
    assert set(listed(town, "s1")) == {devices[user] for user in ("u1", "u2", "u9")}
    assert set(listed(town, "s5")) == {devices["u5"]}
    for user in ("u1", "c1"):
        assert refused(get(town, "devices", town.tokens[user])) == (403, "forbidden")


@both
def test_what_is_told_of_a_device(town: Town) -> None:
    family = Home(town)
    town.sync(user="u2", unsent=3, app="1.4.2")
    one = listed(town, "s1")[town.devices["u2"]]
    assert abs(one.pop("clock_offset")) < 600_000
    assert one.pop("enrolled_at") < one.pop("last_seen")
    assert one == {
        "id": town.devices["u2"],
        "label": "Máy của u2",
        "users": [{"id": "u2", "name": "Người dùng u2", "role": "collaborator"}],
        "app": "1.4.2",
        "unsent": 3,
        "revoked_at": None,
        "cloned_at": None,
        "wiped_at": None,
        "holding": len(family.ids),
    }
    assert listed(town, "s1")[town.devices["u9"]]["holding"] == 0
    assert NAME not in get(town, "devices", town.tokens["a1"]).text


def test_a_phone_is_a_supervisors_if_all_its_users_are_his_collaborators(town: Town) -> None:
    phone = town.devices["u1"]
    town.second_token("u2", "u1")
    assert [user["id"] for user in listed(town, "s1")[phone]["users"]] == ["u1", "u2"]
    town.second_token("u5", "u1")  # of another area
    assert phone not in listed(town, "s1") and phone not in listed(town, "s5")
    assert refused(revoke(town, phone)) == (404, "not_found")
    town.assigned("u5", AREA, "02", begins=0)
    assert phone in listed(town, "s1")
    town.second_token("s1", "u1")  # an officer is no collaborator
    assert phone not in listed(town, "s1") and phone in listed(town, "a1")
    town.relieved("u2")
    assert town.devices["u2"] not in listed(town, "s1")


def test_the_list_takes_the_same_statements_for_any_number_of_devices(town: Town) -> None:
    seen: list[str] = []
    with town.app.app_context():
        event.listen(db.engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    listed(town, "a1")
    before = len(seen)
    for number in range(20):
        town.app.test_cli_runner().invoke(args=["device", "enrol", "--label", f"Máy {number}", "--user", "u1"])
    seen.clear()
    assert len(listed(town, "a1")) == len(town.devices) + 20
    assert 0 < len(seen) <= before


# Revocation


@pytest.mark.parametrize(
    ("by", "of", "status"),
    [
        ("a1", "u1", 200),
        ("a1", "u5", 200),
        ("s1", "u1", 200),
        ("s1", "u5", 404),
        ("s5", "u1", 404),
        ("u1", "u1", 403),
        ("u2", "u1", 403),
        ("c1", "u1", 403),
    ],
)
def test_who_revokes_which_device(town: Town, by: str, of: str, status: int) -> None:
    answer = revoke(town, town.devices[of], by)
    assert answer.status_code == status, answer.text
    assert reads(town, town.tokens[of]) == (403 if status == 200 else 200)
    assert (town.device(of).revoked_at is None) == (status != 200)


@both
def test_a_revocation_stands_and_is_in_the_audit_log_once(town: Town) -> None:
    phone = town.devices["u1"]
    town.assigned("u1", OTHER, "02", begins=-1)
    first = told(revoke(town, phone))
    assert first["id"] == phone and first["revoked_at"] is not None
    assert told(revoke(town, phone, "a1", "Lý do khác")) == first
    told(revoke(town, town.devices["u5"], "a1"))
    (row, other) = town.rows(select(*AuditTable.__table__.c).order_by(AuditTable.at))
    assert (row.area, row.who, row.act, row.subject, row.sub) == (AREA, "s1", "revoke", phone, None)
    assert orjson.loads(row.detail) == {"reason": WHY}
    assert (other.area, other.who) == (OTHER, "a1")
    with town.app.app_context():
        assert audit.verify(db.session.connection()) == []


def test_a_device_without_users_is_the_administrators(town: Town) -> None:
    town.app.test_cli_runner().invoke(args=["device", "enrol", "--label", "Máy để dành"])
    (phone,) = set(listed(town, "a1")) - set(town.devices.values())
    assert phone not in listed(town, "s1")
    assert refused(revoke(town, phone)) == (404, "not_found")
    told(revoke(town, phone, "a1"))
    assert [row.area for row in town.rows(select(AuditTable.area))] == ["unplaced"]


def test_a_revocation_has_a_reason_and_a_device(town: Town) -> None:
    assert refused(revoke(town, town.devices["u1"], reason="  ")) == (422, "reason_needed")
    assert refused(revoke(town, town.devices["u1"], reason="")) == (422, "invalid")
    assert refused(revoke(town, "d-nothing-here", "a1")) == (404, "not_found")
    assert town.device("u1").revoked_at is None


def test_the_command_that_revokes(town: Town) -> None:
    phone, runner = town.devices["u1"], town.app.test_cli_runner()
    assert runner.invoke(args=["device", "revoke", phone, "--reason", WHY]).exit_code == 0
    assert reads(town, town.tokens["u1"]) == 403
    (row,) = town.rows(select(AuditTable.area, AuditTable.who))
    assert tuple(row) == (AREA, "cli")
    assert runner.invoke(args=["device", "revoke", "d-nothing"]).exit_code == 1


# Wiping


@both
def test_a_phone_says_that_it_has_deleted_everything(town: Town) -> None:
    family = Home(town)
    town.pull("u1")
    town.pull("u2")
    told(revoke(town, town.devices["u1"]))
    answer = call(town, "devices/wiped", town.tokens["u1"])
    assert (answer.status_code, answer.data) == (204, b"")
    seen = listed(town, "s1")
    mine, other = seen[town.devices["u1"]], seen[town.devices["u2"]]
    assert (mine["holding"], other["holding"]) == (0, len(family.ids))
    assert mine["wiped_at"] is not None and other["wiped_at"] is None
    stays = {one["device"]: one for one in told(trail(town, family.child))["holding"]}
    assert stays[town.devices["u1"]]["read"] is True and stays[town.devices["u1"]]["until"] is not None
    assert call(town, "devices/wiped", town.tokens["u1"]).status_code == 204


def test_a_phone_that_begins_anew_after_wiping_holds_things_again(town: Town) -> None:
    family = Home(town)
    town.pull("u1")
    assert call(town, "devices/wiped", town.tokens["u1"]).status_code == 204
    town.pull("u1")
    assert town.held("u1") == {("u1", ident) for ident in family.ids}


def test_only_a_phone_is_wiped(town: Town) -> None:
    assert refused(call(town, "devices/wiped", town.tokens["s1"])) == (403, "forbidden")
    assert refused(call(town, "devices/wiped")) == (401, "unauthenticated")
    assert town.rows(select(Device.id).where(Device.wiped_at.is_not(None))) == []


# What is on a phone


@both
def test_who_sees_what_is_on_a_phone(town: Town) -> None:
    family = Home(town)
    town.pull("u1")
    phone = town.devices["u1"]
    body = told(holding(town, phone, "s1"))
    assert body.keys() == {"entities"}
    assert {(one["id"], one["scope"]) for one in body["entities"]} == {(ident, f"{AREA}/01") for ident in family.ids}
    assert all(one["since"] for one in body["entities"])
    assert told(holding(town, phone, "a1")) == {"count": 2}
    assert refused(holding(town, phone, "s5")) == (404, "not_found")
    assert (
        refused(holding(town, "d-nothing", "s1")) == refused(holding(town, "d-nothing", "a1")) == (404, "not_found")
    )
    for user in ("u1", "u2", "c1"):
        assert refused(holding(town, phone, user)) == (403, "forbidden")


def test_a_supervisor_sees_of_a_phone_only_what_he_reads(town: Town) -> None:
    here = Home(town)
    town.assigned("u1", OTHER, "02", begins=-1)
    there = new_id()
    town.apply(register(there, {}, ward_code="31120", hamlet_code="02"))
    town.pull("u1")
    phone = town.devices["u1"]
    assert {one["id"] for one in told(holding(town, phone, "s1"))["entities"]} == here.ids
    assert {one["id"] for one in told(holding(town, phone, "s5"))["entities"]} == {there}
    assert told(holding(town, phone, "a1")) == {"count": 3}
    # she works elsewhere now: what was told her is still on the phone
    town.relieved("u1")
    town.assigned("u1", OTHER, "02", begins=-1)
    assert phone not in listed(town, "s1")
    assert {one["id"] for one in told(holding(town, phone, "s1"))["entities"]} == here.ids
    assert refused(revoke(town, phone)) == (404, "not_found")


def test_a_protected_half_on_an_officers_phone_is_for_officers(town: Town) -> None:
    family = Home(town)
    family.visit(years=13, **PROTECTED)
    half = protected_id(family.child)
    town.app.test_cli_runner().invoke(args=["device", "enrol", "--label", "Máy tính bảng"])
    (phone,) = set(listed(town, "a1")) - set(town.devices.values())
    with town.app.app_context():
        from server.auth.tokens import issue

        bearer = issue("s1", phone, 1)
        db.session.commit()
    told(call(town, "sync/pull", bearer, token=None))
    assert half in {one["id"] for one in told(holding(town, phone, "s1"))["entities"]}
    assert refused(holding(town, phone, "s5")) == (404, "not_found")
    assert [one["device"] for one in told(trail(town, half))["holding"]] == [phone]
    assert refused(trail(town, half, "s5")) == (404, "not_found")


@both
def test_which_phones_have_had_a_child(town: Town) -> None:
    family = Home(town)
    town.pull("u1")
    town.pull("u2")
    stays = {one["device"]: one for one in told(trail(town, family.child))["holding"]}
    assert stays.keys() == {town.devices["u1"], town.devices["u2"]}
    one = stays[town.devices["u2"]]
    assert one.pop("since")
    assert one == {
        "device": town.devices["u2"],
        "label": "Máy của u2",
        "users": [{"id": "u2", "name": "Người dùng u2", "role": "collaborator"}],
        "until": None,
        "read": False,
    }


def test_whether_a_phone_has_read_that_a_child_has_left(town: Town) -> None:
    family = Home(town)
    first = town.pull("u1")["token"]
    town.pull("u2")
    town.relieved("u1")
    gone = town.pull("u1", first)
    assert gone["drop_scopes"]
    phone = town.devices["u1"]
    before = next(one for one in told(trail(town, family.child))["holding"] if one["device"] == phone)
    assert (before["until"] is not None, before["read"]) == (True, False)
    assert len(told(holding(town, phone, "s1"))["entities"]) == 2
    town.pull("u1", gone["token"])
    after = next(one for one in told(trail(town, family.child))["holding"] if one["device"] == phone)
    assert after == before | {"read": True}
    assert told(holding(town, phone, "a1")) == {"count": 0}


def test_who_may_ask_for_the_phones_of_a_child(town: Town) -> None:
    family = Home(town)
    assert told(trail(town, family.child)) == {"holding": []}
    assert refused(trail(town, family.child, "s5")) == (404, "not_found")
    assert refused(trail(town, new_id())) == (404, "not_found")
    for user in ("a1", "c1", "u1"):
        assert refused(trail(town, family.child, user)) == (403, "forbidden")
    assert refused(get(town, "holding", town.tokens["s1"])) == (422, "invalid")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "devices"),
        ("POST", "devices/token"),
        ("POST", "devices/wiped"),
        ("POST", "devices/x/revoke"),
        ("GET", "devices/x/holding"),
        ("GET", "holding?entity=x"),
        ("POST", "enrolments"),
        ("POST", "password"),
    ],
)
def test_nothing_is_told_without_a_token(town: Town, method: str, path: str) -> None:
    body = {"reason": WHY, "user": "u1", "old": "x", "new": "x"} if method == "POST" else None
    for headers in ({}, {"Authorization": "Bearer toam_nobody"}):
        answer = town.app.test_client().open(f"/api/v1/{path}", method=method, json=body, headers=headers)
        assert refused(answer) == (401, "unauthenticated")


# Anything

texts = st.text(max_size=12) | st.sampled_from(
    ["", "\x00", "\ud800", "u1", "x" * 300, "0f3b2a6e-57c1", "00000-00000"]
)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | texts
values = scalars | st.lists(scalars, max_size=2) | st.dictionaries(texts, scalars, max_size=2)
names = ["code", "installation", "label", "app", "user", "password", "old", "new", "days", "reason"]
posts = ["devices", "devices/token", "devices/wiped", "devices/{}/revoke", "enrolments", "login", "password"]


@settings(
    max_examples=200,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.generate),
)
@given(st.sampled_from(posts), st.fixed_dictionaries({}, optional=dict.fromkeys(names, values)), st.data())
def test_whatever_is_sent_is_answered(town: Town, path: str, body: dict[str, Any], data: st.DataObject) -> None:
    user = data.draw(st.sampled_from(["a1", "s1", "u1", None]))
    device = data.draw(st.sampled_from([town.devices["u2"], "x", "..", "%00", "đ" * 100]))
    headers = {"Authorization": f"Bearer {town.tokens[user]}"} if user else {}
    client: Callable[..., Any] = town.app.test_client().post
    raw = json.dumps(body)  # half a character is escaped
    answer = client(f"/api/v1/{path.format(device)}", data=raw, headers=headers, content_type="application/json")
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        problem = answer.get_json()
        assert CATALOGUE[problem["code"]].status == answer.status_code
