"""Two phones were away for a month, and a restored server lost what one had sent; a third was stolen meanwhile."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from sqlalchemy import select

from server.store.tables import Submission
from tests.api.builders import AREA, moment
from tests.api.conftest import Town
from tests.api.histories import World
from tests.databases import DATABASES
from tests.device import Drop

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


@pytest.fixture
def travel() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(datetime.now(UTC), tick=True) as traveller:
        yield traveller


def test_they_converge_and_the_third_keeps_nothing(town: Town, travel: time_machine.Traveller) -> None:
    world = World(town)
    town.assigned("u9", AREA, "01", -3)
    world.register("u1", (AREA, "01"), [9, 13])
    for user in ("u1", "u2", "u9"):
        world.sync(user)
    backup = town.backup()
    world.register("u2", (AREA, "01"), [9])
    world.visit("u2", 0, {"grade": 5})
    world.sync("u2")
    lost = {one["item"]["id"] for one in world.phones["u2"].archive()}
    assert lost <= world.stored()

    stolen: set[str] = set()
    world.jump("u2", -2)  # its clock is two days slow from now on
    for day in range(30):
        travel.shift(timedelta(days=1))
        if day % 3 == 0:
            world.visit("u1", day, {"helmet": str(day % 2), "grade": 4})
            world.visit("u2", day, {"school_name": f"Tiểu học Cầu Sắt {day}"})
        if day == 10:
            world.visit("u9", 0, {"risk_now": "2", "secret": True})
            town.revoke("u9")
            stolen = {item["id"] for item in world.phones["u9"].outbox()}
    town.restore(backup)
    town.revoke("u9")
    assert not lost & world.stored()

    for _ in range(3):  # a bad network: each sync ends where it may
        for user in ("u2", "u1", "u9"):
            world.sync(user, [None, Drop.AFTER, Drop.BEFORE, None, Drop.AFTER, Drop.CUT, Drop.AFTER, Drop.BEFORE])
    world.settle()
    world.check()
    assert lost <= world.stored()
    assert world.wiped == {"u9"}
    assert world.phones["u1"].entities("u1") == world.phones["u2"].entities("u2")
    assert len(world.phones["u1"].entities("u1")) == 7  # two households, with an adult each, and three children
    assert _states(town, stolen) == [("quarantined", "device_revoked")]
    now = datetime.fromisoformat(moment())
    kept = [datetime.fromisoformat(one["keep_until"]) for one in world.phones["u2"].archive()]
    assert min(kept) > now + timedelta(days=29)  # what was offered again is kept anew


def _states(town: Town, subs: set[str]) -> list[tuple[str, str | None]]:
    query = select(Submission.outcome, Submission.reason).where(Submission.id.in_(subs))
    return [tuple(row) for row in town.rows(query)]
