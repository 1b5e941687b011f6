"""THE use case: a batch of arrivals goes in; receipts come out, and everything that follows from them is stored.

Whatever waits becomes one transaction: lock the areas, see what is here already, decide (pure), write. If it
turns out that an area is touched which is not held, everything is rolled back and starts over with the union.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from forms.entity_types import EntityType, protected_id
from sync.arrival import Arrival
from sync.decide import Decision
from sync.facts import freeze
from sync.follow import follow
from sync.media import hashes_of
from sync.places import Places
from sync.ports import Changes, Held, Raced, Store, Transaction
from sync.visits.calendar import Calendar
from sync.visits.rules import Rules
from sync.workspace import Workspace

TRIES = 4
Result = TypeVar("Result")


@dataclass(frozen=True)
class World:
    """What deciding needs to know besides the store: the same for every transaction."""

    types: Mapping[str, EntityType]
    places: Places
    rules: Rules
    calendar: Calendar


class Unsettled(RuntimeError):
    """The areas of a batch kept growing, or it kept losing races; nothing was stored, try again."""


def receive(
    arrivals: Sequence[Arrival],
    store: Store,
    world: World,
    now: int,
    report: Callable[[Exception], None] = lambda e: None,
) -> list[dict[str, Any]]:
    """Store and apply `arrivals` (`now` in ms); a receipt for each, in order. Raises `Unsettled`.

    If the whole fails by a fault of ours, which `report` is told, it is redone item by item: one that cannot be
    applied is kept with the outcome `stored`, and the others do not suffer from it.
    """
    areas = _first_areas(arrivals, store)
    try:
        return transact(store, areas, lambda tx: _decide(arrivals, tx, world, now))
    except Unsettled:
        raise
    except Exception as error:  # whatever it was, nothing that was sent may be lost
        report(error)
        return transact(store, areas, lambda tx: (_one_by_one(arrivals, tx, world, now, report), Changes(at=now)))


def _one_by_one(
    arrivals: Sequence[Arrival], tx: Transaction, world: World, now: int, report: Callable[[Exception], None]
) -> list[dict[str, Any]]:
    receipts: list[dict[str, Any]] = []
    lacking: set[str] = set()  # learnt of all items at once: each alone would start everything over
    for index, arrival in enumerate(arrivals):
        try:
            receipts += _kept(arrival, index, tx, world, now, report)
        except _Grew as grew:
            lacking |= grew.areas
    if lacking:
        raise _Grew(lacking)
    return receipts


def _kept(
    arrival: Arrival, index: int, tx: Transaction, world: World, now: int, report: Callable[[Exception], None]
) -> list[dict[str, Any]]:
    try:
        return _singly(arrival, index, tx, world, now)
    except (_Grew, Raced):
        raise
    except Exception as error:
        report(error)
        return _singly(replace(arrival, fault=True), index, tx, world, now)


def _singly(arrival: Arrival, index: int, tx: Transaction, world: World, now: int) -> list[dict[str, Any]]:
    with tx.savepoint():
        receipts, changes = _decide([arrival], tx, world, now, index)
        if not changes.areas() <= tx.areas:
            raise _Grew(changes.areas())
        tx.write(changes)
    return receipts


def transact(store: Store, areas: set[str], decide: Callable[[Transaction], tuple[Result, Changes]]) -> Result:
    """Decide and write under the counters of all areas touched; again with more of them if need be."""
    for _ in range(TRIES):
        try:
            with store.transaction(areas) as tx:
                result, changes = decide(tx)
                needed = changes.areas()
                if needed <= tx.areas:
                    tx.write(changes)
                    return result
                raise _Grew(needed)
        except _Grew as grew:
            areas |= grew.areas
        except Raced:
            continue
    raise Unsettled


class _Grew(Exception):
    """The batch touches areas that are not locked."""

    def __init__(self, areas: set[str]) -> None:
        super().__init__()
        self.areas = areas


def _first_areas(arrivals: Sequence[Arrival], store: Store) -> set[str]:
    """The areas a batch will probably touch: where its entities live, and the wards of its answers."""
    named = {ident for arrival in arrivals for ident in arrival.names}
    areas = set(store.areas_of(named).values())
    areas |= {ward for arrival in arrivals for told in arrival.told if (ward := told.said.get("ward_code"))}
    return areas


def _decide(
    arrivals: Sequence[Arrival], tx: Transaction, world: World, now: int, first: int = 0
) -> tuple[list[dict[str, Any]], Changes]:
    held = dict(tx.held({ident for arrival in arrivals for ident in (arrival.id, reused_id(arrival))}))
    fresh = [arrival for arrival in arrivals if _known(arrival, held) is None]
    space = Workspace(tx, world.types, {i for a in fresh for i in concerned(a)}, {a.id for a in fresh})
    space.learn({ident for arrival in fresh for ident in (arrival.id, arrival.amends) if ident})
    space.authors({arrival.author for arrival in arrivals})
    space.here = tx.here({sha256 for arrival in fresh for sha256 in hashes_of(arrival)})
    changes = Changes(at=now)
    receipts = []
    for index, arrival in enumerate(arrivals):
        known = _known(arrival, held)
        if known is not None:
            receipts.append({**known.receipt, "repeat": True})
            continue
        author = space.authors([arrival.author])[arrival.author]
        decision = Decision(arrival, freeze(arrival, author, first + index), space, author, arrival.id in held)
        row = decision.take(changes)
        held[row.id] = Held(row.sha256, row.receipt)
        receipts.append(dict(row.receipt))
    follow(space, changes, world.rules, world.calendar, now)
    return receipts, changes


def concerned(arrival: Arrival) -> set[str]:
    """What an arrival names, and what that hangs together with: households, protected halves."""
    owners = (told.said.get(name) for told in arrival.told for name in ("household", "child"))
    homes = {owner for owner in owners if isinstance(owner, str)}
    halves = {protected_id(told.id) for told in arrival.told if told.type == "child"}
    return {*arrival.names, *homes, *halves}


def reused_id(arrival: Arrival) -> str:
    """The id under which an item is kept whose own id already names another content."""
    return f"{arrival.id}~{arrival.sha256[:8]}"


def _known(arrival: Arrival, held: Mapping[str, Held]) -> Held | None:
    """The same content under the same id, received before: here, or earlier in this batch."""
    for ident in (arrival.id, reused_id(arrival)):
        if ident in held and held[ident].sha256 == arrival.sha256:
            return held[ident]
    return None
