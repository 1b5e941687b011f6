"""A lost phone: exactly what was on it, the report that revokes it, the clock, the annex, and what it still sends."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest
from lxml import html
from sqlalchemy import select

from server.console.spans import clock_error, time_left
from server.store.tables import AuditTable, Device, Incident, Submission
from sync.times import ZONE
from tests.api.builders import AREA, as_xml, moment, new_id, register, registration, visit
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of
from tests.openrosa.phone import Phone

NAME, OTHER_NAME, SCHOOL = "Danh Thị Ngọc Yến", "Sơn Thị Mỹ Duyên", "Trường Vàm Xáng"
HOW = "Rơi xuống kênh khi qua phà"
HOUR = 3_600_000


def local(hours: float = 0) -> str:
    """A moment as a browser's field states it, so many hours from now."""
    return (datetime.now(ZONE) + timedelta(hours=hours)).strftime("%Y-%m-%dT%H:%M")


class Loss:
    """The phone of u1 with a household, a child and what it was told of them; another household is on no phone."""

    def __init__(self, town: Town) -> None:
        self.town, self.home, self.child = town, new_id(), new_id()
        town.apply(register(self.home, {self.child: NAME}))
        told = town.child(self.child)
        town.push([visit(self.child, NAME, told["etag"], told["data"], school_name=SCHOOL)])
        self.page = town.pull("u1")
        elsewhere = register(new_id(), {new_id(): OTHER_NAME}, hamlet_code="05")
        town.apply(elsewhere, "u9")
        self.device = town.devices["u1"]

    def path(self, what: str = "lost") -> str:
        return f"/desk/devices/{self.device}/{what}"

    def report(self, pages: Pages, **more: Any) -> Any:
        told = {"detected": local(-2), "noticed_by": "Chị u1", "circumstances": HOW} | more
        return pages.post(self.path(), **told)

    def seen(self, pages: Pages, what: str = "lost") -> str:
        return words_of(pages.get(self.path(what)).get_element_by_id("main"))


@pytest.fixture
def loss(town: Town) -> Loss:
    return Loss(town)


def test_exactly_what_is_on_the_phone_in_kinds_and_never_in_values(loss: Loss, officer: Pages) -> None:
    page = officer.get(loss.path())
    rows = [words_of(row) for row in page.xpath("//table//tbody/tr")]
    assert len(rows) == 2 and any(NAME in row for row in rows), rows
    told = words_of(page.get_element_by_id("main"))
    assert OTHER_NAME not in told and SCHOOL not in told
    assert "Tên trường" in told or "trường" in told.lower()
    assert "1 hộ gia đình" in told and "1 trẻ" in told


def test_reported_it_is_revoked_and_the_clock_runs_from_detection(loss: Loss, town: Town, officer: Pages) -> None:
    assert loss.report(officer).status_code == 302
    assert town.device("u1").revoked_at is not None
    (row,) = town.rows(select(*Incident.__table__.c))
    assert (row.area, row.reported_by, row.circumstances) == (AREA, "s1", HOW)
    assert abs(row.reported_at - row.detected_at - 2 * HOUR) < 2 * 60_000
    told = loss.seen(officer)
    assert "còn 69 giờ 5" in told or "còn 70 giờ 0" in told
    acts = [one.act for one in town.rows(select(AuditTable.act).order_by(AuditTable.n))]
    assert acts[-2:] == ["revoke", "lost"]
    assert "Máy mất, đồng hồ đang chạy" in words_of(officer.get("/desk/devices").get_element_by_id("main"))
    assert "Máy mất" in words_of(officer.get("/desk").get_element_by_id("main"))


def test_what_was_on_it_stays_told_when_the_phone_wipes_and_when_data_change(
    loss: Loss, town: Town, officer: Pages
) -> None:
    loss.report(officer)
    assert "máy chưa báo đã xóa" in loss.seen(officer)
    assert town.ask("devices/wiped", "u1").status_code == 204
    told = loss.seen(officer)
    assert "Máy báo đã xóa sạch dữ liệu lúc" in told and NAME in told
    assert town.held("u1") == set()


def test_what_it_still_sends_is_held_and_the_page_shows_it(loss: Loss, town: Town, officer: Pages) -> None:
    before = loss.page["entities"]
    child = next(one for one in before if one["id"] == loss.child)
    value = visit(loss.child, NAME, child["etag"], child["data"]) | {"observed_at": moment(-0.5)}
    loss.report(officer)
    (receipt,) = town.push([value], "u1")
    assert (receipt["outcome"], receipt["reason"]) == ("quarantined", "device_revoked")
    page = officer.get(loss.path())
    assert "đã gửi 1 phiếu" in words_of(page.get_element_by_id("main"))
    assert page.xpath(f"//a[@href='/desk/submissions/{value['id']}']")


def test_collect_on_a_revoked_phone_is_told_yes_and_what_it_sends_is_held(
    loss: Loss, town: Town, officer: Pages
) -> None:
    """One click revokes; the phone keeps nothing back, as it is told that all has arrived."""
    page = officer.open(f"/desk/devices/{loss.device}")
    assert officer.submit(page, "/revoke", reason=HOW).status_code == 302
    form = next(one for one in town.nest.catalogue.current() if one.id == "household_registration")
    xml = as_xml(form, registration(new_id(), {new_id(): OTHER_NAME}))
    answer = Phone(town, town.tokens["u1"]).send(xml)
    assert answer.status_code == 201, answer.text
    (row,) = town.rows(select(Submission.outcome, Submission.reason).where(Submission.dialect == "openrosa"))
    assert tuple(row) == ("quarantined", "device_revoked")
    assert Phone(town, town.tokens["u1"]).get("formList").status_code in (401, 403)


def test_the_annex_has_the_clock_numbers_and_measures_and_its_reading_is_noted(
    loss: Loss, town: Town, officer: Pages
) -> None:
    assert officer.client.get(loss.path("annex")).status_code == 404
    loss.report(officer)
    told = loss.seen(officer, "annex")
    for part in ("Điều 23", "Mẫu 08", "Hạn thông báo (72 giờ)", "Ít nhất 1 người", HOW, "Thu hồi quyền đọc", NAME):
        assert part in told, part
    assert SCHOOL not in told
    (row,) = town.rows(select(AuditTable.who, AuditTable.subject).where(AuditTable.act == "read_annex"))
    assert tuple(row) == ("s1", loss.device)


def test_an_administrator_gets_ids_and_numbers_but_no_name(loss: Loss, visit: Callable[..., Pages]) -> None:
    admin = visit("a1")
    assert loss.report(admin).status_code == 302
    for what in ("lost", "annex"):
        told = loss.seen(admin, what)
        assert NAME not in told and "1 trẻ" in told and loss.child in told, what


def test_a_collaborator_of_two_supervisors_is_seen_by_his_own(loss: Loss, visit: Callable[..., Pages]) -> None:
    assert loss.report(visit("s5")).status_code == 404
    loss.report(visit("s1"))
    for what in ("lost", "annex", ""):
        assert visit("s5").client.get(loss.path(what).rstrip("/")).status_code == 404, what
    assert visit("s5").post(loss.path("close"), reason="x").status_code == 404
    for user in ("c1", "u1"):
        assert visit(user).client.get(loss.path()).status_code == 403


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"detected": local(3)}, 422),
        ({"detected": local(-24 * 400)}, 422),
        ({"detected": "hôm qua"}, 422),
        ({"detected": ""}, 422),
        ({"circumstances": "  "}, 422),
        ({"noticed_by": ""}, 422),
    ],
)
def test_a_report_that_cannot_be_keeps_what_was_typed(
    loss: Loss, town: Town, officer: Pages, changes: Mapping[str, Any], status: int
) -> None:
    answer = loss.report(officer, **changes)
    assert answer.status_code == status
    page = html.fromstring(answer.text)
    if changes.get("circumstances", HOW).strip():
        assert page.xpath("string(//textarea[@name='circumstances'])") == HOW
    assert town.device("u1").revoked_at is None
    assert town.rows(select(Incident.device)) == []


def test_it_is_reported_once_and_closed_once(loss: Loss, town: Town, officer: Pages) -> None:
    loss.report(officer)
    assert loss.report(officer).status_code == 409
    assert officer.post(loss.path("close")).status_code == 422
    assert officer.post(loss.path("close"), notified=local(2)).status_code == 422
    assert officer.post(loss.path("close"), notified=local(-1)).status_code == 302
    assert "Đã thông báo lúc" in loss.seen(officer)
    assert officer.post(loss.path("close"), reason="Đã tìm thấy").status_code == 409
    assert "đồng hồ đang chạy" not in words_of(officer.get("/desk/devices").get_element_by_id("main"))
    (row,) = town.rows(select(AuditTable.who).where(AuditTable.act == "close_incident"))
    assert row.who == "s1"


def test_a_phone_that_was_revoked_before_can_be_reported(loss: Loss, town: Town, officer: Pages) -> None:
    town.revoke("u1")
    before = town.device("u1").revoked_at
    assert loss.report(officer).status_code == 302
    assert town.device("u1").revoked_at == before
    assert NAME in loss.seen(officer)


def test_a_phone_of_nobody_is_an_administrators(loss: Loss, town: Town, visit: Callable[..., Pages]) -> None:
    ident = town.new_device()
    path = f"/desk/devices/{ident}/lost"
    told = {"detected": local(-1), "noticed_by": "x", "circumstances": HOW}
    assert visit("s1").post(path, **told).status_code == 404
    assert visit("a1").post(path, **told).status_code == 302
    assert town.rows(select(Device.revoked_at).where(Device.id == ident))[0].revoked_at is not None


def test_spans_in_words(town: Town) -> None:
    with town.app.test_request_context():
        assert clock_error(None) == "chưa rõ"
        assert (clock_error(59_000), clock_error(-59_999)) == ("đúng giờ", "đúng giờ")
        assert clock_error(-3 * 60_000) == "nhanh 3 phút"
        assert clock_error(2 * HOUR + 5 * 60_000) == "chậm 2 giờ 5 phút"
        assert time_left(71 * HOUR + 60_000) == "còn 71 giờ 1 phút"
        assert time_left(-HOUR) == "đã quá 1 giờ 0 phút"
