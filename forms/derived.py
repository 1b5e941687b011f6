"""Derived properties: what follows from an entity's own cells, without a clock and without other entities.

Each function takes `data` (merged property values) and `series` (cell name -> all entries, as dicts of member
values or row fields, in order of observation) and returns the canonical value, or None for "not known".
"""

import re
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

Series = Mapping[str, Sequence[Mapping[str, Any]]]
Derive = Callable[[Mapping[str, Any], Series], Any]

_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_YES, _NO = "1", "0"

# QĐ 548/QĐ-LĐTBXH (2011): a safe home meets at least 23 of 33 criteria, and all 15 mandatory ones.
SAFE_HOME_SCORE = 23
SAFE_HOME_MANDATORY = 15

# The eight vaccines of the first year, by code of `vaccine_dose`: tuberculosis; diphtheria, pertussis, tetanus,
# hepatitis B and Hib (pentavalent, three doses); polio (oral, three doses); measles. The hepatitis B dose at
# birth is not asked for: the pentavalent doses hold that vaccine.
FIRST_YEAR_DOSES = (
    "BCG", "DPT-VGB-Hib1", "DPT-VGB-Hib2", "DPT-VGB-Hib3", "bOPV1", "bOPV2", "bOPV3", "Soi",
)  # fmt: skip


def safe_home_pass(data: Mapping[str, Any], series: Series) -> str | None:
    """`1` if the house passes by its criteria, `0` if one of the two thresholds is missed, None if not known.

    The third condition of QĐ 548/QĐ-LĐTBXH, no child hurt at home within the year, is not looked at here: it
    depends on the children and on today.
    """
    score, mandatory = _count(data.get("safe_home_score")), _count(data.get("safe_home_mandatory_ok"))
    if (score is not None and score < SAFE_HOME_SCORE) or (mandatory is not None and mandatory < SAFE_HOME_MANDATORY):
        return _NO
    return None if score is None or mandatory is None else _YES


def imm_full_by_1y(data: Mapping[str, Any], series: Series) -> str | None:
    """`1` if every dose of the first year was given before the first birthday, `0` if one was given later.

    A dose that is not recorded is not known, never missed; so are one whose entries disagree about the birthday,
    and one that an inexact date of birth leaves open. Source of the list: indicator Q23-05a, QĐ 23/QĐ-TTg (2021).
    """
    birthday = _first_birthday(data)
    if birthday is None:
        return None
    earliest, latest = birthday
    given: dict[str, list[str]] = {}
    for row in series.get("imm_doses", ()):
        if day := _date(row.get("dose_date")):
            given.setdefault(str(row.get("dose")), []).append(day)
    dates = [given.get(dose, []) for dose in FIRST_YEAR_DOSES]
    if any(days and min(days) >= latest for days in dates):
        return _NO
    return _YES if all(days and max(days) < earliest for days in dates) else None


def _first_birthday(data: Mapping[str, Any]) -> tuple[str, str] | None:
    """The earliest and the latest day that may be the first birthday, given how exactly the birth is known.

    29 February plus a year is written as 29 February: as text it lies between 28 February and 1 March.
    """
    dob = _date(data.get("dob"))
    if dob is None:
        return None
    year, month = int(dob[:4]) + 1, dob[5:7]
    ranges = {
        "D": (f"{year:04}{dob[4:]}", f"{year:04}{dob[4:]}"),
        "M": (f"{year:04}-{month}-01", f"{year:04}-{month}-31"),
        "Y": (f"{year:04}-01-01", f"{year:04}-12-31"),
    }
    return ranges.get(str(data.get("dob_precision") or "D"))


def _date(value: Any) -> str | None:
    return value if isinstance(value, str) and _DATE.match(value) else None


def _count(value: Any) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


DERIVED: Mapping[str, Derive] = MappingProxyType(
    {"safe_home_pass": safe_home_pass, "imm_full_by_1y": imm_full_by_1y},
)
