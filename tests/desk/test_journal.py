"""The journal as an administrator reads it: found, paged, proved whole, and without a word about a child."""

import ast
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

import server.console.journal
from server.audit import append, verify, verify_part
from server.auth.writing import write
from server.clock import now
from server.console.journal_words import ACTS
from server.store.base import connect, table
from server.store.tables import AuditTable, db
from sync.ports import AuditRow
from sync.state.model import Act
from sync.times import DAY, local_date
from sync.visits.arrangements import Arranging
from tests.api.builders import AREA, OTHER
from tests.api.towns import Town
from tests.databases import DATABASES
from tests.desk.pages import Pages, words_of

Visit = Callable[..., Pages]
WORDS = "Máy mất khi thăm bé Trân"
audit = table(AuditTable)
ROOT = Path(__file__).parents[2]


def note(town: Town, count: int, area: str = AREA, act: str = "approve", who: str = "s1", at: int = 0) -> None:
    rows = [AuditRow(area, (at or now()) + n, who, act, f"uuid:{act}-{n}", detail={"n": n + 1}) for n in range(count)]
    with town.app.app_context():
        write(lambda tx: append(tx.connection, rows, tx.areas), [area])
        db.session.remove()


def lines(page: object) -> list[str]:
    return [words_of(row) for row in page.xpath("//main//tbody/tr")]  # type: ignore[attr-defined]


def test_every_act_has_its_words() -> None:
    assert {one.value for one in Act if one is not Act.VISIT} - ACTS.keys() == set()
    assert {f"visit_{one.value}" for one in Arranging} - ACTS.keys() == set()


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_it_is_found_by_everything_and_paged_without_gaps(town: Town, visit: Visit) -> None:
    note(town, 120)
    note(town, 7, act="revoke", who="s5", area=OTHER, at=now() - 3 * DAY)
    admin, seen, path = visit("a1"), list[str](), "/desk/journal"
    while path:
        page = admin.get(path)
        seen += lines(page)
        path = next(iter(page.xpath("//a[@class='more']/@href")), "")
    assert len(seen) == len(set(seen)) == 127
    assert "Duyệt phiếu" in seen[0] and "Thu hồi máy" in seen[-1]
    for query, count in (
        ("act=revoke", 7),
        ("who=s5", 7),
        (f"area={OTHER}", 7),
        ("subject=uuid:approve-3", 1),
        (f"until={local_date(now() - 2 * DAY)}", 7),
        (f"since={local_date(now())}&act=approve", 50),
        (f"area={OTHER}&act=approve", 0),
    ):
        assert len(lines(admin.get(f"/desk/journal?{query}"))) == count, query
    first = admin.get(f"/desk/journal?area={AREA}")
    second = admin.get(first.xpath("//a[@class='more']/@href")[0])
    assert len(set(lines(first)) | set(lines(second))) == 100


def test_a_search_and_a_sheet_are_noted_and_plain_reading_is_not(town: Town, visit: Visit) -> None:
    note(town, 2)
    admin = visit("a1")
    admin.get("/desk/journal")
    admin.get("/desk/journal?act=approve")
    answer = admin.submit(admin.get("/desk/journal?act=approve"), "/sheet")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename=nhat-ky-")
    cells = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(answer.get_data())).active.iter_rows()]
    assert cells[0][0] == "Nhật ký, 2 dòng" and cells[3][3] == "Duyệt phiếu" and len(cells) == 5
    query = select(audit.c.act, audit.c.detail).where(audit.c.who == "a1").order_by(audit.c.n)
    noted = [(row.act, row.detail) for row in town.rows(query)]
    assert noted == [
        ("search_journal", b'{"act":"approve"}'),
        ("search_journal", b'{"act":"approve"}'),
        ("export_journal", b'{"act":"approve","rows":2}'),
    ]


def test_a_sheet_that_is_cut_off_says_so(town: Town, visit: Visit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.console.journal, "MOST", 3)
    note(town, 5)
    answer = visit("a1").post("/desk/journal/sheet")
    sheet = load_workbook(io.BytesIO(answer.get_data())).active
    assert sheet["A1"].value.startswith("Nhật ký, 3 dòng mới nhất; còn nữa")


def test_what_cannot_be_searched_for_is_said_and_kept(town: Town, visit: Visit) -> None:
    note(town, 1)
    page = visit("a1").get("/desk/journal?subject=bé+Trân&since=mai&until=9999-12-31&after=x:y")
    assert "Có ô chưa đúng" in words_of(page)
    assert page.xpath("//input[@name='subject']/@value") == ["bé Trân"]
    assert town.rows(select(audit.c.act).where(audit.c.who == "a1")) == []
    assert visit("a1").client.get(f"/desk/journal?after={'9' * 30}:1:x").status_code == 200


def test_what_officers_wrote_in_words_is_not_told(town: Town, visit: Visit) -> None:
    reason = [AuditRow(AREA, now(), "s1", "revoke", "d-1", detail={"reason": WORDS, "days": 3})]
    with town.app.app_context():
        write(lambda tx: append(tx.connection, reason, tx.areas), [AREA])
    admin = visit("a1")
    text = words_of(admin.get("/desk/journal"))
    assert "Trân" not in text and "lý do: có ghi" in text and "số ngày: 3" in text
    sheet = load_workbook(io.BytesIO(admin.post("/desk/journal/sheet").get_data())).active
    assert "Trân" not in repr([[cell.value for cell in row] for row in sheet.iter_rows()])


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_the_chain_is_followed_step_by_step_and_a_break_is_named(
    town: Town, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.console.journal, "STEP", 10)
    note(town, 25)
    note(town, 12, area=OTHER)
    admin = visit("a1")

    def check() -> str:
        page = admin.parse(admin.submit(admin.get("/desk/journal"), "/check", area=""))
        for _ in range(9):
            forms = page.xpath("//form[@hx-post]")
            if not forms:
                break
            page = admin.parse(admin.submit(page, "/check"))
        return words_of(page.xpath("//*[@id='chain']")[0])

    assert "Nhật ký nguyên vẹn. Đã kiểm tra 38 dòng, mọi địa bàn." in check()
    with town.app.app_context(), db.engine.begin() as connection:
        connection.execute(update(audit).where(audit.c.area == AREA, audit.c.n == 17).values(who="s2"))
    told = check()
    assert "không còn nguyên vẹn: 1 dòng" in told and f"({AREA}): đứt ở dòng 17" in told
    with town.app.app_context(), connect() as connection:
        assert verify(connection) == [(AREA, 17)]
        parts = [verify_part(connection, AREA, (AREA, n), 5) for n in (10, 15, 20)]
    assert [one.broken for one in parts] == [[], [(AREA, 17)], []]


def test_a_step_alone_comes_back_for_htmx(town: Town, visit: Visit) -> None:
    note(town, 3)
    admin = visit("a1")
    token = admin.get("/desk/journal").xpath("string(//input[@name='csrf_token']/@value)")
    data = {
        "csrf_token": token,
        "area": AREA,
        "after_area": AREA,
        "after_n": "1",
        "checked": "1",
        "broken": ["x", "a:9"],
    }
    answer = admin.client.post("/desk/journal/check", data=data, headers={"HX-Request": "true"})
    assert answer.text.lstrip().startswith("<div") and "Nhật ký nguyên vẹn" in answer.text
    assert "Đã kiểm tra 3 dòng" in answer.text


@pytest.mark.parametrize("user", ["s1", "c1"])
def test_it_is_for_administrators(visit: Visit, user: str) -> None:
    assert visit(user).client.get("/desk/journal").status_code == 403
    for path in ("sheet", "check"):
        assert visit(user).post(f"/desk/journal/{path}").status_code == 403


def test_every_act_that_is_written_has_words() -> None:
    """Also those of other parts: whoever adds an act of a kind adds its words."""
    written = set()
    for path in [*(ROOT / "server").rglob("*.py"), *(ROOT / "sync").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = getattr(node, "func", None)
            if isinstance(node, ast.Call) and getattr(called, "id", getattr(called, "attr", "")) == "AuditRow":
                written |= {one.value for one in node.args[3:4] if isinstance(one, ast.Constant)}
    assert {"lost", "handover", "run_job"} <= written
    assert written <= ACTS.keys()
