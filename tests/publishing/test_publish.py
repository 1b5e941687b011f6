"""A new version of a form: what is refused and in which words, what is shown, and which files there are then."""

import hashlib
import shutil
from pathlib import Path

import pytest
from openpyxl import Workbook

from forms.catalogue import FOLDER, Publication, load_catalogue, read_index
from server.publishing import odk
from server.publishing.publish import Report, publish, rollback, set_state
from tests.publishing import toy
from tests.publishing.toy import FIRST, SECOND, THIRD, Change, Lines, cells, sheets, without

TODAY = "2026-12-01"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return toy.root(tmp_path / "forms")


@pytest.fixture
def no_java(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(odk, "java", lambda: None)


def files(root: Path) -> dict[str, str]:
    found = (path for path in root.rglob("*") if path.is_file())
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in found}


def refused(root: Path, path: Path) -> list[str]:
    before = files(root)
    report = publish(root, path, TODAY)
    assert report.form is None and files(root) == before
    return report.problems


def blue_is_navy(lines: Lines) -> Lines:
    return [["colour", "navy", *line[2:]] if line[1] == "blue" else line for line in lines]


def second(root: Path) -> Report:
    """The second version: an option renamed, a label changed, a question moved."""
    path = sheets(
        root.parent / "two", SECOND,
        lambda lines: [*cells("title", label="Tên gọi")(lines)[:4], lines[5], lines[6], lines[4], *lines[7:]],
        blue_is_navy, [[SECOND, "code", "colour", "blue", "navy"]],
    )  # fmt: skip
    return publish(root, path, TODAY)


def test_a_new_version_is_current_and_the_one_before_is_kept(root: Path) -> None:
    before = load_catalogue(root).current_of("toy")
    report = second(root)
    assert before is not None and (report.problems, report.notes) == ([], [])
    catalogue = load_catalogue(root)
    assert [form.version for form in catalogue.versions()] == [FIRST, SECOND]
    kept = catalogue.find("toy", FIRST)
    assert kept is not None and kept.form.xml == before.xml
    rows = {row.version: row for row in read_index(root / "published")}
    assert (rows[FIRST].since, rows[SECOND].since) == ("", TODAY)
    assert rows[SECOND].protected == ("secret",)
    assert catalogue.lifts.code(["colour"], "blue") == "navy"
    assert not (root / "xlsforms/.toy.new").exists()


@pytest.mark.parametrize("name", sorted(path.name for path in (FOLDER / "xlsforms").iterdir()))
def test_each_form_that_we_ship_can_be_published_with_another_label(name: str, tmp_path: Path, no_java: None) -> None:
    root, path = tmp_path / "forms", tmp_path / "new"
    shutil.copytree(FOLDER, root)
    shutil.copytree(root / "xlsforms" / name, path)
    now = load_catalogue(root).current_of(name)
    assert now is not None
    number = str(int(now.version) + 1)
    settings = (path / "settings.csv").read_text(encoding="utf-8")
    (path / "settings.csv").write_text(settings.replace(f",{now.version},", f",{number},"), encoding="utf-8")
    survey = (path / "survey.csv").read_text(encoding="utf-8")
    (path / "survey.csv").write_text(survey.replace("Kết quả", "Chuyến này").replace("Bạn", "Cô"), encoding="utf-8")
    report = publish(root, path, TODAY)
    assert report.problems == []
    assert report.form is not None and report.form.version == number
    assert any("Chuyến này" in line or "Cô" in line for line in report.diff)
    assert [one.version for one in load_catalogue(root).versions() if one.id == name][-2:] == [now.version, number]


def test_what_is_different_is_told_section_by_section(root: Path) -> None:
    assert second(root).diff == [
        f"toy {FIRST} -> {SECOND}",
        "(no section)",
        "  ~ colour “Màu”",
        "      option blue became navy",
        "  ~ title “Tên gọi”",
        "      moved",
        "      label (vi): “Tên” -> “Tên gọi”",
        "  ~ secret “Kín”",
        "      option blue became navy",
    ]


def test_a_dry_run_writes_nothing(root: Path, no_java: None) -> None:
    before = files(root)
    report = publish(root, sheets(root.parent / "two", SECOND, without("size")), TODAY, dry_run=True)
    assert (report.problems, report.form, files(root)) == ([], None, before)
    assert report.diff[-1] == "  - size “Cỡ”: no longer asked; goes to thing.size in older versions"
    assert report.notes == [odk.SKIPPED, "size is gone: its property stays, and no form asks for it"]


def test_a_workbook_is_the_same_as_its_sheets(root: Path, no_java: None) -> None:
    """Spreadsheets make numbers of codes and versions, and have sheets and columns of their own."""
    lifts = [[SECOND, "code", "colour", "blue", "navy"]]
    book = Workbook()
    assert book.active is not None
    book.active.title = "Notes"
    for name, lines in toy.tables(SECOND, choices=blue_is_navy, lifts=lifts).items():
        sheet = book.create_sheet(name)
        for line in lines:
            sheet.append([int(cell) if cell.isdigit() else cell or None for cell in line])
        sheet.append([None, None])
    book.save(root.parent / "two.xlsx")
    assert publish(root, root.parent / "two.xlsx", TODAY).problems == []
    other = toy.root(root.parent / "other")
    assert (
        publish(other, sheets(root.parent / "two", SECOND, choices=blue_is_navy, lifts=lifts), TODAY).problems == []
    )
    assert files(root) == files(other)
    assert "choices.csv" in {path.name for path in (root / "xlsforms/toy").iterdir()}


def test_lists_that_are_the_shared_ones_stay_shared(root: Path, no_java: None) -> None:
    assert publish(root, sheets(root.parent / "two", SECOND, choices=list), TODAY).problems == []
    assert not (root / "xlsforms/toy/choices.csv").exists()


def test_an_edited_shared_list_does_not_bend_what_phones_have(root: Path, no_java: None) -> None:
    assert publish(root, sheets(root.parent / "two", SECOND), TODAY).problems == []
    shared = root / "choices.csv"
    shared.write_text(shared.read_text(encoding="utf-8") + "colour,green,Lục,Green\n", encoding="utf-8")
    found = load_catalogue(root).current_of("toy")
    assert found is not None and "green" not in found.xml
    assert publish(root, sheets(root.parent / "three", THIRD), TODAY).diff[2:4] == [
        "  ~ colour “Màu”",
        "      option green “Lục”: new",
    ]


@pytest.mark.parametrize(
    ("version", "survey", "message"),
    [
        (FIRST, list, f"toy {FIRST} is published already, and nothing is different"),
        (FIRST, without("size"), f"toy {FIRST} exists with another content: raise the version in settings"),
        ("2025010101", list, f"2025010101 is older than the current {FIRST}: phones only go up"),
        ("2", list, "settings row 2: the version must be ten digits, YYYYMMDDNN, not '2'"),
        (SECOND, cells("title", type="integer"),
         "title: its type was text and would be integer, which needs another name"),
        (SECOND, without("visit_result"),
         "visit_result: the server reads it and its options by name; they must stay"),
        (SECOND, cells("size", name="weight", save_to="weight"),
         "/data/weight: entity type thing has no property weight"),
        (SECOND, cells("size", type="text", name="length"),
         "length: it asks for text, but property size is of type integer"),
        (SECOND, cells("title", calculation="${nothing}"),
         "survey row 6 (question title): calculation speaks of ${nothing}: no question has that name"),
        (SECOND, cells("title", type="txet"), "survey row 6 (question title): there is no question type 'txet'"),
        (SECOND, cells("title", name="colour"), "survey row 7 (question colour): the name ${colour} is used twice"),
        (SECOND, lambda lines: [*lines, ["end_group", *[""] * 8]],
         "survey row 10: this end_group closes nothing: no begin_group above is still open"),
        (SECOND, cells("size", relevant="nosuch(${colour})"),
         "survey row 8 (question size): there is no function nosuch(), in ${size}"),
        (SECOND, cells("size", relevant="${size} > 1"),
         "survey row 8 (question size): these conditions wait for each other in a circle: ${size}"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said_in_words(root: Path, version: str, survey: Change, message: str) -> None:
    assert message in refused(root, sheets(root.parent / "two", version, survey))


def test_a_property_that_is_gone_needs_a_word_on_its_answers(root: Path, no_java: None) -> None:
    path = root / "entities/thing.yaml"
    path.write_text("".join(x for x in path.read_text().splitlines(True) if "size:" not in x), encoding="utf-8")
    two = sheets(root.parent / "two", SECOND, without("size"))
    assert refused(root, two) == ["/data/size: entity type thing has no property size"]
    sheets(two, SECOND, without("size"), lifts=[[SECOND, "name", "", "size", ""]])
    assert publish(root, two, TODAY).problems == []


def test_what_officers_alone_read_cannot_be_opened(root: Path, no_java: None) -> None:
    assert second(root).problems == []
    path = root / "entities/thing.yaml"
    path.write_text("".join(x for x in path.read_text().splitlines(True) if "secret:" not in x), encoding="utf-8")
    three = sheets(root.parent / "three", THIRD, without("secret"), blue_is_navy)
    assert refused(root, three) == [f"toy {FIRST}: secret was protected, and now everybody could read it"]


def test_a_renamed_question_without_its_row_is_noticed(root: Path, no_java: None) -> None:
    two = sheets(root.parent / "two", SECOND, cells("size", name="length"))
    assert publish(root, two, TODAY, dry_run=True).notes[1:] == [
        "size is gone and length has its label: if it was renamed, say so in lifts.csv"
    ]


def test_rows_of_lifts_are_needed_for_ever(root: Path, no_java: None) -> None:
    second(root)
    lifts = [[THIRD, "code", "outcome", "2", "3"]]
    path = sheets(root.parent / "three", THIRD, choices=blue_is_navy, lifts=lifts)
    assert refused(root, path) == [
        f"lifts.csv: the row {SECOND},code,colour,blue,navy is missing; it is needed for ever"
    ]


def test_the_products_own_sheets_are_not_a_source(root: Path) -> None:
    assert refused(root, root / "xlsforms/toy") == [
        "toy is among the product's own forms: edit a copy of it, and publish that"
    ]
    assert refused(root, root.parent) != []
    (root.parent / "x.xlsx").write_bytes(b"nonsense")
    assert "x.xlsx is no workbook" in refused(root, root.parent / "x.xlsx")[0]


def test_withdrawn_is_no_longer_offered_and_still_accepted(root: Path, no_java: None) -> None:
    second(root)
    assert set_state(root, "toy", SECOND, Publication.WITHDRAWN) is None
    catalogue = load_catalogue(root)
    assert catalogue.offered() == [] and catalogue.find("toy", SECOND) is not None
    assert set_state(root, "toy", SECOND, Publication.PUBLISHED) is None
    assert [form.version for form in load_catalogue(root).offered()] == [SECOND]
    assert set_state(root, "toy", "1", Publication.WITHDRAWN) == "there is no toy 1"


def test_rolling_back_is_a_new_version_with_the_old_content(root: Path, no_java: None) -> None:
    first = load_catalogue(root).current_of("toy")
    second(root)
    report = rollback(root, "toy", FIRST, THIRD, TODAY)
    assert first is not None and report.form is not None and report.problems == []
    assert report.form.xml == first.xml.replace(FIRST, THIRD)
    lifts = load_catalogue(root).lifts
    assert [lifts.code(["colour"], code) for code in ("blue", "navy", "red")] == ["blue", "blue", "red"]


@pytest.mark.parametrize(
    ("version", "message"),
    [
        ("2020010101", "there is no toy 2020010101"),
        (FIRST, f"toy {FIRST} is withdrawn: restore it first"),
    ],
)
def test_what_cannot_be_rolled_back_to(root: Path, version: str, message: str, no_java: None) -> None:
    second(root)
    set_state(root, "toy", FIRST, Publication.WITHDRAWN)
    assert rollback(root, "toy", version, THIRD, TODAY).problems == [message]
    refusal = rollback(root, "toy", SECOND, SECOND, TODAY).problems
    assert refusal == [f"toy {SECOND} is published already, and nothing is different"]


def test_the_java_of_the_tests_is_found() -> None:
    assert odk.java() is not None
