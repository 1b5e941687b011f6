"""What the scheduler's pages share: which of his areas, which week, which hamlets."""

from datetime import date

from server.console.session import Visitor
from server.problems import Problem
from server.reading.plan import week_of
from server.world import current_nest
from sync.visits.lists import ListKind, Period, period_of


def planned_areas(me: Visitor) -> list[tuple[str, str]]:
    """(area, name) of all areas whose visits he plans, in Vietnamese order."""
    wards = current_nest().places.wards
    found = [(area, wards[area].name if area in wards else area) for area in me.access.planning(None)]
    return sorted(found, key=lambda one: (one[1], one[0]))


def area_of(me: Visitor, wanted: str | None) -> tuple[list[tuple[str, str]], str]:
    """All his areas, and the one that is shown: as chosen, else the first. Raises the problem `not_found`."""
    areas = planned_areas(me)
    if wanted:
        (area,) = me.access.planning(wanted)
        return areas, area
    return areas, areas[0][0]


def week_chosen(text: str | None, today: date) -> Period:
    """The week that an address names, as `2026-W48`; this week without one. Raises the problem `invalid`."""
    try:
        return period_of(ListKind.WEEKLY, week_of(text) if text else today)
    except ValueError as error:
        raise Problem("invalid", errors={"week": ["no such week"]}) from error


def week_name(day: date) -> str:
    """The week of a day, as addresses name it."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


def hamlets_of(area: str) -> list[tuple[str, str]]:
    """(code, name) of the hamlets of an area."""
    known = sorted(current_nest().places.hamlets.items())
    return [(code, hamlet.name) for (ward, code), hamlet in known if ward == area]
