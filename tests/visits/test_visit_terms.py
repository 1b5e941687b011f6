"""The rules that count from a hand-over, a last check, a birth or a flood, and clocks that run through Tết."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from sync.times import ZONE, end_of_day, local_time
from sync.visits.plan import VisitState
from tests.visits.visit_world import Stored, Thing, Write, at, child, due, home, one, visited, young

CARE = {"caregiver_type": "7", "alt_care_start": "2026-08-31"}


def said(sub: str, when: str, **data: Any) -> Write:
    return Write(sub, at(when), data)


# --- clocks


def test_the_twelve_hours_run_through_the_night_of_tet() -> None:
    told = said("bao", "2026-02-16 22:30", immediate_danger="1", received_at="2026-02-16T22:15:00+07:00")
    visit = one(Thing("report", "tin", [told], scope="2025.31135/!"), rule="F-EMERG", today=date(2026, 2, 17))
    assert visit.due_at == at("2026-02-17 10:15")
    assert (visit.due, visit.show_on) == (date(2026, 2, 17), date(2026, 2, 13))


def test_a_time_without_a_zone_is_local() -> None:
    told = said("bao", "2026-11-20 09:00", immediate_danger="1", received_at="2026-11-20T08:00:00")
    visit = one(Thing("report", "tin", [told]), rule="F-EMERG")
    assert local_time(visit.due_at).astimezone(ZONE).isoformat() == "2026-11-20T20:00:00+07:00"


# --- alternative care (NĐ 56/2017, Art. 43)


def test_the_visits_of_alternative_care_are_counted_from_the_hand_over_and_clipped_to_month_ends() -> None:
    thing = child(said("giao", "2026-09-02", **CARE))
    dates = {rule: one(thing, rule=rule).due for rule in ("F-ALT1", "F-ALT3", "F-ALT6")}
    assert dates == {"F-ALT1": date(2026, 9, 30), "F-ALT3": date(2026, 11, 30), "F-ALT6": date(2027, 2, 28)}
    assert one(thing, rule="F-ALT1").due_at == end_of_day(date(2026, 9, 30))


def test_each_visit_meets_its_own_term_and_the_half_years_go_on() -> None:
    thing = child(said("giao", "2026-09-02", **CARE))
    first, second = visited("v1", "2026-09-28", form="follow_up_visit"), visited("v2", "2026-11-27")
    assert due(thing, first, rule="F-ALT1") is None
    assert one(thing, first, rule="F-ALT3").due == date(2026, 11, 30)
    assert due(thing, first, second, rule="F-ALT3") is None
    assert one(thing, first, second, rule="F-ALT6").start == "2026-08-31 month-6"
    third, later = visited("v3", "2027-02-25"), date(2027, 3, 1)
    assert one(thing, first, second, third, rule="F-ALT6", today=later).due == date(2027, 8, 31)


def test_another_hand_over_is_another_series() -> None:
    stored, made = Stored(), [visited("v1", "2026-09-28")]
    before = child(said("giao", "2026-09-02", **CARE))
    stored.take(before, [])
    stored.take(before, made)
    again = child(*before.writes, said("giao-2", "2026-11-05", caregiver_type="6", alt_care_start="2026-11-03"))
    stored.take(again, made)
    rows = sorted((row for row in stored.rows.values() if row.rule == "F-ALT1"), key=lambda row: row.due)
    assert [(row.state, row.due) for row in rows] == [
        (VisitState.DONE, date(2026, 9, 30)),
        (VisitState.OPEN, date(2026, 12, 3)),
    ]


def test_terms_that_were_long_past_when_the_care_was_learned_of_are_not_asked_for() -> None:
    thing = child(said("giao", "2026-11-02", caregiver_type="6", alt_care_start="2024-03-15"))
    assert due(thing, rule="F-ALT1") is None
    assert due(thing, rule="F-ALT3") is None
    assert one(thing, rule="F-ALT6").due == date(2027, 3, 15)


def test_learned_of_a_week_after_the_term_it_is_asked_for_late() -> None:
    thing = child(said("giao", "2026-11-09", caregiver_type="6", alt_care_start="2026-10-02"))
    assert one(thing, rule="F-ALT1").due == date(2026, 11, 2)


def test_the_sixteenth_birthday_in_alternative_care_is_prepared() -> None:
    visit = one(child(said("giao", "2026-09-02", **CARE), dob="2010-12-01"), rule="F-ALT-END")
    assert (visit.earliest, visit.due, visit.start) == (date(2026, 11, 1), date(2026, 12, 1), "year-16")
    assert due(child(said("giao", "2026-09-02", caregiver_type="1"), dob="2010-12-01"), rule="F-ALT-END") is None


# --- the yearly check: the date counts, not the visit


def test_a_check_is_due_a_year_after_the_last_and_no_visit_moves_it() -> None:
    thing = child(said("dk", "2026-08-01", annual_checkup_date="2026-02-28"))
    visit = one(thing, visited("tham", "2026-10-01"), rule="F-CHECKUP")
    assert (visit.due, visit.caused_by, visit.statutory) == (date(2027, 2, 28), "dk", True)


def test_without_a_known_check_it_runs_since_the_child_is_known() -> None:
    assert one(child(said("dk", "2026-08-01")), rule="F-CHECKUP").due == date(2027, 8, 1)


def test_the_visit_that_tells_the_check_has_done_it_and_a_date_ahead_counts_as_told() -> None:
    stored, first = Stored(), said("dk", "2025-10-01", annual_checkup_date="2025-09-30")
    stored.take(child(first), [])
    told = said("tham", "2026-11-02", annual_checkup_date="2026-11-30")  # a slip: it lies ahead
    between = visited("giua", "2026-05-05")
    stored.take(child(first, told), [between, visited("tham", "2026-11-02")])
    rows = sorted((row for row in stored.rows.values() if row.rule == "F-CHECKUP"), key=lambda row: row.due)
    assert [(row.state, row.done_by, row.due) for row in rows] == [
        (VisitState.DONE, "tham", date(2026, 9, 30)),
        (VisitState.OPEN, None, date(2027, 11, 2)),
    ]


# --- the small ones


@pytest.mark.parametrize(
    ("when", "start"), [("2026-11-20", "day-3"), ("2026-11-22", "day-7"), ("2026-12-01", "day-14")]
)
def test_a_newborn_is_visited_on_its_days(when: str, start: str) -> None:
    visit = one(child(said("sinh", when), dob="2026-11-18"), rule="F-NB", today=date(2026, 12, 1))
    assert visit.start == start


def test_after_fifty_days_it_is_no_newborn() -> None:
    assert due(child(said("sinh", "2026-10-05"), dob="2026-10-04"), rule="F-NB") is None


def test_a_missing_dose_is_spoken_of_before_the_next_date_of_the_schedule() -> None:
    thing = child(said("dk", "2026-11-01", imm_status="2"), dob="2026-07-31")
    assert (one(thing, rule="F-EPI").due, one(thing, rule="F-EPI").start) == (date(2026, 11, 30), "month-4")
    full = child(*thing.writes, said("du", "2026-11-10", imm_status="1"), dob="2026-07-31")
    assert due(full, rule="F-EPI") is None
    assert due(child(said("dk", "2026-11-01", imm_status="9"), dob="2026-07-31"), rule="F-EPI") is None


@pytest.mark.parametrize(
    ("risk", "rule", "day"), [("3", "F-HIGH", 12), ("2", "F-MED", 19), ("1", "F-LOW", None), ("0", None, None)]
)
def test_the_risk_decides_how_often(risk: str, rule: str | None, day: int | None) -> None:
    thing = child(said("dk", "2026-11-05", risk_now=risk))
    for code in ("F-HIGH", "F-MED", "F-LOW"):
        visit = due(thing, rule=code)
        assert (visit is not None) is (code == rule)
        if visit is not None:
            assert visit.due == (date(2026, 11, day) if day else date(2026, 12, 5))


def test_the_household_of_a_child_at_risk_is_visited_every_month_whichever_child_was_seen() -> None:
    em = young("em", "2018-01-01", "2026-10-05", "dk-em")
    thing = home("2026-08-01", young("chi", "2014-01-01", "2026-08-01"), replace(em, at_risk=True))
    sister = visited("chi-1", "2026-10-20", subject="chi")
    assert one(thing, rule="F-HHATRISK").due == date(2026, 11, 5)
    assert one(thing, rule="F-HHATRISK").caused_by == "dk-em"
    assert one(thing, sister, rule="F-HHATRISK").due == date(2026, 11, 20)
    assert due(home("2026-08-01", young("chi", "2014-01-01", "2026-08-01"), em), rule="F-HHATRISK") is None
    grown = replace(young("lon", "2009-01-01", "2026-10-05"), at_risk=True)
    assert due(home("2026-08-01", grown, em), rule="F-HHATRISK") is None


def flooded(*writes: Write, dob: str = "2022-01-01") -> Thing:
    thing = home("2026-08-01", young("be", dob, "2026-08-01"))
    return Thing("household", thing.id, [*thing.writes, *writes], children=thing.children)


def test_a_flooded_household_is_visited_within_three_days_of_the_flood_once() -> None:
    flood = said("ngap", "2026-11-02", flood_affected="1", flood_date="2026-11-01")
    assert one(flooded(flood), rule="F-FLOOD").due == date(2026, 11, 4)
    assert due(flooded(flood, dob="2018-01-01"), rule="F-FLOOD") is None
    seen = visited("tham", "2026-11-03", form="household_update", subject=flooded().id)
    assert due(flooded(flood), seen, rule="F-FLOOD") is None
    again = said("ngap-2", "2026-11-20", flood_affected="1", flood_date="2026-11-19")
    visit = one(flooded(flood, again), seen, rule="F-FLOOD")
    assert (visit.due, visit.caused_by) == (date(2026, 11, 22), "ngap-2")


def test_a_house_that_is_not_safe_is_looked_at_again_after_half_a_year() -> None:
    assert one(flooded(said("cham", "2026-08-31", safe_home_score=22)), rule="F-SAFEHOME").due == date(2027, 2, 28)
    assert due(flooded(said("cham", "2026-08-31", safe_home_score=23)), rule="F-SAFEHOME") is None


def test_a_household_on_the_poverty_list_is_reviewed_in_a_year() -> None:
    assert one(flooded(said("ngheo", "2026-08-31", poverty_status="2")), rule="F-POVERTY").due == date(2027, 8, 31)
    assert due(flooded(said("ngheo", "2026-08-31", poverty_status="0")), rule="F-POVERTY") is None
