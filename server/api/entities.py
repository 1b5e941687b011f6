"""One entity as it is now: its data, whose word each cell is, what is in doubt, whom to visit."""

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.schemas import EntitySchema
from server.api.sync import answer
from server.auth.access import access_of
from server.auth.tokens import caller
from server.clock import now
from server.problems import Problem
from server.reading.entities import entity_page
from sync.times import local_date

blueprint = Blueprint("entities", __name__, url_prefix="/api/v1/entities", description="Households and children")


@blueprint.route("/<kind>/<ident>")
class EntityView(MethodView):
    """One household or child."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, EntitySchema)
    def get(self, kind: str, ident: str) -> Response:
        """State, provenance of each cell, open conflicts, visits. What lies outside one's scopes is not found."""
        access = access_of(caller().reader(), local_date(now()))
        page = entity_page(kind, ident)
        if page is None or not access.scope(page.area, page.scope):
            raise Problem("not_found")
        return answer(page.body)
