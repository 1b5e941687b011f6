"""A hamlet is handed over: first what that means, then the act, then what happens next."""

from datetime import date, timedelta
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import lazy_gettext as _l

from server.api.people_schemas import HandoverSchema
from server.auth.charges import known_place
from server.auth.handover import Handover, hand_over
from server.clock import now
from server.console.asking import asked
from server.console.collaborators import kept
from server.console.reader import words_now
from server.console.session import Visitor, keeper
from server.problems import CATALOGUE, Problem
from server.reading.collaborators import choices, one_of
from server.reading.handovers import preview
from server.store.people import authors_of
from server.world import current_nest

NAMES = ("area", "hamlet", "from", "to", "day")
LABELS = {
    "area": _l("Địa bàn"),
    "hamlet": _l("Ấp, khu vực"),
    "from": _l("Người giao"),
    "to": _l("Người nhận"),
    "day": _l("Từ ngày"),
    "reason": _l("Lý do"),
}


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/handover", view_func=handover)
    desk.add_url_rule("/handover", view_func=carry_out, methods=["POST"])
    desk.add_url_rule("/handover/done", view_func=handed_over)


def handover() -> str | Response:
    """Who gives what to whom; where all of that is said, what it means."""
    return _page(keeper(), {name: request.args.get(name, "").strip() for name in NAMES})


def _page(me: Visitor, said: dict[str, str], failure: Problem | None = None) -> str | Response:
    known, area = kept(me, said["area"])
    area = area or (known[0][0] if len(known) == 1 else None)
    said |= {"area": area or ""}
    wish, seen = _wish(said), None
    if wish is not None:
        try:
            seen = preview(current_nest(), words_now(), me.access, wish, now())
        except Problem as problem:
            if CATALOGUE[problem.code].status in (403, 404):
                raise
            failure = failure or problem
    places = current_nest().places.hamlets
    text = render_template(
        "desk/handover.html",
        me=me,
        said=said | {"reason": request.form.get("reason", "")},
        kept=known,
        area=area,
        hamlets=[(code, one.name) for (ward, code), one in sorted(places.items()) if ward == area],
        people=choices(area, me.access.today) if area else [],
        seen=seen,
        failure=failure,
        today=me.access.today,
        tomorrow=me.access.today + timedelta(days=1),
    )
    return make_response(text, CATALOGUE[failure.code].status if failure else 200)


def _wish(said: dict[str, str]) -> Handover | None:
    """What is asked for, where everything is said."""
    if not all(said[name] for name in NAMES):
        return None
    try:
        day = date.fromisoformat(said["day"])
    except ValueError:
        return None
    return Handover(said["area"], said["hamlet"], said["from"], said["to"], day, "")


def carry_out() -> Response:
    """The act itself."""
    me = keeper()
    said: dict[str, Any] = {name: request.form.get(name, "").strip() for name in NAMES}
    try:
        wish = Handover(**asked(HandoverSchema(), LABELS))
        hand_over(me.access, wish, now())
    except Problem as problem:
        if CATALOGUE[problem.code].status in (403, 404):
            raise
        return make_response(_page(me, said, problem))
    return make_response(redirect(url_for("desk.handed_over", **said)))


def handed_over() -> str:
    """What happens next, told from what is stored now."""
    me = keeper()
    wish = _wish({name: request.args.get(name, "").strip() for name in NAMES})
    if wish is None:
        raise Problem("not_found")
    known_place(me.access, wish.area, wish.hamlet)
    known = authors_of([wish.giver, wish.taker])
    held = {one.id: one.may_write(wish.area, wish.hamlet, [wish.day]) for one in known.values()}
    before = known[wish.giver].areas([wish.day - timedelta(days=1)]) if wish.giver in known else frozenset[str]()
    if wish.giver == wish.taker or held != {wish.giver: False, wish.taker: True} or wish.area not in before:
        raise Problem("not_found")
    giver, taker = (one_of(current_nest(), words_now(), me.access, known[one]) for one in (wish.giver, wish.taker))
    return render_template(
        "desk/handed_over.html",
        me=me,
        wish=wish,
        place=words_now().place(wish.scope),
        giver=giver,
        taker=taker,
        last=wish.day - timedelta(days=1),
        begun=wish.day <= me.access.today,
    )
