"""Faults that a general world is too sparse to find, one example each."""

from dataclasses import replace

from sync.authority import covers
from sync.state.model import Act, NoticeKind, Op
from tests.sync.types import CHILD, extract, members, merged, notices, op, ruling

CREATE = op("c", 0, {"full_name": "Nguyễn Thị Lan", "phone": "0912345678", "risk_now": "thap"}, creates=True)


def phone(sub: str, t: int, number: str, saw: str = "c", **more: object) -> Op:
    return op(sub, t, {"phone": number}, saw=saw, **more)


def test_who_holds_a_whole_commune_does_not_hold_its_protected_scope() -> None:
    assert covers(frozenset({"2025.31135"}), "2025.31135/07")
    assert not covers(frozenset({"2025.31135"}), "2025.31135/!")


def test_nobody_but_a_supervisor_brings_a_deleted_child_back() -> None:
    dead = op("d", 20, {}, saw="c", act=Act.DELETE, standing=ruling("r", 0, {}, "").standing)
    author = op("r", 30, {}, saw="c", act=Act.RESTORE, author="Anh Tư")
    state = merged(CHILD, CREATE, dead, author)
    assert state.life.dead
    assert not state.conflicts


def test_knowledge_is_what_was_visible_and_not_what_others_had_seen() -> None:
    """Anh Tư saw what Chị Bảy wrote, and Chị Út saw his page before hers had reached the server."""
    first = phone("a", 50, "0900000001")
    second = op("b", 20, {"full_name": "Nguyễn Thị Loan"}, saw="ca", author="Anh Tư")
    third = phone("d", 30, "0900000003", saw="cb", author="Chị Út")
    mended = replace(third, sub="e", said={"phone": "0900000004"}, amends="d")
    for ops in ((first, second, third), (first, second, third, mended)):
        state = merged(CHILD, CREATE, *ops)
        assert state.data["phone"] == "0900000001"  # observed last, and she had not seen it
        assert {notice[1] for notice in notices(state)} == {"a"}


def test_naming_what_another_wrote_as_ones_own_replaces_nothing() -> None:
    good = op("a", 50, {"full_name": "Nguyễn Thị Lan Anh"}, saw="c")
    false = op("b", 60, {"full_name": "Nguyễn Thị Loan"}, saw="c", after=("a",), author="Anh Tư")
    state = merged(CHILD, CREATE, good, false)
    assert members(state) == {"full_name": ("a", "b")}


def test_a_danger_that_rests_on_a_wrong_clock_shows_and_says_so() -> None:
    odd = op("a", 10**9, {"risk_now": "cao"}, saw="c", suspect=True)
    state = merged(CHILD, CREATE, odd)
    assert state.data["risk_now"] == "cao"
    assert ("a", "c", NoticeKind.DOUBTFUL) in notices(state)


def test_a_page_that_a_rule_decided_is_overlaid_by_what_its_reader_had_not_sent() -> None:
    """His own unsent lower value stood on his phone, though the graver one would have won on the server."""
    page = op("a", 10, {"risk_now": "cao"}, saw="c")
    own = op("b", 20, {"risk_now": "vua"}, saw=["c", "a"], author="Anh Tư")
    after = op("d", 30, {"risk_now": "vua"}, saw=["c", "a"], after=("b",), author="Anh Tư")
    extraction = extract(CHILD, CREATE, page, own, after)
    assert extraction.screen("d")["risk_now"] == "vua"
    assert "risk_now" not in extraction.writes()["d"]


def test_what_a_supervisor_rejected_is_no_longer_on_the_screen_of_who_knows_it() -> None:
    own = phone("a", 10, "0900000001")
    no = op("r", 20, {}, saw=["c"], act=Act.REJECT, target="a", standing=ruling("x", 0, {}, "").standing)
    again = op("b", 30, {"phone": "0900000001"}, saw=["c", "r"], after=("a",))
    extraction = extract(CHILD, CREATE, own, no, again)
    assert extraction.screen("b")["phone"] == "0912345678"
    assert "contact" in extraction.writes()["b"]


def test_an_answer_that_was_mended_and_synced_does_not_come_back_on_the_screen() -> None:
    """The amendment had arrived and was on the page; what it amends was still on its way."""
    first = phone("a", 10, "0900000001")
    mended = replace(phone("b", 20, "0900000002", after=("a",)), amends="a")
    later = op("d", 30, {"phone": "0900000002"}, saw=["c", "b"], after=("a",))
    extraction = extract(CHILD, CREATE, first, mended, later)
    assert extraction.screen("d")["phone"] == "0900000002"
    assert "contact" not in extraction.writes()["d"]


def test_an_amendment_is_read_on_the_screen_of_what_it_amends() -> None:
    """ODK Collect names a newer base when a form is edited; its answers were given on the old one."""
    other = phone("x", 5, "0987654321", author="Anh Tư")
    shown = {"phone": "0912345678", "full_name": "Nguyễn Thị Lan"}
    first = op("a", 10, dict(shown), saw="c", seen=shown)
    edited = replace(
        first, sub="b", t=20, said={"phone": "0912345678", "full_name": "Nguyễn Thị Loan"}, amends="a",
        snapshot=frozenset({"c", "x"}), seen=shown | {"phone": "0987654321"},
    )  # fmt: skip
    extraction = extract(CHILD, CREATE, other, first, edited)
    assert set(extraction.writes()["b"]) == {"full_name"}
    assert extraction.state().data["phone"] == "0987654321"
