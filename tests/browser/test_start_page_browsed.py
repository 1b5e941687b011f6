"""The start page of the demonstration as a person meets it: on a phone, on a desktop, its two lines run."""

import shlex
from typing import Any

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from flask import Flask
from playwright.sync_api import Browser, Page

from server.store.tables import Entity, Submission, User, db

# What scrolls in its own box is fine; what makes the page scroll sideways, or sticks out of it, is not.
STICKING_OUT = """() => {
  const wide = document.documentElement.clientWidth;
  const boxed = (node) => node.closest("pre") || getComputedStyle(node).clipPath !== "none"
    || node.closest("thead") && getComputedStyle(node.closest("thead")).clipPath !== "none"
    || node.classList.contains("skip");
  const out = [...document.body.querySelectorAll("*")]
    .filter((node) => !boxed(node) && node.getBoundingClientRect().right > wide + 0.5)
    .map((node) => node.outerHTML.slice(0, 90));
  return document.documentElement.scrollWidth > wide ? ["the page scrolls", ...out] : out;
}"""
LONG = "Nguyễn Phúc Hoàng Thị Tôn-Nữ-Công-Tằng-Huyền-Trân-Diễm-Phương-Quỳnh-Như-Thảo " + "Thươngthương" * 12


def sound(page: Page) -> None:
    """Nothing sticks out, and axe has nothing to say."""
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate(STICKING_OUT) == []
    found = Axe().run(page).response["violations"]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in found] == []


def test_a_full_page_is_readable(page: Page, full_url: str) -> None:
    answer = page.goto(full_url)
    assert answer is not None and answer.status == 200
    assert page.locator("h1").is_visible()
    assert page.locator("#submissions tbody tr").count() > 0
    sound(page)


def test_an_empty_page_is_readable(page: Page, empty_url: str) -> None:
    page.goto(empty_url)
    assert page.get_by_text("make demo").first.is_visible()
    sound(page)


def test_long_names_and_ids_stay_inside(page: Page, full: Flask, full_url: str) -> None:
    with full.app_context():
        entities, users = db.session.query(Entity).limit(400).all(), db.session.query(User).all()
        labels, names = [entity.label for entity in entities], [user.name for user in users]
        for entity in entities:
            entity.label = LONG
        for user in users:
            user.name = LONG
        db.session.commit()
        try:
            page.goto(full_url)
            sound(page)
        finally:
            for entity, label in zip(entities, labels, strict=True):
                entity.label = label
            for user, name in zip(users, names, strict=True):
                user.name = name
            db.session.commit()
            db.session.remove()


def test_it_can_be_used_by_keyboard(page: Page, full_url: str) -> None:
    page.goto(full_url)
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    box = page.locator(".skip").bounding_box()
    assert box is not None and box["y"] >= 0
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.pathname") == "/desk"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "push"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_the_policy_of_the_page_lets_all_of_it_through(browser: Browser, full_url: str) -> None:
    page = browser.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.goto(full_url)
    assert complaints == []
    assert page.evaluate("getComputedStyle(document.querySelector('.counts')).display") == "grid"
    page.close()


def run(command: str, body: bytes | None = None) -> requests.Response:
    """Do what one `curl` of the page does, with the same method, headers and body."""
    words = shlex.split(command)
    assert words[:2] == ["curl", "-s"]
    headers, method, url, data = {}, "GET", "", None
    rest = iter(words[2:])
    for word in rest:
        if word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-X":
            method = next(rest)
        elif word == "--data-binary":
            assert next(rest) == "@-"
            data = body
        else:
            url = word
    return requests.request(method, url, headers=headers, data=data, timeout=30)


@pytest.fixture
def lines(browser: Browser, full_url: str) -> Any:
    page = browser.new_page()
    page.goto(full_url)
    push, read = page.locator("#push").inner_text(), page.locator("#read").inner_text()
    page.close()
    return push, read


def test_the_two_lines_do_what_they_say(browser: Browser, full: Flask, full_url: str, lines: Any) -> None:
    push, read = lines
    fetch, send = push.split(" | ")
    batch = run(fetch)
    first, again = run(send, batch.content), run(send, batch.content)
    assert first.status_code == again.status_code == 200, first.text
    (receipt,), (repeated,) = first.json()["receipts"], again.json()["receipts"]
    assert repeated == receipt | {"repeat": True}
    look, tool = read.split(" | ")
    assert tool == "python3 -m json.tool --no-ensure-ascii"
    child = run(look).json()
    assert child["id"] in {entity["id"] for entity in receipt["entities"]}
    assert receipt["id"] in {cell["submission"] for cell in child["provenance"].values()}
    page = browser.new_page()
    page.goto(full_url)
    newest = page.locator("#submissions tbody tr").first
    assert receipt["id"] in newest.inner_text()
    assert receipt["outcome"] in newest.inner_text()
    planned = page.locator("section[aria-labelledby=h-planned] tbody tr", has_text="Thăm trẻ bỏ học")
    assert child["data"]["full_name"] in planned.first.inner_text()
    page.close()
    with full.app_context():
        assert db.session.get(Submission, receipt["id"]) is not None
        db.session.remove()
