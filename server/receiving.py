"""The one way in for what devices send, in whichever dialect: an item is read, and the committer takes it."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import structlog

from server.auth.tokens import Caller
from server.problems import Problem
from server.world import Nest
from sync.arrival import Arrival
from sync.batch import DeviceClock
from sync.envelope import RawItem
from sync.receive import Unsettled

log = structlog.get_logger()


def read(
    nest: Nest, who: Caller, raw: RawItem, clock: DeviceClock | None, received: int, dialect: str = "batch"
) -> Arrival:
    """One item of a caller, received at `received` (ms). Nothing that a phone may send raises.

    Of a device or login that has lost its right it is held for a supervisor, whatever else it is.
    """
    try:
        arrival = nest.reader.read(raw, who.sender, clock, received)
    except Exception as error:  # a fault of ours must not cost the phone its submission
        log.error("unread", error=type(error).__name__)
        arrival = nest.reader.unread(raw, who.sender, clock, received)
    arrival = replace(arrival, dialect=dialect)
    return arrival if who.reads else arrival.revoked(expired=not who.revoked)


def receive(nest: Nest, arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
    """The receipts of these arrivals, in order, once they are committed. Raises the problem `busy`."""
    try:
        return nest.committer.receive(arrivals)
    except Unsettled as error:
        raise Problem("busy") from error
