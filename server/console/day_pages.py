"""The calendar of working days: a year's days off, days that an administrator sets, and counting working days."""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console.jobs import acting
from server.console.session import Visitor, administrator
from server.console.words import day as said
from server.days import OwnDay, drop_day, own_days, put_day
from server.problems import CATALOGUE, Problem
from server.world import OWN_DAYS, current_nest, read_calendar
from sync.ports import AuditRow
from sync.visits.calendar import Calendar

YEARS = range(2025, 2041)
MOST_DAYS = 400  # that are counted
LONGEST = 120


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/calendar", view_func=calendar)
    desk.add_url_rule("/calendar/day", view_func=set_day, methods=["POST"])
    desk.add_url_rule("/calendar/drop", view_func=drop, methods=["POST"])


def calendar() -> str:
    """A year, and what was set."""
    return _page(administrator())


def _page(me: Visitor, failure: Problem | None = None) -> str:
    nest = current_nest()
    year = _whole("year", me.access.today.year, YEARS)
    coming, own = read_calendar(nest.settings), own_days(nest.settings.data)
    mine = {one.date for one in own}
    return render_template(
        "desk/calendar.html", me=me, year=year, years=YEARS, days=coming.days(year), own=own, mine=mine,
        used=nest.calendar, coming=coming, waiting=_waiting(nest.calendar, coming),
        counted=_counted(me, nest.calendar),
        table=nest.settings.config / "holidays_vn.csv", file=nest.settings.data / OWN_DAYS, failure=failure,
        weekdays=[_("thứ Hai"), _("thứ Ba"), _("thứ Tư"), _("thứ Năm"), _("thứ Sáu"), _("thứ Bảy"), _("Chủ nhật")],
        longest=LONGEST,
    )  # fmt: skip


def _waiting(used: Calendar, coming: Calendar) -> list[tuple[date, bool, bool]]:
    """(day, worked now, worked after a restart) of the days that are different in the files."""
    days = sorted(used.specials.keys() | coming.specials.keys())
    both = ((day, used.is_working_day(day), coming.is_working_day(day)) for day in days)
    return [(day, before, after) for day, before, after in both if before != after]


def _counted(me: Visitor, used: Calendar) -> dict[str, Any]:
    """The n-th working day after a day."""
    start, count = _day(request.args.get("from", "")) or me.access.today, _whole("n", 5, range(MOST_DAYS + 1))
    return {"from": start, "n": count, "day": used.add_working_days(start, count), "most": MOST_DAYS}


def set_day() -> Response:
    """Say of a day whether it is worked; the law's announcement goes before the table that came with the product."""
    me, nest, at = administrator(), current_nest(), now()
    day, name = _day(request.form.get("date", "")), request.form.get("name", "").strip()
    working, basis = request.form.get("working", ""), request.form.get("basis", "").strip()
    plain = all(text.isprintable() and len(text) <= LONGEST for text in (name, basis))
    if day is None or working not in ("0", "1") or not name or not plain:
        problem = Problem("invalid", _("Cần một ngày từ 2025 đến 2040, nghỉ hay làm, và tên của ngày."))
        return make_response(_page(me, problem), CATALOGUE[problem.code].status)
    one = OwnDay(day, working == "1", name, basis, request.form.get("predicted") == "1")
    put_day(nest.settings.data, one, at)
    _note(me, at, day, {"off": not one.working})
    flash(_("Đã ghi ngày %(day)s. Có hiệu lực từ lần khởi động lại máy chủ.", day=said(day)))
    return make_response(redirect(url_for("desk.calendar", year=day.year)))


def drop() -> Response:
    """Leave a day to the table that came with the product again."""
    me, at, day = administrator(), now(), _day(request.form.get("date", ""))
    if day is None or not drop_day(current_nest().settings.data, day, at):
        raise Problem("not_found")
    _note(me, at, day, {"removed": True})
    flash(_("Đã bỏ ngày %(day)s khỏi bảng riêng. Có hiệu lực từ lần khởi động lại máy chủ.", day=said(day)))
    return make_response(redirect(url_for("desk.calendar", year=day.year)))


def _note(me: Visitor, at: int, day: date, detail: dict[str, Any]) -> None:
    row = AuditRow(acting(me), at, me.id, "change_days", day.isoformat(), detail=detail)
    write(lambda tx: append(tx.connection, [row], tx.areas), [row.area])


def _day(text: str) -> date | None:
    try:
        found = datetime.strptime(text.strip(), "%Y-%m-%d").date()  # noqa: DTZ007  a day of the calendar has no zone
    except ValueError:
        return None
    return found if found.year in YEARS else None


def _whole(name: str, otherwise: int, allowed: range) -> int:
    text = request.values.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 6 and int(text) in allowed else otherwise
