"""Nothing is lost: whoever wrote something can find out what became of it."""

from hypothesis import given

from sync.state.model import CellState, Entry, NoticeKind
from tests.sync.actors import World
from tests.sync.hostile import anything
from tests.sync.profile import PROFILE
from tests.sync.truth import SETS


def known_to_another(entry: Entry, cell: CellState) -> bool:
    return any(entry.op in other.knew for other in cell.entries if other.gone is None)


def told(entry: Entry, cell: CellState) -> bool:
    """Whether a person hears of it: as the author, or as the one who decides."""
    disputed = any(entry.op in conflict.members for conflict in cell.conflicts)
    return disputed or any(notice.op == entry.op for notice in cell.notices)


def value_found(entry: Entry, cell: CellState) -> bool:
    return entry.value == cell.value or told(entry, cell) or known_to_another(entry, cell)


def codes_found(entry: Entry, cell: CellState, name: str) -> bool:
    """Every code that was added shows, every one that was taken away is gone; or somebody hears why not."""
    shown = set(cell.value.get(name) or ())
    added = entry.write.added <= shown or told(entry, cell) or known_to_another(entry, cell)
    kept = entry.write.removed & shown
    others = {code for other in cell.entries if entry.op not in other.knew for code in other.write.added}
    return added and (kept <= others or told(entry, cell) or known_to_another(entry, cell))


def entries_found(entry: Entry, cell: CellState) -> bool:
    """Every row shows, or one that is equal to it, or a supervisor who knew it replaced it."""
    shown = [item.value for item in cell.items]
    replaced = any(other.rules and entry.op in other.knew for other in cell.entries if other.gone is None)
    return replaced or all(row in shown for row in entry.write.items)


@PROFILE
@given(anything())
def test_no_write_is_lost(world: World) -> None:
    extraction = world.extraction()
    state, writes = extraction.state(), extraction.writes()
    entries = {name: cell.entries for name, cell in state.cells.items()} | dict(state.past)
    written = {(name, sub) for sub, cells in writes.items() for name in cells}
    assert written == {(name, entry.op) for name, found in entries.items() for entry in found}
    assert all(entry.write == writes[entry.op][name] for name, found in entries.items() for entry in found)
    assert not any(entry.gone is None for found in state.past.values() for entry in found)
    for name, cell in state.cells.items():
        policy = world.kind.cells[name].policy
        for entry in (entry for entry in cell.entries if entry.gone is None):
            if policy in SETS:
                assert codes_found(entry, cell, name), (name, entry.op)
            elif policy == "series":
                assert entries_found(entry, cell), (name, entry.op)
            else:
                assert value_found(entry, cell), (name, entry.op)


@PROFILE
@given(anything())
def test_only_what_stands_is_live_and_what_is_gone_says_why(world: World) -> None:
    state = world.extraction().state()
    for cell in state.cells.values():
        assert cell.current in cell.live
        assert all(entry in cell.entries and entry.gone is None for entry in cell.live)
        members = {member for conflict in cell.conflicts for member in conflict.members}
        assert members <= {entry.op for entry in cell.live}
        assert {notice.op for notice in cell.notices} <= {e.op for e in cell.entries if e.gone is None}
        for entry in cell.entries:
            verdict = state.verdicts.get(entry.op)
            assert (entry.gone == "rejected") == (verdict is not None and verdict.act == "reject")


@PROFILE
@given(anything())
def test_live_values_that_lost_are_told_and_equal_ones_are_at_peace(world: World) -> None:
    for name, cell in world.extraction().state().cells.items():
        policy = world.kind.cells[name].policy
        if policy in (*SETS, "series"):
            continue
        live = {entry.op: entry for entry in cell.live}
        lost = {op for op, entry in live.items() if entry.value != cell.value}
        noticed = {notice.op for notice in cell.notices if notice.kind is not NoticeKind.DOUBTFUL}
        members = {*cell.conflict.members} if cell.conflict else set()
        assert noticed & live.keys() <= lost, name
        assert not members or len({tuple(sorted(live[op].value.items())) for op in members}) > 1
        if policy != "highest":
            assert lost <= noticed | members, name
        assert (policy == "latest") <= (not members)
