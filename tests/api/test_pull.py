"""What a device gets back: the pages of the feed, over HTTP."""

from typing import Any

import orjson
import pytest
from sqlalchemy import update

from server.store.tables import Entity, db
from tests.api.builders import AREA, new_id, register, visit
from tests.api.conftest import Town
from tests.api.homes import NAME, Home, ids
from tests.databases import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def test_one_round_trip_brings_receipts_and_what_followed(town: Town) -> None:
    home, child = new_id(), new_id()
    sent = register(home, {child: NAME})
    body = town.sync([sent])
    page = body["page"]
    assert [one["id"] for one in body["receipts"]] == [sent["id"]]
    assert ids(page) == {home, child}
    by_id = {one["id"]: one for one in page["entities"]}
    assert by_id[child]["etag"] == town.child(child)["etag"]
    assert by_id[child]["data"]["full_name"] == NAME
    assert by_id[child]["scope"] == f"{AREA}/01"
    assert [sent["id"], sorted(town.child(child)["provenance"])] in by_id[child]["src"]
    assert {one["subject"] for one in page["visits"]} == {home, child}
    (state,) = page["submissions"]
    assert (state["id"], state["state"], state["outcome"]) == (sent["id"], "received", "applied")
    assert (page["more"], page["remaining"], page["gone"], page["drop_scopes"]) == (False, 0, [], [])
    again = town.sync(ack=body["ack"], epoch=1, pull={"token": page["token"]})
    assert again["receipts"] == []
    for kind in ("entities", "visits", "submissions", "lists", "gone", "drop_scopes"):
        assert again["page"][kind] == [], kind


def test_without_pull_there_is_no_page(town: Town) -> None:
    assert "page" not in town.sync([], pull=None)


def test_pages_are_as_long_as_asked_and_say_what_is_left(town: Town) -> None:
    homes = [Home(town) for _ in range(3)]
    told: set[str] = set()
    token, remaining = None, []
    while True:
        page = town.pull("u2", token, limit=2)
        told |= ids(page) | ids(page, "visits")
        token, left = page["token"], page["remaining"]
        remaining.append(left)
        if not page["more"]:
            break
    assert remaining == [10, 8, 6, 4, 2, 0]
    assert set().union(*(one.ids for one in homes)) <= told
    assert len(told) == 12  # of each home itself, its child, and a visit to either


def test_a_thing_is_told_once_however_often_it_changed(town: Town) -> None:
    family = Home(town)
    token = town.pull("u2")["token"]
    for grade in (4, 5, 6):
        family.visit(grade=grade, school_level="3" if grade < 6 else "4")
    (told,) = [one for one in town.pull("u2", token)["entities"] if one["id"] == family.child]
    assert (told["data"]["grade"], told["etag"]) == (6, town.child(family.child)["etag"])


def test_sets_are_told_as_a_form_writes_them(town: Town) -> None:
    family = Home(town)
    family.visit(sc_codes=["SC02", "SC01"])
    (told,) = [one for one in town.pull("u2")["entities"] if one["id"] == family.child]
    assert told["data"]["sc_codes"] == "SC01 SC02"
    again = visit(family.child, NAME, told["etag"], told["data"], sc_codes=["SC01", "SC02"], grade=5)
    assert town.apply(again, "u2")
    assert town.child(family.child)["provenance"]["sc_codes"]["author"] == "u1"  # what was left alone is no change


def test_an_answer_is_compressed_for_who_asks(town: Town) -> None:
    for _ in range(5):
        Home(town)
    headers = {"Authorization": f"Bearer {town.tokens['u1']}", "Accept-Encoding": "gzip"}
    packed = town.app.test_client().post("/api/v1/sync/pull", json={}, headers=headers)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert packed.headers["Vary"] == "Accept-Encoding"
    headers.pop("Accept-Encoding")
    plain = town.app.test_client().post("/api/v1/sync/pull", json={}, headers=headers)
    assert "Content-Encoding" not in plain.headers
    assert len(packed.data) < len(plain.data) / 2


def test_what_a_fault_keeps_from_being_read_costs_no_receipt(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("server.syncing.pull", fail)
    sent = register(new_id(), {})
    body = town.sync([sent])
    assert ([one["id"] for one in body["receipts"]], "page" in body) == ([sent["id"]], False)


def test_a_page_is_served_from_stored_bytes(town: Town) -> None:
    family = Home(town)
    with town.app.app_context():
        stored = orjson.dumps({"id": family.child, "type": "child", "như đã cất": True})
        db.session.execute(update(Entity).where(Entity.id == family.child).values(page=stored))
        db.session.commit()
    assert {"id": family.child, "type": "child", "như đã cất": True} in town.pull("u1")["entities"]
