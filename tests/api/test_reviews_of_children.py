"""The officer's review of a child (Mẫu 06): his alone to state, in the protected half, with no trace in the open."""

from typing import Any

import pytest
from sqlalchemy import select

from forms.entity_types import protected_id
from server.store.tables import FeedEntry, VisitTable
from tests.api.builders import claim, in_xml, item, moment, review
from tests.api.conftest import Town
from tests.api.test_authority import Family

pytestmark = pytest.mark.usefixtures("rebuilt")


def reviewed(child: str, days: float = 0.0001, **answers: Any) -> dict[str, Any]:
    return item("child_review", review(child, **answers)) | {"observed_at": moment(days)}


def half(town: Town, child: str, user: str = "s1") -> dict[str, Any]:
    answer = town.get(f"/api/v1/entities/child_protected/{protected_id(child)}", user)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def states(town: Town, subject: str) -> set[tuple[str, str]]:
    rows = town.rows(select(VisitTable.rule, VisitTable.state).where(VisitTable.subject == subject))
    return {(row.rule, row.state) for row in rows}


def test_each_review_is_an_entry_of_its_own(town: Town) -> None:
    family = Family(town)
    town.apply(reviewed(family.child, -2, harm_still_serious="3", risk_conclusion="3"), "s1")
    town.apply(reviewed(family.child), "s1")
    body = half(town, family.child)
    assert [entry["value"]["risk_conclusion"] for entry in body["series"]["assessment"]] == ["3", "2"]
    assert body["data"]["risk_conclusion"] == "2"
    assert "risk_now" not in town.child(family.child)["data"]


def test_of_a_collaborator_it_is_held_and_says_nothing(town: Town) -> None:
    family = Family(town)
    value = reviewed(family.child)
    (receipt,) = town.push([value])
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "not_allowed")
    assert [problem["code"] for problem in receipt["problems"]] == ["officers_only"]
    answer = town.get(f"/api/v1/entities/child_protected/{protected_id(family.child)}", "s1")
    assert answer.status_code == 404


def test_an_officer_of_another_area_has_no_right_to_it(town: Town) -> None:
    family = Family(town)
    (receipt,) = town.push([reviewed(family.child)], "s5")
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "out_of_area")


def test_nothing_of_it_shows_to_those_who_visit_the_child(town: Town) -> None:
    family = Family(town)
    before, page = town.child(family.child), town.pull("u1")
    receipt = town.apply(reviewed(family.child), "s1")
    assert receipt["warnings"] == []
    assert town.child(family.child) == before
    later = town.pull("u1", page["token"])
    assert [later[kind] for kind in ("entities", "visits", "gone", "submissions")] == [[], [], [], []]
    heard = town.rows(select(FeedEntry.scope).where(FeedEntry.id == protected_id(family.child)))
    assert {row.scope for row in heard} == {"2025.31135/!"}


def test_a_claim_on_the_child_changes_nothing_of_that(town: Town) -> None:
    family = Family(town)
    before = town.child(family.child)
    value = reviewed(family.child)
    value["entities"] = [claim("child", family.child, before["etag"], before["data"])]
    town.apply(value, "s1")
    assert town.child(family.child) == before


def test_it_completes_what_danger_asks_for_and_new_danger_asks_again(town: Town) -> None:
    family = Family(town)
    signs = {"abuse_signs": ["5"], "immediate_danger": "1"}
    town.apply(family.visit(**signs))
    subject = protected_id(family.child)
    assert states(town, subject) == {("F-EMERG", "open"), ("F-INTAKE", "open")}
    town.apply(reviewed(family.child), "s1")
    assert states(town, subject) == {("F-EMERG", "done"), ("F-INTAKE", "done")}
    again = family.visit(**signs) | {"observed_at": moment(0.0002)}
    town.push([again])
    open_now = {rule for rule, state in states(town, subject) if state == "open"}
    assert open_now == {"F-EMERG", "F-INTAKE"}


def test_nobody_met_is_an_attempt_and_completes_nothing(town: Town) -> None:
    family = Family(town)
    town.apply(family.visit(immediate_danger="1", abuse_signs=["1"]))
    tried = item("child_review", {"visit_date": moment()[:10], "visit_result": "3", "child": family.child})
    town.apply(tried | {"observed_at": moment(0.0001)}, "s1")
    rows = town.rows(select(VisitTable.attempts).where(VisitTable.subject == protected_id(family.child)))
    assert {row.attempts for row in rows} == {1}
    assert {state for _, state in states(town, protected_id(family.child))} == {"open"}


def test_mended_by_its_author_it_is_edited(town: Town) -> None:
    family = Family(town)
    value = reviewed(family.child)
    town.apply(value, "s1")
    mended = reviewed(family.child, perpetrator_access="3", risk_conclusion="3") | {"amends": value["id"]}
    town.apply(mended, "s1")
    assert half(town, family.child)["data"]["perpetrator_access"] == "3"
    assert len(half(town, family.child)["series"]["assessment"]) == 1
    assert town.page(value["id"])["state"] == "edited"


def test_in_xml_it_says_the_same(town: Town) -> None:
    family = Family(town)
    form = town.nest.catalogue.find("child_review", "2026112601")
    assert form is not None
    entity = {"dataset": "child", "id": family.child, "update": "1", "baseVersion": "1"}
    town.apply(in_xml(form.form, reviewed(family.child), entity), "s1")
    assert half(town, family.child)["data"]["care_obstacles"] == "1"


def test_only_officers_are_told_of_the_form(town: Town) -> None:
    ids = lambda user: {one["id"] for one in town.get("/api/v1/sync/config", user).get_json()["forms"]}  # noqa: E731
    assert "child_review" in ids("s1")
    for user in ("u1", "u9"):
        assert ids(user) == ids("s1") - {"child_review"}
