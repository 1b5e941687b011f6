"""XPath as far as a server can decide it. `None` is Kleene's third value: only the phone could know."""

import math
from dataclasses import dataclass, field
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forms.expressions import Value, compile_expression, number, string, truth


@dataclass
class Answers:
    """Answered questions; a name that is not there cannot be decided."""

    values: dict[str, str] = field(default_factory=dict)
    today: date = date(2026, 11, 23)

    def value(self, name: str) -> Value:
        return self.values.get(name)


SCOPE = Answers({"age": "12", "name": "Nguyễn Thị Lan", "signs": "s1 s3", "blank": "", "dob": "2014-02-28"})


def result(source: str, here: Value = "") -> Value:
    return compile_expression(source)(SCOPE, here)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("1 + 2 * 3", 7.0),
        ("(1 + 2) * 3", 9.0),
        ("10 - 4 - 3", 3.0),
        ("12 div 4 div 3", 1.0),
        ("7 mod 4 + 1", 4.0),
        ("-7 mod 4", -3.0),
        ("- 2 + 5", 3.0),
        ("--2", 2.0),
        (".5 * 4", 2.0),
        ("1 + 1 = 2", True),
        ("1 < 2 = true()", True),
        ("2 > 1 and 1 > 2 or true()", True),
        ("true() or true() and false()", True),
        ("(true() or true()) and false()", False),
        ("1 != 2 and 1 <= 1 and 2 >= 2 and not(2 < 1)", True),
        ("'a' = \"a\"", True),
        ("'and' = 'and' and 'x' = 'x'", True),
        ("10 < 9", False),
        ("'10' < '9'", False),  # comparison is numeric, also of texts
        ("'abc' < 1", False),
        ("'abc' >= 1", False),
        ("1 = '1.0'", True),
        ("'1' = '1.0'", False),
        ("true() = 'x'", True),
        ("false() = ''", True),
        ("false() = 0", True),
    ],
)
def test_operators_and_their_order(source: str, expected: Value) -> None:
    assert result(source) == expected
    assert type(result(source)) is type(expected)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("/data/group/age", "12"),
        ("../age + 1", 13.0),
        ("/data/age >= 6 and /data/age < 16", True),
        ("selected(/data/signs, 's3')", True),
        ("selected(/data/signs, 's')", False),
        ("selected( /data/blank , '')", False),
        ("count-selected(/data/signs)", 2.0),
        ("count-selected(/data/blank)", 0.0),
        ("string-length(/data/name)", 14.0),
        ("contains(/data/name, 'Thị')", True),
        ("starts-with(/data/name, 'Lan')", False),
        ("concat(/data/age, ' tuổi, ', 1 + 1)", "12 tuổi, 2"),
        ("coalesce(/data/blank, /data/age)", "12"),
        ("coalesce(/data/age, 'x')", "12"),
        ("if(/data/age < 16, 'trẻ em', 'người lớn')", "trẻ em"),
        ("if(/data/blank != '', 1, 2)", 2.0),
        ("int(12.9) + int(-12.9)", 0.0),
        ("round(2.5)", 3.0),
        ("round(1.005 * 100, 1)", 100.5),
        ("number('7') + number(true())", 8.0),
        ("boolean(/data/blank)", False),
        ("boolean('false')", True),
        ("string(3.0)", "3"),
        ("string(0.5)", "0.5"),
        ("string(1 = 1)", "true"),
        ("string(1 = 2)", "false"),
        ("once('x')", "x"),
        ("not(/data/blank)", True),
    ],
)
def test_questions_and_functions(source: str, expected: Value) -> None:
    assert result(source) == expected
    assert type(result(source)) is type(expected)


@pytest.mark.parametrize(
    ("source", "here", "expected"),
    [
        (". <= today()", "2026-11-23", True),
        (". <= today()", "2026-11-24", False),
        (". >= date('2025-07-01')", "2025-06-30", False),
        (". <= today() and . >= /data/dob", "2014-02-27", False),
        ("number(date('1970-01-02'))", "", 1.0),
        ("today() - date('2026-11-20') = 3", "", True),
        ("int((today() - /data/dob) div 365.25)", "", 12.0),
        ("format-date(today(), '%Y-%m')", "", "2026-11"),
        ("format-date('không rõ', '%Y')", "", ""),
        (". > 0", "2026-02-30", False),  # no such day: not a number
        (". = 12", "12", True),
        ("regex(., '^[0-9]{1,3}$')", "042", True),
        ("regex(., '[0-9]{1,3}')", "0429", False),
        ("regex(., '^[0-9]+$')", "12\n", False),
        ("regex(., '^(0|\\+84)[35789][0-9]{8}$')", "0912345678", True),
    ],
)
def test_dates_and_the_value_of_the_question_itself(source: str, here: str, expected: Value) -> None:
    assert result(source, here) == expected


UNKNOWN = "/data/unknown"
OPEN = f"{UNKNOWN} = 1"


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (OPEN, None),
        (f"not({OPEN})", None),
        (f"{OPEN} and false()", False),
        (f"false() and {OPEN}", False),
        (f"{OPEN} and true()", None),
        (f"true() and {OPEN}", None),
        (f"{OPEN} or true()", True),
        (f"true() or {OPEN}", True),
        (f"{OPEN} or false()", None),
        (f"false() or {OPEN}", None),
        (f"{OPEN} and {OPEN}", None),
        (f"{UNKNOWN} + 1", None),
        (f"-{UNKNOWN}", None),
        (f"concat('a', {UNKNOWN})", None),
        (f"coalesce({UNKNOWN}, 'x')", None),
        (f"if({OPEN}, 1, 1)", None),
        (f"if(true(), 1, {UNKNOWN})", 1.0),
        (f"if(false(), 1, {UNKNOWN})", None),
    ],
)
def test_what_only_the_phone_knows_is_neither_true_nor_false(source: str, expected: Value) -> None:
    assert (result(source) is None) == (expected is None)
    assert result(source) == expected


@pytest.mark.parametrize(
    "source",
    [
        "",
        "uuid()",
        "once(uuid())",
        "instance('child')/root/item[name = 'x']/age",
        "count(/data/members)",
        "/data/members[1]/age = 1",
        "pulldata('a', 'b', 'c', 'd')",
        "1 +",
        "(1",
        "1 2",
        "and 1",
        "concat('a' 'b'",
        "'unclosed",
        "age",
        "$x",
        "1 | 2",
        "a:b(1)",
        "true() junk",
        "today(1)",
        "if(1, 2)",
    ],
)
def test_what_is_not_understood_is_not_decidable(source: str) -> None:
    assert result(source) is None


@pytest.mark.parametrize("source", ["not()", "selected('a')", "round('x')", "round(1, 2, 3)", "regex('a', '(')"])
def test_what_cannot_be_computed_is_not_decidable(source: str) -> None:
    assert result(source) is None


def test_division_by_zero_is_no_number_and_no_crash() -> None:
    for source in ("1 div 0", "1 mod 0", "'' + 1", "'x' * 2", f"number('{'9' * 400}') - 1 div 0"):
        value = result(source)
        assert isinstance(value, float) and not math.isfinite(value)
        assert truth(result(f"{source} > 5 and false()")) is False


def test_conversions() -> None:
    assert [truth(v) for v in (None, "", "0", 0.0, 1.0, math.nan, True)] == [
        None, False, True, False, True, False, True,
    ]  # fmt: skip
    assert string(12.0) == "12"
    assert string(None) == ""
    assert number("2026-01-01T09:30:00+07:00") == number("2026-01-01")
    assert math.isnan(number("")) and math.isnan(number(None)) and math.isnan(number("2026-13-01"))


NOT_NUMBERS = ["inf", "Infinity", "-inf", "nan", "1_000", "1e5", "+5", "0x10", "１２", "1 2"]


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_only_xpath_numbers_are_numbers(text: str) -> None:
    """XPath 1.0 §3.7: digits, a point, a minus sign, and white space around them; not what Python accepts."""
    assert math.isnan(number(text))


def test_numbers_as_text() -> None:
    assert [number(text) for text in ("12", " 12 ", "-3", "0.5", ".5", "5.")] == [12, 12, -3, 0.5, 0.5, 5]
    assert [string(value) for value in (0.00001, -0.5, 1e15, 12.25)] == ["0.00001", "-0.5", "1" + "0" * 15, "12.25"]
    assert string(math.nan) == "NaN"
    assert (string(math.inf), string(-math.inf)) == ("Infinity", "-Infinity")


@settings(max_examples=200, deadline=None, database=None)
@given(st.text(alphabet="()/.'\"+-*<>=!, ab1:[]$\n", max_size=25) | st.text(max_size=20))
def test_no_source_crashes(source: str) -> None:
    value = result(source, "2026-01-01")
    assert value is None or isinstance(value, str | float | bool)


TRUTHS = {"true()": True, "false()": False, OPEN: None}


@settings(max_examples=200, deadline=None, database=None)
@given(st.recursive(
    st.sampled_from(sorted(TRUTHS)).map(lambda s: (s, TRUTHS[s])),
    lambda inner: st.tuples(st.sampled_from(["and", "or"]), inner, inner).map(
        lambda parts: (
            f"({parts[1][0]} {parts[0]} {parts[2][0]})",
            _kleene(parts[0], parts[1][1], parts[2][1]),
        )
    ) | inner.map(lambda part: (f"not({part[0]})", None if part[1] is None else not part[1])),
    max_leaves=8,
))  # fmt: skip
def test_three_values_follow_kleene(case: tuple[str, bool | None]) -> None:
    source, expected = case
    assert result(source) is expected


def _kleene(operator: str, a: bool | None, b: bool | None) -> bool | None:
    order = {False: 0, None: 1, True: 2}
    return (min if operator == "and" else max)((a, b), key=lambda value: order[value])
