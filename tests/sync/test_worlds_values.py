"""The policies of single values in every world: `latest`, `highest`, `keep_first`."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.model import CellState, Entry, NoticeKind
from tests.sync.actors import Answer, World
from tests.sync.hostile import anything
from tests.sync.play import Play
from tests.sync.profile import PROFILE
from tests.sync.types import CONTACTS, PAPERS, RANK, RISKS, VALUES
from tests.sync.worlds import plays, worlds


def standing(cell: CellState) -> list[Entry]:
    return [entry for entry in cell.entries if entry.gone is None]


# --- risk -----------------------------------------------------------------------------------------------------


def ranks(name: str) -> list[str]:
    return list(RANK) if name == "risk_now" else sorted(VALUES[name])


@PROFILE
@given(anything(RISKS))
def test_risk_is_at_least_every_risk_that_no_supervisor_lowered(world: World) -> None:
    for name in ("risk_now", "checkup"):
        cell = world.extraction().state().cells.get(name)
        if cell is None:
            continue
        order, shown = ranks(name), cell.value.get(name)
        rulings = [entry for entry in standing(cell) if entry.rules]
        for entry in standing(cell):
            value = entry.value.get(name)
            if value in order and not any(entry.op in ruling.knew for ruling in rulings):
                assert shown in order or name == "checkup", entry.op  # any text is later than a date
                assert shown not in order or order.index(value) <= order.index(shown), entry.op
        left = [e for e in standing(cell) if not any(e.op in ruling.knew for ruling in rulings)]
        assert cell.value in [entry.value for entry in left]


@PROFILE
@given(worlds(RISKS))
def test_a_wish_to_lower_is_told_once_and_only_to_who_went_lower_than_he_knew(world: World) -> None:
    cell = world.extraction().state().cells.get("risk_now")
    if cell is None:
        return
    told = {notice.op: notice for notice in cell.notices}
    assert len(told) == len(cell.notices)

    def rank(entry: Entry) -> int:
        value = entry.value.get("risk_now")
        return -1 if value is None else RANK.index(value)

    live = {entry.op: entry for entry in cell.live}
    for entry in cell.live:
        graver = [other for other in cell.live if rank(other) > rank(entry)]
        asked = any(other.op in entry.knew for other in graver)
        raised = any(entry.op in other.knew for other in graver)
        notice = told.get(entry.op)
        if asked:
            assert notice is not None and notice.kind is NoticeKind.ASKS_TO_LOWER
        elif graver and not raised:
            assert notice is not None and notice.kind is NoticeKind.OVERRULED
        elif graver:
            assert notice is None
        elif notice is not None:  # it shows, and rests on doubtful writes alone
            assert notice.kind is NoticeKind.DOUBTFUL and entry.suspect and not live[notice.by].suspect
            assert all(other.suspect for other in cell.live if rank(other) == rank(entry))


# --- latest -----------------------------------------------------------------------------------------------------


def latest_cells(world: World) -> list[CellState]:
    cells = world.extraction().state().cells
    return [cell for name, cell in cells.items() if world.kind.cells[name].policy == "latest"]


def effective(op: str, entries: Mapping[str, Entry]) -> int:
    """The rule as it is written, without sharing any code; what stands no longer counts too."""
    entry = entries[op]
    if entry.late:
        return entry.t
    return max([entry.t] + [1 + effective(other, entries) for other in entry.knew if other in entries])


@PROFILE
@given(anything(CONTACTS))
def test_nothing_resurfaces_after_somebody_who_knew_it_replaced_it(world: World) -> None:
    for cell in latest_cells(world):
        for entry in standing(cell):
            assert entry.late or cell.current.op not in entry.knew, entry.op


@PROFILE
@given(anything(CONTACTS))
def test_among_the_rest_the_latest_good_observation_shows(world: World) -> None:
    for cell in latest_cells(world):
        entries = {entry.op: entry for entry in cell.entries}
        times = {op: effective(op, entries) for op in entries}
        assert all(entry.eff == times[entry.op] for entry in cell.entries)
        others = standing(cell)
        rest = [
            entry
            for entry in others
            if not any(entry.op in other.knew and (not other.late or other.t >= times[entry.op]) for other in others)
        ]
        good = [entry for entry in rest if not entry.suspect] or rest
        assert cell.current.op == max(good, key=lambda entry: (times[entry.op], entry.op)).op
        assert {entry.op for entry in cell.live} == {entry.op for entry in rest}


@PROFILE
@given(play=plays(CONTACTS), tells=st.booleans(), clock=st.sampled_from([-9_000, 0, 10**9]), doubtful=st.booleans())
def test_who_knew_everything_wins_whatever_his_clock_says(
    play: Play, tells: bool, clock: int, doubtful: bool
) -> None:
    play.finish()
    phone = play.phones[1]
    phone.tells, phone.skew, phone.suspect = tells, clock, doubtful
    play.exchange(1)
    before = play.screen(phone)
    last = play.fill(1, {"phone": Answer("0911999999"), "phone_owner": Answer("keep")})
    play.exchange(1, pull=False)
    state = play.state(play.present)
    if last is None:
        return
    assert state.cells["contact"].current.op == last
    assert not [notice for notice in state.cells["contact"].notices if notice.op != last]
    assert {**before, "phone": "0911999999"} == dict(state.data)


@PROFILE
@given(play=plays(CONTACTS), back=st.integers(1, 200))
def test_a_paper_form_typed_in_late_replaces_nothing_newer(play: Play, back: int) -> None:
    play.finish()
    play.exchange(2)
    before = play.state(play.present).cells.get("contact") if play.present else None
    paper = play.fill(2, {"phone": Answer("0900000000")}, back=back)
    play.exchange(2, pull=False)
    if paper is None:
        return
    after = play.state(play.present).cells["contact"]
    entry = next(entry for entry in after.entries if entry.op == paper)
    newer = [] if before is None else [one for one in before.live if one.eff > entry.t]
    assert {one.op for one in newer} <= {one.op for one in after.live}
    if any(not one.suspect for one in newer):
        assert after.current.op != paper
        assert any(notice.op == paper for notice in after.notices)


@PROFILE
@given(play=plays(CONTACTS), tells=st.booleans())
def test_what_confirms_is_seen_again_by_whoever_leaves_it_alone(play: Play, tells: bool) -> None:
    play.finish()
    play.phones[0].tells = tells
    play.exchange(0)
    before = play.page(play.present)
    last = play.fill(0, {"nutrition": Answer("keep"), "phone": Answer("keep")})
    play.exchange(0, pull=False)
    state = play.state(play.present)
    assert dict(state.data) == before
    writers = {name for name, cell in state.cells.items() if any(entry.op == last for entry in cell.entries)}
    assert writers == ({"nutrition"} if last and "nutrition" in before else set())


# --- keep_first ------------------------------------------------------------------------------------------------


@PROFILE
@given(anything(PAPERS))
def test_a_number_stays_until_a_ruling_and_every_other_claim_is_disputed(world: World) -> None:
    for name in ("pid", "hi_number"):
        cell = world.extraction().state().cells.get(name)
        if cell is None:
            continue
        rulings = [entry for entry in standing(cell) if entry.rules]
        left = [e for e in standing(cell) if not any(e.op in ruling.knew for ruling in rulings)]
        claims = [e for e in left if e.value or e.rules or not any(other.value for other in standing(cell))]
        assert {entry.op for entry in cell.live} == {entry.op for entry in claims}
        ruled = [entry for entry in claims if entry.rules]
        good = [entry for entry in claims if not entry.suspect] or claims
        first = max(ruled, key=lambda e: e.order) if ruled else min(good, key=lambda e: e.order)
        assert cell.current == first
        differ = len({entry.value.get(name) for entry in claims}) > 1
        assert [conflict.members for conflict in cell.conflicts] == [tuple(sorted(e.op for e in claims))] * differ


@PROFILE
@given(play=plays(PAPERS), answer=st.sampled_from([*VALUES["pid"], "clear"]), tells=st.booleans())
def test_whoever_says_otherwise_changes_no_number(play: Play, answer: str, tells: bool) -> None:
    play.finish()
    play.phones[1].tells = tells
    play.exchange(1)
    before = play.state(play.present).cells.get("pid") if play.present else None
    last = play.fill(1, {"pid": Answer(answer)})
    play.exchange(1, pull=False)
    if before is None or last is None or not before.value or (before.current.suspect and not before.current.rules):
        return
    after = play.state(play.present).cells["pid"]
    assert after.value == before.value
    wrote = any(entry.op == last for entry in after.entries)
    if wrote and answer == "clear":
        assert [n.kind for n in after.notices if n.op == last] == [NoticeKind.ASKS_TO_CLEAR]
        assert after.conflicts == before.conflicts
    elif wrote and answer != before.value["pid"]:
        assert after.conflict is not None and last in after.conflict.members


# --- doubt ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["contact", "nutrition"])
@PROFILE
@given(world=worlds(CONTACTS), data=st.data())
def test_an_odd_clock_never_changes_what_good_writes_show(name: str, world: World, data: st.DataObject) -> None:
    """However late a doubtful form says it was filled in: moved in time, it shows no more than before."""
    cell = world.extraction().state().cells.get(name)
    odd = [entry.op for entry in standing(cell) if entry.suspect] if cell else []
    if cell is None or not odd or cell.current.suspect:
        return
    sub = data.draw(st.sampled_from(odd))
    moved = {**world.ops, sub: replace(world.ops[sub], t=10**9)}
    extraction = Extraction(world.kind, moved)
    after, amendments = extraction.state().cells[name], extraction.frame.amendments
    tied = {other for other in moved if sub in (other, *amendments.chain(other))}  # what amends it has its time
    knew = {entry.op for entry in standing(after) if tied & entry.knew}
    assert after.current.op != sub and (after.value == cell.value or after.current.op in knew)
