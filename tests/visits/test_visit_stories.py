"""Five things that happen in a commune, told step by step to the pure planner."""

from dataclasses import replace
from datetime import date
from typing import Any

from sync.visits.plan import VisitState
from sync.visits.rules import Rules
from tests.visits.visit_world import HOME, RULES, Made, Stored, Write, at, child, home, one, visited, young

OPEN, DONE, NOT_NEEDED = VisitState.OPEN, VisitState.DONE, VisitState.NOT_NEEDED
REGISTERED = Write("dk", at("2026-08-01"), {"school_status": "1"})


def test_two_collaborators_report_the_same_dropout_and_it_is_one_visit() -> None:
    """Chị Bảy on the 2nd, Anh Tư on the 5th, who uploads first: one visit, from the first report."""
    bay = Write("bay", at("2026-11-02"), {"school_status": "3"})
    tu = Write("tu", at("2026-11-05"), {"school_status": "3"})
    ends = []
    for order in ([bay, tu], [tu, bay]):
        stored = Stored()
        for count in (1, 2):
            stored.take(child(REGISTERED, *order[:count]), [])
        ends.append([(v.id, v.start_at, v.due, v.caused_by) for v in stored.open("F-DROPOUT")])
    assert ends[0] == ends[1]
    assert [entry[2:] for entry in ends[0]] == [(date(2026, 11, 16), "bay")]


def test_a_visit_to_the_dropout_by_either_ends_it_for_both() -> None:
    bay, tu = (Write(who, at(f"2026-11-0{day}"), {"school_status": "3"}) for who, day in (("bay", 2), ("tu", 5)))
    stored, thing = Stored(), child(REGISTERED, bay, tu)
    stored.take(thing, [visited("bay", "2026-11-02")])
    stored.take(thing, [visited("bay", "2026-11-02"), visited("tu", "2026-11-05")])
    rows = sorted((row for row in stored.rows.values() if row.rule == "F-DROPOUT"), key=lambda row: row.start_at)
    assert [(row.state, row.done_by) for row in rows] == [(DONE, "tu"), (OPEN, None)]


def test_a_correction_that_arrives_late_moves_the_start_and_takes_over_the_lines() -> None:
    """The child had left school a week before the report; the form that says so lay on a phone without network."""
    stored = Stored()
    stored.take(child(REGISTERED, Write("bao", at("2026-11-09"), {"school_status": "3"})), [])
    (before,) = stored.open("F-DROPOUT")
    late = Write("sua", at("2026-11-02"), {"school_status": "3"})
    written = stored.take(child(REGISTERED, Write("bao", at("2026-11-09"), {"school_status": "3"}), late), [])
    (after,) = stored.open("F-DROPOUT")
    assert (before.due, after.due, after.caused_by) == (date(2026, 11, 23), date(2026, 11, 16), "sua")
    assert stored.rows[before.id].state is NOT_NEEDED
    assert stored.taken_over[before.id] == after.id
    assert {row.id for row in written if row.rule == "F-DROPOUT"} == {before.id, after.id}


def test_a_correction_that_says_the_child_never_left_takes_the_visit_away() -> None:
    bao = Write("bao", at("2026-11-09"), {"school_status": "3"})
    stored = Stored()
    stored.take(child(REGISTERED, bao), [])
    stored.take(child(REGISTERED, replace(bao, data={"school_status": "1"})), [])  # amended: the old words are gone
    assert stored.open("F-DROPOUT") == []
    assert [row.state for row in stored.rows.values() if row.rule == "F-DROPOUT"] == [NOT_NEEDED]


def test_a_risk_that_is_raised_is_planned_at_once_and_lowered_when_the_officer_says_so() -> None:
    """What a collaborator lowers does not show (merge policy `highest`); `tests/api` tells that with real merges."""
    low = Write("dk", at("2026-10-01"), {"risk_now": "1"})
    high = Write("bao", at("2026-11-02"), {"risk_now": "3"})
    stored, made = Stored(), [visited("bao", "2026-11-02")]
    stored.take(child(low), [])
    stored.take(child(low, high), made)
    assert [(v.rule, v.due, v.caused_by) for v in stored.open() if v.rule in ("F-HIGH", "F-LOW")] == [
        ("F-HIGH", date(2026, 11, 9), "bao")
    ]
    wish = visited("ha", "2026-11-08")  # the collaborator's visit, whose lower level did not show
    stored.take(child(low, high), [*made, wish])
    assert [v.due for v in stored.open("F-HIGH")] == [date(2026, 11, 15)]
    officer = Write("can-bo", at("2026-11-12"), {"risk_now": "1"})
    stored.take(child(low, high, officer), [*made, wish])
    assert stored.open("F-HIGH") == []
    assert [(v.due, v.caused_by) for v in stored.open("F-LOW")] == [(date(2026, 12, 12), "can-bo")]
    ended = {row.state for row in stored.rows.values() if row.rule == "F-HIGH"}
    assert ended == {DONE, NOT_NEEDED}  # the weekly visit that was made, and the next that nobody needs any more


def test_three_times_nobody_home_goes_to_the_supervisor_and_moves_no_term() -> None:
    stored, thing = Stored(), child(REGISTERED, Write("bao", at("2026-11-02"), {"school_status": "3"}))
    made: list[Made] = []
    seen = []
    for day in (6, 10, 14):
        made.append(visited(f"vang-{day}", f"2026-11-{day:02}", "3"))
        stored.take(thing, made)
        (retry,) = stored.open("F-RETRY")
        (dropout,) = stored.open("F-DROPOUT")
        seen.append((retry.due.day, retry.assignee_role, dropout.due.day, dropout.attempts))
    assert seen == [(13, "collaborator", 16, 1), (17, "collaborator", 16, 2), (21, "supervisor", 16, 3)]
    rule = RULES.find("F-RETRY", "child")
    (retry,) = stored.open("F-RETRY")
    assert rule is not None
    reached = {step.name: step.reached_at(retry, at("2026-11-14 12:00")) for step in rule.steps}
    assert reached == {"failed_attempts-3": at("2026-11-14"), "late_days-3": None}
    stored.take(thing, [*made, visited("gap", "2026-11-15")])
    assert stored.open("F-RETRY") == []
    assert [v.due for v in stored.open("F-DROPOUT")] == [date(2026, 11, 29)]


def test_a_household_that_moves_takes_its_open_visits_along() -> None:
    there: dict[str, Any] = {"area": "2025.31120", "scope": "2025.31120/02"}
    dropped = Write("bao", at("2026-11-02"), {"school_status": "3"})
    stored = Stored()
    house = home("2026-08-01", young("be-ba", "2014-03-09", "2026-08-01"))
    for thing in (child(REGISTERED, dropped), house):
        stored.take(thing, [])
    before = {row.id: row for row in stored.open()}
    for thing in (child(REGISTERED, dropped, **there), replace(house, **there)):
        stored.take(thing, [])
    after = {row.id: row for row in stored.open()}
    assert after.keys() == before.keys()
    assert {row.rule for row in after.values()} == {"F-HHQ", "F-DROPOUT", "F-CHECKUP"}
    assert after == {ident: replace(row, **there) for ident, row in before.items()}  # no date, no cause is different
    assert not stored.taken_over


def test_a_rule_that_gets_another_version_says_so_on_its_visits() -> None:
    thing = child(REGISTERED, Write("bao", at("2026-11-02"), {"school_status": "3"}))
    newer = [replace(rule, version=7) if rule.code == "F-DROPOUT" else rule for rule in RULES.rules]
    assert one(thing, rule="F-DROPOUT").rule_version == 2
    stored = Stored()
    stored.take(thing, [])
    stored.take(thing, [], rules=Rules(tuple(newer), "next"))
    (row,) = stored.open("F-DROPOUT")
    assert (row.rule_version, row.caused_by, row.household) == (7, "bao", HOME)
