"""The orders in which officers' pages read: submissions by arrival, visits by need, notices by submission.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels: str | None = None
depends_on: str | None = None

NEED = ["area", "state", "assignee_role", "rule", "earliest", "due", "statutory", "priority", "due_at", "id"]
ARRIVAL = """update submission_state set received_at = coalesce(
    (select received_at from submission where submission.id = submission_state.sub), 0)"""


def upgrade() -> None:
    """When a submission arrived, beside its state; and indexes."""
    op.add_column("submission_state", sa.Column("received_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute(ARRIVAL)
    op.drop_index("submission_state_area", "submission_state")
    op.create_index("submission_state_area", "submission_state", ["area", "state", "received_at", "sub"])
    op.drop_index("ix_submission_state_author", "submission_state")
    op.create_index("submission_state_author", "submission_state", ["author", "area"])
    op.drop_index("submission_area", "submission")
    op.create_index("submission_area", "submission", ["area", "received_at", "id"])
    op.create_index("notice_sub", "notice", ["sub"])
    op.create_index("conflict_also", "conflict", ["also", "open"])
    op.create_index("visit_need", "visit", NEED)
    op.drop_index("entity_risk", "entity")
    op.create_index("entity_risk", "entity", ["area", "type", "dead", "risk", "sort", "id"])


def downgrade() -> None:
    """All of it is derived."""
    op.drop_index("entity_risk", "entity")
    op.create_index("entity_risk", "entity", ["area", "type", "risk", "sort", "id"])
    op.drop_index("visit_need", "visit")
    op.drop_index("conflict_also", "conflict")
    op.drop_index("notice_sub", "notice")
    op.drop_index("submission_area", "submission")
    op.create_index("submission_area", "submission", ["area", "received_at"])
    op.drop_index("submission_state_author", "submission_state")
    op.create_index("ix_submission_state_author", "submission_state", ["author"])
    op.drop_index("submission_state_area", "submission_state")
    op.create_index("submission_state_area", "submission_state", ["area", "state"])
    with op.batch_alter_table("submission_state") as batch:
        batch.drop_column("received_at")
