"""The forms as an administrator sees them; a version is published, withdrawn and brought back in a folder apart."""

import io
import shutil
import zipfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from sqlalchemy import select
from werkzeug.test import TestResponse

import server.publishing.desk
from forms.catalogue import FOLDER, Catalogue, load_catalogue
from server.publishing import odk
from server.store.tables import AuditTable
from tests.api.builders import new_id, register
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

Visit = Callable[..., Pages]
FORM, NAME = "follow_up_visit", "Bùi Thị Quế Trân"
Change = Callable[[Any], None]


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the forms, as a server has that publishes by itself."""
    monkeypatch.setattr(odk, "java", lambda: None)
    return Path(shutil.copytree(FOLDER, tmp_path / "forms", ignore=shutil.ignore_patterns("__pycache__", "*.py")))


@pytest.fixture
def admin(root: Path, new_town: Callable[..., Town]) -> Pages:
    return Pages(new_town(forms=root), "a1")


def changed(admin: Pages, catalogue: Catalogue, change: Change) -> bytes:
    """The workbook of the current version as it is downloaded, changed."""
    now = catalogue.current_of(FORM)
    assert now is not None
    book = load_workbook(io.BytesIO(admin.client.get(f"/desk/forms/{FORM}/{now.version}/xlsx").get_data()))
    change(book)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def raise_version(book: Any) -> None:
    sheet = book["settings"]
    (cell,) = [sheet.cell(2, one.column) for one in sheet[1] if one.value == "version"]
    cell.value = str(int(cell.value) + 1)


def another_label(book: Any) -> None:
    raise_version(book)
    sheet = book["survey"]
    (column,) = [one.column for one in sheet[1] if str(one.value).startswith("label") and "vi" in one.value]
    row = next(row for row in range(2, 99) if str(sheet.cell(row, 1).value).startswith("select_one"))
    sheet.cell(row, column).value = "Câu hỏi <b>khác</b>"


def send(admin: Pages, content: bytes, name: str = "mau.xlsx") -> TestResponse:
    token = admin.get("/desk/forms").xpath("string(//input[@name='csrf_token']/@value)")
    data = {"csrf_token": token, "file": (io.BytesIO(content), name)}
    return admin.client.post("/desk/forms/check", data=data, content_type="multipart/form-data")


def test_forms_and_their_versions_with_what_came(town: Town, visit: Visit) -> None:
    town.apply(register(new_id(), {new_id(): NAME}))
    page = visit("a1").get("/desk/forms")
    (row,) = page.xpath("//li[.//code[text()='household_registration']]")
    assert "1 phiếu của bản này" in words_of(row) and "Đang dùng" in words_of(row)
    assert len(page.xpath("//ul[@data-list]/li")) == len(town.nest.catalogue.current())
    assert "Quế" not in words_of(page)


@pytest.mark.parametrize("language", ["vi", "en"])
def test_every_version_of_every_form_is_shown_question_by_question(town: Town, visit: Visit, language: str) -> None:
    admin = visit("a1")
    admin.client.set_cookie("lang", language)
    for form in town.nest.catalogue.versions():
        page = admin.get(f"/desk/forms/{form.id}?version={form.version}")
        names = page.xpath("//section[contains(@class, 'questions')]//li/p/code[1]/text()")
        shown = {question.name for question in form.questions if question.property or question.protected}
        assert shown <= set(names), form.id
        assert (
            len(page.xpath("//span[text()='Chỉ cán bộ đọc']"))
            == len([one for one in form.questions if one.protected])
            or language == "en"
        )


def test_what_is_different_is_told_in_words(town: Town, visit: Visit) -> None:
    versions = [form.version for form in town.nest.catalogue.versions() if form.id == "child_situation"]
    assert len(versions) > 2
    for before, after in pairwise(versions):
        page = visit("a1").get(f"/desk/forms/child_situation?version={after}&before={before}")
        told = [words_of(line) for line in page.xpath("//ul[@class='diff']/li")]
        assert told and not [line for line in told if line.startswith(("label (", "asked if", "goes to", "type: "))]
    assert visit("a1").client.get("/desk/forms/child_situation?version=1").status_code == 404
    assert visit("a1").client.get("/desk/forms/x?version=1").status_code == 404


def test_files_of_a_version(town: Town, visit: Visit) -> None:
    for form in town.nest.catalogue.versions():
        answer = visit("a1").client.get(f"/desk/forms/{form.id}/{form.version}/xml")
        assert answer.get_data(as_text=True) == form.xml
        assert answer.headers["Content-Disposition"] == f"attachment; filename={form.id}-{form.version}.xml"


def test_the_workbook_that_is_downloaded_is_the_version_itself(
    admin: Pages, catalogue: Catalogue, root: Path
) -> None:
    page = admin.parse(send(admin, changed(admin, catalogue, lambda book: None)))
    assert "đã công bố rồi, và không có gì khác" in words_of(page.xpath("//*[@role='alert']")[0])


def test_a_version_is_looked_at_published_withdrawn_and_brought_back(
    admin: Pages, catalogue: Catalogue, root: Path
) -> None:
    before = catalogue.current_of(FORM)
    assert before is not None
    answer = send(admin, changed(admin, catalogue, another_label))
    page = admin.parse(answer)
    assert answer.status_code == 200 and "Câu hỏi <b>khác</b>" in words_of(page.xpath("//ul[@class='diff']")[0])
    now = load_catalogue(root).current_of(FORM)
    assert now is not None and now.xml == before.xml  # nothing is published yet
    answer = admin.submit(page, "/publish")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/forms")
    new = load_catalogue(root).current_of(FORM)
    assert new is not None and int(new.version) == int(before.version) + 1
    page = admin.get("/desk/forms")
    assert f"{FORM} {new.version}: được phát" in words_of(page) and "khởi động lại" in words_of(page)
    assert admin.town.nest.catalogue.current_of(FORM) == before  # this process goes on as it began
    answer = admin.submit(admin.get(f"/desk/forms/{FORM}"), "/withdraw", version=before.version)
    assert answer.status_code == 302
    index = load_catalogue(root)
    assert index.withdrawn(before) and not index.withdrawn(new)
    admin.post(f"/desk/forms/{FORM}/restore", version=before.version)
    assert admin.post(f"/desk/forms/{FORM}/rollback", version=before.version).status_code == 302
    back = load_catalogue(root).current_of(FORM)
    assert back is not None and back.version > new.version
    assert "khác</b>" not in back.xml
    noted = admin.town.rows(select(AuditTable.act, AuditTable.subject).order_by(AuditTable.n))
    acts = ["publish_form", "withdraw_form", "restore_form", "rollback_form"]
    assert [tuple(row) for row in noted] == [(act, FORM) for act in acts]


def remove_question(book: Any) -> None:
    raise_version(book)
    sheet = book["survey"]
    row = next(row for row in range(2, 99) if sheet.cell(row, 2).value == "visit_result")
    sheet.cell(row, 1).value = "select_thing nothing"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda book: book.remove(book["survey"]), "thiếu trang survey"),
        (remove_question, "dòng "),
    ],
)
def test_what_is_wrong_is_told_by_sheet_and_row(
    admin: Pages, catalogue: Catalogue, root: Path, change: Change, words: str
) -> None:
    before = load_catalogue(root)
    answer = send(admin, changed(admin, catalogue, change))
    assert answer.status_code == 422
    assert words in words_of(admin.parse(answer).xpath("//*[@role='alert']")[0])
    assert "Công bố</button>" not in answer.text
    assert [form.version for form in load_catalogue(root).versions()] == [one.version for one in before.versions()]


def bomb() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/workbook.xml", b"<" * 20_000_000)
    return out.getvalue()


def hollow() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed:
        packed.writestr("[Content_Types].xml", "<")
    return out.getvalue()


NO_BOOKS = {"none": b"", "pk": b"PK", "csv": b"id,name", "bomb": bomb(), "xml": hollow()}


@pytest.mark.parametrize("content", NO_BOOKS.values(), ids=NO_BOOKS.keys())
def test_what_is_no_workbook_is_refused(admin: Pages, content: bytes) -> None:
    answer = send(admin, content)
    assert answer.status_code == 422 and admin.parse(answer).xpath("//*[@role='alert']")


def test_where_nothing_may_be_written_nothing_is_offered(
    admin: Pages, catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = changed(admin, catalogue, another_label)
    monkeypatch.setattr(server.publishing.desk.os, "access", lambda path, mode: False)
    page = admin.parse(send(admin, content))
    assert "không được ghi vào thư mục biểu mẫu" in words_of(page)
    assert not [form for form in page.forms if (form.get("action") or "").endswith("/publish")]
    assert admin.post("/desk/forms/publish", sha256="0" * 64).status_code == 409
    for act in ("withdraw", "restore", "rollback"):
        assert admin.post(f"/desk/forms/{FORM}/{act}", version="1").status_code == 409


def test_what_does_not_exist_is_refused(admin: Pages) -> None:
    assert admin.post("/desk/forms/publish", sha256="../../etc/passwd").status_code == 404
    assert admin.post("/desk/forms/x/withdraw", version="1").status_code == 404
    answer = admin.post(f"/desk/forms/{FORM}/withdraw", version="1")
    assert answer.status_code == 422 and admin.parse(answer).xpath("//*[@role='alert']")


@pytest.mark.parametrize("user", ["s1", "c1"])
def test_it_is_for_administrators(town: Town, visit: Visit, user: str) -> None:
    for path in ("", f"/{FORM}", f"/{FORM}/1/xml"):
        assert visit(user).client.get(f"/desk/forms{path}").status_code == 403
    for path in ("check", "publish", f"{FORM}/withdraw"):
        assert visit(user).post(f"/desk/forms/{path}").status_code == 403
