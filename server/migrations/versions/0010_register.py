"""The risk that shows of a child, for the register; `flask rebuild` fills it, and what everybody is found by.

Revision ID: 0010
Revises: 0009
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """A column, and the order in which officers look at children."""
    with op.batch_alter_table("entity") as batch:
        batch.add_column(sa.Column("risk", sa.SmallInteger(), nullable=True))
        batch.create_index("entity_risk", ["area", "type", "risk", "sort", "id"])


def downgrade() -> None:
    """Both are derived."""
    with op.batch_alter_table("entity") as batch:
        batch.drop_index("entity_risk")
        batch.drop_column("risk")
