"""The upload of one file: promised, sent in pieces, checked, stored once; or refused, and then nothing is left."""

from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from server.clock import now
from server.media.types import TYPES
from server.reminders.fence import Overtaken
from server.reminders.jobs import run_clear
from server.reminders.lease import LeaseHolder
from server.store.tables import Media, Token, Upload, db
from sync.times import DAY, local_time
from tests.api.builders import new_id, register
from tests.api.conftest import Town
from tests.api.sender import Sender, checksum, files, medium, photo, refused, sha256, stored
from tests.databases import DATABASES

both = pytest.mark.parametrize("database", DATABASES, indirect=True)


@both
def test_a_file_is_sent_in_pieces_and_stored_once(town: Town) -> None:
    sender = Sender(town, photo())
    answer = sender.promise(name="anh của bé.jpg", question="photo")
    assert (answer.status_code, answer.headers["Tus-Resumable"]) == (201, "1.0.0")
    assert sender.stands() == 0
    assert sender.send().headers["Upload-Offset"] == "3000"
    assert sender.stands() == 3_000
    assert files(town) == stored(sender.data)
    (row,) = town.rows(select(Media.sha256, Media.size, Media.type))
    assert row == (sha256(sender.data), 3_000, "image/jpeg")
    again = Sender(town, sender.data, "u2").promise()
    assert (again.status_code, again.headers["Upload-Offset"]) == (200, "3000")
    assert "Location" not in again.headers
    assert sender.piece(3_000, b"").status_code == 204
    assert files(town) == stored(sender.data)


def test_it_says_what_it_can(town: Town) -> None:
    answer = town.app.test_client().options("/api/v1/media")
    assert answer.status_code == 204
    told = {name: answer.headers[name] for name in ("Tus-Version", "Tus-Extension", "Tus-Max-Size")}
    assert told == {"Tus-Version": "1.0.0", "Tus-Extension": "creation,checksum", "Tus-Max-Size": "20971520"}
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha256,sha1"
    limits = town.get("/api/v1/sync/config").get_json()["limits"]
    assert (limits["max_blob"], limits["blob_chunk"]) == (20_971_520, 262_144)


def test_the_protocol_is_kept_or_refused(town: Town) -> None:
    sender, data = Sender(town, photo()), photo()
    for method, path in (("POST", "/api/v1/media"), ("PATCH", "/api/v1/media/uploads/x")):
        answer = sender.call(method, path, Tus_Resumable="0.2.2")
        assert refused(answer) == (412, "tus_version")
        assert answer.headers["Tus-Version"] == "1.0.0"
    sender.promise()
    assert refused(sender.piece(0, data, Content_Type="image/jpeg")) == (415, "unsupported_media_type")
    wrong = sender.piece(7, data[7:])
    assert (refused(wrong), wrong.headers["Upload-Offset"]) == ((409, "wrong_offset"), "0")
    assert refused(sender.piece(0, data, Upload_Offset="-1")) == (422, "invalid")
    for said in ("md5 AAAA", "sha256 AAAA", "sha256", "crc32 x"):
        assert refused(sender.piece(0, data, Upload_Checksum=said)) == (400, "bad_request")
    assert refused(sender.piece(0, data, Upload_Checksum=checksum(b"x"))) == (460, "bad_checksum")
    assert refused(sender.piece(0, data, Upload_Checksum=checksum(b"x", "sha1"))) == (460, "bad_checksum")
    assert refused(sender.piece(0, data + b"x")) == (413, "media_too_large")
    assert (sender.stands(), files(town)) == (0, {})
    assert sender.piece(0, data[:10], Upload_Checksum=checksum(data[:10], "sha1")).status_code == 204
    assert sender.stands() == 10
    other = Sender(town, data, "u2", url=sender.url)
    assert other.call("HEAD", other.url).status_code == 404
    assert refused(other.piece(10, data[10:])) == (404, "not_found")


@pytest.mark.parametrize(
    "change",
    [
        {"Upload-Length": ""}, {"Upload-Length": "0"}, {"Upload-Length": "-5"}, {"Upload-Length": "9" * 40},
        {"Upload-Metadata": ""}, {"Upload-Metadata": "sha256"}, {"Upload-Metadata": "sha256 !!!!,sub dQ=="},
        {"Upload-Metadata": "sha256 AAAA,sub dQ=="}, {"Upload-Metadata": "sub dQ=="},
    ],
)  # fmt: skip
def test_a_promise_that_says_too_little_is_refused(town: Town, change: dict[str, str]) -> None:
    assert refused(Sender(town, photo(), headers=change).call("POST", "/api/v1/media")) == (422, "invalid")


def test_five_gigabytes_are_refused_before_a_byte_of_them_comes(town: Town) -> None:
    assert refused(Sender(town, photo()).promise(5 * 2**30)) == (413, "media_too_large")
    assert files(town) == {}
    assert town.rows(select(Upload.id)) == []


@both
def test_what_is_not_what_was_promised_begins_anew(town: Town) -> None:
    sender = Sender(town, photo())
    sender.promise()
    other = photo(seed=1)
    assert sender.piece(0, other[:2_000], Upload_Checksum=checksum(other[:2_000])).status_code == 204
    assert refused(sender.piece(2_000, sender.data[2_000:])) == (460, "bad_content")
    assert (sender.stands(), files(town)) == (0, {})
    assert sender.send().status_code == 204
    assert files(town) == stored(sender.data)


@pytest.mark.parametrize(
    "data",
    [b"<?php system($_GET['c']); ?>" * 40, b"<html><script>", b"MZ\x90\x00", b"PK\x03\x04", b"\xff\xfe<\x00", b"x",
     b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"RIFF\x00\x00\x00\x00AVI ", b"\x00\x00\x00\x18ftypqt  "],
)  # fmt: skip
def test_a_file_is_what_its_bytes_say_whatever_it_is_called(town: Town, data: bytes) -> None:
    sender = Sender(town, data)
    sender.promise(name="anh1.jpg")
    assert refused(sender.send()) == (422, "media_type_refused")
    assert (sender.stands(), files(town), town.rows(select(Media.sha256))) == (0, {}, [])


HEADS = {
    "image/jpeg": b"\xff\xd8\xff\xe1",
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/webp": b"RIFF\x00\x00\x00\x00WEBPVP8 ",
    "image/heic": b"\x00\x00\x00\x18ftypheic",
    "image/heif": b"\x00\x00\x00\x18ftypmif1",
    "audio/mp4": b"\x00\x00\x00\x18ftypM4A ",
    "audio/mpeg": b"\xff\xfb\x90\x64",
    "audio/ogg": b"OggS\x00\x02",
    "audio/amr": b"#!AMR\n<",
    "audio/wav": b"RIFF\x24\x00\x00\x00WAVEfmt ",
    "video/mp4": b"\x00\x00\x00\x18ftypisom",
    "video/3gpp": b"\x00\x00\x00\x18ftyp3gp4",
    "application/pdf": b"%PDF-1.7",
}


def test_every_kind_that_is_taken_is_told_by_its_first_bytes(town: Town) -> None:
    assert set(HEADS) == {kind.mime for kind in TYPES}
    for head in HEADS.values():
        assert Sender(town, head + b" rest").send().status_code == 204
    assert dict(town.rows(select(Media.sha256, Media.type))) == {
        sha256(head + b" rest"): mime for mime, head in HEADS.items()
    }


def test_who_promises_again_goes_on_where_he_stood(town: Town) -> None:
    first = Sender(town, photo())
    first.promise()
    first.piece(0, first.data[:700])
    again = Sender(town, first.data)
    answer = again.promise()
    assert (answer.status_code, again.url, answer.headers["Upload-Offset"]) == (201, first.url, "700")
    elsewhere = Sender(town, first.data, "u2")
    elsewhere.promise()
    assert (elsewhere.url != first.url, elsewhere.stands()) == (True, 0)
    elsewhere.send()
    assert again.stands() == 3_000
    assert files(town) == stored(first.data)


def test_a_day_has_its_volume(new_town: Callable[..., Town]) -> None:
    town = new_town(max_volume=300_000)
    assert Sender(town, photo(200_000)).send(100_000).status_code == 204
    answer = Sender(town, photo(150_000, 1)).promise()
    assert refused(answer) == (429, "volume_used")
    assert int(answer.headers["Retry-After"]) > 60
    assert Sender(town, photo(150_000, 1), "u2").promise().status_code == 201
    assert Sender(town, photo(50, 2)).promise().status_code == 201
    assert refused(Sender(town, photo(50, 3)).promise()) == (429, "volume_used")  # small ones count, too
    with time_machine.travel(local_time(now()) + timedelta(days=1, minutes=1), tick=False):
        assert Sender(town, photo(150_000, 1)).promise().status_code == 201


def test_rubbish_sent_again_and_again_uses_the_volume(new_town: Callable[..., Town]) -> None:
    town = new_town(max_volume=400_000)
    sender = Sender(town, photo(100_000))
    sender.promise()
    answers = {refused(sender.piece(0, photo(100_000, 9), Upload_Checksum=checksum(b"")))[1] for _ in range(6)}
    assert answers == {"bad_checksum", "volume_used"}


@pytest.mark.parametrize("how", ["revoked", "expired"])
def test_who_may_no_longer_read_may_still_send(town: Town, how: str) -> None:
    sender = Sender(town, photo())
    town.apply(register(new_id(), {}) | {"id": sender.sub, "media": [medium(sender.data)]})
    if how == "revoked":
        town.revoke("u1")
    else:
        with town.app.app_context():
            db.session.execute(update(Token).values(expires_at=now() - 1))
            db.session.commit()
    assert sender.send().status_code == 204
    assert refused(sender.get()) == (403, "device_revoked" if how == "revoked" else "token_expired")
    assert files(town) == stored(sender.data)
    assert refused(Sender(town, photo(seed=1), token="x").promise()) == (401, "unauthenticated")


@both
def test_what_nobody_goes_on_with_is_cleared_away(town: Town) -> None:
    whole, left, begun = Sender(town, photo()), Sender(town, photo(seed=1)), Sender(town, photo(seed=2))
    whole.send()
    folder = town.nest.settings.media_folder
    for sender in (left, begun):
        sender.promise()
        sender.piece(0, sender.data[:500])
    lost = photo(seed=3)
    place = town.nest.media.kept(sha256(lost))
    place.parent.mkdir(parents=True)
    place.write_bytes(b"\x00" + lost)
    (folder / "begun" / ("0" * 32)).write_bytes(b"\x00")

    def clear(days: float) -> int:
        with time_machine.travel(local_time(now()) + timedelta(days=days), tick=False), town.app.app_context():
            return run_clear()

    assert clear(0) == 0
    assert clear(2) == 1  # a begun file of which no upload knows
    with time_machine.travel(local_time(now()) + timedelta(days=10), tick=False):
        assert begun.piece(500, begun.data[500:600]).status_code == 204
    assert clear(15) >= 2
    assert begun.stands() == 600
    assert left.call("HEAD", left.url).status_code == 404
    assert set(files(town)) == {*stored(whole.data), *stored(lost), f"begun/{begun.url.rsplit('/', 1)[-1]}"}
    assert clear(31) >= 2  # a whole one without a row stays as long as phones send again what they have sent
    assert files(town) == stored(whole.data)
    assert town.rows(select(Upload.id)) == []
    assert clear(400) == 0


def test_clearing_stops_when_another_process_has_the_jobs(town: Town) -> None:
    Sender(town, photo()).promise()
    with town.app.app_context():
        mine, other = LeaseHolder(), LeaseHolder()
        assert mine.hold(now())
        assert other.hold(now() + DAY)
        with time_machine.travel(local_time(now()) + timedelta(days=20), tick=False), pytest.raises(Overtaken):
            run_clear(mine)
