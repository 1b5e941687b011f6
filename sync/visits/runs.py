"""Since when, and by which submission, a condition has held without a break."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from sync.times import ZONE, local_date, to_ms
from sync.visits.conditions import Condition, Facts, reached

Moment = tuple[int, str]  # (ms, submission); a birthday has no submission and comes first in its instant
Data = Mapping[str, Any]


@dataclass(frozen=True)
class History:
    """What is known of a subject: values from moments on, and since when whose date of birth counts."""

    steps: Sequence[tuple[Moment, Data]]
    births: Sequence[tuple[Moment, date]]


def current_run(condition: Condition, history: History, today: date) -> Moment | None:
    """When the condition began to hold unbroken until now, and the submission behind it; else None."""
    start: Moment | None = None
    cause = ""
    for moment in _moments(condition, history, today):
        cause = moment[1] or cause
        data = next((values for at, values in reversed(history.steps) if at <= moment), {})
        births = [born for at, born in history.births if at <= moment]
        if not condition.holds(Facts(data, births, local_date(moment[0]))):
            start = None
        elif start is None:
            start = (moment[0], cause)
    return start


def as_if(
    steps: Sequence[tuple[Moment, Data]], values: Data, disputed: Mapping[str, Sequence[Any]]
) -> list[tuple[Moment, Data]]:
    """The steps, had each of `values` been right since it first showed in the dispute that is open now."""
    told = list(steps)
    for name, value in values.items():
        shown = [data.get(name) for _, data in steps]
        begin = len(shown)
        while begin and shown[begin - 1] in disputed[name]:
            begin -= 1
        begin = min(begin, len(shown) - 1)
        first = next((index for index in range(begin, len(shown)) if shown[index] == value), begin)
        told[first:] = [(at, {**data, name: value}) for at, data in told[first:]]
    return told


def midnight(day: date) -> int:
    """The first instant of a local day."""
    return to_ms(datetime.combine(day, time(), ZONE))


def _moments(condition: Condition, history: History, today: date) -> list[Moment]:
    """Whenever the condition may change: writes, children who come, ages reached until today."""
    known = [at for at, _ in history.steps] + [at for at, _ in history.births]
    days = {reached(born, *age) for _, born in history.births for age in condition.ages}
    birthdays = [(midnight(day), "") for day in days if day <= today]
    return sorted({*known, *(moment for moment in birthdays if moment > min(known))})
