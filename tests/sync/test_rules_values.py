"""The merge rules of single values by example: `latest` and `highest`."""

from typing import Any

import pytest

from sync.state.model import Act, NoticeKind, Op, Standing
from tests.sync.types import CHILD, RANK, kind_of, merged, notices, op, prop, ruling

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


def phone(sub: str, t: int, number: str, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"phone": number}, saw=saw, **more)


def risk(sub: str, t: int, code: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"risk_now": code}, saw=saw, **more)


# --- latest -------------------------------------------------------------------------------------------------


def test_latest_replaces_what_its_author_had_seen() -> None:
    state = merged(CHILD, CREATE, phone("a", 10, "0900000001"), phone("b", 20, "0900000002", saw="ca"))
    assert state.data["phone"] == "0900000002"
    assert state.data["phone_owner"] == "mẹ"
    assert [entry.op for entry in state.cells["contact"].live] == ["b"]
    assert len(state.cells["contact"].entries) == 3
    assert not state.notices and not state.conflicts


def test_latest_of_two_that_did_not_know_each_other_shows_and_the_other_is_told() -> None:
    state = merged(CHILD, CREATE, phone("a", 10, "0900000001"), phone("b", 20, "0900000002"))
    assert state.data["phone"] == "0900000002"
    assert notices(state) == {("a", "b", NoticeKind.OVERRULED)}
    assert not state.conflicts
    equal = merged(CHILD, CREATE, phone("a", 10, "0900000001"), phone("b", 20, "0900000001"))
    assert not equal.notices
    tie = merged(CHILD, CREATE, phone("a", 10, "0900000001"), phone("b", 10, "0900000002"))
    assert tie.data["phone"] == "0900000002"


def test_a_slow_clock_does_not_lose_to_what_it_replaced() -> None:
    a, b = phone("a", 1_000, "0900000001"), phone("b", 5, "0900000002", saw="ca")
    state = merged(CHILD, CREATE, a, b)
    assert state.data["phone"] == "0900000002"
    assert state.cells["contact"].current.eff == 1_001
    stranger = phone("s", 900, "0900000003")
    assert merged(CHILD, CREATE, a, b, stranger).data["phone"] == "0900000002"


def test_back_and_forth_on_one_phone_ends_where_its_author_left_it() -> None:
    numbers = ["0900000001", "0900000002", "0900000001", "0900000002"]
    chain = [
        phone(f"o{i}", 50 - i, number, after=tuple(f"o{j}" for j in range(i))) for i, number in enumerate(numbers)
    ]
    state = merged(CHILD, CREATE, *chain)
    assert state.cells["contact"].current.op == "o3"
    assert not state.notices


def test_what_was_replaced_does_not_come_back() -> None:
    a, b = phone("a", 100, "0900000001"), phone("b", 110, "0900000002", saw="ca")
    d = phone("d", 1, "0900000003", saw="cb")  # saw `b`, and never `a`
    state = merged(CHILD, CREATE, a, b, d)
    assert [entry.op for entry in state.cells["contact"].live] == ["d"]


def test_a_late_paper_form_keeps_its_date_and_replaces_nothing_newer() -> None:
    newer = phone("n", 50, "0900000001")
    paper = phone("p", 20, "0900000002", saw="cn", late=True)
    state = merged(CHILD, CREATE, newer, paper)
    assert state.data["phone"] == "0900000001"
    assert notices(state) == {("p", "n", NoticeKind.OVERRULED)}
    assert {e.op: e.eff for e in state.cells["contact"].entries}["p"] == 20
    later = phone("p", 51, "0900000002", saw="cn", late=True)
    assert merged(CHILD, CREATE, newer, later).data["phone"] == "0900000002"
    slow = phone("s", 5, "0900000003", saw="cn")  # observed after `n`, whatever its clock says
    assert merged(CHILD, CREATE, newer, slow, phone("p", 20, "0900000002", saw="cns", late=True)).data["phone"] == (
        "0900000003"
    )
    equal = phone("p", 50, "0900000002", saw="cn", late=True)
    assert [e.op for e in merged(CHILD, CREATE, newer, equal).cells["contact"].live] == ["p"]


def test_a_suspect_clock_never_beats_a_good_concurrent_one_but_does_what_it_knew() -> None:
    good, odd = phone("a", 10, "0900000001"), phone("b", 9_999, "0900000002", suspect=True)
    state = merged(CHILD, CREATE, good, odd)
    assert state.data["phone"] == "0900000001"
    assert notices(state) == {("b", "a", NoticeKind.OVERRULED)}
    informed = phone("b", 9_999, "0900000002", saw="ca", suspect=True)
    assert merged(CHILD, CREATE, good, informed).data["phone"] == "0900000002"
    alone = op("b", 9_999, {"grade": 4}, saw="c", suspect=True)
    assert merged(CHILD, op("c", 0, {"phone": "0912345678"}, creates=True), alone).data["grade"] == 4


def test_a_group_moves_together() -> None:
    a = op("a", 10, {"phone": "0900000001", "phone_owner": "bà ngoại"}, saw="c")
    b = op("b", 20, {"phone_owner": "chú"}, saw="c")
    state = merged(CHILD, CREATE, a, b)
    assert {k: state.data[k] for k in ("phone", "phone_owner")} == {"phone": "0912345678", "phone_owner": "chú"}


def test_a_cleared_value_shows_as_none() -> None:
    state = merged(CHILD, CREATE, op("a", 10, {"phone": None, "phone_owner": None}, saw="c"))
    assert "phone" not in state.data and "phone_owner" not in state.data
    assert state.cells["contact"].current.value == {}


# --- highest ------------------------------------------------------------------------------------------------


def test_the_risk_case() -> None:
    """Phone 1 raises the risk; phone 2, on the older version, changes the school and sends the old risk along."""
    raised = op("p1", 10, {"risk_now": "cao", "school": "Tiểu học Kim Đồng"}, saw="c")
    for seen in (None, {"risk_now": "vua", "school": "Tiểu học Kim Đồng"}):
        stale = op("p2", 20, {"risk_now": "vua", "school": "Tiểu học Lê Lợi"}, saw="c", seen=seen)
        state = merged(CHILD, CREATE, raised, stale)
        assert state.data["risk_now"] == "cao"
        assert state.data["school"] == "Tiểu học Lê Lợi"
        assert not state.conflicts
        assert not state.notices


def test_the_gravest_stands_whoever_was_later() -> None:
    state = merged(CHILD, CREATE, risk("a", 10, "cao"), risk("b", 20, "thap"))
    assert state.data["risk_now"] == "cao"
    assert notices(state) == {("b", "a", NoticeKind.ASKS_TO_LOWER)}  # he knew "vua", and went lower
    other = op("b", 20, {"risk_now": "thap"}, saw="c", loaded=())
    create = op("c", 0, {"full_name": "Nguyễn Thị Lan"}, creates=True)
    assert notices(merged(CHILD, create, risk("a", 10, "cao"), other)) == {("b", "a", NoticeKind.OVERRULED)}


def test_a_collaborator_who_lowers_only_asks() -> None:
    state = merged(CHILD, CREATE, risk("a", 10, "cao"), risk("b", 20, "thap", saw="ca"))
    assert state.data["risk_now"] == "cao"
    assert notices(state) == {("b", "a", NoticeKind.ASKS_TO_LOWER)}
    cleared = merged(CHILD, CREATE, risk("a", 10, "cao"), risk("b", 20, None, saw="ca"))
    assert cleared.data["risk_now"] == "cao"
    assert notices(cleared) == {("b", "a", NoticeKind.ASKS_TO_LOWER)}


def test_who_raises_what_he_knew_needs_no_notice() -> None:
    state = merged(CHILD, CREATE, risk("a", 10, "cao"))
    assert state.data["risk_now"] == "cao"
    assert not state.notices


@pytest.mark.parametrize("act", [Act.CORRECT, Act.RESOLVE])
def test_a_supervisor_lowers_what_he_knew(act: Act) -> None:
    raised = risk("a", 10, "cao")
    state = merged(CHILD, CREATE, raised, ruling("r", 20, {"risk_now": "thap"}, "ca", act))
    assert state.data["risk_now"] == "thap"
    assert not state.notices
    unseen = merged(CHILD, CREATE, raised, ruling("r", 20, {"risk_now": "thap"}, "c", act))
    assert unseen.data["risk_now"] == "cao"
    assert notices(unseen) == {("r", "a", NoticeKind.OVERRULED)}


def test_a_supervisor_on_a_visit_has_no_more_say_than_anybody() -> None:
    lower = risk("v", 20, "thap", saw="ca", standing=Standing.SUPERVISOR)
    assert merged(CHILD, CREATE, risk("a", 10, "cao"), lower).data["risk_now"] == "cao"
    no_supervisor = risk("v", 20, "thap", saw="ca", act=Act.RESOLVE)
    assert merged(CHILD, CREATE, risk("a", 10, "cao"), no_supervisor).data["risk_now"] == "cao"


def test_a_doubtful_danger_counts_too() -> None:
    odd = risk("a", 10**9, "cao", suspect=True)
    assert merged(CHILD, CREATE, odd).data["risk_now"] == "cao"
    good = risk("b", 5, "cao")
    assert merged(CHILD, CREATE, odd, good).cells["risk_now"].current.op == "b"


def test_highest_without_ranks_orders_dates() -> None:
    kind = kind_of(prop("checkup", "date", "highest"), prop("household", "ref", "review", placement=True))
    a = op("a", 0, {"checkup": "2026-03-01"}, creates=True)
    b = op("b", 9, {"checkup": "2025-12-31"}, saw="a")
    assert merged(kind, a, b).data == {"checkup": "2026-03-01"}
    assert merged(kind, b, op("d", 10, {"checkup": "2026-03-02"}, saw="b"), a).data == {"checkup": "2026-03-02"}


def test_an_unknown_code_is_below_every_rank() -> None:
    state = merged(CHILD, CREATE, risk("a", 10, "mã cũ"))
    assert state.data["risk_now"] == "vua"
    assert RANK[-1] == "cao"
