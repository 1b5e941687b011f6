"""What grows, in every world: sets of codes and series of entries."""

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.state.model import Act, CellState, Entry, NoticeKind
from tests.sync.actors import Answer, World
from tests.sync.hostile import anything
from tests.sync.play import Play
from tests.sync.profile import PROFILE
from tests.sync.types import LISTS, MEASURES, SETS, VALUES
from tests.sync.worlds import plays, worlds


def standing(cell: CellState) -> list[Entry]:
    return [entry for entry in cell.entries if entry.gone is None]


# --- sets -----------------------------------------------------------------------------------------------------


def removers(cell: CellState, adder: Entry, code: str, grows: bool) -> list[Entry]:
    """Who may take a code away from somebody who added it, did so, and knew of him."""
    found = [one for one in standing(cell) if code in one.write.removed and adder.op in one.knew]
    return [one for one in found if one.rules or not grows]


@PROFILE
@given(anything(SETS))
def test_a_code_shows_as_long_as_somebody_added_it_whom_no_remover_knew(world: World) -> None:
    for name, cell in world.extraction().state().cells.items():
        grows, shown, doubtful = name == "sc_codes", set(), set()
        for code in {code for entry in standing(cell) for code in entry.write.added}:
            adders = [entry for entry in standing(cell) if code in entry.write.added]
            kept = [entry for entry in adders if not removers(cell, entry, code, grows)]
            taken = [r for a in adders for r in removers(cell, a, code, grows) if not r.suspect]
            if taken and all(entry.suspect for entry in kept):
                doubtful |= {entry.op for entry in kept}
            elif kept:
                shown.add(code)
        assert set(cell.value.get(name) or ()) == shown, name
        assert {notice.op for notice in cell.notices if notice.kind is NoticeKind.DOUBTFUL} == doubtful


@PROFILE
@given(anything(SETS))
def test_from_a_growing_set_a_supervisor_alone_removes_and_others_are_heard(world: World) -> None:
    cell = world.extraction().state().cells.get("sc_codes")
    if cell is None:
        return
    rulings = [entry for entry in standing(cell) if entry.rules]
    wishes = {notice.op for notice in cell.notices if notice.kind is NoticeKind.ASKS_TO_REMOVE}
    for entry in standing(cell):
        known = [one for one in standing(cell) if one.op in entry.knew]
        kept = {c for a in known for c in a.write.added & entry.write.removed if not removers(cell, a, c, True)}
        decided = any(entry.op in ruling.knew for ruling in rulings)
        if not kept & set(cell.value.get("sc_codes") or ()) or entry.rules or decided:
            assert entry.op not in wishes
        else:
            assert entry.op in wishes


@PROFILE
@given(play=plays(SETS), answer=st.sampled_from([*VALUES["needs"], None]), tells=st.booleans())
def test_who_saw_the_whole_set_leaves_it_as_he_says(play: Play, answer: list[str] | None, tells: bool) -> None:
    play.finish()
    phone = play.phones[2]
    phone.tells, phone.suspect = tells, False
    play.exchange(2)
    before = play.page(play.present)
    codes = VALUES["sc_codes"][0]
    last = play.fill(2, {"needs": Answer(answer or "clear"), "sc_codes": Answer(codes), "signs": Answer("keep")})
    play.exchange(2, pull=False)
    if last is None:
        return
    after = play.page(play.present)
    assert after.get("needs") == answer
    assert after.get("signs") == before.get("signs")
    assert after.get("sc_codes") == sorted({*codes, *(before.get("sc_codes") or ())})


@PROFILE
@given(play=plays(SETS), name=st.sampled_from(["needs", "sc_codes"]), which=st.integers(0, 6))
def test_a_supervisor_leaves_a_set_as_he_says(play: Play, name: str, which: int) -> None:
    play.finish()
    play.look(1)
    play.rule(1, {name: VALUES[name][which]}, Act.CORRECT)
    if play.desks[1].snapshot:
        cell = play.state(play.present).cells[name]
        assert cell.value == {name: VALUES[name][which]}
        assert not [notice for notice in cell.notices if notice.kind is not NoticeKind.DOUBTFUL]
        assert all(by == max(play.arrived) or by in play.arrived for _, by in cell.ruled)


@PROFILE
@given(play=plays(SETS), codes=st.sampled_from(VALUES["needs"]))
def test_a_code_typed_where_nothing_was_shown_only_adds(play: Play, codes: list[str]) -> None:
    play.finish()
    play.exchange(0)
    play.phones[0].suspect = False
    before = play.page(play.present)
    last = play.fill(0, {"needs": Answer(codes, prefilled=False)})
    play.exchange(0, pull=False)
    if last is not None:
        assert play.page(play.present).get("needs") == sorted({*codes, *(before.get("needs") or ())})


# --- series -----------------------------------------------------------------------------------------------------

KEYS = {"measurement": None, "imm_doses": "dose", "injuries": None, "poverty": "poverty_year"}


def plain(row: Any) -> str:
    return json.dumps(row, sort_keys=True, ensure_ascii=False)


def key_of(name: str, row: Any) -> str:
    key = KEYS[name]
    return str(row[key]) if key is not None and row.get(key) is not None else ""


def replaced(cell: CellState, name: str, entry: Entry, row: Any) -> bool:
    """Whether a supervisor who knew an entry has said otherwise of its key."""
    key = key_of(name, row)
    rulings = [other for other in standing(cell) if other.rules and entry.op in other.knew]
    return bool(key) and any(key_of(name, one) == key for ruling in rulings for one in ruling.write.items)


@PROFILE
@given(anything(MEASURES, LISTS))
def test_every_entry_is_there_until_it_is_amended_rejected_or_ruled(world: World) -> None:
    for name, cell in world.extraction().state().cells.items():
        said = [(e, row) for e in standing(cell) for row in e.write.items if not replaced(cell, name, e, row)]
        loose = Counter((e.op, plain(row)) for e, row in said if not key_of(name, row))
        keyed = {plain(row) for _, row in said if key_of(name, row)}
        shown_loose = Counter((i.op, plain(i.value)) for i in cell.items if not key_of(name, i.value))
        shown_keyed = Counter(plain(i.value) for i in cell.items if key_of(name, i.value))
        assert shown_loose == loose, name
        assert shown_keyed == Counter(keyed), name
        times = [(item.t, item.op) for item in cell.items]
        assert times == sorted(times)
        assert all(item.t == next(e.t for e in cell.entries if e.op == item.op) for item in cell.items)


@PROFILE
@given(anything(MEASURES, LISTS))
def test_entries_of_one_key_that_differ_are_disputed_and_nothing_else_is(world: World) -> None:
    state = world.extraction().state()
    for name, cell in state.cells.items():
        rows: dict[str, dict[str, set[str]]] = {}
        for entry in standing(cell):
            for row in entry.write.items:
                if (key := key_of(name, row)) and not replaced(cell, name, entry, row):
                    rows.setdefault(key, {}).setdefault(plain(row), set()).add(entry.op)
        open_ = {f"{name}/{key}": set().union(*said.values()) for key, said in rows.items() if len(said) > 1}
        assert {conflict.cell: set(conflict.members) for conflict in cell.conflicts} == open_
        assert not cell.notices


@PROFILE
@given(worlds(MEASURES, LISTS))
def test_a_series_shows_its_latest_entry(world: World) -> None:
    for name, cell in world.extraction().state().cells.items():
        latest = cell.items[-1].value if cell.items else None
        first = world.kind.cells[name].members[0]
        shown = {first.name: [latest]} if first.type == "rows" else latest
        assert cell.value == (shown if latest is not None else {})


@pytest.mark.parametrize("amended", [True, False], ids=["amended", "rejected"])
@PROFILE
@given(play=plays(MEASURES))
def test_an_entry_goes_with_its_submission_alone(amended: bool, play: Play) -> None:
    play.finish()
    play.exchange(0)
    before = play.state(play.present).cells.get("measurement")
    last = play.fill(0, {"weight_kg": Answer(14.0)})
    play.exchange(0, pull=False)
    if last is None:
        return
    added = play.state(play.present).cells["measurement"]
    assert [item for item in added.items if item.op != last] == list(before.items if before else ())
    assert len([item for item in added.items if item.op == last]) == 1
    if amended:
        play.amend(0, play.amendable(0).index(last), {"weight_kg": Answer("clear")})
        play.exchange(0, pull=False)
    else:
        play.look(0)
        play.about(0, Act.REJECT, play.listed(0).index(last), {})
    after = play.state(play.present).cells.get("measurement")
    assert (after.items if after else ()) == (before.items if before else ())
