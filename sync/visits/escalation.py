"""Who hears of a visit that is not made: the steps of a rule, and which of them an open visit has reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sync.times import DAY
from sync.visits.model import Visit

HOUR = 3_600_000
TARGETS = ("supervisor", "chairman", "city")
_KINDS = ("hours", "late_days", "failed_attempts")


@dataclass(frozen=True)
class Escalation:
    """One step: `to` hears `after` ms after the visit's `due_at` (negative: before it), or after `failed` attempts.

    `name` is unique in its rule and is kept with what was escalated: `hours-4`, `late_days-2`, `failed_attempts-3`.
    """

    name: str
    to: str
    after: int | None
    failed: int | None = None

    def reached_at(self, visit: Visit, now: int) -> int | None:
        """When (ms) an open visit reached this step; None if it has not by `now`.

        Of failed attempts only the last is known, which began the retry.
        """
        if self.failed is not None:
            return visit.start_at if visit.attempts >= self.failed else None
        at = visit.due_at + (self.after or 0)
        return at if at <= now else None


def read_steps(raw: Sequence[Mapping[str, Any]], hours: int | None) -> tuple[Escalation, ...]:
    """The steps as a rule names them. `hours`: the term of an hour clock, else None. Raises `ValueError`."""
    steps = tuple(_step(one, hours) for one in raw)
    if len({step.name for step in steps}) < len(steps):
        raise ValueError("escalation: two steps at one time")
    return steps


def _step(raw: Mapping[str, Any], hours: int | None) -> Escalation:
    kinds = [kind for kind in _KINDS if kind in raw]
    if len(kinds) != 1 or set(raw) != {"to", *kinds}:
        raise ValueError(f"escalation: a step names `to` and one of {', '.join(_KINDS)}")
    (kind,) = kinds
    number, to = raw[kind], raw["to"]
    if to not in TARGETS or type(number) is not int or number < 0:
        raise ValueError(f"escalation: {dict(raw)!r} is no step")
    name = f"{kind}-{number}"
    if kind == "failed_attempts":
        return Escalation(name, to, None, number)
    if kind == "late_days":
        return Escalation(name, to, number * DAY)
    if hours is None:
        raise ValueError("escalation: hours after the start are for clocks that run in hours")
    return Escalation(name, to, (number - hours) * HOUR)
