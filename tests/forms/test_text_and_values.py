"""One spelling for one text, and the canonical value of each kind of answer."""

import math
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.form import Kind
from forms.text import normalise, normalise_name, storable
from forms.values import MAX_TEXT, BadValue, blank, canonical, from_text

FEW = settings(max_examples=200, deadline=None, database=None)


# --- text -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("\u00d0ặng Văn Đức", "Đặng Văn Đức"),  # Icelandic eth
        ("\u0189inh", "Đinh"),  # African D
        ("b\u00ed \u00f0ỏ", "bí đỏ"),
        ("\u0256i", "đi"),
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("Nguy\u1ec5n", "Nguyễn"),
        ("  Lê Lợi\n", "Lê Lợi"),
        ("dòng 1\ndòng 2", "dòng 1\ndòng 2"),
        ("a  b", "a  b"),
        ("", ""),
    ],
)
def test_normalise(typed: str, meant: str) -> None:
    assert normalise(typed) == meant
    assert normalise(typed) == unicodedata.normalize("NFC", normalise(typed))


def test_the_typed_place_of_the_tone_mark_is_kept() -> None:
    assert normalise("Hoà") == "Hoà"
    assert normalise("Hòa") == "Hòa"
    assert normalise("Hoà") != normalise("Hòa")


def test_names_have_single_spaces() -> None:
    assert normalise_name("  Nguyễn\u00a0 Thị \t\n Lan ") == "Nguyễn Thị Lan"
    assert normalise_name("\u00d0inh  Bảy") == "Đinh Bảy"


@FEW
@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalise(normalise(text)) == normalise(text)
    assert normalise_name(normalise_name(text)) == normalise_name(text)


def test_storable() -> None:
    assert storable("Trần Thị Bé 😀")
    assert not storable("a\x00b")
    assert not storable("\ud83d")
    assert not storable("\udfff")
    assert storable("\ue000") and storable("\ud7ff")


# --- values ---------------------------------------------------------------------------------------------------


GOOD: list[tuple[Kind, Any, Any]] = [
    (Kind.TEXT, " Nguye\u0302\u0303n ", "Nguyễn"),
    (Kind.TEXT, "x" * MAX_TEXT, "x" * MAX_TEXT),
    (Kind.TEXT, "   ", None),
    (Kind.INTEGER, 0, 0),
    (Kind.INTEGER, -3, -3),
    (Kind.INTEGER, 10**15, 10**15),
    (Kind.DECIMAL, 12, 12.0),
    (Kind.DECIMAL, 12.5, 12.5),
    (Kind.DATE, "2024-02-29", "2024-02-29"),
    (Kind.DATE, "0001-01-01", "0001-01-01"),
    (Kind.DATETIME, "2026-11-23T15:40:00.000+07:00", "2026-11-23T15:40:00.000+07:00"),
    (Kind.DATETIME, "2026-11-23T08:40:00Z", "2026-11-23T08:40:00Z"),
    (Kind.CODE, "SC01", "SC01"),
    (Kind.CODE, "đang_học", "đang_học"),
    (Kind.CODES, ["s3", "s1", "s3"], ["s1", "s3"]),
    (Kind.CODES, " s3 s1  s3 ", ["s1", "s3"]),
    (Kind.CODES, "   ", None),
    (Kind.GEOPOINT, "10.0341  105.7876 0 4.5", "10.0341 105.7876 0 4.5"),
    (Kind.GEOPOINT, "-90 180", "-90 180"),
]
BAD: list[tuple[Kind, Any]] = [
    (Kind.TEXT, 5),
    (Kind.TEXT, ["a"]),
    (Kind.TEXT, True),
    (Kind.TEXT, "a\x00"),
    (Kind.TEXT, "\ud800"),
    (Kind.TEXT, "x" * (MAX_TEXT + 1)),
    (Kind.INTEGER, True),
    (Kind.INTEGER, False),
    (Kind.INTEGER, 1.0),
    (Kind.INTEGER, "1"),
    (Kind.INTEGER, 10**15 + 1),
    (Kind.INTEGER, -(10**400)),
    (Kind.DECIMAL, True),
    (Kind.DECIMAL, math.nan),
    (Kind.DECIMAL, math.inf),
    (Kind.DECIMAL, -math.inf),
    (Kind.DECIMAL, 10**400),
    (Kind.DECIMAL, 1e16),
    (Kind.DECIMAL, "12,5"),
    (Kind.DATE, "2026-02-29"),
    (Kind.DATE, "0000-01-01"),
    (Kind.DATE, "2026-01-01\n"),
    (Kind.DATE, "2026-1-1"),
    (Kind.DATE, "20260101"),
    (Kind.DATE, "２０２６-01-01"),
    (Kind.DATE, "2026-W01-1"),
    (Kind.DATE, "2026-01-01T00:00:00Z"),
    (Kind.DATE, 20260101),
    (Kind.DATETIME, "2026-11-23T15:40:00"),
    (Kind.DATETIME, "2026-11-23"),
    (Kind.DATETIME, "2026-11-23T15:40:60Z"),
    (Kind.DATETIME, "0000-11-23T15:40:00Z"),
    (Kind.DATETIME, "2026-11-23T15:40:00+07:00\n"),
    (Kind.DATETIME, "2026-11-23\x0015:40:00+07:00"),
    (Kind.DATETIME, "2026-11-23\ud80015:40:00+07:00"),
    (Kind.DATETIME, "hôm nay"),
    (Kind.DATETIME, 0),
    (Kind.CODE, "a b"),
    (Kind.CODE, "a\n"),
    (Kind.CODE, "a\x00"),
    (Kind.CODE, "\ud800"),
    (Kind.CODE, "x" * 121),
    (Kind.CODE, 1),
    (Kind.CODE, ["a"]),
    (Kind.CODES, ["a b"]),
    (Kind.CODES, ["a", 1]),
    (Kind.CODES, ["a", None]),
    (Kind.CODES, [["a"]]),
    (Kind.CODES, {"a": 1}),
    (Kind.CODES, [str(n) for n in range(501)]),
    (Kind.GEOPOINT, "10.03"),
    (Kind.GEOPOINT, "91 0"),
    (Kind.GEOPOINT, "0 180.1"),
    (Kind.GEOPOINT, "nan 0"),
    (Kind.GEOPOINT, "0 0 0 0 0"),
    (Kind.GEOPOINT, "1,5 2"),
    (Kind.GEOPOINT, [10.0, 105.0]),
]


@pytest.mark.parametrize(("kind", "value", "expected"), GOOD, ids=repr)
def test_canonical(kind: Kind, value: Any, expected: Any) -> None:
    result = canonical(kind, value)
    assert result == expected
    assert type(result) is type(expected)
    assert canonical(kind, result) == expected


@pytest.mark.parametrize(("kind", "value"), BAD, ids=lambda v: ascii(v)[:40])
def test_refused_with_a_vietnamese_sentence(kind: Kind, value: Any) -> None:
    with pytest.raises(BadValue) as refusal:
        canonical(kind, value)
    assert refusal.value.args[0].endswith(".")


@pytest.mark.parametrize("kind", Kind)
@pytest.mark.parametrize("value", [None, "", []], ids=repr)
def test_a_blank_of_any_kind_is_none(kind: Kind, value: Any) -> None:
    assert canonical(kind, value) is None


def test_zero_and_false_are_not_blank() -> None:
    assert not blank(0) and not blank(0.0) and not blank(False) and not blank(" ")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)


@FEW
@given(st.sampled_from(Kind), JSON)
def test_any_json_is_read_or_refused_and_what_is_read_is_canonical(kind: Kind, value: Any) -> None:
    try:
        result = canonical(kind, value)
    except BadValue:
        return
    assert canonical(kind, result) == result
    assert result is None or not blank(result)
    for text in result if isinstance(result, list) else [result]:
        assert not isinstance(text, str) or storable(text)


@pytest.mark.parametrize(
    ("kind", "text", "answer"),
    [
        (Kind.INTEGER, "12", 12),
        (Kind.INTEGER, "-1", -1),
        (Kind.INTEGER, "12.0", 12.0),
        (Kind.INTEGER, "9" * 16, "9" * 16),
        (Kind.INTEGER, "12\n", "12\n"),
        (Kind.INTEGER, "１２", "１２"),
        (Kind.INTEGER, "", ""),
        (Kind.DECIMAL, "12", 12.0),
        (Kind.DECIMAL, "1.5E-2", 0.015),
        (Kind.DECIMAL, "NaN", "NaN"),
        (Kind.DECIMAL, "1_0", "1_0"),
        (Kind.CODES, "s1  s3", ["s1", "s3"]),
        (Kind.CODES, "", []),
        (Kind.TEXT, "12", "12"),
        (Kind.DATE, "2026-01-01", "2026-01-01"),
    ],
)
def test_the_text_of_an_xform_instance(kind: Kind, text: str, answer: Any) -> None:
    result = from_text(kind, text)
    assert result == answer
    assert type(result) is type(answer)
