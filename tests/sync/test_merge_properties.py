"""What must hold in every world that people, phones and networks can make."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sync.extract import Extraction
from sync.merge import history
from sync.model import CellState, Entry, NoticeKind, Op, State
from tests.sync.types import CHILD, RANK
from tests.sync.worlds import (
    ANY,
    CHILD_PLAYS,
    ENTITY,
    HOSTILE,
    WORLDS,
    Exchange,
    Incremental,
    Play,
    World,
)

settings.register_profile(
    "merge",
    max_examples=200,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
PROFILE = settings.get_profile("merge")


def shuffled(data: st.DataObject, world: World) -> list[Op]:
    return data.draw(st.permutations(list(world.ops.values())))


def plain(value: Mapping[str, Any]) -> dict[str, Any]:
    return dict(value)


# --- the order of arrival ---------------------------------------------------------------------------------


@PROFILE
@given(world=ANY, data=st.data())
def test_order_does_not_matter(world: World, data: st.DataObject) -> None:
    again = {op.sub: op for op in shuffled(data, world)}
    first, second = world.extraction(), Extraction(world.kind, again)
    assert first.state() == second.state()
    assert first.state().conflicts == second.state().conflicts
    assert first.state().notices == second.state().notices
    assert first.writes() == second.writes()


@PROFILE
@given(world=ANY, data=st.data())
def test_batches_repeats_and_late_predecessors_give_the_state_from_scratch(world: World, data: st.DataObject) -> None:
    server = Incremental(world.kind)
    waiting = shuffled(data, world)
    while waiting:
        size = data.draw(st.integers(1, 3))
        batch, waiting = waiting[:size], waiting[size:]
        repeats = data.draw(st.lists(st.sampled_from(list(world.ops.values())), max_size=1))
        state, derived = server.take([*batch, *(op for op in repeats if op.sub in server.ops)])
        scratch = Extraction(world.kind, server.ops)
        assert state == scratch.state()
        assert derived == scratch.writes()
    assert server.ops.keys() == world.ops.keys()


@PROFILE
@given(world=ANY, data=st.data())
def test_asking_in_any_order_gives_the_same_answers(world: World, data: st.DataObject) -> None:
    """`state`, `writes` and `screen` share what they computed; sharing must not change it."""
    extraction = world.extraction()
    screens = {sub: extraction.screen(sub) for sub in data.draw(st.permutations(sorted(world.ops)))}
    assert extraction.state() == world.extraction().state()
    assert extraction.writes() == world.extraction().writes()
    assert screens == {sub: world.extraction().screen(sub) for sub in world.ops}


# --- what the server infers against what really happened ---------------------------------------------------


@PROFILE
@given(WORLDS)
def test_the_screen_that_the_server_infers_is_the_one_that_the_author_had(world: World) -> None:
    extraction = world.extraction()
    for sub, truth in world.truth.items():
        assert extraction.screen(sub) == truth.screen, sub


@PROFILE
@given(WORLDS)
def test_every_change_is_a_write_and_nothing_else_is(world: World) -> None:
    writes = world.extraction().writes()
    for sub, truth in world.truth.items():
        assert {cell: plain(write.value) for cell, write in writes[sub].items()} == truth.changed, sub


# --- nothing is lost ----------------------------------------------------------------------------------------


def accounted(entry: Entry, cell: CellState) -> bool:
    """Whether somebody can find out what became of a write."""
    if entry.value == cell.current.value:
        return True
    if cell.conflict is not None and entry.op in cell.conflict.members:
        return True
    if any(notice.op == entry.op for notice in cell.notices):
        return True
    return any(entry.op in other.knew for other in cell.entries)


@PROFILE
@given(ANY)
def test_no_write_is_lost(world: World) -> None:
    extraction = world.extraction()
    state, writes = extraction.state(), extraction.writes()
    written = {(name, sub) for sub, cells in writes.items() for name in cells}
    assert written == {(name, e.op) for name, cell in state.cells.items() for e in cell.entries}
    for name, cell in state.cells.items():
        assert cell.current in cell.live
        assert all(entry in cell.entries for entry in cell.live)
        for entry in cell.entries:
            assert plain(entry.value) == plain(writes[entry.op][name].value)
            assert accounted(entry, cell), (name, entry.op)


@PROFILE
@given(ANY)
def test_live_writes_that_lost_are_told_and_equal_ones_are_at_peace(world: World) -> None:
    for name, cell in world.extraction().state().cells.items():
        members = cell.conflict.members if cell.conflict else ()
        told = {notice.op for notice in cell.notices}
        live = {entry.op: entry for entry in cell.live}
        assert all(live[op].value != cell.current.value for op in told)
        assert not members or len({tuple(sorted(live[op].value.items())) for op in members}) > 1
        if world.kind.cells[name].policy != "highest":
            lost = {entry.op for entry in cell.live if entry.value != cell.current.value}
            assert lost <= told | {*members}, name


# --- identity and place -------------------------------------------------------------------------------------


def review_cells(world: World, state: State) -> list[tuple[str, CellState]]:
    return [(name, cell) for name, cell in state.cells.items() if world.kind.cells[name].policy == "review"]


@PROFILE
@given(ANY)
def test_two_live_values_of_an_identity_are_an_open_conflict(world: World) -> None:
    for _, cell in review_cells(world, state := world.extraction().state()):
        differ = any(entry.value != cell.live[0].value for entry in cell.live)
        assert (cell.conflict is not None) == differ
        if cell.conflict is not None:
            assert cell.conflict.entity == state.entity == ENTITY
            assert set(cell.conflict.members) == {entry.op for entry in cell.live}


@PROFILE
@given(WORLDS)
def test_an_author_never_removes_an_identity_that_was_not_on_the_screen(world: World) -> None:
    for name, cell in review_cells(world, world.extraction().state()):
        for lost in (entry for entry in cell.entries if entry not in cell.live):
            assert any(
                lost.op in other.knew
                and (
                    other.rules
                    or {
                        p.name: v
                        for p in world.kind.cells[name].members
                        if (v := world.truth[other.op].screen.get(p.name)) is not None
                    }
                    == plain(lost.value)
                )
                for other in cell.entries
            ), (name, lost.op)


@PROFILE
@given(WORLDS)
def test_a_ruling_closes_what_the_supervisor_saw_and_nothing_else(world: World) -> None:
    for _, cell in review_cells(world, world.extraction().state()):
        for ruling in (entry for entry in cell.entries if entry.rules):
            assert not any(entry.op in ruling.knew for entry in cell.live)
            unseen = [e for e in cell.entries if e.op not in ruling.knew and ruling.op not in e.knew]
            if ruling in cell.live and any(e in cell.live and e.value != ruling.value for e in unseen):
                assert cell.conflict is not None
                assert cell.current.rules


@PROFILE
@given(WORLDS)
def test_nobody_moves_a_household_by_a_request(world: World) -> None:
    extraction = world.extraction()
    cell = extraction.state().cells[world.kind.placement.name]
    assert not cell.current.request
    for entry in cell.entries:
        op = world.ops[entry.op]
        if op.creates or op.rules:
            assert not entry.request
        elif "ward_code" not in entry.value:
            assert entry.request
        else:
            knew = {sub: world.ops[sub] for sub in op.snapshot | {*op.after} if sub in world.ops}
            agreed = Extraction(world.kind, knew).state().data["ward_code"]
            moved = {agreed, entry.value["ward_code"]}
            assert entry.request == (len(moved) == 2 and not moved <= op.areas), entry.op
    if any(entry.request and entry in cell.live and entry.value != cell.current.value for entry in cell.entries):
        assert cell.conflict is not None


# --- risk -----------------------------------------------------------------------------------------------------


@PROFILE
@given(ANY)
def test_risk_is_at_least_every_risk_that_no_supervisor_lowered(world: World) -> None:
    cell = world.extraction().state().cells.get("risk_now")
    if cell is None:
        return
    shown = cell.current.value.get("risk_now")
    rulings = [entry for entry in cell.entries if entry.rules]
    for entry in cell.entries:
        value = entry.value.get("risk_now")
        if value is not None and not any(entry.op in ruling.knew for ruling in rulings):
            assert shown is not None and RANK.index(value) <= RANK.index(shown), entry.op
    for notice in cell.notices:
        if notice.kind is NoticeKind.ASKS_TO_LOWER:
            loser = next(e for e in cell.live if e.op == notice.op)
            assert any(e.op in loser.knew for e in cell.live)


# --- latest -----------------------------------------------------------------------------------------------------


def latest_cells(world: World, state: State) -> list[CellState]:
    return [cell for name, cell in state.cells.items() if world.kind.cells[name].policy == "latest"]


def effective(op: str, entries: Mapping[str, Entry]) -> int:
    """The rule as it is written, without sharing any code."""
    entry = entries[op]
    if entry.late:
        return entry.t
    return max([entry.t] + [1 + effective(other, entries) for other in entry.knew if other in entries])


@PROFILE
@given(ANY)
def test_nothing_resurfaces_after_somebody_who_knew_it_replaced_it(world: World) -> None:
    for cell in latest_cells(world, world.extraction().state()):
        for entry in cell.entries:
            assert entry.late or cell.current.op not in entry.knew, entry.op


@PROFILE
@given(ANY)
def test_among_the_rest_the_latest_good_observation_shows(world: World) -> None:
    for cell in latest_cells(world, world.extraction().state()):
        entries = {entry.op: entry for entry in cell.entries}
        times = {op: effective(op, entries) for op in entries}
        rest = [
            entry
            for entry in cell.entries
            if not any(
                entry.op in other.knew and (not other.late or other.t >= times[entry.op]) for other in cell.entries
            )
        ]
        good = [entry for entry in rest if not entry.suspect] or rest
        assert cell.current.op == max(good, key=lambda entry: (times[entry.op], entry.op)).op
        assert {entry.op for entry in cell.live} == {entry.op for entry in rest}


@PROFILE
@given(play=CHILD_PLAYS, tells=st.booleans(), clock=st.sampled_from([0, 500, 10**9]), doubtful=st.booleans())
def test_who_knew_everything_wins_whatever_his_clock_says(
    play: Play, tells: bool, clock: int, doubtful: bool
) -> None:
    play.finish()
    phone = play.phones[1]
    phone.tells = tells
    play.exchange(Exchange(1))
    before = play.screen(phone)
    said = {"phone": "0911999999", "phone_owner": before.get("phone_owner")}
    asked = frozenset(said)
    last = Op(
        "op-last",
        ENTITY,
        phone.author,
        clock,
        said,
        snapshot=phone.snapshot,
        seen={name: before.get(name) for name in asked} if tells else None,
        loaded=asked,
        suspect=doubtful,
    )
    state = Extraction(CHILD, {**play.server, last.sub: last}).state()
    contact = state.cells["contact"]
    assert contact.current.op == last.sub
    assert not [notice for notice in contact.notices if notice.op != last.sub]
    untouched = {name: value for name, value in before.items() if name not in asked}
    assert {name: value for name, value in state.data.items() if name not in asked} == untouched


@PROFILE
@given(play=CHILD_PLAYS, back=st.integers(1, 2_000))
def test_a_paper_form_typed_in_late_replaces_nothing_newer(play: Play, back: int) -> None:
    play.finish()
    phone = play.phones[2]
    phone.tells = True
    play.exchange(Exchange(2))
    before = Extraction(CHILD, play.server).state().cells.get("contact")
    paper = Op(
        "op-paper",
        ENTITY,
        phone.author,
        play.now - back,
        {"phone": "0900000000"},
        snapshot=phone.snapshot,
        seen={"phone": (phone.page or {}).get("phone")},
        late=True,
    )
    after = Extraction(CHILD, {**play.server, paper.sub: paper}).state().cells["contact"]
    newer = [] if before is None else [entry for entry in before.live if entry.eff > paper.t]
    assert {entry.op for entry in newer} <= {entry.op for entry in after.live}
    if any(not entry.suspect for entry in newer):
        assert before is not None and after.current.op != paper.sub
        assert any(notice.op == paper.sub for notice in after.notices)


# --- hostile claims, history --------------------------------------------------------------------------------------


@PROFILE
@given(world=HOSTILE, data=st.data())
def test_two_who_claim_to_have_seen_each_other_remove_nobody(world: World, data: st.DataObject) -> None:
    a, b = (data.draw(st.sampled_from(sorted(world.ops))) for _ in range(2))
    ops = dict(world.ops)
    ops[a], ops[b] = (replace(ops[x], after=(*ops[x].after, y)) for x, y in ((a, b), (b, a)))
    for cell in Extraction(world.kind, ops).state().cells.values():
        entries = {entry.op: entry for entry in cell.entries}
        for one, other in ((a, b), (b, a)):
            assert one not in entries or other not in entries[one].knew


@PROFILE
@given(ANY)
def test_history_ends_in_the_present(world: World) -> None:
    state = world.extraction().state()
    for names in (list(world.kind.properties), list(world.kind.properties)[:2]):
        steps = history(world.kind, state, names)
        assert [step[:2] for step in steps] == sorted(step[:2] for step in steps)
        entries = sum(
            len(cell.entries)
            for name, cell in state.cells.items()
            if any(world.kind.properties[prop].cell == name for prop in names)
        )
        assert len(steps) == entries
        if steps:
            assert steps[-1][2] == {name: state.data.get(name) for name in names}
