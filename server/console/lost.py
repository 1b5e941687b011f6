"""A lost phone: what was on it, the report, the annex of the notice, and the end of its clock."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server.api.people_schemas import ClosingSchema, LostSchema
from server.auth.incidents import HOURS, Report, close, note_reading, report_lost
from server.clock import now
from server.console.asking import asked, moment_of
from server.console.devices import phone_seen
from server.console.reader import words_now
from server.console.session import Visitor, keeper
from server.console.spans import time_left
from server.problems import CATALOGUE, Problem
from server.reading.lost import clock_of, on_phone, sent_later
from server.store.tables import db
from server.world import current_nest
from sync.times import local_time

LABELS = {
    "detected": _l("Lúc phát hiện"),
    "noticed_by": _l("Người phát hiện"),
    "circumstances": _l("Hoàn cảnh"),
    "notified": _l("Lúc đã gửi thông báo"),
    "reason": _l("Lý do không cần thông báo"),
}


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/devices/<ident>/lost", view_func=lost)
    desk.add_url_rule("/devices/<ident>/lost", view_func=report, methods=["POST"])
    desk.add_url_rule("/devices/<ident>/close", view_func=close_incident, methods=["POST"])
    desk.add_url_rule("/devices/<ident>/annex", view_func=annex)


def lost(ident: str) -> str:
    """What is on the phone, and how to report it; of one that was reported the clock, and what came later."""
    return _page(keeper(), ident)


def _page(me: Visitor, ident: str, failure: Problem | None = None) -> str:
    return render_template("desk/lost.html", failure=failure, **_facts(me, ident))


def _facts(me: Visitor, ident: str) -> dict[str, Any]:
    at = now()
    phone, mine = phone_seen(me, ident)
    clock = clock_of(me.access, ident, at)
    later = sent_later(db.session.connection(), ident, clock.row.reported_at) if clock else []
    return {
        "me": me,
        "phone": phone,
        "mine": mine,
        "clock": clock,
        "on": on_phone(current_nest(), words_now(), me.access, phone, clock is not None),
        "later": later,
        "at": at,
        "this_moment": local_time(at).strftime("%Y-%m-%dT%H:%M"),
        "hours": HOURS,
        "time_left": time_left,
        "areas_named": [words_now().place(clock.row.area)] if clock else [],
    }


def report(ident: str) -> Response:
    """Report it: it is revoked, and the clock runs."""

    def carry_out(me: Visitor) -> str:
        said = asked(LostSchema(), LABELS)
        told = Report(ident, moment_of(said["detected"]), said["noticed_by"], said["circumstances"])
        report_lost(me.access, told, now())
        return _("Đã ghi nhận máy bị mất và thu hồi máy. Đồng hồ %(hours)s giờ đang chạy.", hours=HOURS)

    return _act(ident, carry_out)


def close_incident(ident: str) -> Response:
    """The notice was given, or none is needed."""

    def carry_out(me: Visitor) -> str:
        said = asked(ClosingSchema(), LABELS)
        notified = moment_of(said["notified"]) if said["notified"] else None
        close(me.access, ident, notified, said["reason"], now())
        return _("Đã đóng vụ việc.")

    return _act(ident, carry_out)


def _act(ident: str, carry_out: Callable[[Visitor], str]) -> Response:
    me = keeper()
    phone_seen(me, ident)
    try:
        told = carry_out(me)
    except Problem as problem:
        kind = CATALOGUE[problem.code]
        if kind.status in (403, 404):
            raise
        return make_response(_page(me, ident, problem), kind.status)
    flash(told)
    return make_response(redirect(url_for("desk.lost", ident=ident)))


def annex(ident: str) -> str:
    """The annex of a notice, to be printed; the audit log notes who read it."""
    me = keeper()
    facts = _facts(me, ident)
    if facts["clock"] is None:
        raise Problem("not_found")
    note_reading(me.access, ident, facts["clock"].row.area, now())
    return render_template("desk/annex.html", **facts)
