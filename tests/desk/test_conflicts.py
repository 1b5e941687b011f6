"""Conflicts at the desk: listed worst first, decided on what was seen, opened again."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import event, select

from forms.entity_types import protected_id
from server.store.tables import AuditTable, db
from tests.api.builders import AREA, PROTECTED, claim, moment, new_id, register, visit
from tests.api.test_desk_values import NAME, ONE, THREE, TWO, WHY, disputed
from tests.api.test_moves import Request
from tests.api.test_outcomes import registered
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

pytestmark = pytest.mark.usefixtures("rebuilt")


def conflict_of(town: Town, child: str, cell: str = "full_name") -> str:
    return next(one["id"] for one in town.child(child, "s1")["conflicts"] if one["cell"] == cell)


def sides(page: Any) -> list[str]:
    return [words_of(one) for one in page.xpath("//ul[@class='sides']/li")]


def dosed(town: Town) -> tuple[str, list[dict[str, Any]]]:
    """A child of which two people have told another date of the same vaccination."""
    child = new_id()
    created = town.apply(register(new_id(), {child: NAME}, years=2))
    base = next(entity["etag"] for entity in created["entities"] if entity["id"] == child)
    rows = [{"dose": "BCG", "dose_date": moment(-days)[:10]} for days in (30, 40)]
    for user, row in zip(("u1", "u2"), rows, strict=True):
        value = visit(child, NAME, base, imm_doses=[row], years=2, imm_status="1", new_doses="1", school_status="2")
        for irrelevant in ("school_level", "grade", "school_name"):
            del value["answers"][irrelevant]
        town.push([value], user)
    return child, rows


def test_the_list_has_a_child_once_and_grave_ones_first(town: Town, officer: Pages) -> None:
    dosed(town)
    child, base, data, _ = disputed(town)
    for user, born in (("u1", "2017-01-03"), ("u2", "2017-02-03")):
        town.push([visit(child, NAME, base, data, dob=born)], user)
    rows = officer.get("/desk/conflicts").xpath("//ul[@class='rows']/li")
    assert len(rows) == 2
    assert "Họ và tên trẻ" in words_of(rows[0]) and "Ngày sinh" in words_of(rows[0])
    assert "Mũi đã tiêm: Lao (BCG)" in words_of(rows[1])
    assert [mark.text_content() for mark in rows[0].xpath(".//span[@class='mark danger']")] == [
        "Họ và tên trẻ",
        "Ngày sinh",
    ]
    tab = officer.get("/desk/conflicts").xpath("//ul[@class='tabs']/li")[0]
    assert words_of(tab) == "Đang chờ 2"


def test_empty_lists_say_so(officer: Pages) -> None:
    for tab in ("waiting", "moves", "decided", "rules", "nonsense"):
        assert officer.get(f"/desk/conflicts?tab={tab}").xpath("//div[@class='empty']/p"), tab


def test_a_conflict_shows_all_that_deciding_needs(town: Town, officer: Pages) -> None:
    child, _, _, (one, two) = disputed(town)
    page = officer.get(f"/desk/conflicts/{conflict_of(town, child)}")
    values = sides(page)
    assert len(values) == 3  # two values and another one
    for name, user, other in ((ONE, "u1", "u2"), (TWO, "u2", "u1")):
        (number,) = [number for number, text in enumerate(values, 1) if text.startswith(f"{number} {name} ")]
        text = values[number - 1]
        assert f"Người dùng {user}" in text and "Tình hình trẻ em bản 2026112602" in text
        assert f"chưa thấy giá trị {3 - number} của Người dùng {other}" in text
    assert f"Trước đó, trên máy của mọi người: {NAME}" in words_of(page)
    (shown,) = page.xpath("//li[@class='shown']")
    assert "Đang dùng tạm" in words_of(shown)
    assert town.child(child)["data"]["full_name"] in words_of(shown)
    links = {str(link) for link in page.xpath("//ul[@class='sides']//a/@href")}
    assert links == {f"/desk/submissions/{sub}" for sub in (one, two)}
    assert sorted(page.xpath("//input[@name='seen']/@value")) == sorted([one, two])


def test_all_conflicts_of_a_child_stand_on_one_page_the_one_asked_for_first(town: Town, officer: Pages) -> None:
    child, base, data, _ = disputed(town)
    for user, born in (("u1", "2017-01-03"), ("u2", "2017-02-03")):
        town.push([visit(child, NAME, base, data, dob=born, dob_precision="M")], user)
    page: Any = None
    for cell, title in (("birth", "Ngày sinh"), ("full_name", "Họ và tên trẻ")):
        page = officer.get(f"/desk/conflicts/{conflict_of(town, child, cell)}")
        titles = [words_of(one) for one in page.xpath("//h2")]
        assert len(titles) == 2 and titles[0].startswith(title)
    assert "03/01/2017Biết ngày sinh chính xác đến đâu: Tháng và năm" in words_of(page)


def test_a_choice_closes_it_and_leads_to_the_next(town: Town, officer: Pages) -> None:
    child, _, _, (one, _two) = disputed(town)
    other, *_ = disputed(town)
    ident, following = conflict_of(town, child), conflict_of(town, other)
    page = officer.open(f"/desk/conflicts/{ident}")
    answer = officer.submit(page, ident, choice=one, reason=WHY)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/desk/conflicts/{following}")
    state = town.child(child)
    assert (state["data"]["full_name"], state["conflicts"]) == (ONE, [])
    said = officer.get(f"/desk/conflicts/{following}").xpath("//p[@role='status']")[0]
    assert f"/desk/child/{child}" in said.xpath(".//a/@href")
    page = officer.open(f"/desk/conflicts/{following}")
    last = officer.submit(page, following, choice="$other", full_name=THREE, reason=WHY)
    assert last.headers["Location"] == "/desk/conflicts"
    assert town.child(other)["data"]["full_name"] == THREE
    assert "Không còn mâu thuẫn nào" in words_of(officer.get("/desk/conflicts"))


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ({"choice": "$other", "full_name": "x", "reason": " "}, "Cần ghi lý do"),
        ({"reason": WHY}, "Hãy chọn một giá trị"),
        ({"choice": "uuid:other", "reason": WHY}, "Lựa chọn không thuộc xung đột này"),
        ({"choice": "$other", "full_name": "x" * 10_001, "reason": WHY}, "Dài quá"),
        ({"choice": "$other", "full_name": "x", "reason": "y" * 2001}, "không hợp lệ"),
    ],
)
def test_a_refusal_keeps_what_was_typed(town: Town, officer: Pages, said: dict[str, str], sentence: str) -> None:
    child, *_ = disputed(town)
    ident = conflict_of(town, child)
    answer = officer.submit(officer.open(f"/desk/conflicts/{ident}"), ident, **said)
    assert answer.status_code == 422
    page = officer.parse(answer)
    assert sentence in words_of(page.xpath("//*[@role='alert']")[0])
    assert page.xpath("string(//textarea[@name='reason'])").strip() == said["reason"].strip()
    assert page.xpath("//input[@name='choice' and @checked]/@value") == [
        said["choice"] for _ in range(said.get("choice", "uuid:other") != "uuid:other")
    ]
    if "full_name" in said:
        assert page.xpath("//input[@name='full_name']/@value") == [said["full_name"]]
    assert len(town.child(child)["conflicts"]) == 1


def test_a_value_that_came_meanwhile_is_shown_as_new_and_asked_again(town: Town, officer: Pages) -> None:
    child, base, data, (one, _two) = disputed(town)
    ident = conflict_of(town, child)
    page = officer.open(f"/desk/conflicts/{ident}")
    late = visit(child, THREE, base, data)
    town.push([late], "u1")
    answer = officer.submit(page, ident, choice=one, reason=WHY)
    assert answer.status_code == 409
    page = officer.parse(answer)
    (new,) = [text for text in sides(page) if "mới" in text]
    assert THREE in new
    assert page.xpath("string(//textarea[@name='reason'])") == WHY
    now = conflict_of(town, child)
    assert now != ident
    assert officer.submit(page, now, choice=late["id"]).status_code == 302
    assert town.child(child)["data"]["full_name"] == THREE


def test_who_was_second_reads_the_decision_of_the_first(town: Town, officer: Pages) -> None:
    child, _, _, (one, two) = disputed(town)
    ident = conflict_of(town, child)
    page = officer.open(f"/desk/conflicts/{ident}")
    town.act(f"conflicts/{ident}/resolve", "s1", seen=[one, two], choice=one, reason="Theo giấy khai sinh")
    answer = officer.submit(page, ident, choice=two, reason=WHY)
    assert answer.status_code == 409
    text = words_of(officer.parse(answer))
    assert "Theo giấy khai sinh" in text and WHY in text and ONE in text
    assert town.child(child)["data"]["full_name"] == ONE


def test_a_decision_is_shown_with_its_reason_and_opened_again(town: Town, officer: Pages) -> None:
    child, _, _, (one, two) = disputed(town)
    ident = conflict_of(town, child)
    officer.submit(officer.open(f"/desk/conflicts/{ident}"), ident, choice=one, reason="Theo giấy khai sinh")
    (row,) = officer.get("/desk/conflicts?tab=decided").xpath("//ul[@class='rows']/li")
    assert "Người dùng s1: “Theo giấy khai sinh”" in words_of(row)
    page = officer.open(f"/desk/conflicts/{ident}")
    facts = words_of(page.xpath("//dl[@class='facts']")[0])
    assert ONE in facts and "Người dùng s1" in facts and "Theo giấy khai sinh" in facts
    without = officer.submit(page, "reopen", reason=" ")
    assert without.status_code == 422 and "Cần ghi lý do" in without.text
    answer = officer.submit(page, "reopen", reason="Nhầm giấy")
    assert answer.headers["Location"] == f"/desk/conflicts/{ident}"
    assert town.child(child)["conflicts"] != []
    assert len(sides(officer.get(f"/desk/conflicts/{ident}"))) == 3
    assert officer.get("/desk/conflicts?tab=decided").xpath("//ul[@class='rows']/li") == []
    assert officer.post(f"/desk/conflicts/{ident}/reopen", reason="nữa").status_code == 409
    assert town.status(two, "u2")["notices"] == []


def test_a_dose_is_decided_with_another_date(town: Town, officer: Pages) -> None:
    child, rows = dosed(town)
    (conflict,) = town.child(child)["conflicts"]
    page = officer.open(f"/desk/conflicts/{conflict['id']}")
    assert words_of(page.xpath("//h2")[0]).startswith("Mũi đã tiêm: Lao (BCG)")
    assert sides(page)[0].startswith("1 Ngày tiêm: ")
    answer = officer.submit(
        page, conflict["id"], choice="$other", reason=WHY, **{"imm_doses.dose_date": moment(-35)[:10]}
    )
    assert answer.status_code == 302, answer.text
    assert town.child(child)["data"]["imm_doses"] == [{"dose": "BCG", "dose_date": moment(-35)[:10]}]
    again = officer.get(f"/desk/conflicts/{conflict['id']}")
    assert "Ngày tiêm: " in words_of(again.xpath("//dl[@class='facts']")[0])
    assert rows


def test_a_birth_is_decided_with_both_of_its_parts(town: Town, officer: Pages) -> None:
    child, base, data, _ = disputed(town)
    for user, born in (("u1", "2017-01-03"), ("u2", "2017-02-03")):
        town.push([visit(child, NAME, base, data, dob=born)], user)
    ident = conflict_of(town, child, "birth")
    page = officer.open(f"/desk/conflicts/{ident}")
    wrong = officer.submit(page, ident, choice="$other", dob="2017-02-30", dob_precision="Y", reason=WHY)
    assert wrong.status_code == 422
    again = officer.parse(wrong)
    assert again.xpath("//input[@name='dob']/@aria-invalid") == ["true"]
    assert again.xpath("//select[@name='dob_precision']/option[@selected]/@value") == ["Y"]
    officer.submit(page, ident, choice="$other", dob="2017-03-01", dob_precision="Y", reason=WHY)
    state = town.child(child)["data"]
    assert (state["dob"], state["dob_precision"]) == ("2017-03-01", "Y")


def test_a_wish_to_move_is_before_both_officers_and_says_what_it_means(
    town: Town, visit: Callable[..., Pages]
) -> None:
    request = Request(town)
    ident = request.conflict("s1")["id"]
    here, there = visit("s1"), visit("s5")
    assert here.get("/desk/conflicts").xpath("//ul[@class='rows']/li") == []
    page: Any = None
    for pages in (here, there):
        (row,) = pages.get("/desk/conflicts?tab=moves").xpath("//ul[@class='rows']/li")
        assert "Xã/phường" in words_of(row)
        page = pages.get(f"/desk/conflicts/{ident}")
        assert "Xin chuyển" in words_of(page) and "Đồng ý thì cả hộ" in words_of(page)
    assert page is not None
    assert page.xpath("//ul[@class='sides']//a") == []  # the submission and the household are not his yet
    assert page.xpath(f"//a[contains(@href, '{request.family.home}')]") == []
    chosen = there.submit(there.open(f"/desk/conflicts/{ident}"), ident, choice=request.value["id"], reason=WHY)
    assert chosen.status_code == 302
    assert request.scopes()["household"].startswith("2025.31120/02")
    assert here.client.get(f"/desk/conflicts/{ident}").status_code in (200, 404)


def test_another_place_is_chosen_from_a_list(town: Town, officer: Pages) -> None:
    request = Request(town)
    ident = request.conflict("s1")["id"]
    page = officer.open(f"/desk/conflicts/{ident}")
    assert f"{AREA}/05" in page.xpath("//select[@name='ward_code']//option/@value")
    officer.submit(page, ident, choice="$other", ward_code=f"{AREA}/05", reason=WHY)
    assert request.scopes()["household"] == f"{AREA}/05"


def test_a_request_to_delete_is_refused_and_taken_up_again(town: Town, officer: Pages) -> None:
    child, base, data = registered(town)
    value = {
        "id": f"uuid:{new_id()}",
        "kind": "delete",
        "observed_at": moment(),
        "entities": [claim("child", child, base)],
    }
    town.push([value], "u1")
    town.push([visit(child, NAME, base, data, helmet="0")], "u2")
    ident = conflict_of(town, child, "$delete")
    page = officer.open(f"/desk/conflicts/{ident}")
    text = words_of(page)
    assert "Cộng tác viên xin xóa hồ sơ" in text and "Ghi sau, người xóa chưa thấy" in text
    assert "Đội mũ bảo hiểm khi đi xe máy, xe đạp điện: Không" in text
    assert officer.submit(page, ident, choice="keep", reason="Trẻ vẫn ở đây").status_code == 302
    state = town.child(child)
    assert (state["deleted"], state["conflicts"]) == (False, [])
    closed = officer.open(f"/desk/conflicts/{ident}")
    assert "Giữ hồ sơ" in words_of(closed.xpath("//dl[@class='facts']")[0])
    officer.submit(closed, "reopen", reason="Trẻ trùng thật")
    officer.submit(officer.open(f"/desk/conflicts/{ident}"), ident, choice="delete", reason="Ghi trùng")
    assert town.child(child)["deleted"] is True


def test_what_rules_overruled_is_listed_with_both_values(town: Town, officer: Pages) -> None:
    child, base, data = registered(town, risk_now="3")
    value = visit(child, NAME, base, data, risk_now="1")
    town.push([value], "u2")
    (row,) = officer.get("/desk/conflicts?tab=rules").xpath("//ul[@class='rows']/li")
    text = words_of(row)
    assert "Người dùng u2 ghi:" in text and "đang dùng:" in text and "(Người dùng u1)" in text
    assert "mức nặng nhất giữ nguyên tới khi cán bộ hạ" in text
    assert f"/desk/submissions/{value['id']}" in row.xpath(".//a/@href")
    assert officer.get("/desk/conflicts?tab=waiting").xpath("//ul[@class='rows']/li") == []


def test_a_conflict_that_ended_by_itself_says_so(town: Town, officer: Pages) -> None:
    child, _, _, (one, _two) = disputed(town)
    ident = conflict_of(town, child)
    town.act(f"submissions/{one}/reject", "s1", reason="Nhầm trẻ")
    page = officer.get(f"/desk/conflicts/{ident}")
    assert "Không ai phải quyết định nữa" in words_of(page)
    assert officer.post(f"/desk/conflicts/{ident}/reopen", reason="Thử").status_code == 409


def test_others_do_not_find_it(town: Town, visit: Callable[..., Pages]) -> None:
    child, *_ = disputed(town)
    ident = conflict_of(town, child)
    for user, status in (("s5", 404), ("c1", 403), ("a1", 403)):
        pages = visit(user)
        assert pages.client.get(f"/desk/conflicts/{ident}").status_code == status
        for path in (f"/desk/conflicts/{ident}", f"/desk/conflicts/{ident}/reopen"):
            assert pages.post(path, choice="x", seen="x", reason="x").status_code == status, (user, path)
    assert visit("s5").get("/desk/conflicts").xpath("//ul[@class='rows']/li") == []
    assert visit("s5").client.get(f"/desk/conflicts?area={AREA}").status_code == 404


@pytest.mark.parametrize("tab", ["waiting", "decided", "rules"])
def test_the_number_of_statements_does_not_grow(town: Town, officer: Pages, tab: str) -> None:
    counted = []
    for children in (1, 4):
        for _ in range(children):
            child, base, data, (one, _) = disputed(town)
            town.push([visit(child, ONE, base, data, risk_now="0", helmet="0")], "u1")
            town.push([visit(child, ONE, base, data, risk_now="3", helmet="1")], "u2")
            if tab == "decided":
                (conflict,) = town.child(child, "s1")["conflicts"]
                members = town.get(f"/api/v1/conflicts/{conflict['id']}", "s1").get_json()["members"]
                seen = [member["submission"] for member in members]
                town.act(f"conflicts/{conflict['id']}/resolve", "s1", seen=seen, choice=one, reason=WHY)
        counted.append(statements(town, officer, f"/desk/conflicts?tab={tab}"))
    assert counted[0] == counted[1] <= 16


def test_a_page_of_many_conflicts_costs_as_many_statements_as_one(town: Town, officer: Pages) -> None:
    child, base, data, _ = disputed(town)
    ident = conflict_of(town, child)
    few = statements(town, officer, f"/desk/conflicts/{ident}")
    for user, number in (("u1", "1"), ("u2", "2")):
        town.push([visit(child, NAME, base, data, dob=f"2017-0{number}-03")], user)
    assert statements(town, officer, f"/desk/conflicts/{ident}") == few <= 18


def statements(town: Town, pages: Pages, path: str) -> int:
    seen: list[str] = []
    with town.app.app_context():
        engine = db.engine

    def note(*args: Any) -> None:
        seen.append(args[2])

    event.listen(engine, "before_cursor_execute", note)
    try:
        pages.get(path)
    finally:
        event.remove(engine, "before_cursor_execute", note)
    return len([one for one in seen if one.lstrip().upper().startswith(("SELECT", "WITH"))])


def test_a_conflict_of_the_protected_half_has_the_childs_name_and_its_reading_is_noted(
    town: Town, officer: Pages
) -> None:
    child, base, data = registered(town)
    town.apply(visit(child, NAME, base, data, years=13, **PROTECTED))
    half = protected_id(child)
    known = town.get(f"/api/v1/entities/child_protected/{half}", "s1").get_json()["etag"]
    for value in ("0", "1"):
        body = {"base": known, "reason": WHY, "values": {"law_conflict": value}}
        town.act(f"entities/child_protected/{half}/correct", "s1", **body)
    (row,) = officer.get("/desk/conflicts").xpath("//ul[@class='rows']/li")
    assert NAME in words_of(row) and "Vi phạm pháp luật" in words_of(row)
    assert NAME in words_of(officer.get("/desk").get_element_by_id("doubts").getparent())
    page = officer.get(str(row.xpath(".//a/@href")[0]))
    assert NAME in words_of(page.xpath("//h1")[0])
    noted = town.rows(select(AuditTable.subject).where(AuditTable.act == "read_protected"))
    assert [row.subject for row in noted] == [child]
