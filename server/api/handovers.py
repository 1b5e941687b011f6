"""Hand-overs of hamlets, for a supervisor of the area or an administrator."""

from datetime import timedelta
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.body import answer, small_body
from server.api.people_schemas import EXAMPLES, HandedSchema, HandoverSchema
from server.auth.access import access_of
from server.auth.handover import Handover, hand_over
from server.auth.tokens import caller
from server.clock import now
from sync.times import local_date

blueprint = Blueprint("handovers", __name__, url_prefix="/api/v1", description="Who looks after which hamlet")
blueprint.before_request(small_body)


@blueprint.route("/handovers")
class Handovers(MethodView):
    """A hamlet goes from one collaborator to another."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(HandoverSchema, example=EXAMPLES["handover"])
    @blueprint.response(200, HandedSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """The day before is the last of the old one. What he filled in by then is applied whenever it is sent."""
        at = now()
        access, wish = access_of(caller().reader(), local_date(at)), Handover(**asked)
        access.phones()
        moved = hand_over(access, wish, at)
        told = {"last_day": (wish.day - timedelta(days=1)).isoformat(), "first_day": wish.day.isoformat()}
        return answer(told | {"visits": moved})
