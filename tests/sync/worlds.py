"""Generated worlds: bytes that Hypothesis draws are read as the steps of a play.

Drawing a step as a few bytes is ten times faster than drawing it field by field, and still shrinks well: a zero
byte is the simplest choice, and a step may be left out.
"""

from collections.abc import Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from forms.entity_types import EntityType
from sync.state.model import Act
from tests.sync.actors import Answer, Phone, World
from tests.sync.play import Play
from tests.sync.types import CONTACTS, HOUSEHOLD, LISTS, MEASURES, NAMES, PAPERS, RISKS, SETS, VALUES

T = TypeVar("T")
SETUP, STEP = 20, 12
ABOUT = (Act.REJECT, Act.REJECT, Act.UNREJECT, Act.REPAIR, Act.ACCEPT)


class Choices:
    """Reads choices off bytes; where they end, everything is the first option."""

    def __init__(self, data: bytes) -> None:
        self._data = iter(data)

    def number(self, below: int) -> int:
        return next(self._data, 0) % below

    def pick(self, options: Sequence[T]) -> T:
        return options[self.number(len(options))]

    def yes(self, one_in: int) -> bool:
        return self.number(one_in) == one_in - 1


# --- one step -----------------------------------------------------------------------------------------------


def _answer(choices: Choices, name: str, wide: bool, series: bool) -> Answer:
    """What is done with one field: mostly another value, so that people collide."""
    number = next(choices._data, 0)
    deeds: list[Any] = ["absent" if series or not wide else "keep"] * 2
    deeds += [*VALUES[name], *VALUES[name], "clear", "keep"]
    return Answer(deeds[number % len(deeds)], prefilled=number < 200 and not series)


def _answers(kind: EntityType, choices: Choices) -> dict[str, Answer]:
    wide = not choices.yes(3)
    return {name: _answer(choices, name, wide, prop.policy == "series") for name, prop in kind.properties.items()}


def _fill(play: Play, choices: Choices) -> None:
    phone, back, day = choices.number(3), choices.pick((0, 0, 0, 0, 0, 0, 1, 4)), choices.pick((None, None, "1", "9"))
    play.fill(phone, _answers(play.kind, choices), back, day)


def _amend(play: Play, choices: Choices) -> None:
    phone, which, day = choices.number(3), choices.number(8), choices.pick((None, None, None, "2", "40", "90"))
    answers = _answers(play.kind, choices)
    untouched = choices.number(1 + len(answers))  # at least some answers are left as they were
    for name in list(answers)[:untouched]:
        answers[name] = Answer("keep")
    play.amend(phone, which, answers, day)


def _exchange(play: Play, choices: Choices) -> None:
    phone, send = choices.number(3), choices.pick(("all", "all", "all", "first", "last", "none"))
    play.exchange(phone, send, pull=not choices.yes(3), hold=choices.yes(12))


def _rule(play: Play, choices: Choices) -> None:
    desk = _desk(play, choices)
    act = choices.pick((Act.RESOLVE, Act.CORRECT))
    said = {}
    for name in play.kind.properties:
        number = choices.number(8)
        if number < 5:
            said[name] = VALUES[name][number % len(VALUES[name])]
        elif number == 5:
            said[name] = None
    play.rule(desk, said, act)


def _about(play: Play, choices: Choices) -> None:
    desk, act, which = _desk(play, choices), choices.pick(ABOUT), choices.number(8)
    play.about(desk, act, which, _answers(play.kind, choices))


def _life(play: Play, choices: Choices) -> None:
    deed, desk = choices.number(5), _desk(play, choices)
    if deed == 0:
        play.ask_to_delete(choices.number(3))
    elif deed in (1, 2):
        play.rule(desk, {}, Act.DELETE if deed == 1 else Act.RESTORE)
    else:
        play.rule(desk, {"$delete": deed == 3}, Act.RESOLVE)


def _hold(play: Play, choices: Choices) -> None:
    """An author's submission is held or, if it is held already, released."""
    visits = [sub for sub, op in play.arrived.items() if op.act is Act.VISIT]
    if visits:
        sub = choices.pick(visits)
        if sub in play.held:
            play.release([sub])
        else:
            play.hold(sub)


def _desk(play: Play, choices: Choices) -> int:
    number, fresh = choices.number(2), choices.yes(2)
    if fresh:
        play.look(number)
    return number


STEPS = (_fill,) * 9 + (_exchange,) * 7 + (_amend,) * 3 + (_rule,) * 3 + (_about,) * 2 + (_hold,) + (_life,)
FEW = (_fill,) * 5 + (_exchange,) * 4 + (_amend,) * 2 + (_rule, _about)  # nothing held, nothing deleted
LIVES = (_fill,) * 3 + (_exchange,) * 3 + (_life,) * 4 + (_amend, _about, _rule)  # about deleting, mostly


# --- whole worlds ---------------------------------------------------------------------------------------------


def begin(kind: EntityType, choices: Choices) -> Play:
    """Three people and a registered entity."""
    wards = VALUES["ward_code"]
    phones = [
        Phone(
            author,
            tells=not choices.yes(2),
            skew=choices.pick((0, 0, 0, -15, 15, -950, 5_000)),
            suspect=choices.yes(5),
            places=frozenset(wards[: 1 + choices.number(2)]),
        )
        for author in ("Chị Bảy", "Anh Tư", "Chị Út")
    ]
    play = Play(kind, phones)
    play.create(sent=not choices.yes(6), answered=choices.number(1 + len(kind.properties)))
    return play


def go_on(play: Play, steps: Sequence[bytes], among: Sequence[Any] = STEPS) -> None:
    for data in steps:
        choices = Choices(data)
        play.now += 10
        choices.pick(among)(play, choices)


def _play(kinds: Sequence[EntityType], among: Sequence[Any], data: tuple[bytes, list[bytes]]) -> Play:
    choices = Choices(data[0])
    play = begin(choices.pick(kinds), choices)
    go_on(play, data[1], among)
    return play


BYTES = st.binary(min_size=STEP, max_size=STEP)
DATA = st.tuples(st.binary(min_size=SETUP, max_size=SETUP), st.lists(BYTES, min_size=5, max_size=16))
ALL = (NAMES, RISKS, CONTACTS, PAPERS, SETS, MEASURES, LISTS, HOUSEHOLD)


def plays(*kinds: EntityType, among: Sequence[Any] = STEPS) -> st.SearchStrategy[Play]:
    """Worlds that are still going on: play more steps, then `finish()`."""
    return DATA.map(lambda data: _play(kinds or ALL, among, data))


def worlds(*kinds: EntityType, among: Sequence[Any] = STEPS) -> st.SearchStrategy[World]:
    """Honest worlds in which everything has arrived and nothing is held any more."""
    return plays(*kinds, among=among).map(Play.finish)
