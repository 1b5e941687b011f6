"""A server of the demonstration, filled once for the tests of a folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask_migrate import upgrade

from config.settings import Settings
from server.app import create_app
from server.cli.demo import demo_facts, seed
from server.store.tables import db


def demonstration(folder: Path, full: bool = True) -> Iterator[Flask]:
    """An application in demonstration mode on a new database, filled if wanted."""
    app = create_app(Settings(data=folder, demo=True, scheduler=False, log_level="error"))
    with app.app_context():
        upgrade()
        if full:
            seed()
        db.session.remove()
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture(scope="session")
def full(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Flask]:
    yield from demonstration(tmp_path_factory.mktemp("full"))


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Flask]:
    yield from demonstration(tmp_path, full=False)


@pytest.fixture(scope="session")
def facts(full: Flask) -> dict[str, Any]:
    return demo_facts(full.extensions["toam"].settings.data)
