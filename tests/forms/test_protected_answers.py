"""Answers for the protected half: found by name, told apart, never loaded, and not named to their author."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest

from forms.entity_types import EntityType, Half, protected_id
from forms.filling import Told, fill
from forms.form import Form, FormError
from forms.schema import DISCREET, Problem, check, discreet, schema_of
from tests.forms.test_filling import compiled_with, row
from tests.forms.test_published import CATALOGUE, CHILD, MET, NEW, entry, filled
from tests.sync.types import prop

HALF = EntityType(
    "child_protected",
    1,
    "child",
    {
        "child": prop("child", "ref", "review", placement=True, of="child"),
        "signs": prop("signs", "set", "union", half=Half.PROTECTED, danger=("*",)),
        "danger": prop("danger", "code", "highest", half=Half.PROTECTED, rank=("0", "1")),
        "weight": prop("weight", "integer", "series", half=Half.PROTECTED),
    },
    half=Half.PROTECTED,
)
OPEN = {
    "full_name": prop("full_name", "name", "review"),
    "household": prop("household", "ref", "review", placement=True),
}
TYPES = {
    "child": EntityType("child", 1, "full_name", OPEN, protected_half=HALF),
    "child_protected": HALF,
    "household": EntityType("household", 1, "head", {"head": prop("head", placement=True)}),
}
BY_ID = [{"list_name": "child", "label": "${full_name}", "entity_id": "${child}"}]
PERSON = [row("select_one_from_file child.csv", "child"), row("text", "full_name", save_to="full_name")]
SIGNS = row("select_multiple needs", "signs")


def compiled(*survey: Mapping[str, str], entities: Sequence[Mapping[str, str]] = BY_ID) -> Form:
    return compiled_with(TYPES, survey, entities)


FORM = compiled(
    *PERSON,
    row("integer", "age"),
    row("begin_group", "h", relevant="${age} >= 6"),
    SIGNS,
    row("select_one yes_no", "danger", required="${signs} != ''"),
    row("integer", "weight", constraint=". > 0"),
    row("end_group"),
)


def told(form: Form, answers: Mapping[str, Any]) -> list[Told]:
    loaded, problems = check(schema_of(form), answers)
    assert not problems
    return list(fill(form, TYPES, loaded, [], "uuid:1", date(2026, 11, 24)).told)


# --- who is told --------------------------------------------------------------------------------------------------


def test_protected_answers_are_told_of_the_half_alone() -> None:
    answers = {"child": "c-1", "full_name": "Bé", "age": 9, "signs": ["o", "an"], "danger": "", "weight": 0}
    open_half, half = told(FORM, answers)
    assert open_half.said == {"full_name": "Bé"}
    assert half == Told(
        type="child_protected",
        id=protected_id("c-1"),
        said={"child": "c-1", "signs": ["an", "o"], "weight": 0},
        loaded=frozenset(),
        pointer="/answers",
    )


@pytest.mark.parametrize(
    "answers",
    [
        {}, {"signs": [], "danger": None, "weight": ""}, {"age": 9, "signs": ""},
        {"age": 5, "signs": ["an"], "danger": "1"},
    ],
    ids=str,
)  # fmt: skip
def test_nothing_is_told_of_the_half_without_an_answer_that_was_asked(answers: Mapping[str, Any]) -> None:
    assert [one.type for one in told(FORM, {"child": "c-1", **answers})] == ["child"]


def test_each_row_tells_its_own_child() -> None:
    form = compiled(
        row("text", "head"),
        row("begin_repeat", "members"),
        row("text", "full_name", save_to="child#full_name"),
        row("integer", "age"),
        SIGNS,
        row("end_repeat"),
        entities=[{"list_name": "child", "label": "${full_name}", "create_if": "${age} < 16"}],
    )
    rows = [{"full_name": "A", "age": 9, "signs": ["an"]}, {"full_name": "B", "age": 9},
            {"full_name": "C", "age": 40, "signs": ["o"]}]  # fmt: skip
    a, half, b = told(form, {"members": rows})
    assert (a.type, half.type, b.type) == ("child", "child_protected", "child")
    assert half.said == {"child": a.id, "signs": ["an"]}
    assert (half.id, half.pointer) == (protected_id(a.id), "/answers/members/0")


PERSON_TYPE = EntityType("person", 1, "head", {"head": prop("head", placement=True)}, protected_half=HALF)


def two_groups(
    other: EntityType, beside: Sequence[dict[str, str]], kid: Sequence[dict[str, str]] = (), home: Any = ()
) -> Form:
    """A child in one group and another entity in a second, with protected questions in the groups or beside them."""
    kids = [row("begin_group", "kid"), row("text", "full_name", save_to="child#full_name"), *kid, row("end_group")]
    homes = [row("begin_group", "home"), row("text", "head", save_to=f"{other.name}#head"), *home, row("end_group")]
    entities = [*BY_ID, {"list_name": other.name, "label": "${head}", "create_if": "true()"}]
    survey = [row("select_one_from_file child.csv", "child"), *kids, *homes, *beside]
    return compiled_with({**TYPES, other.name: other}, survey, entities)


def test_a_question_beside_the_childs_group_is_the_childs() -> None:
    form = two_groups(TYPES["household"], [SIGNS])
    assert [container.path for container in form.containers] == ["/data/kid", "/data/home"]
    half = next(one for one in told(form, {"child": "c-1", "signs": ["an"]}) if one.type == HALF.name)
    assert half.said == {"child": "c-1", "signs": ["an"]}


def test_a_question_that_may_be_of_two_is_refused() -> None:
    with pytest.raises(FormError, match="nobody can say whose signs"):
        two_groups(PERSON_TYPE, [SIGNS])


def test_each_group_tells_its_own_half() -> None:
    form = two_groups(PERSON_TYPE, [], [SIGNS], [row("select_one yes_no", "danger")])
    types = {**TYPES, "person": PERSON_TYPE}
    answers, _ = check(schema_of(form), {"child": "c-1", "signs": ["an"], "danger": "1"})
    found = fill(form, types, answers, [("person", "p-1")], "uuid:1", date(2026, 11, 24)).told
    assert [(one.id, one.said) for one in found if one.type == HALF.name] == [
        (protected_id("c-1"), {"child": "c-1", "signs": ["an"]}),
        (protected_id("p-1"), {"person": "p-1", "danger": "1"}),
    ]


def test_the_shipped_form_tells_the_officers() -> None:
    secret = {
        "abuse_signs": ["9", "1"], "immediate_danger": "1", "sc_protected": ["SC09"], "at_risk_protected": ["AR6"],
        "child_marriage": "0", "substance_use": "9",
    }  # fmt: skip
    child, half = filled(NEW, **secret, internet_use=["3", "4"]).told
    assert half.said == {"child": CHILD, **secret, "abuse_signs": ["1", "9"]}
    assert half.loaded == frozenset()
    assert child.said["internet_use"] == ["3", "4"] and "internet_use" in child.loaded
    assert not set(child.said) & set(secret)
    nobody = filled(NEW, **secret, visit_result="3")
    assert [one.type for one in nobody.told] == ["child"]
    young = filled(NEW, **secret, dob="2018-01-01", internet_use=["3"])
    assert not {"child_marriage", "substance_use"} & set(young.told[1].said)


@pytest.mark.parametrize(
    ("answers", "code"), [({"abuse_signs": ["1"]}, "required"), ({"internet_use": ["1", "2"]}, "constraint")]
)
def test_what_section_h_demands(answers: Mapping[str, Any], code: str) -> None:
    assert [problem.code for problem in filled(NEW, **answers).problems] == [code]


def test_a_danger_may_be_told_without_signs() -> None:
    assert filled(NEW, immediate_danger="1").told[1].said == {"child": CHILD, "immediate_danger": "1"}


# --- forms that would lose or leak an answer ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("survey", "message"),
    [
        ([*PERSON, row("text", "signs")], "protected property signs is of type set"),
        ([*PERSON, row("select_one needs", "signs")], "protected property signs is of type set"),
        ([*PERSON, row("select_multiple needs", "signs", save_to="signs")], "child has no property signs"),
        ([*PERSON, row("begin_repeat", "r"), SIGNS, row("end_repeat")], "nobody can say whose signs"),
        ([*PERSON, SIGNS | {"trigger": "${child}",
                            "calculation": "instance('child')/root/item[name=${child}]/signs"}], "may load nothing"),
        ([*PERSON, row("select_multiple needs", "signs", save_to="household")], "may load nothing and save to"),
    ],
)  # fmt: skip
def test_a_form_that_would_lose_or_leak_an_answer_is_refused(survey: list[dict[str, str]], message: str) -> None:
    with pytest.raises(FormError, match=message):
        compiled(*survey)


def test_no_list_on_a_phone_may_hold_a_half() -> None:
    entities = [{"list_name": "child_protected", "label": "${full_name}", "entity_id": "${child}"}]
    with pytest.raises(FormError, match="no entity type for forms is called 'child_protected'"):
        compiled(*PERSON[:1], row("text", "full_name"), entities=entities)


def test_the_name_of_the_child_in_its_half_is_no_protected_question() -> None:
    assert FORM.by_name["child"].protected is None
    other = compiled(row("text", "head", save_to="head"), SIGNS, entities=[{"list_name": "household", "label": "x"}])
    assert other.by_name["signs"].protected is None  # a household has no half


# --- what the author hears of it ----------------------------------------------------------------------------------


def test_the_author_hears_nothing_of_a_protected_question() -> None:
    bad = MET | {"abuse_signs": ["77"], "sc_protected": ["SC01"], "sex": "7"}
    form = entry(NEW).form
    _, problems = check(entry(NEW).schema, bad)
    found = discreet(problems, form, CATALOGUE.types)
    assert set(found) == {DISCREET, next(p for p in problems if p.pointer == "/answers/sex")}
    assert len(found) == 2
    assert "SC01" not in repr(found) and "abuse" not in repr(found) and "77" not in repr(found)
    assert (DISCREET.code, DISCREET.pointer) == ("bad_value", "/answers")


@pytest.mark.parametrize(
    "pointer",
    ["/answers/abuse_signs", "/answers/rows/3/abuse_signs", "/xml/data/interview/protection/abuse_signs",
     "/answers/x~1abuse_signs", "/answers/immediate_danger/0", "/answers/law_conflict"],
)  # fmt: skip
@pytest.mark.parametrize("code", ["unknown_property", "required", "constraint"])
def test_wherever_its_name_stands(pointer: str, code: str) -> None:
    for form in (None, entry(NEW).form):
        assert discreet([Problem(code, pointer, "x")], form, CATALOGUE.types) == (DISCREET,)


def test_other_problems_are_told_as_they_are() -> None:
    others = (
        Problem("bad_value", "/answers/child", "x"),
        Problem("bad_value", "", "y"),
        Problem("ward_ambiguous", "/answers/ward_code", "z", ("2025.31120", "2025.31168")),
    )
    assert discreet(others, None, CATALOGUE.types) == others
    assert discreet([], None, CATALOGUE.types) == ()
