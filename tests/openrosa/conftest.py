"""The town of the API's tests, and phones with ODK Collect in it."""

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
    template,
    town,
    towns,
)
from tests.openrosa.phone import Phone

__all__ = [
    "catalogue",
    "database",
    "new_town",
    "plots",
    "postgres",
    "postgres_template",
    "template",
    "town",
    "towns",
]


@pytest.fixture
def phone(town: Town) -> Callable[..., Phone]:
    """A user's phone."""
    return lambda user="u1": Phone(town, town.tokens[user])
