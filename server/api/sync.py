"""What devices call: push a batch, ask what became of it, learn the limits."""

import hashlib
from typing import Any

import orjson
import structlog
from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import ValidationError
from sqlalchemy import select

from server.api.body import read_body, told
from server.api.schemas import ConfigSchema, EnvelopeSchema, PushAnswerSchema, StatusAnswerSchema, StatusSchema
from server.auth.tokens import Caller, caller
from server.clock import now
from server.problems import Problem
from server.reading.submissions import own_states
from server.store.tables import Submission, db
from server.world import Nest, current_nest
from sync.arrival import Arrival
from sync.batch import DeviceClock
from sync.envelope import MalformedEnvelope, RawItem, split
from sync.receive import Unsettled
from sync.times import DAY, iso, to_ms

log = structlog.get_logger()
blueprint = Blueprint("sync", __name__, url_prefix="/api/v1/sync", description="Devices and the server in step")


def answer(body: Any) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), content_type="application/json")


@blueprint.route("")
class Push(MethodView):
    """A batch of submissions."""

    @blueprint.doc(
        requestBody={"required": True, "content": {"application/json": {"schema": EnvelopeSchema}}},
        security=[{"token": []}],
    )
    @blueprint.response(200, PushAnswerSchema)
    def post(self) -> Response:
        """Push a batch; a receipt for each item, in order. Only a receipt lets a device delete."""
        who, nest, received = caller(), current_nest(), now()
        envelope, items = _envelope(nest)
        clock = _clock(envelope.get("clock"))
        arrivals = [_read(nest, who, raw, clock, received) for raw in items]
        try:
            receipts = nest.committer.receive(arrivals)
        except Unsettled as error:
            raise Problem("busy") from error
        body: dict[str, Any] = {
            "server_time": iso(received),
            "keep_until": iso(received + nest.settings.keep_days * DAY),
            "receipts": receipts,
        }
        if who.revoked:
            body["device"] = "revoked"
        return answer(body)


@blueprint.route("/status")
class Status(MethodView):
    """What became of submissions."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(StatusSchema)
    @blueprint.response(200, StatusAnswerSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """The receipts and states of submissions by id; those of others are not told from unknown ones.

        A receipt is told to everybody on the phone that sent it; a state to the author, who may still read.
        """
        who = caller()
        query = select(Submission.id, Submission.receipt).where(
            Submission.id.in_(asked["ids"]), Submission.author.in_(who.sender.users)
        )
        found = {row.id: orjson.loads(row.receipt) for row in db.session.execute(query)}
        receipts = [found.get(ident, {"id": ident, "outcome": None}) for ident in asked["ids"]]
        known = {} if who.revoked else own_states(asked["ids"], who.user)
        states = [known.get(ident, {"id": ident, "state": None}) for ident in asked["ids"]]
        return answer({"server_time": iso(now()), "receipts": receipts, "states": states})


@blueprint.route("/config")
class Config(MethodView):
    """What a device must know before it syncs."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, ConfigSchema)
    def get(self) -> Response:
        """Limits, forms and the hash of both."""
        caller()
        nest = current_nest()
        forms = [{"id": f.id, "version": f.version, "sha256": f.sha256} for f in nest.catalogue.current()]
        body: dict[str, Any] = {"limits": told(nest.limits), "forms": forms}
        digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
        return answer(body | {"server_time": iso(now()), "config": digest})


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


def _clock(stated: dict[str, Any] | None) -> DeviceClock | None:
    if stated is None:
        return None
    return DeviceClock(to_ms(stated["wall"]), stated.get("boot"), stated.get("mono_ms"))


def _read(nest: Nest, who: Caller, raw: RawItem, clock: DeviceClock | None, received: int) -> Arrival:
    try:
        arrival = nest.reader.read(raw, who.sender, clock, received)
    except Exception as error:  # a fault of ours must not cost the phone its submission
        log.error("unread", error=type(error).__name__)
        arrival = nest.reader.unread(raw, who.sender, clock, received)
    return arrival.revoked() if who.revoked else arrival
