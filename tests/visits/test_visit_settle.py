"""Stored visits against a fresh plan: done, moved, no longer needed, reopened; in any order of arrival."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.visits.plan import Made, Visit, VisitState, plan
from tests.visits.visit_world import CALENDAR, HOME, RULES, TODAY, Stored, Thing, Write, at, child, visited

OPEN, DONE, NOT_NEEDED = VisitState.OPEN, VisitState.DONE, VisitState.NOT_NEEDED
REPORT = Write("bao", at("2026-11-02"), {"school_status": "3"})


def states(stored: Stored, rule: str = "F-DROPOUT") -> list[tuple[VisitState, str | None]]:
    rows = sorted((row for row in stored.rows.values() if row.rule == rule), key=lambda row: row.start_at)
    return [(row.state, row.done_by) for row in rows]


def test_a_visit_completes_the_open_one_and_starts_the_next() -> None:
    stored, thing = Stored(), child(REPORT)
    stored.take(thing, [])
    stored.take(thing, [visited("tham", "2026-11-12")])
    assert states(stored) == [(DONE, "tham"), (OPEN, None)]
    assert [row.due for row in stored.open("F-DROPOUT")] == [date(2026, 11, 26)]
    assert not stored.taken_over


def test_the_visit_that_ends_the_trigger_completes() -> None:
    stored = Stored()
    stored.take(child(REPORT), [])
    back = Write("tham", at("2026-11-12"), {"school_status": "1"})
    stored.take(child(REPORT, back), [visited("tham", "2026-11-12")])
    assert states(stored) == [(DONE, "tham")]


def test_a_correction_that_ends_the_trigger_leaves_nothing_to_do() -> None:
    stored, made = Stored(), [visited("bao", "2026-11-02")]
    stored.take(child(REPORT), made)
    stored.take(child(REPORT, Write("sua", at("2026-11-12"), {"school_status": "1"})), made)
    assert states(stored) == [(NOT_NEEDED, None)]
    stored.take(child(REPORT), made)
    assert states(stored) == [(OPEN, None)]


def test_an_earlier_report_that_arrives_late_takes_over_the_lines() -> None:
    stored = Stored()
    stored.take(child(REPORT), [])
    (before,) = stored.open("F-DROPOUT")
    stored.take(child(REPORT, Write("som", at("2026-10-30"), {"school_status": "4"})), [])
    (after,) = stored.open("F-DROPOUT")
    assert (after.due, after.caused_by) == (date(2026, 11, 13), "som")
    assert stored.rows[before.id].state is NOT_NEEDED
    assert stored.taken_over[before.id] == after.id


def test_a_visit_made_in_time_and_synced_late_completes_by_the_first_that_counts() -> None:
    stored, thing = Stored(), child(REPORT)
    stored.take(thing, [])
    late = visited("sau", "2026-11-20")
    stored.take(thing, [late])
    stored.take(thing, [late, visited("dung-han", "2026-11-10")])
    assert states(stored)[0] == (DONE, "dung-han")


def test_rejecting_the_completing_visit_reopens() -> None:
    stored, thing = Stored(), child(REPORT)
    stored.take(thing, [])
    stored.take(thing, [visited("tham", "2026-11-12")])
    stored.take(thing, [])
    (row,) = stored.open("F-DROPOUT")
    assert (row.caused_by, row.due, row.done_by) == ("bao", date(2026, 11, 16), None)


def test_a_done_row_does_not_reopen_when_something_else_changes() -> None:
    stored, thing = Stored(), child(REPORT)
    made = [visited("tham", "2026-11-12")]
    stored.take(thing, [])
    stored.take(thing, made)
    confirmed = child(REPORT, Write("lai", at("2026-11-14"), {"school_status": "3"}))
    stored.take(confirmed, [*made, visited("vang", "2026-11-15", "3")])
    assert states(stored) == [(DONE, "tham"), (OPEN, None)]


def test_a_second_failed_attempt_takes_over_the_retry() -> None:
    stored, thing = Stored(), child(REPORT)
    first, second = visited("v1", "2026-11-12", "3"), visited("v2", "2026-11-15", "3")
    stored.take(thing, [first])
    (before,) = stored.open("F-RETRY")
    stored.take(thing, [first, second])
    (after,) = stored.open("F-RETRY")
    assert (stored.taken_over[before.id], after.due) == (after.id, date(2026, 11, 22))
    stored.take(thing, [first, second, visited("v3", "2026-11-18")])
    assert states(stored, "F-RETRY") == [(NOT_NEEDED, None), (DONE, "v3")]


@pytest.mark.parametrize(
    "change", [{"due": date(2026, 12, 1)}, {"priority": 1}, {"attempts": 5}, {"scope": "2025.31135/08"}]
)
def test_a_row_that_differs_from_the_plan_is_rewritten_under_its_id(change: dict[str, Any]) -> None:
    stored, thing = Stored(), child(REPORT)
    (row,) = (row for row in stored.take(thing, []) if row.rule == "F-DROPOUT")
    stored.rows[row.id] = replace(row, **change)
    assert stored.take(thing, []) == [row]
    assert stored.take(thing, []) == []


# --- any history, in any order

DAYS = st.integers(0, 80).map(lambda day: at("2026-09-05 08:00") + day * 86_400_000)
STATES = st.sampled_from(["1", "3", "4"])
RESULTS = st.sampled_from(["1", "2", "3", "3", "4"])


@st.composite
def histories(draw: st.DrawFn) -> list[tuple[Write, Made | None]]:
    """Submissions about one child: each writes something, most were visits."""
    events: list[tuple[Write, Made | None]] = []
    for number in range(draw(st.integers(1, 7))):
        sub, t = f"s{number}", draw(DAYS)
        data = draw(st.fixed_dictionaries({}, optional={"school_status": STATES, "birth_reg": STATES}))
        made = Made(sub, "child_situation", t, draw(RESULTS), "be-ba", HOME) if draw(st.booleans()) else None
        events.append((Write(sub, t, data), made))
    return events


def subject(events: Sequence[tuple[Write, Made | None]]) -> Thing:
    born = Write("dang-ky", at("2026-09-01"), {"dob": "2020-09-20"})
    return child(born, *(write for write, _ in events), dob="2020-09-20")


def visits(events: Sequence[tuple[Write, Made | None]]) -> list[Made]:
    return [made for _, made in events if made is not None]


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms(use_true_random=False), st.data())
def test_the_open_visits_do_not_depend_on_the_order_of_arrival(
    events: list[tuple[Write, Made | None]], random: Random, data: st.DataObject
) -> None:
    at_once, bit_by_bit, order = Stored(), Stored(), list(events)
    at_once.take(subject(events), visits(events))
    random.shuffle(order)
    arrived: list[tuple[Write, Made | None]] = []
    while order:
        size = data.draw(st.integers(1, len(order)))
        arrived += order[:size]
        del order[:size]
        bit_by_bit.take(subject(arrived), visits(arrived))
        assert_one_open_each(bit_by_bit.rows.values())
    assert bit_by_bit.open() == at_once.open()


@settings(max_examples=200, deadline=None)
@given(histories(), st.randoms(use_true_random=False))
def test_planning_twice_changes_nothing(events: list[tuple[Write, Made | None]], random: Random) -> None:
    stored, made = Stored(), visits(events)
    planned = plan(subject(events), made, RULES, CALENDAR, TODAY)
    stored.take(subject(events), made)
    random.shuffle(made)
    assert plan(subject(events), made, RULES, CALENDAR, TODAY) == planned
    assert stored.take(subject(events), made) == []


@settings(max_examples=200, deadline=None)
@given(histories(), DAYS)
def test_a_failed_attempt_moves_no_due_date(events: list[tuple[Write, Made | None]], t: int) -> None:
    failed = Made("vang", "child_situation", t, "3", "be-ba", HOME)
    assert dates(plan(subject(events), visits(events), RULES, CALENDAR, TODAY)) == dates(
        plan(subject(events), [*visits(events), failed], RULES, CALENDAR, TODAY)
    )


@settings(max_examples=200, deadline=None)
@given(histories(), st.integers(0, 40))
def test_a_confirmation_restarts_nothing(events: list[tuple[Write, Made | None]], days: int) -> None:
    last = max(write.t for write, _ in events) + 1 + days * 86_400_000
    now = subject(events).data
    said = {name: now[name] for name in ("school_status", "birth_reg") if name in now}
    confirmed = [*events, (Write("z-lai", last, said), None)]
    assert dates(plan(subject(confirmed), visits(events), RULES, CALENDAR, TODAY)) == dates(
        plan(subject(events), visits(events), RULES, CALENDAR, TODAY)
    )


def dates(planned: Sequence[Visit]) -> list[tuple[str, str, date, int]]:
    """When the visits are due, all but the retries, which a failed attempt is there to move."""
    return sorted((visit.rule, visit.start, visit.due, visit.due_at) for visit in planned if visit.rule != "F-RETRY")


def assert_one_open_each(rows: Iterable[Visit]) -> None:
    keys = [(row.rule, row.subject) for row in rows if row.state is OPEN]
    assert len(keys) == len(set(keys))
