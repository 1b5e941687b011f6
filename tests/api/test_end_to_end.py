"""From the phone to the page: what two people do offline ends in one state, and nobody's word is lost."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from itertools import permutations
from typing import Any

import orjson
import pytest

from server.cli.lists import issue_lists
from server.clock import now
from sync.times import local_date
from tests.api.builders import AREA, claim, in_xml, item, moment, new_id, nobody_home, register, visit
from tests.api.conftest import Town

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Lê Ngọc Hân"
SEEN = {"full_name", "dob", "sex", "school_name", "school_level", "grade", "school_status", "risk_now", "helmet"}

Push = tuple[str, Mapping[str, Any]]


def _first_visit(town: Town, **changes: Any) -> tuple[str, str, dict[str, Any]]:
    """A child that was registered and visited; its id, base and data."""
    child = new_id()
    created = town.apply(register(new_id(), {child: NAME}))
    base = next(entity["etag"] for entity in created["entities"] if entity["id"] == child)
    receipt = town.apply(visit(child, NAME, base, town.child(child)["data"], **changes))
    return child, receipt["entities"][0]["etag"], town.child(child)["data"]


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in SEEN if name in data}


def _told(state: Mapping[str, Any]) -> dict[str, Any]:
    """What must not depend on the order of arrival."""
    conflicts = [
        (one["id"], one["cell"], sorted(orjson.dumps(value) for value in one["values"])) for one in state["conflicts"]
    ]
    visits = sorted(state["visits"], key=lambda visit: str(visit["rule"]))
    return {name: state[name] for name in ("data", "provenance")} | {"visits": visits, "conflicts": conflicts}


def _offline(child: str, base: str, data: Mapping[str, Any]) -> list[Push]:
    """Two people on the same state: both rename, one changes the school and then the helmet."""
    one = visit(child, "Lê Ngọc Hân Nhi", base, _shown(data), school_name="Tiểu học Cầu Sắt")
    renamed = _shown(data) | {"full_name": "Lê Ngọc Hân Nhi", "school_name": "Tiểu học Cầu Sắt"}
    two = visit(child, "Lê Ngọc Hân Nhi", base, renamed, [one["id"]], school_name="Tiểu học Cầu Sắt", helmet="0")
    other = visit(child, "Lê Thị Ngọc Hân", base, _shown(data))
    return [("u1", one), ("u1", two), ("u2", other)]


def test_two_phones_in_any_order_come_to_the_same_state(new_town: Callable[..., Town]) -> None:
    first = new_town()
    child, base, data = _first_visit(first)
    history = [orjson.loads(raw) for raw in first.stored().values()]
    history.sort(key=lambda value: value["form"] != "household_registration")
    pushes = _offline(child, base, data)
    told, outcomes = [], []
    for order in permutations(range(3)):
        town = new_town()
        town.push(history)
        receipts = {index: town.push([pushes[index][1]], pushes[index][0])[0] for index in order}
        for index in reversed(order):
            again = town.push([pushes[index][1]], pushes[index][0])
            assert again == [receipts[index] | {"repeat": True}]
        state = town.child(child)
        assert [conflict["cell"] for conflict in state["conflicts"]] == ["full_name"]
        told.append(_without_times(_told(state)))
        outcomes.append([receipts[index]["outcome"] for index in range(3)])
    assert all(one == told[0] for one in told)
    assert told[0]["data"]["school_name"] == "Tiểu học Cầu Sắt"
    assert told[0]["data"]["helmet"] == "0"
    for order, found in zip(permutations(range(3)), outcomes, strict=True):
        assert found[2] == ("conflict" if order.index(2) > order.index(0) else "applied")


def _without_times(told: Any) -> Any:
    """Times are normalised by the clock of each server at its own first receipt; all else must be equal."""
    if isinstance(told, dict):
        dated = ("observed_at", "due", "earliest", "latest", "id")
        return {name: _without_times(value) for name, value in told.items() if name not in dated}
    if isinstance(told, list | tuple):
        return [_without_times(value) for value in told if not isinstance(value, bytes)]
    return told


def test_a_conflict_names_both_values_and_who_said_them(town: Town) -> None:
    child, base, data = _first_visit(town)
    one, _, other = _offline(child, base, data)
    town.apply(one[1], "u1")
    (receipt,) = town.push([other[1]], "u2")
    (conflict,) = town.child(child)["conflicts"]
    assert receipt["entities"][0]["conflicts"] == [conflict["id"]]
    assert {(value["author"], value["value"]["full_name"]) for value in conflict["values"]} == {
        ("u1", "Lê Ngọc Hân Nhi"),
        ("u2", "Lê Thị Ngọc Hân"),
    }
    joined = visit(child, "Ngọc Hân", base, _shown(data))
    (third,) = town.push([joined], "s1")
    assert third["outcome"] == "conflict"
    (conflict,) = town.child(child)["conflicts"]
    assert len(conflict["values"]) == 3


def test_both_saying_the_same_is_no_conflict(town: Town) -> None:
    child, base, data = _first_visit(town)
    for user in ("u1", "u2"):
        town.apply(visit(child, "Lê Ngọc Hân Nhi", base, _shown(data)), user)
    state = town.child(child)
    assert (state["data"]["full_name"], state["conflicts"]) == ("Lê Ngọc Hân Nhi", [])


def _old_risk_with_seen(town: Town, child: str, base: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return visit(child, NAME, base, _shown(data), school_name="Tiểu học Cầu Sắt")


def _old_risk_without_seen(town: Town, child: str, base: str, data: Mapping[str, Any]) -> dict[str, Any]:
    return visit(child, NAME, base, school_name="Tiểu học Cầu Sắt")


def _old_risk_in_xml(town: Town, child: str, base: str, data: Mapping[str, Any]) -> dict[str, Any]:
    value = visit(child, NAME, base, school_name="Tiểu học Cầu Sắt")
    entity = {"dataset": "child", "id": child, "update": "1", "baseVersion": base.partition("-")[0]}
    return in_xml(town.nest.catalogue.find(value["form"], value["version"]).form, value, entity)  # type: ignore[union-attr]


@pytest.mark.parametrize("phone", [_old_risk_with_seen, _old_risk_without_seen, _old_risk_in_xml])
@pytest.mark.parametrize("raised_first", [True, False])
def test_a_risk_is_not_lowered_by_a_form_that_was_filled_before(
    town: Town, phone: Callable[..., dict[str, Any]], raised_first: bool
) -> None:
    child, base, data = _first_visit(town)
    raised = visit(child, NAME, base, _shown(data), risk_now="3")
    pushes: Sequence[Push] = [("u1", raised), ("u2", phone(town, child, base, data))]
    for user, value in pushes if raised_first else reversed(pushes):
        receipt = town.apply(value, user)
        assert receipt["entities"][0]["overruled"] == []
    state = town.child(child)
    assert (state["data"]["risk_now"], state["data"]["school_name"]) == ("3", "Tiểu học Cầu Sắt")
    assert state["conflicts"] == []
    assert state["provenance"]["risk_now"]["author"] == "u1"
    assert state["provenance"]["school"]["author"] == "u2"


def test_a_lower_risk_of_somebody_who_saw_the_higher_is_told_and_does_not_show(town: Town) -> None:
    child, base, data = _first_visit(town, risk_now="3")
    (receipt,) = town.push([visit(child, NAME, base, _shown(data), risk_now="1")], "u2")
    assert (receipt["outcome"], receipt["entities"][0]["overruled"]) == ("merged", ["risk_now"])
    assert town.child(child)["data"]["risk_now"] == "3"


def test_a_dropout_becomes_a_visit_that_is_due_and_stands_on_the_list(town: Town) -> None:
    child, base, data = _first_visit(town)
    dropped = visit(child, NAME, base, _shown(data), school_status="3", dropout_date=moment(-3)[:10])
    for gone in ("school_level", "grade", "school_name"):
        del dropped["answers"][gone]
    receipt = town.apply(dropped)
    (due,) = [one for one in town.child(child)["visits"] if one["rule"] == "F-DROPOUT"]
    today = local_date(now())
    assert due["state"] == "open"
    assert due["caused_by"] == receipt["id"]
    assert due["due"] == (today + timedelta(days=14)).isoformat()
    assert due["earliest"] == (today + timedelta(days=7)).isoformat()
    assert due["why"]["vi"].startswith("Trẻ 6-15 tuổi không đi học")
    assert _issue(town, today) == []
    lines = _lines(town, _issue(town, today + timedelta(days=7)))
    assert [(line["visit"], line["rule"], line["name"], line["outcome"]) for line in lines] == [
        (due["id"], "F-DROPOUT", NAME, None)
    ] * 2  # u1 and u2 share the hamlet

    back = visit(child, NAME, receipt["entities"][0]["etag"], _shown(town.child(child)["data"]))
    town.apply(back, "u2")
    assert [one["rule"] for one in town.child(child)["visits"]] == ["F-CHECKUP"]
    lines = _lines(town, _issue(town, today + timedelta(days=7)))
    assert {line["outcome"] for line in lines} == {"done"}


def test_nobody_home_is_a_visit_to_make_again_and_changes_no_word(town: Town) -> None:
    child, base, data = _first_visit(town)
    missed = item("child_situation", nobody_home(child), claim("child", child, base, _shown(data)))
    receipt = town.apply(missed)
    state = town.child(child)
    (again,) = [one for one in state["visits"] if one["rule"] == "F-RETRY"]
    assert again["caused_by"] == receipt["id"]
    assert {name: value for name, value in state["data"].items() if name != "note"} == data
    town.apply(visit(child, NAME, receipt["entities"][0]["etag"], _shown(data)))
    assert [one for one in town.child(child)["visits"] if one["rule"] == "F-RETRY"] == []


def test_an_update_that_comes_before_its_create(new_town: Callable[..., Town]) -> None:
    states = []
    child, home = new_id(), new_id()
    created = register(home, {child: NAME}) | {
        "observed_at": moment(-0.01)
    }  # what was first must not be a matter of ms
    seen = {"full_name": NAME, "sex": "2"}
    updated = visit(child, "Lê Ngọc Hân Nhi", "0-", seen, [created["id"]], risk_now="2")
    for order in ([created, updated], [updated, created]):
        town = new_town()
        for value in order:
            (receipt,) = town.push([value])
            assert receipt["outcome"] == "applied", receipt
            if order[0] is updated and value is updated:
                assert receipt["warnings"] == ["no_place_yet"]
                assert town.get(f"/api/v1/entities/child/{child}", "u1").status_code == 404
                assert town.get(f"/api/v1/entities/child/{child}", "s1").status_code == 200
        states.append(town.child(child))
    assert states[0]["scope"] == states[1]["scope"] == f"{AREA}/01"
    assert states[0]["data"] == states[1]["data"]
    assert states[0]["data"]["full_name"] == "Lê Ngọc Hân Nhi"
    assert _without_times(_told(states[0])) == _without_times(_told(states[1]))


def test_provenance_tells_whose_word_each_cell_is(town: Town) -> None:
    child, base, data = _first_visit(town)
    value = visit(child, NAME, base, _shown(data), helmet="0")
    receipt = town.apply(value, "u2")
    state = town.child(child)
    assert state["etag"] == receipt["entities"][0]["etag"]
    said = state["provenance"]["helmet"]
    assert (said["author"], said["submission"], said["value"]) == ("u2", value["id"], {"helmet": "0"})
    assert state["provenance"]["full_name"]["author"] == "u1"
    assert set(state["data"]) == {name for cell in state["provenance"].values() for name in cell["value"]}


@pytest.mark.parametrize("user", ["u9", "c1", "a1"])
def test_what_lies_outside_of_ones_scope_is_not_there(town: Town, user: str) -> None:
    child, _, _ = _first_visit(town)
    home = town.child(child)["data"]["household"]
    unknown = town.get(f"/api/v1/entities/child/{new_id()}", user)
    for path in (f"child/{child}", f"household/{home}"):
        answer = town.get(f"/api/v1/entities/{path}", user)
        assert (answer.status_code, answer.get_data()) == (404, unknown.get_data())


@pytest.mark.parametrize("user", ["u1", "u2", "s1"])
def test_those_in_charge_read_it(town: Town, user: str) -> None:
    child, _, _ = _first_visit(town)
    assert town.child(child, user)["data"]["full_name"] == NAME
    assert town.household(town.child(child, user)["data"]["household"], user)["scope"] == f"{AREA}/01"


def test_an_entity_is_found_under_its_own_type_only(town: Town) -> None:
    child, _, _ = _first_visit(town)
    for kind in ("household", "person", "x" * 200):
        assert town.get(f"/api/v1/entities/{kind}/{child}").status_code == 404


def test_a_list_is_read_by_its_own_collaborator_and_those_who_plan(town: Town) -> None:
    child, base, data = _first_visit(town)
    town.apply(item("child_situation", nobody_home(child), claim("child", child, base, _shown(data))))
    numbers = _issue(town, local_date(now()) + timedelta(days=2))
    assert len(numbers) == 2
    assert numbers == _issue(town, local_date(now()) + timedelta(days=2))
    owners = {town.get(f"/api/v1/lists/{number}", "c1").get_json()["collaborator"]: number for number in numbers}
    assert set(owners) == {"u1", "u2"}
    for user, status in {"u1": 200, "u2": 404, "u9": 404, "s1": 200, "c1": 200, "a1": 404}.items():
        answer = town.get(f"/api/v1/lists/{owners['u1']}", user)
        assert answer.status_code == status, user
    assert town.get("/api/v1/lists/31135-20260101-99").status_code == 404


def test_a_household_moves_with_its_children_out_of_ones_sight(town: Town) -> None:
    child, _, _ = _first_visit(town)
    home = town.child(child)["data"]["household"]
    state = town.household(home)
    moved = register(home, {}, hamlet_code="05", members=[])
    moved["entities"] = [claim("household", home, state["etag"], state["data"])]
    moved["answers"] |= {"head_name": state["data"]["head_name"]}
    (receipt,) = town.push([moved], "s1")
    assert receipt["outcome"] == "applied", receipt
    assert town.get(f"/api/v1/entities/child/{child}", "u1").status_code == 404
    assert town.child(child, "u9")["scope"] == f"{AREA}/05"


def _issue(town: Town, day: date) -> list[str]:
    with town.app.app_context():
        return issue_lists(day, AREA)


def _lines(town: Town, numbers: Sequence[str]) -> list[dict[str, Any]]:
    found = [town.get(f"/api/v1/lists/{number}", "s1").get_json() for number in numbers]
    return [line for one in found for line in one["lines"]]
