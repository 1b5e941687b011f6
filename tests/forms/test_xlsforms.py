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
NAMES = (
    "child_review",
    "child_situation",
    "follow_up_visit",
    "household_registration",
    "household_update",
    "protection_report",
)
VISITS = tuple(name for name in NAMES if name != "protection_report")
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
each_visit = pytest.mark.parametrize("name", VISITS)
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
    """The properties of a type that officers alone read, as far as some form asks for them."""
    asked = [(q.name, TYPES[q.protected.type]) for form in READ.values() for q in form.questions if q.protected]
    takers = [(name, kind if kind.half is Half.PROTECTED else kind.protected_half) for name, kind in asked]
    return {name for name, kind in takers if kind and kind.name == type_name}


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
    assert found.pop("child_situation") == ["2024.1.0"]
    assert all(versions in (["2025.1.0"], ["2024.1.0"]) for versions in found.values()), found


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
        unseen = row.get("type", "choice") in UNSEEN or row.get("name") in ("interview", "new_child", "new_adult")
        assert f"label::{VI}" in row or unseen, row
        assert ("constraint" in row) == (f"constraint_message::{VI}" in row), row


@each_visit
def test_the_visit_comes_first(name: str) -> None:
    form = READ[name]
    assert [q.name for q in form.questions[:2]] == FIRST
    assert all(not q.relevant for q in form.questions[:2])


@pytest.mark.parametrize("name", ["child_situation", "household_registration", "household_update"])
def test_somebody_must_be_met_for_the_rest(name: str) -> None:
    form = READ[name]
    interview = f"/{form.questions[0].path.split('/')[1]}/interview/"
    opened = {q.name for q in form.questions if q.path.startswith(interview)}
    always = {q.name for q in form.questions if not q.relevant}
    assert opened & {"phone", "full_name", "sc_codes", "risk_now"}
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
            name = question.property
            assert question.name in (name, f"adult_{name}", f"home_{name}", f"child_{name}")
            assert question.container is not None
            prop = TYPES[question.container.type].properties[question.property]
            assert bool(question.calculation) == prop.calculated, question.name


@each_type
def test_every_property_is_asked_by_some_form(kind: EntityType) -> None:
    derived = {name for name, prop in kind.properties.items() if prop.policy is PolicyName.DERIVED}
    if kind.half is Half.PROTECTED and kind.has_ward:
        assert set(kind.properties) == found_by_name(kind.name)
    elif kind.half is Half.PROTECTED:
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
    for form in (READ["household_registration"], READ["household_update"]):
        for name in ("marital", "pregnant", "education"):
            assert "/adult_" in form.by_name[name].path
            owner = form.by_name[name].container
            assert owner is not None and owner.type == "person"


def test_the_age_tells_a_child_from_an_adult() -> None:
    """At the visit: 16 is the limit of Luật Trẻ em Điều 1, whichever list the member was put on."""
    for name in ("household_registration", "household_update"):
        rows = {row.get("name"): row for row in SHEETS[name].survey}
        assert "< 16" in rows["dob"]["constraint"] and ">= 16" in rows["adult_dob"]["constraint"]


@pytest.mark.parametrize("name", ["child_situation", "follow_up_visit", "protection_report"])
def test_where_harm_may_be_told_of_the_line_is_named_and_nobody_is_to_ask_the_child(name: str) -> None:
    notes = [row for row in SHEETS[name].survey if row["type"] == "note"]
    (observe,) = [row for row in notes if row["name"] == "observe_only"]
    (call,) = [row for row in notes if row["name"] == "call_now"]
    assert "111" in observe[f"label::{VI}"] and "Không hỏi trẻ" in observe[f"label::{VI}"]
    assert "Tổng đài quốc gia bảo vệ trẻ em" in call[f"label::{VI}"]
    assert call["relevant"] == "${immediate_danger} = '1'"
    assert "relevant" not in observe


def test_a_report_asks_little_and_takes_a_child_without_a_name() -> None:
    rows = SHEETS["protection_report"].survey
    demanded = {row["name"] for row in rows if row.get("required") == "yes" and "relevant" not in row}
    assert demanded == {
        "report_channel", "received_at", "immediate_danger", "current_condition", "child_known",
        "confidentiality_level",
    }  # fmt: skip
    named = {row["name"]: row.get("relevant") for row in rows if row.get("name") in ("about_child", "child_name")}
    assert named == {"about_child": "${child_known} = '1'", "child_name": "${child_known} = '2'"}
    form = READ["protection_report"]
    assert [(c.type, c.repeat) for c in form.containers] == [("report", None)]
    assert not [q.name for q in form.questions if q.property]


def test_only_the_review_is_for_officers_and_asks_what_was_seen_of_the_official_form() -> None:
    assert [name for name, form in READ.items() if form.officers] == ["child_review"]
    form = READ["child_review"]
    scales = ("harm_still_serious", "perpetrator_access", "care_obstacles")
    for name in scales:
        assert form.by_name[name].choices == frozenset("123")
        assert form.by_name[name].protected is not None
    assert not [q.name for q in form.questions if q.property]
    assert not [q.name for q in form.questions if "self" in q.name]


def test_an_update_never_lists_a_known_member_again() -> None:
    """Who is known is chosen from the list; only a new member's name and birth are asked for."""
    form = READ["household_update"]
    for kind, who, new in (("child", "who_child", "new_child"), ("person", "who_adult", "new_adult")):
        asked = [q for q in form.questions if q.container and q.container.type == kind]
        known = {q.property for q in asked if f"/{new}/" not in q.path}
        assert known == {"presence", "presence_on"}
        assert form.by_name[who].choices is None
        (container,) = [c for c in form.containers if c.type == kind]
        assert container.create is not None and container.update is not None
    prefilled = {
        q.property for q in form.questions if q.prefilled and q.container and q.container.type == "household"
    }
    household = TYPES["household"].properties
    changing = saved("household") & set(household) - {"agreed", "agreed_note", "next_step", "next_on", "hazard_photo"}
    assert changing - prefilled == {n for n in changing if household[n].policy is PolicyName.SERIES}


@pytest.mark.parametrize("name", NAMES)
def test_long_lists_can_be_searched(name: str) -> None:
    for row in SHEETS[name].survey:
        if row["type"].startswith("select_one_from_file"):
            assert row["appearance"] == "minimal autocomplete", row["name"]


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
