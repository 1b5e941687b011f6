"""From answers to writes, row by row: only what differs from the author's screen is a write."""

from collections.abc import Mapping
from typing import Any

import pytest

from sync.extract import Extraction
from sync.model import Act, NoticeKind, Op, Write, Writes
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


# --- screens ----------------------------------------------------------------------------------------------------


def test_a_screen_holds_what_its_author_had_and_nothing_that_came_later() -> None:
    early = op("w", 5, {"phone": "0987654321"}, saw="c")
    extraction = extract(CHILD, CREATE, early, visit({}, False))
    assert extraction.screen("c") == {}
    assert extraction.screen("v") == BEFORE
    assert extract(CHILD, CREATE, early, op("v", 9, saw="cw")).screen("v") == BEFORE | {"phone": "0987654321"}


def test_knowledge_is_what_was_seen_and_not_what_those_had_seen_whom_one_saw() -> None:
    y = op("y", 5, {"full_name": "Nguyễn Thị Loan"}, saw="c")
    x = op("x", 6, {"full_name": "Nguyễn Thị Loan Anh", "school": "THCS An Bình"}, saw="cy")
    o = op("o", 7, {"full_name": "Nguyễn Thị Lan Anh"}, saw="cx")
    extraction = extract(CHILD, CREATE, y, x, o)
    assert extraction.screen("o")["full_name"] == "Nguyễn Thị Loan Anh"
    assert extraction.state().cells["full_name"].current.knew == {"c", "x"}
    sneaky = extract(CHILD, CREATE, y, op("x", 6, {"school": "THCS An Bình"}, saw="cy"), o).state()
    assert sneaky.cells["full_name"].conflict is not None  # Loan never reached the screen of `o`


def test_a_value_belongs_to_who_wrote_it_not_to_who_carried_it_along() -> None:
    carried = op("w", 5, BEFORE | {"school": "THCS An Bình"}, saw="c")
    assert wrote(CREATE, carried, op("v", 9, {"full_name": "Loan"}, saw="cw"))["full_name"].replaces == {"c"}
    late = op("v", 9, {"full_name": "Nguyễn Thị Loan"}, saw="w", seen={"full_name": "Nguyễn Thị Lan"})
    assert wrote(carried, late)["full_name"].replaces == {"w"}  # only `w` is here, so there it is first seen


def test_the_phone_shows_its_own_unsent_changes_in_order() -> None:
    one = op("o1", 5, {"phone": "0900000001"}, saw="c")
    two = op("o2", 6, {"phone": "0912345678"}, saw="c", after=("o1",))
    three = op("o3", 7, {"phone": "0900000001"}, saw="c", after=("o1", "o2"))
    left = op("o4", 8, {"phone": "0900000001"}, saw="c", after=("o1", "o2", "o3"))
    extraction = extract(CHILD, CREATE, one, two, three, left)
    assert [extraction.screen(sub)["phone"] for sub in ("o1", "o2", "o3", "o4")] == [
        "0912345678",
        "0900000001",
        "0912345678",
        "0900000001",
    ]
    assert extraction.writes()["o4"] == {}
    assert extraction.state().cells["contact"].current.op == "o3"
    assert merged(CHILD, CREATE, one, two).data["phone"] == "0912345678"


def test_an_own_late_paper_form_left_alone_does_not_replace_the_newer_visit() -> None:
    """Collect shows its own unsent value also where a rule prefers another; leaving it alone says nothing."""
    newer = op("n", 50, {"phone": "0987654321"}, saw="c")
    paper = op("p", 20, {"phone": "0900000000"}, saw="cn", late=True)
    today = op("t", 90, {"phone": "0900000000", "school": "THCS An Bình"}, saw="cn", after=("p",))
    assert set(wrote(CREATE, newer, paper, today)) == {"school"}
    assert extract(CHILD, CREATE, newer, paper, today).screen("t")["phone"] == "0900000000"
    assert merged(CHILD, CREATE, newer, paper, today).data["phone"] == "0987654321"


def test_an_own_wish_to_lower_left_alone_is_not_a_second_wish() -> None:
    create = op("c", 0, {"risk_now": "cao"}, creates=True)
    lower = op("l", 5, {"risk_now": "thap"}, saw="c")
    school = op("s", 6, {"risk_now": "thap", "school": "THCS An Bình"}, saw="c", after=("l",))
    assert set(wrote(create, lower, school)) == {"school"}
    assert [n.op for n in merged(CHILD, create, lower, school).notices] == ["l"]


def test_screens_change_when_a_predecessor_arrives_and_only_then() -> None:
    one = op("o1", 5, {"phone": "0900000001", "full_name": "Nguyễn Thị Loan"}, saw="c")
    two = op("o2", 6, dict(one.said) | {"school": "THCS An Bình"}, saw="c", after=("o1",))
    before = extract(CHILD, CREATE, two)
    assert set(before.writes()["o2"]) == {"contact", "full_name", "school"}
    now = {o.sub: o for o in (CREATE, two, one)}
    kept = {sub: writes for sub, writes in before.writes().items() if sub != "o2"}
    assert set(Extraction(CHILD, now, kept).writes()["o2"]) == {"school"}
    assert Extraction(CHILD, now, kept).state() == Extraction(CHILD, now).state()


def test_derived_writes_are_used_and_not_computed_again() -> None:
    stored = {"c": {"full_name": Write({"full_name": "Đã lưu"})}}
    ops = {o.sub: o for o in (CREATE, visit({"full_name": "Nguyễn Thị Loan"}, False))}
    extraction = Extraction(CHILD, ops, stored)
    assert extraction.screen("v") == {"full_name": "Đã lưu"}
    assert extraction.writes()["c"] == stored["c"]
    assert set(extraction.state().cells) == {"full_name"}


def test_a_circle_that_closes_gives_the_same_as_if_it_had_always_been_there() -> None:
    a = op("a", 5, {"phone": "0900000001"}, after=("c", "b"))
    b = op("b", 6, {"phone": "0900000002"}, after=("c", "x"))
    x = op("x", 7, {"phone": "0900000003"}, after=("c", "a"))
    first = extract(CHILD, CREATE, a, b).writes()
    ops = {o.sub: o for o in (CREATE, a, b, x)}
    kept = {sub: writes for sub, writes in first.items() if "x" not in ops[sub].after}
    assert Extraction(CHILD, ops, kept).state() == Extraction(CHILD, ops).state()
    assert Extraction(CHILD, ops, kept).writes() == Extraction(CHILD, ops).writes()


def test_those_who_claim_to_have_seen_each_other_keep_what_they_saw_of_others() -> None:
    a = op("a", 5, {"phone": "0900000001"}, saw="c", after=("b",))
    b = op("b", 6, {"phone": "0900000002"}, saw="c", after=("a",))
    state = merged(CHILD, CREATE, a, b)
    assert {entry.op: entry.knew for entry in state.cells["contact"].live} == {"a": {"c"}, "b": {"c"}}
    assert state.data["phone"] == "0900000002"
    assert [notice.op for notice in state.notices] == ["a"]


def test_who_looked_before_a_circle_closed_saw_it_open() -> None:
    a = op("a", 5, {"phone": "0900000001"}, saw="c", after=("b",))
    b = op("b", 6, {"phone": "0900000002"}, saw="c", after=("x",))
    x = op("x", 7, {"phone": "0900000003"}, saw="c", after=("a",))
    page = merged(CHILD, CREATE, a, b).data
    assert page["phone"] == "0900000001"
    later = extract(CHILD, CREATE, a, b, x, op("v", 9, {"phone": page["phone"]}, saw="cab"))
    assert later.screen("v") == page
    assert later.writes()["v"] == {}


@pytest.mark.parametrize("kept", [False, True], ids=["from scratch", "with derived writes"])
def test_a_page_stays_what_it_was_when_a_predecessor_of_its_writes_comes_later(kept: bool) -> None:
    one = op("o1", 5, {"phone": "0900000001"}, saw="c")
    two = op("o2", 6, {"phone": "0900000001"}, saw="c", after=("o1",))  # left alone, and sent first
    page = merged(CHILD, CREATE, two).data
    reader = op("v", 9, {"phone": page["phone"]}, saw=["c", "o2"])
    ops = {o.sub: o for o in (CREATE, one, two, reader)}
    known = {sub: writes for sub, writes in Extraction(CHILD, ops).writes().items() if sub != "v"}
    assert known["o2"] == {}
    extraction = Extraction(CHILD, ops, known if kept else None)
    assert extraction.screen("v") == page
    assert extraction.writes()["v"] == {}


def test_claims_about_oneself_and_about_nobody_are_ignored() -> None:
    strange = op("v", 5, {"phone": "0900000001"}, saw=["c", "v", "ai đó"], after=("v", "không có"))
    state = merged(CHILD, CREATE, strange)
    assert state.cells["contact"].current.knew == {"c"}
    assert state.data["phone"] == "0900000001"


def test_a_long_chain_on_one_phone_ends_where_its_author_left_it() -> None:
    ids = [f"o{number:03}" for number in range(60)]
    chain = [
        op(sub, number, {"school": f"Trường số {number}"}, after=tuple(ids[:number]), creates=number == 0)
        for number, sub in enumerate(ids)
    ]
    extraction = extract(CHILD, *chain)
    assert all(set(extraction.writes()[sub]) == {"school"} for sub in ids)
    assert extraction.state().data == {"school": "Trường số 59"}
    assert not extraction.state().notices
