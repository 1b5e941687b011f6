"""A simulated year: no visit without a reason, none doubled, none silently dropped, no statutory term forgotten."""

from collections import Counter
from datetime import date
from random import Random
from typing import Any

import pytest

from sync.times import end_of_day
from sync.visits.conditions import Facts
from sync.visits.plan import Visit, VisitState, completes
from sync.visits.rules import Rule, Trigger
from tests.visits.visit_world import RULES, Made, Stored, Thing
from tests.visits.year import BEGIN, END, Sub, Year, last_moment, live, missed, open_now, settle, things

pytestmark = pytest.mark.xdist_group("year")  # the year is lived once, not once in each worker
OPEN, DONE, NOT_NEEDED = VisitState.OPEN, VisitState.DONE, VisitState.NOT_NEEDED


def rule_of(visit: Visit) -> Rule:
    rule = RULES.find(visit.rule, visit.subject_type)
    assert rule is not None
    return rule


def holds(rule: Rule, thing: Thing, day: date) -> bool:
    """Whether the rule's condition holds by what is known: asked anew, without the planner's runs."""
    assert rule.condition is not None
    dob = thing.data.get("dob")
    births = [date.fromisoformat(dob)] if dob else []
    if thing.type == "household":
        births = [one.dob for one in thing.children if one.dob and (one.at_risk or not rule.condition.at_risk)]
    return rule.condition.holds(Facts(thing.data, births, day))


class Auditor:
    """Looks at every evening's plan, and remembers what was escalated."""

    def __init__(self) -> None:
        self.noted: set[tuple[str, str]] = set()
        self.seen: dict[str, Visit] = {}
        self.ends: Counter[str] = Counter()

    def __call__(self, year: Year, stored: Stored, before: dict[str, Visit], day: date) -> None:
        subs = {sub.id: sub for sub in year.told}
        world = {thing.id: (thing, made) for thing, made in things(year.told)}
        for row in open_now(stored).values():
            self.reason(row, subs, world, day)
        keys = Counter((row.rule, row.subject) for row in open_now(stored).values())
        assert max(keys.values(), default=1) == 1, "doubled"
        for ident, row in open_now_of(before).items():
            after = stored.rows[ident]  # a row is never deleted
            if after.state is not OPEN:
                self.explained(row, after, stored, world, day)
        for row in open_now(stored).values():
            self.noted |= {(row.id, step) for step in missed(row, last_moment(day))}
        self.seen |= stored.rows

    def reason(self, row: Visit, subs: dict[str, Sub], world: dict[str, Any], day: date) -> None:
        """A submission that the server has, of the subject or its household, and a condition that holds."""
        cause, rule, (thing, made) = subs[row.caused_by], rule_of(row), world[row.subject]
        assert row.subject in (cause.subject, cause.household) or cause.subject == row.household, row
        assert row.rule_version == rule.version and row.calendar
        if rule.trigger is Trigger.NOBODY_HOME:
            assert cause.result == "3" and not later_met(made, rule, row), row
        else:
            assert holds(rule, thing, day), row

    def explained(self, row: Visit, after: Visit, stored: Stored, world: dict[str, Any], day: date) -> None:
        """Done by a visit that was made, or not needed: the condition ended, its start moved, it was answered."""
        rule, (thing, made) = rule_of(row), world[row.subject]
        if after.state is DONE:
            assert after.done_by in {one.sub for one in made}, row
            self.ends["done"] += 1
        elif row.id in stored.taken_over:
            assert stored.rows[stored.taken_over[row.id]].rule == row.rule
            self.ends["moved"] += 1
        elif rule.trigger is Trigger.NOBODY_HOME:
            assert later_met(made, rule, row), row
            self.ends["met"] += 1
        elif rule.once or rule.clock.milestones:
            answered = any(completes(rule, one, row.subject, row.household) for one in made)
            assert answered or not holds(rule, thing, day), row
            self.ends["answered" if answered else "ended"] += 1
        else:
            assert not holds(rule, thing, day), row
            self.ends["ended"] += 1

    def terms(self, stored: Stored, made: dict[str, int]) -> Counter[str]:
        """What became of every statutory visit there ever was."""
        found: Counter[str] = Counter()
        for row in stored.rows.values():
            if row.statutory:
                found[self.term(row, made)] += 1
        return found

    def term(self, row: Visit, made: dict[str, int]) -> str:
        steps = rule_of(row).steps
        first = min(row.due_at + (step.after or 0) for step in steps)
        assert steps, "a statutory rule of whose misses nobody hears"
        if any(ident == row.id for ident, _ in self.noted):
            return "escalated"
        if row.state is NOT_NEEDED:
            return "explained"
        if row.state is DONE:
            at = made[str(row.done_by)]
            assert at < max(row.due_at, first), row
            return "met" if at < row.due_at else "made before the first step"
        assert first > end_of_day(END), row
        return "not due yet"


def open_now_of(rows: dict[str, Visit]) -> dict[str, Visit]:
    return {ident: row for ident, row in rows.items() if row.state is OPEN}


def later_met(made: list[Made], rule: Rule, row: Visit) -> bool:
    return any(
        one.t > row.start_at and one.subject == row.subject and completes(rule, one, row.subject, row.household)
        for one in made
    )


@pytest.fixture(scope="module", params=[1])
def lived(request: pytest.FixtureRequest) -> tuple[Year, Auditor, Stored]:
    """A year, audited every evening."""
    auditor, last = Auditor(), list[Stored]()

    def evening(year: Year, stored: Stored, before: dict[str, Visit], day: date) -> None:
        auditor(year, stored, before, day)
        last[:] = [stored]

    return live(request.param, evening), auditor, last[0]


def test_a_year_passes_and_every_statutory_term_is_met_escalated_or_explained(lived: Any) -> None:
    year, auditor, stored = lived
    found = auditor.terms(stored, {sub.id: sub.t for sub in year.subs})
    assert found["met"] and found["escalated"] and found["explained"]
    assert auditor.ends["done"] > 20 and auditor.ends["ended"] and auditor.ends["moved"]
    assert len({row.rule for row in stored.rows.values()}) >= 14  # the year has a bit of everything


def test_every_escalation_is_of_a_visit_that_there_was(lived: Any) -> None:
    _, auditor, stored = lived
    assert {ident for ident, _ in auditor.noted} <= stored.rows.keys()
    assert any(step == "hours-4" for _, step in auditor.noted)


@pytest.mark.parametrize("seed", range(6))
def test_the_same_year_uploaded_in_random_order_plans_the_same(lived: Any, seed: int) -> None:
    year, _, _ = lived
    once, piece = Stored(), Stored()
    arrived = [sub for sub in year.subs if sub.arrives <= END]
    settle(once, arrived, END)
    random, told = Random(seed), list[Sub]()
    shuffled = random.sample(arrived, len(arrived))
    while shuffled:  # in batches, each planned on some day of the year
        count = random.randrange(1, 90)
        told, shuffled = told + shuffled[:count], shuffled[count:]
        settle(
            piece, told, END if not shuffled else date.fromordinal(random.randint(BEGIN.toordinal(), END.toordinal()))
        )
    assert open_now(piece) == open_now(once)


def test_the_year_as_it_was_lived_ends_with_the_same_plan(lived: Any) -> None:
    year, _, stored = lived
    fresh = Stored()
    settle(fresh, [sub for sub in year.subs if sub.arrives <= END], END)
    assert open_now(fresh) == open_now(stored)
