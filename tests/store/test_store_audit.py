"""The chain of acts: each area has its own, it has no gaps, and whatever is done to a row shows."""

import hashlib

import orjson
import pytest
from sqlalchemy import delete, update

from server.audit import audit, verify
from server.store.store import SqlStore
from server.store.tables import AuditTable
from tests.store.samples import HERE, NOON, THERE, act, changes, rows, write


def broken(store: SqlStore, area: str | None = None) -> list[tuple[str, int]]:
    with store.transaction([]) as tx:
        return verify(tx.connection, area)


@pytest.fixture
def chained(store: SqlStore) -> SqlStore:
    """Five acts in one area, in three transactions, and two in another."""
    write(store, changes(audit=[act("s1"), act("s1", THERE), act("s2")]), (HERE, THERE))
    write(store, changes(audit=[act("s3", detail={})]))
    write(store, changes(audit=[act("s4", sub=None), act("s5", THERE), act("s5")]), (HERE, THERE))
    return store


def test_acts_are_numbered_within_their_area_and_chained(chained: SqlStore) -> None:
    found = rows(chained, AuditTable.area, AuditTable.n, AuditTable.subject, AuditTable.prev, AuditTable.hash)
    assert [row[:3] for row in found] == [
        (HERE, 1, "s1"), (HERE, 2, "s2"), (HERE, 3, "s3"), (HERE, 4, "s4"), (HERE, 5, "s5"),
        (THERE, 1, "s1"), (THERE, 2, "s5"),
    ]  # fmt: skip
    assert [row[3] for row in found] == ["", *(row[4] for row in found[:4]), "", found[5][4]]
    said = ["", HERE, 1, NOON, "u21", "approve", "s1", "s1", {"a": ["x"], "b": 1}]
    assert found[0][4] == hashlib.sha256(orjson.dumps(said)).hexdigest()
    assert broken(chained) == broken(chained, HERE) == broken(chained, "nowhere") == []


def test_a_chain_goes_on_within_a_transaction_and_starts_again_after_a_failed_one(store: SqlStore) -> None:
    with store.transaction([HERE]) as tx:
        tx.write(changes(audit=[act("s1")]))
        with pytest.raises(ZeroDivisionError), tx.savepoint():
            tx.write(changes(audit=[act("s2")]))
            raise ZeroDivisionError
        tx.write(changes(audit=[act("s3")]))
    assert rows(store, AuditTable.n, AuditTable.subject) == [(1, "s1"), (2, "s3")]
    assert broken(store) == []


def test_acts_are_written_only_where_the_area_is_held(store: SqlStore) -> None:
    with pytest.raises(ValueError, match=THERE), store.transaction([HERE]) as tx:
        tx.write(changes(audit=[act("s1"), act("s1", THERE)]))
    assert rows(store, AuditTable.n) == []


@pytest.mark.parametrize(
    "change",
    [
        {"detail": b'{"a":["x"],"b":2}'}, {"detail": b"no JSON"}, {"who": "u22"}, {"act": "reject"}, {"at": NOON + 1},
        {"subject": "s9"}, {"sub": None}, {"hash": "0" * 64}, {"prev": "0" * 64},
    ],
    ids=str,
)  # fmt: skip
def test_a_row_that_was_changed_is_found(chained: SqlStore, change: dict[str, object]) -> None:
    with chained.transaction([]) as tx:
        tx.connection.execute(update(audit).where(audit.c.area == HERE, audit.c.n == 2).values(change))
    found = broken(chained)
    assert (HERE, 2) in found
    assert set(found) <= {(HERE, 2), (HERE, 3)}, "the next one names the hash that was there"
    assert broken(chained, HERE) == found
    assert broken(chained, THERE) == []


@pytest.mark.parametrize(("gone", "shows"), [(1, 2), (3, 4)])
def test_a_row_that_was_removed_is_found_at_the_next(chained: SqlStore, gone: int, shows: int) -> None:
    with chained.transaction([]) as tx:
        tx.connection.execute(delete(audit).where(audit.c.area == HERE, audit.c.n == gone))
    assert broken(chained) == [(HERE, shows)]


def test_a_row_that_was_removed_is_found_also_if_the_others_were_numbered_again(chained: SqlStore) -> None:
    with chained.transaction([]) as tx:
        tx.connection.execute(delete(audit).where(audit.c.area == HERE, audit.c.n == 3))
        for n in (4, 5):
            tx.connection.execute(update(audit).where(audit.c.area == HERE, audit.c.n == n).values(n=n - 1))
    assert broken(chained) == [(HERE, 3), (HERE, 4)]


def test_rows_that_changed_places_are_found(chained: SqlStore) -> None:
    with chained.transaction([]) as tx:
        for before, after in ((2, 9), (3, 2), (9, 3)):
            tx.connection.execute(update(audit).where(audit.c.area == HERE, audit.c.n == before).values(n=after))
    assert broken(chained) == [(HERE, 2), (HERE, 3), (HERE, 4)]


def test_a_row_that_was_moved_to_another_area_is_found(chained: SqlStore) -> None:
    with chained.transaction([]) as tx:
        tx.connection.execute(update(audit).where(audit.c.area == HERE, audit.c.n == 5).values(area=THERE, n=3))
    assert broken(chained) == [(THERE, 3)]
