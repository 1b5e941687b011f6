"""The fast way in never says yes where marshmallow says no, and loads the same values; good answers get through."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.catalogue import Entry, load_catalogue
from forms.schema import ROW_ID, check
from tests.forms.answering import HOSTILE, ordinary, spoilt
from tests.forms.test_filling import compiled, row

KINDS = ("text", "integer", "decimal", "date", "dateTime", "geopoint", "select_one needs", "select_multiple needs")
TOY = Entry(
    compiled(
        [
            *(row(kind, f"q{number}") for number, kind in enumerate(KINDS)),
            row("select_one_from_file child.csv", "child"),
            row("select_multiple_from_file child.csv", "children"),
            row("begin_repeat", "rows"),
            row("dateTime", "moment"),
            row("end_repeat"),
        ],
        [],
    )
)
ENTRIES = [*load_catalogue().entries(), TOY]
PROFILE = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
every = pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.form.id} {entry.form.version}")


def agrees(entry: Entry, answers: Any) -> bool:
    """Whether the gate let the answers in; if so, marshmallow must load the very same."""
    fast = entry.gate.load(answers)
    if fast is None:
        return False
    loaded, problems = check(entry.schema, answers)
    assert problems == []
    assert repr(fast) == repr(loaded)  # also the types, and the order
    return True


@every
@PROFILE
@given(data=st.data())
def test_what_the_gate_lets_in_marshmallow_lets_in_and_reads_alike(entry: Entry, data: st.DataObject) -> None:
    agrees(entry, data.draw(spoilt(entry.form)))


@every
def test_no_question_is_fooled_by_any_of_the_values_that_have_fooled_a_checker(entry: Entry) -> None:
    form = entry.form
    for value in HOSTILE:
        agrees(entry, value)
        for name in (*(question.name for question in form.of(None)), *form.repeats, ROW_ID, "zz", ""):
            agrees(entry, {name: value})
    for repeat in form.repeats:
        for name in (*(question.name for question in form.of(repeat)), ROW_ID):
            for value in HOSTILE:
                agrees(entry, {repeat: [{name: value}]})


@every
def test_ordinary_answers_get_through(entry: Entry) -> None:
    random = Random("ordinary")
    sample = [ordinary(entry.form, random) for _ in range(100)]
    assert all(check(entry.schema, answers)[1] == [] for answers in sample)
    assert sum(agrees(entry, answers) for answers in sample) >= 95


@every
def test_what_does_not_get_through_is_explained(entry: Entry) -> None:
    answers = {entry.form.of(None)[0].name: {"no": "answer"}, "zz": 1}
    assert entry.gate.load(answers) is None
    assert entry.check(answers) == check(entry.schema, answers)
    assert {problem.code for problem in entry.check(answers)[1]} == {"bad_value", "unknown_property"}


def test_the_days_of_two_centuries_get_through_and_no_others() -> None:
    gate = Entry(compiled([row("date", "day")], [])).gate
    for year in (1899, 1900, 1904, 1996, 2000, 2023, 2024, 2096, 2099, 2100, *range(2001, 2022)):
        for month in range(14):
            for number in range(33):
                text = f"{year:04}-{month:02}-{number:02}"
                assert (gate.load({"day": text}) is not None) == (_real(text) and 1900 <= year < 2100), text


def _real(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False


def test_nothing_that_is_nested_deep_breaks_it() -> None:
    entry = next(entry for entry in ENTRIES if entry.form.repeats)
    deep: list[Any] = []
    for _ in range(50_000):
        deep = [deep]
    assert entry.gate.load({entry.form.repeats[0]: deep}) is None


def test_a_name_with_a_dot_has_no_fast_way() -> None:
    """To marshmallow it is a path."""
    entry = Entry(compiled([row("text", "plain"), row("text", "dot.ted")], []))
    assert entry.gate.load({"plain": "x"}) is None


def test_threads_share_a_gate() -> None:
    entry = ENTRIES[0]
    random = Random("threads")
    sample = [ordinary(entry.form, random) for _ in range(50)]
    once = [entry.gate.load(answers) for answers in sample]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(entry.gate.load, sample * 4)) == once * 4
