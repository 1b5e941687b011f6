"""What schedulers decide about visits; lists by area, with several visits on a line; how much a person can do.

Revision ID: 0007
Revises: 0006
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision: str | None = "0006"
branch_labels: str | None = None
depends_on: str | None = None


def upgrade() -> None:
    """Every line that was issued is a line of one visit, and not carried over."""
    op.create_table(
        "arrangement",
        sa.Column("visit", sa.String(length=36), nullable=False),
        sa.Column("n", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("standing", sa.Boolean(), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("assignee", sa.String(length=100), nullable=True),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("cancelled", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("visit", "n"),
    )
    op.add_column("user", sa.Column("visits_a_day", sa.Integer(), nullable=True))
    by_area = sa.UniqueConstraint("area", "collaborator", "kind", "begins", "revision")
    _replace("reminder_list", [*_list(), sa.Column("head", sa.LargeBinary(), nullable=True), by_area], {})
    _index_lists()
    parts = [
        sa.Column("part", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("carried", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("number", "revision", "line", "part"),
    ]
    _replace("reminder_line", [*_line(), *parts], {"part": sa.literal(1), "carried": sa.false()})
    op.create_index("line_visit", "reminder_line", ["visit"])


def downgrade() -> None:
    """Back to what 0005 knows: of each line the first visit, without what was carried over."""
    op.execute("delete from reminder_line where part > 1 or carried")
    key = sa.PrimaryKeyConstraint("number", "revision", "line")
    _replace("reminder_line", [*_line(), key], {})
    op.create_index("line_visit", "reminder_line", ["visit"])
    _replace("reminder_list", [*_list(), sa.UniqueConstraint("collaborator", "kind", "begins", "revision")], {})
    _index_lists()
    with op.batch_alter_table("user") as batch:
        batch.drop_column("visits_a_day")
    op.drop_table("arrangement")


def _list() -> list[sa.schema.SchemaItem]:
    return [
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
    ]


def _line() -> list[sa.schema.SchemaItem]:
    return [
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("line", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("visit", sa.String(length=36), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("outcome", sa.String(length=30), nullable=True),
        sa.Column("outcome_sub", sa.String(length=200), nullable=True),
    ]


def _index_lists() -> None:
    op.create_index("ix_reminder_list_area", "reminder_list", ["area"])
    op.create_index("ix_reminder_list_collaborator", "reminder_list", ["collaborator"])


def _replace(name: str, items: Sequence[sa.schema.SchemaItem], new: dict[str, sa.ColumnElement]) -> None:
    """Make a table anew with other keys, and put its rows back; `new` are the values of its new columns."""
    old = f"{name}_old"
    op.rename_table(name, old)
    before = sa.Table(old, sa.MetaData(), autoload_with=op.get_bind())
    for index in before.indexes:
        op.drop_index(str(index.name), table_name=old)
    after = op.create_table(name, *items)
    names = [column.name for column in after.columns if column.name in before.columns or column.name in new]
    values = [new[column] if column in new else before.c[column] for column in names]
    op.execute(sa.insert(after).from_select(names, sa.select(*values)))
    op.drop_table(old)
