"""A forgotten password: an administrator gives out another one, good for some days, and the audit log notes it."""

import secrets

from server.audit import append
from server.auth.passwords import put_password
from server.auth.writing import write
from server.store.store import SqlTransaction
from sync.ports import AuditRow
from sync.times import DAY

DAYS = 3
LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is mistaken for another when it is read out
GROUPS, LENGTH = 3, 4  # 12 letters of 31: 59 bits


def recover(user: str, by: str, area: str, at: int) -> str:
    """Another password for `user`, told this once; his logins end. `area` is where the audit log notes it."""
    word = "-".join("".join(secrets.choice(LETTERS) for _ in range(LENGTH)) for _ in range(GROUPS))
    put = put_password(user, word, at, at + DAYS * DAY)

    def both(tx: SqlTransaction) -> None:
        put(tx)
        append(tx.connection, [AuditRow(area, at, by, "password", user, detail={"days": DAYS})], tx.areas)

    write(both, {area})
    return word
