"""Danger never waits: signs in a submission that is held plan a visit of their own, about the submission."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms.danger import danger_signs, danger_signs_of_xml
from forms.entity_types import EntityType
from sync.arrival import Arrival
from sync.visits.plan import Child, Step

SUBMISSION = "submission"  # what the rules call the subject


@dataclass(frozen=True)
class Alarm:
    """The danger signs (property -> value) in a submission; none: whatever was planned about it has ended.

    `t` is its own time (ms): the clock of a statutory term runs from there.
    """

    sub: str
    area: str
    t: int
    signs: Mapping[str, Any]


def signs_of(arrival: Arrival, types: Mapping[str, EntityType]) -> dict[str, Any]:
    """Whatever of an arrival can be read as a danger sign, however much else is wrong with it."""
    item = arrival.item
    if item is not None:
        signs = danger_signs(types, item.answers) if item.xml is None else danger_signs_of_xml(types, item.xml)
        return dict(signs)
    xml = arrival.value.get("xml") if isinstance(arrival.value, dict) else None
    return {**danger_signs_of_xml(types, xml), **danger_signs(types, arrival.value)}


@dataclass(frozen=True)
class AlarmSubject:
    """A submission as planning sees it (`sync.visits.plan.Subject`)."""

    alarm: Alarm
    type: str = SUBMISSION
    household: None = None
    children: Sequence[Child] = ()

    @property
    def id(self) -> str:
        return self.alarm.sub

    @property
    def area(self) -> str:
        return self.alarm.area

    @property
    def scope(self) -> str:
        return f"{self.alarm.area}/!"

    @property
    def since(self) -> int:
        return self.alarm.t

    @property
    def sub(self) -> str:
        return self.alarm.sub

    @property
    def data(self) -> Mapping[str, Any]:
        return self.alarm.signs

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        return [Step(self.alarm.t, self.alarm.sub, {name: self.alarm.signs.get(name) for name in properties})]

    def candidates(self, prop: str) -> Sequence[Any]:
        return [self.alarm.signs.get(prop)]
