"""Names and places never change silently, and a conflict is closed only by somebody who saw its members."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.model import Act, CellState, Entry, State
from tests.sync.actors import Answer, World
from tests.sync.hostile import anything
from tests.sync.play import ENTITY, Play
from tests.sync.profile import PROFILE
from tests.sync.truth import plain
from tests.sync.types import HOUSEHOLD, NAMES, VALUES
from tests.sync.worlds import plays, worlds

IDENTITIES = (NAMES, HOUSEHOLD)


def review_cells(world: World, state: State) -> list[tuple[str, CellState]]:
    return [(name, cell) for name, cell in state.cells.items() if world.kind.cells[name].policy == "review"]


@PROFILE
@given(anything(*IDENTITIES))
def test_two_live_values_of_an_identity_are_an_open_conflict(world: World) -> None:
    for name, cell in review_cells(world, state := world.extraction().state()):
        differ = any(entry.value != cell.live[0].value for entry in cell.live)
        assert (cell.conflict is not None) == differ
        assert len(cell.conflicts) <= 1
        if cell.conflict is not None:
            assert (cell.conflict.entity, cell.conflict.cell) == (state.entity, name) == (ENTITY, name)
            assert set(cell.conflict.members) == {entry.op for entry in cell.live}


@PROFILE
@given(worlds(*IDENTITIES))
def test_an_author_never_removes_an_identity_that_was_not_on_the_screen(world: World) -> None:
    state = world.extraction().state()
    repaired = {sub for sub, verdict in state.verdicts.items() if verdict.act is Act.REPAIR}
    for name, cell in review_cells(world, state):
        names = [prop.name for prop in world.kind.cells[name].members]
        for lost in (entry for entry in cell.entries if entry.gone is None and entry not in cell.live):
            if lost.op in repaired:
                continue  # what was on the screen is what it said before
            others = [other for other in cell.entries if other.gone is None and lost.op in other.knew]
            on_screen = [o for o in others if plain(world.truth[o.op].screen, names) == lost.value]
            assert any(other.rules for other in others) or on_screen, (name, lost.op)
            assert any(other.rules or not other.request for other in others)


@PROFILE
@given(worlds(*IDENTITIES))
def test_who_replaces_what_is_on_the_screen_leaves_nothing_of_it(world: World) -> None:
    """Whoever else had said the same, if that was live for him too."""
    state = world.extraction().state()
    repaired = {sub for sub, verdict in state.verdicts.items() if verdict.act is Act.REPAIR}
    for name, cell in review_cells(world, state):
        members = {prop.name for prop in world.kind.cells[name].members}
        for entry in (e for e in cell.entries if e.gone is None and not e.request and not e.rules):
            op = world.ops[entry.op]
            if op.creates or not op.loaded >= members or not world.whole(op.sub):
                continue
            shown = plain(world.truth[op.sub].screen, members)
            then = Extraction(world.kind, {sub: world.ops[sub] for sub in entry.knew}).state().cells.get(name)
            replaced = {live.op for live in then.live if live.value == shown} if then is not None else set()
            assert not replaced - repaired & {live.op for live in cell.live}, (name, entry.op)


@PROFILE
@given(worlds(*IDENTITIES))
def test_a_ruling_closes_what_the_supervisor_saw_and_nothing_else(world: World) -> None:
    for _, cell in review_cells(world, world.extraction().state()):
        standing = [entry for entry in cell.entries if entry.gone is None]
        for ruling in (entry for entry in standing if entry.rules):
            assert not any(entry.op in ruling.knew for entry in cell.live)
            unseen = [e for e in standing if e.op not in ruling.knew and ruling.op not in e.knew]
            if ruling in cell.live and any(e in cell.live and e.value != ruling.value for e in unseen):
                assert cell.conflict is not None
                assert cell.current.rules


@PROFILE
@given(
    play=plays(NAMES), choice=st.integers(0, 2), other=st.integers(0, 2), act=st.sampled_from(["correct", "resolve"])
)
def test_a_late_value_opens_again_what_was_decided(play: Play, choice: int, other: int, act: str) -> None:
    play.finish()
    before = play.phones[1].page or {}
    play.look(0)
    play.rule(0, {"full_name": VALUES["full_name"][choice]}, Act(act))
    ruling = max(play.arrived)
    state = play.state(play.present)
    assert state.data["full_name"] == VALUES["full_name"][choice]
    assert state.cells["full_name"].conflict is None
    late = play.fill(1, {"full_name": Answer(VALUES["full_name"][other])})
    play.exchange(1, pull=False)
    after = play.state(play.present).cells["full_name"]
    assert after.value == {"full_name": VALUES["full_name"][choice]}
    if late is not None and other != choice and before.get("full_name") != VALUES["full_name"][other]:
        written = late in {entry.op for entry in after.entries}
        assert not written or (after.conflict is not None and set(after.conflict.members) == {ruling, late})


def granted(world: World, entry: Entry) -> dict[str, Any]:
    """The place that was granted when a write was made, as far as its author could know."""
    op = world.ops[entry.op]
    knew = {sub: world.ops[sub] for sub in op.snapshot | {*op.after} if sub in world.ops}
    return dict(Extraction(world.kind, knew).state().data) if knew else dict(op.seen or {})


def only_wished(world: World, entry: Entry) -> bool:
    """Whether a change of place is no more than a wish, as a person would say it."""
    op, place = world.ops[entry.op], granted(world, entry)
    if op.creates or entry.rules:
        return False
    if "household" in world.kind.properties:
        return place.get("household") != entry.value["household"]
    before, after = place.get("ward_code"), entry.value.get("ward_code")
    if before is None or after is None:
        return True
    return before != after and not {before, after} <= op.areas


@PROFILE
@given(worlds(HOUSEHOLD, NAMES))
def test_nobody_moves_a_family_by_a_wish(world: World) -> None:
    name = world.kind.placement.name
    cell = world.extraction().state().cells.get(name)
    if cell is None:
        return
    for entry in cell.entries:
        assert entry.request == only_wished(world, entry), entry.op
    standing = [entry for entry in cell.entries if entry.gone is None]
    if any(not entry.request for entry in standing):
        assert not cell.current.request
    if any(entry.request and entry in cell.live and entry.value != cell.value for entry in standing):
        assert cell.conflict is not None


@PROFILE
@given(worlds(HOUSEHOLD))
def test_of_open_claims_to_a_place_the_earliest_good_one_shows(world: World) -> None:
    cell = world.extraction().state().cells.get("place")
    if cell is not None:
        rulings = [entry for entry in cell.live if entry.rules]
        claims = rulings or [entry for entry in cell.live if not entry.request] or list(cell.live)
        good = [entry for entry in claims if not entry.suspect and not entry.late] or claims
        assert cell.current == min(good, key=lambda entry: entry.order)


@PROFILE
@given(anything(NAMES))
def test_of_open_names_a_ruling_shows_or_the_latest_good_one(world: World) -> None:
    for name in ("full_name", "birth_order"):
        if (cell := world.extraction().state().cells.get(name)) is not None:
            claims = [entry for entry in cell.live if entry.rules] or list(cell.live)
            good = [entry for entry in claims if not entry.suspect] or claims
            assert cell.current == max(good, key=lambda entry: entry.order)
            assert cell.value == cell.current.value
