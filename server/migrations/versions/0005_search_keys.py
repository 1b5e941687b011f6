"""The keys by which entities are found and sorted by their names.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

from sync.names import KEY_LENGTH, search_key, sort_key

revision = "0005"
down_revision: str | None = "0004"
branch_labels: str | None = None
depends_on: str | None = None

CHUNK = 1_000


def upgrade() -> None:
    """Every entity gets the keys of its label."""
    op.add_column("entity", sa.Column("search", sa.String(length=KEY_LENGTH), nullable=True))
    op.add_column("entity", sa.Column("sort", sa.LargeBinary(), nullable=True))
    _fill()
    with op.batch_alter_table("entity") as batch:
        batch.alter_column("search", existing_type=sa.String(length=KEY_LENGTH), nullable=False)
        batch.alter_column("sort", existing_type=sa.LargeBinary(), nullable=False)
    op.create_index("entity_names", "entity", ["area", "sort", "id", "search"])


def downgrade() -> None:
    """Back to what 0003 knows; the keys follow from the labels."""
    op.drop_index("entity_names", table_name="entity")
    with op.batch_alter_table("entity") as batch:
        batch.drop_column("sort")
        batch.drop_column("search")


def _fill() -> None:
    connection = op.get_bind()
    entity = sa.table("entity", *(sa.column(name) for name in ("id", "label", "search", "sort")))
    filling = entity.update().where(entity.c.id == sa.bindparam("which"))
    filling = filling.values(search=sa.bindparam("found"), sort=sa.bindparam("order"))
    last = ""
    while True:
        named = sa.select(entity.c.id, entity.c.label).where(entity.c.id > last).order_by(entity.c.id).limit(CHUNK)
        some = connection.execute(named).all()
        if not some:
            return
        last = some[-1].id
        rows = [{"which": r.id, "found": search_key(r.label), "order": sort_key(r.label)} for r in some]
        connection.execute(filling, rows)
