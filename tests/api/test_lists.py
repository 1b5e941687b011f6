"""Lists over the API: one line for each child, carried over, issued once, issued again, and what became of them."""

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
import time_machine
from sqlalchemy import func, select, update

import server.reminders.issue
from server.cli.lists import issue_lists
from server.clock import now
from server.reminders.issue import areas_with_people
from server.store.tables import ReminderLine, ReminderList, User, db
from sync.times import local_time
from sync.visits.lists import ListKind
from tests.api.builders import AREA, claim, follow_up, item, moment, new_id, nobody_home, register
from tests.api.conftest import Town
from tests.api.homes import Home
from tests.api.planners import asked, issued, lines, sheet, today, unregistered
from tests.databases import DATABASES

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


def capacity(town: Town, user: str, visits: int) -> None:
    runner = town.app.test_cli_runner()
    assert runner.invoke(args=["user", "capacity", user, str(visits)]).exit_code == 0


def travel(days: float) -> Any:
    return time_machine.travel(local_time(now()) + timedelta(days=days), tick=True)


def made_by(town: Town, child: str, at: str, user: str = "u1") -> dict[str, Any]:
    """A follow-up visit to a child that was made at that time, whenever it is sent."""
    state = town.child(child, "s1")
    answers = follow_up(child) | {"visit_date": at[:10]}
    return item("follow_up_visit", answers, claim("child", child, state["etag"], {}), observed_at=at, author=user)


def test_everything_that_is_due_for_a_child_is_one_line(town: Town) -> None:
    family = Home(town)
    first, second = asked(town, family.child), asked(town, family.child, reason="Đem sách vở")
    round_ = asked(town, family.home, reason="Xem hàng rào")
    for body in issued(town, today()).values():
        by_subject = {line["subject"]: {task["visit"] for task in line["tasks"]} for line in body["lines"]}
        assert by_subject == {family.child: {first, second}, family.home: {round_}}
        assert [line["line"] for line in body["lines"]] == [1, 2]
    (told,) = town.pull("u1")["lists"]
    assert sorted(one["line"] for one in told["lines"]) in ([1, 1, 2], [1, 2, 2])
    assert {one["visit"] for one in told["lines"]} == {first, second, round_}


def test_the_round_of_the_household_goes_onto_the_line_of_its_child(town: Town) -> None:
    family = Home(town)
    with travel(85):
        asked(town, family.child, days=3)
        (line,) = issued(town, today())["u1"]["lines"]
        assert (line["subject"], [task["rule"] for task in line["tasks"]]) == (family.child, ["BY-HAND", "F-HHQ"])


def test_homes_are_walked_to_and_what_is_too_much_is_carried_over_and_comes_first_next_day(town: Town) -> None:
    capacity(town, "u1", 2)
    points = [f"10.03 {105.77 + n / 1000:.3f} 1.0 5.0" for n in (3, 1, 2)]
    homes = [Home(town, gps=point) for point in points]
    for family in homes:
        asked(town, family.child, days=5)
    asked(town, homes[0].home, days=1, reason="Gấp")
    body = issued(town, today())["u1"]
    assert (body["capacity"], len(body["lines"])) == (2, 4)
    taken, carried = lines(body), lines(body, carried=True)
    assert homes[0].home in taken  # the soonest due is not left behind
    assert (len(taken), len(carried)) == (2, 2)
    whole = issued(town, today())["u2"]
    assert [one for one in lines(whole) if one != homes[0].home] == [homes[n].child for n in (1, 2, 0)]
    with travel(1):
        following = issued(town, today())["u1"]
        assert {line["carried_from"] for line in following["lines"]} == {body["number"]}
        before = town.get(f"/api/v1/lists/{body['number']}", "u1").get_json()
        assert {line["outcome"] for line in before["lines"]} == {"carried_over"}


def test_what_the_law_wants_is_never_carried_over(town: Town) -> None:
    capacity(town, "u1", 1)
    asked(town, Home(town).child, days=1)
    baby, second = unregistered(town, 30), unregistered(town, 30)
    body = issued(town, today())["u1"]
    assert set(lines(body)) == {baby, second}
    assert len(lines(body, carried=True)) == 1
    assert [any(task["statutory"] for task in line["tasks"]) for line in body["lines"]] == [True, True, False]


@both
def test_issuing_at_the_same_time_doubles_nothing(town: Town) -> None:
    for _ in range(3):
        asked(town, Home(town).child)
    barrier, answers = threading.Barrier(4), list[Any]()

    def together() -> None:
        barrier.wait()
        answers.append(town.ask("lists", "c1", area=AREA, kind="daily", day=today().isoformat()))

    threads = [threading.Thread(target=together) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {answer.status_code for answer in answers} == {200}
    numbers = {tuple(answer.get_json()["numbers"]) for answer in answers}
    assert len(numbers) == 1
    assert _stored(town) == dict.fromkeys(next(iter(numbers)), 3)


@both
def test_a_clock_that_is_set_back_a_day_doubles_and_loses_no_list(town: Town) -> None:
    asked(town, Home(town).child, days=3)
    with town.app.app_context():
        first = issue_lists(today())
        with time_machine.travel(local_time(now()) - timedelta(days=1), tick=True):
            back = issue_lists(today())
            assert issue_lists(today()) == back
        assert issue_lists(today()) == first
        assert not set(first) & set(back)
        weekly = issue_lists(today(), kind=ListKind.WEEKLY)
        assert issue_lists(today(), kind=ListKind.WEEKLY) == weekly
    assert set(_stored(town)) == {*first, *back, *weekly}
    query = select(ReminderList.collaborator, ReminderList.kind, ReminderList.begins, func.count())
    counts = town.rows(query.group_by(ReminderList.collaborator, ReminderList.kind, ReminderList.begins))
    assert {row[3] for row in counts} == {1}


def test_issuing_again_after_a_crash_in_the_middle_completes_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    asked(town, Home(town).child)
    real, calls = server.reminders.issue._store, list[int]()

    def crash(*args: Any, **more: Any) -> None:
        calls.append(1)
        if len(calls) == 2:
            raise RuntimeError("the power is gone")
        real(*args, **more)

    monkeypatch.setattr(server.reminders.issue, "_store", crash)
    with town.app.app_context(), pytest.raises(RuntimeError):
        issue_lists(today())
    assert _stored(town) == {}
    assert town.pull("u1")["lists"] == []
    monkeypatch.undo()
    assert set(issued(town, today())) == {"u1", "u2"}
    assert set(_stored(town).values()) == {1}


def _stored(town: Town) -> dict[str, int]:
    """Number -> how many lines."""
    query = select(ReminderLine.number, func.count(ReminderLine.line.distinct())).group_by(ReminderLine.number)
    return {row[0]: row[1] for row in town.rows(query)}


def test_a_collaborator_of_two_wards_has_a_list_in_each(town: Town) -> None:
    town.assigned("u5", AREA, "01", -30)
    asked(town, Home(town).child)
    elsewhere = new_id()
    child = new_id()
    town.apply(register(elsewhere, {child: "Lê Văn Út"}, ward_code="31120", hamlet_code="01"), "u5")
    asked(town, child, user="s5")
    with town.app.app_context():
        assert {AREA, "2025.31120"} <= set(areas_with_people(today()))
        issue_lists(today())
    rows = town.rows(select(ReminderList.area).where(ReminderList.collaborator == "u5"))
    assert sorted(row.area for row in rows) == ["2025.31120", AREA]


def test_made_in_time_and_synced_late_is_in_time(town: Town) -> None:
    early, late = Home(town), Home(town)
    asked(town, early.child, days=2)
    asked(town, late.child, days=2)
    number = issued(town, today())["u1"]["number"]
    in_time = local_time(now()) + timedelta(days=1)
    with travel(5):
        town.apply(made_by(town, early.child, in_time.isoformat(timespec="seconds")))
        town.apply(made_by(town, late.child, moment(-0.1)))
        body = town.get(f"/api/v1/lists/{number}", "c1").get_json()
        became = {line["subject"]: line["tasks"][0] for line in body["lines"]}
        assert [became[one.child]["outcome"] for one in (early, late)] == ["done", "done"]
        assert [became[one.child]["in_time"] for one in (early, late)] == [True, False]
        assert datetime.fromisoformat(became[early.child]["made_at"]).date() == in_time.date()
        query = f"from={today(-5)}&to={today()}&area={AREA}"
        summary = town.get(f"/api/v1/visits/summary?{query}", "c1").get_json()
        assert summary["total"] == {"due": 2, "in_time": 1, "late": 1, "missed": 0, "open": 0}
        (person,) = summary["by_collaborator"]
        assert (person["collaborator"], person["in_time"], person["late"]) == ("u1", 1, 1)


def test_what_was_not_made_says_why(town: Town) -> None:
    away, nothing, off = Home(town), Home(town), Home(town)
    for family in (away, nothing):
        asked(town, family.child, days=1)
    cancelled = asked(town, off.child, days=1)
    number = issued(town, today())["u1"]["number"]
    state = town.child(away.child)
    town.apply(item("child_situation", nobody_home(away.child), claim("child", away.child, state["etag"], {})))
    town.act(f"visits/{cancelled}/cancel", "c1", reason="Gia đình đã tự lo")
    with travel(3):
        body = town.get(f"/api/v1/lists/{number}", "c1").get_json()
    became = {line["subject"]: line["outcome"] for line in body["lines"]}
    assert became == {away.child: "nobody_home", nothing.child: "not_made", off.child: "cancelled"}


def test_a_list_issued_again_is_a_new_revision_and_the_earlier_one_stays(town: Town) -> None:
    first, second = Home(town), Home(town)
    visit = asked(town, first.child)
    before = issued(town, today())["u1"]
    path = f"lists/{before['number']}/reissue"
    asked(town, second.child)
    town.act(f"visits/{visit}/reassign", "c1", to="u2", reason="Đau chân")
    again = {"revision": 1, "reason": "Thêm một hộ"}
    assert town.act(path, "c1", **again) == {"number": before["number"], "revision": 2}
    assert town.refusal(path, "c1", **again) == (409, "list_changed")
    newest = town.get(f"/api/v1/lists/{before['number']}", "u1").get_json()
    assert (newest["revision"], lines(newest), newest["reason"]) == (2, [second.child], "Thêm một hộ")
    earlier = town.get(f"/api/v1/lists/{before['number']}?revision=1", "u1").get_json()
    assert lines(earlier) == lines(before) == [first.child]
    assert earlier["newest_revision"] == 2
    (told,) = town.pull("u1")["lists"]
    assert (told["revision"], len(told["lines"])) == (2, 1)
    assert town.get(f"/api/v1/lists/{before['number']}?revision=3", "u1").status_code == 404
    with travel(1):
        assert town.refusal(path, "c1", revision=2, reason="Muộn") == (409, "list_over")


def test_a_preview_says_what_would_be_issued_and_stores_nothing(town: Town) -> None:
    family = Home(town)
    asked(town, family.child)
    body = {"area": AREA, "kind": "weekly", "day": today().isoformat()}
    drafts = town.act("lists/preview", "c1", **body)["lists"]
    assert {one["collaborator"] for one in drafts} == {"u1", "u2"}
    assert _stored(town) == {}
    lists = issued(town, today(), "weekly")
    for one in drafts:
        assert one["lines"] == lists[one["collaborator"]]["lines"]
    assert town.act("lists/preview", "c1", **body, collaborator="u1")["lists"][0]["collaborator"] == "u1"


def test_who_plans_is_told_apart_from_who_does_not(town: Town) -> None:
    body = {"area": AREA, "kind": "daily", "day": today().isoformat()}
    for user, answer in {"u1": (403, "forbidden"), "a1": (403, "forbidden"), "s5": (404, "not_found")}.items():
        assert town.refusal("lists", user, **body) == answer
        assert town.refusal("lists/preview", user, **body) == answer
    asked(town, Home(town).child)
    number = issued(town, today())["u1"]["number"]
    for user, status in {"u1": 200, "u2": 404, "u9": 404, "s1": 200, "c1": 200, "a1": 404, "s5": 404}.items():
        assert town.get(f"/api/v1/lists/{number}/xlsx", user).status_code == status, user
    assert town.refusal(f"lists/{number}/reissue", "u1", revision=1, reason="x") == (403, "forbidden")
    heads = town.get(f"/api/v1/lists?on={today()}&kind=daily", "c1").get_json()["lists"]
    assert {one["collaborator"] for one in heads} == {"u1", "u2"}
    assert town.get("/api/v1/lists", "u1").status_code == 403


NAMES = (
    "Đặng Thị Ngọc Ðiệp Ước",
    "ẮẰẲẴẶ ẤẦẨẪẬ ẾỀỂỄỆ ỐỒỔỖỘ ỚỜỞỠỢ ỨỪỬỮỰ ÝỲỶỸỴ đ",
    "=cmd|' /C calc'!A0",
    "+84912345678",
    "@SUM(A1:A9)",
    "-2+3",
)


def test_a_sheet_reads_back_as_it_was_written_and_computes_nothing(town: Town) -> None:
    houses = [Home(town, address_line=text) for text in NAMES]
    for family in houses:
        asked(town, family.child)
    body = issued(town, today(), collaborator="u2")["u2"]
    answer = town.get(f"/api/v1/lists/{body['number']}/xlsx", "u2")
    assert answer.headers["Content-Disposition"] == f"attachment; filename=danh-sach-{body['number']}-r1.xlsx"
    cells = sheet(answer.get_data())
    head = next(index for index, row in enumerate(cells) if row[0] == "STT")
    assert f"Số: {body['number']}, lần 1." in cells[1][0]
    rows = cells[head + 1 : head + 1 + len(NAMES)]
    assert [row[0] for row in rows] == [str(n) for n in range(1, len(NAMES) + 1)]  # text, no number
    assert [row[3] for row in rows] == [line["address"] for line in body["lines"]]
    assert {row[3] for row in rows} == {town.household(one.home)["data"]["address_line"] for one in houses}
    assert [row[4] for row in rows] == [line["name"] for line in body["lines"]]
    assert {row[5] for row in rows} == {"Thăm theo phân công: Xem giếng nước"}
    assert not any(name in answer.headers["Content-Disposition"] for name in ("Trần", "Người"))


def test_everybody_can_do_as_many_visits_as_the_setting_says_or_as_is_his_own(new_town: Callable[..., Town]) -> None:
    town = new_town(visits_a_day=1)
    for _ in range(2):
        asked(town, Home(town).child)
    with town.app.app_context():
        db.session.execute(update(User).where(User.id == "u2").values(visits_a_day=4))
        db.session.commit()
    found = issued(town, today())
    assert {person: len(lines(body)) for person, body in found.items()} == {"u1": 1, "u2": 2}


def test_no_calendar_is_asked_about_other_centuries(town: Town) -> None:
    subject = Home(town).child
    for day in ("0001-01-01", "9999-12-31"):
        for path in ("lists", "lists/preview"):
            assert town.refusal(path, "c1", area=AREA, kind="weekly", day=day) == (422, "invalid")
        assert town.refusal("visits", "c1", subject=subject, due=day, reason="x") == (422, "invalid")
        query = f"from={day}&to={day}"
        assert town.get(f"/api/v1/visits/summary?{query}", "c1").status_code == 200
    assert town.get("/api/v1/visits?week=9999-W52", "c1").status_code == 422
