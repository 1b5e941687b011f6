"""Serving from the command line: gunicorn with the process shape of the embedded database."""

from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, app: Flask, bind: str) -> None:
        self._app, self._bind = app, bind
        super().__init__()

    def load_config(self) -> None:
        for name, value in {"bind": self._bind, "worker_class": "gthread", "threads": 8, "workers": 1}.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        return self._app


def serve(app: Flask, host: str, port: int) -> None:
    """Serve until interrupted: one process with threads, as SQLite wants it."""
    _Server(getattr(app, "_get_current_object", lambda: app)(), f"{host}:{port}").run()
