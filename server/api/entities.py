"""One entity as it is now: its data, whose word each cell is, what is in doubt, whom to visit."""

from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.desk_schemas import CorrectSchema, DoneSchema, HistorySchema, LifeSchema
from server.api.schemas import EntitySchema, FoundSchema, SearchSchema
from server.api.sync import answer
from server.auth.access import access_of
from server.auth.tokens import caller
from server.clock import now
from server.desk import carry_out, order_of
from server.problems import Problem
from server.reading.entities import entity_history, entity_page
from server.reading.names import found
from server.store.tables import Entity, db
from sync.state.model import Act
from sync.times import local_date

blueprint = Blueprint("entities", __name__, url_prefix="/api/v1/entities", description="Households and children")


@blueprint.route("/search")
class Search(MethodView):
    """Households and children by name."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(SearchSchema)
    @blueprint.response(200, FoundSchema)
    def post(self, asked: dict[str, Any]) -> Response:
        """Of those that one reads, sorted by given name. A name is posted, as an address is written into logs."""
        access = access_of(caller().reader(), local_date(now()))
        page = found(access, asked.get("area"), asked.get("type"), asked["q"], asked.get("after"), asked["limit"])
        return answer(page)


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


@blueprint.route("/<kind>/<ident>/history")
class History(MethodView):
    """Every write on every cell."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, HistorySchema)
    def get(self, kind: str, ident: str) -> Response:
        """Who said what when, having seen what, and whether it shows, stands, was replaced or withdrawn."""
        access = access_of(caller().reader(), local_date(now()))
        page = entity_history(kind, ident)
        if page is None or not access.scope(page.area, page.scope):
            raise Problem("not_found")
        return answer(page.body)


def _act(act: Act, body: dict[str, Any], kind: str, ident: str) -> Response:
    row = db.session.get(Entity, ident)
    if row is None or row.type != kind:
        raise Problem("not_found")
    return answer(carry_out(order_of(act, caller().reader(), now(), body, entity=ident), [ident]))


@blueprint.route("/<kind>/<ident>/correct")
class Correct(MethodView):
    """A supervisor's correction."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(CorrectSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], kind: str, ident: str) -> Response:
        """Set values of an entity, on the state that was seen (`base`)."""
        return _act(Act.CORRECT, body, kind, ident)


@blueprint.route("/<kind>/<ident>/delete")
class Delete(MethodView):
    """A supervisor's deletion."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(LifeSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], kind: str, ident: str) -> Response:
        """Delete an entity as far as it was seen: any edit that was not keeps it alive, as a conflict."""
        return _act(Act.DELETE, body, kind, ident)


@blueprint.route("/<kind>/<ident>/restore")
class Restore(MethodView):
    """A deletion taken back."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(LifeSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], kind: str, ident: str) -> Response:
        """Bring a deleted entity back, or refuse a collaborator's request to delete it."""
        return _act(Act.RESTORE, body, kind, ident)
