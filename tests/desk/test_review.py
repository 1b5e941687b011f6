"""Submissions on the desk: what waits, the form as it was filled in, what it changed, and what an officer does."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event

from server.store.tables import db
from tests.api.builders import PROTECTED, claim, in_xml, item, new_id, register, report, situation, visit
from tests.api.test_desk_reviews import amended
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

NAME = "Trần Gia Huy"


class Visited:
    """A child that was registered and visited; `sub` is the visit."""

    def __init__(self, town: Town, **told: Any) -> None:
        self.town, self.home, self.child = town, new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}, years=13))
        base = town.child(self.child)["etag"]
        self.value = visit(self.child, NAME, base, {"full_name": NAME}, years=13, **told)
        town.apply(self.value)
        self.sub = self.value["id"]

    @property
    def path(self) -> str:
        return f"/desk/submissions/{self.sub}"

    @property
    def state(self) -> str:
        return str(self.town.page(self.sub)["state"])


@pytest.fixture
def visited(town: Town) -> Visited:
    return Visited(town, school_name="Trường Cầu Sắt", **PROTECTED)


def rows(page: Any) -> list[str]:
    return [words_of(one) for one in page.xpath("//ul[@data-list]/li")]


def answers(page: Any) -> dict[str, str]:
    found = page.xpath("//section[@aria-labelledby='h-answers']//dl")
    pairs = [pair for dl in found for pair in zip(dl[::2], dl[1::2], strict=True)]
    return {words_of(dt): words_of(dd) for dt, dd in pairs}


def test_what_waits_is_listed_the_oldest_first_with_whom_it_is_about(visited: Visited, officer: Pages) -> None:
    first, second = rows(officer.get("/desk/submissions"))
    assert "Đăng ký hộ gia đình" in first and "Nguyễn Thị Mỹ Duyên" in first
    assert "Tình hình trẻ em" in second and NAME in second and "Người dùng u1" in second
    assert rows(officer.get("/desk/submissions?shelf=approved")) == []
    assert len(rows(officer.get("/desk/submissions?form=child_situation"))) == 1
    assert rows(officer.get("/desk/submissions?author=u9")) == []
    assert len(rows(officer.get("/desk/submissions?shelf=nonsense&after=nobody"))) == 2


def test_the_form_is_shown_with_its_own_words_and_what_it_changed(visited: Visited, officer: Pages) -> None:
    page = officer.get(visited.path)
    told = answers(page)
    assert told["Trường"] == "Trường Cầu Sắt"
    assert told["Tình trạng đi học"] == "Đang học"
    assert any("chỉ cán bộ" in label for label in told)
    changed = [words_of(one) for one in page.xpath("//section[@aria-labelledby='h-changes']//tr")]
    assert any("Trường Cầu Sắt" in line for line in changed)
    assert page.xpath(f"//a[@href='/desk/child/{visited.child}']")


def test_the_same_form_in_xml_reads_the_same(town: Town, officer: Pages) -> None:
    one = Visited(town, school_name="Trường Cầu Sắt")
    base, form = town.child(one.child)["etag"], town.nest.catalogue.find("child_situation", one.value["version"])
    assert form is not None
    value = item("child_situation", situation(one.child, NAME, 13, school_name="Trường Cầu Sắt"))
    value |= {"entities": [claim("child", one.child, base, {"full_name": NAME})]}
    town.push([in_xml(form.form, value)])
    in_json, as_xml = answers(officer.get(one.path)), answers(officer.get(f"/desk/submissions/{value['id']}"))
    assert as_xml == in_json


def test_approving_goes_on_to_the_next(visited: Visited, officer: Pages) -> None:
    first = officer.get("/desk/submissions").xpath("//ul[@data-list]//a/@href")[0]
    answer = officer.submit(officer.get(first), "/approve")
    assert answer.headers["Location"].startswith(visited.path)
    answer = officer.submit(officer.get(visited.path), "/approve")
    assert answer.headers["Location"] == "/desk/submissions"
    assert visited.state == "approved"
    assert rows(officer.get("/desk/submissions")) == []
    assert len(rows(officer.get("/desk/submissions?shelf=approved"))) == 2


def test_several_are_approved_at_once(visited: Visited, officer: Pages) -> None:
    page = officer.get("/desk/submissions")
    ids = page.xpath("//input[@name='ids']/@value")
    assert officer.submit(page, "/submissions/approve", ids=[*ids, "uuid:nobody"]).status_code == 302
    after = words_of(officer.get("/desk/submissions"))
    assert "Đã duyệt 2 phiếu" in after and "Một phiếu không duyệt được" in after


def test_returned_with_a_comment_and_the_amendment_comes_back_linked(visited: Visited, officer: Pages) -> None:
    page = officer.get(visited.path)
    refused = officer.submit(page, "/return", comment="")
    assert (refused.status_code, "Cần ghi lý do" in refused.text) == (422, True)
    answer = officer.submit(page, "/return", comment="Trường này ở ấp nào?", question="/answers/school_name")
    assert answer.status_code == 302
    told = visited.town.status(visited.sub)
    assert (told["state"], told["comment"], told["question"]) == (
        "has_issues",
        "Trường này ở ấp nào?",
        "/answers/school_name",
    )
    mended = amended(visited.value, school_name="Trường Cầu Sắt 2")
    visited.town.push([mended])
    assert "Đã sửa lại" in "".join(rows(officer.get("/desk/submissions")))
    page = officer.get(visited.path)
    assert page.xpath(f"//a[@href='/desk/submissions/{mended['id']}']")
    assert officer.get(f"/desk/submissions/{mended['id']}").xpath(f"//a[@href='{visited.path}']")


def test_rejected_with_a_reason_and_taken_back(visited: Visited, officer: Pages) -> None:
    assert officer.submit(officer.get(visited.path), "/reject", reason="Nhầm trẻ").status_code == 302
    assert visited.state == "rejected"
    assert "school_name" not in visited.town.child(visited.child)["data"]
    page = officer.get(visited.path)
    assert "đã bác bỏ" in words_of(page.get_element_by_id("h-changes").getparent())
    assert officer.submit(page, "/unreject", reason="Đúng trẻ").status_code == 302
    assert visited.town.child(visited.child)["data"]["school_name"] == "Trường Cầu Sắt"


def test_the_same_press_twice_is_one_act(visited: Visited, officer: Pages) -> None:
    page = officer.get(visited.path)
    for _ in range(2):
        assert officer.submit(page, "/reject", reason="Nhầm trẻ").status_code == 302
    assert visited.state == "rejected"


def test_a_report_is_read_as_any_other_form(town: Town, officer: Pages) -> None:
    value = item("protection_report", report(current_condition="Có vết bầm"))
    town.apply(value)
    assert "Có vết bầm" in words_of(officer.get(f"/desk/submissions/{value['id']}"))


def test_nobody_else_reads_or_decides(visited: Visited, visit: Callable[..., Pages]) -> None:
    for user, status in (("s5", 404), ("c1", 403), ("a1", 403), ("u1", 403)):
        pages = visit(user)
        answer = pages.client.get(visited.path)
        assert (answer.status_code, NAME in answer.text) == (status, False), user
        for act in ("approve", "return", "reject", "unreject", "accept", "repair"):
            answer = pages.post(f"{visited.path}/{act}", reason="x", comment="x")
            assert answer.status_code in (403, 404, 422), (user, act, answer.status_code)
    assert visited.state == "received"


def test_the_number_of_statements_does_not_grow(town: Town, officer: Pages) -> None:
    def statements() -> int:
        seen: list[str] = []
        with town.app.app_context():
            listen = lambda *told: seen.append(told[2])  # noqa: E731
            event.listen(db.engine, "before_cursor_execute", listen)
            try:
                officer.get("/desk/submissions")
            finally:
                event.remove(db.engine, "before_cursor_execute", listen)
        return len(seen)

    Visited(town)
    before = statements()
    for _ in range(4):
        Visited(town)
    assert statements() == before <= 20


def test_markup_in_answers_is_text(town: Town, officer: Pages) -> None:
    bad = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    one = Visited(town, school_name=bad, mother_name=bad)
    page = officer.get(one.path)
    assert page.xpath("//img") == [] and not any("alert" in text for text in page.xpath("//script/text()"))
    assert bad in words_of(page)
