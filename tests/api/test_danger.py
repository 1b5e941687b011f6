"""Danger never waits: whatever holds a submission, the officers of its author's area have it on their desk."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from forms.entity_types import protected_id
from server.clock import now
from server.store.tables import FeedEntry, VisitTable
from sync.times import to_ms
from tests.api.builders import AREA, BAD_PHONE, OTHER, in_xml, moment, new_id, register
from tests.api.conftest import Town
from tests.api.test_authority import Family

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Trần Gia Huy"
WHY = "Đã hỏi lại"
HOUR = 3_600_000
SIGNS: dict[str, Any] = {"abuse_signs": ["5"], "immediate_danger": "1"}
HOURS_AGO = 5 / 24


def planned(town: Town, subject: str, state: str = "open") -> dict[str, Any]:
    """The follow-ups about a subject, by rule."""
    rows = town.rows(select(VisitTable).where(VisitTable.subject == subject, VisitTable.state == state))
    return {row[0].rule: row[0] for row in rows}


def expect(town: Town, sub: str, observed: str, user: str = "u1") -> None:
    """Both rules have planned a visit of their own, from the time of the submission on, for officers alone."""
    visits = planned(town, sub)
    assert set(visits) == {"F-EMERG", "F-INTAKE"}
    start = to_ms(datetime.fromisoformat(observed))
    for visit in visits.values():
        area = OTHER if user == "u5" else AREA
        assert (visit.area, visit.scope, visit.subject_type) == (area, f"{area}/!", "submission")
        assert (visit.assignee_role, visit.statutory, visit.caused_by) == ("supervisor", True, sub)
        assert abs(visit.start_at - start) < 90_000
    assert visits["F-EMERG"].due_at == visits["F-EMERG"].start_at + 12 * HOUR
    heard = select(FeedEntry.scope).where(
        FeedEntry.kind == "visit", FeedEntry.id.in_([v.id for v in visits.values()])
    )
    assert {row.scope for row in town.rows(heard)} == {f"{OTHER if user == 'u5' else AREA}/!"}


def _visit(town: Town, **more: Any) -> dict[str, Any]:
    """A visit to a registered child five hours ago, on which danger was seen."""
    family = Family(town)
    return family.visit(**SIGNS, **more) | {"observed_at": moment(-HOURS_AGO)}


def _phone(town: Town) -> dict[str, Any]:
    return _visit(town, caregiver_phone=BAD_PHONE)


def _unknown_question(town: Town) -> dict[str, Any]:
    return _visit(town, favourite_colour="xanh")


def _ward(town: Town) -> dict[str, Any]:
    """A form that does not ask for it, or an old one: the signs are found by their names alone."""
    value = register(new_id(), {}, ward_code="2024.31178", **SIGNS)
    return value | {"observed_at": moment(-HOURS_AGO)}


def _version(town: Town) -> dict[str, Any]:
    return _visit(town) | {"version": "2099010101"}


def _form(town: Town) -> dict[str, Any]:
    return _visit(town) | {"form": "dang_ky_ho"}


def _stranger(town: Town) -> dict[str, Any]:
    return _visit(town) | {"author": "u9"}


def _in_xml(town: Town) -> dict[str, Any]:
    value = _visit(town, caregiver_phone=BAD_PHONE)
    form = town.nest.catalogue.find(value["form"], value["version"])
    assert form is not None
    return in_xml(form.form, value)


def _other_xml(town: Town) -> dict[str, Any]:
    value = _in_xml(town)
    return value | {"xml": value["xml"].replace('version="', 'version="9')}


HOLDING: dict[str, Callable[[Town], dict[str, Any]]] = {
    "bad_value": _phone,
    "unknown_property": _unknown_question,
    "unknown_version": _version,
    "unknown_form": _form,
    "not_allowed": _stranger,
}


@pytest.mark.parametrize("reason", HOLDING)
def test_danger_beside_whatever_is_wrong_is_planned_for(town: Town, reason: str) -> None:
    value = HOLDING[reason](town)
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", reason)
    expect(town, value["id"], value["observed_at"])
    assert town.page(value["id"])["danger"] is True


def test_danger_beside_a_ward_that_was_split(town: Town) -> None:
    value = _ward(town)
    (receipt,) = town.push([value])
    assert receipt["reason"] == "unknown_property"
    assert "ward_ambiguous" in {problem["code"] for problem in town.page(value["id"])["problems"]}
    expect(town, value["id"], value["observed_at"])


def test_danger_in_xml(town: Town) -> None:
    for make, reason in ((_in_xml, "bad_value"), (_other_xml, "unreadable")):
        value = make(town)
        (receipt,) = town.push([value])
        assert receipt["reason"] == reason
        expect(town, value["id"], value["observed_at"])


def test_danger_out_of_area_is_told_to_the_area_of_its_author(town: Town) -> None:
    value = _visit(town)
    (receipt,) = town.push([value], "u5")
    assert receipt["reason"] == "out_of_area"
    expect(town, value["id"], value["observed_at"], "u5")
    other = _visit(town)
    town.push([other], "u9")
    expect(town, other["id"], other["observed_at"])


def test_danger_from_a_revoked_device(town: Town) -> None:
    value = _visit(town)
    town.revoke("u1")
    assert town.push([value])[0]["reason"] == "device_revoked"
    expect(town, value["id"], value["observed_at"])


def test_danger_under_an_id_that_was_used(town: Town) -> None:
    family = Family(town)
    value = family.visit(**SIGNS) | {"id": family.created["id"], "observed_at": moment(-HOURS_AGO)}
    (receipt,) = town.push([value])
    assert receipt["reason"] == "id_reuse"
    expect(town, receipt["kept_as"], value["observed_at"])


def _unreadable(town: Town) -> list[bytes]:
    """Items that are no items: a member is missing, a number is none, a text cannot be kept, XML without a time."""
    missing = {name: part for name, part in _visit(town).items() if name != "observed_at"}
    xml = _in_xml(town)
    del xml["observed_at"]
    return [
        orjson.dumps(missing),
        orjson.dumps(_visit(town) | {"seq": "@@"}).replace(b'"@@"', b"NaN"),
        orjson.dumps(_visit(town) | {"form": "@@"}).replace(b"@@", b"\\ud800"),
        orjson.dumps(_visit(town) | {"note": "x" * 300_000}),
        orjson.dumps(xml),
    ]


def test_danger_in_what_is_no_item_counts_from_its_arrival(town: Town) -> None:
    for raw in _unreadable(town):
        answer = town.post(b'{"v":1,"items":[' + raw + b"]}")
        (receipt,) = answer.get_json()["receipts"]
        assert receipt["reason"] == "unreadable", receipt
        expect(town, receipt["id"], moment())
        assert now() - planned(town, receipt["id"])["F-INTAKE"].start_at < 60_000


def test_an_orphan_with_danger_does_not_wait_for_its_create(town: Town) -> None:
    """It counts and has no place yet, so its half has none: until then the submission itself is the subject."""
    home, child = new_id(), new_id()
    created = register(home, {child: NAME})
    family = Family(town)
    value = family.visit(**SIGNS) | {"observed_at": moment(-HOURS_AGO)}
    value["answers"]["child"], value["entities"][0]["id"] = child, child
    value["entities"][0] |= {"base": "0-", "after": [created["id"]]}
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["warnings"]) == ("applied", ["no_place_yet"])
    expect(town, value["id"], value["observed_at"])
    town.apply(created)
    assert planned(town, value["id"]) == {}
    assert set(planned(town, protected_id(child))) == {"F-EMERG", "F-INTAKE"}


def test_an_orphan_that_turns_out_to_be_anothers_stays_on_the_desk(town: Town) -> None:
    home, child = new_id(), new_id()
    created = register(home, {child: NAME})
    value = Family(town).visit(**SIGNS) | {"observed_at": moment(-HOURS_AGO)}
    value["answers"]["child"], value["entities"][0]["id"] = child, child
    value["entities"][0] |= {"base": "0-", "after": [created["id"]]}
    town.push([value], "u9")
    town.apply(created, "u1")
    assert town.status(value["id"], "u9")["reason"] == "out_of_area"
    assert set(planned(town, value["id"])) == {"F-EMERG", "F-INTAKE"}
    assert planned(town, protected_id(child)) == {}
    town.act(f"submissions/{value['id']}/accept", "s1", reason=WHY)
    assert planned(town, value["id"]) == {}
    assert set(planned(town, protected_id(child))) == {"F-EMERG", "F-INTAKE"}


@pytest.mark.parametrize("way", ["accept", "repair", "grow"])
def test_released_the_childs_own_visit_stands_and_the_submissions_ends(town: Town, way: str) -> None:
    family = Family(town)
    value = family.visit(**SIGNS) | {"observed_at": moment(-HOURS_AGO)}
    user = "u1"
    if way == "repair":
        value["answers"]["caregiver_phone"] = BAD_PHONE
    else:
        user = "u9"
    town.push([value], user)
    expect(town, value["id"], value["observed_at"])
    half = protected_id(family.child)
    assert planned(town, half) == {}
    if way == "grow":
        family.moved("05")
    else:
        patch = {"/answers/caregiver_phone": None}
        town.act(f"submissions/{value['id']}/{way}", "s1", reason=WHY, patch=patch)
    assert planned(town, value["id"]) == {}
    assert set(planned(town, value["id"], "not_needed")) == {"F-EMERG", "F-INTAKE"}
    visits = planned(town, half)
    assert {rule: visit.scope for rule, visit in visits.items()} == {"F-EMERG": f"{AREA}/!", "F-INTAKE": f"{AREA}/!"}
    assert town.page(value["id"])["danger"] is False


def test_set_aside_it_ends_and_taken_back_it_is_there_again(town: Town) -> None:
    value = _phone(town)
    town.push([value])
    first = {rule: visit.id for rule, visit in planned(town, value["id"]).items()}
    town.act(f"submissions/{value['id']}/reject", "s1", reason="Phiếu thử")
    assert planned(town, value["id"]) == {}
    town.act(f"submissions/{value['id']}/unreject", "s1", reason=WHY)
    assert {rule: visit.id for rule, visit in planned(town, value["id"]).items()} == first


@pytest.mark.parametrize(
    ("signs", "rules"),
    [
        ({"immediate_danger": "1"}, {"F-EMERG"}),
        ({"immediate_danger": 1}, {"F-EMERG"}),
        ({"abuse_signs": "3 9"}, {"F-INTAKE"}),
        ({"immediate_danger": "9", "abuse_signs": []}, set()),
        ({"child_marriage": "1", "substance_use": "1", "sc_protected": ["SC11"]}, set()),
    ],
)
def test_only_signs_of_danger_make_a_visit(town: Town, signs: dict[str, Any], rules: set[str]) -> None:
    value = Family(town).visit(caregiver_phone=BAD_PHONE, **signs)
    town.push([value])
    assert set(planned(town, value["id"])) == rules


def test_what_is_applied_has_no_visit_about_the_submission(town: Town) -> None:
    family = Family(town)
    value = family.visit(**SIGNS)
    town.apply(value)
    assert planned(town, value["id"]) == {}
    assert set(planned(town, protected_id(family.child))) == {"F-EMERG", "F-INTAKE"}
