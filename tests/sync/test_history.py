"""Policies by name, and how a value came to be."""

from typing import Any

from forms.entity_types import PolicyName
from sync.state.merge import POLICIES, history, policy_of
from sync.state.model import Op
from tests.sync.types import CHILD, HOUSEHOLD, merged, op, ruling

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


def name(sub: str, t: int, text: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"full_name": text}, saw=saw, **more)


def risk(sub: str, t: int, code: str | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"risk_now": code}, saw=saw, **more)


def test_every_policy_that_a_cell_may_name_is_there() -> None:
    assert POLICIES.keys() == set(PolicyName) - {PolicyName.DERIVED}
    for cell in [*CHILD.cells.values(), *HOUSEHOLD.cells.values()]:
        assert type(policy_of(cell)).__name__ == ("Placement" if cell.placement else cell.policy.title())


def test_history_tells_when_the_shown_value_changed() -> None:
    a, b = phone("a", 10, "0900000001"), phone("b", 30, "0900000002", saw="ca")
    lost, paper = phone("x", 20, "0900000003"), phone("p", 5, "0900000009", saw="cab", late=True)
    state = merged(CHILD, CREATE, a, b, lost, paper)
    timeline = history(CHILD, state.cells, ["phone"])
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
    assert [step[2]["full_name"] for step in history(CHILD, state.cells, ["full_name"])] == [
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
    assert [step[1:] for step in history(CHILD, state.cells, ["risk_now", "school"])] == [
        ("c", {"risk_now": "vua", "school": None}),
        ("c", {"risk_now": "vua", "school": "Tiểu học Kim Đồng"}),
        ("a", {"risk_now": "cao", "school": "Tiểu học Kim Đồng"}),
        ("b", {"risk_now": "cao", "school": "Tiểu học Kim Đồng"}),
        ("s", {"risk_now": "cao", "school": "THCS An Bình"}),
        ("r", {"risk_now": "thap", "school": "THCS An Bình"}),
    ]
    assert history(CHILD, state.cells, ["birth_order"]) == []
