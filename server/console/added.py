"""A visit that no rule asks for, added by hand to a child or household."""

import uuid
from functools import partial
from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from server.api.plan_schemas import AddSchema
from server.clock import now
from server.console.planners import week_name
from server.console.reader import loaded
from server.console.session import Visitor, planner
from server.problems import CATALOGUE, Problem
from server.reading.planboard import people_of
from server.reminders.arrange import SUBJECTS, add
from server.store.tables import Entity, db
from server.world import current_nest
from sync.authority import Role

SAID = ("id", "subject", "due", "to", "reason")


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/plan/add", view_func=add_form)
    desk.add_url_rule("/plan/add", view_func=add_one, methods=["POST"])


def add_form() -> str:
    """For whom, by when, who is to go and why."""
    me = planner()
    return _page(me, _subject(me, request.args.get("subject", "")), {"id": str(uuid.uuid4())})


def add_one() -> Response:
    """Add it; sent twice it is the same visit."""
    me = planner()
    whom = _subject(me, request.form.get("subject", ""))
    said = {name: request.form.get(name, "").strip() for name in SAID}
    try:
        if not said["due"]:
            raise Problem("invalid", _("Hãy chọn ngày đến hạn."))
        body = loaded(AddSchema(), {name: value for name, value in said.items() if value or name == "reason"})
        nest = current_nest()
        nest.committer.run(partial(add, nest, me.access, whom.area, body, now()))
    except Problem as problem:
        problem.detail = problem.detail or _detail(problem)
        return make_response(_page(me, whom, said, problem), CATALOGUE[problem.code].status)
    flash(_("Đã thêm lượt thăm."))
    return make_response(redirect(url_for("desk.plan", area=whom.area, week=week_name(body["due"]))))


def _detail(problem: Problem) -> str | None:
    if problem.code != "invalid":
        return None
    return _("Hạn không được ở trước hôm nay; lý do không quá 60 ký tự.")


def _subject(me: Visitor, ident: str) -> Entity:
    """Who is to be visited, if he who asks plans visits there. Raises the problem `not_found`."""
    found = db.session.get(Entity, ident) if ident else None
    if found is None or found.dead or found.scope is None or found.type not in SUBJECTS:
        raise Problem("not_found")
    if not me.access.plans(found.area, found.scope):
        raise Problem("not_found")
    return found


def _page(me: Visitor, whom: Entity, said: dict[str, Any], failure: Problem | None = None) -> str:
    people = people_of(whom.area, me.access.today, (Role.COLLABORATOR,))
    return render_template("desk/plan_add.html", me=me, whom=whom, said=said, people=people, failure=failure)
