"""How the ops of one entity stand to each other: what was rejected, repaired, amended, and who knew of whom.

A frame is taken over a universe of ops: everything that has arrived, or exactly what one author had seen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forms.entity_types import Cell
from forms.once import once
from sync.state.acts import verdicts
from sync.state.amendments import Amendments
from sync.state.knowledge import Known, causes_first, circles_of, without_circles
from sync.state.model import Act, Gone, Op, Verdict

_NOT_ASKED = object()


@dataclass(frozen=True)
class Reading:
    """How one op is read: with whose screen, on what knowledge, and by whose words.

    `screen` is the op whose base, `after` and `seen` say what was shown (of an amendment: its root), `known` what
    that one knew, `words` the op whose `said` counts (of a repaired submission: the repair).
    """

    sub: str
    screen: str
    known: frozenset[str]
    words: str


@dataclass(frozen=True)
class Told:
    """When something was observed, as merging takes it."""

    t: int
    late: bool
    suspect: bool


class Frame:
    """What holds between the ops of `universe` if only those had ever arrived.

    `whole` is the frame of everything that has arrived; what is known of that need not be worked out again.
    """

    def __init__(self, ops: Mapping[str, Op], universe: frozenset[str], whole: "Frame | None" = None) -> None:
        self._ops, self.universe, self._whole = ops, universe, whole or self
        self._readings: dict[str, Reading] = {}
        self._told_at: dict[str, Told] = {}

    @once
    def _claims(self) -> Known:
        if self._whole is self:
            return {sub: claims(self._ops, sub) & self.universe - {sub} for sub in self.universe}
        claimed = ((sub, self._whole._claims[sub]) for sub in self.universe)
        return {sub: seen if seen <= self.universe else seen & self.universe for sub, seen in claimed}

    @once
    def _plain(self) -> list[str] | None:
        """All ops, causes first, if nobody amends and no claims go in a circle: then it is so in every part."""
        if any(self._ops[sub].amends for sub in self.universe) or circles_of(self._claims):
            return None
        return causes_first(self.universe, self._claims)

    @once
    def verdicts(self) -> Mapping[str, Verdict]:
        """What the acts on each submission amount to."""
        if not any(self._ops[sub].target for sub in self.universe):
            return {}
        known = self._claims if self._whole._plain is not None else without_circles(self._claims)
        return verdicts(self._ops, self.universe, known)

    @once
    def rejected(self) -> frozenset[str]:
        return frozenset(target for target, verdict in self.verdicts.items() if verdict.act is Act.REJECT)

    @once
    def amendments(self) -> Amendments:
        return Amendments(self._ops, () if self._whole._plain is not None else self.universe - self.rejected)

    @once
    def known(self) -> Known:
        """What each op may beat: snapshot and chain; of an amendment what its root knew, and those it amends."""
        if self._whole._plain is not None:
            return self._claims
        known = {}
        for sub in self.universe:
            *amended, _ = self.amendments.chain(sub)
            known[sub] = self._claims[amended[0]] | frozenset(amended) if amended else self._claims[sub]
        return without_circles(known)

    @once
    def order(self) -> list[str]:
        """The ops, each after those that it knew."""
        if self._whole._plain is not None:
            return [sub for sub in self._whole._plain if sub in self.universe]
        return causes_first(self.universe, self.known)

    def reading(self, sub: str) -> Reading:
        """How one op is to be read."""
        found = self._readings.get(sub)
        if found is None:
            root = self.amendments.root(sub)
            verdict = self.verdicts.get(sub)
            words = verdict.by if verdict is not None and verdict.act is Act.REPAIR else sub
            found = self._readings[sub] = Reading(sub, root, self.known[root], words)
        return found

    def gone(self, sub: str, cell: Cell) -> Gone | None:
        """Why what `sub` says of a cell stands no longer, if so."""
        if sub in self.rejected:
            return Gone.REJECTED
        return None if self.speaker(sub, cell) == sub else Gone.AMENDED

    def speaker(self, sub: str, cell: Cell) -> str:
        """Who speaks on a cell in the chain of `sub`: the last that answered otherwise than the one before."""
        if self._whole._plain is not None:  # nobody amends
            return sub
        chain = self.amendments.standing(sub)
        if chain == (sub,):
            return sub
        said = [self._told(one, one, cell) for one in chain]
        for index in range(len(chain) - 1, 0, -1):
            words = self._told(self.reading(chain[index]).words, chain[index], cell)
            if said[index] != said[index - 1] or words != said[index]:
                return chain[index]
        return chain[0]

    def alike(self, sub: str, other: str, cell: Cell) -> bool:
        """Whether two submissions answer alike, both as received."""
        return self._told(sub, sub, cell) == self._told(other, other, cell)

    def told(self, sub: str) -> Told:
        """The time of an op: that of what it amends, unless it states another date of the visit."""
        if sub not in self._told_at:
            chain = self.amendments.chain(sub)
            while len(chain) > 1 and self._ops[chain[-1]].day == self._ops[chain[-2]].day:
                chain = chain[:-1]
            op = self._ops[chain[-1]]
            self._told_at[sub] = Told(op.t, op.late, op.suspect)
        return self._told_at[sub]

    def _told(self, words: str, sub: str, cell: Cell) -> list[Any]:
        said = self._ops[words].said if words in self._ops else self._ops[sub].said
        return [said.get(prop.name, _NOT_ASKED) for prop in cell.members]


def claims(ops: Mapping[str, Op], sub: str) -> frozenset[str]:
    """What an op claims to have seen: its snapshot if the base is ours, and its author's own earlier submissions."""
    op = ops[sub]
    own = {other for other in op.after if other in ops and ops[other].author == op.author}
    return (op.snapshot if op.base_ok else frozenset()) | own
