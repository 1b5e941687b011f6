"""THE use case: a batch of arrivals goes in; receipts come out, and everything that follows from them is stored.

Whatever waits becomes one transaction: lock the areas, see what is here already, decide (pure), write. If it
turns out that an area is touched which is not held, everything is rolled back and starts over with the union.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms.entity_types import EntityType
from sync.authority import Author
from sync.decide import Decision
from sync.follow import follow
from sync.places import Places
from sync.ports import Changes, Held, Raced, Store, Transaction
from sync.reading import Arrival
from sync.visits.calendar import Calendar
from sync.visits.rules import Rules
from sync.workspace import Workspace

TRIES = 4


@dataclass(frozen=True)
class World:
    """What deciding needs to know besides the store: the same for every transaction."""

    types: Mapping[str, EntityType]
    places: Places
    rules: Rules
    calendar: Calendar


class Unsettled(RuntimeError):
    """The areas of a batch kept growing, or it kept losing races; nothing was stored, try again."""


def receive(arrivals: Sequence[Arrival], store: Store, world: World, now: int) -> list[dict[str, Any]]:
    """Store and apply `arrivals` (`now` in ms); a receipt for each, in order. Raises `Unsettled`."""
    areas = _first_areas(arrivals, store)
    for _ in range(TRIES):
        try:
            with store.transaction(areas) as tx:
                receipts, changes = _decide(arrivals, tx, world, now)
                needed = changes.areas()
                if needed <= tx.areas:
                    tx.write(changes)
                    return receipts
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
    arrivals: Sequence[Arrival], tx: Transaction, world: World, now: int
) -> tuple[list[dict[str, Any]], Changes]:
    held = dict(tx.held({ident for arrival in arrivals for ident in (arrival.id, reused_id(arrival))}))
    authors = tx.authors({arrival.author for arrival in arrivals})
    space = Workspace(tx, world.types, {ident for arrival in arrivals for ident in arrival.names})
    changes = Changes(at=now)
    receipts = []
    for arrival in arrivals:
        known = _known(arrival, held)
        if known is not None:
            receipts.append({**known.receipt, "repeat": True})
            continue
        reused = arrival.id in held
        decision = Decision(arrival, reused, space, world.places, _author(authors, arrival))
        row = decision.take(changes)
        held[row.id] = Held(row.sha256, row.receipt)
        receipts.append(dict(row.receipt))
    follow(space, changes, tx, world.rules, world.calendar, now)
    return receipts, changes


def _author(authors: Mapping[str, Author], arrival: Arrival) -> Author:
    return authors[arrival.author]


def reused_id(arrival: Arrival) -> str:
    """The id under which an item is kept whose own id already names another content."""
    return f"{arrival.id}~{arrival.sha256[:8]}"


def _known(arrival: Arrival, held: Mapping[str, Held]) -> Held | None:
    """The same content under the same id, received before: here, or earlier in this batch."""
    for ident in (arrival.id, reused_id(arrival)):
        if ident in held and held[ident].sha256 == arrival.sha256:
            return held[ident]
    return None
