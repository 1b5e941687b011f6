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
    page.goto(f"{full_url}/desk/login")
    page.fill("[name=user]", OFFICER)
    page.fill("[name=password]", demo_facts(full.extensions["toam"].settings.data)["password"])
    page.click("main button")
    page.wait_for_url("**/desk")
    yield page


def sound(page: Page) -> None:
    """Nothing sticks out, and axe has nothing to say; also with everything opened."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    out = page.evaluate(STICKING_OUT)
    assert out == [], out
    found = Axe().run(page).response["violations"]
    told = [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found]
    assert told == [], told
