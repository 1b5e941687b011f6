"""A served demonstration and the Chromium of this machine."""

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, sync_playwright
from werkzeug.serving import make_server

from tests.console.conftest import demonstration

REFUSALS = ("status of 409", "status of 422")  # of what was typed into a form; the page says why
LEFT = "net::ERR_ABORTED"  # a page was left before all of it had come, which a quick user does, too
NAMES = ("chromium", "chromium-browser", "google-chrome")
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """One real browser; that there is none on the machine is a failure, not a reason to skip."""
    path = next((found for name in NAMES if (found := shutil.which(name))), None)
    if path is None:
        pytest.fail(f"none of {', '.join(NAMES)} is on this machine")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=ARGS)
        yield chromium
        chromium.close()


def serve(app: Flask) -> Iterator[str]:
    """Serve on an ephemeral port of the loopback address; gives the URL without a slash at its end."""
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from demonstration(tmp_path_factory.mktemp("browsed"))


@pytest.fixture(scope="session")
def full_url(full: Flask) -> Iterator[str]:
    yield from serve(full)


@pytest.fixture
def empty_url(tmp_path: Path) -> Iterator[str]:
    for app in demonstration(tmp_path, full=False):
        yield from serve(app)


@pytest.fixture(params=[(390, 844), (1280, 900)], ids=["phone", "desktop"])
def page(request: Any, browser: Browser) -> Iterator[Any]:
    """A page at the size of a phone and of a desktop; fails on anything that the console complains of."""
    width, height = request.param
    # The checks put their own script into the page, which the page's policy rightly forbids.
    context = browser.new_context(viewport={"width": width, "height": height}, bypass_csp=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("requestfailed", lambda asked: complaints.append(f"{asked.url}: {asked.failure}"))
    yield page
    context.close()
    assert [one for one in complaints if not any(status in one for status in (*REFUSALS, LEFT))] == []
