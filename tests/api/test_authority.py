"""Who may write what follows from what he could know, never from the order in which things arrive."""

from collections.abc import Callable
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from server.store.tables import Entity
from tests.api.builders import AREA, OTHER, claim, item, moment, new_id, register, registration, rewrite, visit
from tests.api.conftest import Town

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Trần Gia Huy"
WHY = "Đã hỏi lại"


class Family:
    """A household in hamlet 01 with one child."""

    def __init__(self, town: Town, user: str = "u1", **answers: Any) -> None:
        self.town, self.home, self.child = town, new_id(), new_id()
        self.created = register(self.home, {self.child: NAME}, **answers)
        receipt = town.apply(self.created, user)
        self.bases = {entity["id"]: entity["etag"] for entity in receipt["entities"]}
        self.data = town.household(self.home, "s1")["data"]

    def visit(self, **changes: Any) -> dict[str, Any]:
        return visit(self.child, NAME, self.bases[self.child], {"full_name": NAME}, **changes)

    def rewritten(self, **changes: Any) -> dict[str, Any]:
        return rewrite(self.home, self.bases[self.home], self.data, **changes)

    def moved(self, hamlet: str) -> None:
        """A supervisor moves the household to another hamlet."""
        body = {"base": self.town.household(self.home, "s1")["etag"], "values": {"hamlet_code": hamlet}}
        self.town.act(f"entities/household/{self.home}/correct", "s1", reason=WHY, **body)


def _end(town: Town, sub: str, user: str, child: str) -> Any:
    """Where a submission stands at last, and what shows of the child, whatever the order was."""
    told, state = town.status(sub, user), town.child(child, "s1")
    cells = {name: (cell["value"], cell["author"]) for name, cell in state["provenance"].items()}
    return told["state"], told["reason"], town.page(sub)["elsewhere"], state["scope"], state["data"], cells


def test_a_visit_made_before_a_move_counts_in_both_orders(new_town: Callable[..., Town]) -> None:
    ends = []
    for moved_first in (True, False):
        town = new_town()
        family = Family(town)
        value = family.visit(helmet="0", risk_now="2")
        if moved_first:
            family.moved("05")
        receipt = town.apply(value)
        assert ("etag" in receipt["entities"][0]) is not moved_first  # out of his sight he hears no more of it
        if not moved_first:
            assert town.page(value["id"])["elsewhere"] is False
            family.moved("05")
        ends.append(_end(town, value["id"], "u1", family.child))
        ends[-1][4].pop("household"), ends[-1][5].pop("household")
    assert ends[0] == ends[1]
    assert ends[0][:4] == ("received", None, True, f"{AREA}/05")
    assert ends[0][4]["risk_now"] == "2"


@pytest.mark.parametrize("user", ["u9", "u5"])
def test_a_stranger_does_not_count(town: Town, user: str) -> None:
    family = Family(town)
    for value in (family.visit(), family.rewritten(), family.visit() | {"kind": "delete"}):
        (receipt,) = town.push([value], user)
        assert (receipt["outcome"], receipt["reason"], receipt["entities"]) == ("quarantined", "out_of_area", [])
        assert receipt["problems"]
    state = town.child(family.child)
    assert state["etag"] == family.bases[family.child]  # he may not read it: it takes no revision
    assert state["conflicts"] == []


def test_an_orphan_is_seen_by_the_supervisors_of_its_author_alone(town: Town) -> None:
    child = new_id()
    value = visit(child, NAME, "0-", {"full_name": NAME}, ["uuid:not-here-yet"])
    (receipt,) = town.push([value], "u9")
    assert (receipt["outcome"], receipt["warnings"]) == ("applied", ["no_place_yet"])
    assert receipt["entities"] == [{"type": "child", "id": child}]
    seen = {user: town.get(f"/api/v1/entities/child/{child}", user).status_code for user in town.tokens}
    assert {user for user, status in seen.items() if status == 200} == {"s1"}
    assert town.status(value["id"], "u9")["state"] == "received"
    assert town.get(f"/api/v1/submissions/{value['id']}", "s5").status_code == 404
    assert town.rows(select(Entity.scope, Entity.area).where(Entity.id == child)) == [(None, AREA)]


@pytest.mark.parametrize("creator", ["u1", "u5"])
def test_an_orphan_is_withdrawn_when_the_child_turns_out_to_be_anothers(
    new_town: Callable[..., Town], creator: str
) -> None:
    """The same end as if the create had come first."""
    child, home = new_id(), new_id()
    ward = AREA if creator == "u1" else OTHER
    created = register(home, {child: NAME}, ward_code=ward)
    update = visit(child, "Tên Khác", "0-", {"full_name": NAME}, [created["id"]], risk_now="3")
    ends, etags = [], []
    for order in ([created, update], [update, created]):
        town = new_town()
        outcomes = {}
        for value in order:
            (receipt,) = town.push([value], "u9" if value is update else creator)
            outcomes[value["id"]] = receipt["outcome"]
        assert outcomes[created["id"]] == "applied"
        assert outcomes[update["id"]] == ("quarantined" if order[0] is created else "applied")
        told = town.status(update["id"], "u9")
        supervisor = "s1" if creator == "u1" else "s5"
        state = town.child(child, supervisor)
        history = town.get(f"/api/v1/entities/child/{child}/history", supervisor).get_json()
        assert update["id"] not in orjson.dumps(history).decode()
        ends.append((told["state"], told["reason"], state["data"], state["scope"], state["conflicts"]))
        etags.append(state["revision"])
        assert town.stored()[update["id"]] == orjson.dumps(update)
        assert town.page(update["id"], "s1")["state"] == "quarantined"
    assert ends[0] == ends[1]
    assert ends[0][:2] == ("quarantined", "out_of_area")
    assert ends[0][3] == f"{ward}/01"
    assert etags[1] == etags[0] + 2  # it came in, and its withdrawal takes a revision


def test_a_held_visit_counts_as_soon_as_the_household_comes_to_its_author(town: Town) -> None:
    family = Family(town)
    held, home = family.visit(helmet="0"), family.rewritten(hamlet_code="01", landmark="Gần cầu sắt")
    assert {receipt["reason"] for receipt in town.push([held, home], "u9")} == {"out_of_area"}
    family.moved("05")
    assert town.child(family.child, "u9")["data"]["helmet"] == "0"
    assert town.household(family.home, "u9")["data"]["landmark"] == "Gần cầu sắt"
    for value in (held, home):
        told = town.status(value["id"], "u9")
        assert (told["state"], told["reason"]) == ("received", None)
        assert town.page(value["id"])["outcome"] == "quarantined"
        assert town.push([value], "u9")[0]["reason"] == "out_of_area"  # a receipt never changes


def test_a_held_visit_counts_when_the_child_comes_to_a_household_of_its_author(town: Town) -> None:
    family, other = Family(town), Family(town, "u9", hamlet_code="05")
    held = family.visit(helmet="0")
    town.push([held], "u9")
    body = {"base": town.child(family.child)["etag"], "values": {"household": other.home}}
    town.act(f"entities/child/{family.child}/correct", "s1", reason=WHY, **body)
    assert town.child(family.child, "u9")["data"]["helmet"] == "0"
    assert town.status(held["id"], "u9")["state"] == "received"


def test_what_was_set_aside_stays_aside_when_places_grow_until_it_is_taken_back(town: Town) -> None:
    family = Family(town)
    held = family.visit(helmet="0")
    town.push([held], "u9")
    town.act(f"submissions/{held['id']}/reject", "s1", reason="Không phải cộng tác viên của hộ")
    assert town.status(held["id"], "u9")["state"] == "set_aside"
    family.moved("05")
    assert town.child(family.child, "u9")["data"].get("helmet") is None
    assert town.status(held["id"], "u9")["state"] in ("set_aside", "rejected")
    town.act(f"submissions/{held['id']}/unreject", "s1", reason=WHY)
    assert town.child(family.child, "u9")["data"]["helmet"] == "0"
    assert town.status(held["id"], "u9")["state"] == "received"


def test_setting_aside_what_was_said_of_nobody_known_makes_nobody_known(town: Town) -> None:
    home, child = new_id(), new_id()
    value = register(home, {child: NAME})
    assert town.push([value], "u9")[0]["reason"] == "out_of_area"
    town.act(f"submissions/{value['id']}/reject", "s1", reason="Nhập thử")
    assert town.rows(select(Entity.id).where(Entity.id.in_([home, child]))) == []
    town.apply(register(home, {child: "Tên Khác"}), "u1")
    assert town.child(child)["data"]["full_name"] == "Tên Khác"
    family = town.household(home)
    body = {"base": family["etag"], "values": {"hamlet_code": "05"}, "reason": WHY}
    town.act(f"entities/household/{home}/correct", "s1", **body)
    assert town.child(child, "u9")["data"]["full_name"] == "Tên Khác"
    assert town.child(child, "u9")["conflicts"] == []


def test_of_two_creates_of_one_id_by_strangers_the_first_to_arrive_has_it(new_town: Callable[..., Town]) -> None:
    home = new_id()
    mine, theirs = register(home, {}), register(home, {}, hamlet_code="05", phone="0987654321")
    for order in ([("u1", mine), ("u9", theirs)], [("u9", theirs), ("u1", mine)]):
        town = new_town()
        (first,), (second,) = [town.push([value], user) for user, value in order]
        assert (first["outcome"], second["outcome"], second["reason"]) == ("applied", "quarantined", "out_of_area")
        state = town.household(home, "s1")
        assert state["scope"] == f"{AREA}/{order[0][1]['answers']['hamlet_code']}"
        assert (state["data"]["phone"], state["conflicts"]) == (order[0][1]["answers"]["phone"], [])


@pytest.mark.parametrize("ward", [AREA, OTHER])
def test_a_create_of_a_known_household_by_a_stranger_takes_nothing_over(town: Town, ward: str) -> None:
    family = Family(town)
    user, hamlet = ("u9", "05") if ward == AREA else ("u5", "01")
    grab = register(family.home, {family.child: "Tên Khác"}, ward_code=ward, hamlet_code=hamlet)
    (receipt,) = town.push([grab], user)
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "out_of_area")
    assert town.household(family.home)["etag"] == family.bases[family.home]
    assert town.get(f"/api/v1/entities/household/{family.home}", user).status_code == 404


def _assigned(town: Town, begins: float, ends: float | None) -> None:
    town.relieved("u9")
    town.assigned("u9", AREA, "01", begins, ends)


@pytest.mark.parametrize(
    ("begins", "ends", "observed", "outcome"),
    [
        (-25, -3, -5, "applied"),  # he held it when he was there
        (-25, -3, -1, "quarantined"),
        (-2, None, -5, "applied"),  # he holds it now
        (-25, -3, -40, "quarantined"),
        (2, None, 0, "quarantined"),
    ],
)
def test_an_assignment_counts_at_the_observed_time_or_at_the_first_receipt(
    town: Town, begins: float, ends: float | None, observed: float, outcome: str
) -> None:
    family = Family(town)
    _assigned(town, begins, ends)
    value = family.visit() | {"observed_at": moment(observed)}
    (receipt,) = town.push([value], "u9")
    assert receipt["outcome"] == outcome, receipt


def test_a_paper_form_of_the_old_days_counts_by_the_old_charge(town: Town) -> None:
    family = Family(town)
    _assigned(town, -25, -3)
    value = family.visit() | {"observed_at": moment(-6), "entered_late": True}
    assert town.push([value], "u9")[0]["outcome"] == "applied"


def test_who_never_had_a_charge_is_held_and_shown_to_nobody_elses_supervisor(town: Town) -> None:
    town.relieved("u9")
    value = register(new_id(), {})
    (receipt,) = town.push([value], "u9")
    assert receipt["reason"] == "out_of_area"
    assert town.get(f"/api/v1/submissions/{value['id']}", "s1").status_code == 404
    assert town.status(value["id"], "u9")["state"] == "quarantined"


def test_a_mistyped_ward_in_a_new_household_is_held_and_read_right(town: Town) -> None:
    home, child = new_id(), new_id()
    value = register(home, {child: NAME}, ward_code="31120")
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "out_of_area")
    patch = {"/answers/ward_code": "31135", "/answers/hamlet_code": "01"}
    town.act(f"submissions/{value['id']}/repair", "s1", reason="Gõ nhầm phường", patch=patch)
    assert town.child(child)["scope"] == f"{AREA}/01"
    assert town.get(f"/api/v1/entities/household/{home}", "u5").status_code == 404
    assert town.household(home)["conflicts"] == []


def _with_row(home: str, child: str, base: str, seen: dict[str, Any] | None, **answers: Any) -> dict[str, Any]:
    """A household whose form lists a child that is known already."""
    rows = registration(home, {child: NAME})["members"]
    value = item("household_registration", registration(home, {}, members=rows, **answers), claim("household", home))
    value["entities"].append(claim("child", child, base, seen))
    return value


def test_a_child_goes_to_another_household_by_who_may_write_both(town: Town) -> None:
    family, home = Family(town), new_id()
    seen = {"household": family.home, "full_name": NAME}
    town.apply(_with_row(home, family.child, family.bases[family.child], seen), "u2")
    state = town.child(family.child)
    assert (state["data"]["household"], state["conflicts"]) == (home, [])


def test_a_child_goes_to_another_household_as_a_request_of_who_may_not(town: Town) -> None:
    family, home = Family(town), new_id()
    seen = {"household": family.home, "full_name": NAME}
    value = _with_row(home, family.child, family.bases[family.child], seen, hamlet_code="05")
    assert town.push([value], "u9")[0]["reason"] == "out_of_area"
    town.act(f"submissions/{value['id']}/accept", "s1", reason=WHY)
    state = town.child(family.child)
    assert (state["data"]["household"], state["scope"]) == (family.home, f"{AREA}/01")
    (conflict,) = state["conflicts"]
    assert conflict["cell"] == "household"
    page = town.get(f"/api/v1/conflicts/{conflict['id']}", "s1").get_json()
    assert [member["request"] for member in page["members"] if member["submission"] == value["id"]] == [True]
    members = [member["submission"] for member in page["members"]]
    town.act(f"conflicts/{conflict['id']}/resolve", "s1", seen=members, choice=value["id"], reason=WHY)
    state = town.child(family.child, "u9")
    assert (state["data"]["household"], state["scope"], state["conflicts"]) == (home, f"{AREA}/05", [])
