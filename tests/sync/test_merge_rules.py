"""The merge rules by example, each row of the policy table."""

from typing import Any

import pytest

from forms.entity_types import PolicyName
from sync.merge import history
from sync.model import Act, NoticeKind, Op, Standing, State
from sync.policies import POLICIES, policy_of
from tests.sync.types import CHILD, HOUSEHOLD, RANK, extract, kind_of, merged, op, prop, ruling

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


def phone(sub: str, t: int, number: str, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"phone": number}, saw=saw, **more)


def name(sub: str, t: int, text: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"full_name": text}, saw=saw, **more)


def risk(sub: str, t: int, code: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"risk_now": code}, saw=saw, **more)


def notices(state: State) -> set[tuple[str, str, NoticeKind]]:
    return {(n.op, n.by, n.kind) for n in state.notices}


def members(state: State) -> dict[str, tuple[str, ...]]:
    return {conflict.cell: conflict.members for conflict in state.conflicts}


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
    areas = frozenset(more.pop("areas", ["2025.31135"]))
    return op(sub, t, said, saw=more.pop("saw", "c"), areas=areas, **more)


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


# --- policies and history ---------------------------------------------------------------------------------------


def test_every_policy_that_a_cell_may_name_is_there() -> None:
    assert POLICIES.keys() == set(PolicyName) - {PolicyName.DERIVED}
    for cell in [*CHILD.cells.values(), *HOUSEHOLD.cells.values()]:
        assert type(policy_of(cell)).__name__ == ("Placement" if cell.placement else cell.policy.title())


def test_history_tells_when_the_shown_value_changed() -> None:
    a, b = phone("a", 10, "0900000001"), phone("b", 30, "0900000002", saw="ca")
    lost, paper = phone("x", 20, "0900000003"), phone("p", 5, "0900000009", saw="cab", late=True)
    state = merged(CHILD, CREATE, a, b, lost, paper)
    timeline = history(CHILD, state, ["phone"])
    assert timeline == [
        (0, "c", {"phone": "0912345678"}),
        (5, "p", {"phone": "0900000009"}),
        (10, "a", {"phone": "0900000001"}),
        (20, "x", {"phone": "0900000003"}),
        (30, "b", {"phone": "0900000002"}),
    ]


def test_history_does_not_bring_back_what_a_form_of_an_earlier_day_replaced() -> None:
    wrong, paper = name("a", 10, "Nguyễn Thị Lam"), name("p", 5, "Nguyễn Thị Lan Anh", saw="ca", late=True)
    state = merged(CHILD, CREATE, wrong, paper)
    assert state.data["full_name"] == "Nguyễn Thị Lan Anh"
    assert [step[2]["full_name"] for step in history(CHILD, state, ["full_name"])] == [
        "Nguyễn Thị Lan",
        "Nguyễn Thị Lan Anh",
        "Nguyễn Thị Lan Anh",
    ]


def test_history_of_a_risk_holds_it_up_until_a_supervisor_lowers_it() -> None:
    state = merged(
        CHILD,
        CREATE,
        risk("a", 10, "cao"),
        risk("b", 20, "thap"),
        ruling("r", 40, {"risk_now": "thap"}, "cab"),
        op("s", 30, {"school": "THCS An Bình"}, saw="c"),
    )
    assert [step[1:] for step in history(CHILD, state, ["risk_now", "school"])] == [
        ("c", {"risk_now": "vua", "school": None}),
        ("c", {"risk_now": "vua", "school": "Tiểu học Kim Đồng"}),
        ("a", {"risk_now": "cao", "school": "Tiểu học Kim Đồng"}),
        ("b", {"risk_now": "cao", "school": "Tiểu học Kim Đồng"}),
        ("s", {"risk_now": "cao", "school": "THCS An Bình"}),
        ("r", {"risk_now": "thap", "school": "THCS An Bình"}),
    ]
    assert history(CHILD, state, ["birth_order"]) == []
