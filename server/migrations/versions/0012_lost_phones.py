"""Phones that were reported as lost, and what was on them.

Revision ID: 0012
Revises: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Two tables."""
    op.create_table(
        "incident",
        sa.Column("device", sa.String(60), nullable=False),
        sa.Column("area", sa.String(40), nullable=False),
        sa.Column("detected_at", sa.BigInteger(), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.Column("reported_by", sa.String(100), nullable=False),
        sa.Column("noticed_by", sa.Text(), nullable=False),
        sa.Column("circumstances", sa.Text(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=True),
        sa.Column("unsent", sa.BigInteger(), nullable=True),
        sa.Column("notified_at", sa.BigInteger(), nullable=True),
        sa.Column("closing", sa.Text(), nullable=True),
        sa.Column("closed_at", sa.BigInteger(), nullable=True),
        sa.Column("closed_by", sa.String(100), nullable=True),
        sa.PrimaryKeyConstraint("device"),
    )
    op.create_index("incident_open", "incident", ["area", "closed_at", "detected_at"])
    op.create_table(
        "lost_thing",
        sa.Column("device", sa.String(60), nullable=False),
        sa.Column("entity", sa.String(200), nullable=False),
        sa.Column("type", sa.String(30), nullable=False),
        sa.Column("area", sa.String(40), nullable=False),
        sa.Column("scope", sa.String(60), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("properties", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("device", "entity"),
    )


def downgrade() -> None:
    """What was reported is lost."""
    op.drop_table("lost_thing")
    op.drop_index("incident_open", "incident")
    op.drop_table("incident")
