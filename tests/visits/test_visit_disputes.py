"""While two dates of birth stand against each other, each is planned for, and the earliest date counts."""

from datetime import date

import pytest

from tests.visits.visit_world import Write, at, child, due, one

REPORT = Write("bao", at("2026-11-10"), {"school_status": "4"})
NEWBORN = Write("sinh", at("2026-10-12"), {"birth_reg": "3"})


@pytest.mark.parametrize("shown", ["2026-10-01", "2026-10-10"])
def test_the_earlier_birthday_decides_on_the_reminder(shown: str) -> None:
    """Born on 1 October the term of 30 days ends on 31 October, whichever date is shown meanwhile."""
    disputed = {"dob": [shown, *({"2026-10-01", "2026-10-10"} - {shown})]}
    visit = one(child(NEWBORN, dob=shown, disputed=disputed), rule="F-BIRTH")
    assert (visit.start, visit.due) == ("day-30", date(2026, 10, 31))


def test_a_child_that_may_be_of_school_age_is_visited() -> None:
    """Five years old or six: nobody waits for the ruling."""
    young, old = "2021-03-01", "2020-03-01"
    assert due(child(REPORT, dob=young), rule="F-DROPOUT") is None
    visit = one(child(REPORT, dob=young, disputed={"dob": [young, old]}), rule="F-DROPOUT")
    assert visit.due == date(2026, 11, 24)


def test_a_date_against_a_blank_is_planned_for() -> None:
    visit = one(child(NEWBORN, dob=None, disputed={"dob": [None, "2026-10-10"]}), rule="F-BIRTH")
    assert visit.due == date(2026, 11, 9)


def test_two_disputes_are_taken_in_every_combination() -> None:
    disputed = {"dob": ["2021-03-01", "2020-03-01"], "school_status": ["1", "4"]}
    attends = Write("bao", at("2026-11-10"), {"school_status": "1"})
    visit = one(child(attends, dob="2021-03-01", disputed=disputed), rule="F-DROPOUT")
    assert visit.due == date(2026, 11, 24)
