"""What values alone say of a condition is never otherwise whatever the ages: planning passes over rules by it."""

from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.visits.conditions import Facts, compile_condition

NAMES, CODES = ["a", "b", "c"], ["1", "2", "3"]
DAYS = st.dates(date(2010, 1, 1), date(2027, 12, 31))
VALUES = st.none() | st.sampled_from(CODES) | st.lists(st.sampled_from(CODES)) | st.integers(0, 40)
NAMED = st.sampled_from(NAMES)
SIMPLE = st.one_of(
    st.builds(lambda name, code: {"property": name, "equals": code}, NAMED, st.sampled_from(CODES)),
    st.builds(
        lambda name, codes: {"property": name, "in": codes}, NAMED, st.lists(st.sampled_from(CODES), min_size=1)
    ),
    st.builds(lambda name, code: {"property": name, "contains": code}, NAMED, st.sampled_from(CODES)),
    st.builds(lambda name, most: {"property": name, "below": most}, NAMED, st.integers(0, 40)),
    st.builds(lambda name, is_blank: {"property": name, "blank": is_blank}, NAMED, st.booleans()),
    st.builds(lambda low, more: {"age": {"from": low, "below": low + more}}, st.integers(0, 9), st.integers(1, 9)),
    st.builds(lambda below: {"child": {"below": below}}, st.integers(1, 16)),
)
CONDITIONS = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.builds(lambda parts: {"all": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda parts: {"any": parts}, st.lists(inner, min_size=1, max_size=3)),
        st.builds(lambda part: {"not": part}, inner),
    ),
    max_leaves=8,
)


@given(CONDITIONS, st.dictionaries(NAMED, VALUES), st.lists(DAYS, max_size=3), DAYS)
def test_what_values_alone_say_holds_at_any_age(
    raw: dict[str, Any], data: dict[str, Any], births: list[date], day: date
) -> None:
    condition = compile_condition(raw)
    assert condition.told(data) in (None, condition.holds(Facts(data, births, day)))


@given(CONDITIONS, st.dictionaries(NAMED, VALUES), DAYS)
def test_only_ages_leave_it_open(raw: dict[str, Any], data: dict[str, Any], day: date) -> None:
    condition = compile_condition(raw)
    assert condition.ages or condition.told(data) is condition.holds(Facts(data, [], day))
