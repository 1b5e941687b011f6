"""The phones of the demonstration as if each had synced: what its user may read is on it, and it said how it is."""

from collections.abc import Mapping

from sqlalchemy import select

from server.store.devices import Seen, Told, write_seen, write_told
from server.store.tables import Entity
from server.world import Nest
from sync.arrival import Sender

HOUR = 3_600_000  # ms
# Of each phone in turn: how long ago it was heard (ms), how far its clock is off (ms), what waits on it.
SAID = ((2 * HOUR, 4_000, 0), (26 * HOUR, -192_000, 3), (9 * 24 * HOUR, 21_000, 1))


def synced(nest: Nest, senders: Mapping[str, Sender], at: int) -> None:
    """Note of each phone that it was here, and what it was given."""
    phones = [one for _, one in sorted(senders.items()) if one.device is not None]
    for number, phone in enumerate(phones):
        assert phone.device is not None
        ago, offset, unsent = SAID[number % len(SAID)]
        with nest.store.transaction([]) as tx:
            scopes = {f"{one.area}/{one.hamlet}" for one in tx.authors([phone.user])[phone.user].assignments}
            rows = tx.connection.execute(select(Entity.id, Entity.scope).where(Entity.scope.in_(sorted(scopes))))
            told = Told(phone.user, 1, {row.id: row.scope for row in rows if row.scope is not None})
            write_seen(tx.connection, Seen(phone.device, at - ago, "1.4.2", offset, unsent))
            write_told(tx.connection, phone.device, told, at - ago)
