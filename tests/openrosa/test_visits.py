"""Whom to visit, why and by when, on a phone that has no network: the entry of the follow-up form."""

import csv
import io
from collections.abc import Callable
from datetime import date
from typing import Any

from sqlalchemy import select

from server.store.tables import VisitTable
from tests.api.builders import claim, follow_up, item, moment, new_id, nobody_home, register
from tests.api.homes import NAME, Home
from tests.api.planners import asked, today
from tests.api.towns import Town
from tests.openrosa.answers import visited
from tests.openrosa.phone import Phone

PhoneOf = Callable[..., Phone]


def due(phone: Phone) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(phone.files("follow_up_visit")["visits.csv"].decode())))


def retry(town: Town, family: Home) -> None:
    """Nobody was home: by a rule somebody is to go again in seven days."""
    state = town.child(family.child)
    told = nobody_home(family.child)
    town.apply(item("child_situation", told, claim("child", family.child, state["etag"], {})))


def test_visits_say_by_when_whom_and_why_in_the_order_of_their_days(town: Town, phone: PhoneOf) -> None:
    family, other = Home(town), Home(town)
    retry(town, family)
    asked(town, other.child, 3, reason="Xem giếng nước")
    asked(town, family.home, 30)
    rows = due(phone())
    first, second = rows
    assert (first["subject_type"], first["subject"], first["due"]) == ("child", other.child, str(today(3)))
    assert first["label"] == f"{today(3):%d/%m/%Y}: {NAME}, Thăm theo phân công (Xem giếng nước)"
    assert (second["subject"], second["due"]) == (family.child, str(today(7)))
    assert second["label"].startswith(f"{date.fromisoformat(second['due']):%d/%m/%Y}: {NAME}, Đến lại (")


def test_visits_of_others_are_not_on_it(town: Town, phone: PhoneOf) -> None:
    child = new_id()
    town.apply(register(new_id(), {child: "Phan Văn Xa"}, hamlet_code="05"), "u9")
    visit = asked(town, child, 3)
    assert [row["name"] for row in due(phone("u9"))] == [visit]
    for user in ("u1", "u5", "s1", "c1", "a1"):
        assert due(phone(user)) == [], user


def test_a_visit_that_was_given_to_one_of_two_is_on_his_phone_alone(town: Town, phone: PhoneOf) -> None:
    visit = asked(town, Home(town).child, 3)
    before = phone().manifest("follow_up_visit")["visits.csv"]["hash"]
    town.act(f"visits/{visit}/reassign", to="u2", reason="Gần nhà hơn.")
    assert due(phone()) == []
    assert [row["name"] for row in due(phone("u2"))] == [visit]
    assert phone().manifest("follow_up_visit")["visits.csv"]["hash"] != before
    town.act(f"visits/{visit}/cancel", reason="Không cần nữa.")
    assert due(phone("u2")) == []


def test_what_officers_alone_know_makes_no_visit_of_a_collaborator(town: Town, phone: PhoneOf) -> None:
    family = Home(town)
    danger: dict[str, Any] = {"abuse_signs": ["5"], "immediate_danger": "1"}
    phone().submit(visited(town, family.child, town.child(family.child)["revision"], NAME, **danger))
    rules = {row.rule for row in town.rows(select(VisitTable.rule).where(VisitTable.state == "open"))}
    assert "F-EMERG" in rules
    for user in ("u1", "u2", "s1"):
        for name, content in phone(user).files("follow_up_visit").items():
            assert "hẩn cấp" not in content.decode(), (user, name)


def test_the_visit_that_was_made_leaves_the_list(town: Town, phone: PhoneOf) -> None:
    family = Home(town)
    visit = asked(town, family.child, 3)
    assert [row["name"] for row in due(phone())] == [visit]
    state = town.child(family.child)
    made = follow_up(family.child, visit_id=visit)
    seen = claim("child", family.child, state["etag"], state["data"])
    town.apply(item("follow_up_visit", made, seen, observed_at=moment(0.0001)))
    assert due(phone()) == []
