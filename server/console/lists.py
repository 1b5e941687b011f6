"""Reminder lists: who has his for a day or week, issuing them, one as it was printed, and its print view."""

from datetime import date
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from marshmallow import ValidationError

from server.api.plan_schemas import ReissueSchema, WhichListsSchema, of_our_times
from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console.planners import area_of
from server.console.reader import loaded
from server.console.session import Visitor, planner
from server.problems import CATALOGUE, Problem
from server.reading.issuing import issues, revisions
from server.reading.lists import issued_list, list_body
from server.reading.plan import preview
from server.reading.words import Words
from server.reminders.issue import NotIssued, issue, reissue
from server.reminders.workbook import file_name, workbook
from server.sheets import TYPE
from server.store.people import names_of
from server.store.tables import ReminderList, db
from server.world import current_nest
from sync.ports import AuditRow
from sync.visits.lists import ListKind, Period, period_of

KEEP_DAYS = 30  # a printed list is destroyed so many days after its period: a month of meetings, and no longer


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/lists", view_func=lists)
    desk.add_url_rule("/lists/issue", view_func=issue_lists, methods=["POST"])
    desk.add_url_rule("/lists/preview", view_func=draft)
    desk.add_url_rule("/lists/<number>", view_func=one_list)
    desk.add_url_rule("/lists/<number>/print", view_func=print_list)
    desk.add_url_rule("/lists/<number>/sheet", view_func=sheet_of_list)
    desk.add_url_rule("/lists/<number>/reissue", view_func=reissue_list, methods=["POST"])


def lists() -> str:
    """An area, a kind and a day: who has his list."""
    return _page(planner())


def _page(me: Visitor, failure: Problem | None = None) -> str:
    areas, area = area_of(me, request.values.get("area"))
    period = _period(me)
    found = issues(current_nest(), area, period, me.access.today, now())
    return render_template(
        "desk/lists.html", me=me, areas_planned=areas, area=area, period=period, kinds=list(ListKind), found=found,
        failure=failure, day=request.values.get("day") or me.access.today.isoformat(),
    )  # fmt: skip


def _period(me: Visitor) -> Period:
    """The day or week that is asked for; this week without one. Raises the problem `invalid`."""
    try:
        kind = ListKind(request.values.get("kind") or ListKind.WEEKLY)
        text = request.values.get("day")
        day = date.fromisoformat(text) if text else me.access.today
        of_our_times(day)
    except (ValueError, ValidationError) as error:
        raise Problem("invalid", _("Hãy chọn loại danh sách và một ngày.")) from error
    return period_of(kind, day)


def issue_lists() -> Response:
    """Issue the lists of a day or week, of one person or of all; those that exist stay."""
    me = planner()
    said: dict[str, Any] = {name: request.form.get(name, "") for name in ("area", "kind", "day")}
    said |= {"collaborator": request.form.get("collaborator") or None}
    try:
        area_of(me, said["area"] or None)
        body = loaded(WhichListsSchema(), said)
    except Problem as problem:
        if problem.code == "not_found":
            raise
        return make_response(_page(me, problem), CATALOGUE[problem.code].status)
    nest, people = current_nest(), [body["collaborator"]] if body["collaborator"] else None
    made = partial(issue, nest, body["area"], ListKind(body["kind"]), body["day"], now(), me.id, people)
    numbers = nest.committer.run(made)
    flash(_("Đã lập %(count)s danh sách.", count=len(numbers)) if numbers else _("Không có lượt thăm nào để lập."))
    back: dict[str, Any] = {name: said[name] for name in ("area", "kind", "day")}
    return make_response(redirect(url_for("desk.lists", **back)))


def draft() -> str:
    """One collaborator's list as it would be issued now; nothing is stored."""
    me = planner()
    _areas, area = area_of(me, request.args.get("area"))
    period, person = _period(me), request.args.get("collaborator", "")
    found = preview(current_nest(), area, period, person, me.access.today)
    return render_template(
        "desk/list.html", me=me, body=found[0] if found else None, person=person, period=period, area=area,
        as_day=date.fromisoformat, drafted=True, revisions=[], names={},
    )  # fmt: skip


def one_list(number: str) -> str:
    """An issued list, with what has become of its lines."""
    me = planner()
    return _list_page(me, readable(me, number, _revision()))


def _list_page(me: Visitor, issued: ReminderList, failure: Problem | None = None) -> str:
    known = revisions(issued.number)
    return render_template(
        "desk/list.html", me=me, body=list_body(issued, now()), as_day=date.fromisoformat, drafted=False,
        revisions=known, names=names_of({one.issued_by for one in known}), failure=failure, issued=issued,
        over=issued.ends < me.access.today,
    )  # fmt: skip


def _revision() -> int | None:
    text = request.values.get("revision", "")
    return int(text) if text.isdecimal() and len(text) < 6 and int(text) else None


def readable(me: Visitor, number: str, revision: int | None = None) -> ReminderList:
    """A list of an area that he plans. Raises the problem `not_found`."""
    issued = issued_list(number, revision)
    if issued is None or not me.access.list(issued):
        raise Problem("not_found")
    return issued


def reissue_list(number: str) -> Response:
    """Issue it again as it would be now; the earlier revisions stay."""
    me, nest = planner(), current_nest()
    issued = readable(me, number)
    try:
        text = request.form.get("revision", "")
        said = {"revision": int(text) if text.isdecimal() else text, "reason": request.form.get("reason", "").strip()}
        body = loaded(ReissueSchema(), said)
        again = partial(reissue, nest, issued.area, number, body["revision"], body["reason"], now(), me.id)
        revision = nest.committer.run(again)
    except NotIssued as refused:
        db.session.rollback()  # as it stands now
        problem = Problem("list_changed" if str(refused) == "stale" else "list_over")
        return make_response(_list_page(me, readable(me, number), problem), 409)
    except Problem as problem:
        return make_response(_list_page(me, issued, problem), CATALOGUE[problem.code].status)
    flash(_("Đã lập lại: lần %(revision)s. Các lần trước vẫn còn.", revision=revision))
    return make_response(redirect(url_for("desk.one_list", number=number)))


def print_list(number: str) -> str:
    """The paper: A4 on its side. That it was opened to be printed is noted before it is shown."""
    me = planner()
    issued = readable(me, number, _revision())
    at = now()
    _noted(me, issued, "list_print", at)
    body, paper = list_body(issued, at, carried=False), Words(current_nest())  # paper is in Vietnamese
    return render_template(
        "desk/list_print.html", me=me, body=body, as_day=date.fromisoformat, at=at, until=_until(issued.ends),
        codes={name: paper.options(name) for name in ("visit_result", "next_step", "risk_level")},
    )  # fmt: skip


def _until(ends: date) -> date:
    return date.fromordinal(ends.toordinal() + KEEP_DAYS)


def sheet_of_list(number: str) -> Response:
    """The list as a sheet. That it was taken is noted."""
    me = planner()
    issued = readable(me, number, _revision())
    _noted(me, issued, "export", now())
    body: dict[str, Any] = list_body(issued, now())
    response = Response(workbook(body), content_type=TYPE)
    response.headers["Content-Disposition"] = f"attachment; filename={file_name(body)}"
    return response


def _noted(me: Visitor, issued: ReminderList, act: str, at: int) -> None:
    area, number, revision = issued.area, issued.number, issued.revision
    noted = AuditRow(area, at, me.id, act, number, detail={"revision": revision})
    write(lambda tx: append(tx.connection, [noted], tx.areas), [area])
