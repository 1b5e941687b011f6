"""Quarantine on the desk: why something is held, in words, and every way out of it."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.api.builders import AREA, BAD_PHONE, OTHER, PROTECTED, new_id, register, visit
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

WHY = "Đã gọi điện hỏi lại"


def held(town: Town, value: Any, user: str = "u1") -> str:
    (receipt,) = town.push([value], user)
    assert receipt["outcome"] == "quarantined", receipt
    return f"/desk/submissions/{receipt.get('kept_as', receipt['id'])}"


def test_nothing_held_says_so(officer: Pages) -> None:
    assert "Không có phiếu nào bị giữ lại" in words_of(officer.get("/desk/quarantine"))


def test_a_wrong_answer_is_mended_at_its_question(town: Town, officer: Pages) -> None:
    home = new_id()
    path = held(town, register(home, {}, phone=BAD_PHONE))
    listed = officer.get("/desk/quarantine")
    assert "Có câu trả lời không hợp lệ" in words_of(listed) and "phone" in words_of(listed)
    page = officer.get(path)
    assert "Vì sao chưa áp dụng" in words_of(page)
    assert page.xpath("//input[@name='at:/answers/phone']/@value") == [BAD_PHONE]
    refused = officer.submit(page, "/repair", reason=WHY)
    assert (refused.status_code, 'class="note bad"' in refused.text) == (422, True)
    answer = officer.submit(page, "/repair", **{"at:/answers/phone": "0912345678"}, reason=WHY)
    assert answer.status_code == 302, answer.text[-1500:]
    assert town.household(home)["data"]["phone"] == "0912345678"
    assert "Mới nhận" in words_of(officer.get(path))


def test_a_code_that_no_list_has_is_chosen_anew(town: Town, officer: Pages) -> None:
    home, child = new_id(), new_id()
    town.apply(register(home, {child: "Danh Kha"}))
    path = held(town, visit(child, "Danh Kha", town.child(child)["etag"], school_status="77"))
    page = officer.get(path)
    (select,) = page.xpath("//select[@name='at:/answers/school_status']")
    assert "Đã bỏ học" in words_of(select)
    assert officer.submit(page, "/repair", **{"at:/answers/school_status": "1"}, reason=WHY).status_code == 302
    assert town.child(child)["data"]["school_status"] == "1"


def test_an_old_ward_that_was_split_is_placed(town: Town, officer: Pages) -> None:
    home = new_id()
    path = held(town, register(home, {}, ward_code="2024.31178"))
    page = officer.get(path)
    (select,) = page.xpath("//select[@name='ward']")
    assert [one.get("value") for one in select if one.get("value")] == ["2025.31168", OTHER]
    assert officer.submit(page, "/repair", ward=OTHER, reason=WHY).status_code == 302
    assert town.household(home, "s5")["scope"] == f"{OTHER}/00"


def test_several_of_one_cause_are_placed_at_once(town: Town, officer: Pages) -> None:
    homes = [new_id() for _ in range(3)]
    for home in homes:
        held(town, register(home, {}, ward_code="99999"))
    page = officer.get("/desk/quarantine")
    ids = page.xpath("//input[@name='ids']/@value")
    assert len(ids) == 3
    refused = officer.submit(page, "/quarantine/act", ids=ids, ward=AREA, act="repair", reason=" ")
    assert (refused.status_code, "Cần ghi lý do" in refused.text) == (422, True)
    assert officer.submit(page, "/quarantine/act", ids=ids, ward=AREA, act="repair", reason=WHY).status_code == 302
    assert {town.household(home)["scope"] for home in homes} == {f"{AREA}/00"}
    assert "Đã xử lý 3 phiếu" in words_of(officer.get("/desk/quarantine"))


def test_from_a_revoked_phone_it_is_accepted(town: Town, officer: Pages) -> None:
    home = new_id()
    town.revoke("u1")
    path = held(town, register(home, {}))
    page = officer.get(path)
    assert "máy đã bị thu hồi" in words_of(page)
    assert officer.submit(page, "/accept", reason=WHY).status_code == 302
    assert town.household(home, "u2")["data"]["head_name"] == "Nguyễn Thị Mỹ Duyên"


@pytest.mark.parametrize("raw", [{"id": "uuid:x", "form": 7}, {"id": "uuid:y", "kind": "visit", "form": "nobody"}])
def test_what_cannot_be_read_is_shown_raw_and_set_aside_and_back(town: Town, officer: Pages, raw: Any) -> None:
    path = held(town, raw)
    page = officer.get(path)
    assert str(raw["id"]) in words_of(page.xpath("//pre")[0])
    assert officer.submit(page, "/reject", reason="Gửi thử").status_code == 302
    assert raw["id"] in officer.client.get("/desk/quarantine?aside=1").text
    assert officer.submit(officer.get(path), "/unreject", reason="Xem lại").status_code == 302
    assert raw["id"] in officer.client.get("/desk/quarantine").text


def test_danger_in_a_form_with_a_typo_is_at_the_top_of_the_desk_until_it_is_handled(
    town: Town, officer: Pages
) -> None:
    home, child = new_id(), new_id()
    town.apply(register(home, {child: "Danh Kha"}, years=13))
    value = visit(child, "Danh Kha", town.child(child)["etag"], years=13, **PROTECTED, grade="bốn")
    path = held(town, value)
    (link,) = officer.get("/desk").xpath("//section[@aria-labelledby='danger']//a/@href")[:1]
    assert link == path
    assert "Dấu hiệu nguy hiểm" in words_of(officer.get("/desk/quarantine"))
    answer = officer.submit(officer.get(path), "/repair", **{"at:/answers/grade": "4"}, reason=WHY)
    assert answer.status_code == 302
    (link, *_) = officer.get("/desk").xpath("//section[@aria-labelledby='danger']//a/@href")
    assert link == f"/desk/child/{child}?tab=protected"


def test_nobody_else_lets_it_out(town: Town, visit: Callable[..., Pages]) -> None:
    path = held(town, register(new_id(), {}, phone=BAD_PHONE))
    for user, status in (("s5", 404), ("c1", 403), ("a1", 403), ("u1", 403)):
        pages = visit(user)
        assert pages.client.get(path).status_code == status
        done = pages.post("/desk/quarantine/act", act="accept", ids=path.split("/")[-1], reason=WHY)
        assert done.status_code in (302, 403)
    assert "phone" in words_of(visit("s1").get("/desk/quarantine"))
