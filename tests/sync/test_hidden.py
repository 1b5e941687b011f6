"""What a form version cannot show is neither taken away nor cleared by those who fill it in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forms.entity_types import Cell, PolicyName, Property, PropertyType
from sync.state.answered import Context, write_of
from sync.state.model import Op, Write
from tests.sync.profile import PROFILE

CODES = "abcde"
some = st.frozensets(st.sampled_from(CODES))
SETS = (PolicyName.LATEST, PolicyName.UNION, PolicyName.UNION_GROW)


def written(prop: Property, said: Any, shown: Any, hidden: frozenset[str], tells: bool) -> Write | None:
    """What an answer writes where `shown` was known; with `seen`, or with a form that loads it."""
    op = Op(
        sub="s", entity="e", author="u", t=0, said={prop.name: said},
        seen={prop.name: shown} if tells else None, loaded=frozenset({prop.name}),
    )  # fmt: skip
    cell = Cell(prop.name, prop.policy, (prop,))
    return write_of(
        op, Context(op, op.said, cell, lambda: {prop.name: shown}, list, lambda _: True, {prop.name: hidden})
    )


@PROFILE
@given(st.sampled_from(SETS), some, some, some, st.booleans())
def test_of_a_set_only_the_difference_counts(
    policy: PolicyName, shown: frozenset[str], hidden: frozenset[str], said: frozenset[str], tells: bool
) -> None:
    prop = Property("p", PropertyType.SET, policy, "S1", "", "", list="l")
    answer = said - hidden  # of what it cannot show nothing can be chosen
    write = written(prop, sorted(answer) or None, sorted(shown), hidden, tells)
    left = answer | (shown & hidden)
    if write is None:
        assert left == shown
    else:
        assert left != shown and frozenset(write.value.get("p", ())) == left
        assert not write.removed & hidden


@PROFILE
@given(st.sampled_from(CODES), some, st.sampled_from([*CODES, None]), st.booleans())
def test_a_blank_clears_only_what_was_on_the_screen(
    shown: str, hidden: frozenset[str], said: str | None, tells: bool
) -> None:
    prop = Property("p", PropertyType.CODE, PolicyName.LATEST, "S1", "", "", list="l")
    write = written(prop, said, shown, hidden, tells)
    if said == shown or (said is None and shown in hidden):
        assert write is None
    else:
        assert write is not None and write.value == ({"p": said} if said else {})


@pytest.mark.parametrize("shown", ["Bờ Kênh", 4, ["a"]])
def test_a_property_of_another_name_could_not_be_seen_at_all(shown: Any) -> None:
    kind = PropertyType.SET if isinstance(shown, list) else PropertyType.TEXT
    prop = Property("p", kind, PolicyName.LATEST, "S1", "", "")
    assert written(prop, None, shown, frozenset("*"), False) is None
