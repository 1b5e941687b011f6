"""Every question of every form: what its own engine takes is taken, what is of another type is explained there."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.catalogue import load_catalogue
from forms.filling import fill
from forms.form import Form, Kind, Question
from forms.schema import check, schema_of
from tests.engines.javarosa import Engine
from tests.engines.town import Filler, Filling
from tests.sync.profile import PROFILE

CATALOGUE = load_catalogue()
FORMS: Mapping[str, Form] = {form.id: form for form in CATALOGUE.current()}
SCHEMAS = {name: schema_of(form) for name, form in FORMS.items()}
QUESTIONS = [(name, question) for name, form in FORMS.items() for question in form.questions]
TODAY = date(2026, 11, 23)

# For each kind values that are of another: none of them is blank, and none has a reading that would do.
OTHER: Mapping[Kind, Sequence[Any]] = {
    Kind.TEXT: [7, 1.5, True, ["Bé"], {"vi": "Bé"}, "a\x00b", "\ud800", "x" * 10_001],
    Kind.INTEGER: ["7", 1.5, True, [7], {"n": 7}, 10**16, "bảy"],
    Kind.DECIMAL: ["7.5", True, [7.5], float("nan"), 1e16],
    Kind.DATE: ["2026-02-30", "23/11/2026", "2026-11-23T08:00", "0000-01-01", "hôm qua", 20261123, ["2026-11-23"]],
    Kind.DATETIME: ["2026-11-23", "2026-11-23T08:00:00", "2026-11-23T25:00:00+07:00", 1764000000, ["x"]],
    Kind.CODE: [1, True, ["1"], "hai mã", "\x00", "x" * 121, {"code": "1"}],
    Kind.CODES: [1, True, [1], {"code": "1"}, ["hai mã"], ["x" * 121]],
    Kind.FILE: [7, True, ["a.jpg"], {"name": "a.jpg"}, "a\x00.jpg", "x" * 201],
    Kind.GEOPOINT: ["10.0", "91 105", "10 181", "mười 105", [10.0, 105.7], 10.0],
}


@pytest.fixture(scope="module")
def made(engine: Engine) -> Mapping[str, Sequence[Filling]]:
    """A few fillings of each form, by the engine that phones run."""
    return Filler(engine, FORMS, 12, 5, TODAY).everything()


def problems(name: str, answers: Mapping[str, Any]) -> set[tuple[str, str]]:
    """(code, pointer) of all that is wrong with these answers."""
    loaded, found = check(SCHEMAS[name], answers)
    found = found or list(fill(FORMS[name], CATALOGUE.types, loaded, [], "uuid:1", date(2026, 11, 24)).problems)
    return {(problem.code, problem.pointer) for problem in found}


def put(filling: Filling, question: Question, value: Any) -> tuple[Mapping[str, Any], str]:
    """The answers with another one to a question, and where that stands."""
    answers = filling.answers()
    if question.repeat is None:
        answers[question.name] = value
        return answers, f"/answers/{question.name}"
    rows = answers.setdefault(question.repeat, [{}])
    rows[0][question.name] = value
    return answers, f"/answers/{question.repeat}/0/{question.name}"


def test_every_filling_of_the_engine_is_taken(made: Mapping[str, Sequence[Filling]]) -> None:
    assert set(made) == set(FORMS)
    for name, fillings in made.items():
        for filling in fillings:
            assert problems(name, filling.answers()) == set()


@PROFILE
@given(data=st.data())
def test_another_type_is_explained_at_its_question_and_nowhere_else(
    made: Mapping[str, Sequence[Filling]], data: st.DataObject
) -> None:
    name, question = data.draw(st.sampled_from(QUESTIONS))
    filling = data.draw(st.sampled_from(made[name]))
    answers, pointer = put(filling, question, data.draw(st.sampled_from(OTHER[question.kind])))
    assert {(code, place.partition(pointer)[1]) for code, place in problems(name, answers)} == {
        ("bad_value", pointer)
    }


@PROFILE
@given(data=st.data())
def test_a_code_that_is_on_no_list_is_explained_at_its_question(
    made: Mapping[str, Sequence[Filling]], data: st.DataObject
) -> None:
    name, question = data.draw(st.sampled_from([(name, q) for name, q in QUESTIONS if q.choices is not None]))
    codes = st.text("0123456789ABCxyz", min_size=1, max_size=4)
    code = data.draw(codes.filter(lambda code: code not in (question.choices or ())))
    filling = data.draw(st.sampled_from(made[name]))
    answers, pointer = put(filling, question, [code] if question.kind is Kind.CODES else code)
    assert problems(name, answers) == {("bad_value", pointer)}


@PROFILE
@given(data=st.data())
def test_what_a_form_does_not_ask_is_named(made: Mapping[str, Sequence[Filling]], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(FORMS)))
    strange = data.draw(st.sampled_from(["la", "full_name_2", "ghi_chu"]))
    answers = data.draw(st.sampled_from(made[name])).answers() | {strange: "x"}
    assert problems(name, answers) == {("unknown_property", f"/answers/{strange}")}


def test_a_required_answer_that_is_missing_is_asked_for(made: Mapping[str, Sequence[Filling]]) -> None:
    """Of the questions that are always put; what depends on others is compared with the engine in `tests/api`."""
    always = [(name, q) for name, q in QUESTIONS if q.required is not None and not q.relevant]
    assert len(always) > 15
    for name, question in always:
        answers, pointer = put(made[name][0], question, None)
        assert ("required", pointer) in problems(name, answers)
