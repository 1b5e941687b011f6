"""What is noted of a phone with ODK Collect: that it was here, and which entities its lists have put onto it.

Collect never says that it has read a list, so what a newer list lacks counts as gone when that list leaves.
"""

from collections.abc import Mapping
from functools import partial

from sqlalchemy import select, update

from server.auth.tokens import Caller
from server.openrosa.lists import Marks
from server.store.base import connect, table
from server.store.devices import Seen, holding, write_seen
from server.store.dialects import chunks, upsert
from server.store.tables import Entity
from server.world import Nest
from sync.batch import DeviceClock

entity = table(Entity)


def note_seen(nest: Nest, who: Caller, clock: DeviceClock | None, at: int) -> None:
    """Note that a phone was here at `at` (ms), and how far its clock is off."""
    device = who.sender.device
    if device is None or not nest.noted.due(device, at):
        return
    seen = Seen(device, at, "ODK Collect", at - clock.wall if clock else None)
    nest.committer.run(partial(_write_seen, nest, seen))


def note_list(nest: Nest, who: Caller, kind: str, marks: Marks, names: Mapping[str, str], at: int) -> None:
    """Note which entities of a type (id -> scope) a phone has from now on."""
    device = who.sender.device
    if device is None:
        return
    phone = (device, who.user, kind)
    changed = nest.listed.changed(phone, marks)
    mine = [holding.c.device == device, holding.c.user == who.user, holding.c.until.is_(None)]
    if changed is not None:
        mine.append(holding.c.scope.in_(sorted(changed)))
        names = {ident: scope for ident, scope in names.items() if scope in changed}
    query = select(holding.c.entity, holding.c.scope).join(entity, entity.c.id == holding.c.entity)
    with connect() as connection:
        held = dict(iter(connection.execute(query.where(*mine, entity.c.type == kind))))
    fresh = {ident: scope for ident, scope in names.items() if held.get(ident) != scope}
    gone = sorted(held.keys() - names.keys())
    if fresh or gone:
        nest.committer.run(partial(_write_list, nest, (device, who.user), fresh, gone, at))
    nest.listed.note(phone, marks)


def _write_seen(nest: Nest, seen: Seen) -> None:
    with nest.store.transaction([]) as tx:
        write_seen(tx.connection, seen)


def _write_list(nest: Nest, whose: tuple[str, str], fresh: Mapping[str, str], gone: list[str], at: int) -> None:
    device, user = whose
    rows = [
        {"device": device, "user": user, "entity": ident, "scope": scope, "since": at, "served": at}
        | {"until": None, "turn": None}
        for ident, scope in sorted(fresh.items())
    ]
    with nest.store.transaction([]) as tx:
        upsert(tx.connection, holding, rows, keep=["since"])
        for some in chunks(gone):
            ended = update(holding).where(holding.c.device == device, holding.c.user == user)
            ended = ended.where(holding.c.entity.in_(some), holding.c.until.is_(None))
            tx.connection.execute(ended.values(until=at, turn=0))
