"""Pages as they are served, the heads of scopes; enrolment, passwords, and what each phone has been told.

Revision ID: 0003
Revises: 0002
"""

import secrets
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: str | None = None
depends_on: str | None = None

CHUNK = 1_000
OWN = "user:"
NEW = ("attempt", "device_holding", "enrolment", "password", "reading", "scope", "server")
TOLD = ("wiped_at", "cloned_at", "last_seen", "app", "clock_offset", "unsent")


def upgrade() -> None:
    """Everything that is here gets its page; what has ended is taken off the phones by the first pull."""
    op.add_column("entity", sa.Column("page", sa.LargeBinary(), nullable=True))
    _fill_pages()
    with op.batch_alter_table("entity") as batch:
        batch.alter_column("page", existing_type=sa.LargeBinary(), nullable=False)
    _make_scopes()
    ended = sa.select(_table("visit", "id", "state").c.id).where(sa.column("state") != "open")
    entry = _table("feed_entry", "kind", "id", "here")
    op.execute(entry.update().where(entry.c.kind == "visit", entry.c.id.in_(ended)).values(here=sa.false()))
    _widen_devices()
    _make_access()
    _make_told()
    server = _table("server", "name", "value")
    facts = [{"name": "epoch", "value": "1"}, {"name": "key", "value": secrets.token_hex(32)}]
    op.get_bind().execute(server.insert(), facts)


def downgrade() -> None:
    """Back to what 0002 knows: passwords, codes and what phones have been told are lost; submissions stay."""
    for name in NEW:
        op.drop_table(name)
    with op.batch_alter_table("token") as batch:
        batch.drop_column("expires_at")
        batch.drop_column("replaces")
    with op.batch_alter_table("device") as batch:
        for name in TOLD:
            batch.drop_column(name)
    with op.batch_alter_table("entity") as batch:
        batch.drop_column("page")


def _fill_pages() -> None:
    """The page of every entity, as the server made it when this revision came."""
    connection = op.get_bind()
    entity = _table("entity", "id", "type", "rev", "etag", "scope", "data", "src", "page")
    conflict = _table("conflict", "id", "entity", "cell", "open")
    doubts: dict[str, list[dict[str, str]]] = {}
    for row in connection.execute(sa.select(conflict).where(conflict.c.open == sa.true()).order_by(conflict.c.id)):
        doubts.setdefault(row.entity, []).append({"id": row.id, "cell": row.cell})
    filling = entity.update().where(entity.c.id == sa.bindparam("which")).values(page=sa.bindparam("body"))
    last = ""
    while True:
        some = connection.execute(
            sa.select(entity).where(entity.c.id > last).order_by(entity.c.id).limit(CHUNK)
        ).all()
        if not some:
            return
        last = some[-1].id
        pages = [{"which": row.id, "body": _page(row, doubts.get(row.id, []))} for row in some]
        connection.execute(filling, pages)


def _page(row: Any, conflicts: list[dict[str, str]]) -> bytes:
    data, src = orjson.loads(row.data), orjson.loads(row.src)
    if not data and not src:
        return b""
    sources: dict[str, list[str]] = {}
    for cell, sub in src.items():
        sources.setdefault(sub, []).append(cell)
    body = {
        "type": row.type,
        "id": row.id,
        "revision": row.rev,
        "etag": f"{row.rev}-{row.etag}",
        "scope": row.scope,
        "data": {name: _flat(value) for name, value in data.items()},
        "src": [[sub, sorted(cells)] for sub, cells in sorted(sources.items())],
        "conflicts": conflicts,
    }
    return orjson.dumps(body, option=orjson.OPT_SORT_KEYS)


def _flat(value: Any) -> Any:
    return " ".join(value) if isinstance(value, list) and all(isinstance(code, str) for code in value) else value


def _make_scopes() -> None:
    op.create_table(
        "scope",
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("counter", sa.String(length=100), nullable=False),
        sa.Column("head", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_index("ix_scope_counter", "scope", ["counter"])
    entry = _table("feed_entry", "scope", "seq")
    heads = op.get_bind().execute(sa.select(entry.c.scope, sa.func.max(entry.c.seq)).group_by(entry.c.scope)).all()
    rows = [
        {"name": name, "counter": name if name.startswith(OWN) else name.partition("/")[0], "head": head}
        for name, head in heads
    ]
    if rows:
        op.get_bind().execute(_table("scope", "name", "counter", "head").insert(), rows)


def _widen_devices() -> None:
    for name in TOLD:
        kind = sa.String(length=100) if name == "app" else sa.BigInteger()
        op.add_column("device", sa.Column(name, kind, nullable=True))
    op.add_column("token", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.add_column("token", sa.Column("replaces", sa.String(length=64), nullable=True))


def _make_access() -> None:
    op.create_table(
        "enrolment",
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("issued_at", sa.BigInteger(), nullable=False),
        sa.Column("issued_by", sa.String(length=100), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("used_at", sa.BigInteger(), nullable=True),
        sa.Column("device", sa.String(length=60), nullable=True),
        sa.Column("token", sa.String(length=64), nullable=True),
        sa.PrimaryKeyConstraint("sha256"),
    )
    op.create_index("ix_enrolment_user", "enrolment", ["user"])
    op.create_table(
        "password",
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("argon2", sa.Text(), nullable=False),
        sa.Column("set_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("user"),
    )
    op.create_table(
        "attempt",
        sa.Column("id", sa.String(length=32), nullable=False),
        sa.Column("who", sa.String(length=64), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("attempt_who", "attempt", ["who", "at"])
    op.create_table(
        "server",
        sa.Column("name", sa.String(length=20), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )


def _make_told() -> None:
    op.create_table(
        "reading",
        sa.Column("device", sa.String(length=60), nullable=False),
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("turn", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("device", "user"),
    )
    op.create_table(
        "device_holding",
        sa.Column("device", sa.String(length=60), nullable=False),
        sa.Column("user", sa.String(length=100), nullable=False),
        sa.Column("entity", sa.String(length=200), nullable=False),
        sa.Column("scope", sa.String(length=60), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("served", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=True),
        sa.Column("turn", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("device", "user", "entity"),
    )
    op.create_index("holding_entity", "device_holding", ["entity"])
    taken = sa.text("turn IS NOT NULL")
    columns = ["device", "user", "turn"]
    op.create_index("holding_taken", "device_holding", columns, sqlite_where=taken, postgresql_where=taken)


def _table(name: str, *columns: str) -> sa.TableClause:
    return sa.table(name, *(sa.column(column) for column in columns))
