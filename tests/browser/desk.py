"""The officer of the demonstration in a real browser, and what every page of the desk must stand."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Page

from server.cli.demo import demo_facts
from tests.browser.test_start_page_browsed import STICKING_OUT

OFFICER = "u21"


@pytest.fixture
def desk_page(page: Page, full: Flask, full_url: str) -> Iterator[Page]:
    """A page on which the officer has signed in, at his desk."""
    sign_in(page, full_url, OFFICER, password_of(full))
    yield page


def password_of(full: Flask) -> str:
    """The password that was drawn for everybody in a demonstration."""
    return str(demo_facts(full.extensions["toam"].settings.data)["password"])


def sign_in(page: Page, url: str, user: str, word: str) -> None:
    """Sign in; the first page has come with all that belongs to it."""
    page.goto(f"{url}/desk/login")
    page.fill("[name=user]", user)
    page.fill("[name=password]", word)
    page.click("main button")
    page.wait_for_url(lambda now: "login" not in now)
    page.wait_for_load_state("networkidle")


def sound(page: Page) -> None:
    """Nothing sticks out, and axe has nothing to say; also with everything opened."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    out = page.evaluate(STICKING_OUT)
    assert out == [], out
    found = Axe().run(page).response["violations"]
    told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]
    assert told == [], told
