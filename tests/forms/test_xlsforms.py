"""The forms, code lists and entity types as they are shipped.

They compile, agree with each other, and keep apart what must not come back to a phone.
"""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from forms.entity_types import EntityType, Half, PolicyName, PropertyType
from forms.form import Form
from forms.type_files import load_entity_types
from forms.xform import read_form
from forms.xlsform import SheetError, Sheets, XForm, load_sheets, to_xform
from tests.forms.odk_validate import odk_validate

ROOT = Path(__file__).parents[2]
FORMS = ROOT / "forms/xlsforms"
SHARED = ROOT / "forms/choices.csv"
TYPES = load_entity_types(ROOT / "forms/entities")
NAMES = ("child_situation", "household_registration")
VI, EN = "Tiếng Việt (vi)", "English (en)"
LIST = re.compile(r"select_(?:one|multiple) (\S+)")
UNSEEN = {"start", "end", "calculate", "csv-external", "end_group", "end_repeat"}
FIRST = ["visit_date", "visit_result"]


def sheets_of(name: str) -> Sheets:
    return load_sheets(FORMS / name, SHARED)


SHEETS: dict[str, Sheets] = {name: sheets_of(name) for name in NAMES}
XFORMS: dict[str, XForm] = {name: to_xform(sheets) for name, sheets in SHEETS.items()}
READ: dict[str, Form] = {name: read_form(x.xml, x.ward_list, TYPES) for name, x in XFORMS.items()}
each_form = pytest.mark.parametrize("name", NAMES)
each_type = pytest.mark.parametrize("kind", TYPES.values(), ids=lambda kind: kind.name)


def saved(type_name: str) -> set[str]:
    """The properties of an entity type that some form writes."""
    questions = {
        q.property for form in READ.values() for q in form.questions if q.container and q.container.type == type_name
    }
    updating = {c.type for form in READ.values() for c in form.containers}
    repeats = {repeat for form in READ.values() for repeat in form.repeats if type_name in updating}
    return {prop for prop in questions if prop} | repeats


def found_by_name(type_name: str) -> set[str]:
    """The properties of a protected half that some form asks for."""
    asked = [q for form in READ.values() for q in form.questions if q.protected]
    halves = {q.name: TYPES[q.protected.type].protected_half for q in asked if q.protected}
    return {name for name, half in halves.items() if half and half.name == type_name}


def test_every_form_folder_is_known_here() -> None:
    assert {path.name for path in FORMS.iterdir() if path.is_dir()} == set(NAMES)


@each_form
def test_compiles_without_a_warning(name: str) -> None:
    xform = XFORMS[name]
    assert xform.warnings == ()
    assert (xform.form_id, xform.ward_list) == (name, "2025")
    assert re.fullmatch(r"\d{10}", xform.version)
    assert f'<translation lang="{VI}" default="true()">' in xform.xml


def test_collect_applies_the_entities_offline() -> None:
    """Collect does so under these two versions of the specification; several lists need the later."""
    found = {name: re.findall(r'entities:entities-version="([^"]*)"', x.xml) for name, x in XFORMS.items()}
    assert found == {"child_situation": ["2024.1.0"], "household_registration": ["2025.1.0"]}


@each_form
def test_compiling_twice_gives_the_same_bytes(name: str) -> None:
    assert to_xform(sheets_of(name)).xml == XFORMS[name].xml


@each_form
def test_javarosa_accepts_it(name: str, tmp_path: Path) -> None:
    accepted, said = odk_validate(XFORMS[name].xml, tmp_path)
    assert accepted, said


def test_javarosa_refuses_an_update_of_a_list_that_is_not_loaded(tmp_path: Path) -> None:
    sheets = SHEETS["household_registration"]
    without = tuple(row for row in sheets.survey if row["type"] != "csv-external")
    accepted, said = odk_validate(to_xform(replace(sheets, survey=without)).xml, tmp_path)
    assert not accepted
    assert "household" in said


@each_form
def test_question_names_are_unique_in_the_whole_form(name: str) -> None:
    names = [row["name"] for row in SHEETS[name].survey if "name" in row and row["type"] != "csv-external"]
    assert sorted(names) == sorted(set(names))


@each_form
def test_everything_read_is_in_both_languages(name: str) -> None:
    for row in (*SHEETS[name].survey, *SHEETS[name].choices):
        for column in ("label", "hint", "constraint_message"):
            assert (f"{column}::{VI}" in row) == (f"{column}::{EN}" in row), row
        unseen = row.get("type", "choice") in UNSEEN or row.get("name") == "interview"
        assert f"label::{VI}" in row or unseen, row
        assert ("constraint" in row) == (f"constraint_message::{VI}" in row), row


@each_form
def test_the_visit_comes_first_and_opens_the_rest(name: str) -> None:
    form = READ[name]
    assert [q.name for q in form.questions[:2]] == FIRST
    interview = f"/{form.questions[0].path.split('/')[1]}/interview/"
    opened = {q.name for q in form.questions if q.path.startswith(interview)}
    always = {q.name for q in form.questions if not q.relevant}
    assert opened & {"gps", "phone", "members", "full_name", "sc_codes", "risk_now"}
    assert not opened & always
    assert {"visit_date", "visit_result", "note"} <= always


def test_a_household_that_was_not_met_can_be_found_again() -> None:
    always = {q.name for q in READ["household_registration"].questions if not q.relevant}
    assert {"ward_code", "hamlet_code", "address_line", "landmark", "head_name"} <= always


def test_a_location_is_recorded_only_after_the_family_was_informed() -> None:
    row = next(row for row in SHEETS["household_registration"].survey if row["type"] == "geopoint")
    assert row["relevant"] == "${informed_and_agreed} = '1'"


@each_form
def test_what_is_saved_is_a_property_under_its_own_name(name: str) -> None:
    for question in READ[name].questions:
        if question.property is not None:
            assert question.name == question.property
            assert question.container is not None
            prop = TYPES[question.container.type].properties[question.property]
            assert bool(question.calculation) == prop.calculated, question.name


@each_type
def test_every_property_is_asked_by_some_form(kind: EntityType) -> None:
    derived = {name for name, prop in kind.properties.items() if prop.policy is PolicyName.DERIVED}
    if kind.half is Half.PROTECTED:
        # The police answer for it, not a collaborator; the child is the one whose half it is.
        assert set(kind.properties) - found_by_name(kind.name) == {kind.placement.name, "law_conflict"}
    else:
        assert set(kind.properties) - derived - saved(kind.name) == set()
    assert derived & saved(kind.name) == set()
    assert kind.label in kind.properties


@each_type
def test_codes_agree_with_the_lists(kind: EntityType) -> None:
    offered: dict[str, set[str]] = {}
    for sheets in SHEETS.values():
        for row in sheets.choices:
            offered.setdefault(row["list_name"], set()).add(row["name"])
    columns = [spec for prop in kind.properties.values() for spec in prop.fields.values()]
    lists = {prop.list for prop in kind.properties.values()} | {spec.get("list") for spec in columns}
    assert lists - {None} <= set(offered)
    for prop in kind.properties.values():
        assert (prop.type in (PropertyType.CODE, PropertyType.SET)) == (prop.list is not None), prop.name
        assert prop.sensitivity in {"S1", "S2", "S3"}
        assert prop.vi and prop.en
        if prop.rank:
            assert set(prop.rank) == offered[prop.list or ""]


@each_form
def test_a_question_offers_the_list_of_its_property(name: str) -> None:
    lists = {row["name"]: m.group(1) for row in SHEETS[name].survey if (m := LIST.match(row["type"]))}
    for question in READ[name].questions:
        if question.property and question.container and question.name in lists:
            assert lists[question.name] == TYPES[question.container.type].properties[question.property].list
    for repeat in READ[name].repeats:
        prop = TYPES["child"].properties.get(repeat)
        if prop is not None:
            assert {q.name for q in READ[name].of(repeat)} == set(prop.fields)
            assert all(lists.get(column) == spec.get("list") for column, spec in prop.fields.items())


def test_a_known_child_is_shown_as_it_is_known() -> None:
    form = READ["child_situation"]
    child = TYPES["child"].properties
    for question in form.questions:
        if question.property is not None:
            series = child[question.property].policy is PolicyName.SERIES
            assert question.prefilled == (not series and question.calculation is None), question.name
    assert sum(question.prefilled for question in form.questions) > 40


def test_a_child_member_becomes_a_child_of_this_household() -> None:
    form = READ["household_registration"]
    kinds = {container.type: container for container in form.containers}
    assert kinds["household"].id_question == "household_id"
    assert kinds["child"].repeat == "members"
    assert kinds["child"].create is not None
    in_row = {q.property for q in form.of("members") if q.property}
    assert {"household", "full_name", "sex", "dob", "dob_precision", "pid", "relationship"} <= in_row


def test_marriage_and_pregnancy_are_not_asked_of_children() -> None:
    rows = {row["name"]: row for row in SHEETS["household_registration"].survey if "name" in row}
    for name in ("marital", "pregnant"):
        assert "${member_age} >= 16" in rows[name]["relevant"]


SETTINGS = "form_title,form_id,version,ward_list\nT,t,1,2025\n"


def write_form(folder: Path, survey: str, settings: str = SETTINGS) -> Path:
    (folder / "survey.csv").write_text(survey, encoding="utf-8")
    (folder / "entities.csv").write_text("list_name,label\n", encoding="utf-8")
    (folder / "settings.csv").write_text(settings, encoding="utf-8")
    return folder


def test_a_misspelt_column_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="relevent") as caught:
        load_sheets(write_form(tmp_path, "type,name,relevent\ntext,a,1\n"), SHARED)
    assert (caught.value.sheet, caught.value.row) == ("survey", 1)


def test_a_comma_without_quotes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SheetError, match="comma") as caught:
        load_sheets(write_form(tmp_path, f"type,name,label::{VI}\ntext,a,A,b\n"), SHARED)
    assert (caught.value.sheet, caught.value.row) == ("survey", 2)


@pytest.mark.parametrize(
    ("line", "place", "message"),
    [
        ("text,b,${nothing}", ("survey", 4), "nothing"),
        ("end_group,,", (None, 4), "Unmatched"),
        ("nonsense,b,B", (None, None), "nonsense"),
    ],
)
def test_what_pyxform_refuses_names_its_row(
    line: str, place: tuple[str | None, int | None], message: str, tmp_path: Path
) -> None:
    folder = write_form(tmp_path, f"type,name,label::{VI}\ntext,a,A\n,,\n{line}\n")
    with pytest.raises(SheetError, match=message) as caught:
        to_xform(load_sheets(folder, SHARED))
    assert (caught.value.sheet, caught.value.row) == place


@pytest.mark.parametrize("left_out", ["form_title", "form_id", "version", "ward_list"])
def test_a_missing_setting_is_named(left_out: str, tmp_path: Path) -> None:
    names = [name for name in ("form_title", "form_id", "version", "ward_list") if name != left_out]
    settings = f"{','.join(names)}\n{','.join('1' for _ in names)}\n"
    folder = write_form(tmp_path, f"type,name,label::{VI}\ntext,a,A\n", settings)
    with pytest.raises(SheetError, match=left_out):
        to_xform(load_sheets(folder, SHARED))


def test_the_forms_own_list_stands_instead_of_the_shared_one(tmp_path: Path) -> None:
    folder = write_form(tmp_path, f"type,name,label::{VI}\nselect_one sex,a,A\nselect_one toilet,b,B\n")
    (folder / "choices.csv").write_text(f"list_name,name,label::{VI}\nsex,7,Khác\n", encoding="utf-8")
    choices = load_sheets(folder, SHARED).choices
    assert [row["name"] for row in choices if row["list_name"] == "sex"] == ["7"]
    assert {row["list_name"] for row in choices} == {"sex", "toilet"}
