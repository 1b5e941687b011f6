"""The state of an entity as a pure function of the set of its ops and their writes.

Arrival order, repeats and partitions cannot matter, because nothing here sees them: a submission says what
its author had seen, never "apply me to version 17".
"""

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from forms.entity_types import Cell, EntityType
from sync.model import CellState, CellValue, Conflict, Entry, Op, State, Write
from sync.policies import Policy, policy_of


class Knowledge:
    """What each op of one entity knew of the others: snapshot and chain, as far as they are here.

    Two ops that claim to have seen each other (a broken or hostile phone) are taken as knowing neither.
    """

    def __init__(self, ops: Mapping[str, Op]) -> None:
        self._claims = {
            sub: ((op.snapshot if op.base_ok else frozenset()) | frozenset(op.after)) & ops.keys() - {sub}
            for sub, op in ops.items()
        }
        self.circular = frozenset(_circles(self._claims))
        self.known = self._without_circles(self._claims)

    def within(self, universe: frozenset[str]) -> Mapping[str, frozenset[str]]:
        """What each op of `universe` would know if only those had ever arrived; a circle may then be open."""
        claims = {sub: self._claims[sub] & universe for sub in universe}
        return self._without_circles(claims) if self.circular & universe else claims

    @staticmethod
    def _without_circles(claims: Mapping[str, frozenset[str]]) -> Mapping[str, frozenset[str]]:
        circles = _circles(claims)
        return {
            sub: frozenset(other for other in seen if sub not in circles or circles.get(other) != circles[sub])
            for sub, seen in claims.items()
        }


def _circles(claims: Mapping[str, frozenset[str]]) -> dict[str, int]:
    """Number the groups of ops that reach each other through claims; ops outside of any are left out.

    Kosaraju's algorithm with explicit stacks: a hostile chain may be longer than the interpreter's.
    """
    finished = _by_finish(claims)
    back: dict[str, list[str]] = {sub: [] for sub in claims}
    for sub, seen in claims.items():
        for other in seen:
            back[other].append(sub)
    group: dict[str, int] = {}
    for number, start in enumerate(reversed(finished)):
        stack = [start]
        while stack:
            sub = stack.pop()
            if sub not in group:
                group[sub] = number
                stack += back[sub]
    numbers = list(group.values())
    return {sub: number for sub, number in group.items() if numbers.count(number) > 1}


def _by_finish(claims: Mapping[str, frozenset[str]]) -> list[str]:
    done: set[str] = set()
    order: list[str] = []
    for start in sorted(claims):
        stack = [(start, False)]
        while stack:
            sub, leaving = stack.pop()
            if leaving:
                order.append(sub)
            elif sub not in done:
                done.add(sub)
                stack.append((sub, True))
                stack += [(other, False) for other in sorted(claims[sub]) if other not in done]
    return order


def state_of(entity: str, cells: Mapping[str, CellState | None]) -> State:
    """The state that these cells make up; a cell that was never written is left out."""
    written = {name: cell for name, cell in cells.items() if cell is not None}
    data = {prop: value for cell in written.values() for prop, value in cell.current.value.items()}
    return State(entity, written, data)


def merge_cell(
    cell: Cell, ops: Mapping[str, Op], writes: Mapping[str, Write], known: Mapping[str, frozenset[str]]
) -> CellState:
    """What the writes on one cell amount to: `writes` and `known` by the submission that made them."""
    policy = policy_of(cell)
    entries = _entries(ops, writes, known)
    live = tuple(b for b in entries if not any(policy.beats(a, b) for a in entries if a is not b))
    current = policy.current(live)
    conflict = _conflict(ops[current.op].entity, cell.name, live) if policy.disputed(live) else None
    return CellState(current, live, entries, conflict, tuple(policy.notices(live, current)))


def _entries(
    ops: Mapping[str, Op], writes: Mapping[str, Write], known: Mapping[str, frozenset[str]]
) -> tuple[Entry, ...]:
    """All writes on one cell by effective time.

    Effective time is never earlier than what the author had seen, so a slow clock cannot lose to what it
    replaced; a form typed in late keeps its own date.
    """
    effective: dict[str, int] = {}
    for sub in causes_first(writes, known):
        seen = [effective[other] + 1 for other in known[sub] if other in effective]
        effective[sub] = ops[sub].t if ops[sub].late else max([ops[sub].t, *seen])
    entries = (_entry(ops[sub], effective[sub], write, known[sub]) for sub, write in writes.items())
    return tuple(sorted(entries, key=lambda entry: entry.order))


def causes_first(subs: Iterable[str], known: Mapping[str, frozenset[str]]) -> list[str]:
    """Order ops so that each comes after those it knew; there are no circles left in `known`."""
    left, order, placed = sorted(subs), [], set[str]()
    members = frozenset(left)
    while left:
        ready = [sub for sub in left if (known[sub] & members) <= placed]
        order += ready
        placed.update(ready)
        left = [sub for sub in left if sub not in placed]
    return order


def _entry(op: Op, eff: int, write: Write, knew: frozenset[str]) -> Entry:
    return Entry(
        op=op.sub,
        t=op.t,
        eff=eff,
        value=write.value,
        knew=knew,
        replaces=write.replaces,
        late=op.late,
        suspect=op.suspect or write.blind,
        request=write.request,
        rules=op.rules,
    )


def _conflict(entity: str, cell: str, live: Iterable[Entry]) -> Conflict:
    members = tuple(sorted(entry.op for entry in live))
    text = "\n".join((entity, cell, *members))
    return Conflict(hashlib.sha256(text.encode()).hexdigest()[:24], entity, cell, members)


def history(kind: EntityType, state: State, properties: Iterable[str]) -> list[tuple[int, str, dict[str, Any]]]:
    """How the given properties came to be: (effective time, op, values from then on), ascending.

    Each step is what the writes up to it amount to, so a value that lost to a rule makes no step of its own.
    """
    wanted = list(properties)
    cells = {kind.properties[prop].cell for prop in wanted} & state.cells.keys()
    steps = sorted(
        ((entry, name) for name in cells for entry in state.cells[name].entries),
        key=lambda step: (step[0].order, step[1]),
    )
    growing = {name: _Growing(policy_of(kind.cells[name])) for name in cells}
    timeline: list[tuple[int, str, dict[str, Any]]] = []
    for entry, name in steps:
        growing[name].add(entry)
        now = {prop: value for cell in growing.values() for prop, value in cell.value.items()}
        timeline.append((entry.eff, entry.op, {prop: now.get(prop) for prop in wanted}))
    return timeline


class _Growing:
    """The current value of one cell while its writes are taken in one by one."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._entries: list[Entry] = []
        self._live: list[Entry] = []

    def add(self, entry: Entry) -> None:
        self._live = [other for other in self._live if not self._policy.beats(entry, other)]
        if not any(self._policy.beats(other, entry) for other in self._entries):
            self._live.append(entry)
        self._entries.append(entry)

    @property
    def value(self) -> CellValue:
        return self._policy.current(self._live).value if self._live else {}
