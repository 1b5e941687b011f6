"""Whose the visits of some areas are, by scope: for lists, and as a condition that the database can decide.

The rule is `Arranged.whose`: a visit is the one's it was given to, if he still has charge of the place; else it is
everybody's who has. Charge hangs on the scope alone, so it is worked out once for each scope.
"""

from collections.abc import Collection, Sequence
from datetime import date
from functools import cached_property

from sqlalchemy import ColumnElement, and_, false, not_, or_

from server.reminders.arranged import arrangement, visit
from sync.authority import PROTECTION, Author, covers
from sync.places import UNKNOWN_HAMLET

NOBODY = "-"  # stands for whoever has charge where nobody has


class Charge:
    """Who of `people` has charge of what on a day."""

    def __init__(self, people: Sequence[Author], areas: Collection[str], day: date) -> None:
        self.areas = sorted(areas)
        self._places = {one.id: one.places((day,)) for one in people}
        self._able: dict[str, tuple[str, ...]] = {}

    def able(self, scope: str) -> tuple[str, ...]:
        """Who has charge of a scope, by id."""
        found = self._able.get(scope)
        if found is None:
            found = tuple(who for who, places in sorted(self._places.items()) if covers(places, scope))
            self._able[scope] = found
        return found

    def whose(self, scope: str, given: str | None) -> tuple[str, ...]:
        """On whose lists a visit to a scope stands that was given to somebody, or to nobody."""
        able = self.able(scope)
        return (given,) if given is not None and given in able else able

    def has(self, who: str) -> ColumnElement[bool]:
        """That a visit stands on one person's lists; of `NOBODY`: on nobody's."""
        parts = [
            and_(places, self._mine(able, who))
            for places, able in self._groups
            if (who in able if who != NOBODY else not able)
        ]
        return or_(*parts) if parts else false()

    def _mine(self, able: tuple[str, ...], who: str) -> ColumnElement[bool]:
        given = arrangement.c.assignee
        if who == NOBODY or len(able) == 1:
            return visit.c.id.is_not(None)
        return or_(given.is_(None), given == who, given.not_in(able))

    @cached_property
    def _groups(self) -> list[tuple[ColumnElement[bool], tuple[str, ...]]]:
        """Places, and who has charge of them: those that somebody's charge names, and in each area the rest."""
        named = {place for places in self._places.values() for place in places if "/" in place}
        named |= {f"{area}/{UNKNOWN_HAMLET}" for area in self.areas}
        by_people: dict[tuple[str, ...], list[str]] = {}
        for scope in sorted(named):
            by_people.setdefault(self.able(scope), []).append(scope)
        found: list[tuple[ColumnElement[bool], tuple[str, ...]]] = [
            (visit.c.scope.in_(scopes), able) for able, scopes in by_people.items()
        ]
        for area in self.areas:
            rest = and_(visit.c.area == area, visit.c.scope.not_in([*sorted(named), f"{area}/{PROTECTION}"]))
            found.append((rest, tuple(who for who, places in sorted(self._places.items()) if area in places)))
        return found


def cancelled() -> ColumnElement[bool]:
    """That a visit is cancelled; what holds of an arrangement says `in_force`."""
    return and_(arrangement.c.cancelled.is_(True), not_(visit.c.statutory))


def put_off(last: date) -> ColumnElement[bool]:
    """That a visit is on no list that ends on a day, as it was put off."""
    until = arrangement.c.until
    return and_(until.is_not(None), until > last, or_(not_(visit.c.statutory), visit.c.due > last))
