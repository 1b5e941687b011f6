"""Serving: what a server process does at its start, and how a command becomes one."""

import os
import sys
from typing import NoReturn

import structlog
from flask import Flask

from server.reminders.jobs import start_jobs
from server.store.dialects import check_durability
from server.store.tables import db
from server.world import current_nest

log = structlog.get_logger()


def begin(app: Flask) -> None:
    """Start the scheduled jobs of this process, and say if the database may lose what it has acknowledged."""
    with app.app_context():
        with db.engine.connect() as connection:
            doubt = check_durability(connection)
        if doubt is not None:
            log.error("not_durable", reason=doubt)
        if current_nest().settings.scheduler:
            start_jobs(app)


def serve(host: str, port: int) -> NoReturn:
    """Become gunicorn in the shape of config/gunicorn.py, and serve until interrupted."""
    command = [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py", "--bind", f"{host}:{port}", "wsgi:app"]
    environ = {name: value for name, value in os.environ.items() if name != "FLASK_RUN_FROM_CLI"}
    os.execve(sys.executable, command, environ)  # noqa: S606  no shell, no outside input but a port number
