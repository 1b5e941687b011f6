"""Rules that are done once: what still holds starts nothing again, what is told anew does."""

from datetime import date

import pytest

from sync.visits.plan import Made
from tests.visits.visit_world import Thing, Write, at, due, one

HALF, HOUR = "nua-kin", 3_600_000


def half(*writes: Write) -> Thing:
    """The protected half of a child, as officers' rules see it."""
    return Thing("child_protected", HALF, writes, None, scope="2025.31135/!")


def told(sub: str, when: str, **data: object) -> Write:
    return Write(sub, at(when), data)


def reviewed(sub: str, when: str, result: str = "1") -> Made:
    return Made(sub, "child_review", at(when), result, HALF, None)


SIGNS = {"abuse_signs": ["1"], "immediate_danger": "1"}
FIRST = told("bao", "2026-11-20 20:00", **SIGNS)


@pytest.mark.parametrize(("rule", "hours"), [("F-EMERG", 12), ("F-INTAKE", 0)])
def test_the_officers_review_ends_it_though_the_danger_still_stands(rule: str, hours: int) -> None:
    assert one(half(FIRST), rule=rule).due_at == FIRST.t + hours * HOUR
    assert due(half(FIRST), reviewed("ra-soat", "2026-11-21"), rule=rule) is None
    assert one(half(FIRST), reviewed("ra-soat", "2026-11-21", "3"), rule=rule).attempts == 1
    assert one(half(FIRST), reviewed("truoc", "2026-11-19"), rule=rule).start_at == FIRST.t


@pytest.mark.parametrize("rule", ["F-EMERG", "F-INTAKE"])
def test_the_same_danger_told_again_starts_a_clock_of_its_own(rule: str) -> None:
    again = told("lai", "2026-11-22 21:00", **SIGNS)
    visit = one(half(FIRST, again), reviewed("ra-soat", "2026-11-21"), rule=rule)
    assert (visit.start_at, visit.caused_by) == (again.t, "lai")
    assert due(half(FIRST, again), reviewed("ra-soat", "2026-11-23"), rule=rule) is None
    before = one(half(FIRST, again), rule=rule)
    assert (before.start_at, before.caused_by) == (FIRST.t, "bao")


def test_an_answer_of_no_danger_starts_nothing() -> None:
    calm = told("em", "2026-11-22", immediate_danger="9", abuse_signs=None)
    done = reviewed("ra-soat", "2026-11-21")
    assert due(half(FIRST, calm), done, rule="F-EMERG") is None
    assert due(half(FIRST, calm), done, rule="F-INTAKE") is None


def test_the_hours_run_from_when_somebody_heard_of_it() -> None:
    report = Thing("report", "tin", [told("bao", "2026-11-20 20:00", immediate_danger="1", report_channel="111")])
    assert one(report, rule="F-EMERG").due_at == at("2026-11-20 20:00") + 12 * HOUR
    for heard, start in (
        ("2026-11-20T09:00:00+07:00", "2026-11-20 09:00"),
        ("2026-11-20T23:00:00+07:00", "2026-11-20 20:00"),
    ):
        early = Thing("report", "tin", [Write("bao", report.since, {**report.data, "received_at": heard})])
        assert one(early, rule="F-EMERG").start_at == at(start)
    assert one(report, rule="F-INTAKE").due == date(2026, 11, 20)
