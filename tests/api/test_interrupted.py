"""Pulls that break at every page, and a full one that breaks twice near its end: they go on where they were."""

import pytest

from tests.api.builders import new_id, register
from tests.api.conftest import Town
from tests.api.handset import Make, make
from tests.databases import DATABASES
from tests.device import Drop

__all__ = ["make"]
pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)
HOMES = 12  # two entities each, and a visit


@pytest.fixture
def village(town: Town) -> Town:
    """Enough for many pages, all by another collaborator."""
    for number in range(HOMES):
        town.apply(register(new_id(), {new_id(): f"Lê Văn Ổi {number}"}), "u2")
    return town


@pytest.mark.parametrize("fate", [Drop.BEFORE, Drop.AFTER])
def test_a_pull_that_breaks_at_every_page_tells_each_thing_once(village: Town, make: Make, fate: Drop) -> None:
    plain, broken = make("u1", page=4), make("u1", page=4)
    pages = plain.sync().pages
    assert pages > 8
    assert broken.sync("u1", *[fate, None] * 30).pages == pages  # an answer that was lost is no page
    assert broken.holds() == plain.holds()
    assert len(plain.holds()) == 2 * HOMES


def test_a_full_resync_that_breaks_twice_at_its_end_goes_on_where_it_was(village: Town, make: Make) -> None:
    hand = make("u1", page=4, tries=1)
    pages = hand.sync().pages
    village.app.test_cli_runner().invoke(args=["restored"])
    late = [None] * (1 + pages * 9 // 10)  # the answer that asks for the resync, then nine tenths of it
    hand.network.expect([*late, Drop.AFTER])
    told = hand.phone.sync("u1")
    assert (told.resyncs, told.stopped) == (["epoch"], "no_answer")
    assert len(hand.holds()) == 2 * HOMES  # nothing is swept before the end
    hand.reopen()
    hand.network.expect([Drop.AFTER])
    assert hand.phone.sync("u1").stopped == "no_answer"
    hand.reopen()
    rest = hand.sync()
    assert rest.resyncs == []
    assert told.pages + rest.pages <= pages + 3  # not from the beginning again
    assert {etag.split("-")[0] for etag in hand.holds().values()} == {"1000001"}
    assert village.held("u1") == {("u1", ident) for ident in hand.holds()}
