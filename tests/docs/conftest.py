"""The documents are tried on a small server."""

from tests.api.conftest import catalogue, database, new_town, plots, postgres, template, town, towns

__all__ = ["catalogue", "database", "new_town", "plots", "postgres", "template", "town", "towns"]
