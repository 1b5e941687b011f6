"""Submissions on the supervisor's desk: review, quarantine and the ways out of it."""

from typing import Any

from flask import Response
from flask.views import MethodView
from flask_smorest import Blueprint

from server.api.desk_schemas import (
    ActSchema,
    DoneSchema,
    ListQuery,
    ManyDoneSchema,
    ManySchema,
    ReasonedSchema,
    RejectSchema,
    RepairSchema,
    ReturnSchema,
    SubmissionSchema,
    SubmissionsSchema,
)
from server.api.sync import answer
from server.auth.access import Access, access_of
from server.auth.tokens import caller
from server.clock import now
from server.desk import carry_out, carry_out_one, order_of
from server.problems import Problem
from server.reading.submissions import submission_list, submission_page
from server.world import current_nest
from sync.state.model import Act
from sync.times import local_date

blueprint = Blueprint("submissions", __name__, url_prefix="/api/v1/submissions", description="Review and quarantine")


@blueprint.route("")
class Submissions(MethodView):
    """Submissions of the areas in one's charge."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ListQuery, location="query")
    @blueprint.response(200, SubmissionsSchema)
    def get(self, asked: dict[str, Any]) -> Response:
        """By state, the oldest first. `cause` is the same where one act can deal with several."""
        areas = _access().desk(asked.get("area"))
        return answer(submission_list(areas, asked.get("state"), asked.get("after"), asked["limit"]))


@blueprint.route("/acts")
class Many(MethodView):
    """One act on many submissions."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ManySchema)
    @blueprint.response(200, ManyDoneSchema)
    def post(self, body: dict[str, Any]) -> Response:
        """Each is carried out by itself: one that is refused says why, and does not hold up the others."""
        _access().desk(None)
        user, act = caller().reader(), Act(body["act"])
        rest = {name: value for name, value in body.items() if name not in ("act", "ids")}
        return answer({"results": [carry_out_one(act, user, ident, rest) for ident in dict.fromkeys(body["ids"])]})


@blueprint.route("/<path:ident>")
class OneSubmission(MethodView):
    """One submission."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200, SubmissionSchema)
    def get(self, ident: str) -> Response:
        """What was filled in, what it changed (before, after, now), why it is held, and what was built upon it."""
        page = submission_page(current_nest(), _access(), ident)
        if page is None:
            raise Problem("not_found")
        return answer(page)


def _act(act: Act, body: dict[str, Any], ident: str) -> Response:
    return answer(carry_out(order_of(act, caller().reader(), now(), body, target=ident)))


@blueprint.route("/<path:ident>/approve")
class Approve(MethodView):
    """Approval."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ActSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Read and in order. What is received counts before it is approved."""
        return _act(Act.APPROVE, body, ident)


@blueprint.route("/<path:ident>/return")
class Return(MethodView):
    """Back to its author."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReturnSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """With a comment, on a question if one is named; the author's amendment comes back linked."""
        return _act(Act.RETURN, body, ident)


@blueprint.route("/<path:ident>/reject")
class Reject(MethodView):
    """Rejection."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(RejectSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Withdraw its writes, reversibly; a held submission is set aside."""
        return _act(Act.REJECT, body, ident)


@blueprint.route("/<path:ident>/unreject")
class Unreject(MethodView):
    """A rejection taken back."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReasonedSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """What was withdrawn stands again; what was set aside waits again."""
        return _act(Act.UNREJECT, body, ident)


@blueprint.route("/<path:ident>/accept")
class Accept(MethodView):
    """Out of quarantine, as it is."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(ReasonedSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Take a held submission in; of wrong answers what could be read."""
        return _act(Act.ACCEPT, body, ident)


@blueprint.route("/<path:ident>/repair")
class Repair(MethodView):
    """Out of quarantine, or right, with a patch."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(RepairSchema)
    @blueprint.response(200, DoneSchema)
    def post(self, body: dict[str, Any], ident: str) -> Response:
        """Read other answers in place of some; the bytes stay, and the effect stays the author's."""
        return _act(Act.REPAIR, body, ident)


def _access() -> Access:
    return access_of(caller().reader(), local_date(now()))
