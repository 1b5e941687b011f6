"""The pages of children, households, adults and reports: each fact with its source, each reading of a half noted."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select

from server.store.tables import AuditTable, db
from tests.api.builders import PROTECTED, day, item, member, new_id, register, report, visit
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

NAME = "Trần Gia Huy"
TABS = ("now", "story", "history", "charts", "protected")


class Family:
    """A household with a child and an adult; the child was visited, with protected answers, and renamed by two."""

    def __init__(self, town: Town) -> None:
        self.town, self.home, self.child = town, new_id(), new_id()
        grown = member("Trần Văn Ba", 40, "1", ident=new_id())
        first = register(self.home, {self.child: NAME}, years=13)
        first["answers"]["members"].append(grown)
        town.apply(first)
        base = town.child(self.child)["etag"]
        seen = {"full_name": NAME}
        told = {"mother_name": "Lê Thị Tư", "caregiver_phone": "0912345678"}
        town.apply(visit(self.child, NAME, base, seen, years=13, **PROTECTED, **told))

    @property
    def path(self) -> str:
        return f"/desk/child/{self.child}"

    def quarrel(self) -> None:
        child = self.town.child(self.child)
        for user, name in (("u1", "Trần Gia Huy Anh"), ("u2", "Trần Huy")):
            seen = {"full_name": NAME}
            self.town.push([visit(self.child, name, child["etag"], seen, years=13)], user)


@pytest.fixture
def family(town: Town) -> Family:
    return Family(town)


def audited(town: Town, act: str) -> list[Any]:
    return town.rows(select(AuditTable.who, AuditTable.subject).where(AuditTable.act == act))


def test_a_child_s_page_tells_each_fact_and_whose_word_it_is(family: Family, officer: Pages) -> None:
    page = officer.get(family.path)
    facts = {
        words_of(dt): words_of(dd) for dl in page.xpath("//dl") for dt, dd in zip(dl[::2], dl[1::2], strict=True)
    }
    assert facts["Họ và tên trẻ"].startswith(NAME)
    assert "Người dùng u1" in facts["Họ và tên mẹ"] and "Tình hình trẻ em" in facts["Họ và tên mẹ"]
    assert "Lê Thị Tư" in facts["Họ và tên mẹ"]
    assert page.xpath("//a[@href='tel:0912345678']")
    assert page.xpath(f"//a[@href='/desk/household/{family.home}']")
    assert "13 tuổi" in words_of(page)


def test_nothing_of_the_half_is_on_the_open_tabs_and_reading_it_is_noted(family: Family, officer: Pages) -> None:
    secret = "Dùng rượu, bia, thuốc lá"
    for tab in TABS[:-1]:
        text = words_of(officer.get(f"{family.path}?tab={tab}"))
        assert "Nghi" not in text or tab == "story", tab
        assert secret not in text
    assert audited(family.town, "read_protected") == []
    page = words_of(officer.get(f"{family.path}?tab=protected"))
    assert "Trẻ đang bị đe dọa nghiêm trọng" in page
    assert audited(family.town, "read_protected") == [("s1", family.child)]


def test_the_story_tells_who_did_what(family: Family, officer: Pages) -> None:
    base = family.town.child(family.child)["etag"]
    page = officer.open(f"{family.path}/correct?cell=school")
    answer = officer.submit(page, "/correct", school_name="Trường Cầu Sắt", grade="5", reason="Đã hỏi cô giáo")
    assert answer.status_code == 302
    assert family.town.child(family.child)["etag"] != base
    story = words_of(officer.get(f"{family.path}?tab=story"))
    assert "Cán bộ sửa" in story and "Người dùng s1: Đã hỏi cô giáo" in story
    history = words_of(officer.get(f"{family.path}?tab=history"))
    assert "Trường Cầu Sắt" in history and "đã được thay" in history


def test_a_correction_without_a_reason_or_on_an_old_state_is_refused_and_keeps_what_was_typed(
    family: Family, officer: Pages
) -> None:
    page = officer.open(f"{family.path}/correct?cell=school")
    answer = officer.submit(page, "/correct", school_name="Trường Cầu Sắt", reason="")
    assert (answer.status_code, "Cần ghi lý do" in answer.text) == (422, True)
    assert "Trường Cầu Sắt" in answer.text
    answer = officer.submit(page, "/correct", base="99-0000000000", reason="Đã hỏi")
    assert (answer.status_code, "Trạng thái bạn đã xem không có" in answer.text) == (409, True)
    assert officer.client.get(f"{family.path}/correct?cell=không-có").status_code == 404


def test_deleting_and_restoring(family: Family, officer: Pages) -> None:
    assert officer.submit(officer.get(family.path), "/life", reason="Nhập hai lần").status_code == 302
    page = officer.get(family.path)
    assert "Đã xóa" in words_of(page)
    assert officer.submit(page, "/life", reason="Nhầm").status_code == 302
    assert "Đã xóa" not in words_of(officer.get(family.path))


def test_a_household_shows_its_people_and_a_conflict_leads_to_its_page(family: Family, officer: Pages) -> None:
    family.quarrel()
    page = officer.get(f"/desk/household/{family.home}")
    people = page.xpath("//section[@aria-labelledby='h-members']//li")
    assert len(people) == 2
    assert sum("Mâu thuẫn" in words_of(one) for one in people) == 1
    child = officer.get(family.path)
    assert child.xpath("//div[contains(@class, 'bad')]//a[starts-with(@href, '/desk/conflicts/')]")


def test_growth_is_drawn_and_told(town: Town, officer: Pages) -> None:
    home, child = new_id(), new_id()
    town.apply(register(home, {child: NAME}, years=4))
    measured: dict[str, Any] = {"weight_kg": 15.5, "height_cm": 100, "measure_date": day(-1)}
    measured |= {"imm_status": "1", "imm_source": "1"}
    town.apply(visit(child, NAME, town.child(child)["etag"], {"full_name": NAME}, years=4, **measured))
    page = officer.get(f"/desk/child/{child}?tab=charts")
    (row,) = page.xpath("//section[@aria-labelledby='h-growth']//tbody/tr")
    assert [words_of(cell) for cell in row[1:]] == ["15.5", "100.0"]
    (box,) = page.xpath("//section[@aria-labelledby='h-growth']//div[@data-chart]")
    assert box.get("data-x") == f'["{day(-1)}"]'


def test_a_report_of_nobody_known_reads_well_and_shows_its_clock(town: Town, officer: Pages) -> None:
    town.apply(item("protection_report", report(immediate_danger="1")))
    board = officer.get("/desk")
    (link,) = board.xpath("//section[@aria-labelledby='danger']//a/@href")[:1]
    page = words_of(officer.get(link))
    assert "Tin báo về một trẻ chưa rõ tên" in page
    assert "Can thiệp khẩn cấp" in page and "Luật định" in page


def test_somebody_else_s_people_are_not_found(family: Family, visit: Callable[..., Pages]) -> None:
    paths = [f"{family.path}?tab={tab}" for tab in TABS] + [f"/desk/household/{family.home}"]
    for user, status in (("s5", 404), ("c1", 403), ("a1", 403), ("u1", 403)):
        pages = visit(user)
        for path in (*paths, f"{family.path}/correct?cell=school"):
            answer = pages.client.get(path)
            assert (answer.status_code, NAME in answer.text) == (status, False), (user, path)
        assert pages.post(f"{family.path}/life", act="delete", reason="x", base="1-").status_code == status
    assert audited(family.town, "read_protected") == []
    assert family.town.child(family.child)["deleted"] is False


def test_the_number_of_statements_does_not_grow(family: Family, officer: Pages) -> None:
    def statements(path: str) -> int:
        seen: list[str] = []
        with family.town.app.app_context():
            listen = lambda *told: seen.append(told[2])  # noqa: E731
            event.listen(db.engine, "before_cursor_execute", listen)
            try:
                officer.get(path)
            finally:
                event.remove(db.engine, "before_cursor_execute", listen)
        return len(seen)

    before = {tab: statements(f"{family.path}?tab={tab}") for tab in TABS}
    for number in range(4):
        child = family.town.child(family.child)
        told = {"full_name": child["data"]["full_name"]}
        family.town.push([visit(family.child, NAME, child["etag"], told, years=13, school_name=f"Trường {number}")])
    assert {tab: statements(f"{family.path}?tab={tab}") for tab in TABS} == before
    assert max(before.values()) <= 30


def test_markup_from_a_phone_is_text(town: Town, officer: Pages) -> None:
    home, child, bad = new_id(), new_id(), '<script>alert(1)</script>"><img src=x onerror=alert(1)>'
    town.push([register(home, {child: f"A {bad}"}, address_line=bad)])
    base = town.child(child)["etag"]
    town.push([visit(child, f"A {bad}", base, school_name=bad, mother_name=bad, caregiver_phone=bad[:20])])
    for path in [f"/desk/child/{child}?tab={tab}" for tab in TABS] + [f"/desk/household/{home}"]:
        page = officer.get(path)
        assert page.xpath("//img") == [] and "alert" not in "".join(page.xpath("//script/text()")), path
