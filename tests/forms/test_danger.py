"""Danger signs are found in whatever can be read, and nothing that was sent makes that fail."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.danger import MAX_CODES, danger_signs, danger_signs_of_xml
from tests.forms.test_entity_types import TYPES

ALL = {"immediate_danger": "1", "abuse_signs": ["1", "5"]}


@pytest.mark.parametrize(
    "answers",
    [
        {"immediate_danger": "1", "abuse_signs": ["5", "1", "1"]},
        {"immediate_danger": 1, "abuse_signs": "5 1", "phone": "không phải số", "strange": {"x": [[[]]]}},
        {"immediate_danger": True, "abuse_signs": (5, 1.0)},
        {"interview": {"protection": {"immediate_danger": ["1"], "abuse_signs": ["1 5"]}}},
        {"interview/protection/immediate_danger": "1", "interview/protection/abuse_signs": "1 5"},
        {"rows": [{"abuse_signs": ["1"]}, {"abuse_signs": "5"}, {"immediate_danger": "0"}, {"immediate_danger": 1}]},
        [{"immediate_danger": " 1\n"}, None, 7, [{"abuse_signs": ["1", None, {"a": 1}, 5]}]],
    ],
    ids=range(7),
)  # fmt: skip
def test_signs_are_found_by_name_in_any_shape(answers: Any) -> None:
    assert danger_signs(TYPES, answers) == ALL


@pytest.mark.parametrize(
    "answers",
    [
        {}, [], None, "abuse_signs", 1,
        {"immediate_danger": "0"}, {"immediate_danger": "9"}, {"immediate_danger": False}, {"immediate_danger": "11"},
        {"abuse_signs": []}, {"abuse_signs": ""}, {"abuse_signs": None}, {"abuse_signs": False}, {"abuse_signs": {}},
        {"abuse_signs": " "}, {"abuse": ["1"]}, {"sc_protected": ["SC11"], "risk_now": "3"}, {1: {2: "1"}},
    ],
    ids=str,
)  # fmt: skip
def test_what_is_no_sign(answers: Any) -> None:
    assert danger_signs(TYPES, answers) == {}


def test_a_sign_of_no_known_code_is_a_sign() -> None:
    assert danger_signs(TYPES, {"abuse_signs": ["la_hét"]}) == {"abuse_signs": ["la_hét"]}


def test_what_is_looked_at_and_told_is_bounded() -> None:
    many = danger_signs(TYPES, {"abuse_signs": [str(n) for n in range(100_000)]})
    assert len(many["abuse_signs"]) <= MAX_CODES
    assert len(danger_signs(TYPES, {"abuse_signs": "x" * 10_000})["abuse_signs"][0]) <= 120
    assert danger_signs(TYPES, {"abuse_signs": 10**400, "immediate_danger": float("nan")}) == {}
    assert danger_signs(TYPES, [[]] * 10**6 + [{"immediate_danger": "1"}]) == {"immediate_danger": "1"}
    rows = [{"abuse_signs": [f"{row}-{n}" for n in range(40)]} for row in range(10)]
    assert len(danger_signs(TYPES, rows)["abuse_signs"]) == MAX_CODES
    endless: list[Any] = []
    endless.append(endless)
    assert danger_signs(TYPES, endless) == {}
    circle: dict[str, Any] = {"immediate_danger": "1"}
    circle["again"] = circle
    deep: Any = {"immediate_danger": "1"}
    for _ in range(5_000):
        deep = [deep]
    assert danger_signs(TYPES, circle) == danger_signs(TYPES, deep) == {"immediate_danger": "1"}


names = (
    st.sampled_from(["immediate_danger", "abuse_signs", "a/abuse_signs", "child", "x"]) | st.text() | st.integers()
)
scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["1", "0", "1 5"])


@given(st.recursive(scalars, lambda inner: st.lists(inner) | st.dictionaries(names, inner), max_leaves=30))
def test_nothing_that_may_be_sent_raises(answers: Any) -> None:
    signs = danger_signs(TYPES, answers)
    assert set(signs) <= {"immediate_danger", "abuse_signs"}
    assert signs.get("immediate_danger", "1") == "1"
    assert all(isinstance(code, str) and code for code in signs.get("abuse_signs", []))


XML = """<data xmlns="http://openrosa.org/xforms" id="child_situation" version="?">
  <lạ><p:protection xmlns:p="urn:x"><p:abuse_signs>5 1</p:abuse_signs></p:protection></lạ>
  <immediate_danger>1</immediate_danger><phone>x</phone></data>"""


def test_signs_are_found_in_an_instance_of_any_form() -> None:
    assert danger_signs_of_xml(TYPES, XML) == ALL
    assert danger_signs_of_xml(TYPES, XML.replace(">1<", ">0<").replace("5 1", "")) == {}
    assert danger_signs_of_xml(TYPES, "<abuse_signs><x>1</x></abuse_signs>") == {}


@pytest.mark.parametrize(
    "xml",
    [XML[:-3], "", "x", None, 7, {}, b"<immediate_danger>1</immediate_danger>", "<d>\ud800</d>",
     '<!DOCTYPE d [<!ENTITY x "1">]><immediate_danger>&x;</immediate_danger>',
     "<a>" * 5_000 + "</a>" * 5_000],
    ids=range(10),
)  # fmt: skip
def test_what_cannot_be_read_tells_nothing(xml: Any) -> None:
    assert danger_signs_of_xml(TYPES, xml) == {}


@given(st.text() | st.text(alphabet="<>/a&;'\"=[! ").map(lambda text: f"<d>{text}</d>"))
def test_no_text_raises(xml: str) -> None:
    assert danger_signs_of_xml(TYPES, xml) == {}
