"""Bàn làm việc: what waits, worst first. A scheduler and an administrator are led to their own pages."""

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for

from server.clock import now
from server.console.reader import areas_of, words_now
from server.console.session import visitor
from server.console.spans import time_left
from server.reading.board import board
from server.reading.lost import running_clocks
from server.world import current_nest
from sync.authority import Role


def register(desk: Blueprint) -> None:
    desk.add_url_rule("", view_func=home)


def home() -> Response | str:
    """The page."""
    me = visitor()
    if me.access.administers:
        return make_response(redirect(url_for("desk.people")))
    if not me.access.areas and me.access.author.role is Role.SCHEDULER and me.access.author.areas([me.access.today]):
        return make_response(redirect(url_for("desk.plan")))
    if not me.access.areas:
        return render_template("desk/nothing.html", me=me)
    areas, area = areas_of(me, request.args.get("area"))
    at = now()
    found = board(current_nest(), words_now(), areas, at)
    lost = running_clocks(me.access, at, areas)
    return render_template("desk/home.html", me=me, board=found, area=area, at=at, lost=lost, time_left=time_left)
