"""Submissions of the demonstration, sent through the same door as a phone's batch, each at its own time."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import select

from server.clock import now
from server.demo.commune import Item
from server.store.tables import Entity, db
from server.world import Nest, current_nest
from sync.arrival import Sender
from sync.envelope import RawItem
from sync.receive import receive
from sync.times import DAY, to_ms

LAG = 2 * 3_600_000  # a phone of the demonstration syncs two hours after its visits
PAPER = 9 * DAY  # after which a paper is entered


def send(nest: Nest, items: Sequence[Item], senders: Mapping[str, Sender]) -> None:
    """Receive these items as one transaction. None of them has seen another one of them."""
    known = _known(item.child for item in items if item.child)
    arrivals = [
        nest.reader.read(raw_item(body(item, known)), senders[item.author], None, _arrived(item)) for item in items
    ]
    receive(arrivals, nest.store, nest.world, now())


def _arrived(item: Item) -> int:
    observed = to_ms(datetime.fromisoformat(item.observed_at))
    return min(observed + PAPER, now()) if item.late else observed + LAG


def _known(ids: Iterable[str]) -> dict[str, Entity]:
    db.session.rollback()  # a reader sees what was there when it began
    found = db.session.scalars(select(Entity).where(Entity.id.in_(list(ids))))
    return {entity.id: entity for entity in found}


def body(item: Item, known: Mapping[str, Entity]) -> dict[str, Any]:
    """The batch item of one submission, made on the child's present state."""
    form = item.form or ("child_situation" if item.child else "household_registration")
    version = next(f.version for f in current_nest().catalogue.current() if f.id == form)
    claims: list[dict[str, Any]] = []
    if item.household and not item.child:
        claims = [{"type": "household", "id": item.household, "base": "0-"}]
    if item.child:
        child = known[item.child]
        claims = [
            {
                "type": "child",
                "id": child.id,
                "base": f"{child.rev}-{child.etag}",
                "seen": orjson.loads(child.data),
            }
        ]
    return {
        "id": item.instance_id,
        "form": form,
        "version": version,
        "author": item.author,
        "kind": "visit",
        "observed_at": item.observed_at,
        **({"entered_late": True} if item.late else {}),
        "answers": item.answers,
        "entities": claims,
    }


def raw_item(value: Mapping[str, Any]) -> RawItem:
    """An item as it would come out of a batch."""
    return RawItem(orjson.dumps(value), dict(value), None)
