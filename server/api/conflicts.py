"""Conflicts: what only a supervisor may decide, and his decision."""

from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.desk_schemas import DoneSchema, DoubtSchema, DoubtsSchema, ListQuery, ResolveSchema
from server.api.sync import answer
from server.auth.access import Access, access_of
from server.auth.tokens import caller
from server.clock import now
from server.desk import carry_out, order_of
from server.problems import Problem
from server.reading.conflicts import conflict_list, conflict_page, conflict_row
from server.store.tables import ConflictTable
from server.world import current_nest
from sync.state.model import Act
from sync.times import local_date

blueprint = Blueprint("conflicts", __name__, url_prefix="/api/v1/conflicts", description="What a person must decide")


@blueprint.route("")
class Conflicts(MethodView):
    """Conflicts of the areas in one's charge."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ListQuery, location="query")
    @blueprint.response(200, DoubtsSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """The open conflicts, the longest open first; with `closed` those that were decided."""
        areas = _access().desk(asked.get("area"))
        return answer({"conflicts": conflict_list(areas, asked["closed"])})


@blueprint.route("/<ident>")
class OneConflict(MethodView):
    """One conflict."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, DoubtSchema)
    def get(self, ident: str) -> Response:
        """The base, all values, who had seen what, doubts about clocks, and the value that shows meanwhile."""
        return answer(conflict_page(current_nest(), _readable(_access(), ident)))


@blueprint.route("/<ident>/resolve")
class Resolve(MethodView):
    """A ruling."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ResolveSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Decide a conflict on its members as they were seen; 409 with the new ones if they have changed."""
        row = _readable(_access(), ident)
        values = {"values": body["value"]} if body.get("value") is not None else {}
        order = order_of(Act.RESOLVE, caller().reader(), now(), body | values, conflict=ident, entity=row.entity)
        return answer(carry_out(order, [row.entity]))


def _access() -> Access:
    return access_of(caller().reader(), local_date(now()))


def _readable(access: Access, ident: str) -> ConflictTable:
    row = conflict_row(ident)
    if row is None or not (access.supervises(row.area) or (row.also and access.supervises(row.also))):
        raise Problem("not_found")
    return row
