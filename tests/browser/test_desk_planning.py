"""A scheduler's hour in a real browser: next week planned, a colleague on leave, lists issued, one printed, its
results typed in by keyboard alone, one missed, escalated and seen.
"""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from playwright.sync_api import Browser, Page

from server.auth.passwords import set_password
from server.cli.jobs import jobs
from server.clock import now
from server.reading.plan import next_week
from tests.api.builders import AREA
from tests.api.homes import Home
from tests.api.planners import asked, today, unregistered, week
from tests.api.towns import Town
from tests.browser.conftest import serve
from tests.browser.desk import sign_in, sound
from tests.desk.conftest import catalogue, database, plots, template, town, towns

__all__ = ["catalogue", "database", "plots", "template", "town", "towns"]
PASSWORD = "quả-dừa-xanh-2026"
A4 = (842, 595)  # points, on its side


class Story:
    """A served town with families in hamlet 01, and its scheduler."""

    def __init__(self, town: Town, page: Page, url: str) -> None:
        self.town, self.page, self.url = town, page, url
        with town.app.app_context():
            set_password("c1", PASSWORD, now(), None)

    def families(self, count: int, days: int, **more: Any) -> list[Home]:
        found = [Home(self.town) for _ in range(count)]
        for one in found:
            asked(self.town, one.child, days=days, **more)
        return found

    def sign_in(self) -> None:
        sign_in(self.page, self.url, "c1", PASSWORD)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}/desk/{path}")
        sound(self.page)


@pytest.fixture
def story(town: Town, page: Page) -> Iterator[Story]:
    for url in serve(town.app):
        yield Story(town, page, url)


def test_next_week_is_planned_and_ten_visits_of_a_colleague_on_leave_are_moved(story: Story) -> None:
    monday = next_week(today())
    story.families(10, (monday - today()).days + 1, to="u1")
    story.sign_in()
    story.open("plan")
    story.page.get_by_role("link", name="Tuần sau").click()
    story.page.wait_for_url(f"**week={week(monday)}**")
    story.page.get_by_role("link", name="Người dùng u1").click()
    story.page.wait_for_url("**collaborator=u1**")
    sound(story.page)
    assert "phải đến 10 nơi" in story.page.locator(".loads li", has_text="Người dùng u1").inner_text()
    story.page.get_by_label("Chọn tất cả trên trang").check()
    story.page.get_by_label("Lý do, cho cán bộ đọc").fill("Nghỉ phép tuần này")
    story.page.get_by_label("Giao cho").select_option("u2")
    story.page.get_by_role("button", name="Giao lại").click()
    story.page.get_by_text("Đã giao lại 10 lượt thăm.").wait_for()
    story.page.wait_for_load_state("load")
    sound(story.page)
    assert "phải đến 0 nơi" in story.page.locator(".loads li", has_text="Người dùng u1").inner_text()
    assert "phải đến 10 nơi" in story.page.locator(".loads li", has_text="Người dùng u2").inner_text()


def test_lists_are_issued_printed_and_their_results_typed_in_by_keyboard(
    story: Story,
) -> None:
    story.families(3, 1, to="u1")
    story.sign_in()
    story.open(f"lists?area={AREA}&kind=daily&day={today().isoformat()}")
    story.page.get_by_role("button", name="Lập cho tất cả ai chưa có").click()
    story.page.get_by_text("Đã lập 1 danh sách.").wait_for()
    story.page.wait_for_load_state("load")
    sound(story.page)
    story.page.get_by_role("link", name="Người dùng u1").click()
    story.page.wait_for_load_state("load")
    sound(story.page)
    number = re.search(r"/lists/([^/?]+)", story.page.url)
    assert number is not None
    story.open(f"lists/{number[1]}/print")
    story.page.goto(f"{story.url}/desk/lists/{number[1]}/results")
    sound(story.page)
    keys = story.page.keyboard
    for line, rest in (("1", ["3"]), ("2", ["1", "1", "2"]), ("3", ["1"])):
        assert story.page.evaluate("document.activeElement.name") == "line"
        assert story.page.locator("#whom").inner_text().startswith("Trần Thị Bưởi")
        keys.type(line)
        for code in rest:
            keys.press("Tab")
            keys.type(code)
        keys.press("Enter")
        story.page.wait_for_load_state("load")
        if line != "3":
            story.page.get_by_text(f"Đã lưu dòng {line}.").wait_for()
            story.page.wait_for_load_state("load")
    story.page.get_by_text("Đã gặp thì cần mã bước tiếp theo.").wait_for()
    story.page.wait_for_load_state("load")
    assert story.page.evaluate("document.activeElement.name") == "next_step"
    sound(story.page)
    for code in ("1", "1"):
        keys.type(code)
        keys.press("Tab")
    keys.press("Enter")
    story.page.get_by_text("Đã lưu dòng 3.").wait_for()
    story.page.wait_for_load_state("load")
    sound(story.page)
    body = story.town.get(f"/api/v1/lists/{number[1]}", "c1").get_json()
    assert [one["outcome"] for one in body["lines"]] == ["nobody_home", "done", "done"]


def test_a_visit_that_was_missed_is_escalated_and_seen_with_why(story: Story) -> None:
    unregistered(story.town, 40)
    story.sign_in()
    with time_machine.travel(now() / 1000 + 40 * 86_400, tick=True):
        assert story.town.app.test_cli_runner().invoke(jobs, ["run", "escalate"]).exit_code == 0
    begins, ends = (today() + timedelta(days=days) for days in (-30, 60))
    story.open(f"outcomes?from={begins}&to={ends}")
    above = story.page.locator("section[aria-labelledby=h-above]")
    assert "F-BIRTH" in above.inner_text() and "báo cán bộ" in above.inner_text()
    assert "Luật Hộ tịch" in above.inner_text()
    story.open("outcomes/escalations")
    story.open("outcomes/escalations?closed=1")


def test_the_paper_is_a4_on_its_side_with_its_heading_on_every_page(town: Town, browser: Browser) -> None:
    """Printed by Chromium, as a scheduler's browser does it."""
    homes = [Home(town) for _ in range(16)]
    for one in homes:
        asked(town, one.child, days=1, to="u1")
    numbers = town.act("lists", "c1", area=AREA, kind="weekly", day=today(1).isoformat())["numbers"]
    paper = b""
    for url in serve(town.app):
        context = browser.new_context()
        story = Story(town, context.new_page(), url)
        story.sign_in()
        story.page.goto(f"{url}/desk/lists/{numbers[0]}/print")
        paper = story.page.pdf(prefer_css_page_size=True)
        context.close()
    boxes = [tuple(round(float(part)) for part in box.split()) for box in _boxes(paper)]
    assert len(boxes) >= 2
    assert all(abs(box[2] - A4[0]) <= 1 and abs(box[3] - A4[1]) <= 1 for box in boxes)
    assert paper.startswith(b"%PDF")


def _boxes(paper: bytes) -> list[str]:
    """The sizes of the pages of a PDF."""
    return [found.decode() for found in re.findall(rb"/MediaBox\s*\[([^\]]+)\]", paper)]
