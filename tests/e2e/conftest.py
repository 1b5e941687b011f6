"""The real server in processes of its own, on a database with areas, people, phones and tokens."""

from collections.abc import Iterator

import pytest

from tests.api.conftest import (
    Town,
    catalogue,
    database,
    new_town,
    plots,
    postgres,
    postgres_template,
    template,
    town,
    towns,
)
from tests.databases import close
from tests.e2e.server import Nursery, Server, nursery

__all__ = ["catalogue", "database", "new_town", "plots", "postgres", "postgres_template", "template", "town", "towns"]

pytest.register_assert_rewrite("tests.e2e.checks")


@pytest.fixture(scope="session")
def quick() -> Iterator[Nursery]:
    """Starts servers in no time."""
    with nursery() as found:
        yield found


@pytest.fixture
def real(town: Town) -> Iterator[Server]:
    """The server of the town, not started yet. Whoever looks into its database through the town closes it again."""
    close(town.app)
    settings = town.nest.settings
    with Server(settings.data, settings.database_url) as found:
        yield found
