"""What is known of each phone from the pages that it was served, and how a history that is not ours is found."""

from typing import Any

import pytest

from server.clock import now
from tests.api.builders import AREA, item, nobody_home
from tests.api.conftest import Town
from tests.api.homes import Home, ids
from tests.databases import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def test_what_each_phone_holds_is_known_from_the_pages_that_were_served(town: Town) -> None:
    family, other = Home(town), Home(town)
    assert town.held("u1") == set()
    page = town.pull("u1", limit=1)
    assert len(town.held("u1")) == len(page["entities"]) <= 1
    while page["more"]:
        page = town.pull("u1", page["token"], limit=1)
    assert town.held("u1") == {("u1", one) for one in family.ids | other.ids}
    family.move("31135", "05")
    page = town.pull("u1", page["token"])
    assert town.held("u1") == {("u1", one) for one in family.ids | other.ids}  # told, but not known to have been read
    other.visit("u2", grade=5)
    page = town.pull("u1", page["token"])
    assert town.held("u1") == {("u1", one) for one in other.ids}
    town.relieved("u1")
    page = town.pull("u1", page["token"])
    assert page["drop_scopes"] == [f"{AREA}/00", f"{AREA}/01"]
    town.sync([item("child_situation", nobody_home(other.child), _claim(other.child))])
    town.pull("u1", page["token"])
    assert town.held("u1") == set()


def _claim(child: str) -> dict[str, Any]:
    return {"type": "child", "id": child, "base": "1-0123456789"}


def test_a_full_pull_ends_with_what_was_not_told_again(town: Town) -> None:
    family = Home(town)
    town.pull("u1")
    town.relieved("u1")  # and the phone lost its token
    page = town.pull("u1")
    town.pull("u1", page["token"])
    assert town.held("u1") == set()
    assert family


def test_a_device_tells_of_itself_at_each_sync(town: Town) -> None:
    town.sync([], "u1", app="1.4.2", unsent=7)
    device = town.device("u1")
    assert (device.app, device.unsent) == ("1.4.2", 7)
    assert abs(device.clock_offset) < 60_000
    assert abs(device.last_seen - now()) < 60_000
    town.sync([], "u1", app="1.4.2", clock={"wall": "2026-01-01T07:00:00+07:00"})
    assert town.device("u1").clock_offset > 86_400_000
    assert town.device("u1").unsent == 7
    assert town.device("u2").last_seen is None


def test_a_copied_phone_is_found_by_an_old_turn(town: Town) -> None:
    family = Home(town)
    token = first = town.pull("u1")["token"]
    for grade in (4, 5, 3, 2):
        family.visit("u2", grade=grade)
        town.pull("u1", token)  # the answer is lost, and asked for again
        token = town.pull("u1", token)["token"]
    assert town.device("u1").cloned_at is None
    assert town.ask("sync/pull", "u1", token=first).get_json()["reason"] == "device_cloned"
    assert town.device("u1").cloned_at is not None
    again = town.pull("u1")
    assert ids(again) == family.ids
    assert town.pull("u1", again["token"])["entities"] == []


def test_a_change_of_the_view_tells_everything_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    family, gone = Home(town), Home(town)
    token = town.pull("u1")["token"]
    gone.move("31135", "05")
    monkeypatch.setattr("server.syncing.view_of", lambda nest, access: "h:other")
    page = town.pull("u1", token)
    assert ids(page) == family.ids
    assert {one["id"] for one in page["gone"] if one["kind"] == "entity"} == gone.ids
