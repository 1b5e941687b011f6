"""Fixtures for tests that fill forms; the root `conftest.py` imports them."""

from collections.abc import Iterator

import pytest

from tests.engines.javarosa import Engine


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The form engine: one Java machine for all tests of this process, started when first asked for."""
    started = Engine()
    yield started
    started.close()
