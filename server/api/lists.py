"""Issued reminder lists, as JSON."""

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.schemas import ListSchema
from server.api.sync import answer
from server.auth.access import access_of
from server.auth.tokens import caller
from server.clock import now
from server.problems import Problem
from server.reminders.issue import issued_list, list_body
from sync.times import local_date

blueprint = Blueprint("lists", __name__, url_prefix="/api/v1/lists", description="Issued reminder lists")


@blueprint.route("/<number>")
class ListView(MethodView):
    """One issued list in its newest revision."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, ListSchema)
    def get(self, number: str) -> Response:
        """The collaborator's own list; a supervisor or scheduler reads those of his areas."""
        access = access_of(caller().reader(), local_date(now()))
        issued = issued_list(number)
        if issued is None or not access.list(issued):
            raise Problem("not_found")
        return answer(list_body(issued))
