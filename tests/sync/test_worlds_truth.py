"""What the server infers against what really happened, in every honest world."""

from collections.abc import Iterable
from typing import Any

from hypothesis import given

from sync.state.model import Entry
from tests.sync.actors import World
from tests.sync.facts import Fact, Facts
from tests.sync.profile import PROFILE
from tests.sync.worlds import worlds


@PROFILE
@given(worlds())
def test_the_screen_that_the_server_infers_is_the_one_that_the_author_had(world: World) -> None:
    extraction = world.extraction()
    for sub in world.ops:
        if world.whole(sub):
            assert extraction.screen(sub) == world.truth[sub].screen, sub


@PROFILE
@given(worlds())
def test_every_change_is_a_write_and_nothing_else_is(world: World) -> None:
    if not all(world.whole(sub) for sub in world.ops):
        return
    writes = world.extraction().writes()
    for sub, changes in Facts(world).changes.items():
        written = {cell: (dict(w.value), w.added, w.removed, w.items) for cell, w in writes[sub].items()}
        assert written == {cell: (c.value, c.added, c.removed, c.rows) for cell, c in changes.items()}, sub


@PROFILE
@given(worlds())
def test_what_is_merged_is_what_happened(world: World) -> None:
    """Times, knowledge, rejections, repairs and amendments, cell by cell."""
    if not all(world.whole(sub) for sub in world.ops):
        return
    state = world.extraction().state()
    entries = {name: cell.entries for name, cell in state.cells.items()} | dict(state.past)
    merged = {name: {entry.op: _of_entry(entry) for entry in found} for name, found in entries.items()}
    assert merged == {
        name: {sub: _of_fact(fact) for sub, fact in found.items()} for name, found in Facts(world).by_cell().items()
    }
    assert all(_sorted(found) for found in entries.values())


def _of_entry(entry: Entry) -> list[Any]:
    return [
        entry.t,
        entry.eff,
        entry.knew,
        entry.late,
        entry.suspect,
        entry.rules,
        entry.gone or "",
        dict(entry.value),
    ]


def _of_fact(fact: Fact) -> list[Any]:
    return [fact.t, fact.eff, fact.knew, fact.late, fact.suspect, fact.rules, fact.gone, fact.change.value]


def _sorted(entries: Iterable[Entry]) -> bool:
    times = [entry.order for entry in entries]
    return times == sorted(times)
