"""The follow-up rules as data, read from `config/followup_rules.yaml`. To change one, edit it there."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from functools import cached_property
from typing import Any, TypeVar

import yaml

from sync.times import local_date
from sync.visits.calendar import Calendar, add_months
from sync.visits.conditions import Condition, ConditionError, compile_condition
from sync.visits.escalation import Escalation, read_steps

_T = TypeVar("_T")
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the same language, many times as fast


class RuleError(ValueError):
    """A rule that cannot be used; the message names the rule and the field."""


class Trigger(StrEnum):
    """What starts a rule: a state that holds, or a failed attempt."""

    STATE = "state"
    NOBODY_HOME = "nobody_home"


class Unit(StrEnum):
    """How a rule's clock runs: hours through nights and Tết, worked days, or the calendar's."""

    HOUR = "hour"
    WORKING_DAY = "working_day"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True)
class Clock:
    """When a visit is due: `count` units after its start, or at milestones: several ages (`at`), or `every` so many.

    `origin` names a property that says when it began to run, if that was before it was written down; milestones are
    counted from it instead of the birth. `since`: a date of which the latest alone counts, whatever was visited.
    """

    unit: Unit
    count: int = 0
    at: tuple[int, ...] = ()
    every: int = 0
    origin: str | None = None
    since: str | None = None

    @property
    def milestones(self) -> bool:
        return bool(self.at or self.every)

    def due(self, start_at: int, count: int, calendar: Calendar) -> date:
        """The local date that is `count` units after the instant `start_at` (ms), whose own day is day 0."""
        start = local_date(start_at)
        if self.unit is Unit.WORKING_DAY:
            return calendar.add_working_days(start, count)
        if self.unit is Unit.HOUR:
            return local_date(start_at + count * 3_600_000)
        if self.unit is Unit.DAY:
            return start + timedelta(days=count)
        return add_months(start, count * (12 if self.unit is Unit.YEAR else 1))


@dataclass(frozen=True)
class Rule:
    """One rule in one version. `before` and `after`: the window around the due date, in days.

    `done_by` maps a form to what its submission must name: the `subject` itself, or its `household`. `once`: after a
    completing visit only what is told anew starts it again, not what still holds.
    """

    code: str
    version: int
    begins: date
    ends: date | None
    subject: str
    texts: Mapping[str, Mapping[str, str]]
    trigger: Trigger
    condition: Condition | None
    clock: Clock
    before: int
    after: int
    role: str
    priority: int
    absorbs: tuple[str, ...]
    done_by: Mapping[str, str]
    escalate_after: int | None
    statutory: bool
    source: str
    once: bool = False
    steps: tuple[Escalation, ...] = ()
    state: Mapping[str, Any] | None = None  # the condition as the file has it, for people to read

    def on(self, day: date) -> bool:
        return self.begins <= day and (self.ends is None or day <= self.ends)

    def clashes(self, other: "Rule") -> bool:
        """Whether there is a day on which both would plan under one code for one subject."""
        alike = (self.code, self.subject) == (other.code, other.subject)
        return alike and (self.on(other.begins) or other.on(self.begins))


@dataclass(frozen=True)
class Waiting:
    """A rule that is known and plans nothing yet: what starts it is not in the product. `waits_for` names that."""

    code: str
    version: int
    begins: date
    ends: date | None
    waits_for: str
    starts_with: str
    texts: Mapping[str, Mapping[str, str]]
    clock: Clock
    role: str
    statutory: bool
    source: str


@dataclass(frozen=True)
class Rules:
    """All rules of one file; `version` is a hash of its text."""

    rules: tuple[Rule, ...]
    version: str
    waiting: tuple[Waiting, ...] = ()

    def find(self, code: str, subject: str) -> Rule | None:
        """The newest version of a rule about entities of type `subject`; None if the file has it no more."""
        return max(self._named.get((code, subject), ()), key=lambda rule: rule.version, default=None)

    def version_of(self, code: str, subject: str, version: int) -> Rule | None:
        """One version of a rule; None if the file has it no more."""
        wanted = (code, subject, version)
        return next((rule for rule in self.rules if (rule.code, rule.subject, rule.version) == wanted), None)

    def for_type(self, kind: str, day: date) -> list[Rule]:
        """The rules about entities of a type that are in force on a day."""
        return [rule for rule in self._about.get(kind, ()) if rule.on(day)]

    @cached_property
    def _about(self) -> Mapping[str, list[Rule]]:
        about: dict[str, list[Rule]] = {}
        for rule in self.rules:
            about.setdefault(rule.subject, []).append(rule)
        return about

    @cached_property
    def _named(self) -> Mapping[tuple[str, str], list[Rule]]:
        named: dict[tuple[str, str], list[Rule]] = {}
        for rule in self.rules:
            named.setdefault((rule.code, rule.subject), []).append(rule)
        return named


def load_rules(text: str) -> Rules:
    """Read the rules file. Raises `RuleError`."""
    try:
        raw = yaml.load(text, Loader=_LOADER)  # noqa: S506 - a safe one
    except yaml.YAMLError as error:
        raise RuleError(f"the rules file is no YAML: {error}") from error
    entries = raw.get("rules") if isinstance(raw, dict) else None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise RuleError("the rules file needs a list under `rules`")
    waiting = tuple(_waiting(entry) for entry in entries if "waits_for" in entry)
    working = [entry for entry in entries if "waits_for" not in entry]
    rules = tuple(_rule(entry | {"subject": subject}) for entry in working for subject in _subjects(entry))
    both = {rule.code for rule in rules} & {rule.code for rule in waiting}
    if both:
        raise RuleError(f"{min(both)}: waits_for: another entry of this code works already")
    for index, rule in enumerate(rules):
        if any(rule.clashes(other) for other in rules[:index]):
            raise RuleError(f"{rule.code}: effective: two rules about a {rule.subject} are in force on one day")
    return Rules(rules, hashlib.sha256(text.encode()).hexdigest()[:12], waiting)


def _subjects(entry: Mapping[str, Any]) -> Sequence[Any]:
    """A rule may be about several types of entity: it is then one rule for each."""
    subject = entry.get("subject")
    return subject if isinstance(subject, list) and subject else [subject]


def _rule(raw: Mapping[str, Any]) -> Rule:
    return _named(raw, _FIELDS, _read)


def _waiting(raw: Mapping[str, Any]) -> Waiting:
    return _named(raw, _WAITING_FIELDS, _read_waiting)


def _named(raw: Mapping[str, Any], fields: frozenset[str], read: Callable[[str, Mapping[str, Any]], _T]) -> _T:
    """Read one entry; whatever is wrong is told with its code. Raises `RuleError`."""
    code = str(raw.get("code", "?"))
    unknown = sorted(set(raw) - fields)
    if unknown:
        raise RuleError(f"{code}: unknown field {unknown[0]}")
    try:
        return read(code, raw)
    except KeyError as error:
        raise RuleError(f"{code}: the field {error.args[0]} is missing") from error
    except (ConditionError, TypeError, ValueError, AttributeError) as error:
        raise RuleError(f"{code}: {error}") from error


_SUBJECTS = ("household", "child", "child_protected", "person", "report", "case", "submission")
_ROLES = ("collaborator", "supervisor")
_FIELDS = frozenset(
    {"code", "version", "effective", "subject", "texts", "trigger", "clock", "window", "assignee"}
    | {"priority", "absorbs", "done_by", "escalation", "statutory", "source", "once"}
)
_WAITING_FIELDS = frozenset(
    {"code", "version", "effective", "texts", "clock", "assignee", "statutory", "source"}
    | {"waits_for", "starts_with"}
)
WAITED_FOR = ("case", "slip")  # a case of child protection; the population collaborator's monthly slip


def _read_waiting(code: str, raw: Mapping[str, Any]) -> Waiting:
    common = _common(code, raw, waits_for=raw["waits_for"] in WAITED_FOR)
    clock = _clock(raw["clock"])
    return Waiting(**common, clock=clock, waits_for=raw["waits_for"], starts_with=str(raw["starts_with"]))


def _common(code: str, raw: Mapping[str, Any], **others: bool) -> dict[str, Any]:
    """What every rule says, checked. `others`: further fields, and whether what they say is good."""
    begins, ends = raw["effective"]["from"], raw["effective"].get("to")
    if any(not raw["texts"][key].get(language) for key in ("name", "why") for language in ("vi", "en")):
        raise RuleError(f"{code}: texts need name and why in vi and en")
    good = others | {
        "assignee": raw["assignee"] in _ROLES,
        "statutory": isinstance(raw["statutory"], bool),
        "effective": type(begins) is date and (ends is None or type(ends) is date),
    }
    for field in (field for field, is_good in good.items() if not is_good):
        raise RuleError(f"{code}: {field} cannot be {raw[field]!r}")
    return {
        "code": code,
        "version": int(raw["version"]),
        "begins": begins,
        "ends": ends,
        "texts": raw["texts"],
        "role": raw["assignee"],
        "statutory": raw["statutory"],
        "source": raw["source"],
    }


def _read(code: str, raw: Mapping[str, Any]) -> Rule:
    trigger = Trigger.STATE if "state" in raw["trigger"] else Trigger(raw["trigger"]["event"])
    once = isinstance(raw.get("once", False), bool) and ("state" in raw["trigger"] or "once" not in raw)
    common = _common(code, raw, subject=raw["subject"] in _SUBJECTS, once=once)
    if any(counts not in ("subject", "household") for counts in raw["done_by"].values()):
        raise RuleError(f"{code}: done_by says subject or household for each form")
    clock, escalation = _clock(raw["clock"]), raw.get("escalation") or {}
    if raw.get("once") and clock.milestones:
        raise RuleError(f"{code}: what is due at several ages is not due once")
    if unknown := sorted(set(escalation) - {"failed_attempts", "steps"}):
        raise RuleError(f"{code}: escalation knows no {unknown[0]}")
    return Rule(
        **common,
        subject=raw["subject"],
        trigger=trigger,
        condition=compile_condition(raw["trigger"]["state"]) if trigger is Trigger.STATE else None,
        clock=clock,
        before=int(raw["window"]["before"]),
        after=int(raw["window"]["after"]),
        priority=int(raw["priority"]),
        absorbs=tuple(raw.get("absorbs", ())),
        done_by=dict(raw["done_by"]),
        escalate_after=escalation.get("failed_attempts"),
        once=raw.get("once", False),
        state=raw["trigger"].get("state"),
        steps=read_steps(escalation.get("steps", ()), clock.count if clock.unit is Unit.HOUR else None),
    )


def _clock(raw: Mapping[str, Any]) -> Clock:
    if unknown := sorted(set(raw) - {"unit", "count", "at", "every", "from", "since"}):
        raise ValueError(f"clock: unknown field {unknown[0]}")
    at: Sequence[Any] = raw.get("at", ())
    if [bool(at), "count" in raw, "every" in raw].count(True) != 1:
        raise ValueError("a clock needs either count or at or every")
    every = int(raw.get("every", 0))
    if (at or every) and raw["unit"] not in ("day", "month", "year"):
        raise ValueError("clock: ages are counted in days, months or years")
    if ("every" in raw and (every < 1 or not raw.get("from"))) or (
        "since" in raw and ("count" not in raw or "from" in raw)
    ):
        raise ValueError("clock: every needs from, since needs count alone")
    ages = tuple(sorted(int(age) for age in at))
    return Clock(Unit(raw["unit"]), int(raw.get("count", 0)), ages, every, raw.get("from"), raw.get("since"))
