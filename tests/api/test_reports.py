"""Reports of protection concerns: anybody makes one about any place, and officers of that place alone read it."""

from collections.abc import Mapping
from typing import Any

import pytest
from sqlalchemy import select

from server.store.tables import Entity, FeedEntry, VisitTable
from tests.api.builders import (
    AREA,
    OTHER,
    claim,
    in_xml,
    item,
    moment,
    new_id,
    register,
    report,
    review,
)
from tests.api.conftest import Town
from tests.api.test_authority import Family

pytestmark = pytest.mark.usefixtures("rebuilt")

WHY = "Đã hỏi lại"
HOUR = 3_600_000


def told(ident: str | None = None, **answers: Any) -> dict[str, Any]:
    """A report; with an id, as a form engine sends it."""
    claims = [claim("report", ident)] if ident else []
    return item("protection_report", report(**answers), *claims)


def planned(town: Town, subject: str) -> dict[str, Any]:
    rows = town.rows(select(VisitTable).where(VisitTable.subject == subject, VisitTable.state == "open"))
    return {row[0].rule: row[0] for row in rows}


def page(town: Town, ident: str, user: str = "s1") -> Any:
    return town.get(f"/api/v1/entities/report/{ident}", user)


def shown(town: Town, ident: str, user: str = "s1") -> dict[str, Any]:
    answer = page(town, ident, user)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def the_report(town: Town) -> Any:
    (row,) = town.rows(select(Entity.id, Entity.area, Entity.scope).where(Entity.type == "report"))
    return row


@pytest.mark.parametrize("user", ["u1", "u9", "u5", "s1"])
def test_anybody_reports_with_the_least_there_is(town: Town, user: str) -> None:
    ident = new_id()
    receipt = town.apply(told(ident), user)
    assert receipt["entities"] == [{"type": "report", "id": ident}] or user == "s1"
    assert receipt["warnings"] == []
    home = OTHER if user == "u5" else AREA
    row = the_report(town)
    assert (row.id, row.area, row.scope) == (ident, home, f"{home}/!")
    reader = "s5" if user == "u5" else "s1"
    assert shown(town, ident, reader)["data"]["current_condition"] == "Chưa rõ"
    assert set(planned(town, ident)) == {"F-INTAKE"}


def test_its_author_gets_an_applied_receipt_and_nothing_more(town: Town) -> None:
    ident = new_id()
    value = told(ident, child_known="2", child_name="Trần Thị Bé", immediate_danger="1", abuse_signs=["1"])
    before = town.pull("u1")
    town.apply(value)
    for user in ("u1", "u2", "u9", "u5", "c1", "a1"):
        assert page(town, ident, user).status_code in (403, 404), user
    told_later = town.pull("u1", before["token"])
    assert [told_later[kind] for kind in ("entities", "visits", "gone")] == [[], [], []]
    assert [one["notices"] for one in told_later["submissions"]] == [[]]
    assert town.status(value["id"])["notices"] == []
    heard = town.rows(
        select(FeedEntry.scope).where(FeedEntry.id.in_([ident, *(v.id for v in planned(town, ident).values())]))
    )
    assert {row.scope for row in heard} == {f"{AREA}/!"}
    officer = town.pull("s1")
    assert ident in [one["id"] for one in officer["entities"]]


def test_it_is_where_it_happened_and_stays_there_wherever_the_child_moves(town: Town) -> None:
    family, ident = Family(town), new_id()
    town.apply(told(ident, child_known="1", about_child=family.child, ward_code="31120"), "u1")
    assert the_report(town).area == OTHER
    assert page(town, ident, "s1").status_code in (403, 404)
    assert shown(town, ident, "s5")["scope"] == f"{OTHER}/!"
    assert set(planned(town, ident)) == {"F-INTAKE", "F-FORWARD"}
    family.moved("05")
    assert the_report(town).area == OTHER


def test_only_an_officers_correction_moves_it(town: Town) -> None:
    ident = new_id()
    town.apply(told(ident))
    base = shown(town, ident)["etag"]
    body: Mapping[str, Any] = {"base": base, "values": {"ward_code": OTHER}, "reason": WHY}
    assert town.refusal(f"entities/report/{ident}/correct", "u1", **body)[0] in (403, 404)
    town.act(f"entities/report/{ident}/correct", "s1", **body)
    row = the_report(town)
    assert (row.area, row.scope) == (OTHER, f"{OTHER}/!")
    assert page(town, ident, "s1").status_code in (403, 404)
    assert shown(town, ident, "s5")["data"]["ward_code"] == OTHER
    assert {visit.area for visit in planned(town, ident).values()} == {OTHER}


def test_a_child_who_lives_elsewhere_is_passed_on_as_its_record_or_the_report_says(town: Town) -> None:
    stated, unknown, here = new_id(), new_id(), new_id()
    town.apply(told(stated, residence_ward="31120"))
    town.apply(told(unknown))
    town.apply(told(here, residence_ward="31135"))
    assert set(planned(town, stated)) == {"F-INTAKE", "F-FORWARD"}
    assert set(planned(town, unknown)) == set(planned(town, here)) == {"F-INTAKE"}


def test_a_child_who_moves_away_after_the_report_is_passed_on(town: Town) -> None:
    town.assigned("s1", OTHER, None, -10)
    family, ident = Family(town), new_id()
    town.apply(told(ident, child_known="1", about_child=family.child))
    assert set(planned(town, ident)) == {"F-INTAKE"}
    household = town.household(family.home, "s1")
    values = {"ward_code": OTHER, "hamlet_code": "01"}
    town.act(f"entities/household/{family.home}/correct", "s1", base=household["etag"], values=values, reason=WHY)
    assert set(planned(town, ident)) == {"F-INTAKE", "F-FORWARD"}
    assert the_report(town).area == AREA


def test_the_hours_run_from_when_he_heard_of_it(town: Town) -> None:
    ident = new_id()
    town.apply(told(ident, immediate_danger="1", received_at=moment(-0.5)))
    visits = planned(town, ident)
    assert set(visits) == {"F-INTAKE", "F-EMERG"}
    assert visits["F-EMERG"].due_at == visits["F-EMERG"].start_at + 12 * HOUR
    assert visits["F-EMERG"].statutory and visits["F-EMERG"].assignee_role == "supervisor"
    assert abs(visits["F-EMERG"].start_at - visits["F-INTAKE"].start_at) < 1000


@pytest.mark.parametrize(
    "wrong", [{"child_age": "bảy"}, {"report_channel": "thu"}, {"strange": 1}, {"ward_code": "99999"}]
)
def test_one_that_is_held_is_planned_for_all_the_same(town: Town, wrong: dict[str, Any]) -> None:
    value = told(**{"abuse_signs": ["3"], **wrong})
    (receipt,) = town.push([value])
    assert receipt["outcome"] == "quarantined"
    assert all("child_age" not in problem["pointer"] for problem in receipt["problems"])
    assert set(planned(town, value["id"])) == {"F-INTAKE"}
    assert town.page(value["id"])["danger"] is True


def test_a_held_report_without_any_sign_is_planned_for_too(town: Town) -> None:
    value = told(child_age="bảy")
    town.push([value])
    assert set(planned(town, value["id"])) == {"F-INTAKE"}
    town.act(f"submissions/{value['id']}/repair", "s1", reason=WHY, patch={"/answers/child_age": 7})
    assert planned(town, value["id"]) == {}
    row = the_report(town)
    assert set(planned(town, row.id)) == {"F-INTAKE"}
    assert shown(town, row.id)["data"]["child_age"] == 7


def test_nobody_else_adds_to_a_report_and_its_author_may_mend_it(town: Town) -> None:
    ident = new_id()
    first = told(ident, ward_code="31120", abuse_signs=["1"])
    town.apply(first)
    (stranger,) = town.push([told(ident, abuse_signs=["5"])], "u9")
    assert (stranger["outcome"], stranger["reason"]) == ("quarantined", "out_of_area")
    mended = told(ident, ward_code="31120", abuse_signs=["1", "2"]) | {"amends": first["id"]}
    town.apply(mended)
    assert shown(town, ident, "s5")["data"]["abuse_signs"] == ["1", "2"]
    assert town.status(first["id"])["state"] == "edited"


def test_rejected_it_stands_unless_the_officer_names_it(town: Town) -> None:
    ident = new_id()
    value = told(ident)
    town.apply(value)
    town.act(f"submissions/{value['id']}/reject", "s1", reason=WHY)
    assert shown(town, ident)["data"]["report_channel"] == "quan_sat"
    town.act(f"submissions/{value['id']}/unreject", "s1", reason=WHY)
    town.act(f"submissions/{value['id']}/reject", "s1", reason=WHY, halves=True)
    assert planned(town, ident) == {}


def test_the_officers_review_completes_what_a_report_asks_for(town: Town) -> None:
    family, ident = Family(town), new_id()
    town.apply(told(ident, immediate_danger="1"))
    assert set(planned(town, ident)) == {"F-INTAKE", "F-EMERG"}
    answers = review(family.child, report=ident, report_outcome="1")
    town.apply(item("child_review", answers) | {"observed_at": moment(0.0001)}, "s1")
    assert planned(town, ident) == {}
    assert shown(town, ident)["data"]["report_outcome"] == "1"
    states = town.rows(select(VisitTable.state).where(VisitTable.subject == ident))
    assert {row.state for row in states} == {"done"}


def test_the_same_report_in_xml_and_in_json_is_the_same(town: Town) -> None:
    form = town.nest.catalogue.find("protection_report", "2026112601")
    assert form is not None
    pages: list[Any] = []
    for ident in (new_id(), new_id()):
        value = told(
            child_known="2", child_name="Lâm Thị Sa Rết", child_age=9, ward_code="31120", abuse_signs=["5", "3"]
        )
        value["answers"]["received_at"] = "2026-11-20T08:00:00.000+07:00"
        if pages:
            value = in_xml(form.form, value, {"dataset": "report", "id": ident, "create": "1"})
        else:
            value["entities"] = [claim("report", ident)]
        town.apply(value)
        pages.append(shown(town, ident, "s5"))
    assert pages[0]["data"] == pages[1]["data"]


def test_a_report_beside_a_registration_in_one_batch(town: Town) -> None:
    home, child = new_id(), new_id()
    receipts = town.push([told(child_known="1", about_child=child), register(home, {child: "Lý Gia Hào"})])
    assert [receipt["outcome"] for receipt in receipts] == ["applied", "applied"]
    assert set(planned(town, the_report(town).id)) == {"F-INTAKE"}
