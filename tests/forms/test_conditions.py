"""Conditions over the merged record: what does not apply, which checks are broken; a blank breaks none."""

from collections.abc import Mapping
from typing import Any

import pytest

from forms.conditions import Condition, ConditionError, xpath
from tests.forms.test_entity_types import CHILD, HOUSEHOLD, TYPES

KINDS = (CHILD, HOUSEHOLD, TYPES["person"])
BLANKS: tuple[Any, ...] = (None, "", [])
# For each property that has one: a record on which it does not apply. Taking any of it away makes it apply again.
NOT_APPLICABLE: dict[str, Mapping[str, Any]] = {
    "alt_care_start": {"caregiver_type": "1"},
    "support_received": {},
    "monthly_allowance": {"sc_codes": []},
    "hi_number": {"hi_card": "3"},
    "imm_source": {},
    "measure_date": {},
    "disability_type": {"disability_degree": "0"},
    "disability_cert_no": {"disability_degree": "8"},
    "school_level": {"school_status": "3"},
    "grade": {"school_level": "2"},
    "school_name": {"school_status": "2"},
    "dropout_date": {"school_status": "1"},
    "dropout_reason": {"school_status": "1"},
    "work_hours_week": {"work_status": "0"},
    "work_place": {"work_status": "1"},
    "life_jacket_transport": {"uses_boat": "0"},
    "phone_owner": {},
    "zalo_ok": {"phone": None},
    "water_hazard_fenced": {"water_hazard_near": "0"},
    "hazard_photo": {"water_hazard_near": "0"},
    "safe_home_mandatory_ok": {},
    "flood_date": {"flood_affected": "9"},
    "presence_on": {},
    "pregnant": {"sex": "1"},
}
APPLICABLE: dict[str, Mapping[str, Any]] = {
    "alt_care_start": {"caregiver_type": "6"},
    "support_received": {"sc_codes": ["SC01"]},
    "monthly_allowance": {"sc_codes": ["SC01", "SC04"]},
    "hi_number": {"hi_card": "1"},
    "imm_source": {"imm_status": "9"},
    "measure_date": {"height_cm": 80.5},
    "disability_type": {"disability_degree": "8"},
    "disability_cert_no": {"disability_degree": "3"},
    "school_level": {"school_status": "1"},
    "grade": {"school_status": "1", "school_level": "5"},
    "school_name": {"school_status": "1"},
    "dropout_date": {"school_status": "3"},
    "dropout_reason": {"school_status": "3"},
    "work_hours_week": {"work_status": "1"},
    "work_place": {"work_status": "3"},
    "life_jacket_transport": {"uses_boat": "1"},
    "phone_owner": {"phone": "0912345678"},
    "zalo_ok": {"phone": "0912345678"},
    "water_hazard_fenced": {"water_hazard_near": "1"},
    "hazard_photo": {"water_hazard_near": "1"},
    "safe_home_mandatory_ok": {"safe_home_score": 0},
    "flood_date": {"flood_affected": "1"},
    "presence_on": {"presence": "BACK"},
    "pregnant": {"sex": "2"},
}


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_what_does_not_apply_is_named_and_kept(name: str) -> None:
    kind = next(kind for kind in KINDS if name in kind.properties)
    assert kind.not_applicable({name: "1", **NOT_APPLICABLE[name]}) == (name,)
    assert kind.not_applicable({name: "1", **APPLICABLE[name]}) == ()
    for blank in BLANKS:
        assert kind.not_applicable({name: blank, **NOT_APPLICABLE[name]}) == ()
    if NOT_APPLICABLE[name] and name not in ("monthly_allowance", "zalo_ok"):
        assert kind.not_applicable({name: "1"}) == ()  # what was never asked takes nothing away


def test_every_condition_has_its_example() -> None:
    conditions = {name for kind in KINDS for name in kind.conditions}
    assert conditions == set(NOT_APPLICABLE) == set(APPLICABLE)


def test_what_cannot_be_decided_is_neither_idle_nor_broken() -> None:
    rows = [{"odd": 1}]  # no condition can look into rows
    assert CHILD.not_applicable({"school_name": "Tiểu học Bờ Kênh", "school_status": rows}) == ()
    assert CHILD.broken({"school_level": rows, "grade": 6}) == ()


def test_a_grade_of_a_school_that_was_left_does_not_apply() -> None:
    left = {"school_status": "3", "school_level": "3", "grade": 4, "school_name": "Tiểu học Bờ Kênh"}
    assert CHILD.not_applicable(left) == ("school_level", "grade", "school_name")


BORN = {"dob": "2018-05-04"}
BROKEN: dict[str, Mapping[str, Any]] = {
    "screening_after_birth": BORN | {"newborn_screening_date": "2018-05-03"},
    "care_after_birth": BORN | {"alt_care_start": "2018-05-03"},
    "measured_after_birth": BORN | {"measure_date": "2018-05-03"},
    "checkup_after_birth": BORN | {"annual_checkup_date": "2018-05-03"},
    "dropout_after_birth": BORN | {"dropout_date": "2018-05-03"},
    "grade_in_level": {"school_level": "3", "grade": 6},
    "parents_older": BORN | {"mother_birth_year": 2007},
    "pid_of_sex": {"pid": "092318000001", "sex": "1"},
    "pid_of_birth_year": BORN | {"pid": "092219000001", "dob_precision": "M"},
    "caregiver_alive": {"mother_status": "4", "caregiver_type": "3"},
    "mandatory_in_score": {"safe_home_score": 9, "safe_home_mandatory_ok": 10},
    "others_in_score": {"safe_home_score": 33, "safe_home_mandatory_ok": 14},
    "boat_on_water": {"housing": "4", "water_hazard_near": "0"},
    "joined_after_birth": BORN | {"joined_on": "2018-05-03"},
    "presence_after_birth": BORN | {"presence_on": "2018-05-03"},
}
FINE: list[Mapping[str, Any]] = [
    BORN | dict.fromkeys(("newborn_screening_date", "alt_care_start", "measure_date", "dropout_date"), "2018-05-04"),
    {"school_level": "3", "grade": 5},
    {"school_level": "4", "grade": 6},
    {"school_level": "5", "grade": 12},
    {"school_level": "2", "grade": 6},
    BORN | {"mother_birth_year": 2006, "father_birth_year": 1980},
    {"pid": "092218000001", "sex": "1"},
    {"pid": "092318000001", "sex": "2"},
    {"pid": "092318000001", "sex": "9"},
    BORN | {"pid": "092218000001", "dob_precision": "D"},
    BORN | {"pid": "092219000001", "dob_precision": "Y"},
    {"mother_status": "4", "father_status": "1", "caregiver_type": "2"},
    {"safe_home_score": 33, "safe_home_mandatory_ok": 15},
    {"housing": "4", "water_hazard_near": "1"},
]


@pytest.mark.parametrize("check", BROKEN)
def test_a_broken_check_is_named_and_a_blank_breaks_none(check: str) -> None:
    kind = next(kind for kind in KINDS if check in kind.tests)
    assert kind.broken(BROKEN[check]) == (check,)
    for name in BROKEN[check]:
        for blank in BLANKS:
            assert kind.broken({**BROKEN[check], name: blank}) == ()


def test_every_check_has_its_example_and_its_words() -> None:
    assert {name for kind in KINDS for name in kind.tests} == set(BROKEN)
    assert all(check.vi.endswith(".") and check.en.endswith(".") for kind in KINDS for check in kind.checks)


@pytest.mark.parametrize("data", FINE, ids=str)
def test_what_is_consistent_breaks_no_check(data: Mapping[str, Any]) -> None:
    assert CHILD.broken(data) == HOUSEHOLD.broken(data) == ()


def test_more_than_one_broken_check_in_the_order_of_the_file() -> None:
    both = {**BROKEN["grade_in_level"], **BROKEN["care_after_birth"], **BROKEN["caregiver_alive"]}
    assert CHILD.broken(both) == ("care_after_birth", "grade_in_level", "caregiver_alive")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), ("", ""), ("a", "a"), (3, "3"), (2.5, "2.5"), (["b", "a"], "b a"), ([], ""), ([{"a": 1}], None),
     ({"a": 1}, None)],
    ids=str,
)  # fmt: skip
def test_values_as_conditions_see_them(value: Any, text: str | None) -> None:
    assert xpath(value) == text
    assert Condition("${x} = ''").holds({"x": value}) is (None if text is None else text == "")


def test_a_condition_without_a_meaning_is_refused() -> None:
    for source in ("${a} =", "pulldata('a')", "now() = ''", "${a} < today( )"):
        with pytest.raises(ConditionError):
            Condition(source)
