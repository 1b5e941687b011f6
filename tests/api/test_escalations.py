"""Visits that are not made go up, step by step and once; officers see all of theirs, schedulers no protected ones."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import select

from forms.entity_types import protected_id
from server.clock import now
from server.reminders.escalation import escalate
from server.store.tables import EscalationTable, VisitTable
from sync.times import local_time, to_ms
from tests.api.builders import AREA, OTHER, follow_up, item, moment
from tests.api.conftest import Town
from tests.api.test_authority import Family
from tests.databases import DATABASES

DANGER: dict[str, Any] = {"abuse_signs": ["1"], "immediate_danger": "1"}
HOUR, DAY = 3_600_000, 86_400_000


def run(town: Town, hours: float = 0) -> int:
    """The job, so many hours from now."""
    later = local_time(now()) + timedelta(hours=hours)
    with town.app.app_context():
        nest = town.nest
        return escalate(nest.store, nest.world, to_ms(later), lambda work: int(nest.committer.run(work)))


def steps(town: Town, subject: str) -> list[tuple[str, str, str]]:
    query = (
        select(VisitTable.rule, EscalationTable.step, EscalationTable.told)
        .join(EscalationTable, EscalationTable.visit == VisitTable.id)
        .where(VisitTable.subject == subject)
    )
    return sorted((row.rule, row.step, row.told) for row in town.rows(query))


def asked(town: Town, user: str, **query: Any) -> list[dict[str, Any]]:
    words = "&".join(f"{name}={value}" for name, value in query.items())
    answer = town.get(f"/api/v1/escalations?{words}", user)
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["escalations"])


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_the_twelve_hours_go_up_at_four_and_eight_and_when_they_are_over(town: Town) -> None:
    family = Family(town)
    half = protected_id(family.child)
    town.apply(family.visit(**DANGER))
    emergency = lambda: [one for one in steps(town, half) if one[0] == "F-EMERG"]  # noqa: E731
    assert run(town, 3.9) == 0
    assert run(town, 4.1) == 2  # F-EMERG and F-INTAKE
    assert emergency() == [("F-EMERG", "hours-4", "chairman")]
    assert run(town, 8.1) == 1
    assert emergency()[1:] == [("F-EMERG", "hours-8", "city")]
    assert run(town, 12.1) == 1
    assert emergency()[2:] == [("F-EMERG", "late_days-0", "city")]
    assert run(town, 12.2) == run(town, 4.1) == 0


def test_a_server_that_was_down_notes_all_at_once_with_the_true_times(town: Town) -> None:
    family = Family(town)
    town.apply(family.visit(**DANGER))
    assert run(town, 20) == 4
    rows = town.rows(select(EscalationTable, VisitTable).join(VisitTable, VisitTable.id == EscalationTable.visit))
    found = {row.EscalationTable.step: row for row in rows if row.VisitTable.rule == "F-EMERG"}
    after = {step: row.EscalationTable.at - row.VisitTable.start_at for step, row in found.items()}
    assert after == {"hours-4": 4 * HOUR, "hours-8": 8 * HOUR, "late_days-0": 12 * HOUR}
    assert {row.EscalationTable.noted_at - row.EscalationTable.at >= 8 * HOUR - 1000 for row in found.values()} == {
        True
    }


def test_what_an_officer_answered_goes_up_no_further(town: Town) -> None:
    family = Family(town)
    town.apply(family.visit(**DANGER))
    assert run(town, 4.1) == 2
    review = {"visit_date": moment()[:10], "visit_result": "1", "child": family.child, "harm_still_serious": "2"}
    review |= {"perpetrator_access": "1", "care_obstacles": "1", "risk_conclusion": "2"}
    town.apply(item("child_review", review) | {"observed_at": moment(0.0001)}, "s1")
    assert run(town, 12.1) == 0
    assert asked(town, "s1") == []
    # It was made before the four hours were over, and only this test looked from later.
    assert {one["state"] for one in asked(town, "s1", closed=1)} == {"in_time"}


def test_a_missed_visit_goes_to_the_supervisor_and_says_why_it_was_due(town: Town) -> None:
    family = Family(town)
    receipt = town.apply(family.visit(risk_now="3"))
    assert run(town, 24 * 9) == 0  # at whatever hour: the second day late ends with the ninth
    assert run(town, 24 * 11) == 1
    (one,) = asked(town, "s1")
    visit = one["visit"]
    assert (one["step"], one["told"], one["state"], visit["rule"]) == ("late_days-2", "supervisor", "open", "F-HIGH")
    assert (visit["rule_version"], visit["statutory"], "đề xuất" in visit["source"]) == (1, False, True)
    assert visit["caused_by"] == {"submission": receipt["id"], "form": "child_situation"}
    assert visit["calendar"]["version"] == town.nest.calendar.version
    assert visit["subject"]["id"] == family.child
    missed = item("follow_up_visit", follow_up(child=family.child)) | {"observed_at": moment(0.0001)}
    town.push([missed])
    assert asked(town, "s1") == []


@pytest.mark.parametrize(
    ("user", "query", "rules"),
    [
        ("s1", {}, {"F-EMERG", "F-INTAKE", "F-HIGH"}),
        ("s1", {"area": AREA}, {"F-EMERG", "F-INTAKE", "F-HIGH"}),
        ("c1", {}, {"F-HIGH"}),
        ("s5", {}, set()),
    ],
)
def test_who_sees_which(town: Town, user: str, query: dict[str, str], rules: set[str]) -> None:
    family = Family(town)
    town.apply(family.visit(risk_now="3", **DANGER))
    assert run(town, 24 * 11) == 6  # three, two and one
    assert {one["visit"]["rule"] for one in asked(town, user, **query)} == rules


@pytest.mark.parametrize(("user", "area", "status"), [("u1", "", 403), ("a1", "", 403), ("s1", OTHER, 404)])
def test_who_sees_none(town: Town, user: str, area: str, status: int) -> None:
    assert town.get(f"/api/v1/escalations?area={area}" if area else "/api/v1/escalations", user).status_code == status


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_it_comes_in_pages_and_follows_a_household_that_moves(town: Town) -> None:
    family = Family(town)
    town.apply(family.visit(risk_now="3", **DANGER))
    assert run(town, 24 * 11) == 6  # three, two and one
    every = asked(town, "s1")
    assert len(every) == 6
    assert [one["at"] for one in every] == sorted(one["at"] for one in every)
    paged: list[dict[str, Any]] = []
    while True:
        after = {"after": paged[-1]["id"]} if paged else {}
        page = asked(town, "s1", limit=2, **after)
        paged += page
        if len(page) < 2:
            break
    assert paged == every
    family.moved("05")
    assert {one["scope"] for one in asked(town, "c1")} == {f"{AREA}/05"}


def test_the_third_time_nobody_is_home_goes_up_at_once(town: Town) -> None:
    family = Family(town)
    for count in range(3):
        assert run(town) == 0
        tried = item("follow_up_visit", {"visit_date": moment()[:10], "about": "child", "child": family.child})
        tried["answers"]["visit_result"] = "3"
        town.apply(tried | {"observed_at": moment(-1 + count / 10)})
    assert run(town) == 1
    assert steps(town, family.child) == [("F-RETRY", "failed_attempts-3", "supervisor")]


def test_risk_that_a_collaborator_lowers_keeps_the_weekly_visits_until_an_officer_agrees(town: Town) -> None:
    family = Family(town)
    open_ = select(VisitTable.rule).where(VisitTable.subject == family.child, VisitTable.state == "open")
    rules = lambda: {row.rule for row in town.rows(open_)} & {"F-HIGH", "F-MED", "F-LOW"}  # noqa: E731
    town.apply(family.visit(risk_now="1"))
    assert rules() == {"F-LOW"}
    state = town.child(family.child)
    claim = {"type": "child", "id": family.child, "base": state["etag"], "after": [], "seen": state["data"]}
    raised = item("follow_up_visit", follow_up(child=family.child, risk_now="3"), claim)
    town.apply(raised | {"observed_at": moment(0.0001)}, "u2")
    assert rules() == {"F-HIGH"}
    state = town.child(family.child)
    claim |= {"base": state["etag"], "seen": state["data"]}
    lowered = item("follow_up_visit", follow_up(child=family.child, risk_now="1"), claim)
    town.push([lowered | {"observed_at": moment(0.0002)}])
    assert rules() == {"F-HIGH"}
    body = {"base": town.child(family.child, "s1")["etag"], "values": {"risk_now": "1"}, "reason": "Đã xem lại"}
    town.act(f"entities/child/{family.child}/correct", "s1", **body)
    assert rules() == {"F-LOW"}


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_step_is_noted_once_by_two_jobs_at_one_time(town: Town) -> None:
    family = Family(town)
    town.apply(family.visit(**DANGER))
    with town.app.app_context(), time_machine.travel(local_time(now()) + timedelta(hours=5), tick=False):
        nest, late = town.nest, []

        def turn(work: Any) -> int:
            late.append(work)  # both have looked before either writes
            return 0

        escalate(nest.store, nest.world, now(), turn)
        escalate(nest.store, nest.world, now(), turn)
        assert [nest.committer.run(work) for work in late] == [2, 0]


def test_risk_told_of_a_child_brings_its_household_a_monthly_visit(town: Town) -> None:
    family = Family(town)
    open_ = select(VisitTable.rule, VisitTable.due).where(
        VisitTable.subject == family.home, VisitTable.state == "open", VisitTable.rule == "F-HHATRISK"
    )
    assert town.rows(open_) == []
    town.apply(family.visit(at_risk_codes=["AR5"]))
    assert len(town.rows(open_)) == 1
