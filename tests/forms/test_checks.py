"""Answers that look wrong are told of, by stable codes and pointers, and nothing is refused for them."""

from collections.abc import Mapping
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.catalogue import Entry, load_catalogue
from forms.checks import BIRTH_DATE, PERSONAL_ID, PHONE, VISIT_DATE, look, national
from forms.entity_types import EntityType, Half
from forms.form import Form
from forms.schema import Problem, unprotected
from tests.forms.test_filling import compiled, compiled_with, row
from tests.forms.test_protected_answers import BY_ID, HALF, PERSON, TYPES
from tests.sync.types import prop

TODAY = date(2026, 11, 27)
FORM = compiled(
    [
        row("date", "visit_date"),
        row("text", "pid"),
        row("select_one yes_no", "sex"),
        row("date", "dob"),
        row("text", "mother_pid"),
        row("integer", "mother_birth_year"),
        row("text", "caregiver_phone"),
        row("text", "phone_owner"),
        row("begin_repeat", "members"),
        row("text", "head_pid"),
        row("date", "head_dob"),
        row("end_repeat"),
    ],
    [],
)


def codes(answers: Mapping[str, Any], form: Form = FORM) -> list[tuple[str, str]]:
    return [(problem.code, problem.pointer) for problem in look(form, answers, TODAY)]


@pytest.mark.parametrize(
    ("number", "sex", "dob"),
    [
        ("092217003456", "1", "2017-05-05"),  # a boy of Cần Thơ, this century
        ("092317003456", "2", "2017-05-05"),
        ("094185003456", "2", "1985-12-31"),
        ("001099003456", "1", "1999-12-31"),
        ("001200003456", "1", "2000-01-01"),
        ("150317003456", "2", "2017-05-05"),  # born abroad
        ("092217003456", "9", "2017-05-05"),  # the sex is not known
        ("092217003456", None, None),
    ],
)
def test_personal_ids_that_fit(number: str, sex: str | None, dob: str | None) -> None:
    assert codes({"pid": number, "sex": sex, "dob": dob}) == []


@pytest.mark.parametrize(
    ("number", "sex", "dob", "words"),
    [
        ("362123456", "1", "2017-05-05", ["12 chữ số"]),  # the old identity card
        ("09221700345", "1", "2017-05-05", ["12 chữ số"]),
        ("0922170034567", "1", "2017-05-05", ["12 chữ số"]),
        ("09221700345x", "1", "2017-05-05", ["12 chữ số"]),
        ("٠٩٢٢١٧٠٠٣٤٥٦", "1", "2017-05-05", ["12 chữ số"]),
        ("000217003456", "1", "2017-05-05", ["mã tỉnh"]),
        ("097217003456", "1", "2017-05-05", ["mã tỉnh"]),
        ("092217003456", "2", "2017-05-05", ["giới tính"]),
        ("092218003456", "1", "2017-05-05", ["năm sinh"]),
        ("092017003456", "1", "2017-05-05", ["năm sinh"]),  # the other century
        ("098118003456", "1", "2017-05-05", ["mã tỉnh", "giới tính", "năm sinh"]),
    ],
)
def test_personal_ids_that_do_not(number: str, sex: str, dob: str, words: list[str]) -> None:
    found = look(FORM, {"pid": number, "sex": sex, "dob": dob}, TODAY)
    assert [(one.code, one.pointer) for one in found] == [(PERSONAL_ID, "/answers/pid")] * len(words)
    assert all(word in one.detail for word, one in zip(words, found, strict=True))
    assert not any(number in one.detail for one in found)


def test_an_id_is_compared_with_what_is_said_of_the_same_person() -> None:
    mine: dict[str, Any] = {"pid": "092217003456", "sex": "1", "dob": "2017-05-05"}
    hers = mine | {"mother_pid": "092190003456"}
    assert codes(hers | {"mother_birth_year": 1990}) == []
    assert codes(hers | {"mother_birth_year": 1991}) == [(PERSONAL_ID, "/answers/mother_pid")]
    rows = [{"head_pid": "092190003456", "head_dob": "1990-01-01"}, {"head_pid": "1", "head_dob": "2190-01-01"}]
    assert codes(mine | {"members": rows}) == [
        (PERSONAL_ID, "/answers/members/1/head_pid"),
        (BIRTH_DATE, "/answers/members/1/head_dob"),
    ]


GOOD_PHONES = [
    "0912345678", "0912 345 678", "0912.345.678", "0912-345-678", "+84912345678", "84912345678", "0084912345678",
    "+84(0)912345678", "+84 (0)912 345 678", "0312345678", "0562345678", "0702345678", "0812345678",
    "02923820111", "0292 3820 111", "+842923820111", "(0292) 3820111", "024 3825 1234",
]  # fmt: skip
BAD_PHONES = [
    "111", "113", "091234567", "09123456789", "01234567890", "07103820111", "0412345678", "912345678x",
    "+85512345678", "không có", "0912345678 / 0987654321", "٠٩١٢٣٤٥٦٧٨", "0292382011",
]  # fmt: skip


@pytest.mark.parametrize("number", GOOD_PHONES)
def test_phones_that_fit(number: str) -> None:
    assert codes({"caregiver_phone": number}) == []
    assert national(number).startswith("0") and national(number).isdigit()


@pytest.mark.parametrize("number", BAD_PHONES)
def test_phones_that_do_not(number: str) -> None:
    assert codes({"caregiver_phone": number}) == [(PHONE, "/answers/caregiver_phone")]


def test_84_is_the_country_and_not_the_beginning_of_a_number() -> None:
    assert national("+84 912 345 678") == national("0912345678") == "0912345678"
    assert national("0845678901") == "0845678901"


@pytest.mark.parametrize(
    ("answers", "found"),
    [
        ({"dob": "2026-11-27"}, []),
        ({"dob": "2026-11-28"}, [(BIRTH_DATE, "/answers/dob")]),
        ({"dob": "1906-01-01"}, []),
        ({"dob": "1905-12-31"}, [(BIRTH_DATE, "/answers/dob")]),
        ({"visit_date": "2026-11-27"}, []),
        ({"visit_date": "2026-11-28"}, [(VISIT_DATE, "/answers/visit_date")]),
        ({"dob": None, "visit_date": None, "pid": None, "caregiver_phone": None}, []),
        ({"phone_owner": "bà ngoại"}, []),
    ],
)
def test_dates(answers: dict[str, Any], found: list[tuple[str, str]]) -> None:
    assert codes(answers) == found


ODD = st.sampled_from(["2", "0" * 12, "9999-01-01", "0001-01-01"]) | st.none() | st.text() | st.integers()


@settings(max_examples=200, deadline=None, derandomize=True, database=None)
@given(st.dictionaries(st.sampled_from([q.name for q in FORM.of(None)]), ODD))
def test_nothing_in_an_answer_breaks_it(answers: dict[str, Any]) -> None:
    canonical, _ = Entry(FORM).check(answers)
    for problem in look(FORM, canonical, TODAY):
        assert problem.pointer.removeprefix("/answers/") in answers


def test_a_number_or_date_that_is_asked_as_text_is_no_date() -> None:
    form = compiled([row("text", "dob"), row("integer", "phone"), row("text", "pid")], [])
    assert codes({"dob": "năm ngoái", "phone": 3, "pid": "092217003456"}, form) == []


def test_what_is_looked_at_in_the_forms_that_there_are() -> None:
    """A new question gets its check by its name alone; this says which have one now."""
    for entry in load_catalogue().entries():
        names = {question.name for question in entry.form.questions}
        asked = {name for name in names if name.rpartition("_")[2] in ("pid", "phone", "dob")} | (
            names & {"visit_date"}
        )
        odd: dict[str, Any] = dict.fromkeys(asked, "2999-01-01")
        rows = [odd] if entry.form.repeats else []
        answers = odd | dict.fromkeys(entry.form.repeats, rows)
        found = {problem.pointer.rpartition("/")[2] for problem in look(entry.form, answers, TODAY)}
        assert found == {name for name in asked if entry.form.by_name[name].calculation is None}


def test_of_a_protected_answer_its_author_is_told_nothing() -> None:
    half = {**HALF.properties, "abuser_phone": prop("abuser_phone", "text", "keep_first", half=Half.PROTECTED)}
    secret = EntityType("child_protected", 1, "child", half, half=Half.PROTECTED)
    child = EntityType("child", 1, "full_name", TYPES["child"].properties, protected_half=secret)
    types = {**TYPES, "child": child, "child_protected": secret}
    survey = [*PERSON, row("text", "abuser_phone"), row("text", "phone")]
    form = compiled_with(types, survey, BY_ID)
    found = look(form, {"child": "c", "abuser_phone": "1", "phone": "2"}, TODAY)
    assert [problem.pointer for problem in found] == ["/answers/abuser_phone", "/answers/phone"]
    assert unprotected(found, form, types) == (found[1],)
    assert unprotected([Problem(PHONE, "/answers/abuser_phone", "")], None, types) == ()
