"""How a small child is vaccinated and grows, closely enough for a demonstration."""

from bisect import bisect_right
from datetime import date, timedelta
from typing import Any

from server.demo.dice import Dice

# Days of age at which a dose is due, by code of `vaccine_dose`: the national schedule in outline.
SCHEDULE = {
    "VGB0": 1, "BCG": 3, "DPT-VGB-Hib1": 61, "bOPV1": 61, "Rota": 63, "DPT-VGB-Hib2": 91, "bOPV2": 91,
    "DPT-VGB-Hib3": 122, "bOPV3": 122, "IPV1": 152, "IPV2": 274, "Soi": 274, "VNNB1": 366, "VNNB2": 380,
    "MR": 548, "DPT4": 548, "VNNB3": 745,
}  # fmt: skip
# (months, kg, cm): rounded medians of the WHO child growth standards, boys and girls taken together.
_MEDIANS = (
    (0, 3.3, 49.5), (3, 6.1, 60.5), (6, 7.6, 66.5), (12, 9.3, 75.0), (24, 11.8, 86.8), (36, 14.1, 95.6),
    (48, 16.2, 103.0), (60, 18.2, 109.7), (72, 20.3, 115.5),
)  # fmt: skip


def doses(dice: Dice, dob: date, after: date | None, day: date, missed: int) -> list[dict[str, Any]]:
    """The doses given after `after` and up to `day`; the latest `missed` that were due were not given."""
    rows = []
    for code, due in SCHEDULE.items():
        given = dob + timedelta(days=due + dice.between(f"late {due}", 0, min(due, 12)))
        if given <= day:
            rows.append({"dose": code, "dose_date": given.isoformat()})
    rows = rows[: len(rows) - missed] if missed else rows
    return [row for row in rows if after is None or row["dose_date"] > after.isoformat()]


def measurement(child: Dice, today: Dice, dob: date, day: date) -> dict[str, Any]:
    """Weight, height, date and the finding of a weighing at the health station in the week before `day`."""
    measured = max(dob, day - timedelta(days=today.between("measured", 0, 7)))
    months = (measured - dob).days / 30.4375
    at = min(bisect_right([row[0] for row in _MEDIANS], months), len(_MEDIANS) - 1)
    (m0, kg0, cm0), (m1, kg1, cm1) = _MEDIANS[at - 1 : at + 1]
    share = min(1.0, (months - m0) / (m1 - m0))
    heavy, tall = 0.8 + 0.5 * _middling(child, "weight"), 0.92 + 0.16 * _middling(child, "height")
    nutrition = "3" if tall < 0.945 else "2" if heavy < 0.88 else "5" if heavy > 1.22 else "1"
    return {
        "weight_kg": round((kg0 + share * (kg1 - kg0)) * heavy, 1),
        "height_cm": round((cm0 + share * (cm1 - cm0)) * tall, 1),
        "measure_date": measured.isoformat(),
        "nutrition": nutrition,
    }


def _middling(dice: Dice, topic: str) -> float:
    """From 0 to 1, mostly near the middle."""
    return sum(dice.roll(f"{topic} {n}") for n in range(3)) / 3
