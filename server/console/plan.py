"""The plan: what is due in a week, who can do how much, and what a scheduler decides about it."""

from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from marshmallow import Schema

from server.api.plan_schemas import ReasonSchema, ReassignSchema, SnoozeSchema
from server.clock import now
from server.console.planners import area_of, hamlets_of, week_chosen, week_name
from server.console.reader import loaded
from server.console.session import Visitor, planner
from server.problems import CATALOGUE, Problem
from server.reading.charge import NOBODY
from server.reading.load import board, charge_day
from server.reading.plan import due_visits
from server.reading.planboard import days_of, people_of, reasons
from server.reminders.arrange import Wish, arrange
from server.store.tables import VisitTable, db
from server.world import current_nest
from sync.authority import Role
from sync.visits.arrangements import Arranging

PAGE = 50
MOST = 200  # visits that are arranged in one go
ACTS: dict[str, tuple[Arranging, type[Schema]]] = {
    "reassign": (Arranging.REASSIGN, ReassignSchema),
    "snooze": (Arranging.SNOOZE, SnoozeSchema),
    "cancel": (Arranging.CANCEL, ReasonSchema),
    "resume": (Arranging.RESUME, ReasonSchema),
}
FILTERS = ("area", "week", "hamlet", "collaborator", "aside", "after")


@dataclass
class Attempt:
    """What was asked for and refused: why as a whole, or visit by visit, and what had been typed and ticked."""

    problem: Problem | None = None
    refused: dict[str, Problem] = field(default_factory=dict)
    ids: frozenset[str] = frozenset()
    done: int = 0


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/plan", view_func=plan)
    desk.add_url_rule("/plan/arrange", view_func=arrange_many, methods=["POST"])


def plan() -> str:
    """The board of an area and a week, and a page of its visits."""
    return _page(planner())


def _page(me: Visitor, attempt: Attempt | None = None) -> str:
    nest, today = current_nest(), me.access.today
    areas, area = area_of(me, request.values.get("area"))
    period = week_chosen(request.values.get("week"), today)
    hamlet, person = (request.values.get(name) or None for name in ("hamlet", "collaborator"))
    aside = request.values.get("aside") == "1"
    asked: dict[str, Any] = {"period": period, "collaborator": person, "aside": aside}
    asked |= {"hamlet": (hamlet or "")[:10] or None}
    asked |= {"after": (request.values.get("after") or "")[:100] or None, "limit": PAGE}
    asked |= {"day": charge_day(period, today), "role": Role.COLLABORATOR.value if person else None}
    found = due_visits(nest, me.access, [area], asked)
    loads, nobody = board(nest, area, period, today)
    people = people_of(area, charge_day(period, today), (Role.COLLABORATOR, Role.SUPERVISOR))
    weeks = {"before": period.begins - timedelta(days=7), "after": period.begins + timedelta(days=7)}
    return render_template(
        "desk/plan.html", me=me, areas_planned=areas, area=area, period=period, days=days_of(nest, period),
        loads=loads, nobody=nobody, NOBODY=NOBODY, visits=found, people=people,
        why=reasons(nest, me.access, [one["id"] for one in found["visits"]], str(get_locale())),
        names={ident: name for ident, name, _role in people}, hamlets=hamlets_of(area), hamlet=hamlet,
        person=person, aside=aside, attempt=attempt or Attempt(), most=max([1, *(one["lines"] for one in loads)]),
        weeks={name: week_name(day) for name, day in weeks.items()}, week=week_name(period.begins),
        this_week=week_name(today), filters=_filters(), today=today, as_day=date.fromisoformat,
    )  # fmt: skip


def _filters() -> dict[str, Any]:
    return {name: value for name in FILTERS if (value := request.values.get(name))}


def arrange_many() -> Response:
    """One act on all that are ticked; each by itself, so that one that is refused holds up no other."""
    me = planner()
    area_of(me, request.form.get("area"))
    ids = list(dict.fromkeys(request.form.getlist("ids")))[:MOST]
    attempt = Attempt(ids=frozenset(ids))
    try:
        wish = _wish()
        if not ids:
            raise Problem("invalid", _("Hãy chọn ít nhất một lượt thăm."))
    except Problem as problem:
        attempt.problem = problem
        return make_response(_page(me, attempt), CATALOGUE[problem.code].status)
    for ident in ids:
        try:
            _arrange(me, ident, wish)
            attempt.done += 1
        except Problem as problem:
            attempt.refused[ident] = problem
    db.session.rollback()  # from here on as it stands now
    if attempt.refused:
        attempt.ids = frozenset(attempt.refused)
        return make_response(_page(me, attempt), 409)
    flash(_done(wish.act, attempt.done))
    return make_response(redirect(url_for("desk.plan", **_filters())))


def _wish() -> Wish:
    """What the form asks for. Raises the problems `reason_needed` and `invalid`."""
    act = request.form.get("act", "")
    if act not in ACTS:
        raise Problem("invalid", _("Hãy chọn việc cần làm."))
    arranging, schema = ACTS[act]
    said = {"reason": request.form.get("reason", "").strip()}
    if act == "reassign":
        said["to"] = request.form.get("to", "")
        if not said["to"]:
            raise Problem("invalid", _("Hãy chọn người sẽ đi."))
    if act == "snooze":
        said["until"] = request.form.get("until", "")
        if not said["until"]:
            raise Problem("invalid", _("Hãy chọn ngày hoãn tới."))
    body = loaded(schema(), said)
    return Wish(arranging, body["reason"].strip(), to=body.get("to"), until=body.get("until"))


def _arrange(me: Visitor, ident: str, wish: Wish) -> None:
    row = db.session.get(VisitTable, ident)
    if row is None or not me.access.plans(row.area, row.scope):
        raise Problem("not_found")
    nest = current_nest()
    nest.committer.run(partial(arrange, nest, me.access, row.area, ident, wish, now()))


def _done(act: Arranging, count: int) -> str:
    words = {
        Arranging.REASSIGN: _("Đã giao lại %(count)s lượt thăm.", count=count),
        Arranging.SNOOZE: _("Đã hoãn %(count)s lượt thăm.", count=count),
        Arranging.CANCEL: _("Đã hủy %(count)s lượt thăm.", count=count),
        Arranging.RESUME: _("Đã lấy lại %(count)s lượt thăm.", count=count),
    }
    return words[act]
