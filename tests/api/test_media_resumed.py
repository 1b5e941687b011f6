"""Uploads that are cut anywhere, go on in another process, come doubled and damaged: stored once and right."""

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

import server.media.uploads as uploads
from server.app import create_app
from server.media.files import MediaFolder
from server.store.tables import Media, Upload
from tests.api.conftest import Town
from tests.api.sender import Sender, checksum, files, photo, refused, stored
from tests.databases import DATABASES, close

both = pytest.mark.parametrize("database", DATABASES, indirect=True)
CALM = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    phases=(Phase.explicit, Phase.generate),
)
SIZE = 2_500


@pytest.fixture
def processes(town: Town) -> Iterator[Sequence[Flask]]:
    """Two servers on one database and one folder."""
    other = create_app(town.nest.settings)
    yield town.app, other
    close(other)


@st.composite
def steps(draw: st.DrawFn) -> tuple[int, int, int, str]:
    """Which sender and process, how much is sent, and what happens to it."""
    what = draw(st.sampled_from(["good", "good", "cut", "damaged", "unsure", "doubled", "elsewhere", "promised"]))
    return draw(st.integers(0, 2)), draw(st.integers(0, 1)), draw(st.integers(0, SIZE)), what


seeds = iter(range(1, 10_000))


@both
@CALM
@given(st.lists(steps(), max_size=8), st.data())
def test_however_it_comes_it_is_stored_once_and_right(
    town: Town, processes: Sequence[Flask], plan: list[tuple[int, int, int, str]], data: st.DataObject
) -> None:
    before = files(town)
    content = photo(SIZE, next(seeds))
    senders = [Sender(town, content, user) for user in ("u1", "u1", "u2")]
    for sender in senders:
        sender.promise()
    for who, process, length, what in plan:
        sender = senders[who]
        sender.app = processes[process]
        _step(sender, length, what, data)
    finishing = data.draw(st.permutations(senders))
    for sender in finishing:
        sender.app = processes[data.draw(st.integers(0, 1))]
        while sender.stands() < SIZE:
            sender.send(data.draw(st.integers(300, SIZE)))
    assert files(town) == before | stored(content)
    assert [row.size for row in town.rows(select(Media.size).where(Media.sha256 == senders[0].medium["sha256"]))] == [
        SIZE
    ]


def _step(sender: Sender, length: int, what: str, data: st.DataObject) -> None:
    at = sender.stands()
    piece = sender.data[at : at + length]
    sure: dict[str, Any] = {"Upload_Checksum": checksum(piece)}
    if what == "good":
        assert sender.piece(at, piece, **sure).status_code == 204
        assert sender.stands() == at + len(piece)
    elif what == "cut" and piece:
        arrived = data.draw(st.integers(0, len(piece) - 1))
        sender.piece(at, piece, arrived, **(sure if data.draw(st.booleans()) else {}))
        assert sender.stands() == at + arrived  # what has come counts
    elif what == "damaged" and piece:
        bad = bytes([piece[0] ^ 1]) + piece[1:]
        assert refused(sender.piece(at, bad, **sure)) == (460, "bad_checksum")
        assert sender.stands() == at
    elif what == "unsure" and piece and at + len(piece) == SIZE:
        answer = sender.piece(at, bytes([piece[0] ^ 1]) + piece[1:])
        assert refused(answer) == (460, "bad_content")
        assert sender.stands() == 0
    elif what == "doubled" and piece:
        assert sender.piece(at, piece, **sure).status_code == 204
        assert refused(sender.piece(at, piece, **sure)) == (409, "wrong_offset")
    elif what == "elsewhere" and at + length != at:
        assert refused(sender.piece(at + length, piece)) in ((409, "wrong_offset"), (422, "invalid"))
    elif what == "promised":
        sender.promise()
        assert sender.stands() == at


class Died(BaseException):
    """The process has ended here."""


@contextmanager
def dying(monkeypatch: pytest.MonkeyPatch, place: str) -> Iterator[None]:
    """The process ends at a place: before the row is written, before the file is put away, or amid writing."""

    def die(*args: Any, **kwargs: Any) -> None:
        raise Died

    def half(fd: int) -> None:
        os.ftruncate(fd, max(os.fstat(fd).st_size - 100, 0))
        raise Died

    with monkeypatch.context() as patched, suppress(Died):
        if place == "row":
            patched.setattr(uploads, "write", die)
        elif place == "drop":
            patched.setattr(uploads.Locked, "drop", die)
        elif place == "link":
            patched.setattr(MediaFolder, "keep", die)
        else:
            patched.setattr(os, "fsync", half)
        yield


@both
@pytest.mark.parametrize("place", ["row", "drop", "link", "fsync"])
@pytest.mark.parametrize("last", [False, True])
def test_after_a_crash_it_goes_on_from_what_both_know(
    town: Town, processes: Sequence[Flask], monkeypatch: pytest.MonkeyPatch, place: str, last: bool
) -> None:
    sender = Sender(town, photo())
    sender.promise()
    sender.piece(0, sender.data[:1_000])
    with dying(monkeypatch, place):
        sender.piece(1_000, sender.data[1_000:] if last else sender.data[1_000:1_500])
    sender.app = processes[1]
    whole = last and place in ("row", "drop")
    here = 1_500 if place in ("drop", "link") and not last else 1_000
    assert sender.stands() == (3_000 if whole else here)
    assert sender.send().status_code == 204
    assert files(town) == stored(sender.data)
    assert len(town.rows(select(Media.sha256))) == 1


def test_a_file_that_lost_its_disk_begins_where_the_disk_is(town: Town) -> None:
    sender = Sender(town, photo())
    sender.promise()
    sender.piece(0, sender.data[:2_000])
    begun = town.nest.media.begun(sender.url.rsplit("/", 1)[-1])
    os.truncate(begun, 1_201)
    assert sender.stands() == 1_200
    begun.unlink()
    assert sender.stands() == 0
    sender.send()
    town.nest.media.kept(sender.medium["sha256"]).unlink()  # as after a folder was put back from an old backup
    assert Sender(town, sender.data).promise().status_code == 201
    assert sender.send().status_code == 204
    assert files(town) == stored(sender.data)


def test_a_restored_database_finds_the_files_that_it_does_not_know(town: Town) -> None:
    backup = town.backup()
    sender = Sender(town, photo())
    sender.send()
    town.restore(backup)
    assert town.rows(select(Media.sha256)) == []
    answer = Sender(town, sender.data).promise()
    assert (answer.status_code, answer.headers["Upload-Offset"]) == (200, "3000")
    place = town.nest.media.kept(sender.medium["sha256"])
    town.restore(backup)
    place.write_bytes(place.read_bytes()[:-1] + b"!")  # and does not believe a damaged one
    assert Sender(town, sender.data).send().status_code == 204
    assert files(town) == stored(sender.data)


@both
def test_two_at_once_store_it_once(new_town: Callable[..., Town]) -> None:
    town = new_town()
    other = create_app(town.nest.settings)
    data = photo(20_000)

    def send(number: int) -> int:
        sender = Sender(town, data, ("u1", "u2", "u9")[number % 3], (town.app, other)[number % 2])
        sender.promise()
        while (at := sender.stands()) < len(data):
            sender.piece(at, data[at : at + 4_000])
        return sender.stands()

    with ThreadPoolExecutor(6) as pool:
        assert set(pool.map(send, range(6))) == {len(data)}
    close(other)
    kept = {name: content for name, content in files(town).items() if not name.startswith("begun/")}
    assert kept == stored(data)
    assert len(town.rows(select(Media.sha256))) == 1
    assert {row.offset for row in town.rows(select(Upload.offset, Upload.id))} <= {*range(0, 20_001, 4_000)}


def test_the_disk_is_full_and_nothing_is_lost(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    sender = Sender(town, photo())
    sender.promise()
    sender.piece(0, sender.data[:1_000])

    def full(*args: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("server.media.files.shutil.copyfileobj", full)
        answer = sender.piece(1_000, sender.data[1_000:])
    assert refused(answer) == (503, "busy")
    assert sender.stands() == 1_000
    assert sender.send().status_code == 204
    assert files(town) == stored(sender.data)


def test_a_piece_is_never_whole_in_memory(town: Town, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sizes: list[int] = []
    spool = MediaFolder.spool

    class Watched:
        def __init__(self, file: Any) -> None:
            self.file = file

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

        def write(self, data: bytes) -> int:
            sizes.append(len(data))
            return self.file.write(data)

    @contextmanager
    def watched(folder: MediaFolder) -> Iterator[Any]:
        with spool(folder) as file:
            yield Watched(file)

    monkeypatch.setattr(MediaFolder, "spool", watched)
    sender = Sender(town, photo(1_000_000))
    sender.promise()
    assert sender.piece(0, sender.data).status_code == 204
    assert sum(sizes) == 1_000_000
    assert max(sizes) <= uploads.PIECE
