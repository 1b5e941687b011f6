"""Reminder lists: previewed, issued, issued again, read as JSON and as a sheet to print."""

from functools import partial
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.plan_schemas import (
    DraftsSchema,
    ListHeadsSchema,
    ListsQuery,
    NumbersSchema,
    ReissueSchema,
    RevisionQuery,
    RevisionSchema,
    WhichListsSchema,
)
from server.api.schemas import ListSchema
from server.api.sync import answer
from server.auth.access import Access, access_of
from server.auth.tokens import caller
from server.clock import now
from server.problems import Problem
from server.reading.lists import issued_list, list_body, list_heads
from server.reading.plan import preview
from server.reminders.issue import NotIssued, issue, reissue
from server.reminders.workbook import file_name, workbook
from server.sheets import TYPE
from server.store.tables import ReminderList
from server.world import current_nest
from sync.times import local_date
from sync.visits.lists import ListKind, period_of

blueprint = Blueprint("lists", __name__, url_prefix="/api/v1/lists", description="Reminder lists")

EXAMPLE = {"area": "2025.31135", "kind": "weekly", "day": "2026-11-30"}


@blueprint.route("")
class Lists(MethodView):
    """The lists of one's areas."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ListsQuery, location="query")
    @blueprint.response(200, ListHeadsSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """Those that were issued, the latest period first."""
        areas = _access().planning(asked.get("area"))
        return answer({"lists": list_heads(areas, asked)})

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(WhichListsSchema, example=EXAMPLE)
    @blueprint.response(200, NumbersSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """Issue the lists of a day or week. Those that exist are not issued again: their numbers come back."""
        user, nest = caller().reader(), current_nest()
        _access().planning(body["area"])
        people = [body["collaborator"]] if body["collaborator"] else None
        kind = ListKind(body["kind"])
        numbers = nest.committer.run(partial(issue, nest, body["area"], kind, body["day"], now(), user, people))
        return answer({"numbers": numbers})


@blueprint.route("/preview")
class Preview(MethodView):
    """Lists that are not issued."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(WhichListsSchema, example=EXAMPLE)
    @blueprint.response(200, DraftsSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """The lists as they would be issued now; nothing is stored."""
        access = _access()
        access.planning(body["area"])
        period, person = period_of(ListKind(body["kind"]), body["day"]), body["collaborator"]
        return answer({"lists": preview(current_nest(), body["area"], period, person, access.today)})


@blueprint.route("/<number>")
class ListView(MethodView):
    """One issued list."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(RevisionQuery, location="query")
    @blueprint.response(200, ListSchema)
    def get(self, asked: dict[str, Any], number: str) -> Response:
        """The collaborator's own list; a supervisor or scheduler reads those of his areas. The newest revision,
        or the one asked for."""
        return answer(list_body(_readable(number, asked["revision"]), now()))


@blueprint.route("/<number>/xlsx")
class Sheet(MethodView):
    """One issued list, to be printed."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(RevisionQuery, location="query")
    @blueprint.response(200, content_type=TYPE)
    def get(self, asked: dict[str, Any], number: str) -> Response:
        """The list as a sheet for A4, with columns to write on. The name of the file names nobody."""
        body = list_body(_readable(number, asked["revision"]), now())
        response = Response(workbook(body), content_type=TYPE)
        response.headers["Content-Disposition"] = f"attachment; filename={file_name(body)}"
        return response


@blueprint.route("/<number>/reissue")
class Reissue(MethodView):
    """A list issued again."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReissueSchema)
    @blueprint.response(200, RevisionSchema)
    def post(self, body: dict[str, Any], number: str) -> Response:
        """Issue a list again as it would be now. The earlier revisions stay as they were."""
        issued, user, nest = _readable(number), caller().reader(), current_nest()
        _access().planning(issued.area)
        again = partial(reissue, nest, issued.area, number, body["revision"], body["reason"].strip(), now(), user)
        try:
            revision = nest.committer.run(again)
        except NotIssued as refused:
            raise _refusal(str(refused), number) from refused
        return answer({"number": number, "revision": revision})


def _refusal(why: str, number: str) -> Problem:
    if why == "stale":
        newest = _readable(number)
        return Problem("list_changed", revision=newest.revision)
    return Problem("list_over", why)


def _access() -> Access:
    return access_of(caller().reader(), local_date(now()))


def _readable(number: str, revision: int | None = None) -> ReminderList:
    issued = issued_list(number, revision)
    if issued is None or not _access().list(issued):
        raise Problem("not_found")
    return issued
