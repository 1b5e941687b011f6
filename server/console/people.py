"""Who works with the system: for an administrator, who adds people, says what they are, and gives out a password to
whoever has forgotten his. No child is here.
"""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select

from server.api.people_schemas import NewPersonSchema, PersonSchema
from server.auth.access import acting_area
from server.auth.recovery import DAYS, recover
from server.auth.staff import Person, add_person, change_person
from server.clock import now
from server.console.asking import asked
from server.console.collaborators import hamlets_of, in_reach
from server.console.session import Visitor, administrator
from server.problems import CATALOGUE, Problem
from server.store.people import author_of
from server.store.tables import User, db
from server.world import current_nest
from sync.authority import Role
from sync.names import search_key, sort_key

PAGE = 100  # people on a page
LABELS = {
    "id": _l("Mã người dùng"),
    "name": _l("Họ tên"),
    "role": _l("Vai trò"),
    "visits_a_day": _l("Lượt thăm mỗi ngày"),
}


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/people", view_func=people)
    desk.add_url_rule("/people/password", view_func=give_password, methods=["POST"])
    desk.add_url_rule("/people/add", view_func=add, methods=["POST"])
    desk.add_url_rule("/people/<ident>", view_func=person)
    desk.add_url_rule("/people/<ident>", view_func=change, methods=["POST"])


def people() -> str:
    """Everybody, by name."""
    return _page(administrator())


def _page(me: Visitor, told: tuple[User, str] | None = None, failure: Problem | None = None) -> str:
    wanted, role = request.args.get("q", "").strip(), request.args.get("role", "")
    found = sorted(db.session.scalars(select(User)), key=lambda one: (sort_key(one.name), one.id))
    if wanted:
        found = [one for one in found if search_key(wanted) in search_key(f"{one.name} {one.id}")]
    if role:
        found = [one for one in found if one.role == role]
    page = max(request.args.get("page", 0, type=int), 0)
    shown = found[page * PAGE : (page + 1) * PAGE]
    return render_template(
        "desk/people.html",
        me=me,
        people=shown,
        total=len(found),
        page=page,
        size=PAGE,
        wanted=wanted,
        role=role,
        told=told,
        days=DAYS,
        failure=failure,
    )


def give_password() -> Response:
    """Another password for somebody, shown this once and never in an address."""
    me, ident = administrator(), request.form.get("user", "")
    user = db.session.get(User, ident)
    if user is None:
        raise Problem("not_found")
    area = acting_area([author_of(ident)], me.access.today)
    word = recover(ident, me.id, area, now())
    return make_response(_page(me, (db.session.get_one(User, ident), word)))


def add() -> Response:
    """One more user."""
    me = administrator()
    try:
        said = asked(NewPersonSchema(), LABELS)
        made = Person(said["id"], said["name"], Role(said["role"]), said["visits_a_day"])
        add_person(me.access, made, now())
    except Problem as problem:
        return make_response(_page(me, failure=problem), CATALOGUE[problem.code].status)
    flash(_("Đã thêm người dùng. Hãy giao địa bàn và cấp mật khẩu tạm, hoặc mã đăng ký điện thoại."))
    return make_response(redirect(url_for("desk.person", ident=made.id)))


def person(ident: str) -> str:
    """One user."""
    return _person(administrator(), ident)


def _person(me: Visitor, ident: str, failure: Problem | None = None) -> str:
    row = db.session.get(User, ident)
    if row is None:
        raise Problem("not_found")
    return render_template(
        "desk/person.html",
        me=me,
        person=row,
        found=in_reach(me, ident),
        places=hamlets_of(me),
        today=me.access.today,
        usual=current_nest().settings.visits_a_day,
        failure=failure,
    )


def change(ident: str) -> Response:
    """What he is called, what he is, how much he can do."""
    me = administrator()
    try:
        said = asked(PersonSchema(), LABELS)
        change_person(me.access, Person(ident, said["name"], Role(said["role"]), said["visits_a_day"]), now())
    except Problem as problem:
        return make_response(_person(me, ident, problem), CATALOGUE[problem.code].status)
    flash(_("Đã lưu."))
    return make_response(redirect(url_for("desk.person", ident=ident)))
