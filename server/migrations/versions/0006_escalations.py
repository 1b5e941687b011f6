"""Who was to hear of visits that were not made.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """The steps that were reached, and the way to the visits that reach one."""
    op.create_table(
        "escalation",
        sa.Column("visit", sa.String(length=36), nullable=False),
        sa.Column("step", sa.String(length=30), nullable=False),
        sa.Column("told", sa.String(length=20), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("noted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("visit", "step"),
    )
    op.create_index("visit_overdue", "visit", ["state", "due_at"])


def downgrade() -> None:
    """What was told to whom is lost; steps that are reached still are found again."""
    op.drop_index("visit_overdue", table_name="visit")
    op.drop_table("escalation")
