"""The small language in which a rule says when it holds.

`{property: P, in: [...]}`, `equals`, `contains`, `below`, `blank`; `{age: {from: 6, below: 16, unit: year}}`;
`{child: {below: 16}}` (a household with such a child; with `at_risk: true` the rule looks only at children at risk);
`{all: [...]}`, `{any: [...]}`, `{not: ...}`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from typing import Any

from sync.visits.calendar import add_months

Data = Mapping[str, Any]


@dataclass(frozen=True)
class Facts:
    """What a condition is asked about: values, birth dates of the child or the children, the local day."""

    data: Data
    births: Sequence[date]
    day: date


Test = Callable[[Facts], bool]


class ConditionError(ValueError):
    """A condition that is not of this language."""


@dataclass(frozen=True)
class Condition:
    """A compiled condition; `properties` are what it looks at, `ages` where it may change.

    `told` is what the values alone say of it: None if it hangs on ages, too.
    `at_risk`: of the children of a household only those at risk count.
    """

    holds: Test
    told: Callable[[Data], bool | None]
    properties: frozenset[str] = frozenset()
    ages: tuple[tuple[int, str], ...] = ()
    at_risk: bool = False

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The properties in order."""
        return tuple(sorted(self.properties))


def compile_condition(raw: Any) -> Condition:
    """Compile one condition. Raises `ConditionError`."""
    if not isinstance(raw, Mapping):
        raise ConditionError(f"{raw!r} is no condition")
    for word, join in (("all", all), ("any", any)):
        if word in raw:
            return _joined([compile_condition(part) for part in raw[word]], join, word == "any")
    if "not" in raw:
        inner = compile_condition(raw["not"])
        return replace(inner, holds=lambda facts: not inner.holds(facts), told=lambda data: _not(inner.told(data)))
    if "age" in raw:
        return _age(raw["age"])
    if "child" in raw:
        if set(raw["child"]) - {"below", "at_risk"}:
            raise ConditionError(f"{raw['child']!r}: a child is `below` an age, and perhaps `at_risk`")
        inner = _age({"below": int(raw["child"]["below"])})
        return replace(inner, at_risk=raw["child"].get("at_risk") is True)
    if "property" in raw:
        return _property(raw)
    raise ConditionError(f"{dict(raw)!r} is no condition")


def reached(born: date, count: int, unit: str) -> date:
    """The day on which somebody born on `born` is `count` days, months or years old."""
    if unit == "day":
        return born + timedelta(days=count)
    return add_months(born, count * (12 if unit == "year" else 1))


def _not(told: bool | None) -> bool | None:
    return None if told is None else not told


def _joined(parts: list[Condition], join: Callable[[Iterator[bool]], bool], decisive: bool) -> Condition:
    """All of them or any; one part that is `decisive` decides the whole."""

    def told(data: Data) -> bool | None:
        said = [part.told(data) for part in parts]
        return decisive if decisive in said else None if None in said else not decisive

    return Condition(
        lambda facts: join(part.holds(facts) for part in parts),
        told,
        frozenset().union(*(part.properties for part in parts)),
        tuple(age for part in parts for age in part.ages),
        any(part.at_risk for part in parts),
    )


def _age(raw: Mapping[str, Any]) -> Condition:
    unit, low, below = str(raw.get("unit", "year")), int(raw.get("from", 0)), raw.get("below")
    if unit not in ("day", "month", "year"):
        raise ConditionError(f"{unit!r} is no unit of age")
    high = None if below is None else int(below)

    def holds(facts: Facts) -> bool:
        return any(
            reached(born, low, unit) <= facts.day and (high is None or facts.day < reached(born, high, unit))
            for born in facts.births
        )

    bounds = (low,) if high is None else (low, high)
    return Condition(holds, lambda data: None, frozenset(), tuple((bound, unit) for bound in bounds))


def _property(raw: Mapping[str, Any]) -> Condition:
    name = str(raw["property"])
    tests: dict[str, Callable[[Any, Any], bool]] = {
        "equals": lambda value, wanted: value == wanted,
        "in": lambda value, wanted: value in wanted,
        "contains": lambda value, wanted: isinstance(value, list) and wanted in value,
        "below": lambda value, wanted: isinstance(value, int | float) and value < wanted,
        "blank": lambda value, wanted: (value is None) == wanted,
    }
    found = [word for word in tests if word in raw]
    if len(found) != 1 or len(raw) != 2:
        raise ConditionError(f"a condition on {name} needs exactly one of {', '.join(tests)}")
    test, wanted = tests[found[0]], raw[found[0]]
    if not _fits(found[0], wanted):
        raise ConditionError(f"{name}: {found[0]} cannot be {wanted!r}; codes are quoted texts")
    told: Callable[[Data], bool] = lambda data: test(data.get(name), wanted)  # noqa: E731
    return Condition(lambda facts: told(facts.data), told, frozenset({name}))


def _fits(word: str, wanted: Any) -> bool:
    """Whether a test is given what it compares with; a code without quotes would silently never match."""
    if word == "in":
        return isinstance(wanted, list) and bool(wanted) and all(isinstance(code, str) for code in wanted)
    if word == "below":
        return isinstance(wanted, int | float) and not isinstance(wanted, bool)
    return isinstance(wanted, bool if word == "blank" else str)
