"""The town of the API's tests, and browsers that are signed in to it."""

from collections.abc import Callable

import pytest

from tests.api.conftest import (
    Town,
    catalogue,
    database,
    new_town,
    plots,
    postgres,
    postgres_template,
    rebuilt,
    template,
    town,
    towns,
)
from tests.desk.pages import Pages

__all__ = [
    "catalogue",
    "database",
    "new_town",
    "plots",
    "postgres",
    "postgres_template",
    "rebuilt",
    "template",
    "town",
    "towns",
]


@pytest.fixture
def visit(town: Town) -> Callable[..., Pages]:
    """Signs a user in: gives his browser."""
    return lambda user="s1": Pages(town, user)


@pytest.fixture
def officer(town: Town) -> Pages:
    """The browser of the supervisor."""
    return Pages(town, "s1")
