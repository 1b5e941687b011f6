"""What the pure core asks of the world. A store that passes the contract suite of `tests/store` will do.

One rule above all: a transaction holds the areas it was opened with from its first statement to its end, so
that within an area there is one writer at a time, and feed numbers are in commit order.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from sync.authority import Author
from sync.model import Conflict, Notice, Op, Write
from sync.visits.plan import Made, Visit


@dataclass(frozen=True)
class EntityRow:
    """The stored state of an entity. `etag` is the hash alone; on the wire it is `<rev>-<etag>`.

    `scope` is None until a create or a household has placed it. `since` and `first_sub`: its first write.
    `src` maps cell -> the submission whose write shows. `data` are the merged properties.
    """

    id: str
    type: str
    area: str
    scope: str | None
    rev: int
    etag: str
    household: str | None
    label: str
    dob: str | None
    since: int
    first_sub: str
    data: Mapping[str, Any] = field(default_factory=dict)
    src: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class OpRow:
    """One op as stored: its revision and etag in its entity's log, when it was received, what it wrote."""

    rev: int
    etag: str
    received: int
    op: Op
    writes: Mapping[str, Write]
    base_rev: int | None
    schema: int
    area: str


@dataclass(frozen=True)
class Ledger:
    """An entity with its whole log, by revision."""

    row: EntityRow
    ops: Sequence[OpRow]


@dataclass(frozen=True)
class Held:
    """A submission that is here already: the hash of its content, and the receipt that was given for it."""

    sha256: str
    receipt: Mapping[str, Any]


@dataclass(frozen=True)
class SubmissionRow:
    """A submission as it is kept for ever; `raw` are its bytes exactly as received."""

    id: str
    area: str
    sha256: str
    device: str | None
    author: str
    seq: int | None
    form: str
    form_version: str
    kind: str
    dialect: str
    raw: bytes
    observed_at: int | None
    received_at: int
    outcome: str
    reason: str | None
    receipt: Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Touched:
    """Something that readers of a scope must hear of; `here` is False where it has left the scope."""

    counter: str  # whose numbers order it: an area, or a user
    scope: str
    kind: str
    id: str
    here: bool = True


@dataclass
class Changes:
    """Everything that one transaction writes."""

    submissions: list[SubmissionRow] = field(default_factory=list)
    ops: list[OpRow] = field(default_factory=list)
    rederived: list[OpRow] = field(default_factory=list)
    entities: list[EntityRow] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)  # all that are open on `entities`
    notices: list[tuple[str, Notice]] = field(default_factory=list)  # (entity, notice): all on `entities`
    made: list[Made] = field(default_factory=list)
    visits: list[Visit] = field(default_factory=list)
    moved_visits: dict[str, str] = field(default_factory=dict)  # visit -> the one that takes over its lines
    touched: set[Touched] = field(default_factory=set)
    at: int = 0  # now, ms

    def areas(self) -> set[str]:
        """The areas whose counters must be held to write this."""
        counted = {touched.counter for touched in self.touched if not touched.counter.startswith("user:")}
        kept = {row.area for row in self.submissions} | {row.area for row in self.entities}
        return counted | kept | {visit.area for visit in self.visits}


class Transaction(Protocol):
    """One open transaction. Every read sees its own earlier writes; nothing is visible outside before commit."""

    @property
    def areas(self) -> frozenset[str]:
        """The areas whose counters are locked."""

    def held(self, ids: Collection[str]) -> Mapping[str, Held]:
        """Which of these submissions are here, by id."""

    def ledgers(self, ids: Collection[str]) -> Mapping[str, Ledger]:
        """The logs of these entities, by id; one that is not known is left out."""

    def children(self, households: Collection[str]) -> Sequence[EntityRow]:
        """Entities that live in these households."""

    def authors(self, ids: Collection[str]) -> Mapping[str, Author]:
        """These users with all their assignments."""

    def made(self, ids: Collection[str]) -> Sequence[Made]:
        """Visits made that name any of these entities, or a member of these households."""

    def visits(self, subjects: Collection[str]) -> Sequence[Visit]:
        """Follow-ups stored for these subjects, in whatever state."""

    def write(self, changes: Changes) -> None:
        """Write everything, number the feed entries from the counters held, mark the counters.

        Raises `Raced` where another transaction has stored one of these submissions, ops or entities first.
        """


class Raced(Exception):
    """Another transaction stored one of the same rows; run again, and see it."""


class Store(Protocol):
    """Where submissions, entities and visits live."""

    def areas_of(self, ids: Collection[str]) -> Mapping[str, str]:
        """The area of each of these entities that is known, read outside of any transaction."""

    def transaction(self, areas: Collection[str]) -> AbstractContextManager[Transaction]:
        """Lock the counters of `areas` in one sorted statement, then give the transaction.

        Commits at the end of the block; any exception rolls back everything and is raised again.
        """


class Clock(Protocol):
    """Now, in ms since 1970 UTC."""

    def now(self) -> int: ...
