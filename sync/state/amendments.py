"""Amendments: an author mends an earlier submission of his own, and speaks only where he now answers otherwise.

The one place that knows which submission amends which. Everything else asks `Amendments`.
"""

from collections.abc import Collection, Mapping

from sync.state.model import Act, Op


class Amendments:
    """The amendments among some ops of one entity; rejected ones are to be left out by the caller.

    An amendment whose amended submission is not among them is a submission of its own. Members of a circle all
    stand by themselves. Of two amendments of one submission the greater id stands, with what follows from it.
    """

    def __init__(self, ops: Mapping[str, Op], among: Collection[str]) -> None:
        self._amended = {sub: before for sub in among if (before := _amended(ops, sub, among)) is not None}
        for sub in [sub for sub in self._amended if self._circular(sub)]:
            self._amended.pop(sub, None)
        self._amendments: dict[str, list[str]] = {}
        for sub, before in self._amended.items():
            self._amendments.setdefault(before, []).append(sub)

    def chain(self, sub: str) -> tuple[str, ...]:
        """From the root to `sub`, each amending the one before."""
        found = [sub]
        while found[-1] in self._amended:
            found.append(self._amended[found[-1]])
        return tuple(reversed(found))

    def root(self, sub: str) -> str:
        """The submission on whose screen all of the chain was filled in."""
        return self.chain(sub)[0]

    def standing(self, sub: str) -> tuple[str, ...]:
        """The chain through which the root of `sub` speaks now: at every fork the greater id."""
        root = self.root(sub)
        return root, *self.later(root)

    def later(self, sub: str) -> tuple[str, ...]:
        """What amends `sub`, and what amends that: at every fork the greater id."""
        found = [sub]
        while found[-1] in self._amendments:
            found.append(max(self._amendments[found[-1]]))
        return tuple(found[1:])

    def _circular(self, sub: str) -> bool:
        seen, at = {sub}, self._amended.get(sub)
        while at is not None and at != sub:
            if at in seen:
                return False  # it leads into a circle without being part of it
            seen.add(at)
            at = self._amended.get(at)
        return at == sub


def _amended(ops: Mapping[str, Op], sub: str, among: Collection[str]) -> str | None:
    """What a submission amends, if that is here and its own author's."""
    op = ops[sub]
    if op.act is not Act.VISIT or op.amends is None or op.amends == sub or op.amends not in among:
        return None
    before = ops[op.amends]
    return before.sub if before.act is Act.VISIT and before.author == op.author else None
