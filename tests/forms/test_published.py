"""Versions that were published before the present sheets: kept byte for byte, and readable for ever."""

import csv
import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from forms.catalogue import FOLDER, Catalogue, Entry, load_catalogue, read_index, sheets_of
from forms.filling import Filled, fill
from forms.form import FormError
from forms.schema import check
from forms.xlsform import load_sheets

CATALOGUE = load_catalogue()
OLD, MIDDLE, NEW = "2026112301", "2026112501", "2026112602"
CHILD = "11111111-1111-4111-8111-111111111111"
MET: dict[str, Any] = {
    "visit_date": "2026-11-23", "visit_result": "1", "respondent": "2", "informed_and_agreed": "1", "child": CHILD,
    "full_name": "Thạch Sô Phia", "sex": "2", "dob": "2012-05-31", "dob_precision": "D", "birth_reg": "1",
    "father_status": "1", "mother_status": "1", "caregiver_type": "1", "parents_away": "0", "hi_card": "1",
    "disability_degree": "0", "school_status": "1", "work_status": "0", "new_injuries": "0", "risk_now": "1",
}  # fmt: skip


def entry(version: str, catalogue: Catalogue = CATALOGUE) -> Entry:
    found = catalogue.find("child_situation", version)
    assert found is not None
    return found


def filled(version: str, **answers: Any) -> Filled:
    loaded, problems = check(entry(version).schema, MET | answers)
    assert not problems
    return fill(entry(version).form, CATALOGUE.types, loaded, [], "uuid:1", date(2026, 11, 24))


def test_every_version_is_found_and_the_newest_is_handed_out() -> None:
    current = {form.id: form.version for form in CATALOGUE.current()}
    assert (current["child_situation"], current["household_registration"]) == (NEW, "2026112601")
    assert CATALOGUE.find("household_registration", OLD) is not None
    for version in (OLD, MIDDLE, NEW):
        assert (entry(version).form.version, entry(version).form.ward_list) == (version, "2025")
    assert CATALOGUE.find("child_situation", "2026112302") is None


def test_the_old_version_asks_nothing_protected_and_is_taken_as_before() -> None:
    old, new = entry(OLD).form, entry(NEW).form
    assert not [question.name for question in old.questions if question.protected]
    asked = {question.name for question in new.questions} - {question.name for question in old.questions}
    assert asked == {q.name for q in new.questions if q.protected} | {
        "internet_use", "observe_only", "call_now", "pid_odd", "caregiver_phone_odd",
    }  # fmt: skip
    before, now = filled(OLD), filled(NEW)
    assert not before.problems and not now.problems
    (one,), (other,) = before.told, now.told
    assert (one.type, one.id, one.said) == (other.type, other.id, other.said)
    assert other.loaded - one.loaded == {"internet_use"} and one.loaded < other.loaded
    _, problems = check(entry(OLD).schema, MET | {"abuse_signs": ["1"]})
    assert [problem.code for problem in problems] == ["unknown_property"]


def test_the_old_registration_makes_a_child_of_each_row_under_16_and_nothing_of_others() -> None:
    found = CATALOGUE.find("household_registration", OLD)
    assert found is not None
    rows = [
        {
            "full_name": name,
            "relationship": "1",
            "sex": "2",
            "dob": dob,
            "dob_precision": "D",
            "residence_status": "1",
        }
        for name, dob in (("Thạch Thị Nết", "1988-04-02"), ("Thạch Sô Phia", "2018-05-31"))
    ]
    answers: dict[str, Any] = {
        "visit_date": "2026-11-23",
        "visit_result": "1",
        "respondent": "1",
        "informed_and_agreed": "1",
    }
    answers |= {
        "ward_code": "31135",
        "hamlet_code": "01",
        "address_type": "1",
        "address_line": "7",
        "head_name": "Nết",
    }
    answers |= {"poverty_status": "0", "poverty_year": 2026, "water_hazard_near": "0", "members": rows}
    loaded, problems = check(found.schema, answers)
    assert not problems
    told = fill(found.form, CATALOGUE.types, loaded, [], "uuid:1", date(2026, 11, 24)).told
    assert [(one.type, one.creates) for one in told] == [("household", True), ("child", True)]
    assert told[1].said["full_name"] == "Thạch Sô Phia"
    assert told[1].said["household"] == told[0].id


def test_the_bytes_are_those_of_the_index() -> None:
    with (FOLDER / "published/index.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    files = {path for path in (FOLDER / "published").iterdir() if path.is_file()}
    assert {row["file"] for row in rows} | {"index.csv"} == {path.name for path in files}
    for row in rows:
        found = CATALOGUE.find(row["form_id"], row["version"])
        assert found is not None and found.form.sha256 == row["sha256"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the forms that a test may spoil."""
    return Path(shutil.copytree(FOLDER, tmp_path / "forms", ignore=shutil.ignore_patterns("__pycache__", "*.py")))


def test_a_published_file_may_not_change(folder: Path) -> None:
    path = folder / f"published/child_situation-{OLD}.xml"
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(FormError, match="is not what was published"):
        load_catalogue(folder)
    path.unlink()
    with pytest.raises(FormError, match="cannot be read"):
        load_catalogue(folder)


def test_an_index_that_names_another_version_is_refused(folder: Path) -> None:
    index = folder / "published/index.csv"
    index.write_text(index.read_text(encoding="utf-8").replace(f"child_situation,{OLD}", f"child_situation,{NEW}"))
    with pytest.raises(FormError, match=f"is child_situation {OLD}"):
        load_catalogue(folder)


def test_sheets_that_are_changed_without_a_new_version_change_nothing(folder: Path) -> None:
    """What was published counts: an edited shared list alone does not bend the versions that phones have."""
    settings = folder / "xlsforms/child_situation/settings.csv"
    settings.write_text(settings.read_text(encoding="utf-8").replace(NEW, OLD), encoding="utf-8")
    found = load_catalogue(folder)
    assert entry(OLD, found).form.xml == entry(OLD).form.xml
    assert [form.xml for form in found.versions()] == [form.xml for form in CATALOGUE.versions()]


def test_the_present_sheets_are_what_was_published_or_a_new_version() -> None:
    for form in CATALOGUE.current():
        present = sheets_of(FOLDER, form.id)
        assert (present.version, present.xml) == (form.version, form.xml), "raise the version, or publish a copy"


def test_the_sheets_of_a_published_version_are_kept_with_it() -> None:
    for row in read_index(FOLDER / "published"):
        folder = FOLDER / "published" / row.file.removesuffix(".xml")
        if not folder.is_dir():
            continue  # published by hand: it can be read, but not rolled back to
        kept = load_sheets(folder, FOLDER / "choices.csv")
        assert (kept.settings[0]["form_id"], kept.settings[0]["version"]) == (row.form_id, row.version)


def test_a_folder_without_published_forms_is_fine(folder: Path) -> None:
    shutil.rmtree(folder / "published")
    assert load_catalogue(folder).find("child_situation", OLD) is None
