"""Quarantine: what could not be applied, by its cause, and one act for all of a cause."""

from typing import Any

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from server.api.desk_schemas import ManySchema
from server.console.reader import areas_of, loaded, words_now
from server.console.session import supervisor
from server.desk import carry_out_one
from server.problems import CATALOGUE, Problem
from server.reading.papers import counts, held_papers
from server.world import current_nest
from sync.state.model import Act

ACTS = ("accept", "reject", "unreject", "repair")


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/quarantine", view_func=quarantine)
    desk.add_url_rule("/quarantine/act", view_func=act_on_many, methods=["POST"])


def quarantine() -> str:
    """All that is held, or what was set aside."""
    return _page()


def _page(failure: Problem | None = None) -> str:
    me = supervisor()
    areas, area = areas_of(me, request.values.get("area"))
    aside = request.values.get("aside") == "1"
    causes = held_papers(current_nest(), words_now(), areas, aside)
    wards = sorted(((one, ward.name) for one, ward in current_nest().places.wards.items()), key=lambda one: one[1])
    return render_template(
        "desk/quarantine.html", me=me, causes=causes, area=area, aside=aside, counts=counts(areas), wards=wards,
        failure=failure,
    )  # fmt: skip


def act_on_many() -> Response:
    """One act on all that are ticked; each by itself, so that one that is refused holds up no other."""
    me = supervisor()
    me.access.desk(None)
    act = request.form.get("act", "")
    said: dict[str, Any] = {"act": act, "ids": list(dict.fromkeys(request.form.getlist("ids")))[:200]}
    said |= {"reason": request.form.get("reason", "").strip()}
    if request.form.get("ward"):
        said |= {"act": "repair", "patch": {"/answers/ward_code": request.form["ward"]}}
    try:
        if said["act"] not in ACTS or not said["reason"]:
            raise Problem("reason_needed" if not said["reason"] else "invalid")
        body = loaded(ManySchema(), said)
    except Problem as problem:
        return make_response(_page(problem), CATALOGUE[problem.code].status)
    rest = {name: value for name, value in body.items() if name not in ("act", "ids")}
    results = [carry_out_one(Act(body["act"]), me.id, one, rest) for one in body["ids"]]
    refused = [one for one in results if "code" in one]
    flash(_("Đã xử lý %(count)s phiếu.", count=len(results) - len(refused)))
    for one in refused[:5]:
        flash(_("Một phiếu chưa xử lý được: %(why)s", why=_(one["detail"])))
    area, aside = request.form.get("area") or None, request.form.get("aside") or None
    return make_response(redirect(url_for("desk.quarantine", area=area, aside=aside)))
