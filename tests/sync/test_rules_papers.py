"""`keep_first` by example: personal ID and insurance numbers; and what is said of the merged record."""

from typing import Any

from forms.entity_types import Check, EntityType
from sync.state.model import NoticeKind, Op
from tests.sync.types import HOME, PAPERS, extract, kind_of, members, merged, notices, op, prop, ruling

FIRST, SECOND, THIRD = "092214000123", "092214000132", "092214000999"
CREATE = op("c", 0, {"pid": FIRST}, creates=True)


def number(sub: str, t: int, pid: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"pid": pid}, saw=saw, author=sub, **more)


def test_the_first_number_fills_an_empty_cell() -> None:
    empty = op("c", 0, {"pid": None}, creates=True)
    state = merged(PAPERS, empty, number("a", 10, FIRST))
    assert state.data["pid"] == FIRST
    assert not state.conflicts and not state.notices


def test_another_number_is_a_conflict_also_from_somebody_who_knew_the_first() -> None:
    state = merged(PAPERS, CREATE, number("a", 10, SECOND))
    assert state.data["pid"] == FIRST
    assert members(state) == {"pid": ("a", "c")}
    assert not state.notices


def test_the_same_number_again_is_no_conflict() -> None:
    assert not merged(PAPERS, CREATE, number("a", 10, FIRST, loaded=())).conflicts


def test_the_earliest_good_claim_shows_until_it_is_decided() -> None:
    a, b = number("a", 20, SECOND, saw=""), number("b", 10, THIRD, saw="")
    assert merged(PAPERS, a, b).data["pid"] == THIRD
    odd = number("b", 10, THIRD, saw="", suspect=True)
    assert merged(PAPERS, a, odd).data["pid"] == SECOND
    assert members(merged(PAPERS, a, odd)) == {"pid": ("a", "b")}


def test_clearing_a_number_is_only_a_wish() -> None:
    state = merged(PAPERS, CREATE, number("a", 10, None))
    assert state.data["pid"] == FIRST
    assert notices(state) == {("a", "c", NoticeKind.ASKS_TO_CLEAR)}
    assert not state.conflicts
    refused = merged(PAPERS, CREATE, number("a", 10, None), ruling("r", 20, {"pid": FIRST}, "ca"))
    assert not refused.notices


def test_a_ruling_of_who_knew_the_claims_stands() -> None:
    other = number("a", 10, SECOND)
    decided = ruling("r", 20, {"pid": SECOND}, "ca")
    state = merged(PAPERS, CREATE, other, decided)
    assert state.data["pid"] == SECOND
    assert not state.conflicts
    assert state.cells["pid"].ruled == (("c", "r"),)
    unseen = number("x", 5, THIRD)
    third = merged(PAPERS, CREATE, other, decided, unseen)
    assert third.data["pid"] == SECOND
    assert members(third) == {"pid": ("r", "x")}
    half = merged(PAPERS, CREATE, other, ruling("r", 20, {"pid": SECOND}, "c"))
    assert not half.conflicts  # the claim that he had not seen says the same
    assert members(merged(PAPERS, CREATE, other, ruling("r", 20, {"pid": THIRD}, "c"))) == {"pid": ("a", "r")}


def test_a_ruling_that_there_is_no_number_stands_too() -> None:
    state = merged(PAPERS, CREATE, ruling("r", 20, {"pid": None}, "c"))
    assert "pid" not in state.data
    assert not state.conflicts and not state.notices
    assert members(merged(PAPERS, CREATE, ruling("r", 20, {"pid": None}, "c"), number("x", 30, SECOND))) == {
        "pid": ("r", "x")
    }


def test_what_was_typed_over_nothing_is_a_claim_of_its_own() -> None:
    typed = number("a", 10, SECOND, loaded=())
    assert extract(PAPERS, CREATE, typed).writes()["a"]["pid"].replaces == frozenset()
    assert members(merged(PAPERS, CREATE, typed)) == {"pid": ("a", "c")}


# --- the merged record --------------------------------------------------------------------------------------------


def school() -> EntityType:
    kind = kind_of(
        prop("dob", "date"),
        prop("checkup", "date"),
        prop("uses_boat"),
        prop("life_jacket", applies="${uses_boat} = '1'"),
        HOME,
    )
    after_birth = Check("checkup_after_birth", "${dob} = '' or ${checkup} = '' or ${checkup} >= ${dob}", "", "")
    return EntityType(kind.name, 1, kind.label, kind.properties, (after_birth,))


def test_a_check_between_two_valid_parts_fails_on_the_merged_record_and_refuses_nothing() -> None:
    a, b = op("a", 10, {"dob": "2026-05-01"}), op("b", 20, {"checkup": "2026-04-01"}, author="Anh Tư")
    assert merged(school(), a).broken == () == merged(school(), b).broken
    state = merged(school(), a, b)
    assert state.broken == ("checkup_after_birth",)
    assert state.data == {"dob": "2026-05-01", "checkup": "2026-04-01"}


def test_what_no_longer_applies_is_kept_and_shown_as_such() -> None:
    wears = op("a", 10, {"uses_boat": "1", "life_jacket": "1"})
    stops = op("b", 20, {"uses_boat": "0"}, saw="a", author="Anh Tư")
    assert merged(school(), wears).idle == ()
    state = merged(school(), wears, stops)
    assert state.idle == ("life_jacket",)
    assert state.data["life_jacket"] == "1"
