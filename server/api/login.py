"""Passwords: logging in with one, and changing it."""

from typing import Any

from flask import Response, request
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.access_schemas import EXAMPLES, LoggedInSchema, LoginSchema, PasswordSchema
from server.api.body import answer, small_body
from server.auth.passwords import change, log_in
from server.auth.tokens import caller
from server.clock import now
from server.store.people import user_body
from server.world import current_nest
from sync.times import iso

blueprint = Blueprint("login", __name__, url_prefix="/api/v1", description="Passwords")
blueprint.before_request(small_body)


@blueprint.route("/login")
class Login(MethodView):
    """A token for a password."""

    @blueprint.doc(security=[{}, {"token": []}])
    @blueprint.arguments(LoginSchema, example=EXAMPLES["login"])
    @blueprint.response(200, LoggedInSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """On the installation whose token comes along; without one a free token, for some hours."""
        who, at = caller() if "Authorization" in request.headers else None, now()
        token, expires_at = log_in(asked["user"], asked["password"], who, at, current_nest().settings.login_hours)
        told = {"token": token, "expires_at": None if expires_at is None else iso(expires_at)}
        return answer(told | {"device": who.sender.device if who else None, "user": user_body(asked["user"])})


@blueprint.route("/password")
class OwnPassword(MethodView):
    """One's own password."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(PasswordSchema, example=EXAMPLES["password"])
    @blueprint.response(204)
    def post(self, asked: dict[str, Any]) -> Response:
        """Change it, knowing the old one. Free tokens that the old one gave end; it expires as the old one would."""
        who = caller()
        who.reader()
        change(who, asked["old"], asked["new"], now())
        return Response(status=204)
