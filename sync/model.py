"""The values that merging works on. All times are milliseconds since 1970-01-01 UTC.

Four sets that look alike and are not:

* snapshot: the ops that the base named in the submission stood for when the server answered the author's pull;
* chain: the author's own earlier submissions that its screen already contained (`after`);
* screen: the values that the form put before the author;
* known: snapshot and chain together: what the op's writes may beat. It is visibility, not causal closure.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """With what authority an op was made; frozen at first receipt."""

    AUTHOR = "author"
    SUPERVISOR = "supervisor"


class Act(StrEnum):
    """What kind of submission an op comes from."""

    VISIT = "visit"
    CORRECT = "correct"
    RESOLVE = "resolve"


@dataclass(frozen=True, slots=True)
class Op:
    """One submission's effect on one entity, as received: what was said, and what its author had seen.

    `said` maps property -> canonical value, None where a relevant question was left blank.
    `seen` maps property -> the value that the form was prefilled with; None if the client does not tell.
    `loaded` are the properties that the form version itself puts on the screen (used without `seen`).
    `areas` are the areas in which the author held an assignment at first receipt.
    """

    sub: str
    entity: str
    author: str
    t: int
    said: Mapping[str, Any]
    creates: bool = False
    snapshot: frozenset[str] = frozenset()
    base_ok: bool = True
    after: tuple[str, ...] = ()
    seen: Mapping[str, Any] | None = None
    loaded: frozenset[str] = frozenset()
    standing: Standing = Standing.AUTHOR
    act: Act = Act.VISIT
    late: bool = False
    suspect: bool = False
    areas: frozenset[str] = frozenset()

    @property
    def rules(self) -> bool:
        """Whether this is a supervisor's word on values, which outranks authors that he knew."""
        return self.standing is Standing.SUPERVISOR and self.act in (Act.CORRECT, Act.RESOLVE)


CellValue = Mapping[str, Any]  # member property -> value; a member without value is left out, {} is cleared


@dataclass(frozen=True, slots=True)
class Write:
    """What one op says about one cell, derived from its answers and its screen.

    `replaces` are the ops whose value was on the screen. `blind`: the author was shown something of which we
    know nothing, so what he left or changed is not evidence against a good write. `request`: a wish that only
    a supervisor may grant.
    """

    value: CellValue
    replaces: frozenset[str] = frozenset()
    blind: bool = False
    request: bool = False


Writes = Mapping[str, Write]  # by cell


@dataclass(frozen=True, slots=True)
class Entry:
    """One write among the others on its cell, as a policy sees it. `eff` is its effective time."""

    op: str
    t: int
    eff: int
    value: CellValue
    knew: frozenset[str]
    replaces: frozenset[str]
    late: bool
    suspect: bool
    request: bool
    rules: bool

    @property
    def order(self) -> tuple[int, str]:
        return self.eff, self.op


class NoticeKind(StrEnum):
    """Why a write that did not become current is worth showing to its author."""

    OVERRULED = "overruled"
    ASKS_TO_LOWER = "asks_to_lower"


@dataclass(frozen=True, slots=True)
class Notice:
    """A write that a rule overruled: `op` lost to `by` in `cell`."""

    cell: str
    op: str
    by: str
    kind: NoticeKind


@dataclass(frozen=True, slots=True)
class Conflict:
    """Concurrent writes of one cell between which only a person may decide. `id` is the same on every server."""

    id: str
    entity: str
    cell: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class CellState:
    """What the ops made of one cell: the current write, those alive beside it, all there ever were."""

    current: Entry
    live: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    conflict: Conflict | None
    notices: tuple[Notice, ...]


@dataclass(frozen=True)
class State:
    """The state of an entity: a pure function of the set of its ops."""

    entity: str
    cells: Mapping[str, CellState]
    data: Mapping[str, Any]

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        return tuple(cell.conflict for cell in self.cells.values() if cell.conflict)

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(notice for cell in self.cells.values() for notice in cell.notices)
