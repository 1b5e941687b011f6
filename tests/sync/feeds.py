"""A server's feed and a phone in memory, as docs/protocol.md and `sync.feed.Source` speak of them."""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from sync.feed import Page, Served
from sync.tokens import Cursor, FeedMark, Position, read_token, write_token

OWN = "user:u"
SCOPES = {"P/1": "P", "P/2": "P", "P/!": "P", "Q/1": "Q", OWN: OWN}  # with the counter that orders each
PLACES = [scope for scope in SCOPES if scope != OWN]
READER, KEY = "máy|u", b"k" * 32
Key = tuple[str, str]  # (kind, id)


class Thing(NamedTuple):
    """An entity, a visit or the state of a submission; one that has ended still lies somewhere."""

    where: str
    version: int
    alive: bool = True


class Body(NamedTuple):
    """What a reader is told of a thing: where it lies, its version, and the view in which it is shown."""

    where: str
    version: int
    form: str


Change = tuple[Key, str, bool]  # a thing, the scope in which it lies now, and whether it is alive there


@dataclass
class Server:
    """The stored feed, and the `Source` of it; a deep copy is a backup.

    `nonce` draws what was never drawn before, also after a restore. `stored`: (scope, kind, id) -> (seq, here).
    `marks` may be thinned, of `history` nothing is lost. `meanwhile`: what other transactions commit between two
    statements of one page, one after another; `copies` are the backups from before each.
    """

    nonce: Callable[[], str]
    things: dict[Key, Thing] = field(default_factory=dict)
    stored: dict[tuple[str, str, str], tuple[int, bool]] = field(default_factory=dict)
    numbers: dict[str, int] = field(default_factory=dict)
    marks: dict[str, dict[int, str]] = field(default_factory=dict)
    history: dict[str, dict[int, str]] = field(default_factory=dict)
    form: str = "h:0"
    meanwhile: list[Sequence[Change]] = field(default_factory=list)
    copies: list["Server"] = field(default_factory=list)

    def backup(self) -> "Server":
        return deepcopy(replace(self, meanwhile=[], copies=[]))

    def write(self, changes: Sequence[Change]) -> None:
        """One transaction, about each thing once: numbered and marked as `server.store.writes.write_feed` does."""
        touched: list[tuple[str, str, str, str, bool]] = []
        for (kind, ident), to, alive in changes:
            before = self.things.get((kind, ident))
            if before is not None and before.where != to:
                touched.append((SCOPES[before.where], before.where, kind, ident, False))
            touched.append((SCOPES[to], to, kind, ident, alive))
            self.things[kind, ident] = Thing(to, before.version + 1 if before else 1, alive)
        for counter, scope, kind, ident, here in sorted(touched):
            self.numbers[counter] = self.numbers.get(counter, 0) + 1
            self.stored[scope, kind, ident] = (self.numbers[counter], here)
        for counter in sorted({one[0] for one in touched}):
            nonce = self.nonce()
            for kept in (self.marks, self.history):
                kept.setdefault(counter, {})[self.numbers[counter]] = nonce

    def thin(self, named: Collection[FeedMark]) -> None:
        """Forget every mark but the newest ones and those that somebody still names."""
        for marks in self.marks.values():
            for seq in [seq for seq in marks if seq != max(marks) and FeedMark(seq, marks[seq]) not in named]:
                del marks[seq]

    def heads(self, counters: Collection[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        for (scope, _, _), (seq, _) in self.stored.items():
            if SCOPES[scope] in counters:
                found[scope] = max(seq, found.get(scope, 0))
        return found

    def visible(self, scopes: Collection[str]) -> dict[Key, Body]:
        """What a reader of these scopes must hold, and nothing else."""
        found = {key: self._body(key, scopes) for key in self.things}
        return {key: body for key, body in found.items() if body is not None}

    def ahead(self, scope: str, after: Cursor, head: int) -> list[tuple[int, Key]]:
        return sorted(
            (seq, (kind, ident))
            for (lies_in, kind, ident), (seq, here) in self.stored.items()
            if lies_in == scope and after.seq < seq <= head and (here or seq > after.fresh)
        )

    def newest(self, counters: Sequence[str]) -> Mapping[str, FeedMark]:
        self._others()
        found = {counter: self.marks[counter] for counter in counters if counter in self.marks}
        return {counter: FeedMark(max(marks), marks[max(marks)]) for counter, marks in found.items()}

    def following(self, marks: Mapping[str, FeedMark]) -> Mapping[str, str | None]:
        found: dict[str, str | None] = {}
        for counter, mark in marks.items():
            later = [seq for seq in self.marks.get(counter, {}) if seq >= mark.seq]
            found[counter] = self.marks[counter][min(later)] if later else None
        return found

    def entries(self, scope: str, after: Cursor, head: int, readable: frozenset[str], most: int) -> Sequence[Served]:
        self._others()
        found = self.ahead(scope, after, head)[:most]
        return [Served(*key, seq, scope, self._body(key, readable)) for seq, key in found]

    def remaining(self, scope: str, after: Cursor, head: int) -> int:
        self._others()
        return len(self.ahead(scope, after, head))

    def _others(self) -> None:
        if self.meanwhile:
            changes = self.meanwhile.pop(0)
            self.copies.append(self.backup())
            self.write(changes)

    def _body(self, key: Key, readable: Collection[str]) -> Body | None:
        thing = self.things[key]
        return Body(thing.where, thing.version, self.form) if thing.alive and thing.where in readable else None


@dataclass
class Phone:
    """A device: what it holds, its token, and during a resync what it holds in doubt; a deep copy is its backup."""

    held: dict[Key, Body] = field(default_factory=dict)
    token: str | None = None
    doubtful: set[Key] | None = None

    @property
    def position(self) -> Position:
        return read_token(self.token, READER, KEY) if self.token else Position(READER)

    def apply(self, page: Page) -> None:
        """One page in one transaction, in the order of docs/protocol.md."""
        told = {(one.kind, one.id): one.body for one in page.served}
        self._delete(key for key, body in self.held.items() if body.where in page.dropped)
        self._delete(page.gone)
        self.held |= told
        self.token = write_token(page.position, KEY)
        if self.doubtful is not None:
            self.doubtful -= told.keys()
            if not page.more:
                self._delete(self.doubtful)
                self.doubtful = None

    def resync(self) -> None:
        """Everything is in doubt, and is pulled from nothing."""
        self.token, self.doubtful = None, set(self.held)

    def backup(self) -> "Phone":
        return deepcopy(self)

    def _delete(self, keys: Iterable[Key]) -> None:
        for key in list(keys):
            self.held.pop(key, None)
