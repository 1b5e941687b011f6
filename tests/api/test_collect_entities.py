"""ODK Collect's offline entities: bare versions, trunks and branches mapped to what was seen; nothing waits, nothing
depends on the order, and every phone ends with what the server has."""

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forms.form import Form
from tests.api.conftest import Town
from tests.api.towns import Plot
from tests.collect import Collect, Row


def phone_of(town: Town) -> Collect:
    return Collect(lambda name: next(form for form in town.nest.catalogue.current() if form.id == name))


def served(town: Town, user: str) -> dict[str, Row]:
    """The children that a user may see, as a list would serve them."""
    found: dict[str, Row] = {}
    page = town.pull(user)
    while True:
        for one in page["entities"]:
            if one["type"] == "child":
                found[one["id"]] = (one["revision"], one["data"])
        if not page["more"]:
            return found
        page = town.pull(user, page["token"])


def sync(town: Town, user: str, phone: Collect) -> None:
    phone.take_in(served(town, user), lambda child: False)


def known_child(town: Town, phone: Collect) -> str:
    child = phone.register("Lê Ngọc Hân")
    town.push([phone.outbox.pop()], "u1")
    sync(town, "u1", phone)
    return child


def test_what_a_phone_made_offline_is_one_chain_in_any_order(town: Town) -> None:
    """A create and two updates of it, all made before the first upload."""
    wanted = None
    for order in permutations(range(3)):
        phone = phone_of(town)
        child = phone.register("Lê Ngọc Hân")
        phone.visit(child, school_name="Trường Một", risk_now="1")
        phone.visit(child, school_name="Trường Hai", risk_now="0", full_name="Lê Ngọc Hân Nhi")
        for index in order:
            town.push([phone.outbox[index]], "u1")
        state = town.child(child)
        told = {name: state["data"][name] for name in ("full_name", "school_name")}
        assert (state["conflicts"], told) == ([], {"full_name": "Lê Ngọc Hân Nhi", "school_name": "Trường Hai"}), (
            order
        )
        wanted = wanted or state["data"] | {"household": ""}
        assert state["data"] | {"household": ""} == wanted, order
        sync(town, "u1", phone)
        assert phone.children[child].version == state["revision"]


def test_a_stale_prefilled_risk_does_not_lower_the_new_one(town: Town) -> None:
    """The case in which Central ends with the low risk again."""
    one, two = phone_of(town), phone_of(town)
    child = known_child(town, one)
    one.visit(child, risk_now="0")
    town.push([one.outbox.pop()], "u1")
    for user, phone in (("u1", one), ("u2", two)):
        sync(town, user, phone)
    before = {phone.children[child].version for phone in (one, two)}
    one.visit(child, risk_now="3")
    two.visit(child, school_name="Trường Mới")
    town.push([one.outbox.pop()], "u1")
    (receipt,) = town.push([two.outbox.pop()], "u2")
    assert receipt["outcome"] in ("applied", "merged")
    state = town.child(child)
    assert (state["data"]["risk_now"], state["data"]["school_name"], state["conflicts"]) == ("3", "Trường Mới", [])
    for user, phone in (("u1", one), ("u2", two)):
        sync(town, user, phone)
        assert phone.children[child].version > max(before)
        assert phone.children[child].data["risk_now"] == "3"


def test_two_phones_that_rename_are_a_conflict_and_one_that_renames_twice_is_not(town: Town) -> None:
    one, two = phone_of(town), phone_of(town)
    child = known_child(town, one)
    sync(town, "u2", two)
    one.visit(child, full_name="Lê Ngọc Hân Một")
    one.visit(child, full_name="Lê Ngọc Hân Hai")
    town.push(one.outbox, "u1")
    assert town.child(child)["conflicts"] == []
    two.visit(child, full_name="Lê Thị Hân")
    (receipt,) = town.push(two.outbox, "u2")
    assert receipt["outcome"] == "conflict"
    (conflict,) = town.child(child)["conflicts"]
    names = {value["value"]["full_name"] for value in conflict["values"]}
    assert names == {"Lê Ngọc Hân Hai", "Lê Thị Hân"}


def test_a_branch_is_its_author_s_alone(town: Town) -> None:
    """Whoever names another's branch has not seen what is in it."""
    one, two = phone_of(town), phone_of(town)
    child = known_child(town, one)
    sync(town, "u2", two)
    two.children[child] = two.children[child].__class__(**vars(two.children[child]) | {"branch": "mượn"})
    one.children[child] = one.children[child].__class__(**vars(one.children[child]) | {"branch": "mượn"})
    one.visit(child, full_name="Lê Ngọc Hân Một")
    two.children[child] = one.children[child]
    two.visit(child, full_name="Lê Thị Hân")
    town.push(one.outbox, "u1")
    (receipt,) = town.push(two.outbox, "u2")
    assert receipt["outcome"] == "conflict"


@pytest.mark.parametrize("version", ["", "không", "-1", "99999", "9" * 400])
@pytest.mark.parametrize("trunk", ["", "1", "nhiều"])
def test_versions_that_are_none_are_kept_with_an_unknown_base(town: Town, version: str, trunk: str) -> None:
    phone = phone_of(town)
    child = known_child(town, phone)
    phone.visit(child, school_name="Trường Một")
    (made,) = phone.outbox
    made["xml"] = made["xml"].replace('baseVersion="1"', f'baseVersion="{version}"')
    made["xml"] = made["xml"].replace('trunkVersion="1"', f'trunkVersion="{trunk}"')
    (receipt,) = town.push([made], "u1")
    assert receipt["outcome"] in ("applied", "merged", "conflict")
    assert town.child(child)["data"]["school_name"] == "Trường Một"


STEPS = st.lists(
    st.tuples(st.sampled_from(("register", "visit", "upload", "late", "fetch", "correct")), st.integers(0, 1),
              st.integers(0, 5)),
    max_size=14,
)  # fmt: skip
USERS = ("u1", "u2")


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(STEPS)
def test_after_whatever_happened_every_phone_ends_with_what_the_server_has(collect_plot: Plot, steps: Any) -> None:
    town = collect_plot.clear()
    phones = [phone_of(town) for _ in USERS]
    known_child(town, phones[0])
    sync(town, "u2", phones[1])
    for number, (what, who, choice) in enumerate(steps):
        _step(town, phones[who], USERS[who], what, choice, number)
    for phone, user in zip(phones, USERS, strict=True):
        town.push(phone.outbox, user)
        phone.outbox.clear()
    state = served(town, "u1")
    for phone, user in zip(phones, USERS, strict=True):
        sync(town, user, phone)
        assert {child: (one.version, one.data) for child, one in phone.children.items()} == state


def _step(town: Town, phone: Collect, user: str, what: str, choice: int, number: int) -> None:
    children = sorted(phone.children)
    child = children[choice % len(children)] if children else None
    if what == "register":
        phone.register(f"Trẻ Số {number}")
    elif what == "visit" and child:
        changes: Mapping[str, Any] = (
            {"risk_now": "3"},
            {"school_name": f"Trường {number}"},
            {"grade": 1 + number % 5},
        )[choice % 3]
        phone.visit(child, **changes)
    elif what == "upload" and phone.outbox:
        town.push([phone.outbox.pop(0)], user)
    elif what == "late" and phone.outbox:
        town.push([phone.outbox.pop()], user)
    elif what == "fetch":
        sync(town, user, phone)
    elif what == "correct" and child and child in served(town, "s1"):
        base = town.child(child, "s1")["etag"]
        values = {"school_name": f"Sửa {number}"}
        town.act(f"entities/child/{child}/correct", base=base, values=values, reason="Đã hỏi trường.")


@pytest.fixture
def collect_plot(town: Town, plots: dict[str, Plot], database: str) -> Plot:
    return plots[database]


def test_the_model_sends_what_the_list_prefilled(town: Town) -> None:
    phone = phone_of(town)
    child = known_child(town, phone)
    phone.visit(child)
    form: Form = phone.form("child_situation")
    assert any(question.prefilled for question in form.questions)
    assert "<full_name>Lê Ngọc Hân</full_name>" in phone.outbox[0]["xml"]
