"""Reading the journal and the history of the jobs.

Revision ID: 0013
Revises: 0012
"""

from alembic import op

revision = "0013"
down_revision: str | None = "0012"
branch_labels: str | None = None
depends_on: str | None = None

INDEXES = {
    "audit_at": ("audit", ["at", "area", "n"]),
    "audit_act": ("audit", ["act", "at", "area", "n"]),
    "audit_who": ("audit", ["who", "at", "area", "n"]),
    "audit_subject": ("audit", ["subject", "at", "area", "n"]),
    "job_run_outcome": ("job_run", ["outcome"]),
    "job_run_started": ("job_run", ["started"]),
}


def upgrade() -> None:
    """Indexes alone."""
    for name, (table, columns) in INDEXES.items():
        op.create_index(name, table, columns)


def downgrade() -> None:
    """Nothing is lost."""
    for name, (table, _) in INDEXES.items():
        op.drop_index(name, table)
