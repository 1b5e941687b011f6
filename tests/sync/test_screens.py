"""What the server takes for an author's screen, and whom he knew of; what is derived once is kept."""

import pytest

from sync.state.extract import Extraction
from sync.state.model import Op, Write, Writes
from tests.sync.types import CHILD, extract, merged, op

BEFORE = {"full_name": "Nguyễn Thị Lan", "phone": "0912345678", "phone_owner": "mẹ", "household": "ho-1"}
CREATE = op("c", 0, BEFORE, creates=True)


def wrote(*ops: Op) -> Writes:
    """What the last op writes."""
    return extract(CHILD, *ops).writes()[ops[-1].sub]


def kept(extraction: Extraction) -> dict[str, tuple[str, Writes]]:
    """What a server keeps of an extraction."""
    return {sub: (extraction.keys[sub], writes) for sub, writes in extraction.writes().items()}


def test_a_screen_holds_what_its_author_had_and_nothing_that_came_later() -> None:
    early = op("w", 5, {"phone": "0987654321"}, saw="c")
    extraction = extract(CHILD, CREATE, early, op("v", 10, {}, saw="c"))
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
    after = Extraction(CHILD, now, kept(before))
    assert {sub for sub in before.keys if before.keys[sub] != after.keys[sub]} == {"o2"}
    assert set(after.writes()["o2"]) == {"school"}
    assert after.state() == Extraction(CHILD, now).state()
    left = Extraction(CHILD, {o.sub: o for o in (CREATE, two)}, kept(after))
    assert left.writes() == before.writes()  # the predecessor is held: as if it had never come


def test_derived_writes_are_used_and_not_computed_again_while_their_key_is_right() -> None:
    ops = {o.sub: o for o in (CREATE, op("v", 10, {"full_name": "Nguyễn Thị Loan"}, saw="c"))}
    key = Extraction(CHILD, ops).keys["c"]
    stored = {"full_name": Write({"full_name": "Đã lưu"})}
    extraction = Extraction(CHILD, ops, {"c": (key, stored)})
    assert extraction.screen("v") == {"full_name": "Đã lưu"}
    assert extraction.writes()["c"] == stored
    assert set(extraction.state().cells) == {"full_name"}
    stale = Extraction(CHILD, ops, {"c": ("khác", stored)})
    assert stale.writes() == Extraction(CHILD, ops).writes()


def test_who_may_move_a_child_lies_outside_of_it_so_a_wish_is_always_derived_again() -> None:
    ops = {o.sub: o for o in (CREATE, op("v", 10, {"household": "ho-2"}, saw="c"))}
    first = Extraction(CHILD, ops)
    assert (first.keys["c"] != "", first.keys["v"]) == (True, "")
    assert first.writes()["v"]["household"].request
    may = Extraction(CHILD, ops, kept(first), reach=lambda op, household: True)
    assert not may.writes()["v"]["household"].request
    assert may.state().data["household"] == "ho-2"


def test_a_circle_that_closes_gives_the_same_as_if_it_had_always_been_there() -> None:
    a = op("a", 5, {"phone": "0900000001"}, after=("c", "b"))
    b = op("b", 6, {"phone": "0900000002"}, after=("c", "x"))
    x = op("x", 7, {"phone": "0900000003"}, after=("c", "a"))
    ops = {o.sub: o for o in (CREATE, a, b, x)}
    again = Extraction(CHILD, ops, kept(extract(CHILD, CREATE, a, b)))
    assert again.state() == Extraction(CHILD, ops).state()
    assert again.writes() == Extraction(CHILD, ops).writes()


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


@pytest.mark.parametrize("keeps", [False, True], ids=["from scratch", "with derived writes"])
def test_a_page_stays_what_it_was_when_a_predecessor_of_its_writes_comes_later(keeps: bool) -> None:
    one = op("o1", 5, {"phone": "0900000001"}, saw="c")
    two = op("o2", 6, {"phone": "0900000001"}, saw="c", after=("o1",))  # left alone, and sent first
    page = merged(CHILD, CREATE, two).data
    reader = op("v", 9, {"phone": page["phone"]}, saw=["c", "o2"])
    ops = {o.sub: o for o in (CREATE, one, two, reader)}
    first = Extraction(CHILD, ops)
    known = {sub: derived for sub, derived in kept(first).items() if sub != "v"}
    assert known["o2"] == (first.keys["o2"], {})
    extraction = Extraction(CHILD, ops, known if keeps else None)
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
