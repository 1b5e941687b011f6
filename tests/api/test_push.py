"""Pushing a batch: a receipt for every item, once and for all."""

import hashlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from config.settings import Settings
from tests.api.builders import AREA, claim, item, new_id, register, registration, visit
from tests.api.conftest import Town

NAME = "Lê Ngọc Hân"


def test_every_item_gets_its_receipt_in_order(town: Town) -> None:
    child, home = new_id(), new_id()
    first = register(home, {child: NAME})
    second = visit(child, NAME, "0-", after=[first["id"]])
    created, visited = town.push([first, second])
    assert (created["id"], visited["id"]) == (first["id"], second["id"])
    assert created["outcome"] == visited["outcome"] == "applied"
    assert created["repeat"] is False
    touched = {entity["id"]: entity for entity in created["entities"]}
    assert {home: "household", child: "child"} == {ident: entity["type"] for ident, entity in touched.items()}
    (entity,) = visited["entities"]
    assert (entity["id"], entity["revision"]) == (child, 2)
    assert town.child(child)["etag"] == entity["etag"]


def test_a_repeat_is_answered_with_the_same_receipt_and_changes_nothing(town: Town) -> None:
    child = new_id()
    value = register(new_id(), {child: NAME})
    (first,) = town.push([value])
    before = town.child(child)
    (again,) = town.push([dict(reversed(value.items()))])
    assert again == first | {"repeat": True}
    assert town.child(child) == before
    assert len(town.stored()) == 1


def test_the_same_item_twice_in_one_batch_counts_once(town: Town) -> None:
    value = register(new_id(), {new_id(): NAME})
    first, again = town.push([value, value])
    assert (first["repeat"], again["repeat"]) == (False, True)
    assert len(town.stored()) == 1


def test_an_id_used_twice_keeps_both_bodies(town: Town) -> None:
    first = register(new_id(), {new_id(): NAME})
    other = register(new_id(), {new_id(): "Trần Gia Huy"}) | {"id": first["id"]}
    town.apply(first)
    (receipt,) = town.push([other])
    assert (receipt["outcome"], receipt["reason"], receipt["id"]) == ("quarantined", "id_reuse", first["id"])
    assert receipt["kept_as"].startswith(f"{first['id']}~")
    stored = town.stored()
    assert stored[first["id"]] == orjson.dumps(first)
    assert stored[receipt["kept_as"]] == orjson.dumps(other)
    assert town.push([other]) == [receipt | {"repeat": True}]
    assert town.get(f"/api/v1/entities/household/{other['entities'][0]['id']}").status_code == 404


def test_a_hundred_items_in_one_batch(town: Town) -> None:
    items = [register(new_id(), {new_id(): f"{NAME} {number}"}) for number in range(100)]
    receipts = town.push(items)
    assert [receipt["id"] for receipt in receipts] == [value["id"] for value in items]
    assert {receipt["outcome"] for receipt in receipts} == {"applied"}
    assert {receipt["repeat"] for receipt in town.push(items)} == {True}
    assert len(town.stored()) == 100


def test_no_items_is_a_batch_too(town: Town) -> None:
    assert town.push([]) == []


def test_status_tells_ones_own_receipts_and_no_others(town: Town) -> None:
    value = register(new_id(), {new_id(): NAME})
    receipt = town.apply(value)
    asked = orjson.dumps({"ids": [value["id"], "uuid:unknown"]})
    mine = town.post(asked, "u1", "/api/v1/sync/status").get_json()["receipts"]
    assert mine == [receipt, {"id": "uuid:unknown", "outcome": None}]
    theirs = town.post(asked, "u2", "/api/v1/sync/status").get_json()["receipts"]
    assert [one["outcome"] for one in theirs] == [None, None]


@pytest.mark.parametrize("body", [b"{}", b'{"ids":[]}', b'{"ids":"x"}', b'{"ids":[1]}', b"[]"])
def test_status_says_what_is_wrong_with_a_question(town: Town, body: bytes) -> None:
    answer = town.post(body, "u1", "/api/v1/sync/status")
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")


def test_an_author_of_another_device_is_not_allowed(town: Town) -> None:
    child = new_id()
    value = register(new_id(), {child: NAME}) | {"author": "u2"}
    (receipt,) = town.push([value], "u1")
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "not_allowed")
    assert town.stored()[value["id"]] == orjson.dumps(value)
    assert town.get(f"/api/v1/entities/child/{child}", "s1").status_code == 404


def test_a_collaborator_of_another_hamlet_is_out_of_area(town: Town) -> None:
    child = new_id()
    (receipt,) = town.push([register(new_id(), {child: NAME})], "u9")
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "out_of_area")
    town.apply(register(new_id(), {child: NAME}), "u1")
    (update,) = town.push([visit(child, "Tên Khác", "0-")], "u9")
    assert (update["outcome"], update["reason"]) == ("quarantined", "out_of_area")
    assert town.child(child)["data"]["full_name"] == NAME


def test_a_device_sends_visits_only(town: Town) -> None:
    home = new_id()
    value = item("household_registration", registration(home, {}), claim("household", home), kind="resolve")
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "not_allowed")


def test_what_a_revoked_device_sends_is_kept_and_it_reads_nothing(town: Town) -> None:
    child, value = new_id(), register(new_id(), {})
    town.apply(register(new_id(), {child: NAME}))
    town.revoke("u1")
    answer = town.post(orjson.dumps({"v": 1, "items": [value]}), "u1")
    assert answer.status_code == 200
    body = answer.get_json()
    assert body["device"] == "revoked"
    (receipt,) = body["receipts"]
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "device_revoked")
    assert town.stored()[value["id"]] == orjson.dumps(value)
    assert town.push([value]) == [receipt | {"repeat": True}]
    reading = town.get(f"/api/v1/entities/child/{child}", "u1")
    assert (reading.status_code, reading.get_json()["code"]) == (403, "device_revoked")
    assert town.get(f"/api/v1/entities/child/{child}", "u2").status_code == 200


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer toam_nobody", "Bearer é"])
def test_without_a_token_nothing_is_told_and_nothing_is_kept(town: Town, header: str) -> None:
    answer = town.post(orjson.dumps({"v": 1, "items": [register(new_id(), {})]}), Authorization=header)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "unauthenticated")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert town.stored() == {}


def test_config_tells_limits_and_forms(town: Town) -> None:
    told = town.get("/api/v1/sync/config").get_json()
    assert told["limits"] == {
        name: getattr(Settings(), name)
        for name in ("max_body", "max_inflated", "max_items", "max_item", "max_page", "max_blob", "blob_chunk")
    }
    forms = {form.id: form for form in town.nest.catalogue.current()}
    assert {form["id"] for form in told["forms"]} == forms.keys() - {"child_review"}
    officers = town.get("/api/v1/sync/config", "s1").get_json()["forms"]
    assert {form["id"] for form in officers} == forms.keys()
    for form in told["forms"]:
        assert form["sha256"] == hashlib.sha256(forms[form["id"]].xml.encode()).hexdigest()
    again = town.get("/api/v1/sync/config").get_json()
    assert (told["config"], told["epoch"], told["min_app"]) == (again["config"], 1, "")
    assert told["scopes"] == ["user:u1", f"{AREA}/00", f"{AREA}/01"]
    other = town.get("/api/v1/sync/config", "u9").get_json()
    assert other["config"] != told["config"]
    assert other["view"] == told["view"] != town.get("/api/v1/sync/config", "s1").get_json()["view"]


def test_the_limits_are_told_again_when_one_is_passed(new_town: Callable[..., Town]) -> None:
    small = new_town(max_items=2, max_body=20_000)
    limits = small.get("/api/v1/sync/config").get_json()["limits"]
    assert (limits["max_items"], limits["max_body"]) == (2, 20_000)
    many = small.post(_batch(*[{}] * 3))
    assert (many.status_code, many.get_json()["code"]) == (413, "too_many_items")
    assert many.get_json()["limits"] == limits
    long = small.post(_batch({"note": "x" * 20_000}))
    assert (long.status_code, long.get_json()["code"], long.get_json()["limits"]) == (413, "too_large", limits)
    assert small.stored() == {}
    assert len(small.push([register(new_id(), {}), register(new_id(), {})])) == 2


def _batch(*items: Any) -> bytes:
    return orjson.dumps({"v": 1, "items": list(items)})
