"""A hamlet is handed over in one step: what is said before, what the phones of both do after."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from server.clock import now
from server.store.tables import ArrangementTable, AssignmentTable, AuditTable
from sync.times import local_date
from tests.api.builders import AREA, OTHER, moment, new_id, register, visit
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

NAME = "Lâm Thị Sa Vươl"
WHY = "Chuyển công tác về phường bên"
HERE = f"{AREA}/01"


def days(count: int) -> date:
    return local_date(now()) + timedelta(days=count)


class Hamlet:
    """A household with a child, on the phone of u1, who is to give the hamlet to u9."""

    def __init__(self, town: Town) -> None:
        self.town, self.home, self.child = town, new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}))
        self.page = town.pull("u1")

    def wish(self, day: int = 0, **other: Any) -> dict[str, Any]:
        told = {"area": AREA, "hamlet": "01", "from": "u1", "to": "u9", "day": days(day).isoformat()}
        return told | {"reason": WHY} | other

    def visit(self, at: float, **changes: Any) -> dict[str, Any]:
        """A visit as the old phone has it unsent."""
        told = next(one for one in self.page["entities"] if one["id"] == self.child)
        value = visit(self.child, NAME, told["etag"], told["data"], **changes)
        return value | {"observed_at": moment(at)}

    def ids(self, user: str, token: str | None = None) -> set[str]:
        return {one["id"] for one in self.town.pull(user, token)["entities"]}

    def charges(self, user: str) -> list[tuple[str, date, date | None]]:
        a = AssignmentTable
        query = select(a.hamlet, a.begins, a.ends).where(a.user == user).order_by(a.hamlet, a.begins)
        return [(row.hamlet, row.begins, row.ends) for row in self.town.rows(query)]


@pytest.fixture
def hamlet(town: Town) -> Hamlet:
    return Hamlet(town)


def test_unsent_work_of_before_is_applied_and_what_came_after_is_held(
    hamlet: Hamlet, town: Town, officer: Pages
) -> None:
    before, after = hamlet.visit(-1, school_name="Trường Cầu Sắt"), hamlet.visit(0, school_name="Trường Rạch Gốc")
    done = officer.post("/desk/handover", **hamlet.wish())
    assert done.status_code == 302, done.text
    receipts = {one["id"]: one for one in town.push([before, after], "u1")}
    assert receipts[before["id"]]["outcome"] == "applied"
    assert (receipts[after["id"]]["outcome"], receipts[after["id"]]["reason"]) == ("quarantined", "out_of_area")
    assert town.child(hamlet.child, "s1")["data"]["school_name"] == "Trường Cầu Sắt"
    page = town.pull("u1", hamlet.page["token"])
    assert HERE in page["drop_scopes"]
    assert {hamlet.home, hamlet.child} <= hamlet.ids("u9")


def test_on_a_later_day_nothing_changes_before_that_day(hamlet: Hamlet, town: Town, officer: Pages) -> None:
    assert officer.post("/desk/handover", **hamlet.wish(3)).status_code == 302
    begun = days(-31)
    assert hamlet.charges("u1") == [("01", begun, days(2))]
    assert hamlet.charges("u9") == [("01", days(3), None), ("05", begun, None)]
    assert town.apply(hamlet.visit(0), "u1")["outcome"] == "applied"
    assert town.pull("u1", hamlet.page["token"])["drop_scopes"] == []
    assert hamlet.child not in hamlet.ids("u9")


def test_the_preview_tells_what_both_have_and_changes_nothing(hamlet: Hamlet, town: Town, officer: Pages) -> None:
    town.sync([], "u1", pull=None, unsent=4)
    asked = {name: value for name, value in hamlet.wish(1).items() if name != "reason"}
    answer = officer.client.get("/desk/handover", query_string=asked)
    told = words_of(officer.parse(answer).get_element_by_id("main"))
    assert "Người dùng u1 còn giữ" in told and "Người dùng u9 sẽ nhận" in told
    assert "Máy của u1 : 2 hồ sơ của nơi này" in told.replace("u1:", "u1 :")
    assert "còn 4 phiếu chưa gửi" in told
    assert "1 hộ, 1 trẻ" in told
    assert NAME not in told
    assert hamlet.charges("u1") == [("01", days(-31), None)]


def test_the_page_after_it_tells_what_happens_next(hamlet: Hamlet, officer: Pages) -> None:
    done = officer.post("/desk/handover", **hamlet.wish())
    page = officer.get(done.headers["Location"])
    told = words_of(page.get_element_by_id("main"))
    assert "Việc xảy ra tiếp theo" in told and "Người dùng u9 phụ trách từ" in told
    assert officer.client.get(done.headers["Location"].replace("from=u1", "from=u2")).status_code == 404


def test_visits_arranged_for_the_old_one_go_with_it_and_the_log_has_all(
    hamlet: Hamlet, town: Town, officer: Pages
) -> None:
    due = days(5).isoformat()
    ident = town.act("visits", "c1", subject=hamlet.child, due=due, reason="Xem lại", to="u1")["id"]
    early = town.act("visits", "c1", subject=hamlet.child, due=days(1).isoformat(), reason="Sớm", to="u1")["id"]
    officer.post("/desk/handover", **hamlet.wish(3))
    query = select(ArrangementTable.visit, ArrangementTable.assignee).where(ArrangementTable.standing)
    assert {row.visit: row.assignee for row in town.rows(query)} == {ident: "u9", early: "u1"}
    a = AuditTable
    (row,) = town.rows(select(a.who, a.subject, a.detail).where(a.act == "handover"))
    detail = orjson.loads(row.detail)
    assert (row.who, row.subject) == ("s1", HERE)
    assert detail == {"from": "u1", "to": "u9", "day": days(3).isoformat(), "reason": WHY, "visits": 1}


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"day": -1}, 422, "past_day"),
        ({"to": "u1"}, 422, "invalid"),
        ({"from": "u9"}, 409, "charge_gone"),
        ({"reason": " "}, 422, "reason_needed"),
        ({"day": "khi nào"}, 422, "invalid"),
        ({"to": "u5"}, 404, "not_found"),
        ({"to": "s1"}, 404, "not_found"),
        ({"hamlet": "99"}, 404, "not_found"),
        ({"area": OTHER}, 404, "not_found"),
    ],
)
def test_what_cannot_be_is_refused_and_what_was_typed_stays(
    hamlet: Hamlet, officer: Pages, changes: Mapping[str, Any], status: int, code: str
) -> None:
    from server.problems import CATALOGUE

    told = hamlet.wish(**{"day": 0} if isinstance(changes.get("day"), str) else {}) | dict(changes)
    told["day"] = days(changes["day"]).isoformat() if isinstance(changes.get("day"), int) else told["day"]
    if changes.get("from") == "u9":
        told["to"] = "u1"
    answer = officer.post("/desk/handover", **told)
    assert answer.status_code == status, answer.text
    assert CATALOGUE[code].title in answer.text
    if status != 404:
        assert 'name="hamlet"' in answer.text
    assert hamlet.charges("u1") == [("01", days(-31), None)]


def test_two_who_share_a_hamlet_and_one_who_has_the_whole_ward(hamlet: Hamlet, town: Town, officer: Pages) -> None:
    assert officer.post("/desk/handover", **hamlet.wish(1, to="u2")).status_code == 302
    assert hamlet.charges("u2") == [("01", days(-31), None)]
    town.relieved("u2")
    town.assigned("u2", AREA, None, -3)
    assert officer.post("/desk/handover", **hamlet.wish(1, **{"from": "u2"})).status_code == 409


@pytest.mark.parametrize(("user", "status"), [("a1", 302), ("c1", 403), ("u1", 403), ("s5", 404)])
def test_who_may(hamlet: Hamlet, visit: Callable[..., Pages], user: str, status: int) -> None:
    assert visit(user).post("/desk/handover", **hamlet.wish(1)).status_code == status


def test_an_administrator_has_numbers_alone(hamlet: Hamlet, visit: Callable[..., Pages]) -> None:
    pages = visit("a1")
    told = {name: value for name, value in hamlet.wish(1).items() if name != "reason"}
    answer = pages.client.get("/desk/handover", query_string=told)
    assert "1 hộ, 1 trẻ" in " ".join(answer.text.split()) and NAME not in answer.text


def test_from_the_command_line_and_over_the_api(hamlet: Hamlet, town: Town) -> None:
    runner = town.app.test_cli_runner()
    args = ["user", "handover", AREA, "01", "--from", "u1", "--to", "u9", "--reason", WHY]
    told = runner.invoke(args=[*args, "--day", days(2).isoformat()])
    assert told.exit_code == 0, told.output
    assert hamlet.charges("u1") == [("01", days(-31), days(1))]
    wrong = runner.invoke(args=[*args, "--day", days(-2).isoformat()])
    assert wrong.exit_code != 0 and "Ngày" in wrong.output
    wish = hamlet.wish(5, **{"from": "u9", "to": "u2"})
    done = town.ask("handovers", "s1", **wish)
    assert (done.status_code, done.get_json()["first_day"]) == (200, days(5).isoformat()), done.text
    for user in ("c1", "u1", "s5"):
        assert town.refusal("handovers", user, **wish)[0] in (403, 404), user
