"""How a phone goes: its right to read is taken away, it says that it has deleted everything."""

from sqlalchemy import select, update

from server.audit import append
from server.auth.writing import write
from server.problems import Problem
from server.store.devices import device, write_wiped
from server.store.store import SqlTransaction
from sync.ports import AuditRow


def revoke(ident: str, by: str, area: str, reason: str, at: int) -> int:
    """Take away an installation's right to read; gives when that was done (ms). The audit log of `area` notes it.

    One that is revoked already stays as it is. Raises the problem `not_found`.
    """
    return write(lambda tx: revoke_in(tx, ident, by, area, reason, at), [area])


def revoke_in(tx: SqlTransaction, ident: str, by: str, area: str, reason: str, at: int) -> int:
    """The same within a transaction that holds the counter of `area`."""
    query = select(device.c.revoked_at).where(device.c.id == ident).with_for_update()
    row = tx.connection.execute(query).one_or_none()
    if row is None:
        raise Problem("not_found")
    if row.revoked_at is not None:
        return int(row.revoked_at)
    tx.connection.execute(update(device).where(device.c.id == ident).values(revoked_at=at))
    append(tx.connection, [AuditRow(area, at, by, "revoke", ident, detail={"reason": reason})], tx.areas)
    return at


def wiped(ident: str, at: int) -> None:
    """Note that an installation has deleted everything it had been told."""
    write(lambda tx: write_wiped(tx.connection, ident, at))
