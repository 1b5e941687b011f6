"""Structured logs: one JSON line an event, on stderr. They hold ids and codes, never a name or an answer."""

import logging
import re
import sys

import structlog

_DOOR = re.compile(r"(/odk/)[^/\s?\"']+")
_WEB_SERVERS = ("gunicorn.access", "gunicorn.error", "werkzeug")  # they write addresses, ours hold a token


class _Discreet(logging.Filter):
    """Takes the tokens out of the addresses in a line."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = discreet(record.getMessage()), None
        return True


def discreet(line: str) -> str:
    """A line without the token of a phone's address (`/odk/<token>/…`)."""
    return _DOOR.sub(r"\1…", line)


def set_up_logs(level: str) -> None:
    """Log events of `level` (debug, info, warning, error) and above."""
    for name in _WEB_SERVERS:
        logger = logging.getLogger(name)
        if not any(isinstance(one, _Discreet) for one in logger.filters):
            logger.addFilter(_Discreet())
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
