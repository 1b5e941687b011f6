"""Placeholder."""

from flask import Blueprint, render_template

from server.console.session import supervisor


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/submissions", view_func=submissions)
    desk.add_url_rule("/submissions/<path:ident>", view_func=submission)


def submissions() -> str:
    """The page."""
    return render_template("desk/nothing.html", me=supervisor())


def submission(ident: str) -> str:
    """The page."""
    return render_template("desk/nothing.html", me=supervisor())
