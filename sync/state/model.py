"""The values that merging works on. All times are milliseconds since 1970-01-01 UTC.

Four sets that look alike and are not:

* snapshot: the ops that the base named in the submission stood for when the server answered the author's pull;
* chain: the author's own earlier submissions that his screen already contained (`after`);
* screen: the values that the form put before the author;
* known: snapshot and chain together: what the op's writes may beat. It is visibility, not causal closure.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Standing(StrEnum):
    """With what authority an op was made; frozen at first receipt."""

    AUTHOR = "author"
    SUPERVISOR = "supervisor"


class Act(StrEnum):
    """What kind of submission an op comes from. A device sends the first two, a supervisor's desk any."""

    VISIT = "visit"
    DELETE = "delete"
    RESTORE = "restore"
    CORRECT = "correct"
    RESOLVE = "resolve"
    REJECT = "reject"
    UNREJECT = "unreject"
    ACCEPT = "accept"
    REPAIR = "repair"
    APPROVE = "approve"
    RETURN = "return"


DELETED = "$delete"  # the pseudo-property of an entity's life
_RULINGS = (Act.CORRECT, Act.RESOLVE, Act.DELETE, Act.RESTORE)
ABOUT_A_SUBMISSION = (Act.REJECT, Act.UNREJECT, Act.ACCEPT, Act.REPAIR)


@dataclass(frozen=True, slots=True)
class Branch:
    """Where an update stands in the chain of one phone (ODK Collect): `step` is the version it was filled in on.

    `rooted`: the phone had made the entity itself, and not yet heard of it from the server.
    """

    id: str
    step: int
    rooted: bool


@dataclass(frozen=True, slots=True)
class Op:
    """One submission's effect on one entity, as received: what was said, and what its author had seen.

    `said` maps property -> canonical value, None where a relevant question was left blank.
    `seen` maps property -> the value that the form was prefilled with; None if the client does not tell.
    `loaded` are the properties that the form version itself puts on the screen (used without `seen`).
    `hidden` maps property -> codes that the form version cannot show (`*`: no value at all).
    `places` are what the author held at first receipt or at the observed time: an area, or area/hamlet.
    `arrived` orders first receipts. `day` is the visit date that the form states. `schema` is the version of
    the entity type under which the author's screen is taken.
    `target` is the submission that an act is about; a repair's `said` is read instead of its target's.
    `branch` says which of its author's own submissions `after` leaves out: see `sync.state.branches`.
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
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    standing: Standing = Standing.AUTHOR
    act: Act = Act.VISIT
    late: bool = False
    suspect: bool = False
    places: frozenset[str] = frozenset()
    arrived: int = 0
    amends: str | None = None
    day: str | None = None
    schema: int = 1
    target: str | None = None
    branch: Branch | None = None

    @property
    def rules(self) -> bool:
        """Whether this is a supervisor's word on values, which outranks authors that he knew."""
        words = _RULINGS
        return self.standing is Standing.SUPERVISOR and self.act in words

    @property
    def areas(self) -> frozenset[str]:
        """The areas in which the author held an assignment."""
        return frozenset(place.partition("/")[0] for place in self.places)


CellValue = Mapping[str, Any]  # member property -> value; a member without value is left out, {} is cleared


@dataclass(frozen=True, slots=True)
class Write:
    """What one op says about one cell, derived from its answers and its screen.

    `value` is the cell as its author left it. Of a multi-select, `added` and `removed` say how that differs from
    the screen. `items` are the entries of a series: one, or a row each.
    `replaces` are the ops whose value was on the screen. `blind`: the author was shown something of which we
    know nothing, so what he left or changed is not evidence against a good write. `request`: a wish that only
    a supervisor may grant.
    """

    value: CellValue
    replaces: frozenset[str] = frozenset()
    blind: bool = False
    request: bool = False
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    items: tuple[CellValue, ...] = ()


Writes = Mapping[str, Write]  # by cell


class Gone(StrEnum):
    """Why a write stands no longer, whatever others have written."""

    REJECTED = "rejected"
    AMENDED = "amended"


@dataclass(frozen=True, slots=True)
class Entry:
    """One write among the others on its cell, as a policy sees it. `eff` is its effective time."""

    op: str
    t: int
    eff: int
    write: Write
    knew: frozenset[str]
    late: bool = False
    suspect: bool = False
    rules: bool = False
    gone: Gone | None = None

    @property
    def value(self) -> CellValue:
        return self.write.value

    @property
    def replaces(self) -> frozenset[str]:
        return self.write.replaces

    @property
    def request(self) -> bool:
        return self.write.request

    @property
    def order(self) -> tuple[int, str]:
        return self.eff, self.op


class NoticeKind(StrEnum):
    """Why a write that did not become current is worth showing to its author."""

    OVERRULED = "overruled"
    ASKS_TO_LOWER = "asks_to_lower"
    ASKS_TO_REMOVE = "asks_to_remove"
    ASKS_TO_CLEAR = "asks_to_clear"
    DOUBTFUL = "doubtful"
    RULED = "ruled"


@dataclass(frozen=True, slots=True)
class Notice:
    """A write that a rule overruled: `op` lost to `by` in `cell`."""

    cell: str
    op: str
    by: str
    kind: NoticeKind


@dataclass(frozen=True, slots=True)
class Conflict:
    """Concurrent writes of one cell between which only a person may decide. `id` is the same on every server.

    `cell` names the cell; of a keyed series `<cell>/<key>`, of an entity's life `$delete`.
    """

    id: str
    entity: str
    cell: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Item:
    """One entry of a series as it shows: `op` said `value`, observed at `t`."""

    op: str
    t: int
    value: CellValue


@dataclass(frozen=True, slots=True)
class Merged:
    """What a policy makes of the standing writes of one cell; see `CellState`."""

    value: CellValue
    current: Entry
    live: tuple[Entry, ...]
    disputes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # "" or key -> members
    notices: tuple[Notice, ...] = ()
    items: tuple[Item, ...] = ()


@dataclass(frozen=True, slots=True)
class CellState:
    """What the ops made of one cell.

    `value` shows; `current` is the write that it comes from, or that touched it last. `live` stand beside each
    other, `entries` are all there ever were, those that stand no longer included. `ruled` are pairs (op, by):
    writes of others that a supervisor's ruling replaced. `items` are the entries of a series by time.
    """

    value: CellValue
    current: Entry
    live: tuple[Entry, ...]
    entries: tuple[Entry, ...]
    conflicts: tuple[Conflict, ...] = ()
    notices: tuple[Notice, ...] = ()
    items: tuple[Item, ...] = ()
    ruled: tuple[tuple[str, str], ...] = ()

    @property
    def conflict(self) -> Conflict | None:
        """The first open conflict, if there is any."""
        return self.conflicts[0] if self.conflicts else None


@dataclass(frozen=True)
class Life:
    """Whether an entity has been deleted, and what is in doubt about it."""

    dead: bool = False
    conflict: Conflict | None = None
    by: str | None = None


@dataclass(frozen=True)
class Verdict:
    """What the acts on one submission amount to: the act that counts, and those it overruled unseen."""

    act: Act
    by: str
    overruled: tuple[str, ...] = ()


@dataclass(frozen=True)
class State:
    """The state of an entity: a pure function of the set of its ops.

    `past` are the writes on cells of which none stands any longer; `broken` the ids of the cross-field checks that
    the merged record fails; `idle` the properties that have a value and do not apply to it.
    """

    entity: str
    cells: Mapping[str, CellState]
    data: Mapping[str, Any]
    past: Mapping[str, tuple[Entry, ...]] = field(default_factory=dict)
    broken: tuple[str, ...] = ()
    idle: tuple[str, ...] = ()
    life: Life = Life()
    verdicts: Mapping[str, Verdict] = field(default_factory=dict)

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        found = tuple(conflict for cell in self.cells.values() for conflict in cell.conflicts)
        return found + ((self.life.conflict,) if self.life.conflict else ())

    @property
    def notices(self) -> tuple[Notice, ...]:
        return tuple(notice for cell in self.cells.values() for notice in cell.notices)
