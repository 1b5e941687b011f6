"""Serving from the command line: this process becomes gunicorn, in the shape of config/gunicorn.py."""

import os
import sys
from typing import NoReturn


def serve(host: str, port: int) -> NoReturn:
    """Serve until interrupted."""
    command = [
        sys.executable,
        "-m",
        "gunicorn",
        "-c",
        "config/gunicorn.py",
        "--bind",
        f"{host}:{port}",
        "wsgi:app",
    ]
    os.execv(sys.executable, command)  # noqa: S606  no shell, no outside input but a port number
