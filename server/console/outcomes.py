"""Did visiting help: figures of a time, charts of its weeks, the same as a sheet, and what was escalated."""

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, render_template, request
from flask_babel import get_locale
from flask_babel import gettext as _

from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console.planners import planned_areas
from server.console.session import Visitor, planner
from server.console.words import day
from server.problems import Problem
from server.reading.escalations import escalation_list
from server.reading.outcomes import Figures, Outcomes, outcomes
from server.sheets import TYPE, table
from server.world import current_nest
from sync.ports import AuditRow

SPAN = 28  # days that are shown unless others are chosen
LONGEST = 400
FEW, MANY = 10, 50  # escalations on the page of figures, and on a page of their own


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/outcomes", view_func=page, endpoint="outcomes")
    desk.add_url_rule("/outcomes/sheet", view_func=sheet, endpoint="outcomes_sheet", methods=["POST"])
    desk.add_url_rule("/outcomes/escalations", view_func=escalated)


def page() -> str:
    """The figures."""
    me = planner()
    area, begins, ends = _asked(me)
    found = _found(me, area, begins, ends)
    told = escalation_list(current_nest(), me.access, me.access.planning(area), False, None, FEW)
    return render_template(
        "desk/outcomes.html", me=me, areas_planned=planned_areas(me), area=area, begins=begins, ends=ends,
        found=found, told=told, as_day=date.fromisoformat,
    )  # fmt: skip


def _asked(me: Visitor) -> tuple[str | None, date, date]:
    """Area and days that are asked for. Raises the problems `not_found` and `invalid`."""
    area = request.values.get("area") or None
    me.access.planning(area)
    try:
        ends = _day("to", me.access.today)
        begins = _day("from", ends - timedelta(days=SPAN - 1))
    except (ValueError, OverflowError) as error:
        raise Problem("invalid", _("Hãy chọn hai ngày.")) from error
    if not 0 <= (ends - begins).days <= LONGEST:
        raise Problem("invalid", _("Ngày sau phải cách ngày trước không quá %(days)s ngày.", days=LONGEST))
    return area, begins, ends


def _day(name: str, otherwise: date) -> date:
    text = request.values.get(name)
    return date.fromisoformat(text) if text else otherwise


def _found(me: Visitor, area: str | None, begins: date, ends: date) -> Outcomes:
    areas, language = me.access.planning(area), str(get_locale())
    nobody = _("Chưa rõ của ai")
    return outcomes(current_nest(), me.access, areas, begins, ends, now(), language, nobody)


def sheet() -> Response:
    """The numbers behind the page. That it was taken is noted."""
    me = planner()
    area, begins, ends = _asked(me)
    found, at = _found(me, area, begins, ends), now()
    areas = sorted(me.access.planning(area))
    noted = [AuditRow(one, at, me.id, "export", "outcomes", detail={"due": found.total.due}) for one in areas]
    write(lambda tx: append(tx.connection, noted, tx.areas), areas)
    title = _("Kết quả thăm từ %(begins)s đến %(ends)s", begins=day(begins), ends=day(ends))
    response = Response(table(title, _columns(), _rows(found)), content_type=TYPE)
    name = f"ket-qua-{begins:%Y%m%d}-{ends:%Y%m%d}.xlsx"
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


def _columns() -> list[tuple[str, int]]:
    counts = [_("Đến hạn"), _("Đúng hạn"), _("Trễ"), _("Quá hạn, chưa thăm"), _("Còn trong hạn")]
    rest = [_("Giữ hạn theo luật, phần trăm"), _("Số ngày trễ, trung vị")]
    return [(_("Theo"), 18), (_("Tên"), 44), *((one, 13) for one in [*counts, *rest])]


def _rows(found: Outcomes) -> Iterator[list[Any]]:
    yield _cells(_("Tất cả"), found.total)
    groups = [
        (_("Quy tắc"), found.by_rule),
        (_("Cộng tác viên"), found.by_person),
        (_("Địa bàn"), found.by_area),
    ]
    for name, group in groups:
        for one in group:
            yield _cells(name, one)
    for week, figures in found.by_week:
        yield _cells(_("Tuần từ"), figures, day(week))


def _cells(group: str, one: Figures, name: str | None = None) -> list[Any]:
    counts = [one.due, one.in_time, one.late, one.missed, one.open]
    shares = ["" if value is None else f"{value:.1f}" for value in (one.kept, one.delay)]
    return [group, name if name is not None else one.name, *(str(count) for count in counts), *shares]


def escalated() -> str:
    """What was escalated, a page of it: of visits that are still open, or of those that have ended."""
    me = planner()
    area, closed = request.args.get("area") or None, request.args.get("closed") == "1"
    after = (request.args.get("after") or "")[:100] or None
    told = escalation_list(current_nest(), me.access, me.access.planning(area), closed, after, MANY)
    return render_template(
        "desk/escalations.html", me=me, areas_planned=planned_areas(me), area=area, closed=closed, told=told,
        as_day=date.fromisoformat,
    )  # fmt: skip
