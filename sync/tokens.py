"""Tokens and acks: what a device has had, as an opaque string that only this server can have written.

base64url of a MAC (HMAC-SHA-256, 16 bytes) and the compressed payload. A token holds for each counter the newest
mark that its reader was told of, and for each scope how far it was read; an ack holds marks alone.
"""

import base64
import binascii
import hashlib
import hmac
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import orjson

MAC = 16
LONGEST = 100_000  # characters: a token of some thousand scopes


class FeedMark(NamedTuple):
    """The state of a counter: its number, and a random nonce that a restored server will not draw again."""

    seq: int
    nonce: str


class Cursor(NamedTuple):
    """How far a scope was read. What left the scope at a number up to `fresh` was never told to this reader."""

    seq: int
    fresh: int = 0


class BadToken(ValueError):
    """Not a token of this server for this reader."""


@dataclass(frozen=True)
class Position:
    """Where a reader stands. `turn` counts pages that told something; `since` (ms): when he began from nothing."""

    reader: str
    view: str = ""
    marks: Mapping[str, FeedMark] = field(default_factory=dict)
    cursors: Mapping[str, Cursor] = field(default_factory=dict)
    turn: int = 0
    since: int = 0


def write_token(position: Position, key: bytes) -> str:
    """The token of a position."""
    cursors = {scope: [c.seq, c.fresh] if c.fresh else c.seq for scope, c in position.cursors.items()}
    body = ["t", position.reader, position.view, _flat(position.marks), cursors, position.turn, position.since]
    return _sign(body, key)


def read_token(text: str, reader: str, key: bytes) -> Position:
    """The position in a token that was written for this reader. Raises `BadToken`."""
    kind, whose, view, marks, cursors, turn, since = _verified(text, key, 7)
    if (kind, whose) != ("t", reader):
        raise BadToken
    read = {scope: Cursor(*c) if isinstance(c, list) else Cursor(c) for scope, c in cursors.items()}
    return Position(reader, view, _marks(marks), read, turn, since)


def write_ack(reader: str, marks: Mapping[str, FeedMark], key: bytes) -> str:
    """The ack of a push: the newest marks of the feeds into which it was taken."""
    return _sign(["a", reader, _flat(marks)], key)


def read_ack(text: str, reader: str, key: bytes) -> Mapping[str, FeedMark]:
    """The marks in an ack that was written for this reader. Raises `BadToken`."""
    kind, whose, marks = _verified(text, key, 3)
    if (kind, whose) != ("a", reader):
        raise BadToken
    return _marks(marks)


def _sign(body: list[object], key: bytes) -> str:
    packed = zlib.compress(orjson.dumps(body), 9)
    return base64.urlsafe_b64encode(_mac(packed, key) + packed).decode().rstrip("=")


def _verified(text: str, key: bytes, size: int) -> list[Any]:
    if len(text) > LONGEST:
        raise BadToken
    try:
        whole = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as error:
        raise BadToken from error
    mac, packed = whole[:MAC], whole[MAC:]
    if not hmac.compare_digest(mac, _mac(packed, key)):
        raise BadToken
    body = orjson.loads(zlib.decompress(packed))  # ours, as its MAC says
    if len(body) != size:
        raise BadToken
    return list(body)


def _mac(packed: bytes, key: bytes) -> bytes:
    return hmac.new(key, packed, hashlib.sha256).digest()[:MAC]


def _flat(marks: Mapping[str, FeedMark]) -> dict[str, list[object]]:
    return {counter: [mark.seq, mark.nonce] for counter, mark in marks.items()}


def _marks(flat: Mapping[str, list[Any]]) -> dict[str, FeedMark]:
    return {counter: FeedMark(*mark) for counter, mark in flat.items()}
