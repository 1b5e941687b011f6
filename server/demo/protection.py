"""Answers to section H (observe and report only): mostly nothing, so that the few that say something stand out."""

from server.demo.dice import Dice
from server.demo.household import Answers

# The questions whose answers go to the protected half; a phone never gets them back.
SECRET = (
    "abuse_signs", "immediate_danger", "sc_protected", "at_risk_protected", "child_marriage", "substance_use",
)  # fmt: skip
_INTERNET = {"1": 3, "2": 5, "3": 4, "2 4": 1, "3 5": 0.5}


def protection(dice: Dice, today: Dice, age: int, in_danger: bool) -> Answers:
    """`dice` are of the child, `today` of the visit; `in_danger` for the one child that cannot wait."""
    answers: Answers = {"internet_use": dice.one("internet", _INTERNET).split()} if age >= 6 else {}
    if in_danger:
        return answers | {"abuse_signs": ["1", "5"], "immediate_danger": "1"}
    if today.chance("signs", 0.015):
        answers["abuse_signs"] = [today.pick("sign", ["1", "2", "3", "6"])]
        answers["immediate_danger"] = today.one("danger", {"0": 3, "9": 1})
    if dice.chance("sc protected", 0.012):
        answers["sc_protected"] = [dice.pick("sc group", ["SC05", "SC09", "SC10"])]
    if dice.chance("at risk protected", 0.02):
        answers["at_risk_protected"] = [dice.pick("at risk group", ["AR6", "AR7", "AR10"])]
    if age >= 12 and today.chance("asked of marriage", 0.1):
        answers["child_marriage"] = today.one("marriage", {"0": 8, "9": 1, "1": 1})
    if age >= 10 and today.chance("asked of substances", 0.15):
        answers["substance_use"] = today.one("substances", {"0": 7, "9": 2, "1": 1})
    return answers
