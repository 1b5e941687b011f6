"""What Alembic runs for every `flask db` command: the migrations go over the application's own engine.

That engine carries the hooks of `server.store.dialects`. A migration writes, so on SQLite it holds the whole
database from its first statement; on both databases it happens completely or not at all.
"""

from alembic import context
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext
from flask import current_app

from server.store.dialects import WRITING
from server.store.tables import db


def leave_out_empty(found: MigrationContext, revision: object, scripts: list[MigrationScript]) -> None:
    """Write no file when `flask db migrate` finds the tables as they should be."""
    if getattr(context.config.cmd_opts, "autogenerate", False):
        scripts[:] = [script for script in scripts if script.upgrade_ops and not script.upgrade_ops.is_empty()]


def run_online() -> None:
    """Migrate the database of the running application."""
    options = {"process_revision_directives": leave_out_empty} | current_app.extensions["migrate"].configure_args
    with db.engine.connect().execution_options(**{WRITING: True}) as connection:
        context.configure(connection=connection, target_metadata=db.metadata, **options)
        with context.begin_transaction():
            context.run_migrations()


def run_offline() -> None:
    """Print the statements of the migrations instead of running them (`flask db upgrade --sql`)."""
    context.configure(dialect_name=db.engine.dialect.name, target_metadata=db.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


if context.is_offline_mode():
    run_offline()
else:
    run_online()
