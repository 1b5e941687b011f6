"""Placeholder."""

from flask import Blueprint, render_template

from server.console.session import supervisor


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/find", view_func=find)


def find() -> str:
    """The page."""
    return render_template("desk/nothing.html", me=supervisor())
