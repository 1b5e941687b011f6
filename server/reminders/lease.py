"""Who may run the scheduled jobs: a row, renewed every 10 s, taken over after 30 s.

It works on both databases and through a connection pooler, which an advisory lock of a session would not.
"""

import os
import secrets
import socket

from sqlalchemy import Connection, select, update

from server.store.dialects import WRITING, upsert
from server.store.store import table
from server.store.tables import Lease, db

NAME = "jobs"
TERM = 30_000


class LeaseHolder:
    """One process's claim. `hold` renews or takes it; `fence` is the number that its jobs check."""

    def __init__(self) -> None:
        self.holder = f"{socket.gethostname()[:25]}:{os.getpid()}:{secrets.token_hex(8)}"
        self.fence = 0

    def hold(self, now: int) -> bool:
        """Renew the lease, or take it over if it has run out; says whether it is ours."""
        with db.engine.connect().execution_options(**{WRITING: True}) as connection, connection.begin():
            first = {"name": NAME, "holder": "", "fence": 0, "until": 0}
            upsert(connection, table(Lease), [first], keep=("holder", "fence", "until"))
            query = select(Lease.holder, Lease.fence, Lease.until).where(Lease.name == NAME)
            if connection.dialect.name == "postgresql":
                query = query.with_for_update()
            row = connection.execute(query).one()
            if row.holder != self.holder and row.until > now:
                return False
            self.fence = row.fence if row.holder == self.holder else row.fence + 1
            taking = update(table(Lease)).where(Lease.name == NAME)
            connection.execute(taking.values(holder=self.holder, fence=self.fence, until=now + TERM))
            return True

    def current(self) -> bool:
        """Whether nobody has taken the lease over since; a job asks before each of its turns."""
        with db.engine.connect() as connection:
            return self.holds(connection)

    def holds(self, connection: Connection) -> bool:
        """The same, as this connection's transaction sees it."""
        return self.fence > 0 and connection.scalar(select(Lease.fence).where(Lease.name == NAME)) == self.fence
