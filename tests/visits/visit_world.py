"""Households and children for tests of planning, built from writes so that these can arrive in any order."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from sync.times import ZONE, to_ms
from sync.visits.calendar import Calendar, load_calendar
from sync.visits.plan import Child, Made, Step, Visit, VisitState, plan
from sync.visits.rules import Rules, load_rules
from sync.visits.settle import settle

CONFIG = Path(__file__).parents[2] / "config"
RULES: Rules = load_rules((CONFIG / "followup_rules.yaml").read_text(encoding="utf-8"))
CALENDAR: Calendar = load_calendar((CONFIG / "holidays_vn.csv").read_text(encoding="utf-8"))
TODAY = date(2026, 11, 23)
HOME = "ho-nguyen-van-ut"


def at(text: str) -> int:
    """A local time such as `2026-11-02 09:00` as an instant in ms; a bare date is nine in the morning."""
    return to_ms(datetime.fromisoformat(text if ":" in text else f"{text} 09:00").replace(tzinfo=ZONE))


@dataclass(frozen=True)
class Write:
    """What one submission says of the subject; the later one by (t, sub) stands."""

    sub: str
    t: int
    data: Mapping[str, Any]


@dataclass(frozen=True)
class Thing:
    """A subject whose state follows from its writes."""

    type: str
    id: str
    writes: Sequence[Write]
    household: str | None = None
    children: Sequence[Child] = ()
    disputed: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    area: str = "2025.31135"
    scope: str = "2025.31135/07"

    @cached_property
    def _sorted(self) -> list[Write]:
        return sorted(self.writes, key=lambda write: (write.t, write.sub))

    @property
    def since(self) -> int:
        return self._sorted[0].t

    @property
    def sub(self) -> str:
        return self._sorted[0].sub

    @cached_property
    def data(self) -> Mapping[str, Any]:
        return {name: value for write in self._sorted for name, value in write.data.items()}

    def timeline(self, properties: Sequence[str]) -> Sequence[Step]:
        now: dict[str, Any] = dict.fromkeys(properties)
        steps = []
        for write in self._sorted:
            if write.data.keys() & now.keys():
                now = now | {name: value for name, value in write.data.items() if name in now}
                steps.append(Step(write.t, write.sub, now, {name: write.data.get(name) for name in properties}))
        return steps

    def candidates(self, prop: str) -> Sequence[Any]:
        return self.disputed.get(prop) or [self.data.get(prop)]


def child(*writes: Write, dob: str | None = "2014-03-09", **more: Any) -> Thing:
    """Nguyễn Thị Bé Ba, of the household `HOME`; her first write is her registration."""
    first = min(writes, key=lambda write: (write.t, write.sub))
    born = Write(first.sub, first.t, {"full_name": "Nguyễn Thị Bé Ba", "dob": dob} | dict(first.data))
    return Thing("child", "be-ba", [born, *(write for write in writes if write is not first)], HOME, **more)


def home(since: str, *children: Child) -> Thing:
    """The household of Nguyễn Văn Út, registered on `since`."""
    return Thing("household", HOME, [Write("dang-ky", at(since), {"head_name": "Nguyễn Văn Út"})], children=children)


def young(name: str, dob: str, since: str, sub: str = "dang-ky") -> Child:
    return Child(name, date.fromisoformat(dob), at(since), sub)


def visited(sub: str, when: str, result: str = "1", form: str = "child_situation", subject: str = "be-ba") -> Made:
    return Made(sub, form, at(when), result, subject, HOME)


def due(thing: Thing, *made: Made, rule: str, today: date = TODAY, rules: Rules = RULES) -> Visit | None:
    """The planned visit of one rule, if there is one."""
    found = [visit for visit in plan(thing, made, rules, CALENDAR, today) if visit.rule == rule]
    assert len(found) <= 1
    return found[0] if found else None


def one(thing: Thing, *made: Made, rule: str, today: date = TODAY, rules: Rules = RULES) -> Visit:
    """The planned visit of one rule, which there must be."""
    visit = due(thing, *made, rule=rule, today=today, rules=rules)
    assert visit is not None, f"{rule}: nothing is due"
    return visit


@dataclass
class Stored:
    """The rows of a store, and what settling does to them."""

    rows: dict[str, Visit] = field(default_factory=dict)
    taken_over: dict[str, str] = field(default_factory=dict)

    def take(self, thing: Thing, made: Iterable[Made], rules: Rules = RULES, today: date = TODAY) -> list[Visit]:
        """Plan and settle once; the rows that were written."""
        made = list(made)
        mine = [row for row in self.rows.values() if row.subject == thing.id]
        settled = settle(mine, plan(thing, made, rules, CALENDAR, today), made, rules)
        self.rows |= {row.id: row for row in settled.rows}
        self.taken_over |= settled.taken_over
        return list(settled.rows)

    def open(self, rule: str | None = None) -> list[Visit]:
        rows = [row for row in self.rows.values() if row.state is VisitState.OPEN and rule in (None, row.rule)]
        return sorted(rows, key=lambda row: row.id)
