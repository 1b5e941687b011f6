"""The board: whom visits fall to, why they are due, and what a scheduler decides about them."""

from collections.abc import Callable
from datetime import date, timedelta

import pytest
import time_machine
from sqlalchemy import select

from server.clock import now
from server.reading.load import board as loads
from server.reading.plan import preview
from server.store.tables import ArrangementTable, AuditTable, VisitTable
from sync.times import local_date
from sync.visits.lists import ListKind, period_of
from tests.api.builders import AREA
from tests.api.homes import NAME, Home
from tests.api.planners import asked, today, unregistered, week
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of
from tests.desk.planning import WHY, board, elsewhere, families, lines_of, ticked


@pytest.fixture
def scheduler(town: Town) -> Pages:
    return Pages(town, "c1")


def test_a_visit_says_who_where_when_and_why(town: Town, scheduler: Pages) -> None:
    families(town, 1)
    page = scheduler.open(board())
    (line,) = [one for one in lines_of(page) if "Thăm theo phân công" in one]
    assert NAME in line and "Người dùng u1, Người dùng u2" in line
    assert "Xem giếng nước" in line and "BY-HAND, bản 1" in line and "do người lập lịch thêm" in line
    assert "Lịch làm việctable " in line


def test_the_law_and_the_form_behind_a_visit_are_named_but_opened_by_officers_alone(town: Town) -> None:
    child, family = unregistered(town, 29), Home(town)
    family.visit(risk_now="3")
    for user, opened in (("s1", 1), ("c1", 0)):
        pages = Pages(town, user)
        page = pages.open(board())
        row = next(one for one in page.xpath("//form//ul[@data-list]/li") if "F-BIRTH" in words_of(one))
        assert "Luật định" in words_of(row) and "Luật Hộ tịch" in words_of(row)
        assert "Do phiếuCán bộ sửa" in words_of(row)
        assert len(row.xpath(f".//a[contains(@href, '/desk/child/{child}')]")) == opened
        page = pages.open(f"/desk/plan?week={week(today(14))}")
        row = next(one for one in page.xpath("//form//ul[@data-list]/li") if "F-HIGH" in words_of(one))
        assert len(row.xpath(".//dl//a[contains(@href, '/desk/submissions/')]")) == opened


def test_ten_visits_of_a_colleague_on_leave_go_to_another(town: Town, scheduler: Pages) -> None:
    families(town, 10, to="u1")
    page = scheduler.open(board(collaborator="u1"))
    ids = ticked(page)
    assert len(ids) == 10
    assert len(ticked(scheduler.open(board(collaborator="u2")))) == 0
    done = scheduler.submit(page, "/arrange", ids=ids, act="reassign", to="u2", reason=WHY)
    assert done.status_code == 302, done.text
    page = scheduler.open(board(collaborator="u2"))
    assert sorted(ticked(page)) == sorted(ids)
    told = words_of(page)
    assert "Đã giao lại 10 lượt thăm" in told
    assert ticked(scheduler.open(board(collaborator="u1"))) == []
    acts = town.rows(select(AuditTable.who).where(AuditTable.act == "visit_reassign"))
    assert [row.who for row in acts] == ["c1"] * 10


def test_each_is_carried_out_by_itself_and_a_refusal_says_why(town: Town, scheduler: Pages) -> None:
    families(town, 1)
    child = unregistered(town, 59)
    page = scheduler.open(board())
    ids = ticked(page)
    assert len(ids) >= 2
    answer = scheduler.submit(page, "/arrange", ids=ids, act="cancel", reason=WHY)
    assert answer.status_code == 409
    told = words_of(scheduler.parse(answer))
    assert "Lượt thăm theo luật: không được hủy" in told
    assert f"Đã làm xong {len(ids) - 1} lượt; 1 lượt không làm được" in told
    left = town.rows(select(VisitTable.id, VisitTable.subject).where(VisitTable.rule == "F-BIRTH"))
    assert scheduler.parse(answer).xpath("//input[@name='ids'][@checked]/@value") == [
        row.id for row in left if row.subject == child
    ]
    assert scheduler.parse(answer).xpath("string(//textarea[@name='reason'])") == WHY


def test_put_off_and_cancelled_ones_are_found_and_taken_back(town: Town, scheduler: Pages) -> None:
    families(town, 2)
    page = scheduler.open(board())
    first, second = ticked(page)
    far = (today() + timedelta(days=40)).isoformat()
    assert scheduler.submit(page, "/arrange", ids=[first], act="snooze", until=far, reason=WHY).status_code == 302
    assert scheduler.submit(page, "/arrange", ids=[second], act="cancel", reason=WHY).status_code == 302
    assert ticked(scheduler.open(board())) == []
    page = scheduler.open(board(aside="1"))
    assert sorted(ticked(page)) == sorted([first, second])
    told = " ".join(lines_of(page))
    assert "Hoãn tới" in told and "Đã hủy" in told and f"Hủy: {WHY}" in told
    assert scheduler.submit(page, "/arrange", ids=[first, second], act="resume", reason=WHY).status_code == 302
    assert sorted(ticked(scheduler.open(board()))) == sorted([first, second])


@pytest.mark.parametrize(
    ("said", "status", "told"),
    [
        ({"act": "cancel", "reason": " "}, 422, "Cần ghi lý do"),
        ({"act": "reassign", "reason": WHY}, 422, "Hãy chọn người sẽ đi"),
        ({"act": "snooze", "reason": WHY}, 422, "Hãy chọn ngày hoãn tới"),
        ({"act": "snooze", "reason": WHY, "until": "mai"}, 422, "không hợp lệ"),
        ({"act": "snooze", "reason": WHY, "until": "2026-01-01"}, 409, "không hợp lệ"),
        ({"act": "reassign", "reason": WHY, "to": "u9"}, 409, "không được giao địa bàn"),
        ({"act": "dance", "reason": WHY}, 422, "Hãy chọn việc cần làm"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    town: Town, scheduler: Pages, said: dict[str, str], status: int, told: str
) -> None:
    families(town, 1)
    page = scheduler.open(board())
    answer = scheduler.submit(page, "/arrange", ids=ticked(page), **said)
    assert answer.status_code == status
    shown = scheduler.parse(answer)
    assert told in words_of(shown)
    assert shown.xpath("string(//textarea[@name='reason'])") == said["reason"]
    assert shown.xpath("//input[@name='ids'][@checked]/@value") == ticked(page)
    assert town.rows(select(ArrangementTable.act).where(ArrangementTable.act != "add")) == []


def test_a_board_shows_days_off_and_whether_they_are_certain(town: Town, scheduler: Pages) -> None:
    with time_machine.travel(now() / 1000, tick=False):
        page = scheduler.open("/desk/plan?week=2027-W05")
    days = [words_of(one) for one in page.xpath("//ul[@class='week']/li")]
    assert len(days) == 7
    assert any("Tết" in one and "dự đoán" in one for one in days)
    assert "nghỉ" in days[6] or "Tết" in days[6]


def test_what_nobody_has_charge_of_is_in_a_row_of_its_own(town: Town, scheduler: Pages) -> None:
    families(town, 1)
    for user in ("u1", "u2"):
        town.relieved(user)
    page = scheduler.open(board(collaborator="-"))
    assert len(ticked(page)) == 1
    assert "Chưa ai phụ trách 1 lượt thăm" in words_of(page)
    assert "chưa ai phụ trách" in lines_of(page)[0]


def test_the_loads_are_those_of_the_lists_as_they_would_be_issued(town: Town) -> None:
    """The board counts without writing any list; both must tell the same."""
    homes = families(town, 4, hamlet="01")
    for home in homes[:3]:
        home.visit(risk_now="3")
        asked(town, home.home, days=1, reason="Xem bếp")
    unregistered(town, 50)
    asked(town, homes[0].child, days=2, to="u2", reason="Một mình")
    for weeks in (0, 1, 5, 14):
        day = local_date(now()) + timedelta(weeks=weeks)
        period = period_of(ListKind.WEEKLY, day)
        with town.app.app_context():
            counted = {one["collaborator"]: one for one in loads(town.nest, AREA, period, today())[0]}
            drafted = {one["collaborator"]: one for one in preview(town.nest, AREA, period, None, today())}
        assert set(drafted) <= set(counted)
        for person, one in counted.items():
            lines = drafted[person]["lines"] if person in drafted else []
            assert one["lines"] == len(lines), (weeks, person)
            assert one["carried"] == sum(line["carried"] for line in lines)
            law = [any(task["statutory"] for task in line["tasks"]) for line in lines]
            assert (one["statutory"], one["visits"]) == (sum(law), sum(len(line["tasks"]) for line in lines))


def test_pages_of_a_board_follow_each_other(town: Town, scheduler: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("server.console.plan.PAGE", 2)
    families(town, 5)
    seen, path = [], board()
    while path:
        page = scheduler.open(path)
        seen += ticked(page)
        path = page.xpath("string(//a[@class='more']/@href)")
    assert len(seen) == len(set(seen)) == 5


def test_a_visit_is_added_from_a_line_and_twice_is_once(town: Town, scheduler: Pages) -> None:
    families(town, 1)
    page = scheduler.open(board())
    (where,) = {str(one) for one in page.xpath("//a[contains(@href, '/desk/plan/add')]/@href")}
    form = scheduler.open(where)
    due = (today() + timedelta(days=2)).isoformat()
    for _ in range(2):
        assert scheduler.submit(form, "/add", due=due, to="u2", reason="Xem mái nhà").status_code == 302
    added = town.rows(select(VisitTable.due).where(VisitTable.reason == "Xem mái nhà"))
    assert [row.due for row in added] == [date.fromisoformat(due)]
    other = scheduler.submit(form, "/add", due=due, to="u2", reason="Việc khác")
    assert (other.status_code, "đã dùng cho một việc khác" in other.text) == (409, True)
    form = scheduler.open(where)
    wrong = scheduler.submit(form, "/add", due="2020-01-01", reason="Giữ lại lời này")
    assert (wrong.status_code, "Giữ lại lời này" in wrong.text) == (422, True)


def test_nobody_adds_a_visit_to_a_child_of_another_area(town: Town, scheduler: Pages) -> None:
    child = elsewhere(town)
    assert scheduler.client.get(f"/desk/plan/add?subject={child}").status_code == 404
    due = (today() + timedelta(days=2)).isoformat()
    assert scheduler.post("/desk/plan/add", subject=child, due=due, reason="Xem").status_code == 404


def test_a_scheduler_sees_no_visit_that_follows_from_protected_data(town: Town, visit: Callable[..., Pages]) -> None:
    family = Home(town)
    family.visit(abuse_signs=["5"], immediate_danger="1")
    shown = {user: " ".join(lines_of(visit(user).open(board()))) for user in ("s1", "c1")}
    assert "F-EMERG" in shown["s1"] and "F-EMERG" not in shown["c1"]
