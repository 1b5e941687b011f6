"""An administrator's pages in a real browser: forms, rules, the calendar, running, the journal."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Page

from server.world import OWN_DAYS
from tests.browser.desk import password_of, sign_in, sound

ADMINISTRATOR = "u41"


@pytest.fixture
def admin(page: Page, full: Flask, full_url: str) -> Iterator[Page]:
    """A page on which the administrator of the demonstration has signed in."""
    sign_in(page, full_url, ADMINISTRATOR, password_of(full))
    page.on("dialog", lambda dialog: dialog.accept())
    yield page
    (full.extensions["toam"].settings.data / OWN_DAYS).unlink(missing_ok=True)


def test_every_page_of_an_administrator_is_sound(admin: Page, full_url: str) -> None:
    paths = ["forms", "forms/child_situation", "rules", "rules/preview", "calendar?year=2027", "running"]
    paths += ["running/runs", "running/settings", "journal", "journal?act=issue"]
    for path in paths:
        admin.goto(f"{full_url}/desk/{path}")
        sound(admin)
    form = admin.goto(f"{full_url}/desk/forms/child_situation")
    assert form is not None and form.ok
    admin.get_by_role("link", name="khác gì bản trước").first.click()
    admin.wait_for_load_state("load")
    sound(admin)


def test_an_hour_of_an_administrator(admin: Page, full_url: str) -> None:
    """A run is asked for, a day off is set, a change of a rule is looked at; all of it stands in a whole journal."""
    admin.get_by_role("link", name="Vận hành").click()
    admin.wait_for_url("**/desk/running")
    button = admin.get_by_role("button", name="Chạy ngay: Dọn dẹp")
    if button.is_enabled():  # nobody runs jobs here, so it waits since the test at another width
        button.click()
        admin.get_by_text("Đã yêu cầu chạy “Dọn dẹp”").wait_for()
    sound(admin)
    admin.get_by_role("link", name="Quy tắc", exact=True).click()
    admin.get_by_role("link", name="Lịch ngày làm việc").click()
    admin.wait_for_url("**/desk/calendar")
    admin.fill("form[action$='/day'] [name=date]", "2027-02-12")
    admin.fill("form[action$='/day'] [name=name]", "Nghỉ Tết")
    admin.get_by_role("button", name="Ghi ngày này").click()
    admin.get_by_text("Đã ghi ngày 12/02/2027").wait_for()
    sound(admin)
    admin.get_by_role("link", name="Xem trước thay đổi").click()
    admin.wait_for_url("**/desk/rules/preview")
    text = admin.input_value("textarea[name=text]")
    admin.fill("textarea[name=text]", text.replace("count: 12, from: received_at", "count: 24, from: received_at"))
    admin.get_by_role("button", name="Xem trước", exact=True).click()
    admin.get_by_text("hạn dài hơn mức luật cho phép").wait_for()
    sound(admin)
    admin.fill("textarea[name=text]", text.replace("{unit: month, count: 3}", "{unit: month, count: 2}", 1))
    admin.get_by_role("button", name="Xem trước", exact=True).click()
    admin.get_by_text("Quy tắc đổi nội dung").wait_for()
    sound(admin)
    admin.get_by_role("link", name="Nhật ký").click()
    admin.wait_for_url("**/desk/journal")
    admin.get_by_role("button", name="Kiểm tra chuỗi của mọi địa bàn").click()
    admin.get_by_text("Nhật ký nguyên vẹn.").wait_for()
    assert "Sửa lịch ngày làm việc" in admin.locator("main table").inner_text()
    sound(admin)
