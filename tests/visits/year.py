"""A year of a small commune that does not exist: what happens, who is visited, and when it reaches the server.

Everything follows from a seed. What people do depends on what was planned the evening before, as in life; so a year
is lived once (`live`), and its submissions can then be told to other planners in any order (`Year.subs`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from random import Random
from typing import Any

from sync.times import ZONE, end_of_day, local_date, to_ms
from sync.visits.plan import Child, Made, Visit, VisitState
from tests.visits.visit_world import RULES, Stored, Thing, Write

BEGIN, END = date(2026, 1, 1), date(2026, 12, 31)
AREA = "2025.31135"
FORM = {"child": "child_situation", "household": "household_update", "report": "child_review"}


@dataclass(frozen=True)
class Sub:
    """One submission: what it says of a subject, perhaps a visit, and the day on which it is uploaded."""

    id: str
    t: int
    arrives: date
    type: str
    subject: str
    household: str | None
    data: dict[str, Any]
    result: str | None = None

    @property
    def made(self) -> Made | None:
        home = self.subject if self.type == "household" else self.household
        known = self.result is not None
        return Made(self.id, FORM[self.type], self.t, str(self.result), self.subject, home) if known else None


@dataclass
class Year:
    """What has happened so far; `told` is what the server knows of it."""

    random: Random
    subs: list[Sub] = field(default_factory=list)
    told: list[Sub] = field(default_factory=list)

    def say(
        self, day: date, kind: str, subject: str, home: str | None, result: str | None = None, **data: Any
    ) -> None:
        """Somebody writes something down; one of five phones waits for a network for up to twelve days."""
        hour = time(self.random.randrange(7, 18), self.random.randrange(60))
        t = to_ms(datetime.combine(day, hour, ZONE))
        wait = self.random.randrange(1, 13) if self.random.random() < 0.2 else 0
        sub = Sub(f"s{len(self.subs):04}", t, day + timedelta(days=wait), kind, subject, home, data, result)
        self.subs.append(sub)

    def news(self, day: date) -> list[Sub]:
        return [sub for sub in self.subs if sub.arrives == day]


def things(told: Sequence[Sub]) -> Iterator[tuple[Thing, list[Made]]]:
    """Every subject as it is known, with the visits that concern it."""
    writes: dict[str, list[Sub]] = {}
    for sub in told:
        writes.setdefault(sub.subject, []).append(sub)
    made = [one for sub in told if (one := sub.made) is not None]
    for ident, mine in writes.items():
        kind, home = mine[0].type, mine[0].household
        scope = f"{AREA}/!" if kind == "report" else f"{AREA}/07"
        children = tuple(
            _child(subs) for subs in writes.values() if kind == "household" and subs[0].household == ident
        )
        wrote = [Write(sub.id, sub.t, sub.data) for sub in mine]
        thing = Thing(kind, ident, wrote, home, children, area=AREA, scope=scope)
        yield thing, [one for one in made if ident in (one.subject, one.household)]


def _child(subs: Sequence[Sub]) -> Child:
    order = sorted(subs, key=lambda sub: (sub.t, sub.id))
    data = {name: value for sub in order for name, value in sub.data.items()}
    dob = date.fromisoformat(data["dob"]) if data.get("dob") else None
    return Child(order[0].subject, dob, order[0].t, order[0].id, bool(data.get("at_risk_codes")))


def settle(stored: Stored, told: Sequence[Sub], today: date) -> None:
    for thing, made in things(told):
        stored.take(thing, made, today=today)


def live(seed: int, evening: Any, homes: int = 4) -> Year:
    """Live a year day by day; `evening(year, stored, before, day)` is called after each day's plan."""
    year, stored = Year(Random(seed)), Stored()
    people = _settle_in(year, homes)
    neglected = {people[0][0], people[-1][0]}  # nobody gets round to these
    day = BEGIN
    while day <= END:
        _life(year, people, day)
        _rounds(year, stored, neglected, day)
        year.told += year.news(day)
        before = dict(stored.rows)
        settle(stored, year.told, day)
        evening(year, stored, before, day)
        day += timedelta(days=1)
    return year


def _settle_in(year: Year, homes: int) -> list[tuple[str, str]]:
    """The households that are registered in the first days, each with one or two children: (child, household)."""
    people = []
    for number in range(homes):
        home, day = f"ho-{number}", BEGIN + timedelta(days=number)
        poor = year.random.choice(["0", "1", "2"])
        year.say(
            day, "household", home, None, "1", poverty_status=poor, safe_home_score=year.random.randrange(18, 30)
        )
        for which in range(1 + number % 2):
            ident = f"tre-{number}-{which}"
            dob = date(2010 + (5 * number + 3 * which) % 15, 1 + number, 10 + which)
            said = {"dob": dob.isoformat(), "school_status": "1", "risk_now": year.random.choice(["0", "1", "2"])}
            year.say(day, "child", ident, home, None, **said)
            people.append((ident, home))
    return people


def _life(year: Year, people: list[tuple[str, str]], day: date) -> None:
    """What happens on one day, and is seen by somebody who comes by."""
    chance = year.random.random
    ident, home = year.random.choice(people)
    if chance() < 0.05:
        year.say(day, "child", ident, home, school_status=year.random.choice(["1", "3", "4"]))
    if chance() < 0.03:
        year.say(day, "child", ident, home, risk_now=year.random.choice(["1", "2", "3"]))
    if chance() < 0.02:
        year.say(day, "child", ident, home, at_risk_codes=year.random.choice([None, ["AR5"]]))
    if chance() < 0.02:
        year.say(day, "child", ident, home, annual_checkup_date=(day - timedelta(days=9)).isoformat())
    if chance() < 0.01:
        start = (day - timedelta(days=year.random.randrange(20))).isoformat()
        year.say(day, "child", ident, home, caregiver_type="7", alt_care_start=start)
    if chance() < 0.02:
        year.say(day, "household", home, None, flood_affected="1", flood_date=day.isoformat())
    if chance() < 0.012:
        newborn = f"be-{len(year.subs)}"
        year.say(
            day,
            "child",
            newborn,
            home,
            None,
            dob=(day - timedelta(days=2)).isoformat(),
            birth_reg="3",
            imm_status="3",
        )
        people.append((newborn, home))
    if chance() < 0.02:
        danger = year.random.choice(["0", "1"])
        year.say(day, "report", f"tin-{len(year.subs)}", None, report_channel="quan_sat", immediate_danger=danger)


def _rounds(year: Year, stored: Stored, neglected: set[str], day: date) -> None:
    """Who is visited: what was due the evening before, the urgent ones surely, with nobody home now and then."""
    for visit in stored.open():
        waiting = visit.earliest <= day and not {visit.subject, visit.household} & neglected
        if waiting and year.random.random() < (0.6 if visit.due <= day else 0.15):
            result = "3" if year.random.random() < 0.15 and visit.subject_type != "report" else "1"
            found: dict[str, Any] = {}
            if visit.rule == "F-BIRTH" and result == "1" and year.random.random() < 0.5:
                found = {"birth_reg": "1"}
            year.say(day, visit.subject_type, visit.subject, visit.household, result, **found)


def missed(visit: Visit, now: int) -> list[str]:
    """The steps that an open visit has reached."""
    rule = RULES.find(visit.rule, visit.subject_type)
    assert rule is not None
    return [step.name for step in rule.steps if step.reached_at(visit, now) is not None]


def open_now(stored: Stored) -> dict[str, Visit]:
    return {ident: row for ident, row in stored.rows.items() if row.state is VisitState.OPEN}


def last_moment(day: date) -> int:
    assert local_date(end_of_day(day) - 1) == day
    return end_of_day(day)
