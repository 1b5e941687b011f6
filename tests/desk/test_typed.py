"""Results typed in from paper: real forms in the name of whoever went, entered once however often they are sent."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from server.store.tables import AuditTable, OpTable, Submission
from tests.api.homes import Home
from tests.api.planners import asked, issued, today
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of
from tests.desk.planning import families

MET = {"visit_result": "1", "next_step": "1", "risk_now": "2"}


class Meeting:
    """A scheduler with the printed list of u1 before him."""

    def __init__(self, town: Town, homes: int = 2, household: bool = False) -> None:
        self.town, self.pages = town, Pages(town, "c1")
        self.homes = families(town, homes)
        if household:
            asked(town, self.homes[0].home, days=1, reason="Xem bếp")
        self.body = issued(town, today())["u1"]
        self.path = f"/desk/lists/{self.body['number']}/results"

    def type(self, page: Any = None, **said: str) -> Any:
        page = page if page is not None else self.pages.open(self.path)
        return self.pages.submit(page, "/results", **said)

    def line(self, number: int = 1) -> dict[str, Any]:
        body = self.town.get(f"/api/v1/lists/{self.body['number']}", "c1").get_json()
        return next(one for one in body["lines"] if one["line"] == number)

    def papers(self) -> list[Any]:
        return self.town.rows(select(Submission).where(Submission.dialect == "paper"))


@pytest.fixture
def meeting(town: Town) -> Meeting:
    return Meeting(town)


def test_a_row_becomes_a_form_of_the_collaborator_and_does_the_visit(meeting: Meeting, town: Town) -> None:
    made = today()
    answer = meeting.type(line="1", made=made.isoformat(), note="Trẻ khỏe", **MET)
    assert answer.status_code == 302, answer.text
    (line,) = [meeting.line()]
    assert line["outcome"] == "done"
    (row,) = town.rows(select(Submission.id, Submission.author, Submission.form, Submission.outcome).where(
        Submission.dialect == "paper"
    ))  # fmt: skip
    assert (row.author, row.form, row.outcome) == ("u1", "follow_up_visit", "applied")
    assert line["tasks"][0]["submission"] == row.id
    assert [op.late for op in town.rows(select(OpTable.late).where(OpTable.sub == row.id))] == [True]
    assert orjson.loads(town.stored()[row.id])["typed_by"] == "c1"
    noted = town.rows(select(AuditTable.who, AuditTable.sub).where(AuditTable.act == "list_result"))
    assert [tuple(one) for one in noted] == [("c1", row.id)]
    assert town.status(row.id)["state"] == "received"  # the author hears of it as of his own
    page = words_of(meeting.pages.open(meeting.path))
    assert "Dòng 1" in page and "Trẻ khỏe" in page and "Đã thăm" in page


def test_the_next_line_stands_ready_with_the_day_of_the_last(meeting: Meeting) -> None:
    day = (today() - timedelta(days=3)).isoformat()
    answer = meeting.type(line="1", made=day, visit_result="3")
    page = meeting.pages.open(answer.headers["Location"])
    form = next(one for one in page.forms if (one.get("class") or "") == "typing")
    assert (form.fields["line"], form.fields["made"], form.fields["visit_result"]) == ("2", day, "")
    assert page.xpath("//input[@autofocus]/@name") == ["line"]
    assert meeting.line()["outcome"] is None  # nobody was home before the list began: no attempt of this list


def test_enter_pressed_twice_is_one_form(meeting: Meeting, town: Town) -> None:
    page = meeting.pages.open(meeting.path)
    for _ in range(3):
        assert meeting.type(page, line="1", **MET).status_code == 302
    assert len(town.rows(select(Submission.id).where(Submission.dialect == "paper"))) == 1
    assert len(town.rows(select(AuditTable.n).where(AuditTable.act == "list_result"))) == 1


@pytest.mark.parametrize(
    ("said", "told", "focus"),
    [
        ({"line": "1", "visit_result": "1"}, "Đã gặp thì cần mã bước tiếp theo", "next_step"),
        ({"line": "1", "visit_result": "1", "next_step": "1"}, "Đã gặp trẻ thì cần mã nguy cơ", "risk_now"),
        ({"line": "1"} | MET | {"next_step": "2"}, "cần ngày hẹn", "next_on"),
        ({"line": "1"} | MET | {"visit_result": "9"}, "Cần mã kết quả", "visit_result"),
        ({"line": "1"} | MET | {"risk_now": "x"}, "cần mã nguy cơ", "risk_now"),
        ({"line": "1", "visit_result": ""}, "Cần mã kết quả", "visit_result"),
        ({"line": "77", "visit_result": "3"}, "không có dòng này", "line"),
        ({"line": "1", "visit_result": "3", "made": "2099-01-01"}, "không sau hôm nay", "made"),
        ({"line": "1", "visit_result": "3", "made": "hôm qua"}, "không sau hôm nay", "made"),
    ],
)
def test_what_is_missing_is_said_where_it_is_and_the_row_stays(
    meeting: Meeting, town: Town, said: dict[str, str], told: str, focus: str
) -> None:
    answer = meeting.type(**(said | {"note": "Còn đây"}))
    assert answer.status_code == 422
    page = meeting.pages.parse(answer)
    assert told in words_of(page)
    assert page.xpath("//input[@autofocus]/@name") == [focus]
    assert page.xpath("string(//input[@name='note']/@value)") == "Còn đây"
    assert page.xpath("string(//input[@name='line']/@value)") == said["line"]
    assert town.rows(select(Submission.id).where(Submission.dialect == "paper")) == []


def test_a_mistake_is_corrected_by_the_same_author_s_amendment(meeting: Meeting, town: Town) -> None:
    meeting.type(line="1", visit_result="3")
    assert meeting.line()["outcome"] == "nobody_home"
    page = meeting.pages.open(meeting.path)
    link = page.xpath("string(//a[contains(@href, 'amends=')]/@href)")
    again = meeting.pages.open(link)
    assert again.xpath("string(//input[@name='visit_result']/@value)") == "3"
    assert meeting.type(again, **MET).status_code == 302
    assert meeting.line()["outcome"] == "done"
    assert len(town.rows(select(Submission.id).where(Submission.dialect == "paper"))) == 2
    strange = meeting.type(line="2", amends=f"uuid:{'0' * 8}-0000-0000-0000-{'0' * 12}", **MET)
    assert strange.status_code == 422


def test_a_household_needs_no_risk(town: Town) -> None:
    meeting = Meeting(town, 1, household=True)
    number = next(one["line"] for one in meeting.body["lines"] if one["subject_type"] == "household")
    assert meeting.type(line=str(number), visit_result="1", next_step="1", risk_now="").status_code == 302
    assert meeting.line(number)["outcome"] == "done"


def test_a_late_paper_replaces_nothing_that_was_seen_after_it(meeting: Meeting, town: Town) -> None:
    home: Home = next(one for one in meeting.homes if one.child == meeting.line()["subject"])
    home.visit(risk_now="3")
    day = (today() - timedelta(days=5)).isoformat()
    assert meeting.type(line="1", made=day, **MET).status_code == 302
    assert town.child(home.child)["data"]["risk_now"] == "3"


def test_a_form_of_one_who_has_lost_his_charge_is_held_and_that_is_said(meeting: Meeting, town: Town) -> None:
    town.relieved("u1")
    answer = meeting.type(line="1", visit_result="3")
    assert answer.status_code == 302
    assert "được giữ lại cho cán bộ xem" in words_of(meeting.pages.open(answer.headers["Location"]))


def test_an_id_that_is_another_submission_s_changes_nothing_there(meeting: Meeting, town: Town) -> None:
    other = town.rows(select(Submission.id, Submission.raw).where(Submission.author == "u1"))[0]
    answer = meeting.type(line="1", id=other.id, visit_result="3")
    assert answer.status_code in (409, 422)
    assert town.rows(select(Submission.raw).where(Submission.id == other.id))[0].raw == other.raw
    assert meeting.type(line="1", id="x", visit_result="3").status_code == 422
