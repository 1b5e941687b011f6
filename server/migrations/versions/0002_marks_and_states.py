"""Ops that come and go in their log, states of submissions, who waits for what, and the audit log.

Revision ID: 0002
Revises: 0001
"""

from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op
from sqlalchemy.schema import CreateTableAs

revision = "0002"
down_revision: str | None = "0001"
branch_labels: str | None = None
depends_on: str | None = None

NONE = sa.cast(sa.literal("[]"), sa.LargeBinary)
SAME = (
    "entity", "sub", "rev", "area", "author", "standing", "act", "t_norm", "late", "suspect", "creates", "received",
    "base_rev", "base_ok", "schema", "said", "writes",
)  # fmt: skip
NOTICE = ("entity", "cell", "sub", "kind", "by_sub")
ACTS = ("visit", "correct", "resolve")  # that 0001 knows


def upgrade() -> None:
    """Everything that is here stays: each op came in once, at its revision, and counts."""
    op.add_column("submission", sa.Column("facts", sa.LargeBinary(), nullable=True))
    _make_states()
    _make_waiting_and_audit()
    _widen_entity_and_conflict()

    before = _set_aside("notice", NOTICE)
    _make_notice(key=["entity", "cell", "sub", "kind"])
    _fill("notice", NOTICE, sa.select(*before.c))
    op.drop_table(before.name)

    before = _set_aside("op", (*SAME, "etag"))
    _make_op()
    made = _table("visit_made", "subject", "sub", "form", "result")
    sent, entity = _table("submission", "id", "form"), _table("entity", "id", "type")
    rev, received = (sa.cast(before.c[name], sa.Text) for name in ("rev", "received"))
    marks = sa.literal("[[") + rev + ',"' + sa.cast(before.c.etag, sa.Text) + '",' + received + "]]"
    joined = before.outerjoin(made, sa.and_(made.c.subject == before.c.entity, made.c.sub == before.c.sub))
    joined = joined.outerjoin(sent, sent.c.id == before.c.sub).outerjoin(entity, entity.c.id == before.c.entity)
    query = sa.select(
        *(before.c[name] for name in SAME),
        sa.func.coalesce(entity.c.type, ""),
        sa.func.coalesce(made.c.form, sent.c.form, ""),
        made.c.result,
        before.c.received * 1_000,
        sa.literal(""),
        sa.cast(marks, sa.LargeBinary),
    ).select_from(joined)
    _fill("op", (*SAME, "type", "form", "result", "arrived", "key", "marks"), query)
    op.drop_table(before.name)


def downgrade() -> None:
    """Back to what 0001 knows: held ops, its unknown acts, states and the audit log are lost; submissions stay."""
    for name in ("audit", "waiting", "submission_state"):
        op.drop_table(name)
    with op.batch_alter_table("submission") as batch:
        batch.drop_column("facts")
    with op.batch_alter_table("entity") as batch:
        batch.drop_column("broken")
        batch.drop_column("dead")
    conflict = _table("conflict", "cell")
    op.execute(conflict.delete().where(sa.func.length(conflict.c.cell) > 60))
    with op.batch_alter_table("conflict") as batch:
        batch.alter_column("cell", existing_type=sa.Text(), type_=sa.String(length=60), existing_nullable=False)
        batch.drop_column("resolved_by")
        batch.drop_column("also")
        batch.drop_column("closed_at")

    before = _set_aside("notice", NOTICE)
    _make_notice(key=["entity", "cell", "sub"])
    other = before.alias()
    same = [other.c[name] == before.c[name] for name in ("entity", "cell", "sub")]
    first = sa.select(sa.func.min(other.c.kind)).where(*same).scalar_subquery()
    _fill("notice", NOTICE, sa.select(*before.c).where(before.c.kind == first))
    op.drop_table(before.name)

    before = _set_aside("op", (*SAME, "marks"))
    after = _make_first_op()
    connection = op.get_bind()
    known = sa.select(before).where(before.c.rev.is_not(None), before.c.act.in_(ACTS))
    for some in connection.execute(known).partitions(1_000):
        connection.execute(after.insert(), [_first_row(row._mapping) for row in some])
    op.drop_table(before.name)


def _make_states() -> None:
    """Each submission gets the state that its outcome says."""
    op.create_table(
        "submission_state",
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("comment", sa.Text(), nullable=True),
        sa.Column("question", sa.Text(), nullable=True),
        sa.Column("by", sa.String(length=100), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=True),
        sa.Column("notices", sa.LargeBinary(), nullable=False),
        sa.Column("elsewhere", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("sub"),
    )
    op.create_index("submission_state_area", "submission_state", ["area", "state"])
    op.create_index("ix_submission_state_author", "submission_state", ["author"])
    sent = _table("submission", "id", "area", "author", "outcome", "reason")
    held = sent.c.outcome == "quarantined"
    query = sa.select(
        sent.c.id,
        sent.c.area,
        sent.c.author,
        sa.case((held, "quarantined"), else_="received"),
        sa.case((held, sent.c.reason)),
        NONE,
        sa.false(),
    )
    _fill("submission_state", ("sub", "area", "author", "state", "reason", "notices", "elsewhere"), query)


def _make_waiting_and_audit() -> None:
    op.create_table(
        "waiting",
        sa.Column("key", sa.String(length=200), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("key", "sub", "entity"),
    )
    op.create_index("ix_waiting_sub", "waiting", ["sub"])
    op.create_table(
        "audit",
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("n", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.String(length=100), nullable=False),
        sa.Column("act", sa.String(length=40), nullable=False),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=True),
        sa.Column("detail", sa.LargeBinary(), nullable=False),
        sa.Column("prev", sa.String(length=64), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("area", "n"),
    )


def _widen_entity_and_conflict() -> None:
    op.add_column("entity", sa.Column("broken", sa.LargeBinary(), nullable=True))
    op.add_column("entity", sa.Column("dead", sa.Boolean(), nullable=True))
    op.execute(_table("entity", "broken", "dead").update().values(broken=NONE, dead=sa.false()))
    with op.batch_alter_table("entity") as batch:
        batch.alter_column("broken", existing_type=sa.LargeBinary(), nullable=False)
        batch.alter_column("dead", existing_type=sa.Boolean(), nullable=False)
    with op.batch_alter_table("conflict") as batch:
        batch.alter_column("cell", existing_type=sa.String(length=60), type_=sa.Text(), existing_nullable=False)
        batch.add_column(sa.Column("resolved_by", sa.String(length=200), nullable=True))
        batch.add_column(sa.Column("also", sa.String(length=40), nullable=True))
        batch.add_column(sa.Column("closed_at", sa.BigInteger(), nullable=True))


def _make_notice(key: list[str]) -> None:
    order = ("kind", "by_sub") if "kind" in key else ("by_sub", "kind")
    sizes = {"kind": 30, "by_sub": 200}
    op.create_table(
        "notice",
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("cell", sa.String(length=60), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        *(sa.Column(name, sa.String(length=sizes[name]), nullable=False) for name in order),
        sa.PrimaryKeyConstraint(*key),
    )


def _make_op() -> None:
    op.create_table(
        "op",
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("sub", sa.String(length=200), nullable=False),
        sa.Column("type", sa.String(length=30), nullable=False),
        sa.Column("rev", sa.BigInteger(), nullable=True),
        sa.Column("area", sa.String(length=40), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("standing", sa.String(length=20), nullable=False),
        sa.Column("act", sa.String(length=20), nullable=False),
        sa.Column("form", sa.String(length=100), nullable=False),
        sa.Column("result", sa.String(length=10), nullable=True),
        sa.Column("amends", sa.String(length=200), nullable=True),
        sa.Column("target", sa.String(length=200), nullable=True),
        sa.Column("t_norm", sa.BigInteger(), nullable=False),
        sa.Column("late", sa.Boolean(), nullable=False),
        sa.Column("suspect", sa.Boolean(), nullable=False),
        sa.Column("creates", sa.Boolean(), nullable=False),
        sa.Column("received", sa.BigInteger(), nullable=False),
        sa.Column("arrived", sa.BigInteger(), nullable=False),
        sa.Column("base_rev", sa.BigInteger(), nullable=True),
        sa.Column("base_ok", sa.Boolean(), nullable=False),
        sa.Column("schema", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.String(length=32), nullable=False),
        sa.Column("marks", sa.LargeBinary(), nullable=False),
        sa.Column("said", sa.LargeBinary(), nullable=False),
        sa.Column("writes", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entity", "sub"),
        sa.UniqueConstraint("entity", "rev"),
    )
    op.create_index("op_sub", "op", ["sub"])
    op.create_index("ix_op_amends", "op", ["amends"])
    op.create_index("ix_op_target", "op", ["target"])


def _make_first_op() -> sa.Table:
    """The table `op` as 0001 makes it."""
    made = op.create_table(
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
    return made


def _first_row(row: Any) -> dict[str, Any]:
    """An op as 0001 keeps it: one revision with its etag, areas instead of places, every member of a write."""
    said, writes = orjson.loads(row["said"]), orjson.loads(row["writes"])
    if "places" in said:
        said["areas"] = sorted({place.partition("/")[0] for place in said.pop("places")})
    blank = {"value": {}, "replaces": [], "blind": False, "request": False}
    return {name: row[name] for name in SAME} | {
        "etag": orjson.loads(row["marks"])[0][1],
        "said": orjson.dumps(said),
        "writes": orjson.dumps({cell: blank | write for cell, write in writes.items()}),
    }


def _set_aside(name: str, columns: tuple[str, ...]) -> sa.TableClause:
    """Keep a table's rows under another name and drop it, so that it can be made anew with its own constraints."""
    kept = _table(f"{name}_before", *columns)
    op.execute(CreateTableAs(sa.select(*_table(name, *columns).c), kept.name))
    op.drop_table(name)
    return kept


def _fill(name: str, columns: tuple[str, ...], query: Any) -> None:
    op.execute(_table(name, *columns).insert().from_select(list(columns), query))


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns))
