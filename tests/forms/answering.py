"""Random answers to any form: in order, or hostile in one place or throughout."""

import uuid
from collections.abc import Mapping
from random import Random
from typing import Any

from hypothesis import strategies as st

from forms.form import Form, Kind, Question
from forms.schema import MAX_ROWS, ROW_ID
from forms.values import MAX_TEXT

Answers = dict[str, Any]

NAMES = [
    "Nguyễn Thị Hoa",
    "Thạch Sa Rết",
    "\u00d0inh Bảy",
    "Nguye\u0302\u0303n",
    "  Lê  Lợi ",
    "H'Mai",
    "កម្ពុជា",
    "李小龙",
]
DATES = ["2026-11-23", "2024-02-29", "1999-12-31", "2000-01-01"]
MOMENTS = ["2026-11-23T15:40:00+07:00", "2026-11-23T15:40:00.123+07:00", "2026-01-01T00:00:00Z"]
POINTS = ["10.0333 105.7833 0.0 4.5", "10 105", "-89.999 -179.5 12", "9.123456789 0.5"]

# Each of these has fooled a checker: the wrong kind, the wrong end of a text, a number that is none.
HOSTILE: list[Any] = [
    "", " ", "\n", "0", "1", "true", "NaN", "1.0", "null", "-0", "\x00", "a\x00b", "\ud800", "x\udfff", "\u0301",
    "0912345678\n", "1\n", "1\u2028", "٣", "2026-11-23\n", "2026-02-29", "2025-02-30", "0000-01-01", "0001-01-01",
    "9999-12-31", "2026-13-01", "2026-1-1", "20261123", "٢٠٢٦-١١-٢٣", "2026-W48-1", "2026-11-23T15:40:60Z",
    "2026-11-23T24:00:00Z", "2026-11-23T15:40:00+24:00", "2026-11-23T15:40:00+23:59", "2026-11-23T15:40:00",
    "2026-11-23T15:40Z", "2026-11-23T15:40:00.1Z", "2026-11-23 15:40:00Z", "90.1 105", "-90 180", "91 0", "10",
    "1 2 3 4 5", "10.0  105.7", "1e1 2e1", "10 105\n", "10,5 105", "\u00a0", "x" * MAX_TEXT,
    "x" * (MAX_TEXT + 1), "é" * MAX_TEXT,
    0, 1, -1, 1.0, 0.0, -0.0, 1.5, 1e15, 1e16, 1e308, 10**15, 10**15 + 1, -(10**15), 2**53 + 1, 2**63, 2**64, 10**400,
    -(10**400), float("nan"), float("inf"), float("-inf"), True, False, None, [], [[]], [None], ["1"], ["1", "1"],
    ["2", "1"], ["1 2"], [""], [1], [True], ["1"] * 501, ["\ud800"], {}, {"a": 1}, {"\ud800": 1}, [{}],
    [{}] * (MAX_ROWS + 1), [{ROW_ID: None}], [{ROW_ID: "x"}], [{ROW_ID: "{12345678-1234-5678-1234-567812345678}"}],
    [{ROW_ID: "12345678123456781234567812345678"}], [{ROW_ID: 5}], [{ROW_ID: "urn:uuid:" + "0" * 32}],
    [{ROW_ID: "ABCDEF12-1234-5678-1234-567812345678"}], [{ROW_ID: "abcdef12-1234-5678-1234-567812345678\n"}],
]  # fmt: skip


def hostile() -> st.SearchStrategy[Any]:
    """A value that is probably no answer, and never what a phone would send."""
    scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
    nested = st.recursive(
        scalars | st.sampled_from(HOSTILE),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=6,
    )
    return st.sampled_from(HOSTILE) | nested


@st.composite
def spoilt(draw: st.DrawFn, form: Form) -> Any:
    """A whole form in order, but for one place: a value, a key, or all of it."""
    answers = ordinary(form, Random(draw(st.integers(0, 999))))
    asked = {id(row): form.of(repeat) for repeat in form.repeats for row in answers[repeat]}
    rows = [row for repeat in form.repeats for row in answers[repeat]]
    place = draw(st.sampled_from([answers, *rows]))
    names = [question.name for question in asked.get(id(place), form.of(None))]
    name = draw(st.sampled_from(names) | st.sampled_from([*form.repeats, ROW_ID, "zz"]) | st.text(max_size=8))
    place[name] = draw(hostile())
    return answers if draw(st.integers(0, 20)) else draw(hostile())


def ordinary(form: Form, random: Random) -> Answers:
    """What a phone sends, but for the conditions of the form: four of five questions answered, up to five rows."""
    answers = {question.name: _usual(question, random) for question in form.of(None) if random.random() < 0.8}
    for repeat in form.repeats:
        rows = [{q.name: _usual(q, random) for q in form.of(repeat)} for _ in range(random.randint(0, 5))]
        answers[repeat] = [row | {ROW_ID: str(uuid.UUID(int=random.getrandbits(128), version=4))} for row in rows]
    return answers


def _usual(question: Question, random: Random) -> Any:
    choices = sorted(question.choices) if question.choices is not None else ["2025.31135", "01"]
    if random.random() < 0.1:
        return random.choice([None, ""])
    usual: Mapping[Kind, Any] = {
        Kind.TEXT: random.choice(NAMES),
        Kind.INTEGER: random.randint(0, 2026),
        Kind.DECIMAL: random.choice([12.5, 7, 101.25]),
        Kind.DATE: random.choice(DATES),
        Kind.DATETIME: random.choice(MOMENTS),
        Kind.CODE: random.choice(choices),
        Kind.CODES: random.sample(choices, min(len(choices), random.randint(0, 3))),
        Kind.GEOPOINT: random.choice(POINTS),
        Kind.FILE: f"{random.randint(10**9, 10**10)}.jpg",
    }
    return usual[question.kind]
