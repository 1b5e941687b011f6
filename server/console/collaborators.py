"""Collaborators: who looks after which hamlets from when to when, how much that is, who stands in for whom."""

from datetime import date

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server.api.people_schemas import ChargeSchema, EndSchema, LeaveSchema
from server.auth.charges import Leave, end, give, stand_in
from server.clock import now
from server.console.asking import asked
from server.console.reader import words_now
from server.console.session import Visitor, keeper
from server.console.spans import clock_error
from server.console.words import day
from server.problems import CATALOGUE, Problem
from server.reading.collaborators import Collaborator, choices, collaborator, collaborators_of, kept_areas
from server.world import current_nest
from sync.authority import Assignment, Role

LABELS = {
    "area": _l("Địa bàn"),
    "hamlet": _l("Ấp, khu vực"),
    "begins": _l("Từ ngày"),
    "ends": _l("Đến hết ngày"),
    "last": _l("Ngày cuối"),
    "stand_in": _l("Người làm thay"),
    "charge": _l("Nơi được giao"),
}


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/collaborators", view_func=collaborators)
    desk.add_url_rule("/collaborators/<ident>", view_func=one_collaborator)
    desk.add_url_rule("/collaborators/<ident>/assign", view_func=assign, methods=["POST"])
    desk.add_url_rule("/collaborators/<ident>/end", view_func=end_charge, methods=["POST"])
    desk.add_url_rule("/collaborators/<ident>/leave", view_func=leave, methods=["POST"])


def collaborators() -> str:
    """By area: a supervisor's areas together, an administrator's one at a time."""
    me = keeper()
    known, area = kept(me, request.args.get("area"))
    if me.access.administers and area is None and known:
        area = known[0][0]
    shown = [one for one in known if area in (None, one[0])]
    nest, words = current_nest(), words_now()
    groups = [(code, name, collaborators_of(nest, words, me.access, code)) for code, name in shown]
    return render_template("desk/collaborators.html", me=me, groups=groups, kept=known, area=area)


def one_collaborator(ident: str) -> str:
    """Charges, phones, and what may be changed of them."""
    return collaborator_page(keeper(), ident)


def collaborator_page(me: Visitor, ident: str, failure: Problem | None = None) -> str:
    found = in_reach(me, ident)
    hamlets = hamlets_of(me)
    mates = {one for area in {charge.area for charge in found.charges} for one in choices(area, me.access.today)} - {
        (found.id, found.name)
    }
    return render_template(
        "desk/collaborator.html",
        me=me,
        found=found,
        places=hamlets,
        mates=sorted(mates, key=lambda one: one[1]),
        today=me.access.today,
        failure=failure,
        clock_error=clock_error,
        collaborates=found.role == Role.COLLABORATOR.value,
    )


def assign(ident: str) -> Response:
    """One more charge."""
    me = keeper()
    in_reach(me, ident)
    try:
        said = asked(ChargeSchema(), LABELS)
        charge = Assignment(said["area"], said["hamlet"] or None, said["begins"], said["ends"])
        give(me.access, ident, charge, now())
    except Problem as problem:
        return refused(me, ident, problem)
    return done(ident, _("Đã giao địa bàn từ ngày %(day)s.", day=day(charge.begins)))


def end_charge(ident: str) -> Response:
    """A charge ends; one that has not begun is taken back."""
    me = keeper()
    in_reach(me, ident)
    try:
        said = asked(EndSchema(), LABELS)
        end(me.access, ident, charge_named(said["charge"]), said["last"], now())
    except Problem as problem:
        return refused(me, ident, problem)
    return done(ident, _("Đã ghi ngày cuối của việc được giao."))


def leave(ident: str) -> Response:
    """Somebody stands in for days of leave."""
    me = keeper()
    in_reach(me, ident)
    try:
        said = asked(LeaveSchema(), LABELS)
        hamlets, visits = stand_in(me.access, Leave(user=ident, **said), now())
    except Problem as problem:
        return refused(me, ident, problem)
    told = _("Đã giao tạm %(hamlets)s ấp, khu vực và %(visits)s lượt thăm cho người làm thay.",
             hamlets=hamlets, visits=visits)  # fmt: skip
    return done(ident, told)


def in_reach(me: Visitor, ident: str) -> Collaborator:
    """A user whom the visitor looks after. Raises the problem `not_found`."""
    found = collaborator(current_nest(), words_now(), me.access, ident)
    if found is None:
        raise Problem("not_found")
    return found


def kept(me: Visitor, wanted: str | None) -> tuple[list[tuple[str, str]], str | None]:
    """(area, name) of the areas in reach, and the one that was chosen. Raises the problem `not_found`."""
    wards = current_nest().places.wards
    known = [(area, wards[area].name) for area in kept_areas(me.access) if area in wards]
    chosen = wanted or None
    if chosen is not None and chosen not in dict(known):
        raise Problem("not_found")
    return sorted(known, key=lambda one: (one[1], one[0])), chosen


def hamlets_of(me: Visitor) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """(area, name, hamlets as (code, name)) of the areas in reach; of an administrator any area may be one."""
    places = current_nest().places
    areas = places.wards if me.access.administers else dict.fromkeys(kept_areas(me.access))
    named = [(area, places.wards[area].name) for area in areas if area in places.wards]
    inside: dict[str, list[tuple[str, str]]] = {}
    for (area, code), hamlet in sorted(places.hamlets.items()):
        inside.setdefault(area, []).append((code, hamlet.name))
    return [(area, name, inside.get(area, [])) for area, name in sorted(named, key=lambda one: one[1])]


def charge_named(key: str) -> Assignment:
    """A charge as a form names it. Raises the problem `not_found`."""
    parts = key.split("~")
    try:
        area, hamlet, begins = parts
        return Assignment(area, hamlet or None, date.fromisoformat(begins))
    except ValueError as error:
        raise Problem("not_found") from error


def refused(me: Visitor, ident: str, problem: Problem) -> Response:
    """The page again with what was typed; what is not there stays so."""
    kind = CATALOGUE[problem.code]
    if kind.status in (403, 404):
        raise problem
    return make_response(collaborator_page(me, ident, problem), kind.status)


def done(ident: str, told: str) -> Response:
    flash(told)
    return make_response(redirect(url_for("desk.one_collaborator", ident=ident)))
