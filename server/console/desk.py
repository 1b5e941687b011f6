"""The officers' pages under `/desk`: what they share. Each page is a module beside this one.

A page signs in (`session.py`), asks `server/reading`, and lets `server.desk` carry out what it is told, as the API
does.
"""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    current_app,
    g,
    has_request_context,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from flask_babel import Babel
from flask_babel import get_locale as babel_locale
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError, CSRFProtect

from config.settings import Settings
from server.console import (
    account,
    added,
    collaborators,
    conflicts,
    day_pages,
    devices,
    entity,
    find,
    form_pages,
    handover,
    held,
    home,
    jobs,
    journal,
    lists,
    lost,
    outcomes,
    people,
    plan,
    review,
    rule_pages,
    typed,
    words,
)
from server.console.reader import area_names
from server.console.session import Visitor, secret, visitor
from server.problems import CATALOGUE, Problem
from server.world import current_nest
from sync.times import iso, local_time

LANGUAGES = {"vi": "Tiếng Việt", "en": "English"}
PATH = "/desk"
TRANSLATIONS = Path(__file__).parent.parent / "translations"
STATIC = Path(__file__).parent.parent / "static"
blueprint = Blueprint("desk", __name__, url_prefix=PATH)
csrf, babel = CSRFProtect(), Babel()
for page in (
    account,
    home,
    review,
    conflicts,
    held,
    entity,
    find,
    people,
    jobs,
    journal,
    rule_pages,
    day_pages,
    form_pages,
    collaborators,
    handover,
    devices,
    lost,
    plan,
    added,
    lists,
    typed,
    outcomes,
):
    page.register(blueprint)


def open_desk(app: Flask, settings: Settings) -> None:
    """Put the pages into the application, with what signs their cookies and chooses their language."""
    app.config.update(
        SECRET_KEY=secret(settings.secret, settings.data),
        SESSION_COOKIE_NAME="toam",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=settings.public_url.startswith("https:"),
        WTF_CSRF_CHECK_DEFAULT=False,  # the API has no cookies; the pages ask by themselves
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        WTF_CSRF_SSL_STRICT=False,  # our pages send no referrer
        BABEL_DEFAULT_LOCALE="vi",
        BABEL_DEFAULT_TIMEZONE="Asia/Ho_Chi_Minh",
    )
    csrf.init_app(app)
    babel.init_app(app, locale_selector=language, default_translation_directories=str(TRANSLATIONS))
    app.register_blueprint(blueprint)
    app.add_template_filter(iso, "iso")
    app.add_template_filter(local_time, "local")


def language() -> str:
    """What the reader has chosen; Vietnamese unless he has, and where nobody reads."""
    chosen = request.cookies.get("lang", "") if has_request_context() else ""
    return chosen if chosen in LANGUAGES else "vi"


@blueprint.before_request
def genuine() -> None:
    """Whatever changes anything comes from a page of ours. Raises the problem `form_expired`."""
    try:
        csrf.protect()
    except CSRFError as error:
        raise Problem("form_expired") from error


@blueprint.context_processor
def shared() -> dict[str, Any]:
    """What every page may use."""
    language = str(babel_locale())
    me = g.get("visitor")
    return {
        "language": language,
        "languages": LANGUAGES,
        "words": words,
        "demo": current_nest().settings.demo,
        "me": me,
        "areas": area_names(me) if me is not None else [],
        "pages_of": pages_of,
        "planning": planning,
        "keeping": keeping,
        "page_of": page_of,
        "asset": asset,
    }


def pages_of(me: Visitor) -> list[tuple[str, str]]:
    """(endpoint, name) of the pages in the bar; some of them are the first of a few that belong together."""
    if me.access.administers:
        pages = [("desk.people", _("Người dùng")), *keeping(), *running()]
    elif me.access.areas:
        pages = [
            ("desk.home", _("Bàn làm việc")),
            ("desk.submissions", _("Phiếu")),
            ("desk.conflicts", _("Mâu thuẫn")),
            ("desk.quarantine", _("Giữ lại")),
            ("desk.find", _("Tìm")),
            planning()[0],
            keeping()[0],
        ]
    else:
        pages = planning()
    return [one for one in pages if one[0] in current_app.view_functions]


def planning() -> list[tuple[str, str]]:
    """(endpoint, name) of the pages on which visits are planned, issued and looked back at."""
    return [("desk.plan", _("Kế hoạch")), ("desk.lists", _("Danh sách")), ("desk.outcomes", _("Kết quả"))]


def keeping() -> list[tuple[str, str]]:
    """(endpoint, name) of the pages about collaborators and what they carry."""
    return [("desk.collaborators", _("Cộng tác viên")), ("desk.devices", _("Thiết bị"))]


def running() -> list[tuple[str, str]]:
    """(endpoint, name) of the pages that keep the server running."""
    return [
        ("desk.forms", _("Biểu mẫu")),
        ("desk.rules", _("Quy tắc")),
        ("desk.running", _("Vận hành")),
        ("desk.journal", _("Nhật ký")),
    ]


def page_of(kind: str, ident: str, protected: bool = False) -> str:
    """The page of an entity, or of a submission."""
    if kind == "submission":
        return url_for("desk.submission", ident=ident)
    return url_for("desk.entity", kind=kind, ident=ident, tab="protected" if protected else None)


@cache
def _version(name: str) -> str:
    return hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]


def asset(name: str) -> str:
    """The address of a static file; another one when it changes, so that browsers may keep it."""
    return url_for("static", filename=name, v=_version(name))


def refusal(problem: Problem) -> Response:
    """A refusal as a page; who is not signed in is led there, and back afterwards."""
    if problem.code == "unauthenticated":
        here = request.full_path.rstrip("?") if request.method == "GET" else url_for("desk.home")
        login = url_for("desk.login", back=here)
        if "HX-Request" in request.headers:
            return Response(status=401, headers={"HX-Redirect": login})
        return make_response(redirect(login))
    kind = CATALOGUE[problem.code]
    try:
        me = visitor()
    except Problem:
        me = None
    # An address that is none belongs to no blueprint, so nothing shared comes by itself.
    text = render_template("desk/refusal.html", **shared() | {"me": me, "problem": problem, "title": kind.title})
    return Response(text, status=kind.status)
