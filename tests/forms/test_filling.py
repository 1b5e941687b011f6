"""Filling in two small forms, compiled as every form is: what counts, who is told what, what is broken."""

import uuid
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from forms.entity_types import EntityType
from forms.filling import CONSTRAINT, REQUIRED, Filled, fill
from forms.form import Form, FormError, Kind
from forms.instance import UnreadableInstance, answers_of, parse_instance
from forms.schema import MAX_ROWS, ROW_ID, UNKNOWN, check, schema_of
from forms.xform import read_form
from forms.xlsform import Sheets, to_xform
from tests.sync.types import kind_of, prop

VI = "label::Tiếng Việt (vi)"
MESSAGE = "constraint_message::Tiếng Việt (vi)"
TYPES = {
    "household": kind_of(
        prop("ward_code", "ward", "review", group="place", placement=True),
        prop("head_name", "name", "review"),
        prop("phone"),
        prop("zalo"),
        prop("members_counted", calculated=True),
        prop("not_declared"),
        name="household",
    ),
    "child": kind_of(
        prop("full_name", "name", "review"),
        prop("dob", "date", "review"),
        prop("needs", "set", "union"),
        prop("school"),
        prop("photo", "file"),
        prop("imm_doses", "rows", "series", key="dose"),
        prop("household", "ref", "review", placement=True, calculated=True),
    ),
}


def row(kind: str, name: str = "", **columns: str) -> dict[str, str]:
    cells = {"type": kind, "name": name} | {MESSAGE if k == "message" else k: v for k, v in columns.items()}
    return cells if kind.startswith(("end", "calculate", "csv", "begin")) else cells | {VI: name}


def compiled(survey: Sequence[Mapping[str, str]], entities: Sequence[Mapping[str, str]]) -> Form:
    return compiled_with(TYPES, survey, entities)


def compiled_with(
    types: Mapping[str, EntityType],
    survey: Sequence[Mapping[str, str]],
    entities: Sequence[Mapping[str, str]],
    ward_list: str = "2025",
) -> Form:
    settings = {"form_title": "Thử", "form_id": "thu", "version": "1", "ward_list": ward_list}
    choices = [{"list_name": "needs", "name": code, VI: code} for code in ("an", "hoc", "o")] + [
        {"list_name": "yes_no", "name": code, VI: code} for code in ("0", "1")
    ]
    sheets = {"survey": survey, "choices": choices, "entities": entities, "settings": [settings]}
    rows = {name: tuple(found) for name, found in sheets.items()}
    headers = {name: tuple(dict.fromkeys(column for r in found for column in r)) for name, found in rows.items()}
    form = to_xform(Sheets(rows["survey"], rows["choices"], rows["entities"], rows["settings"], headers))
    return read_form(form.xml, form.ward_list, types)


REGISTER = compiled(
    [
        row("date", "visit_date", required="yes", constraint=". <= today()", message="Ngày đến ở tương lai."),
        row("select_one yes_no", "visit_result", required="yes"),
        row("calculate", "household_id", calculation="once(uuid())"),
        row("begin_group", "interview", relevant="${visit_result} = '1'"),
        row("text", "ward_code", required="yes", save_to="household#ward_code"),
        row("text", "head_name", required="yes", save_to="household#head_name"),
        row("text", "phone", constraint="regex(., '^0[0-9]{9}$')", save_to="household#phone"),
        row("text", "phone_note", required="${phone} = ''", relevant="${head_name} != ''"),
        row("text", "zalo", relevant="${phone} != ''", save_to="household#zalo"),
        row("integer", "people", constraint=". >= 1 and . <= 30"),
        row("calculate", "counted", calculation="${people} + 1", save_to="household#members_counted"),
        row("calculate", "hidden", calculation="'x'", save_to="household#not_declared"),
        row("text", "phone_only", relevant="pulldata('a', 'b', 'c', 'd') = 1", required="yes"),
        row("end_group"),
        row("begin_repeat", "members"),
        row("text", "full_name", required="yes", save_to="child#full_name"),
        row("date", "dob", constraint=". <= ${visit_date}", save_to="child#dob"),
        row("calculate", "age", calculation="int((${visit_date} - ${dob}) div 365.25)"),
        row("select_multiple needs", "needs", relevant="${age} < 16", save_to="child#needs"),
        row("calculate", "home", calculation="${household_id}", save_to="child#household"),
        row("end_repeat"),
    ],
    [
        {"list_name": "household", "label": "${head_name}", "entity_id": "${household_id}", "create_if": "true()",
         "update_if": "false()"},
        {"list_name": "child", "label": "${full_name}", "create_if": "${age} < 16"},
    ],
)  # fmt: skip
UPDATE = compiled(
    [
        row("date", "visit_date"),
        row("select_one_from_file child.csv", "child", required="yes"),
        row("text", "full_name", calculation="instance('child')/root/item[name=${child}]/full_name",
            trigger="${child}", save_to="full_name"),
        row("text", "school", save_to="school"),
        row("begin_repeat", "imm_doses"),
        row("select_one needs", "dose", required="yes"),
        row("date", "dose_date"),
        row("end_repeat"),
    ],
    [{"list_name": "child", "label": "${full_name}", "entity_id": "${child}"}],
)  # fmt: skip
TODAY = date(2026, 11, 23)
SUB = "uuid:5f0f3f0e-0000-4000-8000-000000000001"
GOOD: dict[str, Any] = {
    "visit_date": "2026-11-20",
    "visit_result": "1",
    "ward_code": "31135",
    "head_name": "Trần  Văn Hoà",
    "phone": "0912345678",
    "phone_note": "gọi buổi tối",
    "people": 4,
    "members": [{"full_name": "Trần Thị Bé", "dob": "2018-05-04", "needs": ["hoc", "an"]}],
}


def filled(answers: Mapping[str, Any], form: Form = REGISTER, named: Sequence[tuple[str, str]] = ()) -> Filled:
    loaded, problems = check(schema_of(form), answers)
    assert not problems
    return fill(form, TYPES, loaded, named, SUB, TODAY)


def said(result: Filled, kind: str) -> list[Mapping[str, Any]]:
    return [told.said for told in result.told if told.type == kind]


def broken(answers: Mapping[str, Any], form: Form = REGISTER) -> set[tuple[str, str]]:
    return {(problem.code, problem.pointer) for problem in filled(answers, form).problems}


# --- what is told -----------------------------------------------------------------------------------------------


def test_a_whole_form_tells_the_household_and_the_child() -> None:
    result = filled(GOOD)
    assert not result.problems
    assert (result.visit_result, result.visit_date) == ("1", "2026-11-20")
    assert said(result, "household") == [
        {"ward_code": "2025.31135", "head_name": "Trần Văn Hoà", "phone": "0912345678", "members_counted": "5"}
    ]
    household = next(told.id for told in result.told if told.type == "household")
    assert said(result, "child") == [
        {"full_name": "Trần Thị Bé", "dob": "2018-05-04", "needs": ["an", "hoc"], "household": household}
    ]
    assert [told.pointer for told in result.told] == ["/answers", "/answers/members/0"]


def test_a_blank_is_told_and_what_was_not_sent_is_not() -> None:
    answers = GOOD | {"phone": "", "people": None}
    del answers["phone_note"]
    (household,) = said(filled(answers), "household")
    assert household["phone"] is None
    answers.pop("phone")
    assert "phone" not in said(filled(answers), "household")[0]


def test_no_photo_is_taken_away_by_taking_none() -> None:
    survey = [row("text", "child"), row("image", "photo", save_to="photo"), row("text", "school", save_to="school")]
    form = compiled(survey, [{"list_name": "child", "label": "x", "entity_id": "${child}"}])
    one = said(filled({"child": "c", "photo": "1.jpg", "school": "A"}, form), "child")
    none = said(filled({"child": "c", "photo": "", "school": ""}, form), "child")
    assert (one, none) == ([{"photo": "1.jpg", "school": "A"}], [{"school": None}])


def test_what_was_not_relevant_is_not_told_and_not_required() -> None:
    result = filled({"visit_date": "2026-11-20", "visit_result": "0", "head_name": "sót lại", "people": 99})
    assert result.told == ()
    left_over = {"phone": "", "zalo": "0912345678"}
    assert "zalo" not in said(filled(GOOD | left_over), "household")[0]
    assert said(filled(GOOD | {"zalo": "0987654321"}), "household")[0]["zalo"] == "0987654321"
    assert not result.problems
    assert (result.visit_result, result.visit_date) == ("0", "2026-11-20")
    adult = {"full_name": "Trần Văn Ba", "dob": "1990-01-01", "needs": ["an"]}
    child = {"full_name": "Trần Thị Bé", "dob": "2018-05-04"}
    told = said(filled(GOOD | {"members": [adult, child]}), "child")
    assert [one["full_name"] for one in told] == ["Trần Thị Bé"]


def test_a_calculated_answer_is_told_only_where_the_property_says_so() -> None:
    (household,) = said(filled(GOOD), "household")
    assert "not_declared" not in household
    sent = GOOD | {"counted": "41", "hidden": "y"}
    assert said(filled(sent), "household")[0]["members_counted"] == "41"


def test_what_cannot_be_decided_counts_as_asked_and_is_never_demanded() -> None:
    assert not filled(GOOD).problems
    no_dob = GOOD | {"members": [{"full_name": "Trần Thị Bé", "needs": ["an"]}]}
    assert not filled(no_dob).problems


def test_what_the_form_prefills_is_loaded() -> None:
    result = filled({"child": "c-1", "full_name": "Trần Thị Bé", "school": None}, UPDATE)
    (told,) = result.told
    assert told.loaded == {"full_name"}
    assert told.said == {"full_name": "Trần Thị Bé", "school": None}
    assert UPDATE.by_name["full_name"].calculation is None
    assert filled(GOOD).told[0].loaded == frozenset()


# --- ids ----------------------------------------------------------------------------------------------------------


def test_an_entity_has_the_id_that_was_answered_named_or_derived() -> None:
    assert filled({"child": "c-1"}, UPDATE, [("child", "c-2")]).told[0].id == "c-1"
    assert filled(GOOD | {"household_id": "h-1"}, named=[("household", "h-2")]).told[0].id == "h-1"
    named = filled(GOOD, named=[("household", "h-2"), ("child", "c-9")])
    assert named.told[0].id == "h-2"
    assert said(named, "child")[0]["household"] == "h-2"
    assert named.told[1].id != "c-9"  # the rows have ids of their own
    once, again = filled(GOOD), filled(GOOD)
    assert [told.id for told in once.told] == [told.id for told in again.told]
    assert all(uuid.UUID(told.id).version == 5 for told in once.told)
    other = fill(REGISTER, TYPES, once.answers, (), SUB + "x", TODAY)
    assert not {told.id for told in other.told} & {told.id for told in once.told}


def test_rows_keep_the_ids_that_they_carry() -> None:
    ident = "11111111-1111-4111-8111-111111111111"
    members = [{**GOOD["members"][0], ROW_ID: ident.upper()}, {"full_name": "Trần Văn Tí", "dob": "2020-01-01"}]
    result = filled(GOOD | {"members": members}, named=[("child", ident)])
    first, second = (told for told in result.told if told.type == "child")
    assert first.id == ident
    assert uuid.UUID(second.id).version == 5
    assert second.pointer == "/answers/members/1"
    taken = filled(GOOD | {"members": members}, named=[("household", ident)])
    assert taken.told[0].id != ident  # that id is a row's


def test_rows_of_a_series_are_told_as_rows_without_blanks() -> None:
    rows = [{"dose": "an", "dose_date": "2026-01-05"}, {"dose": "hoc", "dose_date": None}, {"dose": ""}]
    (told,) = filled({"child": "c-1", "imm_doses": rows}, UPDATE).told
    assert told.said["imm_doses"] == [{"dose": "an", "dose_date": "2026-01-05"}, {"dose": "hoc"}]
    assert "imm_doses" not in filled({"child": "c-1", "imm_doses": [{}]}, UPDATE).told[0].said
    assert "imm_doses" not in filled({"child": "c-1", "imm_doses": None}, UPDATE).told[0].said


# --- what is broken -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"visit_date": None, "members": []}, ("required", "/answers/visit_date")),
        ({"head_name": ""}, ("required", "/answers/head_name")),
        ({"phone": None, "phone_note": None}, ("required", "/answers/phone_note")),
        ({"visit_date": "2026-11-24"}, ("constraint", "/answers/visit_date")),
        ({"phone": "12"}, ("constraint", "/answers/phone")),
        ({"people": 0}, ("constraint", "/answers/people")),
        ({"people": 31}, ("constraint", "/answers/people")),
        ({"members": [{"full_name": ""}]}, ("required", "/answers/members/0/full_name")),
        (
            {"members": [{"full_name": "Bé"}, {"full_name": "Tí", "dob": "2026-11-21"}]},
            ("constraint", "/answers/members/1/dob"),
        ),
    ],
)
def test_one_broken_condition(change: Mapping[str, Any], problem: tuple[str, str]) -> None:
    assert broken({**GOOD, **change}) == {problem}


def test_a_condition_that_holds_at_its_edge_is_not_broken() -> None:
    assert not broken(GOOD | {"visit_date": "2026-11-23", "people": 30, "phone_note": None})
    assert not broken(GOOD | {"people": 1, "members": []})


def test_problems_are_told_in_vietnamese() -> None:
    problems = filled(GOOD | {"visit_date": "2026-11-24", "head_name": None, "people": 0}).problems
    assert {problem.detail for problem in problems} == {"Ngày đến ở tương lai.", REQUIRED, CONSTRAINT}


# --- the schema -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "code", "pointer"),
    [
        ({"strange": 1}, "unknown_property", "/answers/strange"),
        ({"a/b~c": 1}, "unknown_property", "/answers/a~1b~0c"),
        ({"members": [{"full_name": "Bé", "strange": 1}]}, "unknown_property", "/answers/members/0/strange"),
        ({"full_name": "Bé"}, "unknown_property", "/answers/full_name"),  # a question of the rows
        ({"people": 1.0}, "bad_value", "/answers/people"),
        ({"people": True}, "bad_value", "/answers/people"),
        ({"visit_result": "7"}, "bad_value", "/answers/visit_result"),
        ({"members": [{"needs": ["an", "x"]}]}, "bad_value", "/answers/members/0/needs"),
        ({"members": {"full_name": "Bé"}}, "bad_value", "/answers/members"),
        ({"members": ["Bé"]}, "bad_value", "/answers/members/0"),
        ({"members": [{ROW_ID: "không"}]}, "bad_value", f"/answers/members/0/{ROW_ID}"),
        ({"members": [{}] * (MAX_ROWS + 1)}, "bad_value", "/answers/members"),
        (["x"], "bad_value", "/answers"),
        (None, "bad_value", "/answers"),
    ],
)
def test_what_the_schema_refuses(answers: Any, code: str, pointer: str) -> None:
    _, problems = check(schema_of(REGISTER), answers)
    assert [(problem.code, problem.pointer) for problem in problems] == [(code, pointer)]
    assert problems[0].detail.endswith(".")
    assert problems[0].detail.isascii() is False


def test_the_valid_answers_of_a_refused_form_are_not_lost() -> None:
    rows = ["Bé", {"full_name": " Tí ", "needs": ["x"]}, {"full_name": "Tư", "strange": 1}]
    bad = GOOD | {"people": 1.5, "phone": 7, "strange": 1, "visit_result": "7", "members": rows}
    loaded, problems = check(schema_of(REGISTER), bad)
    assert {problem.pointer for problem in problems} == {
        *(f"/answers/{name}" for name in ("people", "phone", "strange", "visit_result", "members/0")),
        "/answers/members/1/needs",
        "/answers/members/2/strange",
    }
    assert loaded == {
        "visit_date": "2026-11-20",
        "ward_code": "31135",
        "head_name": "Trần  Văn Hoà",
        "phone_note": "gọi buổi tối",
        "members": [{}, {"full_name": "Tí"}, {"full_name": "Tư"}],
    }
    assert check(schema_of(REGISTER), ["x"])[0] == check(schema_of(REGISTER), None)[0] == {}


def test_what_the_schema_makes_of_answers() -> None:
    loaded, problems = check(schema_of(REGISTER), GOOD | {"members": [{"needs": "o an o"}], "people": ""})
    assert not problems
    assert loaded["members"] == [{"needs": ["an", "o"]}]
    assert loaded["people"] is None
    assert check(schema_of(REGISTER), {"strange": 1})[1][0].detail == UNKNOWN


# --- the form and its instance --------------------------------------------------------------------------------------


def test_what_the_server_reads_from_a_form() -> None:
    kinds = {question.name: question.kind for question in REGISTER.questions}
    assert kinds["visit_date"] is Kind.DATE and kinds["people"] is Kind.INTEGER
    assert kinds["visit_result"] is Kind.CODE and kinds["needs"] is Kind.CODES
    assert REGISTER.by_name["needs"].choices == frozenset({"an", "hoc", "o"})
    assert UPDATE.by_name["child"].choices is None  # the list lives on the phone
    assert REGISTER.repeats == ("members",)
    assert {question.name for question in REGISTER.of("members")} == {"full_name", "dob", "age", "needs", "home"}
    assert [(c.type, c.repeat, c.id_question) for c in REGISTER.containers] == [
        ("household", None, "household_id"),
        ("child", "members", None),
    ]
    with pytest.raises(FormError, match="no property strange"):
        compiled([row("text", "a", save_to="strange")], [{"list_name": "child", "label": "x"}])
    with pytest.raises(FormError, match="used twice: a"):
        compiled(
            [row("text", "a"), row("begin_group", "g"), row("text", "a"), row("end_group")],
            [{"list_name": "child", "label": "x"}],
        )


INSTANCE = """<?xml version="1.0"?>
<data xmlns:orx="http://openrosa.org/xforms" id="thu" version="1">
  <visit_date>2026-11-20</visit_date><visit_result>1</visit_result><household_id>h-1</household_id>
  <interview><ward_code>31135</ward_code><head_name>Trần Văn Hoà</head_name><phone/><people>4</people></interview>
  <members><full_name>Bé</full_name><dob>2018-05-04</dob><needs>hoc an</needs>
    <meta><entity dataset="child" id="22222222-2222-4222-8222-222222222222" create="1"/></meta>
  </members>
  <members><full_name>Ba</full_name><dob>1990-01-01</dob>
    <meta><entity dataset="child" id="33333333-3333-4333-8333-333333333333" create="0"/></meta></members>
  <meta><orx:instanceID>uuid:1</orx:instanceID><orx:deprecatedID>uuid:0</orx:deprecatedID>
    <entity dataset="household" id="h-1" create="1" baseVersion="" trunkVersion="" branchId=""/></meta>
</data>"""


def test_an_instance_gives_the_same_answers_as_json() -> None:
    instance = parse_instance(INSTANCE)
    assert (instance.form, instance.version) == ("thu", "1")
    assert (instance.instance_id, instance.deprecated_id) == ("uuid:1", "uuid:0")
    answers, entities, problems = answers_of(REGISTER, instance)
    assert not problems
    first = {
        "full_name": "Bé",
        "dob": "2018-05-04",
        "needs": ["hoc", "an"],
        ROW_ID: "22222222-2222-4222-8222-222222222222",
    }
    assert answers == {
        "visit_date": "2026-11-20",
        "visit_result": "1",
        "household_id": "h-1",
        "ward_code": "31135",
        "head_name": "Trần Văn Hoà",
        "phone": "",
        "people": 4,
        "members": [first, {"full_name": "Ba", "dob": "1990-01-01"}],
    }
    assert [(entity.type, entity.id, entity.create) for entity in entities] == [
        ("child", "22222222-2222-4222-8222-222222222222", True),
        ("household", "h-1", True),
    ]
    result = filled(answers, named=[(entity.type, entity.id) for entity in entities])
    assert {told.id for told in result.told} == {"h-1", "22222222-2222-4222-8222-222222222222"}


def test_a_row_whose_entity_has_no_id_gets_one_derived_from_the_submission() -> None:
    """ODK Web Forms leaves the ids blank of whom a row creates."""
    instance = parse_instance(INSTANCE.replace('id="22222222-2222-4222-8222-222222222222"', 'id=""'))
    answers, entities, problems = answers_of(REGISTER, instance)
    assert not problems and ROW_ID not in answers["members"][0]
    assert [entity.type for entity in entities] == ["household"]
    told = [filled(answers, named=[("household", "h-1")]).told for _ in range(2)]
    assert told[0] == told[1]
    (child,) = [one for one in told[0] if one.type == "child"]
    assert uuid.UUID(child.id)


@pytest.mark.parametrize(
    "xml",
    ["", "<a>", "không phải XML", '<!DOCTYPE d [<!ENTITY x "y">]><d>&x;</d>', "<!DOCTYPE d><d/>", "<d>\x00</d>",
     "<d>\ud800</d>", '<?xml version="1.0" encoding="utf-16"?><d/>'],
    ids=ascii,
)  # fmt: skip
def test_what_is_no_instance_is_refused(xml: str) -> None:
    with pytest.raises(UnreadableInstance):
        parse_instance(xml)


def test_elements_that_the_form_does_not_have_are_named() -> None:
    instance = parse_instance('<data id="thu" version="1"><interview><lạ>1</lạ></interview><!-- x --></data>')
    answers, _, problems = answers_of(REGISTER, instance)
    assert answers == {}
    assert [(p.code, p.pointer) for p in problems] == [("unknown_property", "/xml/data/interview/lạ")]
