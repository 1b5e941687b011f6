"""The shipped rules, one by one, on households and children that do not exist."""

from dataclasses import replace
from datetime import date

import pytest

from sync.times import end_of_day
from sync.visits.calendar import load_calendar
from sync.visits.plan import plan
from tests.visits.visit_world import CALENDAR, RULES, Thing, Write, at, child, due, home, one, visited, young

DROPPED, ATTENDS, NEVER = {"school_status": "3"}, {"school_status": "1"}, {"school_status": "4"}


def said(sub: str, when: str, **data: str) -> Write:
    return Write(sub, at(when), data)


# --- F-HHQ: every three months, a household with a child under 16


def test_a_registered_household_is_due_after_three_months() -> None:
    visit = one(home("2026-11-02", young("be-ba", "2014-03-09", "2026-11-02")), rule="F-HHQ")
    assert (visit.start_at, visit.due, visit.caused_by) == (at("2026-11-02"), date(2027, 2, 2), "dang-ky")
    assert visit.due_at == end_of_day(date(2027, 2, 2))
    assert (visit.subject, visit.area, visit.scope) == ("ho-nguyen-van-ut", "2025.31135", "2025.31135/07")
    assert (visit.assignee_role, visit.statutory, visit.reason, visit.state) == (
        "collaborator",
        False,
        "F-HHQ",
        "open",
    )


def test_the_registration_does_not_complete_what_it_causes() -> None:
    thing = home("2026-11-02", young("be-ba", "2014-03-09", "2026-11-02"))
    made = visited("dang-ky", "2026-11-02", form="household_registration", subject=thing.id)
    assert one(thing, made, rule="F-HHQ").due == date(2027, 2, 2)


def test_three_months_from_the_thirtieth_of_november_end_in_february() -> None:
    assert one(home("2026-11-30", young("x", "2014-03-09", "2026-11-30")), rule="F-HHQ").due == date(2027, 2, 28)


@pytest.mark.parametrize("result", ["1", "2"])
def test_a_visit_to_a_child_counts_for_its_household(result: str) -> None:
    thing = home("2026-08-02", young("be-ba", "2014-03-09", "2026-08-02"))
    visit = one(thing, visited("tham-1", "2026-10-20", result), rule="F-HHQ")
    assert (visit.start_at, visit.due, visit.caused_by) == (at("2026-10-20"), date(2027, 1, 20), "tham-1")


def test_a_visit_to_another_household_does_not_count() -> None:
    thing = home("2026-08-02", young("be-ba", "2014-03-09", "2026-08-02"))
    other = replace(visited("tham-1", "2026-10-20"), subject="khac", household="ho-khac")
    assert one(thing, other, rule="F-HHQ").due == date(2026, 11, 2)


@pytest.mark.parametrize("dob", ["2010-11-23", "2009-01-01"])
def test_no_quarterly_visit_without_a_child_under_sixteen(dob: str) -> None:
    assert due(home("2026-08-02", young("lon", dob, "2026-08-02")), rule="F-HHQ") is None
    assert due(home("2026-08-02"), rule="F-HHQ") is None


def test_the_day_before_the_sixteenth_birthday_is_still_childhood() -> None:
    assert due(home("2026-08-02", young("lon", "2010-11-24", "2026-08-02")), rule="F-HHQ") is not None


def test_the_first_child_starts_the_clock() -> None:
    later, earlier = (
        young("em", "2020-01-01", "2026-10-09", "them"),
        young("chi", "2014-03-09", "2026-09-15", "them-chi"),
    )
    visit = one(home("2026-08-02", later, earlier), rule="F-HHQ")
    assert (visit.start_at, visit.caused_by) == (at("2026-09-15"), "them-chi")


# --- F-DROPOUT: fourteen days, a child of 6 to 15 who does not attend school


@pytest.mark.parametrize("status", ["3", "4"])
def test_a_child_out_of_school_is_due_in_fourteen_days(status: str) -> None:
    visit = one(child(said("bao", "2026-11-10", school_status=status)), rule="F-DROPOUT")
    assert (visit.due, visit.caused_by, visit.start_at) == (date(2026, 11, 24), "bao", at("2026-11-10"))


def test_a_due_date_on_a_day_off_stays_and_the_list_shows_the_working_day_before() -> None:
    visit = one(child(said("bao", "2026-11-10", **DROPPED)), rule="F-DROPOUT")
    assert (visit.due, visit.show_on) == (date(2026, 11, 24), date(2026, 11, 23))
    assert visit.due_at == end_of_day(date(2026, 11, 24))


@pytest.mark.parametrize("status", ["1", "2", "5", "6", "9"])
def test_other_school_states_start_nothing(status: str) -> None:
    assert due(child(said("bao", "2026-11-10", school_status=status)), rule="F-DROPOUT") is None


@pytest.mark.parametrize(
    ("dob", "planned"),
    [("2010-11-24", True), ("2010-11-23", False), ("2020-11-23", True), ("2020-11-24", False)],
)
def test_school_age_is_six_to_fifteen_full_years(dob: str, planned: bool) -> None:
    assert (due(child(said("bao", "2026-11-10", **NEVER), dob=dob), rule="F-DROPOUT") is not None) is planned


def test_a_child_that_turns_six_later_starts_on_its_birthday() -> None:
    visit = one(child(said("bao", "2026-09-01", **NEVER), dob="2020-11-20"), rule="F-DROPOUT")
    assert (visit.start_at, visit.due, visit.caused_by) == (at("2026-11-20 00:00"), date(2026, 12, 4), "bao")


def test_the_start_is_counted_on_the_local_day() -> None:
    assert one(child(said("bao", "2026-11-10 00:30", **DROPPED)), rule="F-DROPOUT").due == date(2026, 11, 24)
    assert one(child(said("bao", "2026-11-09 23:59", **DROPPED)), rule="F-DROPOUT").due == date(2026, 11, 23)


def test_confirming_or_changing_from_three_to_four_restarts_nothing() -> None:
    thing = child(
        said("bao", "2026-11-02", **DROPPED),
        said("lai", "2026-11-08", **DROPPED),
        said("doi", "2026-11-09", **NEVER),
    )
    assert one(thing, rule="F-DROPOUT").due == date(2026, 11, 16)


def test_back_at_school_in_between_begins_a_new_run() -> None:
    thing = child(
        said("a", "2026-09-01", **DROPPED),
        said("b", "2026-10-01", **ATTENDS),
        said("c", "2026-11-12", **DROPPED),
    )
    visit = one(thing, rule="F-DROPOUT")
    assert (visit.due, visit.caused_by) == (date(2026, 11, 26), "c")


def test_at_school_again_nothing_is_due() -> None:
    assert (
        due(child(said("a", "2026-09-01", **DROPPED), said("b", "2026-10-01", **ATTENDS)), rule="F-DROPOUT") is None
    )


def test_the_report_itself_completes_nothing_but_the_next_visit_does() -> None:
    thing = child(said("bao", "2026-11-02", **DROPPED))
    assert one(thing, visited("bao", "2026-11-02"), rule="F-DROPOUT").due == date(2026, 11, 16)
    again = one(thing, visited("bao", "2026-11-02"), visited("tham", "2026-11-12"), rule="F-DROPOUT")
    assert (again.due, again.caused_by) == (date(2026, 11, 26), "tham")


def test_of_several_visits_the_last_one_starts_the_next() -> None:
    thing = child(said("bao", "2026-10-02", **DROPPED))
    second, first = visited("v2", "2026-11-05"), visited("v1", "2026-10-14", "2")
    assert one(thing, second, first, rule="F-DROPOUT").due == date(2026, 11, 19)


@pytest.mark.parametrize("result", ["3", "4", "5", "6"])
def test_a_visit_that_met_nobody_does_not_complete(result: str) -> None:
    thing = child(said("bao", "2026-11-02", **DROPPED))
    assert one(thing, visited("tham", "2026-11-12", result), rule="F-DROPOUT").due == date(2026, 11, 16)


def test_a_visit_before_the_report_does_not_complete() -> None:
    thing = child(said("bao", "2026-11-02", **DROPPED))
    assert one(thing, visited("truoc", "2026-11-01"), rule="F-DROPOUT").due == date(2026, 11, 16)


def test_a_brother_or_another_form_does_not_complete() -> None:
    thing = child(said("bao", "2026-11-02", **DROPPED))
    brother = visited("anh", "2026-11-12", subject="anh-hai")
    household = visited("ho", "2026-11-12", form="household_registration", subject="ho-nguyen-van-ut")
    assert one(thing, brother, household, rule="F-DROPOUT").due == date(2026, 11, 16)


def test_attempts_are_counted_and_move_nothing() -> None:
    thing = child(said("bao", "2026-11-02", **DROPPED))
    visit = one(thing, visited("v1", "2026-11-05", "3"), visited("v2", "2026-11-07", "3"), rule="F-DROPOUT")
    assert (visit.due, visit.attempts, visit.assignee_role) == (date(2026, 11, 16), 2, "collaborator")


def test_every_disputed_value_is_planned_and_the_earliest_due_stands() -> None:
    thing = child(said("a", "2026-11-02", **ATTENDS), disputed={"school_status": ["1", "3"]})
    assert one(thing, rule="F-DROPOUT").due == date(2026, 11, 16)


# --- F-BIRTH: registered within sixty days (Luật Hộ tịch 60/2014, Art. 15)

NEWBORN = "2026-10-10"  # day 30: 9 November, day 45: 24 November, day 60: 9 December


def newborn(*writes: Write, dob: str = NEWBORN) -> Thing:
    return child(*writes, dob=dob)


def test_the_first_reminder_comes_on_day_thirty() -> None:
    visit = one(newborn(said("sinh", "2026-10-12", birth_reg="3")), rule="F-BIRTH")
    assert (visit.start, visit.due, visit.statutory) == ("day-30", date(2026, 11, 9), True)


def test_a_visit_leads_to_the_next_reminder() -> None:
    thing = newborn(said("sinh", "2026-10-12", birth_reg="3"))
    first = visited("v1", "2026-11-08")
    assert one(thing, first, rule="F-BIRTH").start == "day-45"
    second = one(thing, first, visited("v2", "2026-11-23"), rule="F-BIRTH")
    assert (second.start, second.due, second.show_on) == ("day-60", date(2026, 12, 9), date(2026, 12, 9))
    assert due(thing, first, visited("v2", "2026-11-23"), visited("v3", "2026-12-08"), rule="F-BIRTH") is None


def test_a_visit_long_before_the_reminder_does_not_count_for_it() -> None:
    thing = newborn(said("sinh", "2026-10-12", birth_reg="3"))
    assert one(thing, visited("v1", "2026-10-20"), rule="F-BIRTH").start == "day-30"


def test_the_visit_that_learns_of_it_is_not_the_reminder() -> None:
    thing = newborn(said("biet", "2026-11-05", birth_reg="3"))
    assert one(thing, visited("biet", "2026-11-05"), rule="F-BIRTH").start == "day-30"


def test_nobody_home_leaves_the_reminder_open() -> None:
    thing = newborn(said("sinh", "2026-10-12", birth_reg="3"))
    assert one(thing, visited("v1", "2026-11-08", "3"), rule="F-BIRTH").start == "day-30"


def test_reminders_that_were_past_before_anyone_knew_are_skipped() -> None:
    visit = one(newborn(said("biet", "2026-11-15", birth_reg="3")), rule="F-BIRTH")
    assert (visit.start, visit.due) == ("day-45", date(2026, 11, 24))


def test_after_sixty_days_the_last_one_stands_overdue() -> None:
    visit = one(newborn(said("biet", "2026-11-20", birth_reg="4"), dob="2026-06-01"), rule="F-BIRTH")
    assert (visit.start, visit.due) == ("day-60", date(2026, 7, 31))


@pytest.mark.parametrize("status", ["1", "2", "9"])
def test_registered_or_not_known_starts_no_reminder(status: str) -> None:
    assert due(newborn(said("sinh", "2026-10-12", birth_reg=status)), rule="F-BIRTH") is None


def test_without_a_date_of_birth_no_day_can_be_counted() -> None:
    assert due(child(said("sinh", "2026-10-12", birth_reg="3"), dob=None), rule="F-BIRTH") is None


# --- F-RETRY: seven days after the last time nobody was home


def test_nobody_home_means_coming_back_within_a_week() -> None:
    thing = child(said("dk", "2026-08-01"))
    visit = one(thing, visited("v1", "2026-11-12", "3"), rule="F-RETRY")
    assert (visit.due, visit.start_at, visit.caused_by, visit.attempts) == (
        date(2026, 11, 19),
        at("2026-11-12"),
        "v1",
        1,
    )
    assert visit.assignee_role == "collaborator"


def test_a_retry_counts_from_the_last_attempt_and_the_third_goes_to_the_supervisor() -> None:
    thing = child(said("dk", "2026-08-01"))
    failed = [visited(f"v{day}", f"2026-11-{day}", "3") for day in (12, 15, 18)]
    assert one(thing, *failed[:2], rule="F-RETRY").assignee_role == "collaborator"
    visit = one(thing, *failed, rule="F-RETRY")
    assert (visit.due, visit.attempts, visit.assignee_role) == (date(2026, 11, 25), 3, "supervisor")


def test_somebody_met_ends_the_retry_and_attempts_are_counted_anew() -> None:
    thing = child(said("dk", "2026-08-01"))
    before, met = visited("v1", "2026-11-12", "3"), visited("v2", "2026-11-14", "2")
    assert due(thing, before, met, rule="F-RETRY") is None
    assert one(thing, before, met, visited("v3", "2026-11-20", "3"), rule="F-RETRY").attempts == 1


@pytest.mark.parametrize("result", ["4", "5", "6"])
def test_refused_not_found_or_moved_neither_retries_nor_ends_a_retry(result: str) -> None:
    thing = child(said("dk", "2026-08-01"))
    assert due(thing, visited("v1", "2026-11-12", result), rule="F-RETRY") is None
    assert (
        one(thing, visited("v1", "2026-11-12", "3"), visited("v2", "2026-11-14", result), rule="F-RETRY").attempts
        == 1
    )


def test_a_household_has_its_own_retry() -> None:
    thing = home("2026-08-02")
    failed = visited("v1", "2026-11-12", "3", form="household_registration", subject=thing.id)
    assert one(thing, failed, visited("v2", "2026-11-14"), rule="F-RETRY").due == date(2026, 11, 19)
    assert due(thing, visited("v3", "2026-11-12", "3"), rule="F-RETRY") is None


# --- all of them


def test_a_visit_names_its_rule_version_and_calendar() -> None:
    visit = one(child(said("bao", "2026-11-10", **DROPPED)), rule="F-DROPOUT")
    other = load_calendar("date,is_working_day,kind,name_vi,basis,predicted\n2026-11-23,0,holiday,Nghỉ,,0\n")
    planned = plan(child(said("bao", "2026-11-10", **DROPPED)), (), RULES, other, date(2026, 11, 23))
    (again,) = (v for v in planned if v.rule == "F-DROPOUT")
    assert (visit.rule_version, visit.calendar) == (2, CALENDAR.version)
    assert (again.id, again.calendar, again.show_on) == (visit.id, other.version, date(2026, 11, 20))


def test_a_rule_that_is_not_in_force_yet_plans_nothing() -> None:
    assert due(child(said("bao", "2025-05-10", **DROPPED)), rule="F-DROPOUT", today=date(2025, 6, 30)) is None
    assert due(child(said("bao", "2025-05-10", **DROPPED)), rule="F-DROPOUT", today=date(2025, 7, 1)) is not None
