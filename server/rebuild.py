"""Everything derived, computed anew from the log in short turns, and compared with what is stored."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice

import orjson
from sqlalchemy import func, select

from server.store.tables import Entity, OpTable, Submission, SubmissionState, db
from server.world import Nest
from sync.ports import Changes, Review, Transaction
from sync.rebuild import HELD, Acts, Rebuilt, rebuild, rebuild_alarms
from sync.receive import transact
from sync.state.model import Act

CHUNK = 20  # a turn must stay short, or syncing waits for it
Turn = Callable[[Callable[[], Rebuilt]], Rebuilt]


def rebuild_all(nest: Nest, now: int, turn: Turn, write: bool) -> Rebuilt:
    """Compute every entity and every held submission anew; with `write`, mend what differs."""
    acts, found = _acts(), Rebuilt()
    for area, ids in _entities():
        _add(found, turn(partial(_entities_turn, nest, area, ids, now, acts, write)))
    for area, subs in _held():
        _add(found, turn(partial(_alarms_turn, nest, area, subs, now, write)))
    return found


def _add(found: Rebuilt, one: Rebuilt) -> None:
    found.entities += one.entities
    found.differences |= one.differences


def _entities_turn(nest: Nest, area: str, ids: list[str], now: int, acts: Acts, write: bool) -> Rebuilt:
    def decide(tx: Transaction) -> tuple[Rebuilt, Changes]:
        found, changes = rebuild(ids, tx, nest.world, nest.reader, now, acts)
        return found, changes if write and found.differences else Changes(at=now)

    return transact(nest.store, {area}, decide)


def _alarms_turn(nest: Nest, area: str, subs: list[str], now: int, write: bool) -> Rebuilt:
    def decide(tx: Transaction) -> tuple[Rebuilt, Changes]:
        held = list(tx.submissions(subs).values())
        found, changes = rebuild_alarms(held, tx, nest.world, nest.reader, now)
        return found, changes if write and found.differences else Changes(at=now)

    return transact(nest.store, {area}, decide)


def _entities() -> Iterator[tuple[str, list[str]]]:
    """Every entity of which anything is said, by area, households beside their members."""
    home = func.coalesce(Entity.household, Entity.id)
    query = select(Entity.area, Entity.id).order_by(Entity.area, home, Entity.id)
    by_area: dict[str, list[str]] = {}
    for row in db.session.execute(query):
        by_area.setdefault(row.area, []).append(row.id)
    known = select(Entity.id)
    for row in db.session.execute(
        select(OpTable.area, OpTable.entity).where(OpTable.entity.not_in(known)).distinct()
    ):
        by_area.setdefault(row.area, []).append(row.entity)
    for area in sorted(by_area):
        yield from ((area, some) for some in _chunks(by_area[area]))


def _held() -> Iterator[tuple[str, list[str]]]:
    states = [state.value for state in (*HELD, Review.STORED)]
    query = select(SubmissionState.area, SubmissionState.sub).where(SubmissionState.state.in_(states))
    by_area: dict[str, list[str]] = {}
    for row in db.session.execute(query.order_by(SubmissionState.area, SubmissionState.sub)):
        by_area.setdefault(row.area, []).append(row.sub)
    for area, subs in by_area.items():
        yield from ((area, some) for some in _chunks(subs))


def _chunks(ids: list[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while some := list(islice(rest, CHUNK)):
        yield some


def _acts() -> Acts:
    """The desk's acts on submissions, by target, in the order in which they were made."""
    query = select(Submission.kind, Submission.received_at, Submission.facts).where(Submission.dialect == "desk")
    found: dict[str, list[tuple[int, Act]]] = {}
    for row in db.session.execute(query.order_by(Submission.received_at, Submission.id)):
        target = orjson.loads(row.facts).get("target") if row.facts else None
        if target is not None:
            found.setdefault(target, []).append((row.received_at, Act(row.kind)))
    return found
