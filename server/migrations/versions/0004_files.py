"""Files that come with submissions. What earlier submissions name is filled in by `flask rebuild`.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    op.create_table(
        "media",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.String(length=40), nullable=False),
        sa.Column("stored_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_table(
        "submission_media",
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("entity", sa.String(length=200), nullable=True),
        sa.Column("protected", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sub", "sha256", "name"),
    )
    op.create_index("submission_media_sha256", "submission_media", ["sha256"])
    op.create_table(
        "upload",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("upload_device", "upload", ["device"])
    op.create_index("upload_expires", "upload", ["expires_at"])
    op.create_index("ix_upload_user", "upload", ["user"])


def downgrade() -> None:
    """The files themselves stay in their folder, by their hash."""
    for name in ("upload", "submission_media", "media"):
        op.drop_table(name)
