"""Conditions over the merged properties of one entity, written in XPath with `${property}` for a value.

Evaluated by `forms.expressions`, so a condition can come out true, false or not decidable. No condition may ask
for today: what depends on the clock belongs to the visits, not to the record.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from forms.expressions import Value, compile_expression, string, truth

_NAME = re.compile(r"\$\{(\w+)\}")
_CLOCK = re.compile(r"\b(?:today|now)\s*\(")


class ConditionError(ValueError):
    """A condition that cannot be used; the message says why."""


def xpath(value: Any) -> Value:
    """The XPath value of a canonical answer: '' for a blank, codes joined by spaces, None for rows."""
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, int | float):
        return string(float(value))
    if isinstance(value, list) and all(isinstance(code, str) for code in value):
        return " ".join(value)
    return None


@dataclass(frozen=True)
class Record:
    """Where the names of a condition are looked up: property -> canonical value; a missing one is blank."""

    data: Mapping[str, Any]

    def value(self, name: str) -> Value:
        return xpath(self.data.get(name))

    @property
    def today(self) -> date:
        raise ConditionError("a condition over a record has no clock")


class Condition:
    """One condition, compiled once. Raises `ConditionError` for what no record could decide."""

    def __init__(self, source: str) -> None:
        self.names = frozenset(_NAME.findall(source))
        if _CLOCK.search(source):
            raise ConditionError(f"{source!r} asks for the clock")
        self._expression = compile_expression(_NAME.sub(r"/\1", source))
        self._of_nothing = truth(self._expression(Record({}), ""))
        if self._of_nothing is None:
            raise ConditionError(f"{source!r} cannot be decided")

    def holds(self, data: Mapping[str, Any]) -> bool | None:
        """Whether it is true of a record (property -> canonical value); None if that cannot be decided."""
        if self.names.isdisjoint(data):  # it looks at nothing that is there
            return self._of_nothing
        return truth(self._expression(Record(data), ""))
