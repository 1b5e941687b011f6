"""Cases in which planning went wrong once."""

from dataclasses import replace
from datetime import date

import pytest
import yaml

from sync.visits.calendar import load_calendar
from sync.visits.plan import VisitState
from sync.visits.rules import RuleError, Rules, load_rules
from tests.visits.visit_world import (
    CALENDAR,
    CONFIG,
    RULES,
    Stored,
    Write,
    at,
    child,
    due,
    home,
    one,
    visited,
    young,
)

TEXT = (CONFIG / "followup_rules.yaml").read_text(encoding="utf-8")
DROPPED = Write("bao", at("2026-11-02"), {"school_status": "3"})


def with_dropout(**changes: object) -> Rules:
    rule = next(raw for raw in yaml.safe_load(TEXT)["rules"] if raw["code"] == "F-DROPOUT")
    return load_rules(yaml.safe_dump({"rules": [rule | changes]}, allow_unicode=True))


def test_a_grown_up_sibling_does_not_start_the_clock_of_a_child_born_later() -> None:
    grown = young("anh-hai", "2009-05-01", "2024-02-01", "cu")
    visit = one(home("2024-02-01", grown, young("em", "2026-10-01", "2026-10-20", "moi")), rule="F-HHQ")
    assert (visit.caused_by, visit.due) == ("moi", date(2027, 1, 20))


def test_a_household_is_not_due_before_it_was_known() -> None:
    moved_in = young("be-ba", "2014-03-09", "2026-01-05", "ho-cu")
    visit = one(home("2026-11-02", moved_in), rule="F-HHQ")
    assert (visit.caused_by, visit.due) == ("dang-ky", date(2027, 2, 2))


def test_siblings_whose_childhoods_overlap_make_one_run() -> None:
    chi, em = young("chi", "2010-01-01", "2025-08-01", "a"), young("em", "2020-01-01", "2025-12-01", "b")
    assert one(home("2025-08-01", chi, em), rule="F-HHQ").caused_by == "dang-ky"


@pytest.mark.parametrize("disputed", [["2026-10-10", "2026-09-10"], ["2026-09-10", "2026-10-10"]])
def test_a_disputed_date_of_birth_is_planned_both_ways(disputed: list[str]) -> None:
    thing = child(Write("sinh", at("2026-10-12"), {"birth_reg": "3"}), dob="2026-10-10", disputed={"dob": disputed})
    visit = one(thing, rule="F-BIRTH")
    assert (visit.start, visit.due) == ("day-45", date(2026, 10, 25))


def test_a_disputed_date_of_birth_that_makes_a_child_of_school_age_counts() -> None:
    thing = child(DROPPED, dob="2021-03-01", disputed={"dob": ["2021-03-01", "2020-03-01"]})
    assert one(thing, rule="F-DROPOUT").due == date(2026, 11, 16)


def test_a_visit_before_anyone_knew_completes_no_birth_reminder() -> None:
    thing = child(
        Write("dk", at("2026-01-05"), {"birth_reg": "9"}),
        Write("biet", at("2026-11-20"), {"birth_reg": "4"}),
        dob="2020-06-01",
    )
    before, knew = visited("cu", "2026-05-05"), visited("biet", "2026-11-20")
    assert one(thing, before, knew, rule="F-BIRTH").start == "day-60"
    assert due(thing, before, knew, visited("sau", "2026-11-22"), rule="F-BIRTH") is None


def test_an_old_visit_does_not_settle_a_birth_reminder_that_ends() -> None:
    unknown, knows = (
        Write("dk", at("2026-01-05"), {"birth_reg": "9"}),
        Write("biet", at("2026-11-20"), {"birth_reg": "4"}),
    )
    made, stored = [visited("cu", "2026-05-05"), visited("biet", "2026-11-20")], Stored()
    stored.take(child(unknown, knows, dob="2020-06-01"), made)
    stored.take(child(unknown, knows, Write("sua", at("2026-11-21"), {"birth_reg": "1"}), dob="2020-06-01"), made)
    assert [row.state for row in stored.rows.values() if row.rule == "F-BIRTH"] == [VisitState.NOT_NEEDED]


def test_failed_attempts_show_on_a_birth_reminder() -> None:
    thing = child(Write("sinh", at("2026-10-12"), {"birth_reg": "3"}), dob="2026-10-10")
    assert one(thing, visited("v1", "2026-11-08", "3"), rule="F-BIRTH").attempts == 1


def test_attempts_on_others_do_not_count() -> None:
    brother = replace(visited("v1", "2026-11-08", "3"), subject="anh-hai")
    assert one(child(DROPPED), brother, rule="F-DROPOUT").attempts == 0


def test_the_statutory_day_is_the_last() -> None:
    thing = child(Write("biet", at("2026-11-20"), {"birth_reg": "4"}), dob="2026-09-10")
    visit = one(thing, rule="F-BIRTH")
    assert visit.latest == visit.due == date(2026, 11, 9)


@pytest.mark.parametrize(
    ("reported", "due_on"), [("2026-11-20 20:00", "2026-11-21"), ("2026-11-20 09:00", "2026-11-20")]
)
def test_hours_run_through_the_night(reported: str, due_on: str) -> None:
    rules = with_dropout(clock={"unit": "hour", "count": 12})
    thing = child(Write("bao", at(reported), {"school_status": "3"}))
    visit = one(thing, rule="F-DROPOUT", rules=rules)
    assert (visit.due, visit.due_at) == (date.fromisoformat(due_on), at(reported) + 12 * 3_600_000)


def test_an_age_under_not_is_no_interruption() -> None:
    state = {"all": [{"property": "school_status", "in": ["3"]}, {"not": {"age": {"from": 0, "below": 6}}}]}
    thing = child(DROPPED, Write("lai", at("2026-11-10"), {"school_status": "3"}))
    assert one(thing, rule="F-DROPOUT", rules=with_dropout(trigger={"state": state})).caused_by == "bao"


def test_what_was_done_stays_done_when_its_rule_is_taken_out() -> None:
    stored, made = Stored(), [visited("tham", "2026-11-12")]
    stored.take(child(DROPPED), [])
    stored.take(child(DROPPED), made)
    stored.take(child(DROPPED), made, rules=Rules((), "none"))
    mine = [row for row in stored.rows.values() if row.rule == "F-DROPOUT"]
    states = [row.state for row in sorted(mine, key=lambda row: row.start_at)]
    assert states == [VisitState.DONE, VisitState.NOT_NEEDED]


def test_a_year_for_which_the_table_says_nothing_is_predicted() -> None:
    assert CALENDAR.predicted(2028)
    assert not CALENDAR.predicted(2025)
    said = "date,is_working_day,kind,name_vi,basis,predicted\n2028-01-25,0,holiday,Nghỉ Tết,thông báo,0\n"
    assert not load_calendar(said).predicted(2028)


@pytest.mark.parametrize("wrong", [["3", 4], [3], "34"])
def test_a_code_without_quotes_is_refused(wrong: object) -> None:
    with pytest.raises(RuleError, match=r"F-DROPOUT.*school_status"):
        with_dropout(trigger={"state": {"property": "school_status", "in": wrong}})


@pytest.mark.parametrize("text", ["", "rules:", "- a", "rules: [1]", "rules: [{code: F-X, version: [}"])
def test_a_file_that_holds_no_rules_is_refused(text: str) -> None:
    with pytest.raises(RuleError):
        load_rules(text)


def test_the_same_rule_twice_is_refused() -> None:
    raw = yaml.safe_load(TEXT)["rules"]
    with pytest.raises(RuleError, match=raw[0]["code"]):
        load_rules(yaml.safe_dump({"rules": [*raw, raw[0]]}, allow_unicode=True))


@pytest.mark.parametrize(
    "changes",
    [{"assignee": "mayor"}, {"effective": {"from": "soon"}}, {"statutory": "no"}, {"subject": "hous"}],
)
def test_a_value_out_of_its_list_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(RuleError, match=f"F-DROPOUT.*{next(iter(changes))}"):
        with_dropout(**changes)


def test_all_rules_are_read() -> None:
    assert (len(RULES.rules), len(RULES.waiting)) == (26, 8)
