"""What a scheduler decides about a visit. It lies over the plan and is never part of it: planning again, in whatever
order words arrive, cannot undo it, and it cannot hold up what the law wants.
"""

import uuid
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import StrEnum

from sync.times import end_of_day, iso
from sync.visits.calendar import Calendar
from sync.visits.plan import Made, Visit, VisitState

BY_HAND = "BY-HAND"  # stands for the rule of a visit that a person added
BY_HAND_NAME = {"vi": "Thăm theo phân công", "en": "A visit that was asked for"}
_NAMESPACE = uuid.UUID("5b1c4a52-7f0d-5a3e-9a41-0d7f1c2b8e66")
_MET, _NOBODY_HOME = ("1", "2"), "3"  # of list visit_result
_PRIORITY = 60
_BEFORE = 7  # days before its due date that it comes onto lists


class Arranging(StrEnum):
    """What may be done with a visit."""

    REASSIGN = "reassign"
    SNOOZE = "snooze"
    CANCEL = "cancel"
    RESUME = "resume"
    ADD = "add"


@dataclass(frozen=True)
class Arrangement:
    """`assignee`: who is to go. `until`: on no list before that day. `cancelled`: on no list at all."""

    assignee: str | None = None
    until: date | None = None
    cancelled: bool = False


NOTHING = Arrangement()


class Unlawful(ValueError):
    """A statutory visit may neither be cancelled nor put off past its deadline."""


def in_force(visit: Visit, arrangement: Arrangement) -> Arrangement:
    """What of it holds: a visit that has become statutory, or due earlier, since it was arranged, comes back."""
    if not visit.statutory:
        return arrangement
    until = min(arrangement.until, visit.due) if arrangement.until else None
    return replace(arrangement, cancelled=False, until=until)


def arranged(
    visit: Visit, before: Arrangement, act: Arranging, to: str | None = None, until: date | None = None
) -> Arrangement:
    """The arrangement after an act. Raises `Unlawful`."""
    if visit.statutory and (act is Arranging.CANCEL or (until is not None and until > visit.due)):
        raise Unlawful(visit.rule)
    if act is Arranging.REASSIGN:
        return replace(before, assignee=to)
    if act is Arranging.SNOOZE:
        return replace(before, until=until)
    if act is Arranging.CANCEL:
        return replace(before, cancelled=True)
    return Arrangement(assignee=before.assignee)


@dataclass(frozen=True)
class Whom:
    """A child or household, and where it lives."""

    type: str
    id: str
    household: str | None
    area: str
    scope: str


def by_hand(key: str, whom: Whom, due: date, reason: str, at: int, calendar: Calendar) -> Visit:
    """A collaborator's visit that a person adds; the same `key` is the same visit. `reason` is printed."""
    return Visit(
        id=str(uuid.uuid5(_NAMESPACE, key)),
        rule=BY_HAND,
        rule_version=1,
        subject_type=whom.type,
        subject=whom.id,
        household=whom.household,
        area=whom.area,
        scope=whom.scope,
        start=iso(at),
        start_at=at,
        earliest=due - timedelta(days=_BEFORE),
        due=due,
        latest=due,
        due_at=end_of_day(due),
        show_on=calendar.working_day_on_or_before(due),
        assignee_role="collaborator",
        priority=_PRIORITY,
        statutory=False,
        reason=reason,
        caused_by=key,
        calendar=calendar.version,
        state=VisitState.OPEN,
        done_by=None,
        attempts=0,
    )


def kept(row: Visit, whom: Whom | None, made: Iterable[Made]) -> Visit:
    """A visit added by hand as it is now. Nobody there any more (`whom` None): not needed.

    Whatever form names the subject does it, if somebody was met after the visit was added.
    """
    if whom is None:
        return replace(row, state=VisitState.NOT_NEEDED, done_by=None)
    mine = [one for one in made if one.subject == row.subject and one.t >= row.start_at]
    done = min((one for one in mine if one.result in _MET), key=lambda one: (one.t, one.sub), default=None)
    return replace(
        row,
        household=whom.household,
        area=whom.area,
        scope=whom.scope,
        state=VisitState.OPEN if done is None else VisitState.DONE,
        done_by=None if done is None else done.sub,
        attempts=sum(one.result == _NOBODY_HOME for one in mine),
    )
