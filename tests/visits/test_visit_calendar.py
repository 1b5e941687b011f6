"""Working days of 2026, with Tết, the swapped Saturdays and the day that the library does not know."""

from datetime import date

import pytest

from sync.visits.calendar import add_months, load_calendar
from tests.visits.visit_world import CALENDAR

HEADER = "date,is_working_day,kind,name_vi,basis,predicted\n"


@pytest.mark.parametrize(
    ("start", "count", "end"),
    [
        ("2026-02-12", 5, "2026-02-26"),  # over Tết
        ("2026-02-13", 1, "2026-02-23"),  # the last working day before Tết
        ("2026-08-21", 1, "2026-08-22"),  # a Saturday worked for Monday 31 August
        ("2026-11-23", 1, "2026-11-25"),  # over Ngày Văn hóa Việt Nam
        ("2026-01-09", 1, "2026-01-10"),  # a Saturday worked for Friday 2 January
        ("2026-02-14", 1, "2026-02-23"),  # an event on a day off is day 0 all the same
        ("2026-11-23", 0, "2026-11-23"),
    ],
)
def test_adding_working_days(start: str, count: int, end: str) -> None:
    assert CALENDAR.add_working_days(date.fromisoformat(start), count) == date.fromisoformat(end)


@pytest.mark.parametrize(
    ("day", "works"),
    [
        ("2026-01-02", False),
        ("2026-01-10", True),
        ("2026-01-17", False),
        ("2026-02-18", False),
        ("2026-04-27", False),
        ("2026-08-22", True),
        ("2026-08-31", False),
        ("2026-11-23", True),
        ("2026-11-24", False),
    ],
)
def test_a_day_is_worked_or_not(day: str, works: bool) -> None:
    assert CALENDAR.is_working_day(date.fromisoformat(day)) is works


def test_the_table_outranks_the_library() -> None:
    bare = load_calendar(HEADER)
    assert bare.is_working_day(date(2026, 1, 2))
    assert not bare.is_working_day(date(2026, 1, 10))


@pytest.mark.parametrize(
    ("day", "shown"),
    [
        ("2026-11-24", "2026-11-23"),
        ("2026-02-22", "2026-02-13"),
        ("2026-11-23", "2026-11-23"),
        ("2026-11-29", "2026-11-27"),
    ],
)
def test_the_printed_list_shows_the_working_day_before(day: str, shown: str) -> None:
    assert CALENDAR.working_day_on_or_before(date.fromisoformat(day)) == date.fromisoformat(shown)


@pytest.mark.parametrize(
    ("day", "count", "end"),
    [
        ("2026-01-31", 1, "2026-02-28"),
        ("2028-01-31", 1, "2028-02-29"),
        ("2026-11-30", 3, "2027-02-28"),
        ("2026-12-01", 1, "2027-01-01"),
        ("2020-02-29", 72, "2026-02-28"),
        ("2026-08-31", 0, "2026-08-31"),
    ],
)
def test_months_are_clipped_to_their_end(day: str, count: int, end: str) -> None:
    assert add_months(date.fromisoformat(day), count) == date.fromisoformat(end)


def test_a_year_that_rests_on_predictions_says_so() -> None:
    assert CALENDAR.predicted(2027)
    assert not CALENDAR.predicted(2026)


def test_another_table_is_another_version() -> None:
    other = load_calendar(HEADER + "2027-02-03,0,holiday,Nghỉ Tết,,0\n")
    assert other.version != CALENDAR.version
    assert load_calendar(HEADER).version == load_calendar(HEADER).version
