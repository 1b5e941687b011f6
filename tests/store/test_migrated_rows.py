"""What a database held before a migration is there after it, and after going back what the first version knew."""

from dataclasses import replace
from datetime import date
from typing import Any

import orjson
import pytest
from flask import Flask
from flask_migrate import downgrade
from sqlalchemy import Engine, MetaData, Table, insert, select

from server.store.rows import pack
from server.store.store import SqlStore
from server.store.tables import db
from sync.names import sort_key
from sync.ports import Ledger, Mark, OpRow, Review, StateRow
from sync.state.model import Act, Op, Standing, Write
from tests.databases import MIGRATIONS, migrate
from tests.store.samples import HERE, NOON, THERE, act, changes, entity, op, state, write

FIRST = {"value": {"grade": 4}, "replaces": [], "blind": False, "request": False}
SECOND = {"value": {}, "replaces": ["s1"], "blind": True, "request": True}


def submission(ident: str, **values: Any) -> dict[str, Any]:
    row = {
        "id": ident, "area": HERE, "sha256": "0" * 64, "device": None, "author": "u11", "seq": None,
        "form": "child_situation", "form_version": "1", "kind": "visit", "dialect": "batch", "raw": pack(b"{}"),
        "observed_at": NOON, "received_at": NOON, "outcome": "applied", "reason": None, "receipt": b"{}",
    }  # fmt: skip
    return row | values


def first_op(sub: str, rev: int, **values: Any) -> dict[str, Any]:
    said = {"said": {"grade": 4}, "seen": {"grade": 3}, "loaded": [], "after": ["s0"], "areas": [HERE, THERE]}
    row = {
        "entity": "c1", "rev": rev, "area": HERE, "sub": sub, "author": "u11", "standing": "author", "act": "visit",
        "t_norm": NOON - 5, "late": False, "suspect": False, "creates": False, "received": NOON + rev,
        "base_rev": None, "base_ok": True, "schema": 2, "etag": f"{rev:010x}", "said": orjson.dumps(said),
        "writes": b"{}",
    }  # fmt: skip
    return row | values


ROWS: dict[str, list[dict[str, Any]]] = {
    "submission": [
        submission("s1", form="household_registration"),
        submission("s2", author="u12"),
        submission("s3", outcome="quarantined", reason="out_of_area", area=THERE),
        submission("s4", outcome="conflict"),
    ],
    "op": [
        first_op("s1", 1, creates=True, writes=orjson.dumps({"school": FIRST})),
        first_op("s2", 3, author="u21", standing="supervisor", act="resolve", late=True, base_rev=1,
                 writes=orjson.dumps({"school": SECOND})),
        first_op("s4", 4, base_rev=3, base_ok=False, suspect=True),
    ],
    "entity": [{
        "id": "c1", "type": "child", "area": HERE, "scope": f"{HERE}/01", "rev": 4, "etag": "4", "household": "h1",
        "label": "Đào", "dob": None, "since": NOON, "first_sub": "s1", "data": b'{"grade":4}',
        "src": b'{"school":"s1"}',
    }],
    "visit_made": [
        {"subject": "c1", "sub": "s2", "household": "h1", "form": "child_situation", "t_norm": NOON, "result": "3"},
        {"subject": "h1", "sub": "s1", "household": None, "form": "f", "t_norm": NOON, "result": "1"},
    ],
    "conflict": [{
        "id": "k1", "area": HERE, "entity": "c1", "cell": "phone", "members": b'["s1","s2"]', "open": True,
        "opened_at": NOON,
    }],
    "notice": [{"entity": "c1", "cell": "phone", "sub": "s1", "by_sub": "s2", "kind": "overruled"}],
    "counter": [{"name": HERE, "n": 7}],
    "reminder_list": [{
        "number": "31135-20261124-01", "revision": 1, "area": HERE, "collaborator": "u11", "kind": "daily",
        "begins": date(2026, 11, 24), "ends": date(2026, 11, 24), "issued_at": NOON, "issued_by": "scheduler",
    }],
    "reminder_line": [
        {"number": "31135-20261124-01", "revision": 1, "line": n, "visit": f"v{n}", "body": b'{"name":"x"}',
         "outcome": outcome, "outcome_sub": None}
        for n, outcome in ((1, None), (2, "done"))
    ],
}  # fmt: skip


def first_ops() -> list[OpRow]:
    """The ops of ROWS, as they are read now."""
    told: dict[str, Any] = {
        "entity": "c1", "t": NOON - 5, "said": {"grade": 4}, "seen": {"grade": 3}, "after": ("s0",), "schema": 2,
        "places": frozenset({HERE, THERE}),
    }  # fmt: skip
    ops = [
        Op("s1", author="u11", creates=True, arrived=(NOON + 1) * 1_000, **told),
        Op("s2", author="u21", standing=Standing.SUPERVISOR, act=Act.RESOLVE, late=True, arrived=(NOON + 3) * 1_000,
           snapshot=frozenset({"s1"}), **told),
        Op("s4", author="u11", base_ok=False, suspect=True, arrived=(NOON + 4) * 1_000, **told),
    ]  # fmt: skip
    marks = [(Mark(rev, f"{rev:010x}", NOON + rev),) for rev in (1, 3, 4)]
    writes = [{"school": Write({"grade": 4})}, {"school": Write({}, frozenset({"s1"}), blind=True, request=True)}, {}]
    visits = [("household_registration", None), ("child_situation", "3"), ("child_situation", None)]
    bases = (None, 1, 3)
    return [
        OpRow(ops[n], marks[n], NOON + marks[n][0].rev, HERE, bases[n], writes[n], "", *visits[n], "child")
        for n in range(3)
    ]


def table_of(engine: Engine, name: str) -> Table:
    """A table as the database has it now."""
    return Table(name, MetaData(), autoload_with=engine)


def content(engine: Engine, name: str) -> list[dict[str, Any]]:
    """The rows of a table in one order, with what their JSON says instead of its bytes."""
    with engine.connect() as connection:
        found = connection.execute(select(table_of(engine, name))).mappings().all()
    told = ("said", "writes")
    rows = [{name: orjson.loads(row[name]) if name in told else row[name] for name in row} for row in found]
    return sorted(rows, key=lambda row: str(sorted(row.items())))


@pytest.fixture
def engine(empty_app: Flask) -> Engine:
    """A database with the tables of 0001, and rows in them."""
    migrate(empty_app, "0001")
    with empty_app.app_context():
        found = db.engine
    with found.begin() as connection:
        for name, values in ROWS.items():
            connection.execute(insert(table_of(found, name)), values)
    return found


def test_the_first_rows_are_read_after_the_migration(empty_app: Flask, engine: Engine) -> None:
    migrate(empty_app)
    with SqlStore(engine).transaction([HERE]) as tx:
        ledger = tx.ledgers(["c1"])["c1"]
        states = tx.states(["s1", "s2", "s3", "s4"])
        assert tx.submissions(["s1"])["s1"].facts == {}
        assert {made.sub for made in tx.made(["h1"])} == {"s1", "s2"}
    row = entity(
        "c1", rev=4, etag="4", household="h1", label="Đào", data={"grade": 4}, src={"school": "s1"}, first_sub="s1",
        search="dao", sort=sort_key("Đào"),
    )  # fmt: skip
    assert ledger.row is not None
    assert ledger == Ledger(replace(row, page=ledger.row.page), first_ops())
    assert orjson.loads(ledger.row.page) == {
        "type": "child",
        "id": "c1",
        "revision": 4,
        "etag": "4-4",
        "scope": row.scope,
        "data": {"grade": 4},
        "src": [["s1", ["school"]]],
        "conflicts": [{"id": "k1", "cell": "phone"}],
    }
    assert states == {
        "s1": StateRow("s1", HERE, "u11", Review.RECEIVED, received_at=NOON),
        "s2": StateRow("s2", HERE, "u12", Review.RECEIVED, received_at=NOON),
        "s3": StateRow("s3", THERE, "u11", Review.QUARANTINED, "out_of_area", received_at=NOON),
        "s4": StateRow("s4", HERE, "u11", Review.RECEIVED, received_at=NOON),
    }


@pytest.mark.parametrize(
    "name", ["submission", "conflict", "notice", "counter", "visit_made", "reminder_list", "reminder_line"]
)
def test_the_migration_adds_and_takes_nothing_away(empty_app: Flask, engine: Engine, name: str) -> None:
    before = content(engine, name)
    migrate(empty_app)
    kept = [{column: row[column] for column in before[0]} for row in content(engine, name)]
    assert kept == before


def test_going_back_leaves_what_the_first_version_knew(empty_app: Flask, engine: Engine) -> None:
    before = {name: content(engine, name) for name in ROWS}
    migrate(empty_app)
    later = [op("c1", "s5", None), op("c2", "s5", 1, act=Act.REJECT)]
    write(SqlStore(engine), changes(ops=later, states={"s5": state("s5")}, audit=[act("s5")]))
    with empty_app.app_context():
        downgrade(directory=MIGRATIONS, revision="0001")
    assert {name: content(engine, name) for name in ROWS} == before
    migrate(empty_app)
    with SqlStore(engine).transaction([]) as tx:
        assert tx.ledgers(["c1"])["c1"].ops == first_ops()
