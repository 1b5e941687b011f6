"""What planning knows and what it makes: subjects and how they came to be, visits made, follow-up visits."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Protocol


class VisitState(StrEnum):
    """What became of a follow-up visit."""

    OPEN = "open"
    DONE = "done"
    NOT_NEEDED = "not_needed"


@dataclass(frozen=True)
class Step:
    """The merged values of some properties from the instant `t` (ms) on; `sub` made the step, and said `told`."""

    t: int
    sub: str
    data: Mapping[str, Any]
    told: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Child:
    """What a rule about households needs of a child; `since` (ms) and `sub` are its first write.

    `at_risk`: groups of risk are told of it, of those that collaborators read.
    """

    id: str
    dob: date | None
    since: int
    sub: str
    at_risk: bool = False


class Subject(Protocol):
    """A household or child as planning sees it; `since` (ms) and `sub` are its first write."""

    @property
    def type(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def household(self) -> str | None: ...
    @property
    def area(self) -> str: ...
    @property
    def scope(self) -> str: ...
    @property
    def since(self) -> int: ...
    @property
    def sub(self) -> str: ...
    @property
    def data(self) -> Mapping[str, Any]: ...
    @property
    def children(self) -> Sequence[Child]: ...

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        """How these properties came to be, ascending by (t, sub)."""

    def candidates(self, prop: str) -> Sequence[Any]:
        """Every live value while a conflict is open, else the one there is."""


@dataclass(frozen=True)
class Made:
    """A visit that was made: one submission naming an entity; `result` is a code of list visit_result."""

    sub: str
    form: str
    t: int
    result: str
    subject: str
    household: str | None


@dataclass(frozen=True)
class Visit:
    """A follow-up visit. Dates are local (Asia/Ho_Chi_Minh); `due_at` (ms) is when it becomes overdue.

    `show_on` is the working day on or before the due date, for printed lists. `calendar` names the version
    that computed the dates; `caused_by` is the submission that started the clock.
    """

    id: str
    rule: str
    rule_version: int
    subject_type: str
    subject: str
    household: str | None
    area: str
    scope: str
    start: str
    start_at: int
    earliest: date
    due: date
    latest: date
    due_at: int
    show_on: date
    assignee_role: str
    priority: int
    statutory: bool
    reason: str
    caused_by: str
    calendar: str
    state: VisitState
    done_by: str | None
    attempts: int
