"""Every row of the table of outcomes: what the receipt says for good, and what the author hears later."""

from typing import Any

import orjson
import pytest

from tests.api.builders import BAD_PHONE, claim, new_id, register, visit
from tests.api.conftest import Town

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Lê Ngọc Hân"


def registered(town: Town, **changes: Any) -> tuple[str, str, dict[str, Any]]:
    """A child that was registered and visited: its id, base and data."""
    child = new_id()
    created = town.apply(register(new_id(), {child: NAME}))
    base = next(entity["etag"] for entity in created["entities"] if entity["id"] == child)
    receipt = town.apply(visit(child, NAME, base, town.child(child)["data"], **changes))
    return child, receipt["entities"][0]["etag"], town.child(child)["data"]


def test_applied_every_written_value_is_current(town: Town) -> None:
    child, base, data = registered(town)
    value = visit(child, NAME, base, data, helmet="0")
    receipt = town.apply(value)
    assert receipt == {
        "id": value["id"],
        "outcome": "applied",
        "repeat": False,
        "entities": [
            {"type": "child", "id": child, "revision": 3, "etag": town.child(child)["etag"],
             "overruled": [], "conflicts": []}
        ],
        "missing_media": [],
        "warnings": [],
        "checks": [],
        "problems": [],
    }  # fmt: skip
    assert town.stored()[value["id"]] == orjson.dumps(value)
    assert town.status(value["id"]) == {
        "id": value["id"], "state": "received", "reason": None, "comment": None, "question": None, "notices": [],
    }  # fmt: skip


def test_merged_a_cell_lost_to_a_declared_rule_and_its_author_is_told(town: Town) -> None:
    child, base, data = registered(town, risk_now="3")
    value = visit(child, NAME, base, data, risk_now="1", helmet="0")
    (receipt,) = town.push([value], "u2")
    assert (receipt["outcome"], receipt["entities"][0]["overruled"]) == ("merged", ["risk_now"])
    assert (town.child(child)["data"]["risk_now"], town.child(child)["data"]["helmet"]) == ("3", "0")
    told = town.status(value["id"], "u2")
    assert told["state"] == "received"
    assert told["notices"] == [{"entity": child, "cell": "risk_now", "kind": "asks_to_lower"}]


def test_conflict_waits_for_a_person_and_the_first_receipt_stays_as_it_was(town: Town) -> None:
    child, base, data = registered(town)
    first, second = (visit(child, name, base, data) for name in ("Lê Ngọc Hân Nhi", "Lê Thị Ngọc Hân"))
    before = town.apply(first, "u1")
    (receipt,) = town.push([second], "u2")
    (conflict,) = town.child(child)["conflicts"]
    assert (receipt["outcome"], receipt["entities"][0]["conflicts"]) == ("conflict", [conflict["id"]])
    assert town.push([first], "u1") == [before | {"repeat": True}]
    (listed,) = town.get("/api/v1/conflicts", "s1").get_json()["conflicts"]
    assert (listed["id"], sorted(listed["members"])) == (conflict["id"], sorted([first["id"], second["id"]]))


def test_quarantined_is_kept_to_the_byte_takes_a_revision_and_changes_nothing(town: Town) -> None:
    child, base, data = registered(town)
    value = visit(child, "Tên Khác", base, data, caregiver_phone=BAD_PHONE)
    good = visit(child, NAME, base, data, helmet="0")
    held, applied = town.push([value, good])
    assert (held["outcome"], held["reason"], applied["outcome"]) == ("quarantined", "bad_value", "applied")
    assert held["entities"] == []
    assert [problem["pointer"] for problem in held["problems"]] == ["/answers/caregiver_phone"]
    state = town.child(child)
    assert (state["data"]["full_name"], state["data"]["helmet"]) == (NAME, "0")
    assert state["revision"] == int(base.partition("-")[0]) + 2
    assert town.stored()[value["id"]] == orjson.dumps(value)
    assert (town.status(value["id"])["state"], town.status(value["id"])["reason"]) == ("quarantined", "bad_value")


def test_a_state_is_told_to_the_author_alone_and_a_receipt_to_his_phone(town: Town) -> None:
    child, base, data = registered(town)
    value = visit(child, NAME, base, data)
    town.apply(value)
    unknown = {"id": value["id"], "state": None}
    for user in ("u2", "s1", "a1"):
        assert town.status(value["id"], user) == unknown
    assert town.status("uuid:unknown") == {"id": "uuid:unknown", "state": None}
    town.revoke("u1")
    told = town.act("sync/status", "u1", ids=[value["id"]])
    assert told["receipts"][0]["outcome"] == "applied"  # so that it may delete
    assert told["states"] == [unknown]  # what a supervisor wrote is no longer his to read


def test_the_receipt_of_what_one_may_not_read_counts_as_applied(town: Town) -> None:
    """A visit made before the family moved out of his sight: it counts, and he hears nothing of the rest."""
    child, base, data = registered(town)
    home = town.household(data["household"])
    moved = register(data["household"], {}, hamlet_code="05", members=[])
    moved["entities"] = [claim("household", data["household"], home["etag"], home["data"])]
    town.apply(moved, "s1")
    town.push([visit(child, "Lê Thị Ngọc Hân", base, data)], "u9")
    value = visit(child, "Lê Ngọc Hân Nhi", base, data, risk_now="2")
    receipt = town.apply(value, "u1")
    assert receipt["entities"] == [{"type": "child", "id": child}]
    assert [one["cell"] for one in town.child(child, "u9")["conflicts"]] == ["full_name"]
    assert town.status(value["id"])["notices"] == []
