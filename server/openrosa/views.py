"""`/odk/<token>/…`: everything that ODK Collect asks of a server, for the user and phone of the token.

A phone that may not read any longer gets no list (403); what it still sends is kept (201), as from any other client.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import structlog
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from forms.instance import UnreadableInstance
from server.clock import now
from server.openrosa.answers import FULL, failed, refused, refused_by_http, told
from server.openrosa.attachments import attach
from server.openrosa.document import VERSION, Document
from server.openrosa.door import Visitor, known
from server.openrosa.files import hamlets, visits, wards
from server.openrosa.forms import FILES, document_of, form_list, integrity, lists_of, manifest, offered
from server.openrosa.holding import note_list, note_seen
from server.openrosa.lists import deleted
from server.openrosa.multipart import Bounds, Parts, read_parts
from server.openrosa.submission import clock_of, item_of
from server.problems import Problem
from server.receiving import read, receive
from server.store.base import connect
from server.world import Nest, current_nest

log = structlog.get_logger()
blueprint = Blueprint("openrosa", __name__, url_prefix="/odk/<token>")
blueprint.register_error_handler(Problem, refused)
blueprint.register_error_handler(HTTPException, refused_by_http)
blueprint.register_error_handler(Exception, failed)
MOST_IDS = 1_000  # in one question about deletions
BODIES = 4  # times the largest file: how much one request may bring


@blueprint.url_value_preprocessor
def _take_token(endpoint: str | None, values: dict[str, Any] | None) -> None:
    g.odk_token = (values or {}).pop("token", "")


@blueprint.before_request
def _who() -> None:
    if request.headers.get("X-OpenRosa-Version") != "1.0":
        raise Problem("bad_request", "Thiếu X-OpenRosa-Version: 1.0.")
    g.odk_caller = known(g.odk_token)


@blueprint.get("/formList")
def forms() -> Response:
    """The forms of this user; with `formID` that one alone."""
    with _visitor() as visitor:
        note_seen(visitor.nest, visitor.who, clock_of(request.headers.get("Date"), visitor.at), visitor.at)
        asked = request.args.get("formID")
        found = [form for form in offered(visitor.nest, visitor.officer) if asked in (None, form.id)]
        return form_list(found, visitor.nest, visitor.base).response()


@blueprint.get("/forms/<ident>/<version>/form.xml")
def form(ident: str, version: str) -> Response:
    """A form as it was published; also one that is offered no longer, as a phone may still hold drafts of it."""
    with _visitor() as visitor:
        entry = visitor.nest.catalogue.find(ident, version)
        if entry is None or (entry.form.officers and not visitor.officer):
            raise Problem("not_found")
        return document_of(entry.form).response()


@blueprint.get("/forms/<ident>/<version>/manifest")
def lists(ident: str, version: str) -> Response:
    """The lists that a form needs."""
    with _visitor() as visitor:
        entry = visitor.nest.catalogue.find(ident, version)
        if entry is None or (entry.form.officers and not visitor.officer):
            raise Problem("not_found")
        names = lists_of(visitor.nest, entry.form)
        return manifest(names, {name: _document(visitor, name) for name in names}, visitor.base).response()


@blueprint.get("/lists/<name>.csv")
def one_list(name: str) -> Response:
    """One list. Which entities a phone is given by it is noted before it leaves."""
    with _visitor() as visitor:
        if name not in _needed(visitor):
            raise Problem("not_found")
        if name in FILES:
            return _document(visitor, name).response()
        found = visitor.nest.lists.entities(visitor.connection, name, visitor.marks, visitor.officer)
        response = found.document.response()
        if response.status_code == 200:
            note_list(visitor.nest, visitor.who, name, visitor.marks, found.names, visitor.at)
        return response


@blueprint.get("/lists/<name>/integrity")
def gone(name: str) -> Response:
    """Which of the entities that a phone has made itself it must drop."""
    with _visitor() as visitor:
        if name not in _needed(visitor) or name in FILES:
            raise Problem("not_found")
        asked = dict.fromkeys(one for one in request.args.get("id", "").split(",") if one)
        if len(asked) > MOST_IDS:
            raise Problem("too_large")
        return integrity(deleted(visitor.connection, list(asked), visitor.marks.scopes)).response()


@blueprint.route("/submission", methods=["HEAD", "POST"])
def submission() -> Response:
    """HEAD: how much may come at once. POST: one submission, with the files that fit."""
    nest = current_nest()
    if request.method == "HEAD":
        return Response(status=204, headers=VERSION | {"X-OpenRosa-Accept-Content-Length": str(nest.limits.max_blob)})
    boundary = request.mimetype_params.get("boundary", "")
    if request.mimetype != "multipart/form-data" or not boundary:
        raise Problem("bad_request", "Phiếu phải gửi bằng multipart/form-data.")
    limits = nest.limits
    bounds = Bounds(limits.max_inflated, limits.max_blob, BODIES * limits.max_blob)
    request.max_content_length = None  # what is too large is passed over there
    with ExitStack() as holding:
        return _received(nest, read_parts(request.stream, boundary, bounds, nest.media, holding))


def _received(nest: Nest, parts: Parts) -> Response:
    """Keep what came, also of a body that did not come whole: only then is it asked for again."""
    if parts.xml is None:
        raise Problem("too_large" if parts.oversize else "bad_request", _NO_XML if not parts.oversize else None)
    who, received = g.odk_caller, now()
    clock = clock_of(request.headers.get("Date"), received)
    try:
        item = item_of(parts.xml, clock, received)
    except UnreadableInstance as error:
        raise Problem("bad_request", str(error.args[0])) from error
    arrival = read(nest, who, item, clock, received, "openrosa")
    (receipt,) = receive(nest, [arrival])
    refusals = attach(nest, who, arrival, receipt.get("kept_as", receipt["id"]), parts.files) if parts.files else []
    note_seen(nest, who, clock, received)
    if not parts.whole:
        raise Problem("too_large" if parts.oversize else "bad_request", _CUT)
    return told(_sentence(receipt, refusals), 201)


_NO_XML = "Không có phần xml_submission_file, hoặc dữ liệu bị cụt."
_CUT = "Phiếu đã được lưu; các tệp đi kèm chưa đến đủ hoặc quá lớn."


def _sentence(receipt: dict[str, Any], refusals: list[str]) -> str:
    """What the phone shows. Whatever is not simply in order a person should read."""
    said = [f"Đã nhận và lưu phiếu, cán bộ sẽ xem: {_why(receipt)}"] if receipt["outcome"] == "quarantined" else []
    said += [f"Đã lưu phiếu. {refusal}" for refusal in refusals]
    return " ".join(said) or FULL


def _why(receipt: dict[str, Any]) -> str:
    return next((problem["detail"] for problem in receipt["problems"]), receipt.get("reason", ""))


@contextmanager
def _visitor() -> Iterator[Visitor]:
    """Who asks, and may read. Raises the problems `device_revoked` and `token_expired`."""
    who = g.odk_caller
    who.reader()
    with connect() as connection:
        yield Visitor(who, g.odk_token, connection, now())


def _needed(visitor: Visitor) -> set[str]:
    """The lists of the forms that this user is offered: there is no other for him."""
    nest = visitor.nest
    return {name for form in offered(nest, visitor.officer) for name in lists_of(nest, form)}


def _document(visitor: Visitor, name: str) -> Document:
    nest = visitor.nest
    if name == "wards":
        return wards(nest, visitor.access)
    if name == "hamlets":
        return hamlets(nest)
    if name == "visits":
        return visits(nest, visitor.connection, visitor.access)
    return nest.lists.entities(visitor.connection, name, visitor.marks, visitor.officer).document
