"""Who is told what: hamlets, the protection desk, a user's own feed; what moves, ends or is taken away."""

from typing import Any

import pytest

from forms.entity_types import protected_id
from server.cli.lists import issue_lists
from server.clock import now
from sync.times import local_date
from tests.api.builders import AREA, OTHER, PROTECTED, moment, new_id, register, visit
from tests.api.conftest import Town
from tests.api.homes import NAME, Home, ids
from tests.databases import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def test_each_reader_gets_his_scopes_and_nothing_else(town: Town) -> None:
    family = Home(town)
    family.visit(years=13, **PROTECTED)
    half = protected_id(family.child)
    for user, told in {
        "u1": family.ids,
        "u2": family.ids,
        "u9": set(),
        "s1": {*family.ids, half},
        "c1": set(),
        "a1": set(),
        "u5": set(),
        "s5": set(),
    }.items():
        assert ids(town.pull(user)) == told, user
    desk = town.pull("s1", limit=1)
    assert ids(desk) | {one["subject"] for one in desk["visits"]} <= {half}  # what is urgent comes first


def test_a_user_hears_of_his_own_submissions_alone(town: Town) -> None:
    family = Home(town)
    sent = family.visit()["id"]
    assert sent in ids(town.pull("u1"), "submissions")
    assert ids(town.pull("u2"), "submissions") == ids(town.pull("s1"), "submissions") == set()
    token = town.pull("u1")["token"]
    town.act(f"submissions/{sent}/return", comment="Xin xem lại lớp", question="/answers/grade")
    (state,) = town.pull("u1", token)["submissions"]
    assert (state["id"], state["state"], state["comment"]) == (sent, "has_issues", "Xin xem lại lớp")


def test_lists_come_to_whom_they_were_issued(town: Town) -> None:
    Home(town)
    day = local_date(now() + 95 * 86_400_000)
    with town.app.app_context():
        numbers = issue_lists(day, AREA)
    lists = town.pull("u1")["lists"] + town.pull("u2")["lists"]
    assert sorted(one["number"] for one in lists) == sorted(numbers) != []
    assert lists[0]["lines"][0].keys() == {"line", "visit"}
    assert town.pull("u9")["lists"] == town.pull("s1")["lists"] == []


def test_an_assignment_that_begins_brings_its_hamlet_whole_and_one_that_ends_drops_it(town: Town) -> None:
    family = Home(town)
    token = town.pull("u9")["token"]
    town.assigned("u9", AREA, "01", 0)
    page = town.pull("u9", token)
    assert (ids(page), page["drop_scopes"]) == (family.ids, [])
    town.assigned("u9", AREA, "01", -40, -1)
    town.unassigned("u9", AREA, "01", 0)
    page = town.pull("u9", page["token"])
    assert (ids(page), page["drop_scopes"], page["gone"]) == (set(), [f"{AREA}/01"], [])
    family.visit()
    assert ids(town.pull("u9", page["token"])) == set()


def test_work_about_a_hamlet_that_was_taken_away_still_lands(town: Town) -> None:
    family = Home(town)
    told = next(one for one in town.pull("u2")["entities"] if one["id"] == family.child)
    town.relieved("u2")
    town.assigned("u2", AREA, "01", -20, -1)
    late = visit(family.child, NAME, told["etag"], told["data"], grade=5) | {"observed_at": moment(-2)}
    assert town.apply(late, "u2")["entities"] == [
        {"type": "child", "id": family.child}
    ]  # no word of what he may not read
    assert town.child(family.child)["data"]["grade"] == 5


def test_a_household_that_moves_leaves_the_old_phones_and_reaches_the_new_ones(town: Town) -> None:
    family = Home(town)
    had, new = town.pull("u1"), town.pull("u9")["token"]
    family.move("31135", "05")
    left, come = town.pull("u1", had["token"]), town.pull("u9", new)
    assert {one["id"] for one in left["gone"] if one["kind"] == "entity"} == family.ids
    assert {one["kind"] for one in left["gone"]} == {"entity", "visit"}
    assert ids(left) == ids(left, "visits") == set()
    assert ids(come) == family.ids
    assert {one["scope"] for one in [*come["entities"], *come["visits"]]} == {f"{AREA}/05"}
    assert ids(had, "visits") == {one["id"] for one in left["gone"] if one["kind"] == "visit"}
    assert {one["rule"] for one in come["visits"]} == {one["rule"] for one in had["visits"]} == {"F-HHQ", "F-CHECKUP"}


def test_a_move_to_another_area_takes_members_halves_and_visits_to_its_people(town: Town) -> None:
    family = Home(town)
    family.visit(years=13, **PROTECTED)
    half = protected_id(family.child)
    town.assigned("s1", OTHER, None, -1)
    town.assigned("u5", OTHER, "02", -1)
    tokens = {user: town.pull(user)["token"] for user in ("u1", "s5", "u5")}
    family.move("31120", "02")
    town.relieved("s1")
    town.assigned("s1", AREA, None, -40)
    pages = {user: town.pull(user, token) for user, token in tokens.items()}
    assert {one["id"] for one in pages["u1"]["gone"] if one["kind"] == "entity"} == family.ids
    assert ids(pages["u5"]) == family.ids
    assert ids(pages["s5"]) == {*family.ids, half}
    assert {one["scope"] for one in pages["s5"]["entities"]} == {f"{OTHER}/02", f"{OTHER}/!"}
    rules = {one["rule"]: one["scope"] for one in pages["s5"]["visits"]}
    assert (rules["F-EMERG"], rules["F-HHQ"]) == (f"{OTHER}/!", f"{OTHER}/02")
    assert ids(town.pull("s1")) == set()


def test_what_is_deleted_is_gone(town: Town) -> None:
    family = Home(town)
    token = town.pull("u2")["token"]
    seen = town.child(family.child)
    act = {"base": seen["etag"], "reason": "Nhập trùng"}
    town.act(f"entities/child/{family.child}/delete", **act)
    page = town.pull("u2", token)
    assert {"kind": "entity", "id": family.child} in page["gone"]
    assert family.child not in ids(town.pull("u2"))
    back = town.act(
        f"entities/child/{family.child}/restore", base=town.child(family.child, "s1")["etag"], reason="Nhầm"
    )
    assert back
    assert family.child in ids(town.pull("u2", page["token"]))


def test_a_visit_that_was_made_is_taken_off_the_phones(town: Town) -> None:
    family = Home(town)
    family.visit(school_status="3", school_level=None, grade=None, school_name=None)
    (due,) = [one for one in town.pull("u2")["visits"] if one["rule"] == "F-DROPOUT"]
    token = town.pull("u2")["token"]
    family.visit("u2", school_status="1", school_level="3", grade=4, school_name="Tiểu học Bờ Kênh")
    page = town.pull("u2", token)
    assert {"kind": "visit", "id": due["id"]} in page["gone"]
    assert due["id"] not in ids(town.pull("u2"), "visits")
    assert not town.pull("u2")["gone"]  # who begins from nothing is told nothing of what is over


def test_a_revoked_device_is_told_nothing_more(town: Town) -> None:
    Home(town)
    token = town.pull("u1")["token"]
    town.revoke("u1")
    assert town.refusal("sync/pull", "u1", token=token) == (403, "device_revoked")
    body = town.sync([register(new_id(), {})], "u1", pull={"token": token})
    assert (body["device"], "page" in body, body["receipts"][0]["reason"]) == ("revoked", False, "device_revoked")


def test_an_old_client_pushes_and_pulls_no_more(town: Town, new_town: Any) -> None:
    strict = new_town(min_app="1.4.0")
    body = strict.sync([register(new_id(), {})], app="1.3.9")
    assert (body["receipts"][0]["outcome"], body["update"], "page" in body) == ("applied", "1.4.0", False)
    assert strict.refusal("sync/pull", "u1", app="1.3.9") == (426, "update_needed")
    for app in ("1.4.0", "1.10", "2", "thử nghiệm", ""):
        assert "page" in strict.sync(app=app), app
        assert strict.pull("u1", app=app)
    assert strict.get("/api/v1/sync/config").get_json()["min_app"] == "1.4.0"


@pytest.mark.parametrize("forged", ["", "x", "AAAA" * 30, "%%%"])
def test_a_forged_token_gives_nothing_and_stores_nothing(town: Town, forged: str) -> None:
    Home(town)
    before = town.stored()
    for answer in (
        town.ask("sync/pull", "u1", token=forged),
        town.send([register(new_id(), {})], "u1", pull={"token": forged}),
        town.send([register(new_id(), {})], "u1", ack=forged),
    ):
        told = answer.get_json()
        assert (answer.status_code, told["code"], told["reason"], told["epoch"]) == (
            409,
            "resync",
            "token_unknown",
            1,
        )
    assert town.stored() == before


def test_tokens_of_another_device_another_user_or_another_kind_are_unknown(town: Town) -> None:
    Home(town)
    body = town.sync([], "u1")
    token, ack = body["page"]["token"], body["ack"]
    other = town.second_token("u2", "u1")  # u2 on u1's phone
    for asked, user, with_token in ((token, "u2", None), (token, "u2", other), (ack, "u1", None)):
        answer = town.ask("sync/pull", user, with_token, token=asked)
        assert answer.get_json()["reason"] == "token_unknown"
    assert town.ask("sync/pull", "u1", ack=token).get_json()["reason"] == "token_unknown"
    assert town.ask("sync/pull", "u2", ack=ack).get_json()["reason"] == "token_unknown"


def test_the_officers_feed_is_not_the_collaborators_on_the_same_phone(town: Town) -> None:
    family = Home(town)
    family.visit(years=13, **PROTECTED)
    officer = town.second_token("s1", "u1")
    page = town.ask("sync/pull", "s1", officer).get_json()["page"]
    assert protected_id(family.child) in ids(page)
    assert town.ask("sync/pull", "u1", token=page["token"]).get_json()["reason"] == "token_unknown"
    assert ids(town.pull("u1")) == family.ids
    held = town.held("u1")
    assert held == {(user, one) for user in ("s1", "u1") for one in family.ids} | {("s1", protected_id(family.child))}
