"""Derived properties: what follows from known cells, and what stays unknown."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from forms.derived import DERIVED, FIRST_YEAR_DOSES
from forms.entity_types import PolicyName
from tests.forms.test_entity_types import CHILD, HOUSEHOLD

DOB = "2024-02-29"
LAST, BIRTHDAY = "2025-02-28", "2025-03-01"  # the last day before the first birthday, and that day


def house(score: Any, mandatory: Any) -> Any:
    return DERIVED["safe_home_pass"]({"safe_home_score": score, "safe_home_mandatory_ok": mandatory}, {})


@pytest.mark.parametrize(
    ("score", "mandatory", "passes"),
    [
        (23, 15, "1"), (33, 15, "1"), (22, 15, "0"), (23, 14, "0"), (0, 0, "0"),
        (None, None, None), (23, None, None), (None, 15, None), (22, None, "0"), (None, 14, "0"),
        ("23", 15, None), (True, True, None), ([], {}, None),
    ],
)  # fmt: skip
def test_a_house_passes_by_both_thresholds(score: Any, mandatory: Any, passes: str | None) -> None:
    assert house(score, mandatory) == passes


def test_a_house_of_which_nothing_is_known_is_not_unsafe() -> None:
    assert DERIVED["safe_home_pass"]({}, {}) is None


def doses(day: str, *left_out: str) -> list[dict[str, Any]]:
    """All doses of the first year on one day, but for those left out."""
    return [{"dose": dose, "dose_date": day} for dose in FIRST_YEAR_DOSES if dose not in left_out]


def full(rows: Sequence[Mapping[str, Any]], dob: Any = DOB, **more: Any) -> Any:
    return DERIVED["imm_full_by_1y"]({"dob": dob, **more}, {"imm_doses": rows})


def test_the_eight_vaccines_have_eight_doses() -> None:
    assert len(set(FIRST_YEAR_DOSES)) == 8
    assert full(doses(LAST)) == "1"
    assert full([*doses(LAST), {"dose": "VGB0"}, {"dose": "VNNB1", "dose_date": "2026-01-01"}]) == "1"


@pytest.mark.parametrize("dose", FIRST_YEAR_DOSES)
def test_a_dose_that_is_not_recorded_is_not_known(dose: str) -> None:
    assert full(doses(LAST, dose)) is None
    undated: list[dict[str, Any]] = [
        {"dose": dose},
        {"dose": dose, "dose_date": None},
        {"dose": dose, "dose_date": "hôm qua"},
    ]
    assert full([*doses(LAST, dose), *undated]) is None


@pytest.mark.parametrize("dose", FIRST_YEAR_DOSES)
def test_a_dose_after_the_first_birthday_came_too_late(dose: str) -> None:
    late = {"dose": dose, "dose_date": BIRTHDAY}
    assert full([*doses(LAST, dose), late]) == "0"
    assert full([late]) == "0"  # whatever is not known of the others


def test_entries_that_disagree_about_the_birthday_leave_it_open() -> None:
    twice = [*doses(LAST), {"dose": "Soi", "dose_date": BIRTHDAY}]
    assert full(twice) is None
    assert full([*twice, {"dose": "BCG", "dose_date": BIRTHDAY}]) is None
    assert full([*doses(LAST), {"dose": "Soi", "dose_date": "2025-01-01"}]) == "1"
    assert full([*doses(LAST, "BCG"), {"dose": "BCG", "dose_date": BIRTHDAY}, *twice[-1:]]) == "0"


@pytest.mark.parametrize("dob", [None, "", "2024", 20240229, ["2024-02-29"]], ids=str)
def test_without_a_birth_nothing_is_known(dob: Any) -> None:
    assert full(doses(LAST), dob) is None
    assert DERIVED["imm_full_by_1y"]({}, {}) is None


@pytest.mark.parametrize(
    ("precision", "before", "between", "after"),
    [
        ("D", "2025-05-30", None, "2025-05-31"),
        (None, "2025-05-30", None, "2025-05-31"),
        ("M", "2025-04-30", "2025-05-01", "2025-05-31"),
        ("M", "2025-04-30", "2025-05-30", "2025-05-31"),
        ("Y", "2024-12-31", "2025-01-01", "2025-12-31"),
    ],
)
def test_an_inexact_birth_leaves_the_days_open_that_it_cannot_decide(
    precision: str | None, before: str, between: str | None, after: str
) -> None:
    born = {"dob": "2024-05-31", "dob_precision": precision}
    assert full(doses(before), **born) == "1"
    assert full(doses(after), **born) == "0"
    if between is not None:
        assert full(doses(between), **born) is None
    assert full(doses(before), dob="2024-05-31", dob_precision="E") is None


def test_every_derived_property_has_its_function() -> None:
    kinds = (CHILD, HOUSEHOLD)
    derived = {p.name for kind in kinds for p in kind.properties.values() if p.policy is PolicyName.DERIVED}
    assert derived == set(DERIVED)
