"""The fast way in for items never says yes where marshmallow says no, and reads the same; good items get through."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sync.batch import read_item
from sync.item_gate import plain_item
from tests.api.builders import claim, item
from tests.forms.answering import HOSTILE, hostile

SEEN = {"full_name": "Thạch Sa Rết", "special_codes": ["SC01"], "grade": 3}
CLAIM = claim("child", "child-1", "12-0123456789", SEEN) | {"after": ["an-earlier-one"]}
GOOD = item("child_situation", {"full_name": "Thạch Sa Rết"}, CLAIM, claim("household", "h:1", "0-", {})) | {
    "seq": 7,
    "obs": {"boot": "b", "mono_ms": 5, "more": 1},
    "entered_late": True,
    "amends": "another",
    "xml": None,
    "media": [],
    "later": {"of": "a newer client"},
}
WITHOUT = [{name: value for name, value in GOOD.items() if name != left_out} for left_out in GOOD]
MUST = ("id", "form", "observed_at", "answers")
MOMENTS = ["2026-11-23T15:40:00+07:00", "2026-11-23T15:40:00.123Z", "2026-11-23T15:40:00.123456-05:30"]


def agrees(value: Any) -> bool:
    """Whether the gate let the item in; if so, marshmallow must read the very same."""
    fast = plain_item(value)
    if fast is None:
        return False
    slow, problems = read_item(value)
    assert problems == []
    assert repr(fast) == repr(slow)  # also the types
    return True


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_good_item_gets_through(moment: str) -> None:
    assert agrees(GOOD | {"observed_at": moment})


def test_what_may_be_left_out_may_be_left_out() -> None:
    through = {next(iter(GOOD.keys() - some.keys())): agrees(some) for some in WITHOUT}
    assert [name for name, well in through.items() if not well] == [name for name in GOOD if name in MUST]


@pytest.mark.parametrize("place", [*GOOD, "zz"])
def test_no_field_is_fooled_by_any_of_the_values_that_have_fooled_a_checker(place: str) -> None:
    for value in HOSTILE:
        agrees(value)
        agrees(GOOD | {place: value})
        for name in (*CLAIM, "zz"):
            agrees(GOOD | {"entities": [CLAIM | {name: value}]})
        for name in ("boot", "mono_ms"):
            agrees(GOOD | {"obs": {"boot": "b", "mono_ms": 5} | {name: value}})


@given(place=st.sampled_from([*GOOD, "zz"]), within=st.sampled_from([*CLAIM, "zz", None]), value=hostile())
@settings(max_examples=300, deadline=None)
def test_what_the_gate_lets_in_marshmallow_lets_in(place: str, within: str | None, value: Any) -> None:
    agrees(GOOD | ({place: value} if within is None else {"entities": [CLAIM | {within: value}]}))
