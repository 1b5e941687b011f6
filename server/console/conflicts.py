"""Placeholder."""

from flask import Blueprint, render_template

from server.console.session import supervisor


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/conflicts", view_func=conflicts)
    desk.add_url_rule("/conflicts/<ident>", view_func=conflict)


def conflicts() -> str:
    """The page."""
    return render_template("desk/nothing.html", me=supervisor())


def conflict(ident: str) -> str:
    """The page."""
    return render_template("desk/nothing.html", me=supervisor())
