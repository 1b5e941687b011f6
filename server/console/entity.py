"""One child, household, adult or report: as it is now, its story, every word on it, charts, the protected half."""

from datetime import date
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from forms.entity_types import protected_id
from server.api.desk_schemas import CorrectSchema, LifeSchema
from server.audit import append
from server.auth.writing import write
from server.clock import now
from server.console.fields import fields_of, values_of
from server.console.reader import loaded, words_now
from server.console.session import Visitor, supervisor
from server.desk import carry_out, order_of
from server.problems import CATALOGUE, Problem
from server.reading.logs import Log, read_log
from server.reading.profile import age, measured, profile, properties_of
from server.reading.register import lines
from server.reading.story import story, visits_about, visits_by_month, words_on_cells
from server.store.reads import Reads
from server.store.tables import db
from server.world import current_nest
from sync.ports import AuditRow
from sync.state.model import Act
from sync.visits.plan import VisitState

KINDS = "<any(household, child, person, report):kind>"
TABS = ("now", "story", "history", "charts", "protected")
MONTHS = 12


def register(desk: Blueprint) -> None:
    desk.add_url_rule(f"/{KINDS}/<ident>", view_func=entity)
    desk.add_url_rule(f"/{KINDS}/<ident>/correct", view_func=correct, methods=["GET", "POST"])
    desk.add_url_rule(f"/{KINDS}/<ident>/life", view_func=life, methods=["POST"])


def entity(kind: str, ident: str) -> str:
    """The page, one tab of it."""
    me = supervisor()
    return _page(me, _readable(me, kind, ident), request.args.get("tab", "now"))


def _readable(me: Visitor, kind: str, ident: str) -> Log:
    """The log of an entity in the visitor's charge. Raises the problem `not_found`."""
    log = read_log(current_nest(), Reads(db.session.connection()), ident)
    if log is None or log.row.type != kind or not me.access.scope(log.row.area, log.row.scope):
        raise Problem("not_found")
    return log


def _page(me: Visitor, log: Log, tab: str, **more: Any) -> str:
    nest, words = current_nest(), words_now()
    tab = tab if tab in TABS else "now"
    shown: dict[str, Any] = {
        "tab": tab,
        "tabs": [one for one in TABS if _has(log, one)],
        "now": profile(nest, words, log),
        "age": age(log.row.dob, me.access.today),
        "visits": [one for one in visits_about(log.row.id) if one.state is VisitState.OPEN],
        "find_rule": nest.rules.find,
        "today": me.access.today,
    }
    shown |= _of_tab(me, log, tab)
    return render_template("desk/entity.html", me=me, log=log, **(shown | more))


def _has(log: Log, tab: str) -> bool:
    if tab == "charts":
        return log.row.type == "child"
    return tab != "protected" or log.kind.protected_half is not None


def _of_tab(me: Visitor, log: Log, tab: str) -> dict[str, Any]:
    nest, words = current_nest(), words_now()
    if tab == "story":
        return {"events": story(nest, words, log, visits_about(log.row.id))}
    if tab == "history":
        return {"cells": words_on_cells(nest, words, log)}
    if tab == "charts":
        months = _months(me.access.today)
        return {"growth": measured(log), "months": months, "made": visits_by_month(log, months)}
    if tab == "protected":
        return _protected(me, log)
    reads = Reads(db.session.connection())
    home = log.row.id if log.row.type == "household" else log.row.household
    members = [row.id for row in reads.children([home])] if log.row.type == "household" and home else []
    refers = str(log.state.data.get("about_child") or "")
    told = lines(words, [*members, *([home] if home else []), *([refers] if refers else [])], me.access.today)
    by_id = {one.id: one for one in told}
    return {
        "members": [by_id[ident] for ident in members if ident in by_id],
        "home": by_id.get(home or ""),
        "about": by_id.get(refers),
        "done": [one for one in visits_about(log.row.id) if one.state is not VisitState.OPEN],
    }


def _protected(me: Visitor, log: Log) -> dict[str, Any]:
    """The half that officers alone read. That it was read stands in the audit log before it is shown."""
    nest, words = current_nest(), words_now()
    half = read_log(nest, Reads(db.session.connection()), protected_id(log.row.id))
    if half is not None and not me.access.scope(half.row.area, half.row.scope):
        half = None
    area, at = log.row.area, now()
    noted = AuditRow(area, at, me.id, "read_protected", log.row.id, detail={"there": half is not None})
    write(lambda tx: append(tx.connection, [noted], tx.areas), [area])
    if half is None:
        return {"half": None}
    visits = visits_about(half.row.id)
    return {
        "half": profile(nest, words, half),
        "half_cells": words_on_cells(nest, words, half),
        "half_visits": visits,
    }


def _months(today: date) -> list[str]:
    """The last months, the earliest first, as `2026-11`."""
    number = today.year * 12 + today.month - 1
    return [f"{(number - back) // 12}-{(number - back) % 12 + 1:02d}" for back in reversed(range(MONTHS))]


def correct(kind: str, ident: str) -> Response | str:
    """Another value for one cell, on the state that was seen."""
    me = supervisor()
    log, cell = _readable(me, kind, ident), request.values.get("cell", "")
    props = properties_of(log, cell)
    fields = fields_of(current_nest(), words_now(), props, log.state.data)
    if not fields:
        raise Problem("not_found")
    failure, status = None, 200
    if request.method == "POST":
        said = {name: request.form.get(name, "") for name in ("base", "reason")}
        try:
            body = loaded(CorrectSchema(), said | {"values": values_of(props, request.form)})
            carry_out(order_of(Act.CORRECT, me.id, now(), body, entity=ident), [ident])
            flash(_("Đã sửa. Lời cũ vẫn còn trong lịch sử."))
            return make_response(redirect(url_for("desk.entity", kind=kind, ident=ident)))
        except Problem as problem:
            failure, status = problem, CATALOGUE[problem.code].status
            typed = {name: value for name, value in values_of(props, request.form).items() if value is not None}
            fields = fields_of(current_nest(), words_now(), props, typed)
    page = render_template("desk/correct.html", me=me, log=log, cell=cell, fields=fields, failure=failure)
    return make_response(page, status)


def life(kind: str, ident: str) -> Response:
    """Delete it as far as it was seen, or bring it back."""
    me = supervisor()
    log = _readable(me, kind, ident)
    act = Act.RESTORE if request.form.get("act") == "restore" else Act.DELETE
    try:
        body = loaded(LifeSchema(), {name: request.form.get(name, "") for name in ("base", "reason")})
        carry_out(order_of(act, me.id, now(), body, entity=ident), [ident])
    except Problem as problem:
        return make_response(_page(me, log, "now", failure=problem), CATALOGUE[problem.code].status)
    flash(_("Đã khôi phục hồ sơ.") if act is Act.RESTORE else _("Đã xóa hồ sơ. Có thể khôi phục bất cứ lúc nào."))
    return make_response(redirect(url_for("desk.entity", kind=kind, ident=ident)))
