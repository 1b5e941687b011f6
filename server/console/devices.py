"""Devices: when each was heard last, what it said of itself; a new one by a code on the screen; revoking."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from server.api.access_schemas import RevokeSchema
from server.api.people_schemas import InvitingSchema
from server.auth.enrolment import invite, set_up
from server.auth.leaving import revoke
from server.clock import now
from server.console.asking import asked
from server.console.collaborators import kept
from server.console.session import Visitor, keeper
from server.console.spans import RIGHT, clock_error, time_left
from server.openrosa.setup import Setup
from server.problems import CATALOGUE, Problem
from server.reading.collaborators import choices
from server.reading.devices import Phone, held_by, held_counts, phones, seen_phones
from server.reading.lost import clock_of, running_clocks
from server.store.people import authors_of, names_of
from server.store.tables import User, db
from server.world import current_nest
from sync.times import DAY

PAGE = 50  # phones on a page
QUIET = 7 * DAY  # ms: a phone that was not heard for so long
LABELS = {"user": _l("Người dùng"), "label": _l("Tên máy"), "days": _l("Số ngày dùng được"), "reason": _l("Lý do")}
STATES: Mapping[str, Callable[[Phone, int], bool]] = {
    "use": lambda one, at: one.row.revoked_at is None and one.row.wiped_at is None,
    "quiet": lambda one, at: one.row.revoked_at is None and at - (one.row.last_seen or 0) > QUIET,
    "unsent": lambda one, at: bool(one.row.unsent) and one.row.wiped_at is None,
    "clock": lambda one, at: abs(one.row.clock_offset or 0) >= RIGHT,
    "cloned": lambda one, at: one.row.cloned_at is not None,
    "revoked": lambda one, at: one.row.revoked_at is not None,
    "wiped": lambda one, at: one.row.wiped_at is not None,
}
NAMES = {
    "use": _l("Đang dùng"),
    "quiet": _l("Im lặng hơn 7 ngày"),
    "unsent": _l("Còn phiếu chưa gửi"),
    "clock": _l("Đồng hồ sai"),
    "cloned": _l("Bị sao chép"),
    "revoked": _l("Đã thu hồi"),
    "wiped": _l("Đã xóa sạch"),
}


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/devices", view_func=devices)
    desk.add_url_rule("/devices/invite", view_func=invite_phone, methods=["POST"])
    desk.add_url_rule("/devices/collect", view_func=set_up_collect, methods=["POST"])
    desk.add_url_rule("/devices/<ident>", view_func=one_device)
    desk.add_url_rule("/devices/<ident>/revoke", view_func=revoke_device, methods=["POST"])


def devices() -> str:
    """All in reach, with the clocks of lost ones above."""
    return _list(keeper())


def _list(me: Visitor, failure: Problem | None = None) -> str:
    at, connection = now(), db.session.connection()
    known, area = kept(me, request.args.get("area"))
    found = seen_phones(connection, me.access)
    if area is not None:
        found = [one for one in found if any(area in user.areas([me.access.today]) for user in one.users)]
    counts = {name: sum(test(one, at) for one in found) for name, test in STATES.items()}
    state = request.args.get("state", "")
    if state in STATES:
        found = [one for one in found if STATES[state](one, at)]
    found.sort(key=lambda one: (-(one.row.last_seen or 0), one.row.id))
    page = max(request.args.get("page", 0, type=int), 0)
    shown = found[page * PAGE : (page + 1) * PAGE]
    return render_template(
        "desk/devices.html",
        me=me,
        shown=shown,
        total=len(found),
        page=page,
        size=PAGE,
        held=held_counts(connection, [one.row.id for one in shown]),
        clocks=running_clocks(me.access, at),
        counts=counts,
        state=state,
        states=NAMES,
        kept=known,
        area=area,
        people=_people(me),
        failure=failure,
        clock_error=clock_error,
        time_left=time_left,
    )


def _people(me: Visitor) -> list[tuple[str, str]]:
    """Whom the visitor may give a phone to."""
    if me.access.administers:
        found = {row.id: row.name for row in db.session.execute(db.select(User.id, User.name))}
    else:
        found = {one: name for area in me.access.areas for one, name in choices(area, me.access.today)}
    return sorted(found.items(), key=lambda one: (one[1], one[0]))


def invite_phone() -> Response:
    """A code for our own app, shown this once."""
    me = keeper()
    try:
        said = asked(InvitingSchema(), LABELS)
        user, address = _invited(me, said["user"]), _address()
        made = invite(user, me.id, said["days"], now())
    except Problem as problem:
        return _refused(me, problem)
    if not current_nest().settings.public_url:
        made = replace(made, link=address.rstrip("/") + made.link)
    return _shown(me, user, made.svg(), code=made.code, link=made.link, expires_at=made.expires_at)


def set_up_collect() -> Response:
    """A phone with ODK Collect and its token, shown this once."""
    me = keeper()
    try:
        said = asked(InvitingSchema(), LABELS)
        user, address = _invited(me, said["user"]), _address()
        device, token = set_up(user, said["label"] or "ODK Collect", me.id, now())
    except Problem as problem:
        return _refused(me, problem)
    return _shown(me, user, Setup(address, token, user).svg(), device=device)


def _shown(me: Visitor, user: str, svg: str, **more: object) -> Response:
    name = names_of([user])[user]
    text = render_template("desk/enrolled.html", me=me, user=user, name=name, svg=svg, **more)
    return make_response(text, {"Cache-Control": "no-store"})


def _invited(me: Visitor, user: str) -> str:
    known = authors_of([user]).get(user)
    if known is None or not me.access.invites(known):
        raise Problem("not_found")
    return user


def _address() -> str:
    """Where phones reach this server; a demonstration is reached where its reader reached it."""
    settings = current_nest().settings
    if not settings.public_url and not settings.demo:
        raise Problem("no_address")
    return settings.public_url or request.host_url


def one_device(ident: str) -> str:
    """One phone."""
    return device_page(keeper(), ident)


def device_page(me: Visitor, ident: str, failure: Problem | None = None) -> str:
    connection = db.session.connection()
    phone, mine = phone_seen(me, ident)
    return render_template(
        "desk/device.html",
        me=me,
        one=phone,
        mine=mine,
        held=held_counts(connection, [ident]).get(ident, 0),
        clock=clock_of(me.access, ident, now()),
        failure=failure,
        clock_error=clock_error,
        time_left=time_left,
    )


def phone_seen(me: Visitor, ident: str) -> tuple[Phone, bool]:
    """A phone, and whether the visitor may revoke it; a supervisor also sees one that has what is his on it.

    Raises the problem `not_found`.
    """
    connection = db.session.connection()
    phone = next(iter(phones(connection, [ident])), None)
    if phone is None:
        raise Problem("not_found")
    mine = me.access.phone(phone.users)
    if not mine and clock_of(me.access, ident, now()) is None and not held_by(connection, ident, me.access):
        raise Problem("not_found")
    return phone, mine


def revoke_device(ident: str) -> Response:
    """Its right to read is over; what it still sends is kept for a supervisor."""
    me = keeper()
    phone, mine = phone_seen(me, ident)
    if not mine:
        raise Problem("not_found")
    try:
        reason = asked(RevokeSchema(), LABELS)["reason"]
        revoke(ident, me.id, me.access.acts_in(phone.users), reason, now())
    except Problem as problem:
        return make_response(device_page(me, ident, problem), CATALOGUE[problem.code].status)
    flash(_("Đã thu hồi máy. Phiếu máy còn gửi sẽ được giữ lại để cán bộ xem."))
    return make_response(redirect(url_for("desk.one_device", ident=ident)))


def _refused(me: Visitor, problem: Problem) -> Response:
    kind = CATALOGUE[problem.code]
    if kind.status in (403, 404):
        raise problem
    return make_response(_list(me, problem), kind.status)
