"""Lists: who has his, issuing one or all, issuing again, the print view, the sheet, and what is noted of them."""

import pytest
from sqlalchemy import select

from server.store.tables import AuditTable, ReminderList
from tests.api.builders import AREA
from tests.api.homes import NAME
from tests.api.planners import asked, issued, sheet, today
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of
from tests.desk.planning import families


@pytest.fixture
def scheduler(town: Town) -> Pages:
    return Pages(town, "c1")


def page_of_lists(kind: str = "daily") -> str:
    return f"/desk/lists?area={AREA}&kind={kind}&day={today(1).isoformat()}"


def rows(page: object) -> list[str]:
    return [words_of(one) for one in page.xpath("//ul[@data-list]/li")]  # type: ignore[attr-defined]


def test_one_is_issued_and_then_all_and_what_exists_stays(town: Town, scheduler: Pages) -> None:
    families(town, 2)
    page = scheduler.open(page_of_lists())
    assert sum("Chưa lập" in one for one in rows(page)) == 3
    assert scheduler.submit(page, "/issue").status_code == 302
    page = scheduler.open(page_of_lists())
    (mine,) = [one for one in rows(page) if "Đã lập" in one]
    assert "Người dùng c1" in mine and "0 trên 2 dòng đã có kết quả" in mine and "lần 1" in mine
    forms = [one for one in page.forms if (one.get("action") or "").endswith("/issue")]
    token = dict(forms[-1].form_values())
    assert scheduler.client.post("/desk/lists/issue", data=token).status_code == 302
    numbers = [row.number for row in town.rows(select(ReminderList.number))]
    assert len(numbers) == len(set(numbers)) == 2  # u9 has nothing to do
    assert scheduler.client.post("/desk/lists/issue", data=token).status_code == 302
    assert len(town.rows(select(ReminderList.number))) == 2


def test_a_preview_stores_nothing(town: Town, scheduler: Pages) -> None:
    families(town, 1)
    page = scheduler.open(page_of_lists())
    link = next(str(one) for one in page.xpath("//a[contains(@href, '/lists/preview')]/@href") if "=u1" in one)
    shown = words_of(scheduler.open(link))
    assert NAME in shown and "chưa lưu gì" in shown
    assert town.rows(select(ReminderList.number)) == []
    assert "sẽ không có danh sách" in words_of(scheduler.open(link.replace("=u1", "=u9")))


def test_issued_again_with_a_reason_and_not_from_an_old_page(town: Town, scheduler: Pages) -> None:
    homes = families(town, 1)
    number = issued(town, today(1))["u1"]["number"]
    page = scheduler.open(f"/desk/lists/{number}")
    asked(town, homes[0].home, days=1)
    missing = scheduler.submit(page, "/reissue", reason=" ")
    assert (missing.status_code, "Cần ghi lý do" in missing.text) == (422, True)
    assert scheduler.submit(page, "/reissue", reason="Thêm một hộ").status_code == 302
    stale = scheduler.submit(page, "/reissue", reason="Lần nữa")
    assert stale.status_code == 409
    assert "đã có lần lập mới hơn" in stale.text and "Lần nữa" in stale.text
    shown = words_of(scheduler.open(f"/desk/lists/{number}"))
    assert "lần 2" in shown and "lập lại vì: Thêm một hộ" in shown
    old = words_of(scheduler.open(f"/desk/lists/{number}?revision=1"))
    assert "Đây là lần lập cũ" in old and "Thêm một hộ" not in old


def test_the_paper_says_how_secret_it_is_and_that_it_was_printed_is_noted(town: Town, scheduler: Pages) -> None:
    families(town, 2)
    number = issued(town, today(1))["u1"]["number"]
    page = scheduler.open(f"/desk/lists/{number}/print")
    told = words_of(page)
    assert "Mức độ bảo mật: hạn chế. Phạm vi: chỉ cộng tác viên" in told and "Hủy sau ngày" in told
    assert f"Số {number}, lần 1" in words_of(page.xpath("//thead")[0])
    assert len(page.xpath("//tbody/tr")) == 2 and "(ký, ghi rõ họ tên)" in told
    assert page.xpath("//style | //*[@style]") == []
    noted = town.rows(select(AuditTable.who, AuditTable.subject).where(AuditTable.act == "list_print"))
    assert [tuple(row) for row in noted] == [("c1", number)]


def test_the_sheet_is_the_list_and_is_noted(town: Town, scheduler: Pages) -> None:
    families(town, 1)
    number = issued(town, today(1))["u1"]["number"]
    answer = scheduler.client.get(f"/desk/lists/{number}/sheet")
    assert any(NAME in str(cell) for row in sheet(answer.get_data()) for cell in row)
    assert NAME not in answer.headers["Content-Disposition"]
    assert len(town.rows(select(AuditTable.who).where(AuditTable.act == "export"))) == 1


@pytest.mark.parametrize("query", ["kind=yearly", "day=mai", "day=1066-10-14", "area=2025.99999"])
def test_what_no_list_can_be_of_is_refused(town: Town, scheduler: Pages, query: str) -> None:
    assert scheduler.client.get(f"/desk/lists?{query}").status_code in (404, 422)
    assert scheduler.client.get(f"/desk/lists/preview?{query}").status_code in (404, 422)


def test_nobody_else_reads_a_list(town: Town) -> None:
    families(town, 1)
    number = issued(town, today(1))["u1"]["number"]
    for user, status in (("s1", 200), ("s5", 404), ("a1", 403), ("u1", 403)):
        for part in ("", "/print", "/sheet", "/results"):
            assert Pages(town, user).client.get(f"/desk/lists/{number}{part}").status_code == status, (user, part)
