"""Wards and hamlets of an earlier list: a form version names its list, and a bare code names nothing without it."""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

import server.world
from forms.catalogue import FOLDER, Catalogue
from forms.xform import read_form
from forms.xlsform import load_sheets, to_xform
from sync.authority import Role
from tests.api.builders import AREA, claim, in_xml, item, new_id, registration
from tests.api.conftest import PEOPLE, Town

pytestmark = pytest.mark.usefixtures("rebuilt")

OLD = "2025060101"
LONG_TUYEN, THOT_NOT = "2025.31183", "2025.31207"
WHY = "Theo địa chỉ nhà"
FOLK: Mapping[str, Any] = {
    **PEOPLE,
    "u4": (Role.COLLABORATOR, ("01", "02", "04", "06")),
    "s7": (Role.SUPERVISOR, None, LONG_TUYEN),
    "s8": (Role.SUPERVISOR, None, THOT_NOT),
    "u7": (Role.COLLABORATOR, "01", LONG_TUYEN),
}


@pytest.fixture(scope="session")
def with_old(catalogue: Catalogue) -> Catalogue:
    """The real forms, and the registration as it would have been published for the wards of 2024."""
    sheets = load_sheets(Path(FOLDER) / "xlsforms" / "household_registration", Path(FOLDER) / "choices.csv")
    (settings,) = sheets.settings
    old = dataclasses.replace(sheets, settings=({**settings, "version": OLD, "ward_list": "2024"},))
    xform = to_xform(old)
    return Catalogue(catalogue.types, [*catalogue.current(), read_form(xform.xml, xform.ward_list, catalogue.types)])


@pytest.fixture
def ward(new_town: Callable[..., Town], with_old: Catalogue, monkeypatch: pytest.MonkeyPatch) -> Town:
    monkeypatch.setattr(server.world, "load_catalogue", lambda folder: with_old)
    return new_town(FOLK)


def _registered(home: str, ward: str, hamlet: str, version: str = OLD, **more: Any) -> dict[str, Any]:
    answers = registration(home, {}, ward_code=ward, hamlet_code=hamlet, **more)
    return item("household_registration", answers, claim("household", home)) | {"version": version}


def test_the_old_form_is_none_that_phones_are_told_to_use(ward: Town) -> None:
    told = ward.get("/api/v1/sync/config").get_json()["forms"]
    assert OLD not in {form["version"] for form in told}


@pytest.mark.parametrize(
    ("code", "hamlet", "scope"),
    [
        ("31123", "01", f"{AREA}/01"),
        ("31123", "02", f"{AREA}/02"),
        ("31135", "01", f"{AREA}/04"),  # two wards that became one both had a hamlet 01
        ("31144", "01", f"{AREA}/06"),
        ("31123", "09", f"{AREA}/00"),
        ("31144", "00", f"{AREA}/00"),
    ],
)
def test_an_old_ward_and_its_hamlet_are_placed_by_the_map(ward: Town, code: str, hamlet: str, scope: str) -> None:
    home = new_id()
    ward.apply(_registered(home, code, hamlet), "u4")
    state = ward.household(home, "u4")
    assert (state["scope"], state["data"]["ward_code"]) == (scope, AREA)
    assert ward.get(f"/api/v1/entities/household/{home}", "s1").status_code == 200


def test_one_code_means_two_places_by_the_list_of_its_form(ward: Town) -> None:
    """31183 is a ward of today, and an earlier one that was split."""
    now, then = new_id(), new_id()
    current = ward.nest.catalogue.current()[-1].version
    ward.apply(_registered(now, "31183", "00", current), "s7")
    (receipt,) = ward.push([_registered(then, "31183", "00")], "s7")
    assert ward.household(now, "s7")["scope"] == f"{LONG_TUYEN}/00"
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "ward_ambiguous")
    (problem,) = receipt["problems"]
    assert (problem["pointer"], problem["candidates"]) == ("/answers/ward_code", ["2025.31150", LONG_TUYEN])
    assert ward.get(f"/api/v1/entities/household/{then}", "s7").status_code == 404


@pytest.mark.parametrize(
    ("code", "candidates", "user"),
    [
        ("31183", ["2025.31150", LONG_TUYEN], "s7"),
        ("31207", [THOT_NOT, "2025.31228"], "s8"),
        ("31178", ["2025.31120", "2025.31168"], "s5"),
    ],
)
def test_a_ward_that_was_split_waits_for_a_supervisor_to_choose(
    ward: Town, code: str, candidates: list[str], user: str
) -> None:
    home = new_id()
    value = _registered(home, code, "01")
    ward.push([value], "u1")
    assert ward.page(value["id"])["problems"][0]["candidates"] == candidates
    chosen = next(area for area in candidates if area == FOLK[user][2])
    done = ward.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch={"/answers/ward_code": chosen})
    assert done["state"] == "received"
    assert ward.household(home, user)["scope"] == f"{chosen}/00"
    assert ward.page(value["id"])["answers"]["answers"]["ward_code"] == code  # the bytes stay


def test_a_hamlet_is_chosen_together_with_the_ward(ward: Town) -> None:
    home = new_id()
    value = _registered(home, "31178", "01")
    ward.push([value], "u1")
    patch = {"/answers/ward_code": "2025.31120", "/answers/hamlet_code": "04"}
    ward.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch=patch)
    assert ward.household(home, "s5")["scope"] == "2025.31120/04"


def test_a_ward_that_no_list_has_is_unknown_in_either(ward: Town) -> None:
    current = ward.nest.catalogue.current()[-1].version
    for code, version in (("99999", OLD), ("99999", current), ("31123", current)):
        (receipt,) = ward.push([_registered(new_id(), code, "01", version)], "u1")
        assert receipt["reason"] == "ward_unknown", (code, version)


def test_old_answers_in_xml_are_placed_alike(ward: Town) -> None:
    home = new_id()
    found = ward.nest.catalogue.find("household_registration", OLD)
    assert found is not None
    value = in_xml(found.form, _registered(home, "31135", "01"))
    ward.apply(value, "u4")
    assert ward.household(home, "u4")["scope"] == f"{AREA}/04"


@pytest.mark.parametrize(
    "shown", [{"ward_code": "31135", "hamlet_code": "01"}, {"ward_code": AREA, "hamlet_code": "04"}]
)
def test_the_old_form_filled_in_again_moves_nobody(ward: Town, shown: dict[str, str]) -> None:
    """Whether the phone showed the old code or what the server made of it."""
    home = new_id()
    created = ward.apply(_registered(home, "31135", "01"), "u4")
    again = _registered(home, "31135", "01", phone="0987654321", members=[])
    again["answers"]["head_name"] = "Nguyễn Thị Mỹ Duyên"
    again["entities"] = [claim("household", home, created["entities"][0]["etag"], shown)]
    ward.apply(again, "u4")
    state = ward.household(home, "u4")
    assert (state["scope"], state["data"]["phone"], state["conflicts"]) == (f"{AREA}/04", "0987654321", [])
    assert state["provenance"]["place"]["submission"] == created["id"]  # what was left alone is no write


def test_moving_with_the_old_form_within_the_area(ward: Town) -> None:
    home = new_id()
    created = ward.apply(_registered(home, "31135", "01"), "u4")
    again = _registered(home, "31123", "02", members=[])
    again["answers"]["head_name"] = "Nguyễn Thị Mỹ Duyên"
    shown = {"ward_code": "31135", "hamlet_code": "01"}
    again["entities"] = [claim("household", home, created["entities"][0]["etag"], shown)]
    ward.apply(again, "u4")
    state = ward.household(home, "u4")
    assert (state["scope"], state["conflicts"]) == (f"{AREA}/02", [])
