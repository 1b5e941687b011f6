"""Follow-up visits: what was agreed, nobody home, danger; and which planned visits they complete."""

from typing import Any

import pytest
from sqlalchemy import select

from forms.entity_types import protected_id
from server.store.tables import VisitTable
from tests.api.builders import claim, day, follow_up, item, moment
from tests.api.conftest import Town
from tests.api.test_authority import Family

pytestmark = pytest.mark.usefixtures("rebuilt")


def states(town: Town, subject: str) -> set[tuple[str, str]]:
    rows = town.rows(select(VisitTable.rule, VisitTable.state).where(VisitTable.subject == subject))
    return {(row.rule, row.state) for row in rows}


def sent(town: Town, family: Family, kind: str = "child", days: float = 0.0001, **answers: Any) -> dict[str, Any]:
    """A follow-up made on what the phone shows now."""
    ident = family.child if kind == "child" else family.home
    state = town.child(ident) if kind == "child" else town.household(ident)
    value = item(
        "follow_up_visit", follow_up(**{kind: ident}, **answers), claim(kind, ident, state["etag"], state["data"])
    )
    return value | {"observed_at": moment(days)}


def test_what_was_agreed_is_an_entry_of_the_child(town: Town) -> None:
    family = Family(town)
    agreed: Any = {
        "agreed": ["1", "2"],
        "agreed_note": "Mẹ đi làm giấy",
        "next_step": "2",
        "next_on": day(7),
    }
    town.apply(sent(town, family, **agreed))
    town.apply(sent(town, family, days=0.0002))
    body = town.child(family.child)
    assert [one["value"] for one in body["series"]["agreement"]] == [agreed, {"next_step": "1"}]
    assert body["data"]["risk_now"] == "1"


def test_of_a_household_it_speaks_to_the_household(town: Town) -> None:
    family = Family(town)
    before = town.child(family.child)
    town.apply(sent(town, family, "household", home_agreed=["7"], home_next_step="3", home_note="Đã rào mương"))
    body = town.household(family.home)
    assert [one["value"] for one in body["series"]["agreement"]] == [{"agreed": ["7"], "next_step": "3"}]
    assert town.child(family.child) == before


def test_a_lower_risk_than_known_is_a_wish(town: Town) -> None:
    family = Family(town)
    town.apply(sent(town, family, risk_now="3"))
    (receipt,) = town.push([sent(town, family, days=0.0002, risk_now="1")])
    assert (receipt["outcome"], receipt["entities"][0]["overruled"]) == ("merged", ["risk_now"])
    assert town.child(family.child)["data"]["risk_now"] == "3"


def test_it_completes_the_visits_that_name_it(town: Town) -> None:
    family = Family(town)
    town.apply(
        family.visit(
            school_status="3",
            school_level=None,
            grade=None,
            school_name=None,
            dropout_reason="1",
            dropout_date=day(-3),
            birth_reg="4",
        )
    )
    assert ("F-DROPOUT", "open") in states(town, family.child)
    town.apply(sent(town, family))
    assert {("F-DROPOUT", "done"), ("F-BIRTH", "done")} <= states(town, family.child)
    assert ("F-HHQ", "done") in states(town, family.home)


def test_nobody_home_is_tried_again_and_being_met_ends_that(town: Town) -> None:
    family = Family(town)
    for kind, subject in (("child", family.child), ("household", family.home)):
        value = sent(town, family, kind, result="3")
        assert set(value["answers"]) == {"visit_date", "visit_result", "about", kind}
        town.apply(value)
        assert ("F-RETRY", "open") in states(town, subject)
        town.apply(sent(town, family, kind, days=0.0002))
        assert ("F-RETRY", "done") in states(town, subject)


def test_danger_seen_on_it_is_the_officers(town: Town) -> None:
    family = Family(town)
    receipt = town.apply(sent(town, family, abuse_signs=["2"], immediate_danger="1"))
    assert [entity["id"] for entity in receipt["entities"]] == [family.child]
    assert {rule for rule, _ in states(town, protected_id(family.child))} == {"F-EMERG", "F-INTAKE"}
    assert "abuse_signs" not in town.child(family.child)["data"]


def test_it_says_nothing_of_whom_it_is_not_about(town: Town) -> None:
    """Answers to questions that were not put are no words: a leftover household changes nothing."""
    family = Family(town)
    before = town.household(family.home)
    town.apply(sent(town, family, household=family.home, home_agreed=["1"], home_next_step="1"))
    after = town.household(family.home)
    assert (after["etag"], after["data"]) == (before["etag"], before["data"])
