"""Worlds in which some phones and desks lie: circles, ids that nobody sent, screens that never were."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import strategies as st

from forms.entity_types import EntityType
from sync.state.model import Act, Op, Standing
from tests.sync.actors import World
from tests.sync.types import VALUES
from tests.sync.worlds import STEPS, Choices, worlds

ACTS = (Act.VISIT, Act.CORRECT, Act.RESOLVE, Act.REJECT, Act.UNREJECT, Act.REPAIR, Act.DELETE, Act.RESTORE)
Lie = Callable[[Op, list[str], Choices], Op]


def _seen(op: Op, named: list[str], choices: Choices) -> Op:
    return replace(op, seen={name: choices.pick(VALUES[name]) for name in op.said if name in VALUES})


def _word(op: Op, named: list[str], choices: Choices) -> Op:
    said = {name: choices.pick([*VALUES[name], None, "mã lạ", 7]) for name in op.said if name in VALUES}
    sets = {name for name in said if isinstance(VALUES[name][0], list)}
    return replace(op, said={n: v if n not in sets or isinstance(v, list) else None for n, v in said.items()})


LIES: tuple[Lie, ...] = (
    lambda op, named, choices: replace(op, after=(*op.after, *named)),
    lambda op, named, choices: replace(op, after=tuple(named)),
    lambda op, named, choices: replace(op, snapshot=frozenset(named)),
    lambda op, named, choices: replace(op, snapshot=op.snapshot | {*named}),
    lambda op, named, choices: replace(op, amends=named[0] if named else op.sub, act=Act.VISIT),
    lambda op, named, choices: replace(op, amends=named[0] if named else None, act=Act.VISIT, author="Chị Bảy"),
    lambda op, named, choices: replace(op, base_ok=False, after=(), seen=None, loaded=frozenset(op.said)),
    lambda op, named, choices: replace(op, creates=not op.creates),
    lambda op, named, choices: replace(op, act=choices.pick(ACTS), target=named[0] if named else None),
    lambda op, named, choices: replace(op, standing=choices.pick(tuple(Standing)), late=choices.yes(2)),
    lambda op, named, choices: replace(op, author="Chị Bảy", day=choices.pick(("1", "9", None))),
    _seen,
    _word,
)


def tampered(world: World, lies: list[bytes]) -> World:
    """The same world with some ops forged; nobody knows any more what is true."""
    ids = [*sorted(world.ops), "unknown-1", "unknown-2"]
    ops = dict(world.ops)
    for data in lies:
        choices = Choices(data)
        lie, sub = choices.pick(LIES), choices.pick(sorted(world.ops))
        named = [choices.pick(ids) for _ in range(choices.number(4))]
        ops[sub] = lie(ops[sub], named, choices)
    return World(world.kind, ops)


_LIES = st.lists(st.binary(min_size=10, max_size=10), min_size=1, max_size=6)


def hostile(*kinds: EntityType, among: Sequence[Any] = STEPS) -> st.SearchStrategy[World]:
    return st.builds(tampered, worlds(*kinds, among=among), _LIES)


def anything(*kinds: EntityType, among: Sequence[Any] = STEPS) -> st.SearchStrategy[World]:
    """Honest and hostile worlds, half each."""
    return st.one_of(worlds(*kinds, among=among), hostile(*kinds, among=among))
