"""Devices at the desk: who sees which, a code on the screen that a phone can use, revoking."""

from collections.abc import Callable
from typing import Any

import pytest
import segno
from lxml import html
from sqlalchemy import select, update

from server.openrosa.setup import Setup
from server.store.tables import AuditTable, Device, Enrolment, Token, db
from tests.api.builders import new_id, register
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of
from tests.openrosa.phone import Phone

ADDRESS = "https://toam.example.vn"


@pytest.fixture
def reached(new_town: Callable[..., Town]) -> Town:
    """A server whose operator has said how phones reach it."""
    return new_town(public_url=ADDRESS)


def drawn(page: Any) -> str:
    """The path of the QR code on a page, as a browser draws it."""
    return str(page.xpath("string(//div[@class='qr']//*[local-name()='path'][2]/@d)"))


def path_of(text: str, error: str) -> str:
    code = html.fromstring(segno.make(text, error=error, micro=False).svg_inline(border=4, light="white"))
    return str(code.xpath("string(//*[local-name()='path'][2]/@d)"))


def set_device(town: Town, user: str, **values: Any) -> None:
    with town.app.app_context():
        db.session.execute(update(Device).where(Device.id == town.devices[user]).values(**values))
        db.session.commit()


def test_a_phone_enrols_with_the_code_on_the_screen_and_it_is_shown_once(reached: Town) -> None:
    officer = Pages(reached, "s1")
    answer = officer.post("/desk/devices/invite", user="u1", days="3")
    page = officer.parse(answer)
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    code = page.xpath("string(//code[@class='secret'])")
    assert drawn(page) == path_of(f"{ADDRESS}/app/#enrol={code}", "m")
    assert page.xpath("//*[@style]") == []
    asked = {"code": code, "installation": new_id(), "label": "Máy mới", "app": "1"}
    assert reached.app.test_client().post("/api/v1/devices", json=asked).status_code == 201
    assert code not in officer.client.get("/desk/devices").text
    (row,) = reached.rows(select(Enrolment.issued_by, Enrolment.expires_at, Enrolment.issued_at))
    assert (row.issued_by, row.expires_at - row.issued_at) == ("s1", 3 * 86_400_000)


def test_collect_is_set_up_by_the_code_on_the_screen(reached: Town) -> None:
    officer = Pages(reached, "s1")
    before = {row.sha256 for row in reached.rows(select(Token.sha256))}
    answer = officer.post("/desk/devices/collect", user="u1", label="Máy Collect")
    page = officer.parse(answer)
    (device,) = page.xpath("//main//p/a/code/text()")
    assert answer.headers["Cache-Control"] == "no-store"
    (made,) = [row for row in reached.rows(select(*Token.__table__.c)) if row.sha256 not in before]
    assert (made.user, made.device) == ("u1", device)
    (noted,) = reached.rows(select(AuditTable.who, AuditTable.subject).where(AuditTable.act == "enrol"))
    assert tuple(noted) == ("s1", device)
    assert "token" not in answer.text.lower().replace("csrf_token", "").replace("x-csrftoken", "")


def test_the_code_of_collect_is_the_very_settings(reached: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Setup] = []

    def noted(*told: str) -> Setup:
        made.append(Setup(*told))
        return made[-1]

    monkeypatch.setattr("server.console.devices.Setup", noted)
    page = Pages(reached, "s1").parse(Pages(reached, "s1").post("/desk/devices/collect", user="u1"))
    assert drawn(page) == path_of(made[0].text, "l")
    assert "child_situation" in Phone(reached, made[0].token).forms()


def test_without_an_address_there_is_no_code(town: Town, officer: Pages) -> None:
    answer = officer.post("/desk/devices/invite", user="u1")
    assert answer.status_code == 409 and "TOAM_PUBLIC_URL" in answer.text


@pytest.mark.parametrize("path", ["invite", "collect"])
def test_a_supervisor_gives_codes_to_his_collaborators_alone(reached: Town, path: str) -> None:
    for user, whom in (("s1", "u5"), ("s1", "s1"), ("s1", "a1"), ("s1", "nobody"), ("s5", "u1")):
        assert Pages(reached, user).post(f"/desk/devices/{path}", user=whom).status_code == 404, whom
    assert Pages(reached, "a1").post(f"/desk/devices/{path}", user="s1").status_code == 200
    assert Pages(reached, "c1").post(f"/desk/devices/{path}", user="u1").status_code == 403


def test_the_list_tells_of_each_and_is_filtered(town: Town, visit: Callable[..., Pages]) -> None:
    town.apply(register(new_id(), {new_id(): "Lý Thị Na"}))
    town.pull("u1")
    set_device(town, "u1", clock_offset=-180_000, unsent=7)
    set_device(town, "u2", revoked_at=1)
    mine = words_of(visit("s1").get("/desk/devices").get_element_by_id("main"))
    assert "nhanh 3 phút" in mine and "còn 7 phiếu chưa gửi" in mine and "2 hồ sơ" in mine
    assert "Máy của u5" not in mine
    assert "Máy của u5" in visit("a1").get("/desk/devices").text_content()
    for state, user in (("clock", "u1"), ("unsent", "u1"), ("revoked", "u2")):
        rows = visit("s1").get(f"/desk/devices?state={state}").xpath("//ul[@data-list]/li")
        assert [f"Máy của {user}" in words_of(row) for row in rows] == [True], state
    assert visit("s1").client.get("/desk/devices?page=-5&state=x&page=nan").status_code == 200


def test_revoking_asks_why_and_is_only_for_those_in_charge(town: Town, visit: Callable[..., Pages]) -> None:
    path = f"/desk/devices/{town.devices['u1']}"
    assert visit("s1").post(f"{path}/revoke", reason=" ").status_code == 422
    assert visit("s5").post(f"{path}/revoke", reason="x").status_code == 404
    assert visit("s5").client.get(path).status_code == 404
    assert town.device("u1").revoked_at is None
    assert visit("s1").post(f"{path}/revoke", reason="Máy hỏng").status_code == 302
    assert town.device("u1").revoked_at is not None
    assert "Đã thu hồi" in visit("a1").get(path).text_content()
