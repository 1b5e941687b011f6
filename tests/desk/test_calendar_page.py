"""The calendar of working days, and the days that an administrator sets before the table of the product."""

from collections.abc import Callable, Iterator
from datetime import date

import pytest
from sqlalchemy import select

from config.settings import FOLDER
from server.days import KEPT, OwnDay, drop_day, own_days, put_day
from server.store.tables import AuditTable
from server.world import OWN_DAYS, build_nest, read_calendar
from sync.visits.calendar import load_calendar
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of

Visit = Callable[..., Pages]
TABLE = (FOLDER / "holidays_vn.csv").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def none_left(town: Town) -> Iterator[None]:
    yield
    (town.nest.settings.data / OWN_DAYS).unlink(missing_ok=True)


def rows(page: object) -> dict[str, str]:
    found = page.xpath("//section[@aria-labelledby='year']//tbody/tr")  # type: ignore[attr-defined]
    return {words_of(row[0]): words_of(row) for row in found}


def test_a_year_is_told_with_swap_days_and_predictions(visit: Visit) -> None:
    told = rows(visit("a1").get("/desk/calendar?year=2026"))
    assert "làm việc" in told["thứ Bảy, 10/01/2026"] and "12729/VPCP-KGVX" in told["thứ Bảy, 10/01/2026"]
    assert "Tết Nguyên Đán" in told["thứ Ba, 17/02/2026"] and "thư viện" in told["thứ Ba, 17/02/2026"]
    assert "thứ Năm, 08/01/2026" not in told
    page = visit("a1").get("/desk/calendar?year=2027")
    assert "dự đoán" in rows(page)["thứ Năm, 04/02/2027"] and "còn là dự đoán" in words_of(page)
    for year in ("1", "x", "99999"):
        assert visit("a1").client.get(f"/desk/calendar?year={year}&from=x&n=-1").status_code == 200


def test_working_days_are_counted_as_terms_are(visit: Visit) -> None:
    for start, count, day in (
        ("2025-12-31", 2, "thứ Ba, 06/01/2026"),
        ("2026-01-08", 2, "thứ Bảy, 10/01/2026"),
        ("2026-11-20", 0, "thứ Sáu, 20/11/2026"),
    ):
        page = visit("a1").get(f"/desk/calendar?from={start}&n={count}")
        assert day in words_of(page.xpath("//section[@aria-labelledby='count']")[0])


def test_a_day_that_is_set_is_kept_noted_and_in_force_from_the_next_start(town: Town, visit: Visit) -> None:
    admin, nest = visit("a1"), town.nest
    page = admin.open("/desk/calendar")
    told = {"date": "2027-02-12", "working": "0", "name": "Nghỉ Tết", "basis": "văn bản 1/VP"}
    answer = admin.submit(page, "/day", **told)
    assert answer.headers["Location"] == "/desk/calendar?year=2027"
    page = admin.get("/desk/calendar?year=2027")
    assert "bảng riêng của máy chủ này: văn bản 1/VP" in rows(page)["thứ Sáu, 12/02/2027"]
    assert "hãy khởi động lại" in words_of(page)
    assert nest.calendar.is_working_day(date(2027, 2, 12))
    restarted = build_nest(nest.settings).calendar
    assert not restarted.is_working_day(date(2027, 2, 12)) and restarted.version != nest.calendar.version
    assert admin.submit(page, "/drop", date="2027-02-12").status_code == 302
    assert read_calendar(nest.settings).is_working_day(date(2027, 2, 12))
    assert "hãy khởi động lại" not in words_of(admin.get("/desk/calendar"))
    noted = town.rows(select(AuditTable.who, AuditTable.act, AuditTable.subject, AuditTable.detail))
    assert [tuple(row) for row in noted] == [
        ("a1", "change_days", "2027-02-12", b'{"off":true}'),
        ("a1", "change_days", "2027-02-12", b'{"removed":true}'),
    ]
    assert len(list((nest.settings.data / KEPT).iterdir())) >= 1
    assert admin.post("/desk/calendar/drop", date="2027-02-12").status_code == 404


@pytest.mark.parametrize(
    "wrong",
    [
        {"date": "12/02/2027"},
        {"date": "1999-01-01"},
        {"name": " "},
        {"working": "2"},
        {"name": "a\nb"},
        {"basis": "x" * 121},
    ],
)
def test_what_is_no_day_is_refused_and_stays_in_the_form(town: Town, visit: Visit, wrong: dict[str, str]) -> None:
    told = {"date": "2027-02-12", "working": "1", "name": "Làm bù", "basis": "", **wrong}
    answer = visit("a1").post("/desk/calendar/day", **told)
    assert answer.status_code == 422 and own_days(town.nest.settings.data) == []
    page = visit("a1").parse(answer)
    assert page.xpath("//*[@role='alert']") and page.xpath("string(//input[@name='basis']/@value)") == told["basis"]


def test_own_rows_go_before_the_table_and_an_empty_table_changes_nothing(town: Town) -> None:
    data = town.nest.settings.data
    assert load_calendar(TABLE, "").version == load_calendar(TABLE).version
    put_day(data, OwnDay(date(2026, 1, 10), False, "Nghỉ, đã đổi lại", 'có "dấu", phẩy', False), 1)
    put_day(data, OwnDay(date(2026, 1, 10), False, "Nghỉ", 'có "dấu", phẩy', False), 2)
    (day,) = own_days(data)
    assert (day.name, day.basis) == ("Nghỉ", 'có "dấu", phẩy')
    assert not read_calendar(town.nest.settings).is_working_day(date(2026, 1, 10))
    assert drop_day(data, date(2026, 1, 10), 3) and not drop_day(data, date(2026, 1, 10), 4)


@pytest.mark.parametrize("user", ["s1", "c1"])
def test_it_is_for_administrators(visit: Visit, user: str) -> None:
    assert visit(user).client.get("/desk/calendar").status_code == 403
    for path in ("day", "drop"):
        assert visit(user).post(f"/desk/calendar/{path}", date="2027-02-12").status_code == 403
