"""The plan over the API, and what a scheduler decides: it holds through planning, rebuilding and late words."""

from datetime import timedelta
from typing import Any

import orjson
import pytest
import time_machine
from sqlalchemy import select, update

from server.clock import now
from server.rebuild import rebuild_all
from server.reminders.jobs import run_plan
from server.store.tables import ArrangementTable, AuditTable, VisitTable, db
from sync.times import local_time
from tests.api.builders import AREA, OTHER, claim, item, new_id, nobody_home
from tests.api.conftest import Town
from tests.api.homes import NAME, Home
from tests.api.planners import asked, issued, lines, plan, today, unregistered, week
from tests.databases import DATABASES

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def travel(days: float) -> Any:
    return time_machine.travel(local_time(now()) + timedelta(days=days), tick=True)


def again(town: Town) -> None:
    """Plan everything anew, and compute everything from the log: neither finds anything to do."""
    with town.app.app_context():
        assert run_plan() == 0
        assert not rebuild_all(town.nest, now(), town.nest.committer.run, write=True).differences


def retry(town: Town, family: Home) -> str:
    """Nobody was home: a visit by rule is due in seven days; returns its id."""
    state = town.child(family.child)
    town.apply(item("child_situation", nobody_home(family.child), claim("child", family.child, state["etag"], {})))
    return open_of(town, family.child)["F-RETRY"]


def open_of(town: Town, subject: str) -> dict[str, str]:
    query = select(VisitTable.rule, VisitTable.id).where(VisitTable.subject == subject, VisitTable.state == "open")
    return {row.rule: row.id for row in town.rows(query)}


def week_after(days: int) -> str:
    return week(today(days))


@both
def test_from_what_is_due_to_a_list_for_each(town: Town) -> None:
    family = Home(town)
    due = retry(town, family)
    found = plan(town, area=AREA, week=week_after(7))
    (told,) = [one for one in found if one["id"] == due]
    assert (told["name"], told["what"], told["whose"]) == (NAME, "Đến lại", ["u1", "u2"])
    assert plan(town, area=AREA, week=week_after(7), hamlet="05") == []
    assert [one["id"] for one in plan(town, area=AREA, week=week_after(7), collaborator="u2")] == [due]
    loads = town.get(f"/api/v1/visits/load?area={AREA}&week={week_after(7)}", "c1").get_json()["collaborators"]
    counts = {one["collaborator"]: (one["lines"], one["shared"], one["capacity"] > 0) for one in loads}
    assert counts == {"u1": (1, 1, True), "u2": (1, 1, True), "u9": (0, 0, True)}
    town.act(f"visits/{due}/reassign", "c1", to="u2", reason="Gần nhà hơn")
    lists = issued(town, today(7), "weekly")
    assert {person: lines(body) for person, body in lists.items()} == {"u2": [family.child]}
    assert lists["u2"]["number"] == f"31135-{week_after(7).replace('-', '')}-01"


@both
def test_what_was_decided_holds_when_everything_is_planned_again(town: Town) -> None:
    given, put_off, cancelled, added = (Home(town) for _ in range(4))
    visits = [retry(town, family) for family in (given, put_off, cancelled)]
    town.act(f"visits/{visits[0]}/reassign", "c1", to="u2", reason="Gần nhà hơn")
    town.act(f"visits/{visits[1]}/snooze", "c1", until=today(9).isoformat(), reason="Nước lớn")
    town.act(f"visits/{visits[2]}/cancel", "c1", reason="Đã gọi điện")
    asked(town, added.child, days=5, to="u1")
    again(town)
    with travel(6):
        again(town)
        lists = issued(town, today())
        assert {person: set(lines(body)) for person, body in lists.items()} == {
            "u1": {added.child},
            "u2": {given.child},
        }
    with travel(9):
        assert put_off.child in lines(issued(town, today())["u1"])


@both
def test_what_was_decided_holds_for_the_visit_that_takes_over(town: Town) -> None:
    family = Home(town)
    before = retry(town, family)
    town.act(f"visits/{before}/snooze", "c1", until=today(3).isoformat(), reason="Nước lớn")
    town.act(f"visits/{before}/cancel", "c1", reason="Đã gọi điện")
    with travel(1):
        after = retry(town, family)  # the start of the term moves
        assert after != before
        assert after not in {one["id"] for one in town.pull("u1")["visits"]}
        query = select(ArrangementTable.visit, ArrangementTable.n, ArrangementTable.standing)
        assert sorted(tuple(row) for row in town.rows(query)) == [(after, 1, False), (after, 2, True)]
        again(town)
    with travel(8):
        assert family.child not in str(town.act("lists/preview", "c1", area=AREA, kind="daily", day=str(today())))


def test_phones_hear_of_it(town: Town) -> None:
    family = Home(town)
    due = retry(town, family)
    token = town.pull("u1")["token"]
    town.act(f"visits/{due}/snooze", "c1", until=today(9).isoformat(), reason="Nước lớn")
    town.act(f"visits/{due}/reassign", "c1", to="u2", reason="Gần nhà hơn")
    page = town.pull("u1", token)
    (told,) = page["visits"]
    assert (told["show_on"], told["assignee"]) == (today(9).isoformat(), "u2")
    town.act(f"visits/{due}/cancel", "c1", reason="Đã gọi điện")
    page = town.pull("u1", page["token"])
    assert (page["visits"], page["gone"]) == ([], [{"kind": "visit", "id": due}])
    assert due not in {one["id"] for one in town.child(family.child)["visits"]}
    town.act(f"visits/{due}/resume", "c1", reason="Nhầm")
    page = town.pull("u1", page["token"])
    assert [(one["id"], one["assignee"]) for one in page["visits"]] == [(due, "u2")]
    added = asked(town, family.child)
    (told,) = town.pull("u1", page["token"])["visits"]
    assert (told["id"], told["why"]["vi"]) == (added, "Xem giếng nước")


def test_a_visit_by_hand_is_done_by_a_visit_and_open_again_if_that_is_rejected(town: Town) -> None:
    family = Home(town)
    added = asked(town, family.child)
    again(town)
    with travel(0.1):
        receipt = family.visit()
        assert "BY-HAND" not in open_of(town, family.child)
        again(town)
        town.act(f"submissions/{receipt['id']}/reject", reason="Nhầm nhà")
        assert open_of(town, family.child)["BY-HAND"] == added
        again(town)


def test_a_visit_by_hand_moves_with_its_child(town: Town) -> None:
    family = Home(town)
    added = asked(town, family.child)
    family.move("31135", "05")
    (row,) = town.rows(select(VisitTable.scope).where(VisitTable.id == added))
    assert row.scope == f"{AREA}/05"
    assert set(issued(town, today())) == {"u9"}
    again(town)


def test_asked_again_with_the_same_id_it_is_the_same_visit(town: Town) -> None:
    family = Home(town)
    first = asked(town, family.child, id="k1")
    assert asked(town, family.child, id="k1") == first
    body = {"subject": family.home, "due": str(today(1)), "reason": "Xem giếng nước", "id": "k1"}
    assert town.refusal("visits", "c1", **body) == (409, "id_reuse")
    assert asked(town, family.child, id="k1", user="s1") != first


def test_what_the_law_wants_is_neither_cancelled_nor_put_off_past_its_deadline(town: Town) -> None:
    child = unregistered(town, 28)
    due = open_of(town, child)["F-BIRTH"]
    assert town.refusal(f"visits/{due}/cancel", "c1", reason="Bận") == (409, "statutory_visit")
    late = {"until": today(3).isoformat(), "reason": "Bận"}
    assert town.refusal(f"visits/{due}/snooze", "c1", **late) == (409, "statutory_visit")
    assert town.ask(f"visits/{due}/snooze", "c1", **late).get_json()["deadline"] == today(2).isoformat()
    town.act(f"visits/{due}/snooze", "c1", until=today(2).isoformat(), reason="Bận")


def test_only_those_who_have_charge_of_the_place_can_be_sent_there(town: Town) -> None:
    family = Home(town)
    due = retry(town, family)
    for other in ("u9", "u5", "s1", "c1", "nobody"):
        assert town.refusal(f"visits/{due}/reassign", "c1", to=other, reason="x") == (409, "not_in_charge"), other
    body = {"subject": family.child, "due": str(today(1)), "reason": "x", "to": "u9"}
    assert town.refusal("visits", "c1", **body) == (409, "not_in_charge")
    town.act(f"visits/{due}/reassign", "c1", to="u2", reason="Gần nhà hơn")
    town.relieved("u2")
    (told,) = [one for one in plan(town, area=AREA, week=week_after(7)) if one["id"] == due]
    assert told["whose"] == ["u1"]  # nobody is forgotten because who was to go has left


def test_refusals(town: Town) -> None:
    family = Home(town)
    due = retry(town, family)
    for act, body in {"cancel": {}, "snooze": {"until": str(today(3))}, "reassign": {"to": "u2"}}.items():
        path = f"visits/{due}/{act}"
        assert town.refusal(path, "u1", **body, reason="x") == (403, "forbidden")
        assert town.refusal(path, "a1", **body, reason="x") == (403, "forbidden")
        assert town.refusal(path, "s5", **body, reason="x") == (404, "not_found")
        assert town.refusal(path, "c1", **body, reason="  ") == (422, "invalid")
        assert town.refusal(path, "c1", **body) == (422, "invalid")
    assert town.refusal(f"visits/{due}/snooze", "c1", until=str(today()), reason="x") == (422, "invalid")
    assert town.refusal(f"visits/{new_id()}/cancel", "c1", reason="x") == (404, "not_found")
    unknown = {"subject": new_id(), "due": str(today(1)), "reason": "x"}
    assert town.refusal("visits", "c1", **unknown) == (404, "not_found")
    assert town.refusal("visits", "s5", **unknown | {"subject": family.child}) == (404, "not_found")
    past = {"subject": family.child, "due": str(today(-1)), "reason": "x"}
    assert town.refusal("visits", "c1", **past) == (422, "invalid")
    family.visit()
    assert town.refusal(f"visits/{due}/cancel", "c1", reason="x") == (409, "visit_over")
    for path in (f"?area={OTHER}", "/load?week=2026-W99", "/summary?from=2026-01-01&to=2020-01-01", "?week=x"):
        assert town.get(f"/api/v1/visits{path}", "c1").status_code in (404, 422), path


def test_a_scheduler_hears_nothing_of_what_follows_from_protected_data(town: Town) -> None:
    family = Home(town)
    family.visit(immediate_danger="1")
    query = select(VisitTable.id).where(VisitTable.scope == f"{AREA}/!", VisitTable.state == "open")
    hidden = [row.id for row in town.rows(query)]
    assert hidden
    seen = {one["id"] for one in plan(town, area=AREA, week=week_after(40), limit="500")}
    assert not seen & set(hidden)
    assert set(hidden) <= {one["id"] for one in plan(town, "s1", area=AREA, week=week_after(40))}
    for ident in hidden:
        body: dict[str, Any] = {"to": "s1", "reason": "x"}
        assert town.refusal(f"visits/{ident}/reassign", "c1", **body) == (404, "not_found")
        town.act(f"visits/{ident}/reassign", "s1", **body)
    period = f"from={today()}&to={today(40)}"
    told = [town.get(f"/api/v1/visits/summary?{period}", user).get_json()["by_rule"] for user in ("c1", "s1")]
    rules = [{one["rule"] for one in its} for its in told]
    assert "F-EMERG" not in rules[0]
    assert "F-EMERG" in rules[1]


def test_every_act_stands_in_the_log_without_a_word_about_anybody(town: Town) -> None:
    family = Home(town)
    due = retry(town, family)
    town.act(f"visits/{due}/snooze", "c1", until=today(3).isoformat(), reason="Bé Bưởi ốm")
    town.act(f"visits/{due}/cancel", "s1", reason="Bé Bưởi ốm")
    town.act(f"visits/{due}/cancel", "s1", reason="Bé Bưởi ốm")  # once more is nothing
    asked(town, family.child)
    number = issued(town, today())["u1"]["number"]
    rows = town.rows(select(AuditTable.act, AuditTable.who, AuditTable.subject, AuditTable.detail))
    acts = [(row.act, row.who) for row in rows]
    assert acts[:3] == [("visit_snooze", "c1"), ("visit_cancel", "s1"), ("visit_add", "c1")]
    assert ("issue", "c1") in acts
    assert number in {row.subject for row in rows}
    said = b"".join(row.detail for row in rows).decode() + str(acts)
    assert not any(word in said for word in ("Bưởi", "ốm", "giếng", NAME))
    assert [orjson.loads(row.detail)["n"] for row in rows[:3]] == [1, 2, 1]
    with town.app.app_context():
        (told,) = [one for one in plan(town, area=AREA, week=week_after(7)) if one["id"] == due]
    assert (told["cancelled"], told["decided"]["reason"], told["decided"]["by"]) == (True, "Bé Bưởi ốm", "s1")


def test_the_summary_counts_each_visit_once(town: Town) -> None:
    done, missed, off, ahead = (Home(town) for _ in range(4))
    for family, days in ((done, 2), (missed, 2), (ahead, 20)):
        asked(town, family.child, days=days)
    cancelled = asked(town, off.child, days=2)
    town.act(f"visits/{cancelled}/cancel", "c1", reason="Đã gọi điện")
    with travel(0.1):
        done.visit()
    with travel(4):
        query = f"area={AREA}&from={today(-10)}&to={today(20)}"
        told = town.get(f"/api/v1/visits/summary?{query}", "c1").get_json()
    assert told["total"] == {"due": 3, "in_time": 1, "late": 0, "missed": 1, "open": 1}
    assert [(one["rule"], one["due"]) for one in told["by_rule"]] == [("BY-HAND", 3)]
    by = {one["collaborator"]: one["due"] for one in told["by_collaborator"]}
    assert by == {"u1": 1, None: 2}  # two may go to hamlet 01: who was to go was never said


def test_the_plan_is_read_page_by_page(town: Town) -> None:
    families = [Home(town) for _ in range(3)]
    wanted = {asked(town, family.child, days=n) for n, family in enumerate(families)}
    found, after = list[str](), dict[str, str]()
    while True:
        query = "&".join(f"{name}={value}" for name, value in (after | {"limit": "2", "week": week_after(3)}).items())
        page = town.get(f"/api/v1/visits?{query}", "c1").get_json()
        found += [one["id"] for one in page["visits"]]
        assert page["total"] >= 2
        if not page["more"]:
            break
        after = {"after": page["after"]}
    assert set(found) <= wanted
    assert len(found) == len(set(found)) == page["total"]


def test_a_visit_that_became_statutory_comes_back(town: Town) -> None:
    child = unregistered(town, 28)
    due = open_of(town, child)["F-BIRTH"]
    with town.app.app_context():
        db.session.execute(update(VisitTable).where(VisitTable.id == due).values(statutory=False))
        db.session.commit()
    town.act(f"visits/{due}/cancel", "c1", reason="Bận")
    assert due not in {one["id"] for one in town.pull("u1")["visits"]}
    with town.app.app_context():
        run_plan()
    assert due in {one["id"] for one in town.pull("u1")["visits"]}
