"""Fixtures shared by all tests."""

import gc

import pytest
from hypothesis import HealthCheck, settings

from tests.engines.fixtures import engine

__all__ = ["engine"]

# How fast a machine makes examples says nothing about what is tested.
settings.register_profile("toam", suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("toam")


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look at it again during thousands of examples."""
    gc.collect()
    gc.freeze()
