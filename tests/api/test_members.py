"""Who lives in a household: registered with it, born into it, come, gone, dead; nobody twice and nobody lost."""

from itertools import permutations
from typing import Any

import pytest
from sqlalchemy import select

from server.store.tables import Entity, VisitTable, db
from tests.api.builders import (
    AREA,
    claim,
    day,
    gone,
    item,
    member,
    new_id,
    newborn,
    newcomer,
    registration,
    update,
)
from tests.api.conftest import Town

pytestmark = pytest.mark.usefixtures("rebuilt")

CHILDREN = ("Thạch Sô Phia", "Thạch Na", "Thạch Vi Sal")
ADULTS = ("Thạch Sa Rây", "Sơn Thị Nết")


class Home:
    """A Khmer family of two adults and three children, registered by u1; what is told of it later, item by item."""

    def __init__(self) -> None:
        self.id = new_id()
        self.children = {name: new_id() for name in CHILDREN}
        self.adults = {name: new_id() for name in ADULTS}
        self.baby = new_id()
        rows = [member(name, 34, "1" if name == ADULTS[0] else "2", ident) for name, ident in self.adults.items()]
        rows += [member(name, 4 + age, "3", ident) for age, (name, ident) in enumerate(self.children.items())]
        answers = registration(self.id, {}, head_name=ADULTS[0], members=rows)
        self.registered = item("household_registration", answers, claim("household", self.id))

    def updated(self, *rows: dict[str, Any], after: tuple[str, ...] = (), **answers: Any) -> dict[str, Any]:
        """An update made on the phone that made the registration, before it has pulled again."""
        chain = [self.registered["id"], *after]
        shown = {
            "ward_code": "2025.31135",
            "hamlet_code": "01",
            "head_name": ADULTS[0],
            "address_line": "12/3, hẻm 5, tổ 2",
        }
        claims = [claim("household", self.id, "0-", shown, chain)]
        for row in rows:
            for kind, who in (("child", "who_child"), ("person", "who_adult")):
                if who in row:
                    claims.append(claim(kind, row[who], "0-", {}, chain))
        return item("household_update", update(self.id, *rows, **answers), *claims)

    def moved(self, **more: Any) -> dict[str, Any]:
        return self.updated(
            changes=["place"],
            ward_code="2025.31135",
            hamlet_code="05",
            address_type="1",
            address_line="9, hẻm 1",
            **more,
        )


def members(town: Town, home: Home) -> dict[str, Any]:
    """The rows of everybody who lives in the household, by name; two of one name would be one too many."""
    rows = [row[0] for row in town.rows(select(Entity).where(Entity.household == home.id))]
    assert len({row.label for row in rows}) == len(rows)
    return {row.label: row for row in rows}


def adult(town: Town, ident: str, user: str = "u1") -> dict[str, Any]:
    answer = town.get(f"/api/v1/entities/person/{ident}", user)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_a_registration_records_children_and_adults(town: Town) -> None:
    home = Home()
    receipt = town.apply(home.registered)
    assert {entity["id"] for entity in receipt["entities"]} == {
        home.id,
        *home.children.values(),
        *home.adults.values(),
    }
    found = members(town, home)
    assert {name: row.type for name, row in found.items()} == {
        **dict.fromkeys(CHILDREN, "child"),
        **dict.fromkeys(ADULTS, "person"),
    }
    assert {row.scope for row in found.values()} == {f"{AREA}/01"}
    data = adult(town, home.adults[ADULTS[1]])["data"]
    assert (data["full_name"], data["relationship"], data["marital"], data["household"]) == (
        ADULTS[1],
        "2",
        "2",
        home.id,
    )
    assert town.get(f"/api/v1/entities/person/{home.adults[ADULTS[1]]}", "u9").status_code in (403, 404)


def test_adults_come_to_the_phones_of_their_hamlet_alone(town: Town) -> None:
    home = Home()
    town.apply(home.registered)
    assert set(home.adults.values()) <= {one["id"] for one in town.pull("u2")["entities"]}
    assert not set(home.adults.values()) & {one["id"] for one in town.pull("u9")["entities"]}
    town.apply(home.moved())
    assert set(home.adults.values()) <= {one["id"] for one in town.pull("u9")["entities"]}


@pytest.mark.parametrize("split", [True, False])
def test_a_birth_a_death_and_a_move_in_any_order_of_arrival(town: Town, split: bool) -> None:
    """No member twice, nobody lost: told in three updates, or in one that comes before or after the registration."""
    ends = []
    for order in permutations(range(4 if split else 2)):
        home = Home()
        born, died = newborn("Gái", home.baby), gone(home.adults[ADULTS[0]], "DEATH", adult=True)
        if split:
            told = [home.registered, home.updated(born), home.updated(died), home.moved()]
        else:
            place: Any = {
                "ward_code": "2025.31135",
                "hamlet_code": "05",
                "address_type": "1",
                "address_line": "9, hẻm 1",
            }
            told = [home.registered, home.updated(born, died, changes=["members", "place"], **place)]
        for index in order:
            (receipt,) = town.push([told[index]])
            assert receipt["outcome"] == "applied", (order, receipt)
        found = members(town, home)
        assert set(found) == {*CHILDREN, *ADULTS, "Gái"}, order
        assert {row.scope for row in found.values()} == {f"{AREA}/05"}, order
        with town.app.app_context():
            assert db.session.get_one(Entity, home.id).scope == f"{AREA}/05"
        town.push(told)
        assert set(members(town, home)) == set(found)
        dead = adult(town, home.adults[ADULTS[0]], "u9")
        assert (dead["data"]["presence"], dead["data"]["presence_on"]) == ("DEATH", day(-2))
        ends.append(
            [
                dead["data"] | {"household": ""},
                town.child(home.baby, "u9")["data"] | {"household": ""},
                town.household(home.id, "u9")["data"],
            ]
        )
    assert all(end == ends[0] for end in ends)


def planned(town: Town, subject: str) -> set[str]:
    rows = town.rows(select(VisitTable.rule).where(VisitTable.subject == subject, VisitTable.state == "open"))
    return {row.rule for row in rows}


def test_a_child_that_left_or_died_is_visited_no_more_and_again_when_it_is_back(town: Town) -> None:
    home = Home()
    (name, child), *others = home.children.items()
    unregistered = home.registered["answers"]["members"][2]
    assert unregistered["full_name"] == name
    town.apply(home.registered)
    assert planned(town, home.id) == {"F-HHQ"}
    rows = [gone(ident, "OUT") for _, ident in others]
    town.apply(home.updated(*rows, gone(child, "DEATH")))
    assert planned(town, home.id) == set()
    state = town.child(child)
    again = item(
        "household_update",
        update(home.id, gone(child, "BACK", since=day(-1))),
        claim("child", child, state["etag"], state["data"]),
    )
    town.apply(again)
    assert planned(town, home.id) == {"F-HHQ"}
    assert town.child(child)["data"]["presence"] == "BACK"


def test_two_who_disagree_whether_somebody_died_leave_it_to_a_supervisor(town: Town) -> None:
    home = Home()
    town.apply(home.registered)
    child = home.children[CHILDREN[0]]
    state = town.child(child)
    told = [
        item(
            "household_update", update(home.id, gone(child, how)), claim("child", child, state["etag"], state["data"])
        )
        for how in ("OUT", "DEATH")
    ]
    town.push([told[0]])
    (receipt,) = town.push([told[1]], "u2")
    assert receipt["outcome"] == "conflict"
    assert planned(town, home.id) == {"F-HHQ"}  # the two others are there in any case


def test_who_moves_in_is_a_child_or_an_adult_by_age(town: Town) -> None:
    home, child, grown = Home(), new_id(), new_id()
    town.apply(home.registered)
    town.apply(home.updated(newcomer("Kim Danh", 7, child), newcomer("Lâm Thị Chanh", 41, grown)))
    assert town.child(child)["data"]["joined"] == "IN"
    assert adult(town, grown)["data"]["joined_on"] == day(-1)
    wrong = newcomer("Kim Danh Em", 7, new_id()) | {"dob": day(-17 * 366)}
    (receipt,) = town.push([home.updated(wrong)])
    assert [p["pointer"] for p in receipt["problems"]] == ["/answers/member_changes/0/dob"]


def test_one_member_in_two_rows_is_asked_about(town: Town) -> None:
    home = Home()
    town.apply(home.registered)
    who = home.adults[ADULTS[1]]
    (receipt,) = town.push([home.updated(gone(who, "OUT", adult=True), gone(who, "DEATH", adult=True))])
    assert receipt["reason"] == "bad_value"
    assert {p["pointer"] for p in receipt["problems"]} == {"/answers/member_changes/0", "/answers/member_changes/1"}


def test_what_an_update_does_not_ask_stays_and_what_it_shows_unchanged_says_nothing(town: Town) -> None:
    home = Home()
    town.apply(home.registered)
    state = town.household(home.id)
    shown = state["data"]
    told = {name: shown[name] for name in ("head_name", "phone", "phone_owner")}
    answers = update(home.id, changes=["contact"], **(told | {"phone": "0987654321"}))
    town.apply(item("household_update", answers, claim("household", home.id, state["etag"], shown)))
    data = town.household(home.id)["data"]
    assert data == shown | {"phone": "0987654321"}


def test_a_known_member_without_claims_or_row_ids_is_found_by_the_answer(town: Town) -> None:
    """A client that sends the plain answers alone: the row says who it is."""
    home = Home()
    town.apply(home.registered)
    town.apply(item("household_update", update(home.id, gone(home.adults[ADULTS[1]], "OUT", adult=True))))
    assert adult(town, home.adults[ADULTS[1]])["data"]["presence"] == "OUT"
    assert set(members(town, home)) == {*CHILDREN, *ADULTS}
