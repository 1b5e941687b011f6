"""Collaborators and users: charges with their dates, leave, and what an administrator keeps of people."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from server.clock import now
from server.store.tables import ArrangementTable, AssignmentTable, AuditTable, User
from sync.times import local_date
from tests.api.builders import AREA, OTHER, new_id, register
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

NAME = "Kim Thị Sa Ly"


def days(count: int) -> date:
    return local_date(now()) + timedelta(days=count)


def charges(town: Town, user: str) -> list[tuple[str, date, date | None]]:
    a = AssignmentTable
    rows = town.rows(select(a.hamlet, a.begins, a.ends).where(a.user == user).order_by(a.hamlet, a.begins))
    return [(row.hamlet, row.begins, row.ends) for row in rows]


def acts(town: Town) -> list[str]:
    return [row.act for row in town.rows(select(AuditTable.act).order_by(AuditTable.at, AuditTable.n))]


def user_row(town: Town, ident: str) -> Any:
    (row,) = town.rows(select(User.name, User.role, User.visits_a_day).where(User.id == ident))
    return tuple(row)


def test_by_area_with_load_and_phones(town: Town, visit: Callable[..., Pages]) -> None:
    town.apply(register(new_id(), {new_id(): NAME}))
    town.sync([], "u1", unsent=2)
    told = words_of(visit("s1").get("/desk/collaborators").get_element_by_id("main"))
    assert "Người dùng u1" in told and "Người dùng u5" not in told and NAME not in told
    assert "còn 2 phiếu chưa gửi" in told and "Tuần này" in told
    assert visit("s1").client.get(f"/desk/collaborators?area={OTHER}").status_code == 404
    other = words_of(visit("a1").get(f"/desk/collaborators?area={OTHER}").get_element_by_id("main"))
    assert "Người dùng u5" in other and "Người dùng u1" not in other


def test_a_charge_is_given_and_ended_and_the_past_stays(town: Town, officer: Pages) -> None:
    path = "/desk/collaborators/u9"
    given = {"area": AREA, "hamlet": "02", "begins": days(0).isoformat(), "ends": ""}
    assert officer.post(f"{path}/assign", **given).status_code == 302
    assert officer.post(f"{path}/assign", **given).status_code == 409
    assert officer.post(f"{path}/assign", **given | {"begins": days(-1).isoformat()}).status_code == 422
    key = f"{AREA}~02~{days(0).isoformat()}"
    assert officer.post(f"{path}/end", charge=key, last=days(-1).isoformat()).status_code == 422
    assert officer.post(f"{path}/end", charge=key, last=days(4).isoformat()).status_code == 302
    assert charges(town, "u9")[0] == ("02", days(0), days(4))
    coming = given | {"begins": days(10).isoformat()}
    assert officer.post(f"{path}/assign", **coming).status_code == 302
    key = f"{AREA}~02~{days(10).isoformat()}"
    assert officer.post(f"{path}/end", charge=key, last=days(0).isoformat()).status_code == 302
    assert [one[0] for one in charges(town, "u9")] == ["02", "05"]
    assert acts(town) == ["assign", "unassign", "assign", "unassign"]


@pytest.mark.parametrize("charge", ["", "x", "a~b", f"{OTHER}~01~2026-01-01", f"{AREA}~01~gestern"])
def test_a_charge_that_is_none(officer: Pages, charge: str) -> None:
    answer = officer.post("/desk/collaborators/u9/end", charge=charge, last=days(1).isoformat())
    assert answer.status_code in (404, 422)


def test_who_is_on_leave_keeps_his_charge_and_another_one_goes(town: Town, officer: Pages) -> None:
    child = new_id()
    town.apply(register(new_id(), {child: NAME}))
    ident = town.act("visits", "c1", subject=child, due=days(3).isoformat(), reason="Xem lại")["id"]
    asked = {"stand_in": "u9", "begins": days(1).isoformat(), "ends": days(5).isoformat(), "reason": "Nghỉ phép"}
    assert officer.post("/desk/collaborators/u1/leave", **asked).status_code == 302
    assert ("01", days(1), days(5)) in charges(town, "u9")
    assert charges(town, "u1") == [("01", days(-31), None)]
    query = select(ArrangementTable.assignee).where(ArrangementTable.standing, ArrangementTable.visit == ident)
    assert [row.assignee for row in town.rows(query)] == ["u9"]
    backwards = asked | {"ends": days(0).isoformat()}
    assert officer.post("/desk/collaborators/u1/leave", **backwards).status_code == 422
    assert officer.post("/desk/collaborators/u1/leave", **asked | {"stand_in": "u5"}).status_code == 404


@pytest.mark.parametrize("act", ["assign", "end", "leave"])
def test_charges_are_for_those_who_look_after_them(town: Town, visit: Callable[..., Pages], act: str) -> None:
    day = days(1).isoformat()
    told = {"area": AREA, "hamlet": "02", "begins": day, "ends": days(9).isoformat(), "stand_in": "u2"}
    told |= {"reason": "x", "charge": f"{AREA}~05~{days(-31).isoformat()}", "last": day}
    for user, status in (("s5", 404), ("c1", 403), ("u1", 403)):
        assert visit(user).post(f"/desk/collaborators/u9/{act}", **told).status_code == status, user
    assert acts(town) == []
    assert visit("a1").post(f"/desk/collaborators/u9/{act}", **told).status_code == 302


def test_an_administrator_adds_and_changes_people(town: Town, visit: Callable[..., Pages]) -> None:
    admin = visit("a1")
    told = {"id": "u77", "name": "Trần Thị Mới", "role": "collaborator"}
    assert admin.post("/desk/people/add", **told).headers["Location"] == "/desk/people/u77"
    assert admin.post("/desk/people/add", **told).status_code == 409
    changed = {"name": "Trần Thị Mới", "role": "scheduler", "visits_a_day": "5"}
    assert admin.post("/desk/people/u77", **changed).status_code == 302
    assert user_row(town, "u77") == ("Trần Thị Mới", "scheduler", 5)
    assert admin.post("/desk/people/u77", **changed).status_code == 302
    assert acts(town) == ["add_user", "change_user"]
    assert admin.post("/desk/people/u77", **changed | {"visits_a_day": ""}).status_code == 302
    assert user_row(town, "u77")[2] is None


@pytest.mark.parametrize(
    "wrong", [{"id": "mã lạ"}, {"id": ""}, {"role": "king"}, {"name": " "}, {"visits_a_day": "-1"}, {"id": "a/b"}]
)
def test_a_user_that_cannot_be_is_not_added(
    town: Town, visit: Callable[..., Pages], wrong: Mapping[str, str]
) -> None:
    told = {"id": "u77", "name": "Trần Thị Mới", "role": "collaborator"} | dict(wrong)
    answer = visit("a1").post("/desk/people/add", **told)
    assert answer.status_code == 422 and "Hãy xem lại" in answer.text
    assert town.rows(select(User.id).where(User.id == told["id"])) == []


def test_nobody_changes_his_own_role(town: Town, visit: Callable[..., Pages]) -> None:
    answer = visit("a1").post("/desk/people/a1", name="Quản trị", role="supervisor")
    assert answer.status_code == 409
    assert user_row(town, "a1")[1] == "administrator"
    assert visit("a1").post("/desk/people/a1", name="Quản trị", role="administrator").status_code == 302
    for user in ("s1", "c1", "u1"):
        assert visit(user).post("/desk/people/u9", name="x", role="administrator").status_code == 403
