"""The handbook's pictures, taken of the demonstration: each page that it shows is there, and looks as wide as shown.

`make handbook` puts them into docs/handbook/images.
"""

import os
import re
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.browser.desk import password_of, sign_in

BOOK = Path(__file__).parents[2] / "docs" / "handbook"
PHONE, DESK = (390, 844), (1100, 760)
NAMED = re.compile(r"\]\(images/([\w-]+)\.png\)")


def first(page: Page, pattern: str) -> None:
    """Go where the first link in the page leads whose address fits."""
    found = page.eval_on_selector_all("main a[href]", "all => all.map((one) => one.getAttribute('href'))")
    page.goto(page.url.split("/desk")[0] + next(one for one in found if re.search(pattern, one)))


def a_conflict(page: Page) -> None:
    first(page, r"/conflicts/\w")


def a_child(page: Page) -> None:
    a_conflict(page)
    first(page, r"/child/")


def a_list(page: Page) -> None:
    first(page, r"/lists/[^/]+/print")


def results(page: Page) -> None:
    first(page, r"/lists/[^/]+/results")


def a_loss(page: Page) -> None:
    first(page, r"/devices/[\w-]+$")
    first(page, r"/lost$")


def a_preview(page: Page) -> None:
    """What a hand-over of the demonstration's hamlet would take and give."""
    for name, value in (("hamlet", "04"), ("from", "u12"), ("to", "u11")):
        page.locator(f"select[name={name}]").select_option(value)
    page.click("main form button")


def a_code(page: Page) -> None:
    """The QR code by which a phone with Collect is set up."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    page.select_option("[name=user]", index=1)
    page.fill("[name=label]", "Máy mới")
    page.click("button[formaction$='/devices/collect']")
    page.wait_for_selector(".qr svg")
    page.locator(".qr").scroll_into_view_if_needed()


def stay(page: Page) -> None:
    """The page itself."""


# name of the picture: (who, size, where, what then)
SHOTS: dict[str, tuple[str, tuple[int, int], str, Callable[[Page], None]]] = {
    "collect-qr": ("u21", PHONE, "/devices", a_code),
    "list-on-paper": ("u31", DESK, "/lists?kind=daily", a_list),
    "officer-desk": ("u21", DESK, "", stay),
    "officer-conflict": ("u21", DESK, "/conflicts", a_conflict),
    "officer-child": ("u21", PHONE, "/conflicts", a_child),
    "scheduler-plan": ("u31", DESK, "/plan", stay),
    "scheduler-lists": ("u31", DESK, "/lists?kind=daily", stay),
    "scheduler-results": ("u31", DESK, "/lists?kind=daily", results),
    "scheduler-outcomes": ("u31", DESK, "/outcomes", stay),
    "admin-handover": ("u41", DESK, "/handover", a_preview),
    "admin-devices": ("u41", DESK, "/devices", stay),
    "admin-lost": ("u41", DESK, "/devices", a_loss),
    "admin-running": ("u41", DESK, "/running", stay),
    "admin-journal": ("u41", DESK, "/journal", stay),
}


@pytest.fixture
def album(tmp_path: Path) -> Iterator[Path]:
    yield BOOK / "images" if os.environ.get("TOAM_HANDBOOK") else tmp_path


def size(picture: Path) -> tuple[int, int]:
    """Width and height of a PNG."""
    return struct.unpack(">II", picture.read_bytes()[16:24])


def test_every_picture_of_the_handbook_is_taken(browser: Browser, full: Flask, full_url: str, album: Path) -> None:
    for who in sorted({shot[0] for shot in SHOTS.values()}):
        context = browser.new_context(locale="vi-VN")
        page = context.new_page()
        sign_in(page, full_url, who, password_of(full))
        for name, (user, (width, height), where, then) in SHOTS.items():
            if user == who:
                page.set_viewport_size({"width": width, "height": height})
                page.goto(f"{full_url}/desk{where}")
                then(page)
                page.wait_for_load_state("networkidle")
                page.screenshot(path=album / f"{name}.png")
        context.close()
    for name, shot in SHOTS.items():
        assert size(album / f"{name}.png") == shot[1], name


def test_what_the_handbook_shows_is_what_is_taken() -> None:
    shown = [name for text in BOOK.glob("*.md") for name in NAMED.findall(text.read_text(encoding="utf-8"))]
    assert sorted(shown) == sorted(SHOTS)
    for name, shot in SHOTS.items():
        assert size(BOOK / "images" / f"{name}.png") == shot[1], name
    for text in BOOK.glob("*.md"):
        for target in re.findall(r"\]\(([\w./-]+\.md)\)", text.read_text(encoding="utf-8")):
            assert (text.parent / target).exists(), (text.name, target)
