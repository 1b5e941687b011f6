"""The body of a submission taken apart while it comes in: the XML in memory, files on disk, neither without bounds.

Sources: OpenRosa Form Submission API 1.0 (`xml_submission_file`, `*isIncomplete*`), RFC 7578. The parser is
werkzeug's own decoder, driven by hand: what is too large is passed over there and costs the submission nothing,
where a form parser would refuse the request as a whole.
"""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

import structlog
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.sansio.multipart import Data, Epilogue, Event, Field, File, MultipartDecoder, NeedData

from server.media.files import MediaFolder

log = structlog.get_logger()
PIECE = 65_536  # bytes that are read at once
XML_PART = "xml_submission_file"
MOST_PARTS = 500
MOST_WAITING = 4 * PIECE  # bytes of a part's headers, or before the first part


@dataclass
class SentFile:
    """A file that came with a submission: its name, where its content is, how long it is and its SHA-256 (hex).

    `stream` is None where the file was not taken in: as it is larger than any may be, or (`lost`) the disk is full.
    """

    name: str
    stream: IO[bytes] | None
    size: int = 0
    sha256: str = ""
    lost: bool = False


@dataclass
class Parts:
    """What came. `whole`: up to the end that the body announces. `oversize`: what is too large was not read on."""

    xml: bytes | None = None
    files: list[SentFile] = field(default_factory=list)
    whole: bool = False
    oversize: bool = False


@dataclass(frozen=True)
class Bounds:
    """In bytes: the XML, one file, the whole body."""

    xml: int
    file: int
    body: int


def read_parts(stream: IO[bytes], boundary: str, bounds: Bounds, folder: MediaFolder, holding: ExitStack) -> Parts:
    """Take a multipart body apart; files are gone when `holding` closes. What is no multipart has no parts.

    Raises nothing for what a client may send: a body that ends early, or is larger than its bounds, gives what was
    whole until then.
    """
    reading = _Reading(Parts(), bounds, folder, holding)
    try:
        for event in _events(stream, boundary, bounds, reading.parts):
            reading.take(event)
            if reading.parts.oversize:
                break
    except RequestEntityTooLarge:  # more parts than there may be
        reading.parts.oversize = True
    except ValueError:  # no multipart, or not up to its end
        reading.parts.whole = False
    return reading.parts


def _events(stream: IO[bytes], boundary: str, bounds: Bounds, parts: Parts) -> Iterator[Event]:
    decoder, came = MultipartDecoder(boundary.encode("latin-1", "replace"), max_parts=MOST_PARTS), 0
    while True:
        data = _piece(stream)
        came += len(data or b"")
        if came > bounds.body:
            parts.oversize = True
            return
        decoder.receive_data(data)
        while not isinstance(event := decoder.next_event(), NeedData):
            yield event
            if isinstance(event, Epilogue):
                parts.whole = True
                return
        if len(decoder.buffer) > MOST_WAITING:
            raise ValueError("no part begins")


def _piece(stream: IO[bytes]) -> bytes | None:
    """The next bytes; None at the end, and where the line breaks."""
    try:
        return stream.read(PIECE) or None
    except Exception:  # whatever the web server raises there
        return None


@dataclass
class _Reading:
    """One body being taken apart, with the part that is open; one that never ends counts for nothing."""

    parts: Parts
    bounds: Bounds
    folder: MediaFolder
    holding: ExitStack
    xml: bytearray | None = None
    file: SentFile | None = None
    digest: Any = None

    def take(self, event: Event) -> None:
        if isinstance(event, Field | File):
            self._open(event)
        elif isinstance(event, Data):
            self._add(event.data)
            if not event.more_data:
                self._end()

    def _open(self, event: Field | File) -> None:
        if event.name == XML_PART:
            self.xml = bytearray()
        elif isinstance(event, File):
            name = (event.name or event.filename or "").replace("\\", "/").rpartition("/")[2]
            self.file, self.digest = SentFile(name, None), hashlib.sha256()
            with self._disk(self.file):
                self.file.stream = self.holding.enter_context(self.folder.spool())

    def _add(self, data: bytes) -> None:
        if self.xml is not None:
            self.xml += data
            self.parts.oversize = len(self.xml) > self.bounds.xml
        elif self.file is not None:
            self.file.size += len(data)
            if self.file.size > self.bounds.file:
                self.file.stream = None
            if self.file.stream is not None:
                self.digest.update(data)
                with self._disk(self.file):
                    self.file.stream.write(data)

    def _end(self) -> None:
        if self.xml is not None and self.parts.xml is None:
            self.parts.xml = bytes(self.xml)
        if self.file is not None:
            self.file.sha256 = self.digest.hexdigest()
            self.parts.files.append(self.file)
        self.xml = self.file = None

    @contextmanager
    def _disk(self, file: SentFile) -> Iterator[None]:
        """A file that the disk does not take is lost, and nothing besides it."""
        try:
            yield
        except OSError as error:
            log.error("no_space_for_media", error=type(error).__name__)
            file.stream, file.lost = None, True
