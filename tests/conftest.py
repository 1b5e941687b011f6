"""Fixtures shared by all tests."""

import gc

import pytest

from tests.engines.fixtures import engine

__all__ = ["engine"]


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look at it again during thousands of examples."""
    gc.collect()
    gc.freeze()
