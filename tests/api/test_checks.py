"""Answers that look wrong: told to the phone and the officer, applied all the same, once for all."""

from dataclasses import replace
from typing import Any

import pytest

from forms.checks import PHONE
from forms.entity_types import EntityType, Half
from forms.schema import Problem
from tests.api.builders import day, member, new_id, nobody_home, register, visit
from tests.api.conftest import Town
from tests.api.homes import NAME, Home

pytestmark = pytest.mark.usefixtures("rebuilt")
ODD = {"pid": "092217003456", "sex": "2", "dob": "2018-05-05"}


def about(checks: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(check["code"], check["pointer"]) for check in checks]


def odd_visit(town: Town, family: Home, **more: Any) -> dict[str, Any]:
    seen = town.child(family.child)
    answers = ODD | {"visit_date": day(1)} | more
    return visit(family.child, NAME, seen["etag"], seen["data"], **answers)


def test_a_doubtful_answer_is_applied_and_told_of(town: Town) -> None:
    family = Home(town)
    item = odd_visit(town, family)
    receipt = town.apply(item)
    codes = ["check_personal_id", "check_visit_date"]
    assert [code for code in receipt["warnings"] if code.startswith("check_")] == codes
    told = [("check_visit_date", "/answers/visit_date"), *[("check_personal_id", "/answers/pid")] * 2]
    assert about(receipt["checks"]) == told
    assert not any("092217003456" in check["detail"] for check in receipt["checks"])
    assert receipt["problems"] == []
    assert town.child(family.child)["data"]["pid"] == "092217003456"

    page = town.page(item["id"])
    assert page["checks"] == receipt["checks"]
    assert set(codes) <= set(page["warnings"])
    (again,) = town.push([item])
    assert again == receipt | {"repeat": True}
    (known,) = town.act("sync/status", "u1", ids=[item["id"]])["receipts"]
    assert known["checks"] == receipt["checks"]


def test_rows_are_looked_at_by_their_place(town: Town) -> None:
    rows = [member("Thạch Sa Rết", 40, "1"), member("Thạch Sô Phia", 9, pid="092218003456")]
    receipt = town.apply(register(new_id(), {}, members=rows))
    assert receipt["warnings"] == ["check_personal_id"]
    assert {pointer for _, pointer in about(receipt["checks"])} == {"/answers/members/1/pid"}


def test_what_is_held_for_something_else_is_looked_at_too(town: Town) -> None:
    family = Home(town)
    item = odd_visit(town, family, grade=99)
    (receipt,) = town.push([item])
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "bad_value")
    assert "check_personal_id" in receipt["warnings"]
    assert [problem["pointer"] for problem in receipt["problems"]] == ["/answers/grade"]
    assert town.page(item["id"])["checks"] == receipt["checks"] != []


def test_an_ordinary_form_has_nothing_to_look_at(town: Town) -> None:
    family = Home(town)
    assert family.visit(caregiver_phone="+84912345678")["checks"] == []
    seen = town.child(family.child)
    away = nobody_home(family.child)
    item = visit(family.child, NAME, seen["etag"]) | {"answers": away}
    assert town.apply(item)["checks"] == []


def test_a_doubt_about_a_protected_answer_is_the_officers_alone(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the half asked for a caregiver's phone: the officer sees the doubt, the phone hears nothing of it."""
    family = Home(town)
    types = town.nest.world.types
    half = types["child_protected"]
    phone = replace(types["child"].properties["caregiver_phone"], half=Half.PROTECTED)
    secret: EntityType = replace(half, properties={**half.properties, "caregiver_phone": phone})
    monkeypatch.setitem(types, "child_protected", secret)
    item = odd_visit(town, family, caregiver_phone="0912345678")
    monkeypatch.setattr("sync.reading.look", _as_if_the_phone_were_odd)
    (receipt,) = town.push([item])
    assert "check_phone" not in receipt["warnings"]
    assert not any("caregiver_phone" in check["pointer"] for check in receipt["checks"])
    assert ("check_phone", "/answers/caregiver_phone") in about(town.page(item["id"])["checks"])


def _as_if_the_phone_were_odd(*_: Any) -> list[Any]:
    return [Problem(PHONE, "/answers/caregiver_phone", "")]
