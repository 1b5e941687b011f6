"""An application on a fresh, migrated database: on SQLite, and on a PostgreSQL server that is started here."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask

from server.store.store import SqlStore
from server.store.tables import db
from tests.databases import (
    DATABASES,
    Postgres,
    application,
    close,
    migrated_postgres,
    migrated_sqlite,
    postgres,
)

__all__ = ["migrated_postgres", "migrated_sqlite", "postgres"]


@pytest.fixture
def sqlite_app(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Flask]:
    data = tmp_path / "sqlite"
    data.mkdir()
    shutil.copy(migrated_sqlite, data / "toam.sqlite3")
    app = application(data, "")
    yield app
    close(app)


@pytest.fixture
def postgresql_app(tmp_path: Path, postgres: Postgres, migrated_postgres: str) -> Iterator[Flask]:
    name = postgres.create(migrated_postgres)
    app = application(tmp_path / "postgresql", postgres.url(name))
    yield app
    close(app)
    postgres.drop(name)


@pytest.fixture(params=DATABASES)
def app(request: pytest.FixtureRequest) -> Flask:
    """The application on each database in turn, migrated and empty."""
    found: Flask = request.getfixturevalue(f"{request.param}_app")
    return found


@pytest.fixture
def empty_sqlite_app(tmp_path: Path) -> Iterator[Flask]:
    app = application(tmp_path / "sqlite", "")
    yield app
    close(app)


@pytest.fixture
def empty_postgresql_app(tmp_path: Path, postgres: Postgres) -> Iterator[Flask]:
    name = postgres.create()
    app = application(tmp_path / "postgresql", postgres.url(name))
    yield app
    close(app)
    postgres.drop(name)


@pytest.fixture(params=DATABASES)
def empty_app(request: pytest.FixtureRequest) -> Flask:
    """The application on each database in turn, without any table."""
    found: Flask = request.getfixturevalue(f"empty_{request.param}_app")
    return found


@pytest.fixture
def store(app: Flask) -> SqlStore:
    """The store under test. It may be used from any thread, without an application context."""
    with app.app_context():
        return SqlStore(db.engine)
