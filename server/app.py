"""The application: which blueprint answers where, and who may call it, on one screen."""

import gzip
from pathlib import Path

from flask import Flask, Response, request
from flask_migrate import Migrate
from flask_smorest import Api
from werkzeug.middleware.proxy_fix import ProxyFix

from config.settings import Settings, read_settings
from forms.text import storable
from server.api.conflicts import blueprint as conflicts
from server.api.devices import blueprint as devices
from server.api.entities import blueprint as entities
from server.api.escalations import blueprint as escalations
from server.api.handovers import blueprint as handovers
from server.api.lists import blueprint as lists
from server.api.login import blueprint as login
from server.api.media import blueprint as media
from server.api.submissions import blueprint as submissions
from server.api.sync import blueprint as sync
from server.api.visits import blueprint as visits
from server.cli import register_commands
from server.console.desk import open_desk
from server.console.start import blueprint as start
from server.errors import register_errors
from server.logs import set_up_logs
from server.openrosa.views import blueprint as openrosa
from server.problems import Problem
from server.store.dialects import prepare_engine
from server.store.tables import db
from server.world import build_nest

WORTH_COMPRESSING = 1_000  # bytes
# No script, style or image from elsewhere, no inline script, no frame. Pico's arrows are images inside its sheet.
CSP = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; script-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)


def create_app(settings: Settings | None = None) -> Flask:
    """The application for these settings (from the environment if not given)."""
    settings = settings or read_settings()
    settings.data.mkdir(parents=True, exist_ok=True)
    set_up_logs(settings.log_level)
    app = Flask(__name__, static_folder="static")
    app.config.update(
        SQLALCHEMY_DATABASE_URI=settings.url,
        SQLALCHEMY_ENGINE_OPTIONS={} if settings.embedded else {"pool_size": 10, "pool_pre_ping": True},
        MAX_CONTENT_LENGTH=settings.max_body,
        API_TITLE="Tổ Ấm",
        API_VERSION="1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api/v1",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={"components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}}},
    )
    if settings.proxied:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=0)  # type: ignore[method-assign]
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    db.init_app(app)
    Migrate(app, db, directory=str(Path(__file__).parent / "migrations"))
    with app.app_context():
        prepare_engine(db.engine)
    app.extensions["toam"] = build_nest(settings)
    api = Api(app)
    api.register_blueprint(sync)  # a device's token, also a revoked one's
    api.register_blueprint(entities)  # a user's token; `server.auth.access` decides
    api.register_blueprint(conflicts)  # a supervisor's token; `server.auth.access` and the acts themselves decide
    api.register_blueprint(submissions)  # the same
    api.register_blueprint(
        media
    )  # a device's token sends, also a revoked one's; `server.auth.access` decides who sees
    api.register_blueprint(lists)  # a user's token; `server.auth.access` decides
    api.register_blueprint(escalations)  # a scheduler's or supervisor's token; the same
    api.register_blueprint(visits)  # a scheduler's or supervisor's token; the same
    api.register_blueprint(devices)  # a code enrols; lists and codes are for officers: `server.auth.access` decides
    api.register_blueprint(handovers)  # a supervisor's or administrator's token; the same
    api.register_blueprint(login)  # anybody who knows a password
    app.register_blueprint(openrosa)  # the token in the address; also a revoked device's, to send
    app.register_blueprint(start)  # anybody, on loopback, in demo mode alone
    open_desk(app, settings)  # officers who signed in; `server.console.session` asks, `server.auth.access` decides
    register_errors(app)
    register_commands(app)
    app.before_request(_keepable)
    app.after_request(_headers)
    app.after_request(_compress)
    return app


def _keepable() -> None:
    """What no database can keep is the name of nothing."""
    named = [*(request.view_args or {}).values(), *(value for _, value in request.args.items(multi=True))]
    if not all(storable(str(value)) for value in named):
        raise Problem("not_found")


def _compress(response: Response) -> Response:
    """A page of children is text that says the same again and again: on a slow network it travels compressed."""
    wanted = "gzip" in request.headers.get("Accept-Encoding", "")
    response.vary.add("Accept-Encoding")
    worth = response.status_code == 200 and (response.content_length or 0) >= WORTH_COMPRESSING
    texts = (response.mimetype or "").endswith(("json", "html", "css", "javascript"))
    if wanted and worth and texts and (request.endpoint == "static" or not response.is_streamed):
        response.direct_passthrough = False  # of a file
        response.set_data(gzip.compress(response.get_data(), compresslevel=6))
        response.headers["Content-Encoding"] = "gzip"
    return response


def _headers(response: Response) -> Response:
    response.headers.setdefault("Content-Security-Policy", CSP)
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    if request.endpoint == "static" and "v" in request.args:
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"  # a change has another address
    response.headers.setdefault("Cache-Control", "no-store")
    return response
