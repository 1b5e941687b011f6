"""The migrations make exactly the tables that the code declares, and can be undone, on both databases."""

import logging
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from flask_migrate import downgrade
from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import DBAPIError

from server.store.tables import db
from tests.databases import MIGRATIONS, migrate


def engine_of(app: Flask) -> Engine:
    with app.app_context():
        return db.engine


def shape(engine: Engine) -> dict[str, Any]:
    """Everything about the tables that a database tells; what has no order is sorted."""
    found = inspect(engine)
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], column["default"])
                for column in found.get_columns(name)
            ],
            "key": found.get_pk_constraint(name)["constrained_columns"],
            "indexes": sorted((i["name"], i["column_names"], i["unique"]) for i in found.get_indexes(name)),
            "unique": sorted(u["column_names"] for u in found.get_unique_constraints(name)),
            "foreign": found.get_foreign_keys(name),
        }
        for name in found.get_table_names()
        if name != "alembic_version"
    }


def differences(connection: Connection) -> list[Any]:
    context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
    return list(compare_metadata(context, db.metadata))


def test_a_migration_from_empty_leaves_nothing_for_autogenerate(empty_app: Flask) -> None:
    migrate(empty_app)
    with engine_of(empty_app).connect() as connection:
        assert differences(connection) == []


def test_the_migrated_tables_are_those_that_the_metadata_makes(empty_app: Flask) -> None:
    engine = engine_of(empty_app)
    db.metadata.create_all(engine)
    declared = shape(engine)
    db.metadata.drop_all(engine)
    assert shape(engine) == {}

    migrate(empty_app)
    assert shape(engine) == declared
    assert set(declared) == set(db.metadata.tables)


def test_migrating_twice_changes_nothing_and_keeps_the_rows(empty_app: Flask) -> None:
    migrate(empty_app)
    engine = engine_of(empty_app)
    with engine.begin() as connection:
        connection.execute(text("insert into counter (name, n) values ('2025.31135', 7)"))
    before = shape(engine)
    migrate(empty_app)
    with engine.connect() as connection:
        assert connection.execute(text("select name, n from counter")).all() == [("2025.31135", 7)]
    assert shape(engine) == before


def test_a_downgrade_to_base_drops_everything_and_can_be_migrated_again(empty_app: Flask) -> None:
    migrate(empty_app)
    engine = engine_of(empty_app)
    before = shape(engine)
    with empty_app.app_context():
        downgrade(directory=MIGRATIONS, revision="base")
    assert shape(engine) == {}
    migrate(empty_app)
    assert shape(engine) == before


def test_there_is_one_line_of_migrations() -> None:
    scripts = ScriptDirectory(MIGRATIONS)
    assert len(scripts.get_heads()) == 1
    assert len(scripts.get_bases()) == 1


def test_migrating_leaves_the_applications_loggers_alone(empty_app: Flask) -> None:
    logger = logging.getLogger("toam.test_migrations")
    migrate(empty_app)
    assert not logger.disabled


def test_a_failed_migration_leaves_the_database_as_it_was(empty_app: Flask) -> None:
    engine = engine_of(empty_app)
    with engine.begin() as connection:
        connection.execute(text("create table visit_made (id integer)"))  # in the way of the last table
    before = shape(engine)
    with pytest.raises(DBAPIError, match="visit_made"):
        migrate(empty_app)
    assert shape(engine) == before
