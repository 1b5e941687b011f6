"""The visits of one hamlet are found without reading those of the whole area.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """An index."""
    op.create_index("visit_scope", "visit", ["scope", "state", "due"])


def downgrade() -> None:
    """Without it."""
    op.drop_index("visit_scope", "visit")
