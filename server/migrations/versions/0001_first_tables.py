"""The first tables, as `server.store.tables` declares them.

Revision ID: 0001
Revises: nothing
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: str | None = None
depends_on: str | None = None

TABLES = (
    "area",
    "area_successor",
    "assignment",
    "conflict",
    "counter",
    "device",
    "entity",
    "feed_entry",
    "feed_mark",
    "hamlet",
    "lease",
    "notice",
    "op",
    "reminder_line",
    "reminder_list",
    "submission",
    "token",
    "user",
    "visit",
    "visit_made",
)


def upgrade() -> None:
    """Make the tables and their indexes."""
    op.create_table(
        "area",
        sa.Column("key", sa.String(length=40), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("lat", sa.String(length=20), nullable=True),
        sa.Column("lon", sa.String(length=20), nullable=True),
        sa.PrimaryKeyConstraint("key"),
    )
    op.create_table(
        "area_successor",
        sa.Column("before", sa.String(length=40), nullable=False),
        sa.Column("after", sa.String(length=40), nullable=False),
        sa.PrimaryKeyConstraint("before", "after"),
    )
    op.create_table(
        "assignment",
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("hamlet", sa.String(length=10), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("user", "area", "hamlet", "begins"),
    )
    op.create_table(
        "conflict",
        sa.Column("id", sa.String(length=24), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("cell", sa.String(length=60), nullable=False),
        sa.Column("members", sa.LargeBinary(), nullable=False),
        sa.Column("open", sa.Boolean(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("conflict_area", "conflict", ["area", "open"])
    op.create_index("ix_conflict_entity", "conflict", ["entity"])
    op.create_table(
        "counter",
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("n", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.String(length=60), nullable=False),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("enrolled_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "entity",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=30), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=True),
        sa.Column("rev", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(length=10), nullable=False),
        sa.Column("household", sa.String(length=200), nullable=True),
        sa.Column("label", sa.Text(), nullable=False),
        sa.Column("dob", sa.String(length=10), nullable=True),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("first_sub", sa.String(length=200), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.Column("src", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("entity_area", "entity", ["area", "type"])
    op.create_index("entity_household", "entity", ["household"])
    op.create_index("entity_scope", "entity", ["scope"])
    op.create_table(
        "feed_entry",
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("here", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("scope", "kind", "id"),
    )
    op.create_index("feed_order", "feed_entry", ["scope", "seq"])
    op.create_table(
        "feed_mark",
        sa.Column("counter", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("nonce", sa.String(length=16), nullable=False),
        sa.PrimaryKeyConstraint("counter", "seq"),
    )
    op.create_table(
        "hamlet",
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("code", sa.String(length=10), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("invented", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("area", "code"),
    )
    op.create_table(
        "lease",
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("holder", sa.String(length=60), nullable=False),
        sa.Column("fence", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "notice",
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("cell", sa.String(length=60), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("by_sub", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=30), nullable=False),
        sa.PrimaryKeyConstraint("entity", "cell", "sub"),
    )
    op.create_table(
        "op",
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("rev", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("standing", sa.String(length=20), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("t_norm", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("suspect", sa.Boolean(), nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("base_rev", sa.BigInteger(), nullable=True),
        sa.Column("base_ok", sa.Boolean(), nullable=False),
        sa.Column("schema", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(length=10), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("writes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "rev"),
        sa.UniqueConstraint("entity", "sub"),
    )
    op.create_index("op_sub", "op", ["sub"])
    op.create_table(
        "reminder_line",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("visit", sa.String(length=36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=True),
        sa.Column("outcome_sub", sa.String(length=200), nullable=True),
        sa.PrimaryKeyConstraint("number", "revision", "line"),
    )
    op.create_index("line_visit", "reminder_line", ["visit"])
    op.create_table(
        "reminder_list",
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("collaborator", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("begins", sa.Date(), nullable=False),
        sa.Column("ends", sa.Date(), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.String(length=100), nullable=False),
        sa.PrimaryKeyConstraint("number", "revision"),
        sa.UniqueConstraint("collaborator", "kind", "begins", "revision"),
    )
    op.create_index("ix_reminder_list_area", "reminder_list", ["area"])
    op.create_index("ix_reminder_list_collaborator", "reminder_list", ["collaborator"])
    op.create_table(
        "submission",
        sa.Column("id", sa.String(length=200), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=True),
        sa.Column("form", sa.String(length=100), nullable=False),
        sa.Column("form_version", sa.String(length=100), nullable=False),
        sa.Column("kind", sa.String(length=50), nullable=False),
        sa.Column("dialect", sa.String(length=20), nullable=False),
        sa.Column("raw", sa.LargeBinary(), nullable=False),
        sa.Column("observed_at", sa.BigInteger(), nullable=True),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("outcome", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("receipt", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("ix_submission_author", "submission", ["author"])
    op.create_index("submission_area", "submission", ["area", "received_at"])
    op.create_table(
        "token",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_token_device", "token", ["device"])
    op.create_index("ix_token_user", "token", ["user"])
    op.create_table(
        "user",
        sa.Column("id", sa.String(length=100), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_table(
        "visit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("rule", sa.String(length=30), nullable=False),
        sa.Column("rule_version", sa.Integer(), nullable=False),
        sa.Column("subject_type", sa.String(length=30), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("household", sa.String(length=200), nullable=True),
        sa.Column("start", sa.String(length=60), nullable=False),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("earliest", sa.Date(), nullable=False),
        sa.Column("due", sa.Date(), nullable=False),
        sa.Column("latest", sa.Date(), nullable=False),
        sa.Column("due_at", sa.BigInteger(), nullable=False),
        sa.Column("show_on", sa.Date(), nullable=False),
        sa.Column("assignee_role", sa.String(length=20), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("statutory", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=60), nullable=False),
        sa.Column("caused_by", sa.String(length=200), nullable=False),
        sa.Column("calendar", sa.String(length=120), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("done_by", sa.String(length=200), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("visit_area", "visit", ["area", "state", "due"])
    op.create_index("visit_subject", "visit", ["subject"])
    op.create_table(
        "visit_made",
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("household", sa.String(length=200), nullable=True),
        sa.Column("form", sa.String(length=100), nullable=False),
        sa.Column("t_norm", sa.BigInteger(), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=False),
        sa.PrimaryKeyConstraint("subject", "sub"),
    )
    op.create_index("ix_visit_made_household", "visit_made", ["household"])


def downgrade() -> None:
    """Drop the tables; their indexes go with them."""
    for name in reversed(TABLES):
        op.drop_table(name)
