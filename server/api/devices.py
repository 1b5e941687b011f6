"""Installations on phones: how they come in, who sees them, what is on them, how they go."""

from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.access_schemas import (
    EXAMPLES,
    DeviceSchema,
    DevicesSchema,
    EnrolledSchema,
    EnrolSchema,
    HoldingSchema,
    InvitationSchema,
    InviteSchema,
    RevokeSchema,
    TokenSchema,
    TrailQuery,
    TrailSchema,
)
from server.api.body import answer, small_body
from server.auth.access import Access, access_of
from server.auth.enrolment import Installation, enrol, invite
from server.auth.leaving import revoke, wiped
from server.auth.tokens import caller, known_caller, rotate
from server.clock import now
from server.problems import Problem
from server.reading.devices import Phone, held_by, held_counts, phone_list, phones, readable, trail
from server.store.people import authors_of
from server.store.tables import db
from sync.times import iso, local_date

blueprint = Blueprint("devices", __name__, url_prefix="/api/v1", description="Installations on phones")
blueprint.before_request(small_body)


@blueprint.route("/devices")
class Devices(MethodView):
    """Installations."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, DevicesSchema)
    def get(self) -> Response:
        """To administrators all; to a supervisor those that only collaborators of his areas use."""
        return answer({"devices": phone_list(db.session.connection(), _access())})

    @blueprint.doc(security=[{}, {"token": []}])
    @blueprint.arguments(EnrolSchema, example=EXAMPLES["enrol"])
    @blueprint.response(201, EnrolledSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """Enrol with a code that is good once. A further user of a phone comes with the token of an earlier one.

        If the answer is lost, the same installation sends the same again within the hour.
        """
        phone = Installation(asked["installation"], asked["label"].strip(), asked["app"] or None)
        user, token = enrol(asked["code"], phone, known_caller(), now())
        about = {"id": user.id, "name": user.name, "role": user.role}
        return answer({"device": phone.id, "user": about, "token": token}, 201)


@blueprint.route("/devices/token")
class Rotation(MethodView):
    """One's own token."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, TokenSchema)
    def post(self) -> Response:
        """Another token. The present one ends when that is first used; until then this may be asked again."""
        who = caller()
        who.reader()
        token, expires_at = rotate(who, now())
        return answer({"token": token, "expires_at": None if expires_at is None else iso(expires_at)})


@blueprint.route("/devices/wiped")
class Wiped(MethodView):
    """The end of a phone's data."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(204)
    def post(self) -> Response:
        """The installation says that it has deleted everything it had been told. A revoked one may say so, too."""
        who = caller()
        if who.sender.device is None:
            raise Problem("forbidden")
        wiped(who.sender.device, now())
        return Response(status=204)


@blueprint.route("/devices/<ident>/revoke")
class Revocation(MethodView):
    """The right of an installation to read."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(RevokeSchema, example=EXAMPLES["revoke"])
    @blueprint.response(200, DeviceSchema)
    def post(self, asked: dict[str, Any], ident: str) -> Response:
        """Take it away, for good. What the device still sends is kept for a supervisor."""
        access, reason = _access(), asked["reason"].strip()
        access.phones()
        phone = _phone(ident)
        if phone is None or not access.phone(phone.users):
            raise Problem("not_found")
        if not reason:
            raise Problem("reason_needed", pointer="/reason")
        at = revoke(ident, access.author.id, access.acts_in(phone.users), reason, now())
        count = held_counts(db.session.connection(), [ident]).get(ident, 0)
        return answer(phone.body(count) | {"revoked_at": iso(at)})


@blueprint.route("/devices/<ident>/holding")
class Holding(MethodView):
    """What is on one installation."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, HoldingSchema)
    def get(self, ident: str) -> Response:
        """As far as is known: what a page took away counts until the phone has read that page.

        A supervisor sees what he may read of it, also on a phone that has left his areas since.
        """
        access, connection = _access(), db.session.connection()
        access.phones()
        phone = _phone(ident)
        if phone is not None and access.administers:
            return answer({"count": held_counts(connection, [ident]).get(ident, 0)})
        found = held_by(connection, ident, access)
        if phone is None or not (found or access.phone(phone.users)):
            raise Problem("not_found")
        return answer({"entities": found})


@blueprint.route("/holding")
class Trail(MethodView):
    """What has become of an entity's copies."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(TrailQuery, location="query")
    @blueprint.response(200, TrailSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """Which phones have had an entity, to a supervisor who reads it."""
        access, connection = _access(), db.session.connection()
        access.desk(None)
        if not readable(connection, asked["entity"], access):
            raise Problem("not_found")
        return answer({"holding": trail(connection, asked["entity"])})


@blueprint.route("/enrolments")
class Enrolments(MethodView):
    """Codes for enrolment."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(InviteSchema, example=EXAMPLES["invite"])
    @blueprint.response(201, InvitationSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """A code that is good once: an administrator's for anybody, a supervisor's for his collaborators."""
        access, user = _access(), asked["user"]
        access.phones()
        known = authors_of([user]).get(user)
        if known is None or not access.invites(known):
            raise Problem("not_found")
        made = invite(user, access.author.id, asked["days"], now())
        told = {"code": made.code, "expires_at": iso(made.expires_at), "link": made.link, "qr": made.svg()}
        return answer(told, 201)


def _phone(ident: str) -> Phone | None:
    return next(iter(phones(db.session.connection(), [ident])), None)


def _access() -> Access:
    return access_of(caller().reader(), local_date(now()))
