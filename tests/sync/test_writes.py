"""From answers to writes, row by row: only what differs from the author's screen is a write."""

from collections.abc import Mapping
from typing import Any

import pytest

from sync.state.model import Act, NoticeKind, Op, Write, Writes
from tests.sync.types import CHILD, HOUSEHOLD, extract, kind_of, merged, op, prop, ruling

BEFORE = {"full_name": "Nguyễn Thị Lan", "phone": "0912345678", "phone_owner": "mẹ", "household": "ho-1"}
CREATE = op("c", 0, BEFORE, creates=True)
CLIENTS = pytest.mark.parametrize("tells", [True, False], ids=["our client", "Collect"])


def visit(said: Mapping[str, Any], tells: bool, loaded: Any = None, **more: Any) -> Op:
    """A visit by somebody who had the created child on the screen; all that was asked is prefilled."""
    prefilled = set(said) if loaded is None else set(loaded)
    seen = {name: BEFORE.get(name) for name in prefilled} if tells else None
    return op("v", 10, said, saw=["c"], loaded=prefilled, seen=seen, **more)


def wrote(*ops: Op, kind: Any = CHILD) -> Writes:
    """What the last op writes."""
    return extract(kind, *ops).writes()[ops[-1].sub]


# --- the rows of the table ----------------------------------------------------------------------------------


@CLIENTS
def test_what_was_not_asked_is_no_write(tells: bool) -> None:
    assert wrote(CREATE, visit({}, tells)) == {}
    assert wrote(CREATE, visit({}, tells, loaded=["phone", "full_name"])) == {}


@CLIENTS
def test_a_blank_that_was_never_prefilled_clears_nothing(tells: bool) -> None:
    assert wrote(CREATE, visit({"phone": None, "full_name": None}, tells, loaded=[])) == {}


@CLIENTS
@pytest.mark.parametrize("answer", [None, "", []], ids=repr)
def test_a_blank_over_a_blank_is_no_write(tells: bool, answer: Any) -> None:
    assert wrote(CREATE, visit({"school": answer, "birth_order": answer}, tells)) == {}


@CLIENTS
def test_a_prefilled_value_that_was_cleared_is_cleared(tells: bool) -> None:
    writes = wrote(CREATE, visit({"full_name": None, "phone": None, "phone_owner": ""}, tells))
    assert writes == {
        "full_name": Write({}, replaces=frozenset("c")),
        "contact": Write({}, replaces=frozenset("c")),
    }
    assert merged(CHILD, CREATE, visit({"full_name": None}, tells)).data == {
        "phone": "0912345678",
        "phone_owner": "mẹ",
        "household": "ho-1",
    }


@CLIENTS
def test_a_prefilled_value_left_alone_is_no_write(tells: bool) -> None:
    assert wrote(CREATE, visit(BEFORE, tells)) == {}


@CLIENTS
def test_leaving_alone_what_confirms_is_a_new_observation(tells: bool) -> None:
    kind = kind_of(prop("full_name"), prop("nutrition", confirms=True), prop("household", placement=True))
    create = op("c", 0, {"nutrition": "bình thường"}, creates=True)
    loaded = {"nutrition"}
    seen: dict[str, Any] = {"nutrition": "bình thường"}
    again = op("v", 10, dict(seen), saw="c", loaded=loaded, seen=seen if tells else None)
    assert wrote(create, again, kind=kind) == {"nutrition": Write(seen, replaces=frozenset("c"))}
    assert merged(kind, create, again).cells["nutrition"].current.op == "v"
    empty = op("v", 10, {"nutrition": None}, loaded=loaded, seen={"nutrition": None} if tells else None)
    assert wrote(empty, kind=kind) == {}


@CLIENTS
def test_another_value_is_a_write_over_what_was_shown(tells: bool) -> None:
    writes = wrote(CREATE, visit(BEFORE | {"full_name": "Nguyễn Thị Loan"}, tells))
    assert writes == {"full_name": Write({"full_name": "Nguyễn Thị Loan"}, replaces=frozenset("c"))}


@CLIENTS
def test_a_value_typed_where_nothing_was_shown_is_a_write_over_nothing(tells: bool) -> None:
    typed = visit({"full_name": "Nguyễn Thị Loan", "phone": "0912345678"}, tells, loaded=[])
    assert wrote(CREATE, typed)["full_name"] == Write({"full_name": "Nguyễn Thị Loan"})
    state = merged(CHILD, CREATE, typed)
    assert state.cells["full_name"].conflict is not None
    assert state.cells["contact"].current.op == "v"  # the same value typed anew was observed anew


@CLIENTS
def test_members_of_a_group_that_were_not_asked_stay_as_they_were(tells: bool) -> None:
    phone = visit({"phone": "0987654321"}, tells)
    assert wrote(CREATE, phone)["contact"].value == {"phone": "0987654321", "phone_owner": "mẹ"}
    not_prefilled = visit({"phone": "0987654321", "phone_owner": None}, tells, loaded=["phone"])
    assert wrote(CREATE, not_prefilled)["contact"].value == {"phone": "0987654321", "phone_owner": "mẹ"}
    cleared = visit({"phone": "0987654321", "phone_owner": None}, tells)
    assert wrote(CREATE, cleared)["contact"].value == {"phone": "0987654321"}


def test_members_of_a_group_stay_as_they_were_for_their_author_not_as_they_are_now() -> None:
    other = op("w", 5, {"phone_owner": "bà ngoại"}, saw="c")
    writes = extract(CHILD, CREATE, other, visit({"phone": "0987654321"}, False)).writes()
    assert writes["v"]["contact"].value == {"phone": "0987654321", "phone_owner": "mẹ"}


@CLIENTS
def test_a_placement_left_blank_moves_nobody(tells: bool) -> None:
    assert wrote(CREATE, visit({"household": None}, tells)) == {}
    place = {"ward_code": "2025.31135", "hamlet_code": "03"}
    create = op("c", 0, place, creates=True)
    blank = {"ward_code": None, "hamlet_code": None}
    empty = op("v", 9, blank, saw="c", seen=place if tells else None)
    assert wrote(create, empty, kind=HOUSEHOLD) == {}
    half = op("v", 9, {"ward_code": None, "hamlet_code": "02"}, saw="c", seen=place if tells else None)
    assert wrote(create, half, kind=HOUSEHOLD)["place"].value == place | {"hamlet_code": "02"}


def test_a_ruling_is_always_a_write_also_of_the_value_that_shows() -> None:
    same = ruling("r", 20, {"full_name": BEFORE["full_name"]}, saw="c")
    assert wrote(CREATE, same)["full_name"].value == {"full_name": "Nguyễn Thị Lan"}
    shown = op("r", 20, dict(BEFORE), saw="c", seen=dict(BEFORE), standing=same.standing, act=Act.RESOLVE)
    assert set(wrote(CREATE, shown)) == {"full_name", "contact", "household"}
    plain_visit = op("r", 20, dict(BEFORE), saw="c", seen=dict(BEFORE), standing=same.standing)
    assert wrote(CREATE, plain_visit) == {}


def test_a_ruling_may_say_that_there_is_no_value() -> None:
    cleared = visit({"full_name": None}, True)
    other = op("w", 11, {"full_name": "Nguyễn Thị Loan"}, saw="c")
    assert merged(CHILD, CREATE, cleared, other).conflicts
    decided = ruling("r", 20, {"full_name": None}, saw="cvw")
    state = merged(CHILD, CREATE, cleared, other, decided)
    assert not state.conflicts
    assert "full_name" not in state.data
    assert wrote(CREATE, ruling("r", 20, {"household": None}, saw="c")) == {}


def test_a_create_has_nothing_on_the_screen() -> None:
    lying = op("c", 0, BEFORE | {"school": None}, creates=True, seen=dict(BEFORE), loaded=BEFORE)
    assert wrote(lying) == {
        "full_name": Write({"full_name": "Nguyễn Thị Lan"}),
        "contact": Write({"phone": "0912345678", "phone_owner": "mẹ"}),
        "household": Write({"household": "ho-1"}),
    }


def test_zero_is_a_value_and_not_a_blank() -> None:
    zero = op("z", 5, {"birth_order": 0}, saw="c", seen={"birth_order": None})
    assert wrote(CREATE, zero)["birth_order"].value == {"birth_order": 0}
    onto_blank = op("v", 9, {"birth_order": 2}, saw="cz", seen={"birth_order": None})
    assert wrote(CREATE, zero, onto_blank)["birth_order"].replaces == frozenset()
    assert merged(CHILD, CREATE, zero, onto_blank).cells["birth_order"].conflict is not None
    onto_zero = op("v", 9, {"birth_order": None}, saw="cz", seen={"birth_order": 0})
    assert wrote(CREATE, zero, onto_zero)["birth_order"] == Write({}, replaces=frozenset("z"))


# --- unknown bases --------------------------------------------------------------------------------------------


def lost_base(said: Mapping[str, Any], **more: Any) -> Op:
    return op("v", 10, said, saw="c", base_ok=False, **more)


def test_what_was_prefilled_from_a_lost_history_is_doubtful() -> None:
    blind = lost_base({"full_name": "Nguyễn Thị Loan", "phone": "0900000000"})
    writes = wrote(CREATE, blind)
    assert writes["full_name"] == Write({"full_name": "Nguyễn Thị Loan"}, blind=True)
    state = merged(CHILD, CREATE, blind)
    assert state.data["phone"] == "0912345678"
    assert [(n.op, n.by, n.kind) for n in state.notices] == [("v", "c", NoticeKind.OVERRULED)]
    assert [c.cell for c in state.conflicts] == ["full_name"]
    assert state.data["full_name"] == "Nguyễn Thị Lan"


def test_a_doubtful_write_fills_an_empty_cell() -> None:
    state = merged(CHILD, CREATE, lost_base({"school": "Tiểu học Kim Đồng"}))
    assert state.data["school"] == "Tiểu học Kim Đồng"
    assert not state.notices


def test_what_was_typed_told_or_written_by_oneself_is_not_doubtful() -> None:
    assert not wrote(CREATE, lost_base({"phone": "0900000000"}, loaded=[]))["contact"].blind
    told = lost_base({"phone": "0900000000"}, seen={"phone": "0912345678"})
    assert not wrote(CREATE, told)["contact"].blind
    own = op("o", 5, {"phone": "0900000001"}, saw="c")
    after_own = lost_base({"phone": "0900000000"}, after=("o",))
    assert not wrote(CREATE, own, after_own)["contact"].blind
    assert wrote(CREATE, own, after_own)["contact"].replaces == frozenset("o")


def test_a_lost_base_is_concurrent_and_never_newer() -> None:
    told = lost_base({"full_name": "Nguyễn Thị Loan"}, seen={"full_name": "Nguyễn Thị Lan"})
    assert wrote(CREATE, told)["full_name"].replaces == frozenset()
    assert merged(CHILD, CREATE, told).conflicts
