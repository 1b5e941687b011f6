"""Follow-up visits as a scheduler plans them."""

from datetime import date
from functools import partial
from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.plan_schemas import (
    AddSchema,
    AreaQuery,
    ArrangedSchema,
    LoadsSchema,
    PlanQuery,
    PlanSchema,
    ReasonSchema,
    ReassignSchema,
    SnoozeSchema,
    SummaryQuery,
    SummarySchema,
)
from server.api.sync import answer
from server.auth.access import Access, access_of
from server.auth.tokens import caller
from server.clock import now
from server.problems import Problem
from server.reading.plan import due_visits, load, summary, week_of
from server.reminders.arrange import Wish, add, arrange
from server.store.reads import areas_of
from server.store.tables import VisitTable, db
from server.world import current_nest
from sync.times import local_date
from sync.visits.arrangements import Arranging
from sync.visits.lists import ListKind, Period, period_of

blueprint = Blueprint("visits", __name__, url_prefix="/api/v1/visits", description="The plan of follow-up visits")
LONGEST = 400  # days of a summary


@blueprint.route("")
class Visits(MethodView):
    """The visits of one's areas."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(PlanQuery, location="query")
    @blueprint.response(200, PlanSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """The open visits that are due by the end of a week, overdue ones first; by hamlet or collaborator, too."""
        access = _access()
        areas = access.planning(asked.get("area"))
        asked |= {"period": _week(asked, access.today)}
        return answer(due_visits(current_nest(), access, areas, asked))

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(AddSchema)
    @blueprint.response(200, ArrangedSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """Add a visit by hand to a child or household, for a collaborator or for whoever has charge of the place."""
        access, nest = _access(), current_nest()
        access.planning(None)
        area = areas_of(db.session.connection(), [body["subject"]]).get(body["subject"])
        if area is None:
            raise Problem("not_found")
        body |= {"reason": body["reason"].strip()}
        return answer({"id": nest.committer.run(partial(add, nest, access, area, body, now()))})


@blueprint.route("/load")
class Load(MethodView):
    """Who can do how much."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(AreaQuery, location="query")
    @blueprint.response(200, LoadsSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """The lines of each collaborator of an area in a week against what he can do."""
        access = _access()
        areas = access.planning(asked.get("area"))
        if len(areas) > 1:
            raise Problem("invalid", errors={"area": ["needed: you plan several"]})
        (area,), period = areas, _week(asked, access.today)
        people = load(current_nest(), area, period, access.today)
        days = {"begins": period.begins.isoformat(), "ends": period.ends.isoformat()}
        return answer({"area": area, **days, "collaborators": people})


@blueprint.route("/summary")
class Summary(MethodView):
    """What came of the visits."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(SummaryQuery, location="query")
    @blueprint.response(200, SummarySchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """Of the visits due from one day to another how many were made in time, late, or missed."""
        access = _access()
        areas, begins, ends = access.planning(asked.get("area")), asked["begins"], asked["ends"]
        if not 0 <= (ends - begins).days <= LONGEST:
            raise Problem("invalid", errors={"to": [f"not within {LONGEST} days after `from`"]})
        return answer(summary(current_nest(), access, areas, begins, ends, now()))


@blueprint.route("/<ident>/reassign")
class Reassign(MethodView):
    """A visit for somebody else."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReassignSchema)
    @blueprint.response(200, ArrangedSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Give a visit to a person who has charge of the place. It leaves the lists of the others."""
        return _arrange(ident, Wish(Arranging.REASSIGN, body["reason"].strip(), to=body["to"]))


@blueprint.route("/<ident>/snooze")
class Snooze(MethodView):
    """A visit put off."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(SnoozeSchema)
    @blueprint.response(200, ArrangedSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Keep a visit off the lists until a day. Its due date stays; a statutory one not past its deadline."""
        return _arrange(ident, Wish(Arranging.SNOOZE, body["reason"].strip(), until=body["until"]))


@blueprint.route("/<ident>/cancel")
class Cancel(MethodView):
    """A visit that nobody need make."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReasonSchema)
    @blueprint.response(200, ArrangedSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Cancel a visit. The next one that its rule asks for comes all the same; a statutory one cannot be."""
        return _arrange(ident, Wish(Arranging.CANCEL, body["reason"].strip()))


@blueprint.route("/<ident>/resume")
class Resume(MethodView):
    """A visit that was cancelled or put off."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReasonSchema)
    @blueprint.response(200, ArrangedSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Take back that a visit was cancelled or put off."""
        return _arrange(ident, Wish(Arranging.RESUME, body["reason"].strip()))


def _arrange(ident: str, wish: Wish) -> Response:
    access, nest = _access(), current_nest()
    access.planning(None)
    row = db.session.get(VisitTable, ident)
    if row is None:
        raise Problem("not_found")
    nest.committer.run(partial(arrange, nest, access, row.area, ident, wish, now()))
    return answer({"id": ident})


def _access() -> Access:
    return access_of(caller().reader(), local_date(now()))


def _week(asked: dict[str, Any], today: date) -> Period:
    try:
        return period_of(ListKind.WEEKLY, week_of(asked["week"]) if "week" in asked else today)
    except ValueError as error:
        raise Problem("invalid", errors={"week": ["no such week"]}) from error
