"""Whether visiting helps: what came of the visits that were due, by rule, person, area and week."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median
from typing import Any

from server.auth.access import Access
from server.reading.plan import Fate, fates
from server.reminders.drafting import rule_words
from server.world import Nest
from sync.times import local_date


@dataclass(frozen=True)
class Figures:
    """Counts of visits. `kept`: how many of 100 statutory ones that were decided were in time; None of none.

    `delay`: the median of the days by which those that were late were late; None of none.
    """

    name: str
    due: int
    in_time: int
    late: int
    missed: int
    open: int
    kept: float | None
    delay: float | None


@dataclass(frozen=True)
class Outcomes:
    """The figures of a time: in all, and by each of four things."""

    total: Figures
    by_rule: list[Figures]
    by_person: list[Figures]
    by_area: list[Figures]
    by_week: list[tuple[date, Figures]]


def outcomes(
    nest: Nest, access: Access, areas: Collection[str], begins: date, ends: date, now: int, language: str, nobody: str
) -> Outcomes:
    """What came of the visits due from `begins` to `ends`; `nobody` is what those are called who are nobody."""
    found, named = fates(nest, access, areas, begins, ends, now)
    wards = nest.places.wards

    def rule(one: Fate) -> str:
        words = rule_words(nest, one.visit)[0]
        return f"{words.get(language) or words['vi']} ({one.visit.rule})"

    by_week = _grouped(found, lambda one: one.visit.due - timedelta(days=one.visit.due.weekday()))
    return Outcomes(
        _figures("", found),
        _named(found, rule),
        _named(found, lambda one: named.get(one.person, one.person) if one.person else nobody),
        _named(found, lambda one: wards[one.visit.area].name if one.visit.area in wards else one.visit.area),
        [(week, _figures(week.isoformat(), its)) for week, its in sorted(by_week.items())],
    )


def _named(found: Iterable[Fate], name: Callable[[Fate], str]) -> list[Figures]:
    """By a name; those first of which the most were missed."""
    figures = [_figures(called, its) for called, its in _grouped(found, name).items()]
    return sorted(figures, key=lambda one: (-one.missed, -one.late, one.name))


def _grouped(found: Iterable[Fate], key: Callable[[Fate], Any]) -> dict[Any, list[Fate]]:
    groups: dict[Any, list[Fate]] = defaultdict(list)
    for one in found:
        groups[key(one)].append(one)
    return groups


def _figures(name: str, found: list[Fate]) -> Figures:
    states = {state: sum(one.state == state for one in found) for state in ("in_time", "late", "missed", "open")}
    law = [one.state for one in found if one.visit.statutory and one.state != "open"]
    days = [(local_date(one.made) - one.visit.due).days for one in found if one.state == "late" and one.made]
    kept = 100 * law.count("in_time") / len(law) if law else None
    return Figures(name, len(found), **states, kept=kept, delay=median(days) if days else None)
