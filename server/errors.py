"""The one place where errors become answers."""

from typing import Any

import structlog
from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException

from server.api.body import told
from server.console.desk import PATH, refusal
from server.problems import Problem
from server.world import current_nest

log = structlog.get_logger()

_CODES = {
    400: "bad_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    415: "unsupported_media_type",
    416: "bad_range",
    422: "invalid",
}


def register_errors(app: Flask) -> None:
    """Answer every refusal and every failure as a problem document, without internals."""
    app.register_error_handler(Problem, _refused)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(Exception, _unforeseen)


def _refused(problem: Problem) -> Response:
    """As a document; who looks at pages gets one."""
    return refusal(problem) if request.path.startswith(PATH) else problem.response()


def _http(error: HTTPException) -> Response:
    if error.code is None or error.code < 400:
        return Response(error.get_response().get_data(), status=error.code or 200)
    code = _CODES.get(error.code, "internal" if error.code >= 500 else "bad_request")
    messages = getattr(error, "data", {}).get("messages") if isinstance(getattr(error, "data", None), dict) else None
    extra: dict[str, Any] = {"errors": messages} if messages else {}
    if code == "too_large":
        extra["limits"] = told(current_nest().limits)
    return _refused(Problem(code, **extra))


def _unforeseen(error: Exception) -> Response:
    log.error("unforeseen", error=type(error).__name__, at=place_of(error))
    return _refused(Problem("internal"))


def place_of(error: Exception) -> list[str]:
    """Where an error arose: its message may hold what somebody typed; its type and place are enough to find it."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        frames.append(f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}")
        trace = trace.tb_next
    return frames[-3:]
