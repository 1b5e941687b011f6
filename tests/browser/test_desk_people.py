"""Whole stories in a real browser: a hamlet is handed over while its phone has unsent work; a phone is lost."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page

from server.auth.passwords import set_password
from server.clock import now
from tests.api.builders import moment, new_id, register, visit
from tests.api.towns import Town
from tests.browser.conftest import serve
from tests.browser.desk import sign_in, sound
from tests.desk.conftest import catalogue, database, plots, template, town, towns
from tests.desk.test_lost_phone import local

__all__ = ["catalogue", "database", "plots", "template", "town", "towns"]
NAME = "Công Tằng Tôn Nữ Huyền Trân Bảo Ngọc Anh"  # 40 letters
PASSWORD = "quả-dừa-xanh-2026"


class Keeping:
    """A served town with a child on the phone of u1, and somebody at the desk."""

    def __init__(self, town: Town, page: Page, url: str) -> None:
        self.town, self.page, self.url = town, page, url
        self.home, self.child = new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}))
        self.feed = town.pull("u1")
        page.on("dialog", lambda dialog: dialog.accept())

    def sign_in(self, user: str = "s1") -> None:
        with self.town.app.app_context():
            set_password(user, PASSWORD, now(), None)
        sign_in(self.page, self.url, user, PASSWORD)

    def open(self, path: str) -> None:
        self.page.goto(f"{self.url}/desk/{path}".rstrip("/"), wait_until="networkidle")
        sound(self.page)

    def unsent(self, days: float, school: str) -> dict:
        told = next(one for one in self.feed["entities"] if one["id"] == self.child)
        value = visit(self.child, NAME, told["etag"], told["data"], school_name=school)
        return value | {"observed_at": moment(days)}


@pytest.fixture
def keeping(town: Town, page: Page) -> Iterator[Keeping]:
    for url in serve(town.app):
        yield Keeping(town, page, url)


def test_a_hamlet_is_handed_over_while_its_old_phone_has_unsent_work(keeping: Keeping) -> None:
    page, town = keeping.page, keeping.town
    work = keeping.unsent(-1, "Trường Cầu Sắt")
    town.sync([], "u1", pull=None, unsent=1)
    keeping.sign_in()
    keeping.open("collaborators")
    keeping.open("collaborators/u1")
    keeping.open("handover?hamlet=01&from=u1&to=u9&day=" + moment()[:10])
    assert "còn 1 phiếu chưa gửi" in page.locator("main").inner_text()
    page.fill("textarea[name=reason]", "Chuyển công tác")
    page.get_by_role("button", name="Bàn giao", exact=True).click()
    page.get_by_text("Việc xảy ra tiếp theo").wait_for()
    sound(page)
    (receipt,) = town.push([work], "u1")
    assert receipt["outcome"] == "applied"
    shown = {one["id"]: one for one in town.pull("u9")["entities"]}
    assert shown[keeping.child]["data"]["school_name"] == "Trường Cầu Sắt"
    assert f"{town.pull('u1', keeping.feed['token'])['drop_scopes']}".count("/01") == 1


def test_a_phone_is_lost_and_its_annex_is_printed(keeping: Keeping, tmp_path: Path) -> None:
    page, town = keeping.page, keeping.town
    keeping.sign_in()
    keeping.open("devices")
    page.goto(f"{keeping.url}/desk/devices/{town.devices['u1']}")
    sound(page)
    page.get_by_role("button", name="Máy bị mất").click()
    page.get_by_text("Đang ở trên máy").wait_for()
    sound(page)
    page.fill("[name=detected]", local(-1))
    page.fill("[name=noticed_by]", "Chị Hai, cộng tác viên")
    page.fill("[name=circumstances]", "Rơi xuống kênh khi qua phà")
    page.get_by_role("button", name="Báo mất và thu hồi").click()
    page.get_by_text("Máy đã báo mất").wait_for()
    sound(page)
    (receipt,) = town.push([keeping.unsent(-1, "Trường khác")], "u1")
    assert receipt["reason"] == "device_revoked"
    keeping.open("devices")
    keeping.open("")
    keeping.open(f"devices/{town.devices['u1']}/lost")
    assert "đã gửi 1 phiếu" in page.locator("main").inner_text()
    page.get_by_role("button", name="Phụ lục thông báo").click()
    page.get_by_text("Hạn thông báo (72 giờ)").wait_for()
    sound(page)
    assert page.pdf(path=tmp_path / "annex.pdf", format="A4").startswith(b"%PDF")


def test_the_pages_of_people_stand_in_every_state(keeping: Keeping) -> None:
    keeping.sign_in("a1")
    for path in ("people", "people/u1", "people/a1", "collaborators", "collaborators/u1", "devices?state=wiped"):
        keeping.open(path)
    keeping.open("handover")
    keeping.open(f"devices/{keeping.town.devices['u1']}/lost")
