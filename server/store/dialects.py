"""The only place where SQLite and PostgreSQL differ."""

import sqlite3
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from typing import Any

from sqlalchemy import BindParameter, Connection, Engine, Select, Table, bindparam, event, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

WRITING = "toam_writing"  # execution option of a connection that will write
IDS: BindParameter[Any] = bindparam(
    "ids", expanding=True
)  # some of the ids that a statement is asked about, see `chunks`
MOST_IDS = 5_000  # in one statement: SQLite takes 32,766 variables, PostgreSQL 65,535
POSTGRES_RACES = {"23505", "40P01", "40001"}  # a unique violation, a deadlock, a serialization failure
SQLITE_RACES = {sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY}


def prepare_engine(engine: Engine) -> None:
    """Give every connection the durability and the locking that the store promises."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _sqlite_connect)
        event.listen(engine, "begin", _sqlite_begin)


def check_durability(connection: Connection) -> str | None:
    """A sentence about what would lose acknowledged submissions, or None.

    `synchronous_commit=off` on PostgreSQL loses acknowledged writes at a crash.
    """
    if connection.dialect.name != "postgresql":
        return None
    mode = connection.scalar(text("show synchronous_commit"))
    return None if mode in ("on", "remote_apply", "remote_write", "local") else f"synchronous_commit is {mode}"


def upsert(
    connection: Connection, table: Table, rows: Collection[dict[str, Any]], keep: Collection[str] = ()
) -> None:
    """Insert rows, or overwrite those with the same primary key, except the columns in `keep`."""
    if rows:
        names = tuple(next(iter(rows)))
        connection.execute(_upserting(connection.dialect.name, table, names, tuple(keep)), list(rows))


def insert_missing(connection: Connection, table: Table, rows: Collection[dict[str, Any]]) -> None:
    """Insert the rows whose primary key is not there yet, and leave the others as they are."""
    if rows:
        names = tuple(next(iter(rows)))
        connection.execute(_upserting(connection.dialect.name, table, names, names), list(rows))


@cache  # to build a statement takes longer than to carry it out
def _upserting(dialect: str, table: Table, names: Sequence[str], keep: Sequence[str]) -> Any:
    statement = postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
    keys = [column.name for column in table.primary_key]
    replaced = {name: statement.excluded[name] for name in names if name not in keys and name not in keep}
    if replaced:
        return statement.on_conflict_do_update(index_elements=keys, set_=replaced)
    return statement.on_conflict_do_nothing(index_elements=keys)


def locked(connection: Connection, query: Select[Any]) -> Select[Any]:
    """A query whose rows stay as they are until the transaction ends. On SQLite a writing one holds everything."""
    return query.with_for_update() if connection.dialect.name == "postgresql" else query


def limit_idleness(connection: Connection, most: int) -> None:
    """Let the database end this transaction if its process stands still for `most` ms, and free what it holds.

    SQLite cannot: there one process serves.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"set local idle_in_transaction_session_timeout = {most:d}"))


def chunks(ids: Collection[str]) -> Iterator[list[str]]:
    """Different ids, sorted, in lists that one statement can take; nothing for no ids."""
    wanted = sorted(set(ids))
    for start in range(0, len(wanted), MOST_IDS):
        yield wanted[start : start + MOST_IDS]


def is_race(error: DBAPIError) -> bool:
    """Whether another transaction was in the way, so that it helps to run again."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", None) in SQLITE_RACES
    return getattr(error.orig, "sqlstate", None) in POSTGRES_RACES


def lock_counters(connection: Connection, counter: Table, names: Collection[str]) -> dict[str, int]:
    """Lock these counter rows in one sorted statement and give their numbers; missing rows are made first.

    On SQLite the transaction holds the whole database already (BEGIN IMMEDIATE).
    """
    numbers = _numbers(connection, _counting(counter), names)
    missing = [{"name": name, "n": 0} for name in sorted(set(names) - numbers.keys())]
    if missing:  # before anything is locked: whoever waits for a new row holds none that another one wants
        insert_missing(connection, counter, missing)
    if connection.dialect.name == "postgresql":
        return _numbers(connection, _counting(counter).with_for_update(), names)
    return dict.fromkeys(sorted(set(names) - numbers.keys()), 0) | numbers


def _numbers(connection: Connection, counting: Select[Any], names: Collection[str]) -> dict[str, int]:
    return {row.name: row.n for some in chunks(names) for row in connection.execute(counting, {"ids": some})}


@cache
def _counting(counter: Table) -> Select[Any]:
    return select(counter).where(counter.c.name.in_(IDS)).order_by(counter.c.name)


def _sqlite_connect(connection: Any, record: Any) -> None:
    connection.isolation_level = None  # transactions are begun by the hook below, never by the driver
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000", "foreign_keys=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get(WRITING, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
