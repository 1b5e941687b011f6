"""The start page of the demonstration: what it shows, and to whom."""

import base64
import hashlib
import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from lxml import html
from sqlalchemy import select

from server.cli.demo import demo_facts
from server.clock import now
from server.console.start import LINE_OUTCOMES, OUTCOMES, REASONS
from server.reading.lists import list_body
from server.reading.overview import MOST_SUBMISSIONS, MOST_VISITS_OF_RULE, overview
from server.reading.words import EMPTY, Words
from server.store.tables import ConflictTable, Entity, ReminderList, Submission, VisitTable, db
from server.world import current_nest
from sync.batch import Outcome, Reason
from sync.times import end_of_day
from sync.visits.plan import VisitState

ROUTES = ["/", "/demo/batch.json"]


def document(client: FlaskClient) -> Any:
    answer = client.get("/")
    assert answer.status_code == 200, answer.text
    return html.fromstring(answer.text)


def words_of(node: Any) -> str:
    return " ".join(node.text_content().split())


@contextmanager
def changed(app: Flask, model: Any, ident: Any, **values: Any) -> Iterator[None]:
    """Set columns of one row, and put them back afterwards."""
    with app.app_context():
        row = db.session.get(model, ident)
        before = {name: getattr(row, name) for name in values}
        for name, value in values.items():
            setattr(row, name, value)
        db.session.commit()
        db.session.remove()
    try:
        yield
    finally:
        with app.app_context():
            row = db.session.get(model, ident)
            for name, value in before.items():
                setattr(row, name, value)
            db.session.commit()
            db.session.remove()


def test_it_counts_what_is_in_the_database(full: Flask) -> None:
    page = document(full.test_client())
    boxes = page.xpath("//dl[@class='counts']/div")
    shown = {box.xpath("string(dt/span)"): int(box.findtext("dd")) for box in boxes}
    with full.app_context():
        kinds = [kind for (kind,) in db.session.query(Entity.type)]
        assert shown["households"] == kinds.count("household") == 200
        assert shown["children"] == kinds.count("child") > 250
        assert shown["submissions"] == db.session.query(Submission).count()
        assert shown["open conflicts"] == db.session.query(ConflictTable).filter(ConflictTable.open).count() >= 1
        assert shown["lists issued"] == 3
        db.session.remove()
    assert shown["visits due"] > 0


def test_it_shows_the_latest_submissions_with_their_outcome(full: Flask) -> None:
    rows = document(full.test_client()).xpath("//table[@id='submissions']/tbody/tr")
    with full.app_context():
        newest_first = Submission.received_at.desc(), Submission.observed_at.desc(), Submission.id
        latest = db.session.query(Submission).order_by(*newest_first)
        expected = [(row.id, row.author, str(OUTCOMES[row.outcome])) for row in latest.limit(MOST_SUBMISSIONS)]
        db.session.remove()
    assert len(rows) == MOST_SUBMISSIONS
    shown = [
        (row.xpath("string(td[1]//code)"), words_of(row[1]), row.xpath("string(td[4]//span/span)")) for row in rows
    ]
    assert shown == expected


def test_a_kept_submission_says_why(full: Flask) -> None:
    values = {"outcome": Outcome.QUARANTINED.value, "reason": Reason.OUT_OF_AREA.value}
    with changed(full, Submission, "uuid:demo-phone-0001", **values):
        row = document(full.test_client()).xpath("//tr[contains(., 'uuid:demo-phone-0001')]")[0]
    assert str(REASONS["out_of_area"]) in words_of(row)
    assert str(OUTCOMES["quarantined"]) in words_of(row)


def test_every_outcome_and_reason_has_words() -> None:
    assert set(OUTCOMES) == set(Outcome)
    assert set(REASONS) == set(Reason)
    assert set(LINE_OUTCOMES) >= set(VisitState) - {VisitState.OPEN}


def test_a_conflict_shows_both_values_and_marks_the_one_in_use(full: Flask) -> None:
    page = document(full.test_client())
    doubt = page.xpath("//ul[@class='doubts']/li")[0]
    sides = doubt.xpath("ul[@class='sides']/li")
    assert len(sides) == 2
    values = [side.findtext("dl/div/dd") for side in sides]
    assert len(set(values)) == 2
    marked = [side for side in sides if side.get("class") == "shows"]
    assert len(marked) == 1
    assert "Đang hiển thị" in words_of(marked[0])
    name = doubt.find("h3").text.strip()
    assert marked[0].findtext("dl/div/dd") == name
    assert any("(u21)" in words_of(side) for side in sides)
    assert all(side.xpath(".//time/@datetime") for side in sides)


def test_visits_say_what_why_who_where_and_when(full: Flask) -> None:
    page = document(full.test_client())
    rows = page.xpath("//section[@aria-labelledby='h-visits']//tbody/tr")
    texts = [words_of(row) for row in rows]
    assert any("Nhắc đăng ký khai sinh Luật định" in text and "hạn 60 ngày" in text for text in texts)
    assert any("Quá hạn" in text for text in texts)
    assert all("Phường Ninh Kiều" in text and re.search(r"\d\d/\d\d/\d{4}", text) for text in texts)
    names = [row.xpath("string(td[1]//strong)") for row in rows]
    assert len(set(names)) >= 3
    assert max(names.count(name) for name in names) <= MOST_VISITS_OF_RULE


def test_a_visit_is_overdue_only_after_its_day(full: Flask) -> None:
    with full.app_context():
        due = overview(current_nest(), now()).visits[0].due
        for day, overdue in ((due, False), (due + timedelta(days=1), True)):
            seen = overview(current_nest(), end_of_day(day) - 1).visits
            assert overdue in {visit.overdue for visit in seen if visit.due == due}, day
            assert (not overdue) not in {visit.overdue for visit in seen if visit.due == due}, day
        db.session.remove()


def test_lists_show_what_can_be_done_and_what_became_of_it(full: Flask) -> None:
    with full.app_context():
        issued = db.session.scalars(select(ReminderList).order_by(ReminderList.number)).first()
        assert issued is not None
        told = list_body(issued, now())["lines"]
        db.session.remove()
    doable = [line for line in told if not line["carried"]]
    assert 0 < len(doable) < len(told)
    lists = document(full.test_client()).xpath("//details[@class='list']")
    assert len(lists) == 3
    assert f"{len(doable)} dòng, 0 đã có kết quả; {len(told) - len(doable)} dòng để lại" in words_of(lists[0])
    assert len(lists[0].xpath(".//tbody/tr")) == len(doable)
    assert doable[0]["name"] in words_of(lists[0].xpath(".//tbody/tr")[0])
    with ExitStack() as stack:
        for task in doable[0]["tasks"]:
            stack.enter_context(changed(full, VisitTable, task["visit"], state=VisitState.DONE.value))
        lists = document(full.test_client()).xpath("//details[@class='list']")
    assert f"{len(doable)} dòng, 1 đã có kết quả" in words_of(lists[0])
    assert "Đã thăm" in words_of(lists[0].xpath(".//tbody/tr")[0])


def test_the_two_lines_carry_the_address_the_token_and_the_digest(full: Flask, facts: dict[str, Any]) -> None:
    client = full.test_client()
    answer = client.get("/", base_url="http://localhost:8123")
    page = html.fromstring(answer.text)
    push, read = page.get_element_by_id("push").text_content(), page.get_element_by_id("read").text_content()
    sample, token = facts["sample"], facts["tokens"][facts["sample"]["token_user"]]
    assert push.startswith(
        "curl -s http://localhost:8123/demo/batch.json | curl -s -X POST http://localhost:8123/api/v1/sync "
    )
    assert f'-H "Authorization: Bearer {token}"' in push
    assert f'-H "Content-Digest: {sample["digest"]}" --data-binary @-' in push
    assert read.startswith(f"curl -s http://localhost:8123/api/v1/entities/child/{sample['child']} ")
    assert "\n" not in push + read


def test_the_batch_is_served_byte_for_byte(full: Flask, facts: dict[str, Any]) -> None:
    answer = full.test_client().get("/demo/batch.json")
    assert answer.content_type == "application/json"
    assert answer.data.decode() == facts["sample"]["batch"]
    digest = base64.b64encode(hashlib.sha256(answer.data).digest()).decode()
    assert facts["sample"]["digest"] == f"sha-256=:{digest}:"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "asked",
    [
        {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}},
        {"environ_base": {"REMOTE_ADDR": "::ffff:192.0.2.7"}},
        {"base_url": "http://toam.example.vn"},
        {"headers": {"X-Forwarded-For": "192.0.2.7"}},
        {"headers": {"Forwarded": "for=192.0.2.7"}},
    ],
)
def test_it_is_not_there_for_other_machines(full: Flask, route: str, asked: dict[str, Any]) -> None:
    answer = full.test_client().get(route, **asked)
    assert answer.status_code == 404
    assert answer.get_json()["code"] == "not_found"


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize(
    "asked",
    [
        {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}, "base_url": "http://127.0.0.1:8000"},
        {"environ_base": {"REMOTE_ADDR": "::1"}, "base_url": "http://[::1]:8000"},
        {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}, "base_url": "http://localhost"},
    ],
)
def test_it_is_there_on_loopback(full: Flask, route: str, asked: dict[str, Any]) -> None:
    assert full.test_client().get(route, **asked).status_code == 200


@pytest.mark.parametrize("route", ROUTES)
def test_it_is_not_there_outside_of_the_demonstration(full: Flask, route: str, monkeypatch: Any) -> None:
    nest = full.extensions["toam"]
    monkeypatch.setitem(full.extensions, "toam", replace(nest, settings=replace(nest.settings, demo=False)))
    assert full.test_client().get(route).status_code == 404


def test_an_empty_database_says_what_to_do(empty: Flask) -> None:
    page = document(empty.test_client())
    assert len(page.xpath("//p[@class='empty']")) == 5
    assert "make demo" in words_of(page)
    assert not page.xpath("//pre")
    assert empty.test_client().get("/demo/batch.json").status_code == 404


def test_what_people_typed_stays_text(full: Flask) -> None:
    with full.app_context():
        ident = db.session.query(ConflictTable.entity).filter(ConflictTable.open).first()
        assert ident is not None
        db.session.remove()
    evil = "<script>alert('x')</script>"
    with changed(full, Entity, ident[0], label=evil):
        answer = full.test_client().get("/")
    assert "<script" not in answer.text
    assert evil in words_of(html.fromstring(answer.text))


def test_it_needs_nothing_that_the_policy_forbids(full: Flask) -> None:
    answer = full.test_client().get("/")
    page = html.fromstring(answer.text)
    assert "'unsafe-inline'" not in answer.headers["Content-Security-Policy"]
    assert not page.xpath("//script | //style | //@style | //@*[starts-with(name(), 'on')]")
    links = page.xpath("//link/@href")
    assert links
    for link in links:
        with full.test_client().get(link) as found:
            assert found.status_code == 200


def test_languages_are_marked(full: Flask) -> None:
    page = document(full.test_client())
    assert page.get("lang") == "vi"
    assert all(span.get("lang") == "en" for span in page.xpath("//*[@class='en']"))
    assert page.xpath("//h2/span[@lang='en']")


def test_values_are_put_into_words(full: Flask) -> None:
    with full.app_context():
        words = Words(current_nest())
        assert words.place("2025.31135/01") == "Khu vực 1, Phường Ninh Kiều"
        assert words.place("2025.00000/07") == "07, 2025.00000"
        told = dict(words.cell("child", {"dob": "2020-02-01", "dob_precision": "D"}))
        assert told["Ngày sinh"] == "01/02/2020"
        assert told["Biết ngày sinh chính xác đến đâu"] == "Đủ ngày tháng năm"
        assert list(words.cell("child", {})) == [("", EMPTY)]
        assert dict(words.cell("child", {"sc_codes": ["none"], "full_name": ""})) == {
            "Nhóm hoàn cảnh đặc biệt": "none",
            "Họ và tên trẻ": EMPTY,
        }
        assert words.rule("F-NONE", "child")[0]["vi"] == "F-NONE"


def test_facts_are_kept_to_their_owner(full: Flask) -> None:
    path = full.extensions["toam"].settings.data / "demo.json"
    assert path.stat().st_mode & 0o077 == 0
    assert set(demo_facts(path.parent)["tokens"]) == {"u11", "u12", "u13", "u21", "u31", "u41"}
