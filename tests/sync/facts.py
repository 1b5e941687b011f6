"""What there is to merge, as a person would work it out from what really happened: slowly, and op by op.

For honest worlds of which everything is here. Nothing is shared with the engine.
"""

from dataclasses import dataclass

from sync.state.model import Act, Op, Standing
from tests.sync.actors import World
from tests.sync.truth import Change, answers, changed, ruled

STRONGER = (Act.REJECT, Act.UNREJECT, Act.ACCEPT, Act.REPAIR)


@dataclass(frozen=True)
class Fact:
    """One change of one cell. `gone` says why it stands no longer: `rejected`, `amended` or nothing."""

    change: Change
    t: int
    eff: int
    knew: frozenset[str]
    late: bool
    suspect: bool
    rules: bool
    gone: str


class Facts:
    """The changes of one world, by cell and op."""

    def __init__(self, world: World) -> None:
        self.world, self.ops = world, world.ops
        self.counts = {sub: self.act_that_counts(sub) for sub in self.ops}
        self.rejected = {sub for sub, act in self.counts.items() if act is not None and act.act is Act.REJECT}
        self.changes = {sub: self._changes(sub) for sub in self.ops}
        self._eff: dict[tuple[str, str], int] = {}

    def saw(self, sub: str) -> frozenset[str]:
        op = self.ops[sub]
        return frozenset((op.snapshot | {*op.after}) & self.ops.keys() - {sub})

    def act_that_counts(self, target: str) -> Op | None:
        """An act replaces those that its author saw; of the others the strongest counts, then the later."""
        acts = [
            op
            for op in self.ops.values()
            if op.target == target and op.standing is Standing.SUPERVISOR and op.act in STRONGER
        ]
        return self._strongest(acts)

    def _strongest(self, acts: list[Op]) -> Op | None:
        left = [act for act in acts if not any(act.sub in self.saw(other.sub) for other in acts)]
        return max(left, key=lambda act: (STRONGER.index(act.act), act.t, act.sub), default=None)

    def _given_back(self, act: Op) -> Op | None:
        """The repair with which a submission is read again once its rejection is taken back."""
        acts = [self.ops[sub] for sub in self.saw(act.sub) if self.ops[sub].target == act.target]
        while (last := self._strongest(acts)) is not None and last.act is Act.REJECT:
            acts.remove(last)
        return self._given_back(last) if last is not None and last.act is Act.UNREJECT else last

    def said(self, sub: str) -> Op:
        """The op with whose words a submission is read."""
        act = self.counts[sub]
        if act is not None and act.act is Act.UNREJECT:
            act = self._given_back(act)
        return act if act is not None and act.act is Act.REPAIR else self.ops[sub]

    def amended(self, sub: str) -> str | None:
        """What a submission mends, if that is here and neither of them is rejected."""
        before = self.ops[sub].amends
        return before if before in self.ops and not {before, sub} & self.rejected else None

    def chain(self, sub: str) -> list[str]:
        before = self.amended(sub)
        return [sub] if before is None else [*self.chain(before), sub]

    def knew(self, sub: str) -> frozenset[str]:
        *earlier, last = self.chain(sub)
        return self.saw(earlier[0]) | {*earlier} if earlier else self.saw(last)

    def observed(self, sub: str) -> Op:
        """The op whose time counts: the first of the chain, or the last that stated another day."""
        before = self.amended(sub)
        if before is None or self.ops[before].day != self.ops[sub].day:
            return self.ops[sub]
        return self.observed(before)

    def effective(self, sub: str, cell: str) -> int:
        key = (sub, cell)
        if key not in self._eff:
            told = self.observed(sub)
            known = [other for other in self.knew(sub) if cell in self.changes[other]]
            times = [] if told.late else [1 + self.effective(other, cell) for other in known]
            self._eff[key] = max([told.t, *times])
        return self._eff[key]

    def gone(self, sub: str, cell: str) -> str:
        if sub in self.rejected:
            return "rejected"
        later = self._later(sub)
        return "amended" if any(self._speaks(one, cell) for one in later) or not self._speaks(sub, cell) else ""

    def by_cell(self) -> dict[str, dict[str, Fact]]:
        found: dict[str, dict[str, Fact]] = {}
        for sub, changes in self.changes.items():
            told = self.observed(sub)
            for cell, change in changes.items():
                found.setdefault(cell, {})[sub] = Fact(
                    change,
                    told.t,
                    self.effective(sub, cell),
                    self.knew(sub),
                    told.late,
                    told.suspect,
                    ruled(self.ops[sub]),
                    self.gone(sub, cell),
                )
        return found

    def _changes(self, sub: str) -> dict[str, Change]:
        if self.ops[sub].act not in (Act.VISIT, Act.CORRECT, Act.RESOLVE):
            return {}
        words = self.said(sub).said
        return changed(self.world.kind, self.ops[sub], self.world.truth[sub].screen, words)

    def _later(self, sub: str) -> list[str]:
        after = [one for one in self.ops if self.amended(one) == sub]
        return [later for one in after for later in (one, *self._later(one))]

    def _speaks(self, sub: str, cell: str) -> bool:
        """Whether a submission answers otherwise than what it mends, or is read otherwise than it was written."""
        before, definition = self.amended(sub), self.world.kind.cells[cell]
        own, read = answers(self.ops[sub], definition), answers(self.said(sub), definition)
        return before is None or own != answers(self.ops[before], definition) or read != own
