"""The order of arrival, repeats, partitions, and what a server keeps: none of them changes the state."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.merge import history
from sync.state.model import Op
from tests.sync.actors import World
from tests.sync.hostile import anything, hostile
from tests.sync.incremental import Incremental
from tests.sync.profile import PROFILE


def shuffled(data: st.DataObject, world: World) -> list[Op]:
    return data.draw(st.permutations(list(world.ops.values())))


@PROFILE
@given(world=anything(), data=st.data())
def test_order_does_not_matter(world: World, data: st.DataObject) -> None:
    again = {op.sub: op for op in shuffled(data, world)}
    first, second = world.extraction(), Extraction(world.kind, again)
    assert first.state() == second.state()
    assert first.state().conflicts == second.state().conflicts
    assert first.state().notices == second.state().notices
    assert first.writes() == second.writes()
    assert first.keys == second.keys


@PROFILE
@given(world=anything(), data=st.data())
def test_batches_repeats_and_what_is_held_meanwhile_give_the_state_from_scratch(
    world: World, data: st.DataObject
) -> None:
    server, subs = Incremental(world.kind), sorted(world.ops)
    some = st.lists(st.sampled_from(subs), max_size=len(subs))
    for _ in range(4):
        batch, leaving = data.draw(some), data.draw(some)
        state, derived = server.take([world.ops[sub] for sub in batch], leaving)
        if state is not None:
            scratch = Extraction(world.kind, server.ops)
            assert state == scratch.state()
            assert derived == scratch.writes()
    assert server.take(world.ops.values())[0] == world.extraction().state()


@PROFILE
@given(world=anything(), data=st.data())
def test_two_halves_of_a_partition_meet_in_the_same_state(world: World, data: st.DataObject) -> None:
    here, there = Incremental(world.kind), Incremental(world.kind)
    for op in world.ops.values():
        side = data.draw(st.sampled_from([(here,), (there,), (here, there)]))
        for server in side:
            server.take([op])
    mine, theirs = list(here.ops.values()), list(there.ops.values())
    assert here.take(theirs) == there.take(mine)


@PROFILE
@given(world=anything(), data=st.data())
def test_asking_in_any_order_gives_the_same_answers(world: World, data: st.DataObject) -> None:
    """`state`, `writes` and `screen` share what they computed; sharing must not change it."""
    extraction, fresh = world.extraction(), world.extraction()
    screens = {sub: extraction.screen(sub) for sub in data.draw(st.permutations(sorted(world.ops)))}
    assert extraction.state() == fresh.state()
    assert extraction.writes() == fresh.writes()
    assert screens == {sub: fresh.screen(sub) for sub in world.ops}


@PROFILE
@given(world=hostile(), data=st.data())
def test_two_who_claim_to_have_seen_each_other_know_nothing_of_each_other(world: World, data: st.DataObject) -> None:
    a, b = (data.draw(st.sampled_from(sorted(world.ops))) for _ in range(2))
    ops = dict(world.ops)
    for one, other in ((a, b), (b, a)):
        ops[one] = replace(ops[one], snapshot=ops[one].snapshot | {other}, base_ok=True, amends=None)
    state = Extraction(world.kind, ops).state()
    for cell in state.cells.values():
        entries = {entry.op: entry for entry in cell.entries}
        for one, other in ((a, b), (b, a)):
            assert one not in entries or other not in entries[one].knew


@PROFILE
@given(anything())
def test_history_ends_in_the_present(world: World) -> None:
    state = world.extraction().state()
    for names in (list(world.kind.properties), list(world.kind.properties)[:2]):
        steps = history(world.kind, state.cells, names)
        assert [step[:2] for step in steps] == sorted(step[:2] for step in steps)
        cells = {world.kind.properties[name].cell for name in names} & state.cells.keys()
        standing = [entry for name in cells for entry in state.cells[name].entries if entry.gone is None]
        assert len(steps) == len(standing)
        if steps:
            assert steps[-1][2] == {name: state.data.get(name) for name in names}
