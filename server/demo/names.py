"""Names made of the parts in `names.yaml`; whom they may remind of is chance."""

from enum import StrEnum
from pathlib import Path

import yaml

from server.demo.dice import Dice


class Sex(StrEnum):
    """Codes of the list `sex` (not known: never needed here)."""

    MALE = "1"
    FEMALE = "2"


class People(StrEnum):
    """Codes of the list `ethnicity` that the demonstration uses."""

    KINH = "01"
    HOA = "04"
    KHMER = "05"


_PARTS = yaml.safe_load(Path(__file__).with_name("names.yaml").read_text(encoding="utf-8"))
UNNAMED = {Sex(sex): name for sex, name in _PARTS["unnamed"].items()}


def family_name(dice: Dice, people: People, topic: str) -> str:
    """A family name, about as frequent as one meets it."""
    return dice.one(f"{topic} family name", _PARTS["family"][people.value])


def full_name(dice: Dice, people: People, family: str, sex: Sex, topic: str) -> str:
    """Family, middle and given name, in this order."""
    middle = dice.pick(f"{topic} middle name", _PARTS["middle"][people.value][sex.value])
    given = [word for word in _PARTS["given"][people.value][sex.value] if word not in (middle, family)]
    return " ".join(filter(None, [family, middle, dice.pick(f"{topic} given name", given)]))
