"""The visits of one hamlet are found without reading those of the whole area; forms are counted from an index.

Revision ID: 0014
Revises: 0013
"""

from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Indexes."""
    op.create_index("visit_scope", "visit", ["scope", "state", "due"])
    op.create_index("submission_form", "submission", ["form", "form_version"])


def downgrade() -> None:
    """Without them."""
    op.drop_index("submission_form", "submission")
    op.drop_index("visit_scope", "visit")
