"""Fixtures shared by all tests."""

from tests.engines.fixtures import engine

__all__ = ["engine"]
