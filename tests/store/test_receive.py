"""The whole use case on both databases: what two phones send about one household, and what is kept."""

import copy
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from itertools import pairwise
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import event, func, select

from server.demo.commune import Commune, Item, commune
from server.store.people import add_user, assign
from server.store.tables import ConflictTable, FeedEntry, MadeTable, OpTable, Submission, VisitTable, db
from server.world import Nest, current_nest
from sync.arrival import Arrival, Sender
from sync.envelope import RawItem
from sync.receive import receive
from sync.times import to_ms

TOWN: Commune = commune(date(2026, 11, 24), households=120)
MINUTE = 60_000
Receipts = list[dict[str, Any]]


def children_of(item: Item) -> list[str]:
    return [row["__id"] for row in item.answers.get("members", []) if row.get("__id")]


REGISTRATION = next(item for item in TOWN.registrations if len(children_of(item)) == 2)
CHILDREN = children_of(REGISTRATION)
SITUATION = next(item for item in TOWN.situations if item.child in CHILDREN and item.answers["visit_result"] == "1")
assert SITUATION.child is not None
CHILD: str = SITUATION.child
PHONES = ("p1", "p2")


@dataclass
class Phones:
    """Two phones of one collaborator, and the server that they send to."""

    nest: Nest
    at: int = 0

    def item(self, source: Item, base: str = "0-", **values: Any) -> dict[str, Any]:
        """The batch item of a visit, on `base`; a child's page showed what is stored now."""
        form = "child_situation" if source.child else "household_registration"
        claim: dict[str, Any] = {"type": "household", "id": source.household, "base": base}
        if source.child:
            row = self.ledger(source.child).row
            claim = {"type": "child", "id": source.child, "base": base, "seen": dict(row.data)}
        body = {
            "id": source.instance_id, "form": form, "kind": "visit", "author": source.author,
            "version": next(known.version for known in self.nest.catalogue.current() if known.id == form),
            "observed_at": source.observed_at, "answers": copy.deepcopy(source.answers), "entities": [claim],
        }  # fmt: skip
        return body | values

    def send(self, *items: dict[str, Any], phone: str = "p1") -> Receipts:
        observed = [to_ms(datetime.fromisoformat(item["observed_at"])) for item in items]
        self.at = max(self.at, *observed) + MINUTE  # ms
        sender = Sender(REGISTRATION.author, phone, frozenset({REGISTRATION.author}), 0)
        arrivals: list[Arrival] = []
        for item in items:
            raw = RawItem(orjson.dumps(item), item, None)
            arrivals.append(self.nest.reader.read(raw, sender, None, self.at))
        return receive(arrivals, self.nest.store, self.nest.world, self.at)

    def ledger(self, ident: str) -> Any:
        with self.nest.store.transaction([]) as tx:
            return tx.ledgers([ident])[ident]

    def base(self, ident: str) -> str:
        row = self.ledger(ident).row
        return f"{row.rev}-{row.etag}"

    def register(self) -> Receipts:
        return self.send(self.item(REGISTRATION))

    def count(self, *where: Any) -> int:
        with self.nest.store.transaction([]) as tx:
            return tx.connection.scalar(select(func.count()).where(*where)) or 0


def prepare(app: Flask) -> Phones:
    with app.app_context():
        for user in TOWN.users:
            add_user(user.id, user.name, user.role)
            for hamlet in user.hamlets:
                assign(user.id, TOWN.area, hamlet, date(2025, 7, 1))
        db.session.commit()
        db.session.remove()
        nest = current_nest()
        assert nest.store
        return Phones(nest)


@pytest.fixture
def phones(app: Flask) -> Phones:
    return prepare(app)


def renamed(source: Item, name: str) -> dict[str, Any]:
    return source.answers | {"full_name": name}


def test_a_household_and_its_children_are_registered_in_one_submission(phones: Phones) -> None:
    (receipt,) = phones.register()
    assert (receipt["outcome"], receipt["repeat"], receipt["problems"]) == ("applied", False, [])
    found = [(entity["type"], entity["id"], entity["revision"]) for entity in receipt["entities"]]
    adults = [one for one in found if one[0] == "person"]
    assert len(adults) == sum(row["member_kind"] == "2" for row in REGISTRATION.answers["members"]) == 2
    assert sorted(found) == sorted(
        [("household", REGISTRATION.household, 1), *(("child", child, 1) for child in CHILDREN), *adults]
    )
    scope = f"{TOWN.area}/{REGISTRATION.answers['hamlet_code']}"
    for child in CHILDREN:
        row = phones.ledger(child).row
        assert (row.scope, row.household, row.area) == (scope, REGISTRATION.household, TOWN.area)
    assert phones.count(FeedEntry.scope == scope, FeedEntry.kind == "entity", FeedEntry.here) == 5
    assert phones.count(VisitTable.subject == REGISTRATION.household, VisitTable.rule == "F-HHQ") == 1
    assert phones.count(MadeTable.sub == REGISTRATION.instance_id) == 5


def test_a_situation_goes_into_the_child(phones: Phones) -> None:
    phones.register()
    (receipt,) = phones.send(phones.item(SITUATION, phones.base(CHILD)))
    assert (receipt["outcome"], receipt["warnings"]) == ("applied", [])
    row = phones.ledger(CHILD).row
    assert receipt["entities"][0]["etag"] == f"2-{row.etag}"
    assert row.data["risk_now"] == SITUATION.answers["risk_now"]
    assert row.data["birth_reg"] == SITUATION.answers["birth_reg"]


def test_the_same_submission_again_gets_the_same_receipt_and_changes_nothing(phones: Phones) -> None:
    item = phones.item(REGISTRATION)
    (first,) = phones.send(item)
    second, third = phones.send(item, dict(reversed(item.items())), phone="p2")
    assert second == third == first | {"repeat": True}
    assert phones.count(Submission.id.is_not(None)) == 1
    assert phones.count(OpTable.entity == CHILD) == 1


def test_two_copies_in_one_batch_are_one_submission(phones: Phones) -> None:
    item = phones.item(REGISTRATION)
    first, second = phones.send(item, item)
    assert second == first | {"repeat": True}
    assert phones.count(OpTable.entity == CHILD) == 1


def test_another_content_under_a_used_id_is_kept_and_held(phones: Phones) -> None:
    phones.register()
    before = phones.ledger(REGISTRATION.household)
    other = phones.item(REGISTRATION, answers=REGISTRATION.answers | {"head_name": "Trần Văn Khác"})
    first, again = phones.send(other)[0], phones.send(other)[0]
    assert (first["outcome"], first["reason"]) == ("quarantined", "id_reuse")
    assert first["kept_as"].startswith(f"{REGISTRATION.instance_id}~")
    assert again == first | {"repeat": True}
    assert phones.count(Submission.id == first["kept_as"]) == 1
    after = phones.ledger(REGISTRATION.household)
    assert (after.row.data, after.ops) == (before.row.data, before.ops)


def test_two_phones_that_did_not_see_each_other_open_a_conflict(phones: Phones) -> None:
    phones.register()
    base = phones.base(CHILD)
    ids = ("uuid:one", "uuid:two")
    items = [
        phones.item(SITUATION, base, id=ident, answers=renamed(SITUATION, name))
        for ident, name in zip(ids, ("Lê Thị Một", "Lê Thị Hai"), strict=True)
    ]
    first, second = phones.send(items[0], phone="p1")[0], phones.send(items[1], phone="p2")[0]
    assert (first["outcome"], second["outcome"]) == ("applied", "conflict")
    (conflict,) = second["entities"][0]["conflicts"]
    assert phones.count(ConflictTable.id == conflict, ConflictTable.open, ConflictTable.cell == "full_name") == 1


def story(phones: Phones) -> tuple[Receipts, list[Any]]:
    """Everything above, one after another; the receipts, and what became of the entities."""
    receipts = phones.register()
    base = phones.base(CHILD)
    items = [
        phones.item(SITUATION, base, id=f"uuid:{name}", answers=renamed(SITUATION, f"Lê Thị {name.title()}"))
        for name in ("one", "two")
    ]
    for phone, item in zip(PHONES, items, strict=True):
        receipts += phones.send(item, item, phone=phone)
    receipts += phones.send(phones.item(REGISTRATION, answers=REGISTRATION.answers | {"head_name": "Khác"}))
    receipts += phones.send(phones.item(SITUATION, phones.base(CHILD), id="uuid:three"))
    return receipts, [phones.ledger(ident) for ident in (REGISTRATION.household, *CHILDREN)]


def test_both_databases_give_the_same_receipts_and_states(sqlite_app: Flask, postgresql_app: Flask) -> None:
    told, kept = story(prepare(sqlite_app))
    told_too, kept_too = story(prepare(postgresql_app))
    assert told == told_too
    assert kept == kept_too
    assert {receipt["outcome"] for receipt in told} == {"applied", "conflict", "quarantined"}


def test_a_larger_batch_takes_no_more_statements(phones: Phones) -> None:
    def batch(items: list[Item]) -> int:
        statements: list[str] = []

        def note(connection: Any, cursor: Any, statement: str, *rest: Any) -> None:
            statements.append(statement)

        engine = phones.nest.store._engine
        sent = [phones.item(item, author=REGISTRATION.author) for item in items]
        event.listen(engine, "before_cursor_execute", note)
        receipts = phones.send(*sent)
        event.remove(engine, "before_cursor_execute", note)
        assert {receipt["outcome"] for receipt in receipts} == {"applied"}
        return len(statements)

    mine = [
        item
        for item in TOWN.registrations
        if item.author == REGISTRATION.author and item.answers["visit_result"] == "1" and children_of(item)
    ]
    assert len(mine) > 20
    batch(mine[:1])  # makes the counters
    assert batch(mine[1:3]) == batch(mine[3:20])


def test_an_area_found_while_deciding_makes_the_transaction_start_over_with_it(
    phones: Phones, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was read before locking may be out of date: the batch names no area, but its child lives in one."""
    store, opened = phones.nest.store, list[set[str]]()
    begin = store.transaction

    def watched(areas: Collection[str]) -> Any:
        opened.append(set(areas))
        return begin(areas)

    monkeypatch.setattr(store, "areas_of", lambda ids: {})
    monkeypatch.setattr(store, "transaction", watched)
    test_a_situation_goes_into_the_child(phones)
    assert (set(), {TOWN.area}) in pairwise(opened)
