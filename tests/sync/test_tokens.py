"""Tokens and acks: what was written is read again, by its reader alone; any other text is refused, never a fault."""

import base64
import random
import zlib
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.tokens import (
    LONGEST,
    MAC,
    BadToken,
    Cursor,
    FeedMark,
    Position,
    read_ack,
    read_token,
    write_ack,
    write_token,
)
from tests.sync.profile import PROFILE

KEY, OTHER_KEY = b"k" * 32, b"l" * 32
READER, OTHER = "máy 1|u1", "máy 1|u2"
NUMBERS = st.integers(0, 2**53)
NAMES = st.text(st.characters(codec="utf-8"), max_size=20)
MARKS = st.dictionaries(NAMES, st.builds(FeedMark, NUMBERS, NAMES), max_size=4)
POSITIONS = st.builds(
    Position,
    st.just(READER),
    NAMES,
    MARKS,
    st.dictionaries(NAMES, st.builds(Cursor, NUMBERS, NUMBERS), max_size=5),
    NUMBERS,
    NUMBERS,
)
READS: list[Callable[[str, str, bytes], Any]] = [read_token, read_ack]


def refused(text: str, reader: str = READER, key: bytes = KEY) -> bool:
    """Whether a text is neither a token nor an ack; anything but `BadToken` fails the test."""
    for read in READS:
        try:
            read(text, reader, key)
        except BadToken:
            continue
        return False
    return True


@PROFILE
@given(POSITIONS)
def test_what_was_written_is_read_again(position: Position) -> None:
    assert read_token(write_token(position, KEY), READER, KEY) == position
    assert read_ack(write_ack(READER, position.marks, KEY), READER, KEY) == position.marks


@PROFILE
@given(POSITIONS)
def test_another_reader_another_key_and_another_purpose_are_refused(position: Position) -> None:
    token, ack = write_token(position, KEY), write_ack(READER, position.marks, KEY)
    for text in (token, ack):
        assert refused(text, OTHER) and refused(text, READER, OTHER_KEY)
    with pytest.raises(BadToken):
        read_ack(token, READER, KEY)
    with pytest.raises(BadToken):
        read_token(ack, READER, KEY)


@PROFILE
@given(POSITIONS, st.data())
def test_a_token_that_was_cut_or_lengthened_is_refused(position: Position, data: st.DataObject) -> None:
    for text in (write_token(position, KEY), write_ack(READER, position.marks, KEY)):
        assert refused(text[: data.draw(st.integers(0, len(text) - 1))])
        assert refused(text + data.draw(st.text("abcXYZ019-_", min_size=1, max_size=8)))


@PROFILE
@given(POSITIONS, st.data())
def test_a_single_changed_byte_is_noticed(position: Position, data: st.DataObject) -> None:
    whole = bytearray(base64.urlsafe_b64decode(write_token(position, KEY) + "=="))
    whole[data.draw(st.integers(0, len(whole) - 1))] ^= data.draw(st.integers(1, 255))
    assert refused(base64.urlsafe_b64encode(bytes(whole)).decode().rstrip("="))


@PROFILE
@given(POSITIONS, st.data())
def test_whatever_is_done_to_a_token_it_never_names_another_position(position: Position, data: st.DataObject) -> None:
    """Base64 leaves some bits of the last letter unused, and what is no letter of it is skipped."""
    text = write_token(position, KEY)
    at = data.draw(st.integers(0, len(text) - 1))
    changed = text[:at] + data.draw(st.text(max_size=3)) + text[at + data.draw(st.integers(0, 2)) :]
    try:
        assert read_token(changed, READER, KEY) == position
    except BadToken:
        assert changed != text


@PROFILE
@given(st.text() | st.text("abcdefXYZ0189-_=+/ \n\ud800") | st.binary().map(lambda b: b.decode("latin-1")))
def test_no_text_whatever_is_a_token_or_a_fault(text: str) -> None:
    assert refused(text)


@PROFILE
@given(st.binary(max_size=80))
def test_bytes_without_the_key_are_not_even_unpacked(data: bytes) -> None:
    packed = zlib.compress(orjson.dumps(["t", READER, "", {}, {}, 0, 0]))
    for whole in (data, data[:MAC].ljust(MAC, b"0") + packed):
        assert refused(base64.urlsafe_b64encode(whole).decode())


def test_a_text_without_end_is_refused_unread_even_if_it_is_ours() -> None:
    view = random.Random(7).randbytes(LONGEST).hex()
    assert refused(write_token(Position(READER, view), KEY))
    assert refused("A" * 10_000_000)


def test_a_reader_of_thousands_of_scopes_gets_a_token_that_can_be_read() -> None:
    """The largest city: 200 wards of 25 hamlets each, no two numbers alike."""
    wards = [f"2025.{31000 + n}" for n in range(200)]
    cursors = {f"{w}/{h:02d}": Cursor(7 * n + 31 * h, 9 * n) for n, w in enumerate(wards) for h in range(25)}
    marks = {ward: FeedMark(10_000 + n, f"{n * 7_919:016x}") for n, ward in enumerate(wards)}
    position = Position(READER, "h:0123456789ab", marks, cursors, 12, 1_795_500_000_000)
    text = write_token(position, KEY)
    assert len(text) < LONGEST
    assert read_token(text, READER, KEY) == position


def test_a_token_travels_in_a_url_and_tells_nothing_at_a_glance() -> None:
    text = write_token(Position(READER, marks={"2025.31135": FeedMark(3, "n")}), KEY)
    assert text.isascii() and text.replace("-", "").replace("_", "").isalnum()
    assert "31135" not in text
