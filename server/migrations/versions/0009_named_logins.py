"""What a login is called by.

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """The browser of a login."""
    with op.batch_alter_table("token") as batch:
        batch.add_column(sa.Column("label", sa.String(length=100), nullable=True))


def downgrade() -> None:
    """Only names go."""
    with op.batch_alter_table("token") as batch:
        batch.drop_column("label")
