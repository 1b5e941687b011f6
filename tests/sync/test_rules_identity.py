"""The merge rules of identity and place by example: names are disputed, and nobody moves a family by a typo."""

from typing import Any

import pytest

from sync.state.model import Op, Standing, State
from tests.sync.types import CHILD, HOUSEHOLD, extract, members, merged, op, ruling

CREATE = op(
    "c",
    0,
    {
        "full_name": "Nguyễn Thị Lan",
        "phone": "0912345678",
        "phone_owner": "mẹ",
        "risk_now": "vua",
        "school": "Tiểu học Kim Đồng",
        "household": "ho-1",
    },
    creates=True,
)
HOME = {"ward_code": "2025.31135", "hamlet_code": "03"}
REGISTERED = op("c", 0, HOME | {"head_name": "Trần Văn Hòa"}, creates=True)


def name(sub: str, t: int, text: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"full_name": text}, saw=saw, **more)


# --- review -------------------------------------------------------------------------------------------------


def test_two_names_are_a_conflict_and_the_later_shows_meanwhile() -> None:
    a, b = name("a", 10, "Nguyễn Thị Lan Anh"), name("b", 20, "Nguyễn Thị Loan")
    state = merged(CHILD, CREATE, a, b)
    assert state.data["full_name"] == "Nguyễn Thị Loan"
    assert members(state) == {"full_name": ("a", "b")}
    assert not state.notices


def test_the_same_name_twice_is_no_conflict() -> None:
    a, b = name("a", 10, "Nguyễn Thị Loan"), name("b", 20, "Nguyễn Thị Loan")
    state = merged(CHILD, CREATE, a, b)
    assert not state.conflicts
    assert {entry.op for entry in state.cells["full_name"].live} == {"a", "b"}
    assert merged(CHILD, CREATE, a).conflicts == ()


def test_an_edit_while_a_conflict_is_open_closes_only_what_it_saw() -> None:
    a, b = name("a", 10, "Nguyễn Thị Lan Anh"), name("b", 20, "Nguyễn Thị Loan")
    edit = name("d", 30, "Nguyễn Thị Loan Anh", saw="cab")
    state = merged(CHILD, CREATE, a, b, edit)
    assert members(state) == {"full_name": ("a", "d")}
    assert state.data["full_name"] == "Nguyễn Thị Loan Anh"


def test_a_ruling_closes_the_conflict_and_a_third_value_opens_it_again() -> None:
    a, b = name("a", 10, "Nguyễn Thị Lan Anh"), name("b", 20, "Nguyễn Thị Loan")
    decided = ruling("r", 30, {"full_name": "Nguyễn Thị Lan Anh"}, "cab")
    state = merged(CHILD, CREATE, a, b, decided)
    assert state.data["full_name"] == "Nguyễn Thị Lan Anh"
    assert not state.conflicts
    third = merged(CHILD, CREATE, a, b, decided, name("x", 99, "Nguyễn Thị Lài"))
    assert members(third) == {"full_name": ("r", "x")}
    assert third.data["full_name"] == "Nguyễn Thị Lan Anh"  # the ruling shows until it is decided anew
    half = merged(CHILD, CREATE, a, b, ruling("r", 30, {"full_name": "Nguyễn Thị Lan Anh"}, "ca"))
    assert members(half) == {"full_name": ("b", "r")}


def test_an_author_may_replace_a_ruling_that_he_saw() -> None:
    decided = ruling("r", 30, {"full_name": "Nguyễn Thị Lan Anh"}, "c")
    state = merged(CHILD, CREATE, decided, name("b", 40, "Nguyễn Thị Loan", saw="cr"))
    assert state.data["full_name"] == "Nguyễn Thị Loan"
    assert not state.conflicts


def test_a_suspect_name_does_not_show_before_a_good_one() -> None:
    good, odd = name("a", 10, "Nguyễn Thị Lan Anh"), name("b", 10**9, "Nguyễn Thị Loan", suspect=True)
    state = merged(CHILD, CREATE, good, odd)
    assert state.data["full_name"] == "Nguyễn Thị Lan Anh"
    assert members(state) == {"full_name": ("a", "b")}


def test_a_cleared_name_against_another_is_a_conflict() -> None:
    state = merged(CHILD, CREATE, name("a", 10, None), name("b", 5, "Nguyễn Thị Loan"))
    assert members(state) == {"full_name": ("a", "b")}


def test_the_id_of_a_conflict_is_the_same_everywhere_and_new_with_new_members() -> None:
    ops = [CREATE, name("a", 10, "Nguyễn Thị Lan Anh"), name("b", 20, "Nguyễn Thị Loan")]
    first = extract(CHILD, *ops).state().conflicts[0]
    assert first == extract(CHILD, *reversed(ops)).state().conflicts[0]
    assert (len(first.id), first.entity) == (24, "e-1")
    grown = merged(CHILD, *ops, name("d", 5, "Nguyễn Thị Lài")).conflicts[0]
    assert grown.id != first.id
    other_cell = merged(HOUSEHOLD, *(op(s, 1, {"head_name": s}, creates=True) for s in ("a", "b"))).conflicts[0]
    assert other_cell.members == first.members and other_cell.id != first.id


# --- placement ------------------------------------------------------------------------------------------------


def move(sub: str, t: int, ward: str | None = None, hamlet: str | None = None, **more: Any) -> Op:
    said = {"ward_code": ward or HOME["ward_code"], "hamlet_code": hamlet or HOME["hamlet_code"]}
    places = frozenset(more.pop("areas", ["2025.31135"]))
    return op(sub, t, said, saw=more.pop("saw", "c"), places=places, **more)


def place(state: State) -> tuple[str, str]:
    return state.data["ward_code"], state.data["hamlet_code"]


def test_a_move_within_the_area_is_done() -> None:
    state = merged(HOUSEHOLD, REGISTERED, move("a", 10, hamlet="05"))
    assert place(state) == ("2025.31135", "05")
    assert not state.conflicts


def test_two_moves_within_the_area_are_a_conflict_and_the_earliest_stays() -> None:
    state = merged(HOUSEHOLD, REGISTERED, move("a", 20, hamlet="05"), move("b", 10, hamlet="06"))
    assert place(state) == ("2025.31135", "06")
    assert members(state) == {"place": ("a", "b")}
    doubt = merged(HOUSEHOLD, REGISTERED, move("a", 20, hamlet="05"), move("b", 10, hamlet="06", suspect=True))
    assert place(doubt) == ("2025.31135", "05")
    late = merged(HOUSEHOLD, REGISTERED, move("a", 20, hamlet="05"), move("b", 10, hamlet="06", late=True))
    assert place(late) == ("2025.31135", "05")
    paper, doubtful = move("a", 20, hamlet="05", late=True), move("b", 10, hamlet="06", suspect=True)
    assert place(merged(HOUSEHOLD, REGISTERED, paper, doubtful)) == ("2025.31135", "05")


def test_a_move_to_another_area_is_a_request() -> None:
    asked = move("a", 10, ward="2025.31147")
    state = merged(HOUSEHOLD, REGISTERED, asked)
    assert place(state) == ("2025.31135", "03")
    assert members(state) == {"place": ("a", "c")}
    granted = ruling("r", 20, {"ward_code": "2025.31147", "hamlet_code": "03"}, "ca")
    assert place(merged(HOUSEHOLD, REGISTERED, asked, granted)) == ("2025.31147", "03")
    assert not merged(HOUSEHOLD, REGISTERED, asked, granted).conflicts
    refused = ruling("r", 20, HOME, "ca")
    assert place(merged(HOUSEHOLD, REGISTERED, asked, refused)) == ("2025.31135", "03")
    assert not merged(HOUSEHOLD, REGISTERED, asked, refused).conflicts


def test_who_works_in_both_areas_moves_a_household_between_them() -> None:
    both = ["2025.31135", "2025.31147"]
    state = merged(HOUSEHOLD, REGISTERED, move("a", 10, ward="2025.31147", areas=both))
    assert place(state) == ("2025.31147", "03")
    assert not state.conflicts
    one = merged(HOUSEHOLD, REGISTERED, move("a", 10, ward="2025.31147", areas=both[1:]))
    assert place(one) == ("2025.31135", "03")
    officer = merged(HOUSEHOLD, REGISTERED, move("a", 10, ward="2025.31147", standing=Standing.SUPERVISOR))
    assert place(officer) == ("2025.31147", "03")


def test_a_place_typed_where_none_was_known_is_a_request() -> None:
    assert extract(HOUSEHOLD, move("a", 10, saw="")).writes()["a"]["place"].request
    assert not extract(HOUSEHOLD, REGISTERED).writes()["c"]["place"].request
    create = op("c", 0, {"head_name": "Trần Văn Hòa"}, creates=True)
    assert extract(HOUSEHOLD, create, move("a", 10)).writes()["a"]["place"].request


@pytest.mark.parametrize("tells", [True, False])
def test_a_wish_does_not_become_the_place_from_which_the_next_step_is_small(tells: bool) -> None:
    registered = op("c", 0, HOME, creates=True, suspect=True)
    asked = move("a", 10, ward="2025.31147")
    seen = {"ward_code": "2025.31147", "hamlet_code": "03"}
    step = move("b", 20, ward="2025.31147", hamlet="08", after=("a",), seen=seen if tells else None)
    assert extract(HOUSEHOLD, registered, asked, step).writes()["b"]["place"].request
    assert place(merged(HOUSEHOLD, registered, asked, step)) == ("2025.31135", "03")


def test_a_child_goes_to_another_household_as_a_request() -> None:
    state = merged(CHILD, CREATE, op("a", 10, {"household": "ho-2"}, saw="c"))
    assert state.data["household"] == "ho-1"
    assert members(state) == {"household": ("a", "c")}
    granted = merged(
        CHILD, CREATE, op("a", 10, {"household": "ho-2"}, saw="c"), ruling("r", 20, {"household": "ho-2"}, "ca")
    )
    assert granted.data["household"] == "ho-2"
