"""Uploads: promised, filled in pieces, whole. A file counts once it is what it was said to be, and has a row.

What is on the disk before a row says so is not believed, and what the row says beyond the disk neither: after a crash
an upload goes on from the lesser of the two. No lock is held while bytes come in; a piece waits in a file without a
name until it is whole (or the line broke), and is then put behind the others.
"""

import errno
import hashlib
import math
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO, Any, NoReturn

import structlog
from sqlalchemy import ColumnElement, Row, and_, insert, select, update

from server.auth.tokens import Caller
from server.auth.writing import write
from server.clock import now
from server.media.files import PIECE, Locked
from server.media.types import FileType, sniff
from server.problems import Problem
from server.store.base import table
from server.store.dialects import upsert
from server.store.store import SqlTransaction
from server.store.tables import Media, Upload, db
from server.world import Nest
from sync.times import DAY

log = structlog.get_logger()
media, upload = table(Media), table(Upload)
TERM = 14 * DAY  # an upload is kept for so long after it was last heard of
LEAST = 65_536  # what even the smallest file counts for


@dataclass(frozen=True)
class Promise:
    """What a client says of a file that it will send."""

    sha256: str
    sub: str
    size: int


@dataclass(frozen=True)
class Checksum:
    """What a piece must amount to: `name` is sha1 or sha256."""

    name: str
    digest: bytes


@dataclass(frozen=True)
class Body:
    """What comes with a request: where to read it, and how long it says that it is."""

    stream: IO[bytes]
    length: int | None


@dataclass(frozen=True)
class _Piece:
    """What came in one request: into the file `spool`. `whole`: no less than the request announced."""

    spool: IO[bytes]
    length: int
    whole: bool
    digest: bytes


class Uploads:
    """The uploads of one caller: those of his phone, whoever uses it, or without a phone his own."""

    def __init__(self, nest: Nest, who: Caller) -> None:
        self.nest, self.folder, self.who = nest, nest.media, who

    @property
    def _mine(self) -> ColumnElement[bool]:
        if self.who.sender.device is not None:
            return upload.c.device == self.who.sender.device
        return and_(upload.c.device.is_(None), upload.c.user == self.who.user)

    def begin(self, promise: Promise) -> tuple[str | None, int]:
        """The id of an upload for a file and where it stands; no id if the file is here, then its size.

        Who promises the same again goes on with the same upload. Raises `media_too_large`, `volume_used`.
        """
        size = self._here(promise.sha256) or (self._adopted(promise.sha256, promise.size) and promise.size)
        if size:
            return None, size
        if promise.size > self.nest.limits.max_blob:
            raise Problem("media_too_large", max_blob=self.nest.limits.max_blob)
        same = and_(upload.c.sha256 == promise.sha256, upload.c.size == promise.size)
        found = self._one(same)
        at = now()
        self._check_volume(at, 0 if found is not None else promise.size)
        if found is not None:
            self._note(found)
            return found.id, self._standing(found)
        row = {"id": secrets.token_hex(16), "sha256": promise.sha256, "sub": promise.sub, "size": promise.size}
        row |= {"device": self.who.sender.device, "user": self.who.user, "offset": 0, "received": 0}
        write(lambda tx: tx.connection.execute(insert(upload), [row | {"expires_at": at + TERM}]))
        return str(row["id"]), 0

    def state(self, ident: str) -> tuple[int, int]:
        """How much of an upload is here, and its size. Raises `not_found`."""
        row = self._row(ident)
        return self._standing(row), row.size

    def add(self, ident: str, at: int, body: Body, checksum: Checksum | None) -> int:
        """Put what `body` brings behind the first `at` bytes; gives where the upload stands now.

        If the line breaks, what has come counts. Raises `wrong_offset`, `bad_checksum`, `media_too_large`, and when
        it is complete `bad_content` or `media_type_refused`: then it stands at nothing again.
        """
        row = self._row(ident)
        _check_offset(self._standing(row), at)
        self._check_volume(now(), 0)
        db.session.remove()  # a slow line must hold no connection
        try:
            with self.folder.spool() as spool:
                piece = _receive(body, spool, row.size - at, checksum.name if checksum else "sha256")
                if piece.length > row.size - at:
                    raise Problem("media_too_large", max_blob=row.size)
                if checksum is not None and piece.whole and piece.digest != checksum.digest:
                    self._note(row, received=upload.c.received + piece.length)
                    raise Problem("bad_checksum")
                return self._put(ident, at, piece)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            log.error("no_space_for_media", error=errno.errorcode[error.errno])
            raise Problem("busy") from error

    def _put(self, ident: str, at: int, piece: _Piece) -> int:
        with self.folder.hold(ident) as begun:
            row = self._row(ident)  # as it is now: another request may have been faster
            _check_offset(self._offset(row), at)
            if self._here(row.sha256):
                begun.drop()  # nothing was left to come
                return at
            begun.append(piece.spool, at)
            if at + piece.length == row.size:
                self._complete(row, begun, piece.length)
            else:
                self._note(row, at + piece.length, piece.length)
            return at + piece.length

    def _complete(self, row: Row[Any], begun: Locked, came: int) -> None:
        digest, head = begun.read()
        if digest != row.sha256:
            self._undo(row, begun, came, "bad_content")
        kind = sniff(head)
        if kind is None:
            self._undo(row, begun, came, "media_type_refused")
        with self.folder.keep(begun, row.sha256):
            self._note(row, row.size, came, _stored(row.sha256, row.size, kind))
        begun.drop()

    def _undo(self, row: Row[Any], begun: Locked, came: int, code: str) -> NoReturn:
        self._note(row, 0, came)
        begun.drop()
        raise Problem(code)

    def _here(self, sha256: str) -> int:
        """The size of a file that is here whole; 0 if it is not."""
        with db.engine.connect() as connection:
            size = connection.scalar(select(media.c.size).where(media.c.sha256 == sha256)) or 0
        return size if size and self.folder.has(sha256, size) else 0

    def _adopted(self, sha256: str, size: int) -> bool:
        """Give a whole file its row, which a crash or a restored database has left without one."""
        if not self.folder.has(sha256, size):
            return False
        with self.folder.hold_kept(sha256) as kept:
            digest, head = kept.read() if kept is not None else ("", b"")
            kind = sniff(head)
            if digest != sha256 or kind is None:
                return False
            write(_stored(sha256, size, kind))
        return True

    def _standing(self, row: Row[Any]) -> int:
        """The same as `_offset`; what is left of an upload whose file came in another way is put away."""
        if self.folder.length(row.id) and self._here(row.sha256):
            with self.folder.hold(row.id) as begun:
                begun.drop()
        return self._offset(row)

    def _offset(self, row: Row[Any]) -> int:
        """How much of an upload is here: what both its row and its file say."""
        if self._here(row.sha256) or self._adopted(row.sha256, row.size):
            return int(row.size)
        return int(min(row.offset, self.folder.length(row.id)))

    def _row(self, ident: str) -> Row[Any]:
        found = self._one(upload.c.id == ident)
        if found is None:
            raise Problem("not_found")
        return found

    def _one(self, which: ColumnElement[bool]) -> Row[Any] | None:
        query = select(upload).where(which, self._mine, upload.c.expires_at > now()).order_by(upload.c.id).limit(1)
        with db.engine.connect() as connection:
            return connection.execute(query).one_or_none()

    def _check_volume(self, at: int, more: int) -> None:
        """Refuse with `volume_used` what goes beyond a day's volume: of what was promised, or came for it."""
        heard = and_(self._mine, upload.c.expires_at > at + TERM - DAY)
        with db.engine.connect() as connection:
            rows = connection.execute(
                select(upload.c.size, upload.c.received, upload.c.expires_at).where(heard)
            ).all()
        used = sum(max(row.size, row.received, LEAST) for row in rows) + (max(more, LEAST) if more else 0)
        if used > self.nest.settings.max_volume:
            oldest = min((row.expires_at for row in rows), default=at + TERM)
            wait = math.ceil((oldest - TERM + DAY - at) / 1000)
            raise Problem("volume_used", max_volume=self.nest.settings.max_volume, retry_after=max(wait, 60))

    def _note(
        self,
        row: Row[Any],
        offset: int | None = None,
        came: int = 0,
        also: Callable[[SqlTransaction], None] = lambda tx: None,
        **values: Any,
    ) -> None:
        """Write down where an upload stands; every word of it keeps it for another while."""
        values = {"expires_at": now() + TERM, "received": upload.c.received + came} | values
        values |= {"offset": offset} if offset is not None else {}

        def note(tx: SqlTransaction) -> None:
            tx.connection.execute(update(upload).where(upload.c.id == row.id).values(**values))
            also(tx)

        write(note)


def _stored(sha256: str, size: int, kind: FileType) -> Callable[[SqlTransaction], None]:
    """What is written when a file is whole; of two that say so the first."""
    row = {"sha256": sha256, "size": size, "type": kind.mime, "stored_at": now()}
    return lambda tx: upsert(tx.connection, media, [row], keep=("size", "type", "stored_at"))


def _check_offset(present: int, said: int) -> None:
    if present != said:
        raise Problem("wrong_offset", upload_offset=present)


def _receive(body: Body, spool: IO[bytes], room: int, algorithm: str) -> _Piece:
    """Take in the body of a request: what there is room for, and a byte that shows that there was more."""
    digest, length, whole = hashlib.new(algorithm), 0, True
    while length <= room:
        try:
            data = body.stream.read(min(PIECE, room + 1 - length))
        except Exception:  # whatever the web server raises where a line breaks
            whole = False
            break
        if not data:
            break
        spool.write(data)
        digest.update(data)
        length += len(data)
    return _Piece(spool, length, whole and length >= (body.length or 0), digest.digest())
