"""Who may sign in: for an administrator, who gives out a password to whoever has forgotten his. No child is here."""

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy import select

from server.auth.access import acting_area
from server.auth.recovery import DAYS, recover
from server.clock import now
from server.console.session import Visitor, administrator
from server.problems import Problem
from server.store.people import author_of
from server.store.tables import User, db
from sync.names import sort_key


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/people", view_func=people)
    desk.add_url_rule("/people/password", view_func=give_password, methods=["POST"])


def people() -> str:
    """Everybody, by name."""
    return _page(administrator())


def _page(me: Visitor, told: tuple[User, str] | None = None) -> str:
    found = sorted(db.session.scalars(select(User)), key=lambda one: (sort_key(one.name), one.id))
    return render_template("desk/people.html", me=me, people=found, told=told, days=DAYS)


def give_password() -> Response:
    """Another password for somebody, shown this once and never in an address."""
    me, ident = administrator(), request.form.get("user", "")
    user = db.session.get(User, ident)
    if user is None:
        raise Problem("not_found")
    area = acting_area([author_of(ident)], me.access.today)
    word = recover(ident, me.id, area, now())
    return make_response(_page(me, (db.session.get_one(User, ident), word)))
