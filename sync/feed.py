"""The feed: bounded pages of what changed in the scopes of a reader, from where his token says he stands.

One entry for each thing in each scope moves to the head at every change, so a page tells a thing once however often
it changed. Permissions come from the server at every page, never from the token.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from sync.tokens import Cursor, FeedMark, Position


@dataclass(frozen=True)
class Served:
    """One entry of a scope with the thing as it is now; `body` None: it is no longer in any scope of the reader."""

    kind: str
    id: str
    seq: int
    scope: str
    body: Any


@dataclass(frozen=True)
class Reader:
    """Who pulls: `id` names user and installation, `scopes` what he may read now, the most urgent first.

    `view` names everything on which the form of a page depends; a page read under another one is read again.
    """

    id: str
    counters: tuple[str, ...]
    scopes: tuple[str, ...]
    view: str


class Source(Protocol):
    """The stored feed. Others may write between two questions: heads are read before any entry, marks after all."""

    def newest(self, counters: Sequence[str]) -> Mapping[str, FeedMark]:
        """The newest mark of each of these counters that has any."""

    def following(self, marks: Mapping[str, FeedMark]) -> Mapping[str, str | None]:
        """By counter: the nonce of the smallest mark at or after the given one; None if there is none."""

    def entries(self, scope: str, after: Cursor, head: int, readable: frozenset[str], most: int) -> Sequence[Served]:
        """The first `most` entries of a scope after a cursor, up to `head`, by number, each with its thing as it is
        now (one statement); what left the scope up to `after.fresh` is passed over."""

    def remaining(self, scope: str, after: Cursor, head: int) -> int:
        """How many entries there are after a cursor, up to `head`."""


class Resync(Exception):
    """The device saw another history than this server's: it sends again what it has kept, and pulls from nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Page:
    """One page. `dropped`: scopes that are no longer the reader's; `position` is where he stands after it."""

    served: Sequence[Served]
    gone: Sequence[tuple[str, str]]  # (kind, id)
    dropped: Sequence[str]
    remaining: int
    position: Position

    @property
    def more(self) -> bool:
        return self.remaining > 0

    @property
    def empty(self) -> bool:
        return not (self.served or self.gone or self.dropped)

    def bodies(self, kind: str) -> list[Any]:
        return [one.body for one in self.served if one.kind == kind]


def known(marks: Mapping[str, FeedMark], source: Source) -> bool:
    """Whether these marks belong to this server's history: a restored backup has others at the same numbers."""
    asked = {counter: mark for counter, mark in marks.items() if mark.seq > 0}
    found = source.following(asked) if asked else {}
    return all(found.get(counter) == mark.nonce for counter, mark in asked.items())


def pull(reader: Reader, position: Position, heads: Mapping[str, int], most: int, source: Source) -> Page:
    """The next page of at most `most` entries; `heads` are the newest numbers of the scopes, read before.

    A scope that is read to its end goes on from its head; of one that did not fit, from its last entry told.
    """
    before = {scope: _start(position, reader, scope, heads.get(scope, 0)) for scope in reader.scopes}
    reading = _Reading(most, source, frozenset(reader.scopes))
    cursors = {scope: reading.scope(scope, before[scope], heads.get(scope, 0)) for scope in reader.scopes}
    gone = [key for key, one in reading.found.items() if one.body is None]
    marks = source.newest(reader.counters)  # read last: nothing in the page is newer, and nothing that it passed over
    return Page(
        served=[one for one in reading.found.values() if one.body is not None],
        gone=gone,
        dropped=sorted(position.cursors.keys() - set(reader.scopes)),
        remaining=reading.left,
        position=replace(position, view=reader.view, marks=marks, cursors=cursors),
    )


def _start(position: Position, reader: Reader, scope: str, head: int) -> Cursor:
    """Where to go on. In a scope that is new to the reader nothing is told of what had left it before."""
    cursor = position.cursors.get(scope)
    if cursor is None:
        return Cursor(0, fresh=head)
    return cursor if position.view == reader.view else Cursor(0)


@dataclass
class _Reading:
    """One page in the making."""

    room: int
    source: Source
    readable: frozenset[str]
    found: dict[tuple[str, str], Served] = field(default_factory=dict)
    left: int = 0

    def scope(self, scope: str, after: Cursor, head: int) -> Cursor:
        """Read on in one scope as far as there is room; says how far that was."""
        if after.seq >= head:
            return Cursor(after.seq)
        if self.room > 0:
            entries = self.source.entries(scope, after, head, self.readable, self.room + 1)
            if len(entries) <= self.room:
                self._take(entries)
                return Cursor(head)
            told = entries[: self.room]
            self._take(told)
            after = after._replace(seq=told[-1].seq)
        remaining = self.source.remaining(scope, after, head)
        self.left += remaining
        return after if remaining else Cursor(head)

    def _take(self, entries: Sequence[Served]) -> None:
        self.room -= len(entries)
        for one in entries:
            self.found[one.kind, one.id] = one
