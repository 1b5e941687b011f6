"""Acts on one submission are a register; amendments are chains. Both from small worlds of their own."""

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.model import Act, Op, Standing
from tests.sync.profile import PROFILE
from tests.sync.types import MEASURES, about, op
from tests.sync.worlds import Choices

STRENGTH = {Act.REJECT: 0, Act.UNREJECT: 1, Act.ACCEPT: 2, Act.REPAIR: 3}
BYTES = st.lists(st.binary(min_size=8, max_size=8), min_size=1, max_size=6)


# --- the register -------------------------------------------------------------------------------------------


def register(data: list[bytes]) -> dict[str, Op]:
    """One visit and acts on it, each made in the knowledge of some of the others; some see each other."""
    ops = {"v": op("v", 0, {"weight_kg": 12.5}, creates=True)}
    ids = [f"a{number}" for number in range(len(data))]
    for number, one in enumerate(data):
        choices = Choices(one)
        act = choices.pick(tuple(STRENGTH))
        pool = ids if choices.yes(6) else ids[:number]
        saw = [sub for sub in pool if choices.yes(2)]
        made = about(act, "v", ids[number], choices.number(4), ["v", *saw], {"weight_kg": 13.0 + number})
        if choices.yes(6):
            made = replace(made, standing=Standing.AUTHOR)  # somebody who may not decide anything
        ops[made.sub] = made
    return ops


def mutual(ops: Mapping[str, Op], one: str, other: str) -> bool:
    """Whether two acts reach each other through what they claim to have seen."""

    def reaches(start: str, goal: str, seen: set[str]) -> bool:
        return any(
            sub == goal or reaches(sub, goal, seen)
            for sub in ops[start].snapshot - {start}
            if sub in ops and not (sub in seen or seen.add(sub))  # type: ignore[func-returns-value]
        )

    return reaches(one, other, set()) and reaches(other, one, set())


def expected(ops: Mapping[str, Op]) -> Op | None:
    acts = [one for one in ops.values() if one.target == "v" and one.standing is Standing.SUPERVISOR]
    seen = {(a.sub, b.sub) for a in acts for b in acts if a.sub in b.snapshot - {b.sub}}
    left = [a for a in acts if not any((a.sub, b.sub) in seen and not mutual(ops, a.sub, b.sub) for b in acts)]
    return max(left, key=lambda a: (STRENGTH[a.act], a.t, a.sub), default=None)


@PROFILE
@given(data=BYTES, order=st.randoms(use_true_random=False))
def test_an_act_replaces_what_it_saw_and_of_the_others_the_strongest_counts(data: list[bytes], order) -> None:
    ops = register(data)
    mixed = list(ops.values())
    order.shuffle(mixed)
    state, act = Extraction(MEASURES, {one.sub: one for one in mixed}).state(), expected(ops)
    if act is None:
        assert not state.verdicts
        return
    verdict = state.verdicts["v"]
    if act.act is Act.UNREJECT and verdict.act is Act.REPAIR:
        assert verdict.by in act.snapshot  # what had been read with a patch is given back with it
    else:
        assert (verdict.act, verdict.by) == (act.act, act.sub)
    for sub in verdict.overruled:
        assert ops[sub].act is not act.act
        assert sub not in act.snapshot - {act.sub} or mutual(ops, sub, act.sub)
    shown = [] if verdict.act is Act.REJECT else [12.5]
    if verdict.act is Act.REPAIR:
        shown = [ops[verdict.by].said["weight_kg"]]
    cell = state.cells.get("measurement")
    assert [item.value["weight_kg"] for item in (cell.items if cell else ())] == shown


@PROFILE
@given(data=BYTES)
def test_supervisors_hear_of_every_act_that_was_overruled_unseen(data: list[bytes]) -> None:
    ops = {sub: one for sub, one in register(data).items() if one.standing is Standing.SUPERVISOR or sub == "v"}
    state = Extraction(MEASURES, ops).state()
    if "v" not in state.verdicts:
        return
    counts = expected(ops)
    assert counts is not None
    for one in (one for one in ops.values() if one.target == "v" and one.act is not counts.act):
        known = any(one.sub in other.snapshot - {other.sub} for other in ops.values())
        assert (one.sub in state.verdicts["v"].overruled) or known


@PROFILE
@given(data=BYTES)
def test_giving_back_a_rejected_submission_gives_it_back_as_it_was_read(data: list[bytes]) -> None:
    ops = register(data)
    before = Extraction(MEASURES, ops).state()
    verdict = before.verdicts.get("v")
    if verdict is not None and verdict.act is Act.REJECT:
        return
    for number, act in enumerate((Act.REJECT, Act.UNREJECT)):
        sub = f"z{number}"
        ops = {**ops, sub: about(act, "v", sub, 9, saw=list(ops))}
    after = Extraction(MEASURES, ops).state()
    assert after.cells["measurement"].items == before.cells["measurement"].items


# --- chains of amendments ---------------------------------------------------------------------------------------


def family(data: list[bytes]) -> dict[str, Op]:
    """Submissions that mend each other at random: chains, forks, circles, those of others, missing ones."""
    ids = [f"s{number}" for number in range(len(data))]
    ops = {}
    for number, one in enumerate(data):
        choices = Choices(one)
        said = {"weight_kg": choices.pick((12.5, 13.0)), "imm_doses": choices.pick((None, [{"dose": "BCG"}]))}
        amends = choices.pick([None, *ids[:number], *ids[:number], *ids[:number], *ids, "không có"])
        author = "Anh Tư" if choices.yes(8) else "Chị Bảy"
        day = choices.pick((None, None, "1", "2"))
        made = op(
            f"s{number}", 10 * number, said, amends=amends, author=author, day=day, creates=True, late=day == "2"
        )
        ops[made.sub] = made
        if choices.yes(7):
            rejection = about(Act.REJECT, choices.pick(ids), f"x{number}", 1_000, saw=ids)
            ops[rejection.sub] = rejection
    return ops


class Family:
    """Who speaks, worked out by walking."""

    def __init__(self, ops: Mapping[str, Op]) -> None:
        self.ops = ops
        self.rejected = {one.target for one in ops.values() if one.act is Act.REJECT and one.target}
        self.here = {sub for sub, one in ops.items() if one.act is Act.VISIT and sub not in self.rejected}

    def before(self, sub: str) -> str | None:
        other = self.ops[sub].amends
        if sub not in self.here or other not in self.here or self.ops[other].author != self.ops[sub].author:
            return None
        return None if self.in_a_circle(sub) else other

    def in_a_circle(self, sub: str) -> bool:
        at, seen = self.ops[sub].amends, set[str]()
        while at in self.here and at not in seen and self.ops[at].author == self.ops[sub].author:
            if at == sub:
                return True
            seen.add(at)
            at = self.ops[at].amends
        return False

    def chain(self, sub: str) -> list[str]:
        other = self.before(sub)
        return [sub] if other is None else [*self.chain(other), sub]

    def last(self, sub: str) -> list[str]:
        after = [one for one in self.here if self.before(one) == sub]
        return self.last(max(after)) if after else self.chain(sub)

    def speaks(self, sub: str, prop: str) -> bool:
        if sub not in self.here:
            return False
        chain = self.last(self.chain(sub)[0])
        said = [self.ops[one].said[prop] for one in chain]
        changes = [one for number, one in enumerate(chain) if number == 0 or said[number] != said[number - 1]]
        return changes[-1] == sub

    def day(self, sub: str) -> Op:
        other = self.before(sub)
        return self.ops[sub] if other is None or self.ops[other].day != self.ops[sub].day else self.day(other)


@PROFILE
@given(data=BYTES, gone=st.sets(st.integers(0, 5), max_size=2))
def test_of_every_chain_one_speaks_for_each_cell_also_when_members_are_held(
    data: list[bytes], gone: set[int]
) -> None:
    every = family(data)
    for ops in (every, {sub: one for sub, one in every.items() if sub not in {f"s{n}" for n in gone}}):
        if not ops:
            continue
        kin = Family(ops)
        state = Extraction(MEASURES, ops).state()
        for name, prop in (("measurement", "weight_kg"), ("imm_doses", "imm_doses")):
            cell = state.cells.get(name)
            entries = cell.entries if cell else state.past.get(name, ())
            speaking = {sub for sub in kin.here if kin.speaks(sub, prop) and ops[sub].said[prop]}
            assert {entry.op for entry in entries if entry.gone is None} == speaking
            for entry in entries:
                told = kin.day(entry.op)
                assert (entry.t, entry.late) == (told.t, told.late)
                assert (entry.gone == "rejected") == (entry.op in kin.rejected)
                assert set(kin.chain(entry.op)[:-1]) <= entry.knew


@PROFILE
@given(data=BYTES)
def test_members_of_a_circle_all_stand_and_of_a_fork_the_greater_id(data: list[bytes]) -> None:
    visits = {sub: one for sub, one in family(data).items() if one.act is Act.VISIT}
    ids = sorted(visits)
    circle = {sub: replace(one, amends=ids[index - 1], author="Chị Bảy")
              for index, (sub, one) in enumerate(sorted(visits.items()))}  # fmt: skip
    cell = Extraction(MEASURES, circle).state().cells["measurement"]
    assert sorted(item.op for item in cell.items) == (ids if len(ids) > 1 else ["s0"])
    fork = {sub: replace(one, amends="s0", author="Chị Bảy", said={"weight_kg": 20.0 + number})
            for number, (sub, one) in enumerate(sorted(visits.items()))}  # fmt: skip
    cell = Extraction(MEASURES, fork).state().cells["measurement"]
    assert [item.op for item in cell.items] == [ids[-1]]
