"""What is known to be on a phone: what its pages gave, less what they took, once it is known that they were read."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert

from server.store.devices import Seen, Told, held, turn_of, write_seen, write_told
from server.store.store import SqlStore
from server.store.tables import Device, Holding
from tests.store.samples import HERE, rows

PHONE, OTHER = "máy 1", "máy 2"
FIRST, SECOND = f"{HERE}/01", f"{HERE}/02"


def tell(store: SqlStore, turn: int, at: int, phone: str = PHONE, user: str = "u1", **page: Any) -> None:
    with store.transaction([]) as tx:
        write_told(tx.connection, phone, Told(user, turn, **page), at)


def on(store: SqlStore, phone: str = PHONE) -> Mapping[tuple[str, str], str]:
    with store.transaction([]) as tx:
        return held(tx.connection, phone)


def entities(store: SqlStore, phone: str = PHONE) -> list[str]:
    return [entity for _, entity in on(store, phone)]


def turn(store: SqlStore, phone: str = PHONE, user: str = "u1") -> int:
    with store.transaction([]) as tx:
        return turn_of(tx.connection, phone, user)


def test_what_a_page_gives_is_held_from_then_on_and_in_its_newest_scope(store: SqlStore) -> None:
    assert on(store) == {}
    tell(store, 1, 100, entities={"c1": FIRST, "c2": FIRST})
    assert on(store) == {("u1", "c1"): FIRST, ("u1", "c2"): FIRST}
    tell(store, 2, 200, entities={"c2": SECOND})
    assert on(store) == {("u1", "c1"): FIRST, ("u1", "c2"): SECOND}
    times = rows(store, Holding.entity, Holding.since, Holding.served, Holding.until, Holding.turn)
    assert times == [("c1", 100, 100, None, None), ("c2", 100, 200, None, None)]


def test_what_a_page_takes_is_held_until_it_is_known_that_the_page_was_read(store: SqlStore) -> None:
    tell(store, 1, 100, entities={"c1": FIRST, "c2": FIRST})
    tell(store, 2, 200, gone=["c1", "strange"])
    assert entities(store) == ["c1", "c2"], "the answer may have been lost"
    tell(store, 2, 250, gone=["c1"])
    assert entities(store) == ["c1", "c2"], "it was: the same page is asked for again"
    assert rows(store, Holding.entity, Holding.until, Holding.turn)[0] == ("c1", 250, 2)
    tell(store, 3, 300)
    assert entities(store) == ["c2"]


def test_what_a_lost_page_took_is_held_if_the_page_in_its_place_does_not_take_it(store: SqlStore) -> None:
    """It was asked for again with a smaller limit, or more had changed meanwhile."""
    tell(store, 1, 100, entities={"c1": FIRST, "c2": FIRST, "c3": SECOND})
    tell(store, 2, 200, gone=["c1", "c2"], dropped=[SECOND])
    tell(store, 2, 250, gone=["c2"])
    tell(store, 3, 300, gone=["c1"], dropped=[SECOND])
    assert entities(store) == ["c1", "c3"]
    tell(store, 4, 400)
    assert entities(store) == []
    tell(store, 2, 450)
    assert entities(store) == [], "a late request asks for what was read long ago"


def test_whoever_never_came_back_holds_what_was_taken(store: SqlStore) -> None:
    tell(store, 1, 100, entities={"c1": FIRST})
    tell(store, 1, 200, gone=["c1"])
    assert turn(store) == 0
    assert entities(store) == ["c1"]


def test_what_comes_again_is_held_as_if_it_had_never_gone(store: SqlStore) -> None:
    tell(store, 1, 100, entities={"c1": FIRST})
    tell(store, 2, 200, gone=["c1"])
    tell(store, 3, 300, entities={"c1": SECOND})
    tell(store, 4, 400)
    assert on(store) == {("u1", "c1"): SECOND}
    assert rows(store, Holding.since, Holding.served, Holding.until, Holding.turn) == [(100, 300, None, None)]


def test_a_dropped_scope_takes_what_lies_in_it_and_nothing_else(store: SqlStore) -> None:
    tell(store, 1, 100, entities={"c1": FIRST, "c2": SECOND, "c3": FIRST})
    tell(store, 2, 200, dropped=[FIRST], entities={"c3": SECOND})
    assert entities(store) == ["c1", "c2", "c3"]
    tell(store, 3, 300)
    assert on(store) == {("u1", "c2"): SECOND, ("u1", "c3"): SECOND}


def test_the_end_of_a_full_pull_sweeps_what_it_did_not_tell(store: SqlStore) -> None:
    tell(store, 1, 100, entities={"c1": FIRST, "c2": FIRST, "c3": FIRST})
    tell(store, 2, 500, entities={"c1": FIRST})
    tell(store, 3, 600, entities={"c2": FIRST}, swept=500)
    assert entities(store) == ["c1", "c2", "c3"], "the last page may have been lost"
    tell(store, 4, 700)
    assert entities(store) == ["c1", "c2"]
    assert rows(store, Holding.entity, Holding.since) == [("c1", 100), ("c2", 100), ("c3", 100)]


def test_users_and_phones_are_told_apart(store: SqlStore) -> None:
    for phone, user in ((PHONE, "u1"), (PHONE, "u2"), (OTHER, "u1")):
        tell(store, 1, 100, phone, user, entities={"c1": FIRST, "c2": SECOND})
    tell(store, 2, 200, gone=["c1"], dropped=[SECOND], swept=150)
    tell(store, 3, 300)
    assert (turn(store), turn(store, user="u2"), turn(store, OTHER)) == (2, 0, 0)
    for phone, user in ((PHONE, "u2"), (OTHER, "u1")):  # who have read whatever there was to read
        tell(store, 9, 400, phone, user)
    assert on(store) == {("u2", "c1"): FIRST, ("u2", "c2"): SECOND}
    assert on(store, OTHER) == {("u1", "c1"): FIRST, ("u1", "c2"): SECOND}


def test_pages_are_read_in_order_and_a_late_repetition_takes_nothing_back(store: SqlStore) -> None:
    for number in (1, 2, 3):
        tell(store, number, 100 * number, entities={f"c{number}": FIRST})
    assert turn(store) == 2
    tell(store, 2, 400)
    assert turn(store) == 2


def test_thousands_of_things_at_once(store: SqlStore) -> None:
    many = {f"c{number:05d}": FIRST for number in range(5_001)}
    tell(store, 1, 100, entities=many)
    tell(store, 2, 200, gone=list(many))
    tell(store, 3, 300)
    assert entities(store) == []


def test_a_device_says_what_it_says_and_keeps_what_it_said(store: SqlStore) -> None:
    with store.transaction([]) as tx:
        phones = [{"id": ident, "label": "", "enrolled_at": 1} for ident in (PHONE, OTHER)]
        tx.connection.execute(insert(Device), phones)
        write_seen(tx.connection, Seen(PHONE, 10, "1.4.2", -250, 3))
        write_seen(tx.connection, Seen(PHONE, 20, unsent=0))
    columns = (Device.id, Device.last_seen, Device.app, Device.clock_offset, Device.unsent, Device.cloned_at)
    assert rows(store, *columns) == [(PHONE, 20, "1.4.2", -250, 0, None), (OTHER, None, None, None, None, None)]
    with store.transaction([]) as tx:
        write_seen(tx.connection, Seen(PHONE, 30, cloned=True))
        write_seen(tx.connection, Seen(PHONE, 40))
    assert rows(store, *columns)[0] == (PHONE, 40, "1.4.2", -250, 0, 30)
