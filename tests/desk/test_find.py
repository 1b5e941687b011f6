"""Whoever is in an officer's charge is found by whatever he knows; lists go out as sheets, and that is noted."""

from collections.abc import Callable
from datetime import date
from io import BytesIO

import pytest
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from server.store.tables import AuditTable
from tests.api.builders import new_id, register, visit
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

MOTHER = "Lê Thị Thuý Kiều"
FORMULA = '=HYPERLINK("http://evil.example";"A")'


@pytest.fixture
def children(town: Town) -> dict[str, str]:
    """Name -> id. One is at high risk, one has a formula for a name."""
    found = {"Trần Gia Huy": new_id(), "Đinh Ngọc Hoà": new_id(), FORMULA: new_id()}
    town.apply(register(new_id(), {ident: name for name, ident in found.items()}, phone="0912 345 678"))
    child = found["Đinh Ngọc Hoà"]
    base = town.child(child)["etag"]
    town.apply(visit(child, "Đinh Ngọc Hoà", base, {"full_name": "Đinh Ngọc Hoà"}, risk_now="3", mother_name=MOTHER))
    return found


def names(page: object) -> list[str]:
    return [words_of(one) for one in page.xpath("//ul[@data-list]//strong")]  # type: ignore[attr-defined]


def search(officer: Pages, **asked: str) -> list[str]:
    from lxml import html

    answer = officer.post("/desk/find", **asked)
    assert answer.status_code == 200
    return names(html.fromstring(answer.text))


def test_by_name_mother_phone_and_code(children: dict[str, str], officer: Pages) -> None:
    hoa = "Đinh Ngọc Hoà"
    for typed in ("dinh ngoc hoa", "Hòa", "HOÀ đinh", MOTHER, "thuy kieu", children[hoa][:8]):
        assert search(officer, q=typed, kind="child") == [hoa], typed
    for phone in ("0912345678", "+84 912 345 678", "0912.345.678"):
        assert search(officer, q=phone) == ["Nguyễn Thị Mỹ Duyên"], phone
    assert search(officer, q="không có ai") == []
    assert search(officer, q=hoa, kind="household") == []


def test_the_register_begins_with_the_highest_risk(children: dict[str, str], officer: Pages) -> None:
    assert names(officer.get("/desk/find"))[0] == "Đinh Ngọc Hoà"
    assert len(names(officer.get("/desk/find"))) == 3
    assert names(officer.get("/desk/find?risk=3")) == ["Đinh Ngọc Hoà"]
    assert names(officer.get("/desk/find?hamlet=2025.31135/02")) == []
    assert names(officer.get("/desk/find?doubtful=1")) == []
    assert officer.client.get("/desk/find?hamlet=2025.31120/01").status_code == 404
    assert len(names(officer.get("/desk/find?page=x"))) == 3
    assert names(officer.get("/desk/find?page=1")) == []


def test_nobody_finds_somebody_else_s_people(children: dict[str, str], visit: Callable[..., Pages]) -> None:
    assert search(visit("s5"), q="Hoà") == []
    for user in ("u1", "c1", "a1"):
        assert visit(user).post("/desk/find", q="Hoà").status_code == 403
        assert visit(user).post("/desk/find/sheet", q="Hoà").status_code == 403
    assert visit("s5").post("/desk/find/sheet", area="2025.31135").status_code == 404


def test_a_sheet_computes_nothing_and_is_noted(town: Town, children: dict[str, str], officer: Pages) -> None:
    answer = officer.submit(officer.get("/desk/find"), "/sheet")
    assert answer.headers["Content-Disposition"].endswith(".xlsx")
    assert not any(name in answer.headers["Content-Disposition"] for name in children)
    rows = CalamineWorkbook.from_filelike(BytesIO(answer.data)).get_sheet_by_index(0).to_python()
    head, *told = rows[2:]
    assert head[:3] == ["Loại", "Họ và tên", "Ngày sinh"]
    assert {row[1] for row in told} == set(children)
    assert {type(row[2]) for row in told} == {date}
    assert {row[-1] for row in told} == set(children.values())
    noted = town.rows(select(AuditTable.who, AuditTable.subject, AuditTable.detail).where(AuditTable.act == "export"))
    assert [tuple(one) for one in noted] == [("s1", "children", b'{"rows":3}')]
    from openpyxl import load_workbook

    cells = [cell for row in load_workbook(BytesIO(answer.data)).active.iter_rows() for cell in row]
    assert [cell.data_type for cell in cells if cell.value == FORMULA] == ["s"]
    assert all(cell.quotePrefix for cell in cells if cell.value == FORMULA)


def test_a_name_is_in_no_address(children: dict[str, str], officer: Pages) -> None:
    page = officer.get("/desk/find")
    addresses = page.xpath("//@href | //@action")
    assert not any(name.split()[-1] in address for name in children for address in addresses)
    (form,) = page.xpath("//form[@role='search']")
    assert form.get("method") == "post"
