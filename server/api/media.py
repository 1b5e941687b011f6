"""Photos and other files of submissions: sent with tus, named by their content, read by those who read the answer.

Source: tus resumable upload protocol 1.0.0 (https://tus.io/protocols/resumable-upload), core, creation, checksum.
"""

from io import BufferedReader

from flask import Response, request, url_for
from flask.views import MethodView
from flask_smorest import Blueprint
from marshmallow import Schema, fields, validate
from werkzeug.wsgi import FileWrapper

from server.api.tus import CHECKSUMS, VERSION, checksum_of, offset_of, promise_of, require_tus
from server.auth.access import access_of
from server.auth.tokens import caller
from server.clock import now
from server.media.files import Content
from server.media.types import ENDINGS
from server.media.uploads import Body, Uploads
from server.problems import Problem
from server.reading.media import File, file_of
from server.world import current_nest
from sync.times import local_date

blueprint = Blueprint("media", __name__, url_prefix="/api/v1/media", description="Files that come with submissions")
OCTETS = "application/offset+octet-stream"


class WhichSchema(Schema):
    sub = fields.String(
        required=True,
        validate=validate.Length(min=1, max=200),
        metadata={"description": "a submission that names the file"},
    )


@blueprint.after_request
def _tus(response: Response) -> Response:
    response.headers["Tus-Resumable"] = VERSION
    if response.status_code == 412:
        response.headers["Tus-Version"] = VERSION
    return response


@blueprint.route("")
class Files(MethodView):
    """Files on their way."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(201)
    @blueprint.alt_response(200, description="The file is here already")
    def post(self) -> Response:
        """Promise a file: `Upload-Length`, and in `Upload-Metadata` its `sha256` and the submission `sub`.

        Who may no longer read may still send: his submissions need it.
        """
        require_tus()
        who, nest = caller(), current_nest()
        ident, offset = Uploads(nest, who).begin(promise_of(request.headers))
        response = Response(status=200 if ident is None else 201)
        response.headers["Upload-Offset"] = str(offset)
        if ident is not None:
            response.headers["Location"] = url_for("media.OneUpload", ident=ident)
        return response

    @blueprint.doc(security=[{}])
    @blueprint.response(204)
    def options(self) -> Response:
        """What this server can of tus."""
        return Response(
            status=204,
            headers={
                "Tus-Version": VERSION,
                "Tus-Extension": "creation,checksum",
                "Tus-Max-Size": str(current_nest().limits.max_blob),
                "Tus-Checksum-Algorithm": ",".join(CHECKSUMS),
            },
        )


@blueprint.route("/uploads/<ident>")
class OneUpload(MethodView):
    """One file on its way; its sender alone knows of it."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(200)
    def head(self, ident: str) -> Response:
        """Where it stands."""
        require_tus()
        offset, size = Uploads(current_nest(), caller()).state(ident)
        headers = {"Upload-Offset": str(offset), "Upload-Length": str(size), "Cache-Control": "no-store"}
        return Response(status=200, headers=headers)

    @blueprint.doc(security=[{"token": []}])
    @blueprint.response(204)
    def patch(self, ident: str) -> Response:
        """The next piece, from `Upload-Offset` on. With the last one the file must be what was promised."""
        require_tus()
        if request.mimetype != OCTETS:
            raise Problem("unsupported_media_type")
        at, checksum = offset_of(request.headers), checksum_of(request.headers)
        body = Body(request.stream, request.content_length)
        offset = Uploads(current_nest(), caller()).add(ident, at, body, checksum)
        return Response(status=204, headers={"Upload-Offset": str(offset)})


@blueprint.route("/<sha256>")
class OneFile(MethodView):
    """One file."""

    @blueprint.doc(security=[{"token": []}])
    @blueprint.arguments(WhichSchema, location="query")
    @blueprint.response(200, content_type="application/octet-stream")
    def get(self, asked: dict[str, str], sha256: str) -> Response:
        """As it was sent, whole or in part (`Range`). It is not found by those who may not see it."""
        access = access_of(caller().reader(), local_date(now()))
        found = file_of(current_nest(), access, sha256, asked["sub"])
        if found is None:
            raise Problem("not_found")
        return file_answer(found, sha256)


def file_answer(found: File, sha256: str) -> Response:
    """A file, whole or in part, under a name that names nobody; nothing in it runs."""
    body = FileWrapper(BufferedReader(Content(found.path)))
    response = Response(body, content_type=found.type, direct_passthrough=True)
    response.content_length = found.size
    response.set_etag(sha256)
    response.headers["Content-Disposition"] = f"attachment; filename={sha256[:16]}.{ENDINGS[found.type]}"
    response.headers["Content-Security-Policy"] = "default-src 'none'; sandbox"
    response.make_conditional(request, accept_ranges=True, complete_length=found.size)
    return response
