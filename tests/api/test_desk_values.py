"""A supervisor's words on an entity: correct, decide a conflict, delete and restore."""

from typing import Any

import pytest

from tests.api.builders import AREA, claim, moment, new_id, register, visit
from tests.api.conftest import Town
from tests.api.test_outcomes import registered

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Lê Ngọc Hân"
ONE, TWO, THREE = "Lê Ngọc Hân Nhi", "Lê Thị Ngọc Hân", "Ngọc Hân"
WHY = "Xem giấy khai sinh"


def disputed(town: Town) -> tuple[str, str, dict[str, Any], list[str]]:
    """A child whose name two people have changed at once: id, base and data before, the two submissions."""
    child, base, data = registered(town)
    values = [visit(child, name, base, data) for name in (ONE, TWO)]
    for user, value in zip(("u1", "u2"), values, strict=True):
        town.push([value], user)
    return child, base, data, [value["id"] for value in values]


def _conflict(town: Town, child: str) -> dict[str, Any]:
    (conflict,) = town.child(child)["conflicts"]
    page = town.get(f"/api/v1/conflicts/{conflict['id']}", "s1")
    assert page.status_code == 200
    return page.get_json()


def _seen(conflict: dict[str, Any]) -> list[str]:
    return [member["submission"] for member in conflict["members"]]


def test_a_correction_stands_over_what_its_author_saw(town: Town) -> None:
    child, _, data = registered(town, risk_now="3")
    base = town.child(child)["etag"]
    values = {"full_name": "  Lê  Ngọc Hân Nhi", "risk_now": "1"}
    done = town.act(f"entities/child/{child}/correct", "s1", base=base, reason=WHY, values=values)
    state = town.child(child)
    assert (done["entity"], done["etag"]) == (child, state["etag"])
    assert (state["data"]["full_name"], state["data"]["risk_now"]) == (ONE, "1")
    assert state["data"] == data | {"full_name": ONE, "risk_now": "1"}
    assert state["provenance"]["full_name"]["author"] == "s1"


def test_a_correction_does_not_beat_what_came_after_its_base(town: Town) -> None:
    child, base, data = registered(town)
    town.apply(visit(child, ONE, base, data, risk_now="2"), "u1")
    town.act(
        f"entities/child/{child}/correct", "s1", base=base, reason=WHY, values={"full_name": TWO, "risk_now": "0"}
    )
    state = town.child(child)
    assert [one["cell"] for one in state["conflicts"]] == ["full_name"]
    assert (state["data"]["full_name"], state["data"]["risk_now"]) == (TWO, "2")


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"favourite_colour": "xanh"}, "/values/favourite_colour"),
        ({"sex": "7"}, "/values/sex"),
        ({"dob": "2025-02-30"}, "/values/dob"),
        ({"sc_codes": ["SC11"]}, "/values/sc_codes"),
        ({"abuse_signs": ["5"]}, "/values/abuse_signs"),  # it belongs to the other half
        ({"household": "no such household"}, "/values/household"),
        ({"imm_full_by_1y": "1"}, "/values/imm_full_by_1y"),
        ({"injuries": [{"colour": "đỏ"}]}, "/values/injuries"),
    ],
)
def test_a_correction_that_says_nothing_possible_is_refused(town: Town, values: Any, pointer: str) -> None:
    child, _, data = registered(town)
    base = town.child(child)["etag"]
    answer = town.ask(f"entities/child/{child}/correct", "s1", base=base, reason=WHY, values=values)
    assert (answer.status_code, answer.get_json()["code"]) == (422, "invalid")
    assert answer.get_json()["pointer"] == pointer
    assert town.child(child)["data"] == data


def test_a_child_is_not_put_into_itself_or_into_another_child(town: Town) -> None:
    child, _, _ = registered(town)
    other, _, _ = registered(town)
    for home in (child, other):
        body = {"base": town.child(child)["etag"], "reason": WHY, "values": {"household": home}}
        assert town.refusal(f"entities/child/{child}/correct", "s1", **body) == (422, "invalid")
    assert town.child(child)["scope"] == f"{AREA}/01"


def test_a_correction_moves_a_child_to_another_household(town: Town) -> None:
    child, _, _ = registered(town)
    home = new_id()
    town.apply(register(home, {}, hamlet_code="05"), "u9")
    body = {"base": town.child(child)["etag"], "reason": WHY, "values": {"household": home}}
    town.act(f"entities/child/{child}/correct", "s1", **body)
    assert town.child(child, "u9")["scope"] == f"{AREA}/05"
    assert town.get(f"/api/v1/entities/child/{child}", "u1").status_code == 404


@pytest.mark.parametrize("base", ["7-0123456789", "1-0123456789", "x", "", "99-"])
def test_a_base_that_is_not_of_this_server_is_refused(town: Town, base: str) -> None:
    child, _, _ = registered(town)
    body = {"base": base, "reason": WHY, "values": {"full_name": TWO}}
    assert town.refusal(f"entities/child/{child}/correct", "s1", **body) == (409, "unknown_base")


def test_a_conflict_page_shows_the_base_all_values_and_who_had_seen_what(town: Town) -> None:
    child, _, _, (one, two) = disputed(town)
    page = _conflict(town, child)
    assert page["entity"] == {"type": "child", "id": child, "label": page["entity"]["label"]}
    assert page["cell"] == "full_name"
    assert page["labels"]["vi"] == "Họ và tên trẻ"
    members = {member["submission"]: member for member in page["members"]}
    assert set(members) == {one, two}
    assert [members[sub]["value"]["full_name"] for sub in (one, two)] == [ONE, TWO]
    assert [members[sub]["author"] for sub in (one, two)] == ["u1", "u2"]
    assert [member["value"] for member in page["members"] if member["shows"]] == [page["provisional"]]
    for member in page["members"]:
        assert member["base"] == {"full_name": NAME}
        assert len(member["saw"]) == 2
        assert not {one, two} & set(member["saw"])


@pytest.mark.parametrize("way", ["choice", "value"])
def test_a_ruling_closes_a_conflict_and_its_losers_are_told(town: Town, way: str) -> None:
    child, _, _, (one, two) = disputed(town)
    page = _conflict(town, child)
    body = {"choice": one} if way == "choice" else {"value": {"full_name": THREE}}
    done = town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, **body)
    state = town.child(child)
    assert (done["conflict"], done["etag"]) == (page["id"], state["etag"])
    assert (state["data"]["full_name"], state["conflicts"]) == (ONE if way == "choice" else THREE, [])
    notice = {"entity": child, "cell": "full_name", "kind": "ruled"}
    assert town.status(two, "u2")["notices"] == [notice]
    assert town.status(one, "u1")["notices"] == ([] if way == "choice" else [notice])
    closed = town.get(f"/api/v1/conflicts/{page['id']}", "s1").get_json()
    assert (closed["open"], closed["resolved_by"]) == (False, done["id"])
    assert town.get("/api/v1/conflicts", "s1").get_json()["conflicts"] == []
    listed = town.get("/api/v1/conflicts?closed=true", "s1").get_json()["conflicts"]
    assert [line["id"] for line in listed] == [page["id"]]


def test_a_ruling_on_members_that_have_changed_is_stale_and_tells_the_new_ones(town: Town) -> None:
    child, base, data, (one, two) = disputed(town)
    page = _conflict(town, child)
    late = visit(child, THREE, base, data)
    town.push([late], "u1")
    answer = town.ask(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, choice=one)
    assert (answer.status_code, answer.get_json()["code"]) == (409, "stale")
    (now,) = answer.get_json()["conflicts"]
    assert sorted(now["members"]) == sorted([one, two, late["id"]])
    assert len(town.child(child)["conflicts"]) == 1
    town.act(f"conflicts/{now['id']}/resolve", "s1", seen=now["members"], reason=WHY, choice=one)
    assert (town.child(child)["data"]["full_name"], town.child(child)["conflicts"]) == (ONE, [])


def test_a_ruling_is_taken_back_and_its_conflict_is_open_again(town: Town) -> None:
    child, _, _, (one, two) = disputed(town)
    page = _conflict(town, child)
    done = town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, choice=one)
    path = f"submissions/{done['id']}"
    assert town.refusal(f"{path}/unreject", "s1", reason=WHY) == (409, "cannot_apply")
    assert town.refusal(f"{path}/reject", "s1") == (422, "invalid")
    for stranger in ("u1", "s5", "c1", "a1"):
        assert town.refusal(f"{path}/reject", stranger, reason=WHY) == (404, "not_found")
    back = town.act(f"{path}/reject", "s1", reason="Nhầm giấy")
    assert (back["target"], back["etag"]) == (done["id"], town.child(child)["etag"])
    again = _conflict(town, child)
    assert (again["id"], again["open"], again["resolved_by"]) == (page["id"], True, None)
    assert sorted(_seen(again)) == sorted([one, two])
    assert town.status(two, "u2")["notices"] == []
    assert town.refusal(f"{path}/reject", "s1", reason=WHY) == (409, "cannot_apply")
    town.act(f"{path}/unreject", "s1", reason="Không nhầm")
    state = town.child(child)
    assert (state["data"]["full_name"], state["conflicts"]) == (ONE, [])
    closed = town.get(f"/api/v1/conflicts/{page['id']}", "s1").get_json()
    assert (closed["open"], closed["resolved_by"]) == (False, done["id"])


def test_a_refused_deletion_is_before_the_officer_again_when_that_is_taken_back(town: Town) -> None:
    child, base, _ = registered(town)
    value = _deletion(child, base)
    town.push([value], "u1")
    page = _conflict(town, child)
    done = town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, value={"$delete": False})
    assert town.child(child)["conflicts"] == []
    town.act(f"submissions/{done['id']}/reject", "s1", reason="Trẻ trùng thật")
    assert _seen(_conflict(town, child)) == [value["id"]]
    assert town.child(child)["deleted"] is False


def test_a_late_value_opens_it_again_and_the_ruling_shows_meanwhile(town: Town) -> None:
    child, base, data, (one, _) = disputed(town)
    page = _conflict(town, child)
    ruling = town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, choice=one)
    late = visit(child, THREE, base, data)
    (receipt,) = town.push([late], "u1")
    assert receipt["outcome"] == "conflict"
    again = _conflict(town, child)
    assert sorted(_seen(again)) == sorted([ruling["id"], late["id"]])
    assert town.child(child)["data"]["full_name"] == ONE
    body = {"seen": _seen(page), "reason": WHY, "choice": one}
    assert town.refusal(f"conflicts/{page['id']}/resolve", "s1", **body) == (409, "stale")


@pytest.mark.parametrize(
    "body", [{}, {"choice": "uuid:other"}, {"choice": "", "value": {"full_name": ONE}}, {"value": {"sex": "1"}}]
)
def test_a_ruling_says_exactly_one_possible_thing(town: Town, body: dict[str, Any]) -> None:
    child, *_ = disputed(town)
    page = _conflict(town, child)
    assert town.refusal(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, **body) == (
        422,
        "invalid",
    )
    assert len(town.child(child)["conflicts"]) == 1


def test_the_dose_that_differs_is_decided_by_its_key(town: Town) -> None:
    child = new_id()
    created = town.apply(register(new_id(), {child: NAME}, years=2))
    base = next(entity["etag"] for entity in created["entities"] if entity["id"] == child)
    rows = [[{"dose": "BCG", "dose_date": moment(-days)[:10]}] for days in (30, 40)]
    infant: dict[str, Any] = {"years": 2, "imm_status": "1", "new_doses": "1", "school_status": "2"}
    ids = []
    for user, row in zip(("u1", "u2"), rows, strict=True):
        value = visit(child, NAME, base, imm_doses=row, **infant)
        for irrelevant in ("school_level", "grade", "school_name"):
            del value["answers"][irrelevant]
        town.push([value], user)
        ids.append(value["id"])
    page = _conflict(town, child)
    assert page["cell"].startswith("imm_doses/")
    town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, choice=ids[0])
    state = town.child(child)
    assert (state["conflicts"], state["data"]["imm_doses"]) == ([], rows[0])


def _deletion(child: str, base: str) -> dict[str, Any]:
    return {
        "id": f"uuid:{new_id()}", "kind": "delete", "observed_at": moment(),
        "entities": [claim("child", child, base)],
    }  # fmt: skip


def test_a_deletion_covers_what_was_seen_and_is_taken_back(town: Town) -> None:
    child, _, data = registered(town)
    deleted = town.act(f"entities/child/{child}/delete", "s1", base=town.child(child)["etag"], reason="Ghi trùng")
    assert town.child(child)["deleted"] is True
    assert town.child(child)["etag"] == deleted["etag"]
    town.act(f"entities/child/{child}/restore", "s1", base=deleted["etag"], reason="Không trùng")
    assert (town.child(child)["deleted"], town.child(child)["data"]) == (False, data)


def test_an_edit_that_was_not_seen_keeps_it_alive_and_opens_a_conflict(town: Town) -> None:
    child, base, data = registered(town)
    town.apply(visit(child, NAME, base, data, helmet="0"), "u1")
    town.act(f"entities/child/{child}/delete", "s1", base=base, reason="Ghi trùng")
    state = town.child(child)
    assert state["deleted"] is False
    assert [one["cell"] for one in state["conflicts"]] == ["$delete"]
    page = _conflict(town, child)
    assert page["labels"]["vi"] == "Xóa hồ sơ"
    death = next(member["submission"] for member in page["members"] if member["act"] == "delete")
    town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, choice=death)
    assert (town.child(child)["deleted"], town.child(child)["conflicts"]) == (True, [])


def test_an_edit_after_a_deletion_that_its_author_had_not_seen_asks_again(town: Town) -> None:
    child, base, data = registered(town)
    town.act(f"entities/child/{child}/delete", "s1", base=base, reason="Ghi trùng")
    (receipt,) = town.push([visit(child, NAME, base, data, helmet="0")], "u1")
    assert receipt["outcome"] == "conflict"
    assert town.child(child)["deleted"] is False


@pytest.mark.parametrize("granted", [True, False])
def test_a_deletion_by_a_collaborator_is_a_request(town: Town, granted: bool) -> None:
    child, base, data = registered(town)
    value = _deletion(child, base)
    (receipt,) = town.push([value], "u1")
    assert receipt["outcome"] == "conflict"
    assert town.child(child)["deleted"] is False
    page = _conflict(town, child)
    assert _seen(page) == [value["id"]]
    if granted:
        town.act(f"conflicts/{page['id']}/resolve", "s1", seen=_seen(page), reason=WHY, choice=value["id"])
    else:
        town.act(f"entities/child/{child}/restore", "s1", base=town.child(child)["etag"], reason="Trẻ vẫn ở đây")
    state = town.child(child)
    assert (state["deleted"], state["conflicts"], state["data"]) == (granted, [], data)
