"""What is put into a form, and what comes out of it: choosing answers at random, reproducibly.

Nothing here knows the engine; `tests.engines.javarosa` asks a `Chooser` and builds a `Filled`.
All values are texts as an XForm instance holds them: dates as `2026-11-23`, several choices with blanks
between.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum
from random import Random
from uuid import UUID

_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_NUMBER = re.compile(r"(?<![\w.])\d+(?:\.\d+)?")
_PHRASES = (
    "Nhà gần kênh",
    "Đường đất, mưa lầy",
    "Mẹ đi làm xa",
    "Ông bà trông cháu",
    "Cần đến lại",
    "Sau chợ, cạnh cầu sắt",
    "Đi bằng xuồng",
    "Chỉ có nhà buổi tối",
    "Mới chuyển đến",
)
_DIGIT_LENGTHS = (1, 3, 5, 9, 10, 12, 15)


class Kind(StrEnum):
    """What a question takes."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    TIME = "time"
    DATE_TIME = "date_time"
    POINT = "point"
    ONE = "one"
    SEVERAL = "several"
    RANK = "rank"
    ACKNOWLEDGE = "acknowledge"
    FILE = "file"


# What a question with a constraint hardly takes.
_HARDLY_RIGHT = {
    Kind.TEXT: ("x" * 3000,),
    Kind.INTEGER: ("-7", "999999"),
    Kind.DECIMAL: ("-7.5", "999999.5"),
    Kind.DATE: ("1850-01-01", "2999-12-31"),
    Kind.DATE_TIME: ("2999-12-31T08:00:00.000+07:00",),
}


class Refusal(StrEnum):
    """Why the engine did not take a value."""

    REQUIRED = "required"
    CONSTRAINT = "constraint"
    NOT_OFFERED = "not_offered"
    UNREADABLE = "unreadable"


@dataclass(frozen=True)
class Ask:
    """One question as the engine shows it. `row` counts from 0 within the innermost repeat.

    `choices` are those left by the choice filter, `current` the value already there (a prefill), `around` the
    answers so far by question name: those of the same row, and of what encloses it.
    """

    path: str
    name: str
    kind: Kind
    required: bool
    today: date
    choices: tuple[str, ...] = ()
    current: str | None = None
    constraint: str = ""
    row: int = 0
    around: Mapping[str, str] = field(default_factory=dict)


Hint = Sequence[str] | Callable[[Ask, Random], str | None]


@dataclass(frozen=True)
class Refused:
    """A value that the engine refused."""

    path: str
    value: str | None
    why: Refusal


@dataclass(frozen=True)
class FilledEntity:
    """An `<entity>` as the phone would apply it to its own list. `properties`: relevant `save_to` answers."""

    dataset: str
    id: str
    create: bool
    update: bool
    base_version: str
    trunk_version: str
    branch_id: str
    label: str
    properties: Mapping[str, str]


@dataclass(frozen=True)
class Filled:
    """A finished form. The mappings go from question path (`/data/members[2]/name`) to value.

    `answered` is what was typed (a prefill cleared: ""), `kept` the prefills left as they were, `expected`
    every relevant leaf as the engine holds it in the end (blank: ""), `refused` the values not taken.
    """

    xml: str
    instance_id: str
    answered: Mapping[str, str]
    kept: Mapping[str, str]
    expected: Mapping[str, str]
    entities: tuple[FilledEntity, ...]
    refused: tuple[Refused, ...]


class Chooser:
    """Random answers for one filling: the same seed and hints give the same answers and identifiers.

    So two fillings that shall be two submissions need different seeds, also of different forms.

    `hints` by question name: values to pick from, or a function; a function that returns None leaves the
    question blank. Unhinted optional questions stay blank with probability `blank`, unhinted prefills are
    kept with probability `keep`. `rows` is (fewest, most) for every repeat, or by the repeat's name. With probability
    `spoil` what cannot be right is tried first, where the form has something against it.
    """

    def __init__(
        self,
        seed: int | str,
        hints: Mapping[str, Hint] | None = None,
        *,
        blank: float = 0.25,
        keep: float = 0.7,
        rows: tuple[int, int] | Mapping[str, tuple[int, int]] = (1, 4),
        tries: int = 80,
        spoil: float = 0.0,
    ) -> None:
        self.random = Random(f"answers {seed}")
        self._ids = Random(f"ids {seed}")
        self._hints = dict(hints or {})
        self._blank, self._keep, self._rows, self._tries, self._spoil = blank, keep, rows, tries, spoil

    def uuid(self) -> str:
        """The next version 4 UUID."""
        return str(UUID(int=self._ids.getrandbits(128), version=4))

    def rows(self, repeat: str) -> int:
        """How many rows this repeat gets."""
        rows = self._rows.get(repeat, (1, 4)) if isinstance(self._rows, Mapping) else self._rows
        return self.random.randint(*rows)

    def keeps(self, ask: Ask) -> bool:
        """Whether the value already there is left alone."""
        return ask.current is not None and ask.name not in self._hints and self.random.random() < self._keep

    def offers(self, ask: Ask) -> Iterator[str | None]:
        """Values to try in turn until the engine takes one; None is a blank."""
        if self.random.random() < self._spoil:
            yield from self._bad(ask)
        hint = self._hints.get(ask.name)
        if hint is None:
            if not ask.required and self.random.random() < self._blank:
                yield None
            for _ in range(self._tries):
                yield self._guess(ask)
        elif callable(hint):
            for _ in range(self._tries):
                yield hint(ask, self.random)
        else:
            values = [value for value in hint if not ask.choices or set(value.split()) <= set(ask.choices)]
            yield from self.random.sample(values, len(values))
        if not ask.required:
            yield None

    def _bad(self, ask: Ask) -> Iterator[str]:
        if ask.choices:
            yield "khong_co"
        elif ask.constraint and ask.kind in _HARDLY_RIGHT:
            yield from _HARDLY_RIGHT[ask.kind]

    def _guess(self, ask: Ask) -> str | None:
        random = self.random
        if ask.kind in (Kind.ONE, Kind.SEVERAL, Kind.RANK):
            return self._picks(ask)
        if ask.kind in (Kind.INTEGER, Kind.DECIMAL):
            number = self._number(ask.constraint)
            return str(round(number) if ask.kind is Kind.INTEGER else round(number, 1))
        if ask.kind in (Kind.DATE, Kind.DATE_TIME, Kind.TIME):
            day = self._day(ask.today).isoformat()
            hour = f"{random.randint(0, 23):02}:{random.randint(0, 59):02}:00.000+07:00"
            return {Kind.DATE: day, Kind.TIME: hour, Kind.DATE_TIME: f"{day}T{hour}"}[ask.kind]
        if ask.kind is Kind.POINT:
            place = f"{random.uniform(9.9, 10.3):.6f} {random.uniform(105.3, 105.9):.6f}"
            return f"{place} 2.0 {random.randint(3, 20)}.0"
        if ask.kind is Kind.FILE:
            return f"{random.randint(10**9, 10**10)}.jpg"
        return "OK" if ask.kind is Kind.ACKNOWLEDGE else self._text(ask.constraint)

    def _picks(self, ask: Ask) -> str | None:
        random, choices = self.random, ask.choices
        if not choices:
            return None
        if ask.kind is Kind.RANK:
            return " ".join(random.sample(choices, len(choices)))
        picked = random.sample(choices, 1 if ask.kind is Kind.ONE else random.randint(1, min(3, len(choices))))
        return " ".join(choice for choice in choices if choice in picked)

    def _number(self, constraint: str) -> float:
        """Mostly between the numbers that the constraint names, as that is where it can hold."""
        named = [float(number) for number in _NUMBER.findall(_QUOTED.sub("", constraint))]
        if named and self.random.random() < 0.8:
            low, high = min(named), max(named)
            return self.random.uniform(low, high) if low < high else low + self.random.randint(-3, 3)
        return self.random.uniform(0, self.random.choice((5, 30, 200, 3000)))

    def _day(self, today: date) -> date:
        if self.random.random() < 0.1:
            return today + timedelta(days=self.random.randint(1, 60))
        return today - timedelta(days=self.random.randint(0, self.random.choice((1, 30, 365, 6570))))

    def _text(self, constraint: str) -> str:
        if "regex" in constraint:
            length = self.random.choice(_DIGIT_LENGTHS)
            return "0" * (length > 5) + "".join(self.random.choices("0123456789", k=length - (length > 5)))
        return self.random.choice(_PHRASES)
