"""Who may write where, from what was true when a submission was made or received; never from arrival order."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sync.model import Standing
from sync.places import UNKNOWN_HAMLET

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

    def areas(self, days: Iterable[date]) -> frozenset[str]:
        """The areas in which he held an assignment on any of `days`."""
        wanted = tuple(days)
        return frozenset(held.area for held in self.assignments if any(held.on(day) for day in wanted))

    def may_write(self, area: str, hamlet: str, days: Iterable[date]) -> bool:
        """Whether he may write what lives there: a collaborator or supervisor, assigned on any of `days`."""
        if self.role not in (Role.COLLABORATOR, Role.SUPERVISOR):
            return False
        wanted = tuple(days)
        return any(held.covers(area, hamlet) and any(held.on(day) for day in wanted) for held in self.assignments)

    def standing(self, area: str, day: date) -> Standing:
        """Only a supervisor of the area at that time has authority in the merge policies."""
        if self.role is Role.SUPERVISOR and area in self.areas([day]):
            return Standing.SUPERVISOR
        return Standing.AUTHOR

    def home(self, day: date) -> str:
        """The area of what cannot be placed: his on that day, else the last that he held."""
        held = [a for a in self.assignments if a.on(day)] or sorted(self.assignments, key=lambda a: a.begins)
        return held[-1].area if held else UNPLACED
