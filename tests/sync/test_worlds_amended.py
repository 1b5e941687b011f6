"""Amendments speak cell by cell; the acts of supervisors withdraw and give back exactly one submission."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.model import ABOUT_A_SUBMISSION, Act, Op, Standing, State
from tests.sync.actors import Answer, World
from tests.sync.hostile import anything
from tests.sync.play import Play
from tests.sync.profile import PROFILE
from tests.sync.truth import Values
from tests.sync.types import VALUES, about
from tests.sync.worlds import plays, worlds


def others(state: State, name: str) -> Values:
    """What everybody but one cell shows."""
    cell = state.cells.get(name)
    own = set(cell.value) if cell is not None else set()
    return {prop: value for prop, value in state.data.items() if prop not in own}


@PROFILE
@given(play=plays(), which=st.integers(0, 9), number=st.integers(0, 2), data=st.data())
def test_an_amendment_of_one_answer_leaves_every_other_cell_as_it_is(
    play: Play, which: int, number: int, data: st.DataObject
) -> None:
    play.finish()
    before = play.state(play.present) if play.present else None
    asked = data.draw(st.sampled_from(list(play.kind.properties)))
    new = data.draw(st.sampled_from([*VALUES[asked], "clear", "absent"]))
    amendment = play.amend(number, which, {asked: Answer(new)})
    play.exchange(number, pull=False)
    if amendment is None or before is None:
        return
    cell, after = play.kind.properties[asked].cell, play.state(play.present)
    amended = play.made[amendment].amends
    if amended in before.verdicts:
        return  # rejected or repaired: then the amendment is more than what differs
    for name in play.kind.cells.keys() - {cell}:
        was, now = before.cells.get(name), after.cells.get(name)
        if was is not None and now is not None:
            assert (was.value, was.live, was.conflicts, was.notices) == (
                now.value,
                now.live,
                now.conflicts,
                now.notices,
            )
        else:
            assert was is now is None


@PROFILE
@given(play=plays(), which=st.integers(0, 9), number=st.integers(0, 2))
def test_an_amendment_that_answers_alike_changes_nothing(play: Play, which: int, number: int) -> None:
    play.finish()
    before = play.state(play.present) if play.present else None
    amendment = play.amend(number, which, {})
    play.exchange(number, pull=False)
    if amendment is not None and before is not None and play.made[amendment].amends not in before.verdicts:
        after = play.state(play.present)
        assert (after.data, after.conflicts, after.notices) == (before.data, before.conflicts, before.notices)


@PROFILE
@given(play=plays(), number=st.integers(0, 2), data=st.data())
def test_taking_back_what_nobody_has_seen_is_as_if_it_had_never_been_said(
    play: Play, number: int, data: st.DataObject
) -> None:
    play.finish()
    play.exchange(number)
    before = play.state(play.present) if play.present else None
    answers = {name: Answer(data.draw(st.sampled_from([*VALUES[name], "keep"]))) for name in play.kind.properties}
    sub = play.fill(number, answers)
    if sub is None or before is None:
        return
    back = {name: Answer("absent") for name in answers}
    play.amend(number, play.amendable(number).index(sub), back)
    play.exchange(number, pull=False)
    after = play.state(play.present)
    assert (after.data, after.conflicts, after.notices) == (before.data, before.conflicts, before.notices)


# --- rejecting ----------------------------------------------------------------------------------------------------


def visits(ops: Mapping[str, Op]) -> list[str]:
    return sorted(sub for sub, op in ops.items() if op.act is Act.VISIT)


def decides(op: Op, target: str) -> bool:
    """Whether it is an act on that submission; a visit that merely carries a target decides nothing."""
    return op.act in ABOUT_A_SUBMISSION and op.standing is Standing.SUPERVISOR and op.target == target


def standing(state: State) -> set[tuple[str, str]]:
    return {(name, e.op) for name, cell in state.cells.items() for e in cell.entries if e.gone is None}


def with_acts(world: World, target: str, *acts: Act) -> Extraction:
    """The same with acts on one submission, each made in the knowledge of everything before it."""
    ops = dict(world.ops)
    for number, act in enumerate(acts):
        sub = f"quyết định {number}"
        ops[sub] = about(act, target, sub, 10**6 + number, saw=list(ops))
    return Extraction(world.kind, ops)


@PROFILE
@given(world=worlds(), data=st.data())
def test_rejecting_withdraws_that_submission_alone(world: World, data: st.DataObject) -> None:
    if not visits(world.ops):
        return
    target = data.draw(st.sampled_from(visits(world.ops)))
    before, after = world.extraction(), with_acts(world, target, Act.REJECT)
    amendments = before.frame.amendments
    chain = {sub for sub in world.ops if amendments.root(sub) == amendments.root(target)}
    chain |= {sub for sub, op in world.ops.items() if op.amends == target}
    was, now = standing(before.state()), standing(after.state())
    assert not any(sub == target for _, sub in now)
    assert {pair for pair in was if pair[1] not in chain} == {pair for pair in now if pair[1] not in chain}
    written = before.writes()
    assert all(after.writes()[sub] == written[sub] for sub in world.ops if sub not in chain)
    for name, cell in after.state().cells.items():
        assert all(e.gone == "rejected" for e in cell.entries if e.op == target), name


@PROFILE
@given(world=anything(), data=st.data())
def test_giving_back_what_was_rejected_is_as_if_nothing_had_happened(world: World, data: st.DataObject) -> None:
    if not visits(world.ops):
        return
    target = data.draw(st.sampled_from(visits(world.ops)))
    before = world.extraction().state()
    verdict = before.verdicts.get(target)
    if verdict is not None and verdict.act is Act.REJECT:
        return  # giving it back is more than what was taken
    after = with_acts(world, target, Act.REJECT, Act.UNREJECT)
    assert (after.state().data, after.state().conflicts) == (before.data, before.conflicts)
    assert (after.state().notices, after.state().life) == (before.notices, before.life)
    assert {sub: writes for sub, writes in after.writes().items() if sub in world.ops} == world.extraction().writes()


@PROFILE
@given(world=anything(), data=st.data())
def test_a_repair_is_read_instead_and_another_act_gives_the_words_back(world: World, data: st.DataObject) -> None:
    if not visits(world.ops):
        return
    target = data.draw(st.sampled_from(visits(world.ops)))
    op = world.ops[target]
    patch = {name: data.draw(st.sampled_from([*VALUES[name], None])) for name in op.said if name in VALUES}
    repair = about(Act.REPAIR, target, "sửa", 10**6, saw=list(world.ops), said=patch)
    repaired = Extraction(world.kind, {**world.ops, "sửa": repair})
    clean = {sub: one for sub, one in world.ops.items() if not decides(one, target)}
    spoken = Extraction(world.kind, {**clean, target: replace(op, said=patch)})
    assert repaired.writes()[target] == spoken.writes()[target]
    assert repaired.frame.verdicts[target].act is Act.REPAIR
    last = about(Act.ACCEPT, target, "nhận", 10**6 + 1, saw=[*world.ops, "sửa"])
    given_back = Extraction(world.kind, {**world.ops, "sửa": repair, "nhận": last})
    assert given_back.writes()[target] == Extraction(world.kind, clean).writes()[target]
