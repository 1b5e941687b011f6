"""The rules as an administrator reads them, and what another file would change: counts, and nothing is written."""

import io
from collections.abc import Callable

import pytest
from sqlalchemy import select

import server.console.rule_pages
from config.settings import FOLDER
from server.clock import now
from server.reading.rules import Wrong, preview, read_change
from server.store.tables import VisitTable
from sync.visits.law import load_lawful_rules
from tests.api.builders import new_id, register
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

Visit = Callable[..., Pages]
FILE = (FOLDER / "followup_rules.yaml").read_text(encoding="utf-8")
NAME = "Bùi Thị Quế Trân"


def said(page: object) -> dict[str, str]:
    """Code -> what the page says of the rule."""
    rows = page.xpath("//ul[@class='rows']/li")  # type: ignore[attr-defined]
    return {row.xpath("string(.//code)"): words_of(row) for row in rows}


def test_every_rule_stands_there_as_a_sentence_with_its_source(town: Town, visit: Visit) -> None:
    town.apply(register(new_id(), {new_id(): NAME}))
    told = said(visit("a1").get("/desk/rules"))
    rules = town.nest.rules
    assert told.keys() == {one.code for one in rules.rules} | {one.code for one in rules.waiting}
    assert "“Tình trạng đi học” là “" in told["F-DROPOUT"]
    assert (
        "và trẻ từ 6 đến dưới 16 tuổi thì thăm trong 14 ngày; còn như vậy thì nhắc lại mỗi 14 ngày."
        in told["F-DROPOUT"]
    )
    assert "Khi đến mà vắng nhà thì thăm trong 7 ngày" in told["F-RETRY"]
    assert "thăm vào lúc trẻ được 30, 45, 60 ngày tuổi" in told["F-BIRTH"] and "Luật định" in told["F-BIRTH"]
    assert "trong 12 giờ kể từ khi máy chủ nhận được thông tin" in told["F-EMERG"]
    assert "Sau 4 giờ chưa xong: báo chủ tịch xã." in told["F-EMERG"] and "nhắc lại" not in told["F-EMERG"]
    assert "6 tháng một lần, tính từ “" in told["F-ALT6"]
    assert "Chưa kiểm chứng" in told["F-HHQ"] and "1 lượt thăm đang mở" in told["F-HHQ"]
    assert "Chưa chạy" in told["F-PLAN"] and "Sau này: thăm trong 5 ngày làm việc" in told["F-PLAN"]
    assert not [text for text in told.values() if "None" in text or "{" in text or "_" in text]


@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_property_or_code_is_left_without_its_words(town: Town, visit: Visit, language: str) -> None:
    admin = visit("a1")
    admin.client.set_cookie("lang", language)
    text = " ".join(said(admin.get("/desk/rules")).values())
    names = {name for rule in town.nest.rules.rules if rule.condition for name in rule.condition.properties}
    assert [name for name in names if name in text] == []


def test_what_another_file_would_change_is_counted_and_nothing_is_written(town: Town, visit: Visit) -> None:
    for number in range(3):
        town.apply(register(new_id(), {new_id(): f"{NAME} {number}"}))
    before = town.rows(select(VisitTable.id, VisitTable.due).order_by(VisitTable.id))
    admin = visit("a1")
    page = admin.open("/desk/rules/preview")
    text = FILE.replace("{unit: month, count: 3}", "{unit: month, count: 2}", 1)  # of F-HHQ
    assert text != FILE
    answer = admin.submit(page, text=text)
    page = admin.parse(answer)
    assert answer.status_code == 200
    assert "Đã tính thử cho cả" in words_of(page) and "Quy tắc đổi nội dung" in words_of(page)
    (row,) = page.xpath("//section[@aria-labelledby='result']//tbody/tr")
    assert [words_of(cell) for cell in row] == ["F-HHQ", "0", "0", "3"]
    assert page.xpath("string(//textarea)").strip() == text.strip()  # what was typed is there
    assert "Quế" not in words_of(page)
    assert town.rows(select(VisitTable.id, VisitTable.due).order_by(VisitTable.id)) == before


def test_of_many_only_some_are_planned_and_the_page_says_so(
    town: Town, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        town.apply(register(new_id(), {new_id(): f"{NAME} {number}"}))
    monkeypatch.setattr(server.console.rule_pages, "SAMPLE", 3)
    page = visit("a1").parse(visit("a1").post("/desk/rules/preview", text=FILE))
    assert "chỉ 3 hồ sơ lấy đều khắp các địa bàn được tính thử" in words_of(page)
    with town.app.app_context():
        found = preview(town.nest, load_lawful_rules(FILE), now(), 3)
        whole = preview(town.nest, load_lawful_rules(FILE), now())
    assert (found.looked, whole.looked) == (3, whole.of) and found.of == whole.of > 3
    assert len(found.now) < len(whole.now)


@pytest.mark.parametrize(
    ("change", "line", "words"),
    [
        (lambda text: text.replace("count: 12, from", "count: 24, from", 1), "F-EMERG", "hạn dài hơn"),
        (lambda text: text.replace("code: F-EMERG", "code: F-OTHER", 1), None, "không được bỏ"),
        (lambda text: text.replace("priority: 100", "importance: 100", 1), "F-EMERG", "mục không được biết"),
        (lambda text: "rules:\n  - code: [", 3, "tệp không dùng được"),
        (lambda text: "a", None, "cần một danh sách"),
        (lambda text: "", None, "chưa có gì"),
        (lambda text: "x" * 300_000, None, "quá dài"),
        (lambda text: "rules: &r\n  - {code: F-EMERG, effective: *r}", None, "lặp lại quá nhiều"),
        (lambda text: "a: &a [1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b]\n"
                      "d: &d [*c,*c,*c,*c,*c,*c,*c,*c]\nrules: [*d,*d,*d,*d,*d,*d,*d,*d]", None, "lặp lại quá nhiều"),
        (lambda text: text.replace("{from: 2025-07-01}", "{from: null}", 1), None, "tệp không dùng được"),
        (lambda text: "[" * 50_000, None, "lồng quá nhiều tầng"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_used_is_told_with_its_line(
    visit: Visit, change: Callable[[str], str], line: object, words: str
) -> None:
    text = change(FILE)
    answer = visit("a1").post("/desk/rules/preview", text=text)
    assert answer.status_code == 422
    page = visit("a1").parse(answer)
    alert = words_of(page.xpath("//*[@role='alert']")[0])
    assert words in alert
    if line is not None:
        number = line if isinstance(line, int) else FILE[: FILE.index(f"code: {line}")].count("\n") + 1
        assert f"Dòng {number}:" in alert


def test_a_file_that_is_chosen_goes_before_what_stands_in_the_box(visit: Visit) -> None:
    admin = visit("a1")
    token = admin.get("/desk/rules/preview").xpath("string(//input[@name='csrf_token']/@value)")
    data = {"csrf_token": token, "text": FILE, "file": (io.BytesIO("rules: nhầm".encode()), "r.yaml")}
    answer = admin.client.post("/desk/rules/preview", data=data, content_type="multipart/form-data")
    assert answer.status_code == 422 and "rules: nhầm" in answer.text
    raw = {"csrf_token": token, "text": "", "file": (io.BytesIO(b"\xff\x00\xfe"), "r.yaml")}
    assert admin.client.post("/desk/rules/preview", data=raw, content_type="multipart/form-data").status_code == 422


def test_the_rules_of_the_product_are_read_as_they_are() -> None:
    assert not isinstance(read_change(FILE), Wrong)


@pytest.mark.parametrize("user", ["s1", "c1"])
def test_it_is_for_administrators(visit: Visit, user: str) -> None:
    for path in ("/desk/rules", "/desk/rules/preview"):
        assert visit(user).client.get(path).status_code == 403
    assert visit(user).post("/desk/rules/preview", text=FILE).status_code == 403
