"""Who may write where, from what was true when a submission was made or received; never from arrival order."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum

from sync.places import UNKNOWN_HAMLET
from sync.times import local_date

PROTECTION = "!"  # the part of an area that only its officers read
UNPLACED = "unplaced"  # where submissions of somebody who never had an assignment are kept


class Role(StrEnum):
    """What a user is."""

    COLLABORATOR = "collaborator"
    SUPERVISOR = "supervisor"
    SCHEDULER = "scheduler"
    ADMINISTRATOR = "administrator"


@dataclass(frozen=True)
class Assignment:
    """A user's charge of a hamlet, or of a whole area (`hamlet` None), from `begins` to `ends` inclusive."""

    area: str
    hamlet: str | None
    begins: date
    ends: date | None = None

    def on(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day <= self.ends)

    def covers(self, area: str, hamlet: str) -> bool:
        """An assignment to a hamlet includes its area's `00`, where hamlets are not known yet."""
        return self.area == area and self.hamlet in (
            None,
            hamlet,
            *([self.hamlet] if hamlet == UNKNOWN_HAMLET else []),
        )


@dataclass(frozen=True)
class Author:
    """A user with every assignment that he ever had."""

    id: str
    role: Role
    assignments: tuple[Assignment, ...] = ()
    _places: dict[tuple[date, ...], frozenset[str]] = field(default_factory=dict, repr=False, compare=False)

    def areas(self, days: Iterable[date]) -> frozenset[str]:
        """The areas in which he held an assignment on any of `days`."""
        wanted = tuple(days)
        return frozenset(held.area for held in self.assignments if any(held.on(day) for day in wanted))

    def places(self, days: Iterable[date]) -> frozenset[str]:
        """What he may write about, having held it on any of `days`: `<area>` whole, or `<area>/<hamlet>`."""
        if self.role not in (Role.COLLABORATOR, Role.SUPERVISOR):
            return frozenset()
        wanted = tuple(days)
        if wanted not in self._places:  # asked for the same days again and again, about each entity
            held = (one for one in self.assignments if any(one.on(day) for day in wanted))
            places = (one.area if one.hamlet is None else f"{one.area}/{one.hamlet}" for one in held)
            self._places[wanted] = frozenset(places)
        return self._places[wanted]

    def supervises(self, day: date) -> frozenset[str]:
        """The areas of which he is a supervisor on that day."""
        return self.areas([day]) if self.role is Role.SUPERVISOR else frozenset()

    def may_write(self, area: str, hamlet: str, days: Iterable[date]) -> bool:
        """Whether he may write what lives there: a collaborator or supervisor, assigned on any of `days`."""
        if self.role not in (Role.COLLABORATOR, Role.SUPERVISOR):
            return False
        wanted = tuple(days)
        return any(held.covers(area, hamlet) and any(held.on(day) for day in wanted) for held in self.assignments)

    def reads(self, area: str, scope: str | None, at: int) -> bool:
        """Whether he reads at the instant `at` (ms) what lives in `scope` of `area`.

        A collaborator reads the hamlets that he is assigned to, a supervisor all of his areas: also what has no scope
        yet, and the protection scope.
        """
        today = local_date(at)
        if self.role is Role.SUPERVISOR:
            return area in self.areas((today,))
        return self.role is Role.COLLABORATOR and scope is not None and covers(self.places((today,)), scope)

    def decides(self, area: str, at: int) -> bool:
        """Whether he may act as a supervisor on what lives in `area`, at the instant `at` (ms)."""
        return area in self.supervises(local_date(at))

    def home(self, day: date) -> str:
        """The area of what cannot be placed: his on that day, else the last that he held."""
        held = [a for a in self.assignments if a.on(day)] or sorted(self.assignments, key=lambda a: a.begins)
        return held[-1].area if held else UNPLACED


def covers(places: frozenset[str], scope: str) -> bool:
    """Whether somebody who holds `places` may write what lives in `<area>/<hamlet>`.

    An assignment to a hamlet includes its area's `00`. The protection scope is no hamlet.
    """
    area, _, hamlet = scope.partition("/")
    if hamlet == PROTECTION:
        return False
    beside = hamlet == UNKNOWN_HAMLET and any(place.startswith(f"{area}/") for place in places)
    return area in places or scope in places or beside
