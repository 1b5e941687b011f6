"""The chains of ODK Collect: what a phone made of an entity while it was offline, as its submissions themselves say.

Source: entities specification 2024.1 (`trunkVersion`, `branchId`, `baseVersion`). An update names the version that
the phone had last from the server (trunk), its own branch since, and which of its own versions it was filled in on.
Who belongs to a chain follows from these alone, so it is the same in whatever order they arrive.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sync.state.model import Branch, Op


def chained(ops: Mapping[str, Op]) -> Mapping[str, Op]:
    """The ops with what has arrived of their branches in `after`, in the phone's order.

    Who names another's branch gains nothing: of `after` only what is the author's own counts.
    """
    branches: dict[str, list[tuple[Branch, Op]]] = {}
    for op in ops.values():
        if op.branch is not None:
            branches.setdefault(op.branch.id, []).append((op.branch, op))
    if not branches:
        return ops
    first = sorted(sub for sub, op in ops.items() if op.creates)
    return {
        sub: op if op.branch is None else replace(op, after=_chain(op, op.branch, branches, first))
        for sub, op in ops.items()
    }


def _chain(
    op: Op, mine: Branch, branches: Mapping[str, Sequence[tuple[Branch, Op]]], first: Sequence[str]
) -> tuple[str, ...]:
    """What was on the phone before: the create where it was made there, then the branch's smaller versions."""
    roots = [sub for sub in first if sub != op.sub] if mine.rooted else []
    steps = sorted((branch.step, other.sub) for branch, other in branches[mine.id])
    return tuple(dict.fromkeys([*op.after, *roots, *(sub for step, sub in steps if step < mine.step)]))
