"""Signing in and out, one's own logins and password, the language."""

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _

from server.auth.passwords import SHORTEST, change
from server.clock import now
from server.console.session import Visitor, end_login, logins, sign_in, sign_out, visitor, way_back
from server.problems import CATALOGUE, Problem

YEAR = 365 * 86_400  # seconds


def register(desk: Blueprint) -> None:
    desk.add_url_rule("/login", view_func=login, methods=["GET", "POST"])
    desk.add_url_rule("/logout", view_func=logout, methods=["POST"])
    desk.add_url_rule("/account", view_func=account)
    desk.add_url_rule("/account/end", view_func=end, methods=["POST"])
    desk.add_url_rule("/account/password", view_func=password, methods=["POST"])
    desk.add_url_rule("/language", view_func=language, methods=["POST"])


def login() -> Response | str:
    """The way in."""
    back, failure = request.values.get("back"), None
    if request.method == "POST":
        try:
            sign_in(request.form.get("user", "").strip(), request.form.get("password", ""), _browser())
            return make_response(redirect(way_back(back, url_for("desk.home"))))
        except Problem as problem:
            failure = problem
    text = render_template("desk/login.html", back=back, failure=failure and CATALOGUE[failure.code].title)
    return make_response(text, CATALOGUE[failure.code].status if failure else 200)


def logout() -> Response:
    """The way out."""
    sign_out()
    return make_response(redirect(url_for("desk.login")))


def account() -> str:
    """Who one is here, and where one is signed in."""
    return _account(visitor())


def _account(me: Visitor, failure: str | None = None) -> str:
    return render_template("desk/account.html", me=me, logins=logins(me), failure=failure, shortest=SHORTEST)


def end() -> Response:
    """End one of one's own logins."""
    me = visitor()
    if not end_login(me, request.form.get("login", "")):
        raise Problem("not_found")
    flash(_("Đã kết thúc phiên đăng nhập."))
    return make_response(redirect(url_for("desk.account")))


def password() -> Response:
    """Another password of one's own; all other logins end."""
    me = visitor()
    if request.form.get("new", "") != request.form.get("again", ""):
        return make_response(_account(me, _("Hai lần nhập mật khẩu mới không giống nhau.")), 422)
    try:
        change(me.who, request.form.get("old", ""), request.form.get("new", ""), now())
    except Problem as problem:
        kind = CATALOGUE[problem.code]
        return make_response(_account(me, kind.title), kind.status)
    flash(_("Đã đổi mật khẩu. Các phiên đăng nhập khác đã kết thúc."))
    return make_response(redirect(url_for("desk.account")))


def language() -> Response:
    """The other language, on the page where one is."""
    answer = make_response(redirect(way_back(request.form.get("back"), url_for("desk.home"))))
    chosen = request.form.get("lang", "vi")
    answer.set_cookie("lang", chosen if chosen in ("vi", "en") else "vi", max_age=YEAR, httponly=True, samesite="Lax")
    return answer


def _browser() -> str:
    """The browser and system in two words, for the list of logins: what a header claims, as text."""
    said = request.headers.get("User-Agent", "")
    programs = ("Edg", "OPR", "CocCoc", "coc_coc_browser", "Firefox", "Chrome", "Safari")
    systems = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "Linux")
    program = next((one for one in programs if one in said), "")
    system = next((one for one in systems if one in said), "")
    return " · ".join(part for part in (program.replace("Edg", "Edge"), system) if part)
