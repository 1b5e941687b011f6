"""Guesses are counted, for each user and for each address, in the database: for all processes together.

A try is written down and committed before anything is verified, then counted: of guesses that come at once no more
pass than of those that come one by one. What is stored is a keyed hash of the name or the address.
"""

import hashlib
import hmac
import ipaddress
import math
import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from flask import request
from sqlalchemy import Row, delete, insert, select

from server.auth.writing import write
from server.problems import Problem
from server.store.base import connect, table
from server.store.store import SqlTransaction
from server.store.tables import Attempt, ServerFact, db

WINDOW = 15 * 60_000  # ms
PER_USER = 5
PER_ADDRESS = 30
attempt = table(Attempt)


@dataclass(frozen=True)
class Try:
    """A try that has been written down: its rows, and the hash of the user it is about."""

    ids: tuple[str, ...]
    user: str | None

    def succeeded(self) -> None:
        """It was no guess: neither it nor the user's failures count any longer."""

        def forget(tx: SqlTransaction) -> None:
            tx.connection.execute(delete(attempt).where(attempt.c.id.in_(self.ids)))
            if self.user is not None:
                tx.connection.execute(delete(attempt).where(attempt.c.who == self.user))

        write(forget)


def begin(at: int, user: str | None = None) -> Try:
    """Write down a try of this request, about `user` if it names one. Raises the problem `too_many_attempts`."""
    hashed = None if user is None else _hash("user", user)
    most = {_hash("address", _address()): PER_ADDRESS} | ({hashed: PER_USER} if hashed else {})
    ids = tuple(uuid.uuid4().hex for _ in most)
    rows = [{"id": ident, "who": who, "at": at} for ident, who in zip(ids, most, strict=True)]

    def note(tx: SqlTransaction) -> None:
        tx.connection.execute(delete(attempt).where(attempt.c.at <= at - WINDOW))
        tx.connection.execute(insert(attempt), rows)

    write(note)
    counting = select(attempt).where(attempt.c.who.in_(list(most)), attempt.c.at > at - WINDOW)
    with connect() as connection:  # the request's own may not see what others have just committed
        found = connection.execute(counting.order_by(attempt.c.at, attempt.c.id)).all()
    wait = _wait([row for row in found if row.id not in ids], most, at)
    if wait is not None:
        write(lambda tx: tx.connection.execute(delete(attempt).where(attempt.c.id.in_(ids))))  # nothing was verified
        raise Problem("too_many_attempts", retry_after=wait)
    return Try(ids, hashed)


def _wait(others: list[Row], most: Mapping[str, int], at: int) -> int | None:
    """The seconds until another try is allowed; None if it is now."""
    waits = []
    for who, limit in most.items():
        times = [row.at for row in others if row.who == who]
        if len(times) >= limit:
            waits.append(math.ceil((times[len(times) - limit] + WINDOW - at) / 1000))
    return max(waits) if waits else None


def _address() -> str:
    """Where the request comes from; of IPv6 the network, as a whole one belongs to one customer."""
    address = request.remote_addr or ""
    try:
        if ipaddress.ip_address(address).version == 6:
            return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    except ValueError:
        pass
    return address


def _hash(kind: str, name: str) -> str:
    """Keyed, as there are few names and addresses: without the key everybody could try them all."""
    key = bytes.fromhex(db.session.scalars(select(ServerFact.value).where(ServerFact.name == "key")).one())
    return hmac.new(key, f"{kind}:{name}".encode(), hashlib.sha256).hexdigest()
