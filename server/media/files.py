"""Files on disk: whole ones named by the hash of their content, in two levels of folders, and begun ones.

Every file starts with a format byte; then comes the content as it was sent. A begun file is locked (`flock`) while
anything is done with it, so that several processes may work on one folder. A whole one never changes.
"""

import fcntl
import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from server.media.types import HEAD
from server.store.rows import PLAIN

PIECE = 65_536  # bytes that are in memory at once
BEGUN = "begun"


class Content(io.RawIOBase):
    """What is in a file, without its format byte. Raises `ValueError` for a format that is not known."""

    def __init__(self, path: Path) -> None:
        self._file: IO[bytes] = path.open("rb")
        if self._file.read(1) != PLAIN:
            self._file.close()
            raise ValueError("unknown format byte")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._file.seek(offset + (whence == os.SEEK_SET), whence) - 1

    def tell(self) -> int:
        return self._file.tell() - 1

    def close(self) -> None:
        self._file.close()
        super().close()


@dataclass(frozen=True)
class Locked:
    """A file that nobody else works on until it is let go."""

    path: Path
    file: IO[bytes]

    @property
    def length(self) -> int:
        """How much of the content is here."""
        return max(os.fstat(self.file.fileno()).st_size - 1, 0)

    @property
    def at(self) -> float:
        """When it was last written to, or put in its place (ms since 1970)."""
        return os.fstat(self.file.fileno()).st_mtime * 1000

    def append(self, more: IO[bytes], at: int) -> None:
        """Put bytes behind the first `at` of the content, and see them on the disk. What came after is dropped."""
        self.file.truncate(at + 1 if at else 0)
        self.file.seek(0, os.SEEK_END)
        if not at:
            self.file.write(PLAIN)
        more.seek(0)
        shutil.copyfileobj(more, self.file, PIECE)
        self.file.flush()
        os.fsync(self.file.fileno())

    def read(self) -> tuple[str, bytes]:
        """SHA-256 (hex) of the content, and its first bytes."""
        digest, head = hashlib.sha256(), b""
        self.file.seek(len(PLAIN))
        while piece := self.file.read(PIECE):
            head = head or piece[:HEAD]
            digest.update(piece)
        return digest.hexdigest(), head

    def drop(self) -> None:
        self.path.unlink(missing_ok=True)


class MediaFolder:
    """The folder of all files. It is made when the first one comes."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def kept(self, sha256: str) -> Path:
        """Where a whole file is."""
        return self.root / sha256[:2] / sha256[2:4] / sha256

    def begun(self, ident: str) -> Path:
        """Where an upload under way is."""
        return self.root / BEGUN / ident

    def has(self, sha256: str, size: int) -> bool:
        """Whether a whole file of that size is here."""
        return _length(self.kept(sha256)) == size

    def length(self, ident: str) -> int:
        """How much of an upload is here."""
        return max(_length(self.begun(ident)), 0)

    @contextmanager
    def spool(self) -> Iterator[IO[bytes]]:
        """A file without a name for what is just coming in: it is gone with the process."""
        folder = self._made(self.root / BEGUN)
        with tempfile.TemporaryFile(dir=folder) as file:
            yield file

    @contextmanager
    def hold(self, ident: str) -> Iterator[Locked]:
        """The begun file of an upload, locked; an empty one if there is none. Waits for others."""
        folder = self._made(self.root / BEGUN)
        with _locked(folder / ident, os.O_RDWR | os.O_CREAT) as held:
            assert held is not None
            _sync_all(folder, self.root)
            yield held

    @contextmanager
    def hold_kept(self, sha256: str, wait: bool = True) -> Iterator[Locked | None]:
        """A whole file, locked; None if there is none, or if somebody else has it and one does not wait."""
        with _locked(self.kept(sha256), os.O_RDWR, wait) as held:
            yield held

    @contextmanager
    def keep(self, begun: Locked, sha256: str) -> Iterator[None]:
        """Put a begun file, which is whole, in its place; if it is there already, it stays as it is.

        The file is locked until the block ends, so that nobody takes it for one that no row names.
        """
        final = self.kept(sha256)
        folder = self._made(final.parent)
        while not self._linked(begun, final):
            with self.hold_kept(sha256) as other:
                if other is not None and other.read()[0] == sha256:
                    os.utime(final)
                    _sync_all(folder, self.root)
                    yield
                    return
                if other is not None:
                    other.drop()
        _sync_all(folder, self.root)
        yield

    def all_kept(self) -> Iterator[tuple[str, float]]:
        """Every whole file: its hash, and when it was last put there (s since 1970)."""
        for path in self.root.glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*"):
            with suppress(FileNotFoundError):
                yield path.name, path.stat().st_mtime

    def all_begun(self) -> Iterator[tuple[str, float]]:
        """Every begun file: the upload's id, and when it last grew (s since 1970)."""
        for path in (self.root / BEGUN).glob("*"):
            with suppress(FileNotFoundError):
                yield path.name, path.stat().st_mtime

    def _linked(self, begun: Locked, final: Path) -> bool:
        try:
            os.link(begun.path, final)
        except FileExistsError:
            return False
        return True

    def _made(self, folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        return folder


def _length(path: Path) -> int:
    """The length of a file's content; -1 if there is no file."""
    try:
        return max(path.stat().st_size - len(PLAIN), 0)
    except FileNotFoundError:
        return -1


def _inode(path: Path) -> int | None:
    try:
        return path.stat().st_ino
    except FileNotFoundError:
        return None


@contextmanager
def _locked(path: Path, flags: int, wait: bool = True) -> Iterator[Locked | None]:
    """A file, locked; None if it is not there (any longer), or not to be had without waiting."""
    while True:
        try:
            number = os.open(path, flags, 0o600)
        except FileNotFoundError:
            yield None
            return
        with os.fdopen(number, "r+b") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
            except BlockingIOError:
                yield None
                return
            if _inode(path) == os.fstat(number).st_ino:  # else somebody has just put it away
                yield Locked(path, file)
                return


def _sync_all(folder: Path, root: Path) -> None:
    """See on the disk what has changed in a folder, and in those above it up to where the root was made."""
    while folder != root.parent:
        _sync(folder)
        folder = folder.parent
    _sync(folder)


def _sync(folder: Path) -> None:
    number = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
