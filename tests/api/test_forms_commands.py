"""`flask forms`: what its commands say, and that the pages about the forms are up to date."""

from pathlib import Path

import pytest
from click.testing import Result

import server.cli.form_versions
import server.publishing.odk
from forms.catalogue import FOLDER, Catalogue, load_catalogue
from server.cli.form_versions import PAGES, stale_pages
from tests.api.builders import VERSIONS, item, new_id, register
from tests.api.conftest import Town
from tests.publishing import toy
from tests.publishing.toy import FIRST, SECOND, sheets, without

OLD = "2026112301"


def run(town: Town, *words: str) -> Result:
    return town.app.test_cli_runner().invoke(args=["forms", *words])


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of forms to write in."""
    folder = toy.root(tmp_path / "forms")
    monkeypatch.setattr(server.cli.form_versions, "folder", lambda: folder)
    monkeypatch.setattr(server.publishing.odk, "java", lambda: None)
    return folder


def test_the_pages_about_the_forms_are_up_to_date(catalogue: Catalogue) -> None:
    assert list(stale_pages(catalogue)) == [], "run: flask forms docs"


def test_each_page_tells_of_every_question_where_it_goes_and_who_reads_it(catalogue: Catalogue) -> None:
    for form in catalogue.current():
        page = (PAGES / f"{form.id}.md").read_text(encoding="utf-8")
        told = {part.partition("`")[0]: part for part in page.split("### `")[1:]}
        for question in form.questions:
            if question.property:
                assert question.container is not None
                assert f"goes to: `{question.container.type}.{question.property}`" in told[question.name]
                assert "read by: everybody who has" in told[question.name]
            if question.protected:
                owner = catalogue.types[question.protected.type]
                half = owner.protected_half or owner
                assert f"goes to: `{half.name}.{question.name}`" in told[question.name]
                assert "read by: the officers of the area alone" in told[question.name]


def test_a_page_that_is_old_or_too_many_is_written_anew(
    town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server.cli.form_versions, "PAGES", tmp_path / "pages")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages/gone.md").write_text("x", encoding="utf-8")
    checked = run(town, "docs", "--check")
    assert checked.exit_code == 1 and "docs/forms/gone.md is not up to date" in checked.output
    assert run(town, "docs").exit_code == 0
    assert run(town, "docs", "--check").output == ""
    assert sorted(path.name for path in (tmp_path / "pages").iterdir()) == sorted(
        path.name for path in PAGES.iterdir()
    )


def test_the_list_counts_what_came_with_each_version(town: Town) -> None:
    town.apply(register(new_id(), {}))
    town.push([item("child_situation", {}) | {"version": "1"}])
    lines = run(town, "list").output.splitlines()
    current = VERSIONS["household_registration"]
    (line,) = [line for line in lines if line.startswith(f"household_registration {current} current")]
    assert " 1 submissions" in line and "sha256" in line
    assert any(line.startswith(f"child_situation {OLD} published since 2026-11-23") for line in lines)
    assert lines[-1].split() == ["child_situation", "1", "unknown", "1", "submissions"]


def test_versions_folders_and_workbooks_can_be_compared(town: Town, tmp_path: Path) -> None:
    said = run(town, "diff", f"child_situation@{OLD}", "child_situation").output
    assert said.startswith(f"child_situation {OLD} -> {VERSIONS['child_situation']}\n")
    assert (
        "+ abuse_signs “Dấu hiệu bạo lực, xâm hại, bỏ mặc”: new, codes; goes to child_protected.abuse_signs" in said
    )
    same = run(town, "diff", "child_situation", str(FOLDER / "xlsforms/child_situation")).output
    assert "no question is different" in same
    wrong = run(town, "diff", "child_situation", str(tmp_path / "nothing"))
    assert wrong.exit_code == 1 and "neither a folder with sheets nor a workbook" in wrong.output


def test_publish_withdraw_restore_and_roll_back(town: Town, root: Path) -> None:
    two = str(sheets(root.parent / "two", SECOND, without("size")))
    tried = run(town, "publish", two, "--dry-run")
    assert tried.exit_code == 0 and "nothing was written (--dry-run)" in tried.output
    assert "note: ODK Validate was skipped" in tried.output
    done = run(town, "publish", two)
    assert done.exit_code == 0 and f"toy {SECOND} is current." in done.output
    again = run(town, "publish", two)
    assert again.exit_code == 1 and f"wrong: toy {SECOND} is published already" in again.output
    assert run(town, "withdraw", "toy", SECOND).exit_code == 0
    assert load_catalogue(root).offered() == []
    assert run(town, "restore", "toy", SECOND).exit_code == 0
    assert run(town, "withdraw", "toy", "1").exit_code == 1
    back = run(town, "rollback", "toy", FIRST)
    assert back.exit_code == 0, back.output
    current = load_catalogue(root).current_of("toy")
    assert current is not None and current.version > SECOND and "size" in current.by_name
    assert run(town, "rollback", "nothing", FIRST).exit_code == 1
