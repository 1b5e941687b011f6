"""Every reason for which a submission is held: what is kept, what is told, and the way out of it."""

from typing import Any

import orjson
import pytest

from forms.catalogue import Catalogue, Entry
from tests.api.builders import (
    AREA,
    BAD_PHONE,
    OTHER,
    claim,
    in_xml,
    item,
    moment,
    new_id,
    register,
    registration,
    situation,
)
from tests.api.conftest import Town

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Thạch Sô Phia"
WHY = "Đã gọi điện hỏi lại"
UNKNOWN = "2099010101"  # a version that was published later


def held(town: Town, value: dict[str, Any], reason: str, user: str = "u1") -> str:
    """Send it between two good items: they are applied, it is kept and shown at the desk. Returns its id there."""
    good = [register(new_id(), {new_id(): NAME}, hamlet_code="05" if user == "u9" else "01") for _ in range(2)]
    first, receipt, last = town.push([good[0], value, good[1]], user)
    expected = "quarantined" if reason == "device_revoked" else "applied"
    assert (first["outcome"], last["outcome"]) == (expected, expected), (first, last)
    assert (receipt["outcome"], receipt["reason"], receipt["entities"]) == ("quarantined", reason, [])
    assert receipt["problems"]
    ident = receipt.get("kept_as", receipt["id"])
    assert town.stored()[ident] == orjson.dumps(value)
    assert town.push([value], user) == [receipt | {"repeat": True}]
    page = town.page(ident)
    assert (page["state"], page["reason"], page["outcome"]) == ("quarantined", reason, "quarantined")
    listed = town.get("/api/v1/submissions?state=quarantined", "s1").get_json()["submissions"]
    (line,) = [line for line in listed if line["id"] == ident]
    assert line["cause"].startswith(reason)
    if reason != "device_revoked":
        assert (town.status(ident, user)["state"], town.status(ident, user)["reason"]) == ("quarantined", reason)
    return ident


def accepted(town: Town, ident: str, user: str = "u1") -> dict[str, Any]:
    """Take it in as it is; its author hears of it, its bytes and its receipt stay."""
    return _taken_in(town, ident, user, "accept", reason=WHY)


def repaired(town: Town, ident: str, patch: dict[str, Any], user: str = "u1") -> dict[str, Any]:
    return _taken_in(town, ident, user, "repair", reason=WHY, patch=patch)


def _taken_in(town: Town, ident: str, user: str, act: str, **body: Any) -> dict[str, Any]:
    raw = town.stored()[ident]
    receipts = town.act("sync/status", user, ids=[ident])["receipts"]
    done = town.act(f"submissions/{ident}/{act}", "s1", **body)
    assert (done["state"], done["target"]) == ("received", ident)
    assert town.stored()[ident] == raw
    told = town.act("sync/status", user, ids=[ident])
    assert told["receipts"] == receipts
    assert (told["states"][0]["state"], told["states"][0]["reason"]) == ("received", None)
    assert told["states"][0]["comment"] == WHY
    assert town.page(ident)["outcome"] == "quarantined"  # of the first receipt
    return done


def set_aside_and_back(town: Town, ident: str, reason: str, user: str = "u1") -> None:
    """The way out of everything that is of no use, and back."""
    done = town.act(f"submissions/{ident}/reject", "s1", reason="Phiếu thử máy")
    assert done["state"] == "set_aside"
    told = town.status(ident, user)
    assert (told["state"], told["comment"]) == ("set_aside", "Phiếu thử máy")
    assert town.page(ident)["reason"] == reason
    assert town.refusal(f"submissions/{ident}/approve", "s1") == (409, "cannot_apply")
    assert town.act(f"submissions/{ident}/unreject", "s1", reason=WHY)["state"] == "quarantined"
    assert (town.status(ident, user)["state"], town.status(ident, user)["reason"]) == ("quarantined", reason)


def test_unreadable_cannot_be_taken_in_but_set_aside(town: Town) -> None:
    value = register(new_id(), {})
    del value["observed_at"]
    ident = held(town, value, "unreadable")
    assert town.refusal(f"submissions/{ident}/accept", "s1", reason=WHY) == (409, "cannot_apply")
    patch = {"/answers/phone": "0912345679"}
    assert town.refusal(f"submissions/{ident}/repair", "s1", reason=WHY, patch=patch) == (422, "invalid")
    set_aside_and_back(town, ident, "unreadable")


def test_bad_value_is_taken_in_as_far_as_it_can_be_read(town: Town) -> None:
    home = new_id()
    ident = held(town, register(home, {}, phone=BAD_PHONE, housing=["3"], deprivations="y_te"), "bad_value")
    assert town.get(f"/api/v1/entities/household/{home}", "s1").status_code == 404
    accepted(town, ident)
    data = town.household(home)["data"]
    assert (data["phone"], data["address_line"]) == (BAD_PHONE, "12/3, hẻm 5, tổ 2")  # an unusual value, but a value
    assert "housing" not in data
    assert town.refusal(f"submissions/{ident}/accept", "s1", reason=WHY) == (409, "cannot_apply")


def test_bad_value_is_read_with_a_patch(town: Town) -> None:
    home, child = new_id(), new_id()
    ident = held(town, register(home, {child: NAME}, phone=BAD_PHONE), "bad_value")
    set_aside_and_back(town, ident, "bad_value")
    wrong = town.ask(f"submissions/{ident}/repair", "s1", reason=WHY, patch={"/answers/phone": BAD_PHONE})
    assert (wrong.status_code, wrong.get_json()["code"]) == (422, "invalid")
    assert [problem["pointer"] for problem in wrong.get_json()["problems"]] == ["/answers/phone"]
    assert town.page(ident)["state"] == "quarantined"
    repaired(town, ident, {"/answers/phone": "0987654321"})
    state = town.household(home)
    assert (state["data"]["phone"], town.child(child)["data"]["full_name"]) == ("0987654321", NAME)
    assert state["provenance"]["contact"]["author"] == "u1"  # the effect is the author's
    assert town.page(ident)["problems"][0]["pointer"] == "/answers/phone"


def test_bad_value_in_a_row_and_in_xml_is_read_with_a_patch(town: Town) -> None:
    home, child = new_id(), new_id()
    value = register(home, {child: NAME})
    value["answers"]["members"][0]["pid"] = BAD_PHONE
    form = town.nest.catalogue.find(value["form"], value["version"])
    assert form is not None
    ident = held(town, in_xml(form.form, value), "bad_value")
    repaired(town, ident, {"/answers/members/0/pid": "092215001234"})
    assert town.child(child)["data"]["pid"] == "092215001234"


def _published_later(monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    real = Catalogue.find

    def find(self: Catalogue, form_id: str, version: str) -> Entry | None:
        late = version == UNKNOWN or form_id == "dang_ky_ho"
        return real(self, form, "2026112301") if late else real(self, form_id, version)

    monkeypatch.setattr(Catalogue, "find", find)


@pytest.mark.parametrize(
    ("changes", "reason"), [({"form": "dang_ky_ho"}, "unknown_form"), ({"version": UNKNOWN}, "unknown_version")]
)
def test_unknown_form_or_version_is_taken_in_once_it_is_published(
    town: Town, monkeypatch: pytest.MonkeyPatch, changes: dict[str, str], reason: str
) -> None:
    home = new_id()
    ident = held(town, register(home, {}) | changes, reason)
    assert town.refusal(f"submissions/{ident}/accept", "s1", reason=WHY) == (409, "cannot_apply")
    set_aside_and_back(town, ident, reason)
    _published_later(monkeypatch, "household_registration")
    accepted(town, ident)
    assert town.household(home)["data"]["phone"] == "0912345678"


def test_unknown_property_is_left_out(town: Town) -> None:
    home = new_id()
    ident = held(town, register(home, {}, favourite_colour="xanh"), "unknown_property")
    set_aside_and_back(town, ident, "unknown_property")
    accepted(town, ident)
    assert town.household(home)["data"]["head_name"] == "Nguyễn Thị Mỹ Duyên"
    assert town.page(ident)["answers"]["answers"]["favourite_colour"] == "xanh"


def test_not_allowed_of_a_stranger_becomes_the_word_of_who_sent_it(town: Town) -> None:
    home = new_id()
    ident = held(town, register(home, {}) | {"author": "u9"}, "not_allowed")
    set_aside_and_back(town, ident, "not_allowed")
    accepted(town, ident)
    assert town.household(home)["provenance"]["contact"]["author"] == "u1"
    assert town.status(ident, "u9")["state"] is None


def test_not_allowed_of_a_kind_that_no_device_sends(town: Town) -> None:
    home = new_id()
    town.apply(register(home, {}))
    value = item("household_registration", registration(home, {}), claim("household", home), kind="resolve")
    ident = held(town, value, "not_allowed")
    assert town.refusal(f"submissions/{ident}/accept", "s1", reason=WHY) == (409, "cannot_apply")
    set_aside_and_back(town, ident, "not_allowed")


def test_out_of_area_is_taken_in_by_the_supervisor_of_its_author(town: Town) -> None:
    home = new_id()
    ident = held(town, register(home, {}), "out_of_area", "u9")
    assert town.get(f"/api/v1/submissions/{ident}", "s5").status_code == 404
    set_aside_and_back(town, ident, "out_of_area", "u9")
    accepted(town, ident, "u9")
    assert town.household(home, "u1")["scope"] == f"{AREA}/01"
    assert town.page(ident)["elsewhere"]


def test_ward_unknown_is_read_with_the_right_one(town: Town) -> None:
    home = new_id()
    ident = held(town, register(home, {}, ward_code="99999"), "ward_unknown")
    refused = town.ask(f"submissions/{ident}/accept", "s1", reason=WHY)
    assert (refused.status_code, refused.get_json()["code"]) == (409, "ward_needed")
    assert refused.get_json()["candidates"] == []
    set_aside_and_back(town, ident, "ward_unknown")
    repaired(town, ident, {"/answers/ward_code": "31135", "/answers/hamlet_code": "01"})
    assert town.household(home)["scope"] == f"{AREA}/01"


def test_ward_ambiguous_names_the_candidates_and_one_of_them_is_chosen(town: Town) -> None:
    home = new_id()
    ident = held(town, register(home, {}, ward_code="2024.31178"), "ward_ambiguous")
    (problem,) = town.page(ident)["problems"]
    assert problem["candidates"] == [OTHER, "2025.31168"]
    refused = town.ask(f"submissions/{ident}/accept", "s1", reason=WHY)
    assert (refused.status_code, refused.get_json()["candidates"]) == (409, problem["candidates"])
    repaired(town, ident, {"/answers/ward_code": problem["candidates"][0]})
    assert town.household(home, "s5")["scope"] == f"{OTHER}/00"  # its hamlet was one of the old ward
    assert town.get(f"/api/v1/entities/household/{home}", "u1").status_code == 404


@pytest.mark.parametrize("more", [{"phone": BAD_PHONE}, {"author": "u9"}])
def test_a_ward_that_is_not_clear_is_never_taken_in_whatever_else_is_wrong(town: Town, more: dict[str, Any]) -> None:
    home = new_id()
    value = register(home, {}, ward_code="2024.31178")
    value = value | more if "author" in more else value | {"answers": value["answers"] | more}
    (receipt,) = town.push([value])
    assert receipt["reason"] in ("bad_value", "not_allowed")
    assert town.refusal(f"submissions/{value['id']}/accept", "s1", reason=WHY) == (409, "ward_needed")
    patch = {"/answers/ward_code": OTHER, "/answers/phone": None}
    repaired(town, value["id"], patch)
    assert town.household(home, "s5")["scope"] == f"{OTHER}/00"


def test_id_reuse_keeps_both_and_each_may_count(town: Town) -> None:
    first, other = new_id(), new_id()
    value = register(first, {})
    town.apply(value)
    again = register(other, {}) | {"id": value["id"]}
    ident = held(town, again, "id_reuse")
    assert ident.startswith(f"{value['id']}~")
    set_aside_and_back(town, ident, "id_reuse")
    accepted(town, ident)
    assert town.household(other)["data"]["head_name"] == "Nguyễn Thị Mỹ Duyên"
    assert town.household(first)["revision"] == 1


def test_the_children_of_a_reused_id_are_not_those_of_the_first(town: Town) -> None:
    """A row without an id of its own gets one from its submission: two bodies under one id name two children."""
    homes = [new_id(), new_id()]
    values = [register(home, {new_id(): NAME}) for home in homes]
    values[1]["id"] = values[0]["id"]
    for value in values:
        del value["answers"]["members"][0]["__id"]
    created = town.apply(values[0])
    (receipt,) = town.push([values[1]])
    accepted(town, receipt["kept_as"])
    (child,) = [entity["id"] for entity in created["entities"] if entity["type"] == "child"]
    told = town.child(child)
    assert (told["data"]["household"], told["conflicts"]) == (homes[0], [])
    assert {cell["submission"] for cell in told["provenance"].values()} == {values[0]["id"]}
    changes = town.page(receipt["kept_as"])["entities"]
    (twin,) = [entity["id"] for entity in changes if entity["type"] == "child"]
    assert town.child(twin)["data"]["household"] == homes[1]


def test_device_revoked_is_taken_in_by_a_supervisor(town: Town) -> None:
    home = new_id()
    town.revoke("u1")
    value = register(home, {})
    ident = held(town, value, "device_revoked")
    assert town.get(f"/api/v1/entities/household/{home}", "s1").status_code == 404
    done = town.act(f"submissions/{ident}/accept", "s1", reason=WHY)
    assert done["state"] == "received"
    assert town.household(home, "s1")["scope"] == f"{AREA}/01"
    told = town.act("sync/status", "u1", ids=[ident])
    assert told["receipts"][0]["reason"] == "device_revoked"


def test_a_child_cannot_be_taken_in_under_the_id_of_a_household(town: Town) -> None:
    home = new_id()
    town.apply(register(home, {}))
    value = item("child_situation", situation(home, NAME), claim("child", home))
    ident = held(town, value, "bad_value")
    assert town.refusal(f"submissions/{ident}/accept", "s1", reason=WHY) == (409, "cannot_apply")
    assert town.household(home)["type"] == "household"


@pytest.mark.parametrize("act", ["accept", "repair", "reject", "unreject", "approve", "return"])
def test_nobody_else_lets_a_held_submission_out(town: Town, act: str) -> None:
    value = register(new_id(), {}, phone=BAD_PHONE)
    town.push([value])
    body = {"reason": WHY, "comment": WHY, "patch": {"/answers/phone": "0987654321"}}
    for user in ("u1", "u2", "c1", "a1", "s5"):
        assert town.refusal(f"submissions/{value['id']}/{act}", user, **body) == (404, "not_found"), user
    assert town.page(value["id"])["state"] == "quarantined"


@pytest.mark.parametrize(
    ("kind", "more"), [("child", []), ("report", []), ("child_protected", []), ("household", [("report", "x1")])]
)
def test_a_deletion_that_names_nothing_it_may_is_held(town: Town, kind: str, more: list[tuple[str, str]]) -> None:
    home = new_id()
    etag = town.apply(register(home, {}))["entities"][0]["etag"]
    claims = [claim(kind, home, etag), *(claim(*one) for one in more)]
    value = {"id": f"uuid:{new_id()}", "kind": "delete", "observed_at": moment(), "entities": claims}
    ident = held(town, value, "bad_value")
    answer = town.ask(f"submissions/{ident}/accept", "s1", reason=WHY)
    assert answer.status_code == (200 if more else 409)
    asked = [one["cell"] for one in town.household(home)["conflicts"]]
    assert asked == (["$delete"] if more else [])
