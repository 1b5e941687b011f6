"""A small server for each test: migrated by the real migrations, with areas, people, phones and tokens."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from flask_migrate import upgrade

import server.world
from config.settings import Settings
from forms.catalogue import Catalogue, load_catalogue
from server.app import create_app
from server.cli.people import fill_areas
from server.clock import now
from server.rebuild import rebuild_all
from server.store.tables import db
from tests.api.towns import PEOPLE, Person, Plot, Town, build_town, digest, plot_of
from tests.databases import Postgres, application, close, migrate, postgres

__all__ = ["PEOPLE", "Person", "Plot", "Town", "build_town", "digest", "postgres"]


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    """The real forms, compiled once: they do not change while tests run."""
    return load_catalogue()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, catalogue: Catalogue) -> Path:
    """A database as the migrations and `flask areas load` leave it."""
    folder = tmp_path_factory.mktemp("template")
    app = create_app(Settings(data=folder, scheduler=False))
    with app.app_context():
        upgrade(directory=str(Path(server.__file__).parent / "migrations"))
        fill_areas()
        db.session.remove()
        db.engine.dispose()
    return folder / "toam.sqlite3"


@pytest.fixture(scope="session")
def postgres_template(postgres: Postgres, template: Path, catalogue: Catalogue, tmp_path_factory: Any) -> str:
    """The name of such a database on PostgreSQL, that nobody is connected to."""
    name = postgres.create()
    app = application(tmp_path_factory.mktemp("template"), postgres.url(name))
    migrate(app)
    with app.app_context():
        fill_areas()
    close(app)
    return name


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """On which database the server runs; a module that proves something for both is parametrized with it."""
    return getattr(request, "param", "sqlite")


@pytest.fixture
def towns() -> list[Town]:
    """The servers that a test has used."""
    return []


@pytest.fixture
def new_town(
    tmp_path: Path,
    template: Path,
    catalogue: Catalogue,
    monkeypatch: pytest.MonkeyPatch,
    towns: list[Town],
    database: str,
    request: pytest.FixtureRequest,
) -> Iterator[Callable[..., Town]]:
    """Makes servers, each on a database of its own; `settings` change what this one is run with."""
    monkeypatch.setattr(server.world, "load_catalogue", lambda folder: catalogue)

    made: list[Town] = []

    def make(people: Mapping[str, Person] = PEOPLE, **settings: Any) -> Town:
        folder = tmp_path / f"town{len(made)}"
        folder.mkdir()
        shutil.copy(template, folder / "toam.sqlite3")
        postgres = None
        if database == "postgresql":
            postgres = request.getfixturevalue("postgres")
            name = postgres.create(request.getfixturevalue("postgres_template"))
            settings = settings | {"database_url": postgres.url(name)}
        town = build_town(create_app(Settings(data=folder, scheduler=False, **settings)), people, postgres)
        made.append(town)
        towns.append(town)
        return town

    yield make
    for town in made:
        close(town.app)
        if town.postgres is not None:
            town.postgres.drop(town._database)


@pytest.fixture
def rebuilt(new_town: Callable[..., Town], towns: list[Town]) -> Iterator[None]:
    """After the test everything that is derived must be what the log alone gives."""
    yield
    for town in towns:
        with town.app.app_context():
            assert not rebuild_all(town.nest, now(), town.nest.committer.run, write=False).differences


@pytest.fixture(scope="session")
def plots() -> Iterator[dict[str, Plot]]:
    """Database -> the application on it, as soon as a test has asked for one."""
    made: dict[str, Plot] = {}
    yield made
    for plot in made.values():
        close(plot.app)


@pytest.fixture
def town(
    plots: dict[str, Plot],
    database: str,
    template: Path,
    catalogue: Catalogue,
    towns: list[Town],
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Town:
    """One server with the usual people, that is closed when the next test needs it."""
    if database not in plots:
        own = tmp_path_factory.mktemp("plot")
        postgres = request.getfixturevalue("postgres") if database == "postgresql" else None
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(server.world, "load_catalogue", lambda folder: catalogue)
            plots[database] = plot_of(own, template, postgres, request)
    town = plots[database].clear()
    towns.append(town)
    return town
