"""An officer decides the conflict of two phones by keyboard, thinks better of it, and opens it again."""

from playwright.sync_api import Page

from tests.browser.desk import desk_page, sound

__all__ = ["desk_page"]


def test_a_conflict_is_decided_by_keyboard_and_opened_again(desk_page: Page) -> None:
    page = desk_page
    page.get_by_role("link", name="Mâu thuẫn", exact=True).click()
    sound(page)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/desk/conflicts/*")
    sound(page)
    page.keyboard.press("1")
    assert page.locator("input[name=choice]").first.is_checked()
    page.keyboard.press("s")
    alert = page.locator("[role=alert]")
    assert "Cần ghi lý do" in alert.inner_text()
    assert page.locator("input[name=choice]").first.is_checked()
    sound(page)
    page.fill("textarea[name=reason]", "Xem giấy khai sinh")
    page.get_by_role("button", name="Quyết định").click()
    page.get_by_role("link", name="Xem lại quyết định").click()
    assert "Xem giấy khai sinh" in page.locator("dl.facts").inner_text()
    sound(page)
    page.fill("textarea[name=reason]", "Nhầm giấy")
    page.get_by_role("button", name="Mở lại").click()
    page.get_by_role("button", name="Quyết định").wait_for()
    for tab in ("moves", "decided", "rules"):
        page.goto(page.url.partition("/desk/")[0] + f"/desk/conflicts?tab={tab}")
        sound(page)
