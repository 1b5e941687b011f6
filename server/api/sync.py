"""What devices call: push a batch, pull what changed, ask what became of a submission, learn the limits."""

from typing import Any

import orjson
import structlog
from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import ValidationError
from sqlalchemy import select

from server.api.body import answer, read_body, told
from server.api.sync_schemas import (
    ConfigSchema,
    EnvelopeSchema,
    PullAnswerSchema,
    PullSchema,
    PushAnswerSchema,
    StatusAnswerSchema,
    StatusSchema,
)
from server.auth.access import access_of
from server.auth.tokens import Caller, caller
from server.clock import now
from server.problems import Problem
from server.reading.media import missing_media
from server.reading.submissions import own_states
from server.receiving import read, receive
from server.store.base import connect
from server.store.devices import Seen
from server.store.tables import Submission, db
from server.syncing import Step, config_of, outdated
from server.world import Nest, current_nest
from sync.batch import DeviceClock
from sync.envelope import MalformedEnvelope, RawItem, split
from sync.times import DAY, iso, local_date, to_ms
from sync.tokens import Position

log = structlog.get_logger()
blueprint = Blueprint("sync", __name__, url_prefix="/api/v1/sync", description="Devices and the server in step")
PUSH_EXAMPLE = {
    "v": 1,
    "app": "1.4.2",
    "clock": {"wall": "2026-11-26T17:02:11.000+07:00", "boot": "b7", "mono_ms": 123456},
    "ack": None,
    "unsent": 0,
    "items": [
        {
            "id": "uuid:0b0f6b52-3c1e-4d1f-9c55-6f0f4f5f3a10",
            "kind": "delete",
            "observed_at": "2026-11-26T16:40:00.000+07:00",
            "entities": [{"type": "child", "id": "5d0c2b1e-8f0a-4f65-9a0e-0c6c1f5e7a21", "base": "4-9f3a2c41d0"}],
        }
    ],
    "pull": {"token": None, "limit": 200},
}
PAGE = 200  # entries, where the device names no limit


@blueprint.route("")
class Push(MethodView):
    """A batch of submissions, and the first page of what changed, in one round trip."""

    @blueprint.doc(
        requestBody={
            "required": True,
            "content": {"application/json": {"schema": EnvelopeSchema, "example": PUSH_EXAMPLE}},
        },
        security=[{"token": []}],
    )
    @blueprint.response(200, PushAnswerSchema)
    def post(self) -> Response:
        """Push a batch; a receipt for each item, in order. Only a receipt lets a device delete."""
        who, nest, received = caller(), current_nest(), now()
        envelope, items = _envelope(nest)
        asked = envelope["pull"]
        with connect() as connection:
            step = Step(nest, who, connection, received)
            step.check(envelope["epoch"], envelope["ack"])  # before anything is stored: the old marks would be lost
            pulls = asked is not None and who.reads and not outdated(envelope["app"], nest.settings.min_app)
            position = step.position(asked["token"]) if pulls else None
        clock = _clock(envelope["clock"])
        body: dict[str, Any] = {
            "server_time": iso(received),
            "keep_until": iso(received + nest.settings.keep_days * DAY),
            "receipts": receive(nest, [read(nest, who, raw, clock, received) for raw in items]),
        }
        if who.revoked:
            body["device"] = "revoked"
        elif who.expired:
            body["device"] = "expired"
        elif asked is not None and position is None:
            body["update"] = nest.settings.min_app
        return answer(body | _rest(nest, who, received, position, asked, _seen(who, envelope, clock, received)))


@blueprint.route("/pull")
class Pull(MethodView):
    """The next page."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(PullSchema, example={"token": None, "limit": 200})
    @blueprint.response(200, PullAnswerSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """What changed in the scopes that one may read, from where the token says one stands."""
        who, nest, at = caller(), current_nest(), now()
        access = access_of(who.reader(), local_date(at))
        if outdated(asked["app"], nest.settings.min_app):
            raise Problem("update_needed", min_app=nest.settings.min_app)
        with connect() as connection:
            step = Step(nest, who, connection, at)
            step.check(asked["epoch"], asked["ack"])
            seen = _seen(who, asked, None, at)
            page = step.page(access, step.position(asked["token"]), _most(nest, asked), seen)
        return answer({"server_time": iso(at), "page": page})


@blueprint.route("/status")
class Status(MethodView):
    """What became of submissions."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(StatusSchema, example={"ids": ["uuid:0b0f6b52-3c1e-4d1f-9c55-6f0f4f5f3a10"]})
    @blueprint.response(200, StatusAnswerSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """The receipts and states of submissions by id; those of others are not told from unknown ones.

        A receipt, and which files are still to come, is told to everybody on the phone that sent it; a state to the
        author, who may still read.
        """
        who = caller()
        query = select(Submission.id, Submission.receipt).where(
            Submission.id.in_(asked["ids"]), Submission.author.in_(who.sender.users)
        )
        found = {row.id: orjson.loads(row.receipt) for row in db.session.execute(query)}
        missing = missing_media(list(found))
        receipts = [found.get(ident, {"id": ident, "outcome": None}) for ident in asked["ids"]]
        known = own_states(asked["ids"], who.user) if who.reads else {}
        states = [known.get(ident, {"id": ident, "state": None}) for ident in asked["ids"]]
        media = [{"id": ident, "missing_media": missing.get(ident, [])} for ident in asked["ids"]]
        return answer({"server_time": iso(now()), "receipts": receipts, "states": states, "media": media})


@blueprint.route("/config")
class Config(MethodView):
    """What a device must know before it syncs."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, ConfigSchema)
    def get(self) -> Response:
        """Limits, forms, scopes, and the hash of it all, which each page carries too."""
        who, nest, at = caller(), current_nest(), now()
        access = access_of(who.reader(), local_date(at))
        with connect() as connection:
            step = Step(nest, who, connection, at)
            reader, _ = step.reader(access)
            return answer(config_of(nest, reader, step.identity.epoch) | {"server_time": iso(at)})


def _envelope(nest: Nest) -> tuple[dict[str, Any], list[RawItem]]:
    body = read_body(nest.limits)
    try:
        envelope, items = split(body)
    except MalformedEnvelope as error:
        raise Problem("bad_json") from error
    if len(items) > nest.limits.max_items:
        raise Problem("too_many_items", limits=told(nest.limits))
    try:
        return EnvelopeSchema().load(envelope), items
    except ValidationError as error:
        raise Problem("bad_envelope", errors=error.messages) from error


def _rest(
    nest: Nest, who: Caller, at: int, position: Position | None, asked: dict[str, Any] | None, seen: Seen | None
) -> dict[str, Any]:
    """The ack and the page. What was pushed is committed: if this fails, the device still gets its receipts."""
    try:
        access = access_of(who.user, local_date(at))
        with connect() as connection:  # another one, which sees what was just stored
            step = Step(nest, who, connection, at)
            rest: dict[str, Any] = {"ack": step.ack()}
            if position is not None and asked is not None:
                rest["page"] = step.page(access, position, _most(nest, asked), seen)
            else:
                step.note(seen)
            return rest
    except Exception as error:
        log.error("no_page", error=type(error).__name__)
        return {}


def _most(nest: Nest, asked: dict[str, Any]) -> int:
    return min(asked["limit"] or PAGE, nest.limits.max_page)


def _seen(who: Caller, envelope: dict[str, Any], clock: DeviceClock | None, at: int) -> Seen | None:
    """What the device told of itself, if it is worth a note."""
    if who.sender.device is None:
        return None
    offset = at - clock.wall if clock is not None else None
    return Seen(who.sender.device, at, envelope["app"] or None, offset, envelope.get("unsent"))


def _clock(stated: dict[str, Any] | None) -> DeviceClock | None:
    if stated is None:
        return None
    return DeviceClock(to_ms(stated["wall"]), stated.get("boot"), stated.get("mono_ms"))
