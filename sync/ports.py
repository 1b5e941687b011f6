"""What the pure core asks of the world. A store that passes the contract suite of `tests/store` will do.

One rule above all: a transaction holds the areas it was opened with from its first statement to its end, so
that within an area there is one writer at a time, and feed numbers are in commit order.
"""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol

from sync.authority import Author
from sync.batch import MediumRow
from sync.state.model import Conflict, Notice, Op, Write
from sync.visits.plan import Made, Visit


@dataclass(frozen=True)
class EntityRow:
    """The stored state of an entity. `etag` is the hash alone; on the wire it is `<rev>-<etag>`.

    `scope` is None until a create or a household has placed it. `since` and `first_sub`: its first write.
    `src` maps cell -> the submission whose write shows. `data` are the merged properties.
    `broken` are the cross-field checks that they fail; `dead`: deleted. `page` is what its readers are served.
    `search` is by what it is found, `sort` the key of its label (`sync.names`); `risk` the level that shows.
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
    broken: tuple[str, ...] = ()
    dead: bool = False
    page: bytes = b""
    search: str = ""
    sort: bytes = b""
    risk: int | None = None


@dataclass(frozen=True)
class Mark:
    """A revision at which an op came into its entity's log, or left it again; `etag` of the log from then on."""

    rev: int
    etag: str
    at: int  # ms


@dataclass(frozen=True)
class OpRow:
    """One op as stored. `marks` alternate: came in, left, came in again; none: held since its first receipt.

    `writes` are derived, and `key` names everything that they were derived from. `form` and `result` say which
    visit was made, if one was (a code of list visit_result), `type` the entity's.
    """

    op: Op
    marks: tuple[Mark, ...]
    received: int
    area: str
    base_rev: int | None = None
    writes: Mapping[str, Write] = field(default_factory=dict)
    key: str = ""
    form: str = ""
    result: str | None = None
    type: str = ""

    @property
    def present(self) -> bool:
        """Whether the op counts now."""
        return len(self.marks) % 2 == 1

    def present_at(self, rev: int) -> bool:
        """Whether the op counted at a revision of its entity."""
        return sum(mark.rev <= rev for mark in self.marks) % 2 == 1


@dataclass(frozen=True)
class Ledger:
    """An entity with its whole log, in order of first receipt; `row` is None if all of it is held."""

    row: EntityRow | None
    ops: Sequence[OpRow]


@dataclass(frozen=True)
class Held:
    """A submission that is here already: the hash of its content, and the receipt that was given for it."""

    sha256: str
    receipt: Mapping[str, Any]


@dataclass(frozen=True)
class SubmissionRow:
    """A submission as it is kept for ever; `raw` are its bytes exactly as received.

    `facts` is what was frozen at its first receipt (`sync.facts`), as JSON values.
    """

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
    facts: Mapping[str, Any] = field(default_factory=dict)


class Review(StrEnum):
    """Where a submission stands with its supervisor (the field's review states), or that it is not applied."""

    RECEIVED = "received"
    EDITED = "edited"
    HAS_ISSUES = "has_issues"
    REJECTED = "rejected"
    APPROVED = "approved"
    QUARANTINED = "quarantined"
    SET_ASIDE = "set_aside"
    STORED = "stored"


@dataclass(frozen=True)
class StateRow:
    """The mutable part of a submission. It can be computed anew from the log.

    `reason` is why it is held now; `comment` and `question` the supervisor's last word to its author, by `by` at
    `at` (ms). `notices` tell the author what became of his words later: [{entity, cell, kind}], of what he may
    read alone. `elsewhere`: its author has no assignment where the entity lives now.
    `received_at` is the submission's.
    """

    sub: str
    area: str
    author: str
    state: Review
    reason: str | None = None
    comment: str | None = None
    question: str | None = None
    by: str | None = None
    at: int | None = None
    notices: tuple[Mapping[str, str], ...] = ()
    elsewhere: bool = False
    received_at: int = 0


@dataclass(frozen=True, order=True)
class Waiting:
    """That `sub` must be judged or read again when something happens to `key`: an entity or a submission.

    `entity` is one that `sub` speaks of, so that its log can be read.
    """

    key: str
    entity: str
    sub: str


@dataclass(frozen=True)
class AuditRow:
    """One act of a person, for the log that is chained by hashes within its area. Ids, codes, and why a phone was
    revoked; no word about a child."""

    area: str
    at: int
    who: str
    act: str
    subject: str
    sub: str | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


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
    states: dict[str, StateRow] = field(default_factory=dict)  # by submission
    media: list[MediumRow] = field(default_factory=list)  # new ones, or read anew
    ops: list[OpRow] = field(default_factory=list)  # new ones
    rederived: list[OpRow] = field(default_factory=list)  # with other marks or writes than stored
    waiting: dict[str, frozenset[Waiting]] = field(default_factory=dict)  # by submission: all that there are
    audit: list[AuditRow] = field(default_factory=list)
    entities: list[EntityRow] = field(default_factory=list)
    conflicts: list[Conflict] = field(default_factory=list)  # all that are open on `entities`
    also: dict[str, str] = field(default_factory=dict)  # conflict -> the other area that has a say in it
    closed_by: dict[tuple[str, str], str] = field(default_factory=dict)  # (entity, cell) -> the ruling that stands
    notices: list[tuple[str, Notice]] = field(default_factory=list)  # (entity, notice): all on `entities`
    made: list[Made] = field(default_factory=list)
    unmade: list[Made] = field(default_factory=list)  # stored ones that no longer count
    visits: list[Visit] = field(default_factory=list)
    moved_visits: dict[str, str] = field(default_factory=dict)  # visit -> the one that takes over its lines
    touched: set[Touched] = field(default_factory=set)
    at: int = 0  # now, ms

    def areas(self) -> set[str]:
        """The areas whose counters must be held to write this."""
        counted = {touched.counter for touched in self.touched if not touched.counter.startswith("user:")}
        kept = {row.area for row in self.submissions} | {row.area for row in self.entities}
        told = {row.area for row in self.states.values()} | {row.area for row in self.audit}
        return counted | kept | told | {visit.area for visit in self.visits}


class Transaction(Protocol):
    """One open transaction. Every read sees its own earlier writes; nothing is visible outside before commit."""

    @property
    def areas(self) -> frozenset[str]:
        """The areas whose counters are locked."""

    def held(self, ids: Collection[str]) -> Mapping[str, Held]:
        """Which of these submissions are here, by id."""

    def ledgers(self, ids: Collection[str]) -> Mapping[str, Ledger]:
        """The logs of these entities, by id, held ops included; one that nothing is said of is left out."""

    def children(self, households: Collection[str]) -> Sequence[EntityRow]:
        """Entities that live in these households."""

    def submissions(self, ids: Collection[str]) -> Mapping[str, SubmissionRow]:
        """These submissions, whole."""

    def states(self, ids: Collection[str]) -> Mapping[str, StateRow]:
        """The mutable part of these submissions."""

    def media(self, subs: Collection[str]) -> Mapping[str, frozenset[MediumRow]]:
        """The files that these submissions name, by submission; one that names none is left out."""

    def here(self, sha256s: Collection[str]) -> frozenset[str]:
        """Which of these files have arrived whole."""

    def touching(self, subs: Collection[str]) -> Mapping[str, frozenset[str]]:
        """The entities in whose logs these submissions have an op, held ones included."""

    def waiting(self, keys: Collection[str]) -> Sequence[Waiting]:
        """Who waits for any of these keys."""

    def watching(self, subs: Collection[str]) -> Sequence[Waiting]:
        """What these submissions wait for."""

    def doubts(self, ids: Collection[str]) -> tuple[Mapping[str, set[str]], Mapping[str, set[Notice]]]:
        """The open conflicts (by id) and the notices of these entities, as stored; each by entity."""

    def authors(self, ids: Collection[str]) -> Mapping[str, Author]:
        """These users with all their assignments."""

    def made(self, ids: Collection[str]) -> Sequence[Made]:
        """Visits made that name any of these entities, or a member of these households."""

    def visits(self, subjects: Collection[str]) -> Sequence[Visit]:
        """Follow-ups stored for these subjects, in whatever state."""

    def savepoint(self) -> AbstractContextManager[None]:
        """A part that can fail alone: an exception rolls back to its beginning, and is raised again."""

    def write(self, changes: Changes) -> None:
        """Write everything, number the feed entries from the counters held, mark the counters.

        Conflicts and notices of `entities` become exactly those given; an open conflict that is not among them is
        closed, by the submission that `closed_by` names if it does. Raises `Raced` where another transaction has
        stored one of these submissions, ops or entities first.
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
