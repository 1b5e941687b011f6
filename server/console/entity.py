"""Placeholder."""

from flask import Blueprint, render_template

from server.console.session import supervisor


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/<any(household, child, person, report):kind>/<ident>", view_func=entity)


def entity(kind: str, ident: str) -> str:
    """The page."""
    return render_template("desk/nothing.html", me=supervisor())
