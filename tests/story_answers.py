"""What the people of the story answer: one family in many copies, none of which exists."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from tests.device_net import LOCAL

Value = dict[str, Any]

# What the form of a visit puts before its user, if it is known.
PREFILLED = (
    "full_name", "sex", "dob", "dob_precision", "birth_reg", "father_status", "mother_status", "caregiver_type",
    "parents_away", "hi_card", "disability_degree", "school_status", "school_level", "school_name", "grade",
    "work_status", "water_safety_skill", "helmet", "risk_now",
)  # fmt: skip


def today() -> str:
    return datetime.now(LOCAL).date().isoformat()


def _born(years: int) -> str:
    return (datetime.now(LOCAL) - timedelta(days=years * 366 + 100)).date().isoformat()


def household(ident: str, hamlet: str, ward: str, children: list[str]) -> Value:
    """The registration of a mother and her children; each child's row names it."""
    return {
        "visit_date": today(),
        "visit_result": "1",
        "respondent": "1",
        "informed_and_agreed": "1",
        "household_id": ident,
        "ward_code": ward,
        "hamlet_code": hamlet,
        "address_type": "1",
        "address_line": "7/2, hẻm 9, tổ 4",
        "head_name": "Nguyễn Thị Mười",
        "poverty_status": "0",
        "poverty_year": int(today()[:4]),
        "water_hazard_near": "0",
        "flood_affected": "0",
        "members": [_mother(), *map(_child, children)],
    }


def _mother() -> Value:
    told = _row() | {"full_name": "Nguyễn Thị Mười", "relationship": "1", "dob": _born(34)}
    return {"member_kind": "2", "marital": "2"} | {f"adult_{name}": value for name, value in told.items()}


def _child(ident: str) -> Value:
    return {"member_kind": "1"} | _row() | {"__id": ident}


def _row() -> Value:
    return {
        "full_name": "Nguyễn Thị Bé",
        "relationship": "3",
        "sex": "2",
        "dob": _born(9),
        "dob_precision": "D",
        "residence_status": "1",
    }


def situation(child: str, shown: Mapping[str, Any]) -> Value:
    """A visit that finds everything as it was: what was shown is sent back, the rest is ordinary."""
    ordinary: Value = {
        "visit_date": today(),
        "visit_result": "1",
        "respondent": "2",
        "informed_and_agreed": "1",
        "child": child,
        "full_name": "Nguyễn Thị Bé",
        "sex": "2",
        "dob": _born(9),
        "dob_precision": "D",
        "birth_reg": "1",
        "father_status": "1",
        "mother_status": "1",
        "caregiver_type": "1",
        "parents_away": "0",
        "hi_card": "2",
        "disability_degree": "0",
        "school_status": "1",
        "school_level": "3",
        "grade": 4,
        "work_status": "0",
        "new_injuries": "0",
        "risk_now": "0",
    }
    return ordinary | {name: value for name, value in shown.items() if name in PREFILLED}
