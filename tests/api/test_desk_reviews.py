"""A supervisor's review of a submission: approve, return, reject, repair, and what its author hears of each."""

from typing import Any
from urllib.parse import quote

import orjson
import pytest
from sqlalchemy import select

from server.store.tables import FeedEntry
from tests.api.builders import BAD_PHONE, claim, new_id, register, visit
from tests.api.conftest import Town
from tests.api.test_outcomes import registered

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Lê Ngọc Hân"
WHY = "Gia đình gọi lại"


def heard(town: Town, user: str, sub: str) -> int:
    """The number of the newest entry about a submission in its author's own feed."""
    query = select(FeedEntry.seq, FeedEntry.here).where(FeedEntry.scope == f"user:{user}", FeedEntry.id == sub)
    ((seq, here),) = town.rows(query)
    assert here
    return int(seq)


def amended(value: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The same form, opened again by its author and sent with other answers, on the screen of the first time."""
    return value | {"id": f"uuid:{new_id()}", "amends": value["id"], "answers": value["answers"] | changes}


def _visited(town: Town, **changes: Any) -> tuple[str, dict[str, Any]]:
    """A child and the item of a visit to it that was applied."""
    child, base, data = registered(town)
    value = visit(child, NAME, base, data, **changes)
    town.apply(value)
    return child, value


def test_approved_is_told_to_the_author_and_changes_no_word(town: Town) -> None:
    child, value = _visited(town, helmet="0")
    before, seq = town.child(child), heard(town, "u1", value["id"])
    done = town.act(f"submissions/{value['id']}/approve", "s1")
    assert (done["act"], done["state"]) == ("approve", "approved")
    assert town.status(value["id"])["state"] == "approved"
    assert town.child(child) == before
    assert heard(town, "u1", value["id"]) > seq
    assert town.get("/api/v1/submissions?state=approved", "s1").get_json()["submissions"][0]["id"] == value["id"]


def test_returned_with_a_comment_on_a_question_comes_back_as_an_amendment(town: Town) -> None:
    child, value = _visited(town, helmet="0")
    seq = heard(town, "u1", value["id"])
    body = {"comment": "Em đi xe gì?", "question": "/answers/helmet"}
    assert town.act(f"submissions/{value['id']}/return", "s1", **body)["state"] == "has_issues"
    told = town.status(value["id"])
    assert (told["state"], told["comment"], told["question"]) == ("has_issues", "Em đi xe gì?", "/answers/helmet")
    assert heard(town, "u1", value["id"]) > seq
    assert town.child(child)["data"]["helmet"] == "0"  # it counts until it is mended
    again = amended(value, helmet="1")
    town.apply(again)
    assert town.child(child)["data"]["helmet"] == "1"
    assert town.page(again["id"])["amends"] == value["id"]
    assert again["id"] in town.page(value["id"])["later"]
    assert town.status(value["id"])["state"] == "edited"
    town.act(f"submissions/{value['id']}/approve", "s1")
    assert (town.status(value["id"])["state"], town.status(value["id"])["question"]) == ("approved", None)


def test_an_amendment_by_somebody_else_mends_nothing(town: Town) -> None:
    _, value = _visited(town, helmet="0")
    town.act(f"submissions/{value['id']}/return", "s1", comment="Xem lại")
    town.push([amended(value, helmet="1")], "u2")
    assert town.status(value["id"])["state"] == "has_issues"
    assert town.page(value["id"])["entities"][0]["cells"]["helmet"]["withdrawn"] is None


def test_an_amendment_of_the_phone_keeps_the_address_that_another_replaced_meanwhile(town: Town) -> None:
    home = new_id()
    value = register(home, {}, phone="0912345678", address_line="Nhà cũ")
    created = town.apply(value)
    other = register(home, {}, address_line="Nhà mới, tổ 4", members=[])
    data = town.household(home)["data"]
    other["entities"] = [claim("household", home, created["entities"][0]["etag"], data)]
    other["answers"] |= {"head_name": data["head_name"]}
    town.apply(other, "u2")
    town.apply(amended(value, phone="0987654321"))
    state = town.household(home)
    assert (state["data"]["phone"], state["data"]["address_line"]) == ("0987654321", "Nhà mới, tổ 4")
    assert (state["provenance"]["contact"]["author"], state["provenance"]["address"]["author"]) == ("u1", "u2")
    assert state["conflicts"] == []
    assert town.status(value["id"])["state"] == "edited"


def test_rejected_and_taken_back_the_data_are_as_before(town: Town) -> None:
    child, base, data = registered(town)
    value = visit(child, "Lê Thị Ngọc Hân", base, data, helmet="0", risk_now="3", child_wish="Được đi học võ")
    town.apply(value)
    before, seq = town.child(child), heard(town, "u1", value["id"])
    done = town.act(f"submissions/{value['id']}/reject", "s1", reason="Nhầm trẻ")
    assert done["state"] == "rejected"
    state = town.child(child)
    assert state["data"] == data
    assert state["revision"] == before["revision"] + 1
    assert (town.status(value["id"])["state"], town.status(value["id"])["comment"]) == ("rejected", "Nhầm trẻ")
    assert heard(town, "u1", value["id"]) > seq
    cells = town.page(value["id"])["entities"][0]["cells"]
    assert {cell["withdrawn"] for cell in cells.values()} == {"rejected"}
    for act in ("approve", "return"):
        assert town.refusal(f"submissions/{value['id']}/{act}", "s1", comment=WHY) == (409, "cannot_apply")
    town.act(f"submissions/{value['id']}/unreject", "s1", reason="Đúng trẻ")
    after = town.child(child)
    for part in ("data", "provenance", "conflicts", "series"):
        assert after[part] == before[part], part
    assert town.status(value["id"])["state"] == "received"
    assert town.refusal(f"submissions/{value['id']}/unreject", "s1", reason=WHY) == (409, "cannot_apply")
    assert town.stored()[value["id"]] == orjson.dumps(value)


def test_rejecting_a_registration_takes_household_and_children_out_of_sight_and_back(town: Town) -> None:
    home, child = new_id(), new_id()
    value = register(home, {child: NAME})
    town.apply(value)
    town.act(f"submissions/{value['id']}/reject", "s1", reason="Hộ không có thật")
    assert town.get(f"/api/v1/entities/household/{home}", "u1").status_code == 404
    assert town.get(f"/api/v1/entities/child/{child}", "u1").status_code == 404
    left = select(FeedEntry.here).where(FeedEntry.id.in_([home, child]))
    assert town.rows(left) == [(False,)] * 2
    town.act(f"submissions/{value['id']}/unreject", "s1", reason=WHY)
    assert town.child(child)["data"]["full_name"] == NAME
    assert town.rows(left) == [(True,)] * 2


def test_an_applied_submission_is_repaired_and_the_effect_is_its_authors(town: Town) -> None:
    child, value = _visited(town, helmet="0", risk_now="3")
    done = town.act(
        f"submissions/{value['id']}/repair",
        "s1",
        reason=WHY,
        patch={"/answers/helmet": "1", "/answers/risk_now": "1"},
    )
    assert done["unchanged"] == {}
    state = town.child(child)
    assert (state["data"]["helmet"], state["data"]["risk_now"]) == ("1", "1")
    said = state["provenance"]["risk_now"]
    assert (said["author"], said["submission"]) == ("u1", value["id"])
    raised = visit(child, NAME, state["etag"], state["data"], risk_now="2")
    town.apply(raised, "u2")
    lower = visit(child, NAME, town.child(child)["etag"], town.child(child)["data"], risk_now="0")
    assert town.push([lower], "u1")[0]["outcome"] == "merged"  # a repair gives nobody a supervisor's authority
    assert town.stored()[value["id"]] == orjson.dumps(value)


def test_a_repair_of_what_others_have_replaced_says_that_nothing_shows(town: Town) -> None:
    child, value = _visited(town, school_name="Tiểu học Cầu Sắt")
    seen = town.child(child)
    town.apply(visit(child, NAME, seen["etag"], seen["data"], school_name="Tiểu học Vàm Nhỏ"), "u2")
    patch = {"/answers/school_name": "Tiểu học Bờ Sen", "/answers/helmet": "0"}
    done = town.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch=patch)
    assert done["unchanged"] == {child: ["school"]}
    assert town.child(child)["data"]["school_name"] == "Tiểu học Vàm Nhỏ"
    assert town.child(child)["data"]["helmet"] == "0"


def test_a_repair_stands_when_a_later_rejection_is_taken_back(town: Town) -> None:
    home = new_id()
    value = register(home, {}, ward_code="2024.31178")
    town.push([value])
    patch = {"/answers/ward_code": "31135", "/answers/hamlet_code": "01"}
    town.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch=patch)
    before = town.household(home)
    town.act(f"submissions/{value['id']}/reject", "s1", reason="Nhầm hộ")
    town.act(f"submissions/{value['id']}/unreject", "s1", reason="Không nhầm")
    after = town.household(home)
    assert (after["scope"], after["data"]) == (before["scope"], before["data"])


def test_the_newer_of_two_repairs_counts(town: Town) -> None:
    child, value = _visited(town)
    for helmet in ("0", "9"):
        patch = {"/answers/helmet": helmet}
        town.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch=patch)
        assert town.child(child)["data"]["helmet"] == helmet


@pytest.mark.parametrize(
    "patch",
    [
        {},
        {"/answers": {}},
        {"/entities/0/base": "0-"},
        {"/answers/helmet": "7"},
        {"/answers/favourite_colour": "xanh"},
        {"/answers/full_name": None},
    ],
)
def test_a_repair_that_cannot_be_read_is_refused(town: Town, patch: dict[str, Any]) -> None:
    child, value = _visited(town, helmet="0")
    before = town.child(child)
    assert town.refusal(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch=patch) == (422, "invalid")
    assert town.child(child) == before


def test_a_pointer_that_leads_nowhere_changes_nothing(town: Town) -> None:
    child, value = _visited(town, helmet="0")
    patch = {"/answers/injuries/7/injury_type": "1"}
    town.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch=patch)
    assert town.child(child)["data"]["helmet"] == "0"


def test_many_held_for_one_cause_are_let_out_at_once(town: Town) -> None:
    homes = [new_id() for _ in range(3)]
    values = [register(home, {}, ward_code="2024.31178") for home in homes]
    odd, fine = register(new_id(), {}, phone=BAD_PHONE), register(new_id(), {})
    town.push([*values, odd, fine])
    listed = town.get("/api/v1/submissions?state=quarantined", "s1").get_json()["submissions"]
    causes = {line["id"]: line["cause"] for line in listed}
    assert len({causes[value["id"]] for value in values}) == 1
    assert causes[odd["id"]] != causes[values[0]["id"]]
    ids = [value["id"] for value in (*values, odd, fine)] + ["uuid:unknown"]
    patch = {"/answers/ward_code": "2025.31120"}
    results = town.act("submissions/acts", "s1", act="accept", ids=ids, reason=WHY)["results"]
    assert [one.get("code", "done") for one in results] == ["ward_needed"] * 3 + ["done", "cannot_apply", "not_found"]
    assert results[0]["candidates"] == ["2025.31120", "2025.31168"]
    results = town.act("submissions/acts", "s1", act="repair", ids=ids[:3], reason=WHY, patch=patch)["results"]
    assert [one["state"] for one in results] == ["received"] * 3
    assert {town.household(home, "s5")["scope"] for home in homes} == {"2025.31120/00"}
    again = town.act("submissions/acts", "s1", act="return", ids=ids[4:5], comment="Thiếu số nhà")["results"]
    assert again[0]["state"] == "has_issues"


def test_later_ones_of_the_same_chain_are_listed_beside_a_held_one(town: Town) -> None:
    child = new_id()
    created = register(new_id(), {child: NAME}, phone=BAD_PHONE)
    first = visit(child, NAME, "0-", {"full_name": NAME}, [created["id"]])
    second = visit(child, NAME, "0-", {"full_name": NAME}, [created["id"], first["id"]])
    town.push([created, first, second])
    assert town.page(created["id"])["later"] == sorted([first["id"], second["id"]])
    assert town.page(first["id"])["later"] == [second["id"]]
    town.act(f"submissions/{created['id']}/accept", "s1", reason=WHY)
    assert town.child(child)["data"]["full_name"] == NAME
    assert town.page(created["id"])["later"] == sorted([first["id"], second["id"]])


@pytest.mark.parametrize("ident", ["a/b", "a/approve", "x?y#z", "100%25", "../etc", "acts"])
def test_an_id_with_odd_characters_is_within_reach(town: Town, ident: str) -> None:
    value = register(new_id(), {}, phone=BAD_PHONE) | {"id": ident}
    (receipt,) = town.push([value])
    assert (receipt["id"], receipt["reason"]) == (ident, "bad_value")
    quoted = quote(ident, safe="")
    assert town.page(quoted)["id"] == ident
    assert town.act(f"submissions/{quoted}/accept", "s1", reason=WHY)["target"] == ident
    assert town.status(ident)["state"] == "received"
