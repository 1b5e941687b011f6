"""Whole stories in a real browser, with phones that push and pull: what an officer decides phones then show."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page

from server.auth.passwords import set_password
from server.clock import now
from tests.api.builders import PROTECTED, new_id, register, visit
from tests.api.test_desk_reviews import amended
from tests.api.towns import Town
from tests.browser.conftest import serve
from tests.browser.desk import sound
from tests.desk.conftest import catalogue, database, plots, template, town, towns

__all__ = ["catalogue", "database", "plots", "template", "town", "towns"]
NAME = "Công Tằng Tôn Nữ Huyền Trân Bảo Ngọc Anh"  # 40 letters
WHY = "Đã gọi điện hỏi lại gia đình"
PASSWORD = "quả-dừa-xanh-2026"


class Story:
    """A served town with a child of a long name, and an officer at her desk."""

    def __init__(self, town: Town, page: Page, url: str) -> None:
        self.town, self.page, self.url = town, page, url
        self.home, self.child = new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}, years=13))
        with town.app.app_context():
            set_password("s1", PASSWORD, now(), None)

    def sign_in(self) -> None:
        self.page.goto(f"{self.url}/desk")
        sound(self.page)
        self.page.fill("[name=user]", "s1")
        self.page.fill("[name=password]", PASSWORD)
        self.page.click("main button")
        self.page.wait_for_url("**/desk")
        self.page.wait_for_load_state("load")
        sound(self.page)

    def visit(self, user: str = "u1", name: str = NAME, **told: Any) -> dict[str, Any]:
        known = self.town.child(self.child)
        value = visit(self.child, name, known["etag"], {"full_name": NAME}, years=13, **told)
        self.town.push([value], user)
        return value

    def shown(self, user: str) -> dict[str, Any]:
        """The child as a phone is told of it."""
        entities = self.town.pull(user)["entities"]
        return next(one for one in entities if one["id"] == self.child)


@pytest.fixture
def story(town: Town, page: Page) -> Iterator[Story]:
    for url in serve(town.app):
        yield Story(town, page, url)


def test_two_phones_disagree_and_both_show_what_the_officer_decides(story: Story) -> None:
    base = story.town.child(story.child)["etag"]
    for user, name in (("u1", f"{NAME} Một"), ("u2", f"{NAME} Hai")):
        told = visit(story.child, name, base, {"full_name": NAME}, years=13)
        story.town.push([told], user)
    story.sign_in()
    story.page.locator("section[aria-labelledby=grave] a").first.click()
    story.page.wait_for_url("**/desk/conflicts/*")
    sound(story.page)
    story.page.locator("li", has_text=f"{NAME} Hai").locator("input[type=radio]").check()
    story.page.fill("textarea[name=reason]", WHY)
    story.page.get_by_role("button", name="Quyết định").click()
    story.page.get_by_text("Đã quyết định.").first.wait_for()
    for user in ("u1", "u2"):
        shown = story.shown(user)
        assert (shown["data"]["full_name"], shown["conflicts"]) == (f"{NAME} Hai", [])


def test_a_form_of_an_old_ward_is_placed_and_its_phone_hears_of_it(story: Story) -> None:
    value = register(new_id(), {}, ward_code="2024.31178")
    story.town.push([value])
    story.sign_in()
    story.page.get_by_role("link", name="Giữ lại", exact=True).click()
    sound(story.page)
    story.page.locator("[data-list] a").first.click()
    sound(story.page)
    story.page.select_option("select[name=ward]", "2025.31120")
    story.page.locator("form[action$=repair] textarea").fill(WHY)
    story.page.get_by_role("button", name="Đọc lại và áp dụng").click()
    story.page.get_by_text("Đã đọc phiếu").wait_for()
    assert story.town.status(value["id"])["state"] == "received"


def test_returned_with_a_comment_the_amendment_comes_back_linked(story: Story) -> None:
    value = story.visit(school_name="Trường Cầu Sắt")
    story.sign_in()
    story.page.goto(f"{story.url}/desk/submissions/{value['id']}")
    sound(story.page)
    story.page.reload()
    story.page.keyboard.press("r")
    story.page.locator("form[action$=return] textarea").fill("Trường này ở ấp nào?")
    story.page.get_by_role("button", name="Trả lại", exact=True).click()
    story.page.get_by_text("Đã trả lại phiếu").wait_for()
    story.page.wait_for_load_state("load")
    assert story.town.status(value["id"])["comment"] == "Trường này ở ấp nào?"
    story.town.push([amended(value, school_name="Trường Cầu Sắt 2")])
    story.page.goto(f"{story.url}/desk/submissions/{value['id']}")
    story.page.get_by_role("link", name="phiếu 1").click()
    assert "Trường Cầu Sắt 2" in story.page.locator("main").inner_text()
    sound(story.page)


def test_danger_behind_a_typo_is_on_top_until_it_is_handled(story: Story) -> None:
    story.visit(**PROTECTED, grade="bốn")
    story.sign_in()
    story.page.locator("section[aria-labelledby=danger] a").first.click()
    sound(story.page)
    story.page.locator("form[action$=repair] input[name^='at:']").fill("4")
    story.page.locator("form[action$=repair] textarea").fill(WHY)
    story.page.get_by_role("button", name="Đọc lại và áp dụng").click()
    story.page.get_by_text("Đã đọc phiếu").wait_for()
    story.page.wait_for_load_state("load")
    story.page.goto(f"{story.url}/desk")
    link = story.page.locator("section[aria-labelledby=danger] a").first
    assert link.inner_text() == NAME
    link.click()
    assert "Trẻ đang bị đe dọa nghiêm trọng" in story.page.locator("main").inner_text()
    sound(story.page)


def test_a_child_s_whole_story_is_read_and_each_fact_says_whose_it_is(story: Story) -> None:
    story.visit(school_name="Trường Cầu Sắt", mother_name="Lê Thị Thuý Kiều")
    story.sign_in()
    story.page.get_by_role("link", name="Tìm", exact=True).click()
    sound(story.page)
    story.page.fill("input[name=q]", "thuy kieu")
    story.page.get_by_role("button", name="Tìm").click()
    sound(story.page)
    story.page.get_by_role("link", name=NAME).click()
    assert "thuy" not in story.page.url
    story.page.locator("dd", has_text="Trường Cầu Sắt").locator("summary").click()
    assert "Người dùng u1" in story.page.locator("dd", has_text="Trường Cầu Sắt").inner_text()
    for tab in ("Hiện nay", "Diễn biến", "Lịch sử từng mục", "Biểu đồ", "Hồ sơ bảo vệ"):
        story.page.get_by_role("link", name=tab, exact=True).click()
        sound(story.page)
    story.page.goto(f"{story.url}/desk/household/{story.home}")
    sound(story.page)
    story.page.goto(f"{story.url}/desk/child/{story.child}/correct?cell=school")
    sound(story.page)
    story.page.goto(f"{story.url}/desk/account")
    sound(story.page)


def test_nothing_waits_and_nothing_is_there(story: Story) -> None:
    """Empty pages, a page of an error, and English."""
    story.sign_in()
    for path in ("submissions?shelf=rejected", "conflicts", "quarantine", "quarantine?aside=1", "find?risk=3"):
        story.page.goto(f"{story.url}/desk/{path}")
        assert story.page.locator(".empty").count() == 1, path
        sound(story.page)
    story.page.get_by_role("button", name="English").click()
    story.page.get_by_role("button", name="Tiếng Việt").wait_for()
    sound(story.page)
