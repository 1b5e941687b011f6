"""The state of an entity as a pure function of the set of its ops and their writes.

Arrival order, repeats and partitions cannot matter, because nothing here sees them: a submission says what
its author had seen, never "apply me to version 17".
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forms.derived import DERIVED
from forms.entity_types import Cell, EntityType, PolicyName
from sync.state.frame import Told
from sync.state.gatherings import Series, Union, UnionGrow
from sync.state.knowledge import Known
from sync.state.model import CellState, CellValue, Conflict, Entry, Gone, Write
from sync.state.policies import Highest, KeepFirst, Latest, Placement, Policy, Review

POLICIES: dict[PolicyName, type[Policy]] = {
    PolicyName.LATEST: Latest,
    PolicyName.HIGHEST: Highest,
    PolicyName.REVIEW: Review,
    PolicyName.UNION: Union,
    PolicyName.UNION_GROW: UnionGrow,
    PolicyName.KEEP_FIRST: KeepFirst,
    PolicyName.SERIES: Series,
}


def policy_of(cell: Cell) -> Policy:
    """The policy that merges `cell`."""
    return Placement(cell) if cell.placement else POLICIES[cell.policy](cell)


def entries_of(
    writes: Mapping[str, Write],
    known: Known,
    told: Mapping[str, Told],
    gone: Mapping[str, Gone | None],
    rules: Mapping[str, bool],
) -> tuple[Entry, ...]:
    """All writes on one cell by effective time, those that stand no longer included; `writes` name causes first.

    Effective time is never earlier than what the author had seen, so a slow clock cannot lose to what it
    replaced; a form typed in late keeps its own date.
    """
    effective: dict[str, int] = {}
    for sub in writes:
        seen = [effective[other] + 1 for other in known[sub] if other in effective]
        effective[sub] = told[sub].t if told[sub].late else max([told[sub].t, *seen])
    entries = (
        Entry(
            op=sub,
            t=told[sub].t,
            eff=effective[sub],
            write=write,
            knew=known[sub],
            late=told[sub].late,
            suspect=told[sub].suspect or write.blind,
            rules=rules[sub],
            gone=gone[sub],
        )
        for sub, write in writes.items()
    )
    return tuple(sorted(entries, key=lambda entry: entry.order))


def merge_cell(entity: str, cell: Cell, entries: Sequence[Entry]) -> CellState | None:
    """What the writes on one cell amount to; None if none of them stands."""
    standing = [entry for entry in entries if entry.gone is None]
    if not standing:
        return None
    policy = policy_of(cell)
    merged = policy.merge(standing)
    disputes = sorted(merged.disputes.items()) if merged.disputes else ()
    conflicts = tuple(conflict(entity, f"{cell.name}/{key}" if key else cell.name, of) for key, of in disputes)
    return CellState(
        value=merged.value,
        current=merged.current,
        live=merged.live,
        entries=tuple(entries),
        conflicts=conflicts,
        notices=merged.notices,
        items=merged.items,
        ruled=policy.ruled(standing),
    )


def conflict(entity: str, cell: str, members: Iterable[str]) -> Conflict:
    """The conflict between these members; its id is a hash of all that it is about."""
    ordered = tuple(sorted(members))
    text = "\n".join((entity, cell, *ordered))
    return Conflict(hashlib.sha256(text.encode()).hexdigest()[:24], entity, cell, ordered)


def data_of(kind: EntityType, cells: Mapping[str, CellState]) -> dict[str, Any]:
    """The values that show, and what follows from them: derived properties are never written."""
    data = {prop: value for cell in cells.values() for prop, value in cell.value.items()}
    series = {name: [item.value for item in cell.items] for name, cell in cells.items() if cell.items}
    for name in kind.derived:
        value = DERIVED[name](data, series)
        if value is not None:
            data[name] = value
    return data


def history(
    kind: EntityType, cells: Mapping[str, CellState], properties: Iterable[str]
) -> list[tuple[int, str, dict[str, Any]]]:
    """How the given properties came to be: (effective time, op, values from then on), ascending.

    Each step is what the standing writes up to it amount to, so a value that lost to a rule, was amended or
    rejected makes no step of its own.
    """
    wanted = list(properties)
    names = {kind.properties[prop].cell for prop in wanted} & cells.keys()
    steps = sorted(
        ((entry, name) for name in names for entry in cells[name].entries if entry.gone is None),
        key=lambda step: (step[0].order, step[1]),
    )
    so_far: dict[str, list[Entry]] = {name: [] for name in names}
    values: dict[str, CellValue] = {}
    timeline: list[tuple[int, str, dict[str, Any]]] = []
    for entry, name in steps:
        so_far[name].append(entry)
        values[name] = policy_of(kind.cells[name]).merge(so_far[name]).value
        now = {prop: value for cell in values.values() for prop, value in cell.items()}
        timeline.append((entry.eff, entry.op, {prop: now.get(prop) for prop in wanted}))
    return timeline
