"""Visits that were not made, and who was to hear of it."""

from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate

from server.api.schemas import Loose
from server.api.sync import answer
from server.auth.access import access_of
from server.auth.tokens import caller
from server.clock import now
from server.reading.escalations import escalation_list
from server.world import current_nest
from sync.times import local_date

blueprint = Blueprint(
    "escalations", __name__, url_prefix="/api/v1/escalations", description="Visits that were not made"
)


class EscalationQuery(Loose):
    area = fields.String(validate=validate.Length(max=40))
    closed = fields.Boolean(load_default=False)
    after = fields.String(
        validate=validate.Length(max=100), metadata={"description": "the last `id` of the page before"}
    )
    limit = fields.Integer(load_default=100, validate=validate.Range(1, 200))


class EscalationSchema(Schema):
    id = fields.String()
    step = fields.String(metadata={"description": "`hours-4` after the start, `late_days-2`, `failed_attempts-3`"})
    told = fields.String(metadata={"description": "supervisor, chairman or city"})
    at = fields.String(metadata={"description": "when the step was reached"})
    noted_at = fields.String(metadata={"description": "when that was found; much later if the server was down"})
    state = fields.String(
        metadata={"description": "open; answered; in_time: made before and sent after it; withdrawn: not needed"}
    )
    area = fields.String()
    scope = fields.String()
    visit = fields.Dict(
        metadata={"description": "the rule with its version, the dates, what caused it, the calendar"}
    )


class EscalationsSchema(Schema):
    escalations = fields.List(fields.Nested(EscalationSchema))
    more = fields.Boolean()


@blueprint.route("")
class Escalations(MethodView):
    """Escalations of one's areas."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(EscalationQuery, location="query")
    @blueprint.response(200, EscalationsSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """Of visits that are open still, the oldest step first; with `closed` of those that have ended.

        For supervisors and schedulers; what follows from protected data is for supervisors alone.
        """
        access = access_of(caller().reader(), local_date(now()))
        areas = access.planning(asked.get("area"))
        page = escalation_list(current_nest(), access, areas, asked["closed"], asked.get("after"), asked["limit"])
        return answer(page)
