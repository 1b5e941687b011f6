"""What a person at the phone reads of a submission, or of a refusal.

Source: OpenRosa Form Submission API 1.0, as ODK Collect reads it: a success is 201 or 202 and nothing else; of other
answers it shows the message.
"""

from xml.sax.saxutils import escape

import structlog
from flask import Response
from werkzeug.exceptions import HTTPException

from server.errors import place_of
from server.openrosa.document import VERSION, XML
from server.problems import CATALOGUE, Problem

log = structlog.get_logger()
FULL = "full submission upload was successful!"  # at which Collect says "Success"; any other text it shows


def told(message: str, status: int) -> Response:
    """What a person at the phone reads of a request."""
    body = (
        '<OpenRosaResponse xmlns="http://openrosa.org/http/response" items="0">'
        f'<message nature="">{escape(message)}</message></OpenRosaResponse>'
    )
    return Response(body, status=status, content_type=XML, headers=VERSION)


def refused(problem: Problem) -> Response:
    """A refusal in words; whether the phone is to try again its status and `Retry-After` say."""
    kind = CATALOGUE[problem.code]
    response = told(problem.detail or kind.title, kind.status)
    if kind.status == 503 or "retry_after" in problem.extra:
        response.headers["Retry-After"] = str(problem.extra.get("retry_after", 5))
    return response


def refused_by_http(error: HTTPException) -> Response:
    """The same of what the framework refuses."""
    return told(CATALOGUE["bad_request"].title, error.code or 400)


def failed(error: Exception) -> Response:
    """A fault of ours, without what may be in its message."""
    log.error("unforeseen", error=type(error).__name__, at=place_of(error))
    return told(CATALOGUE["internal"].title, 500)
