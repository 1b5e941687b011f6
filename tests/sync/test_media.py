"""Which question a file answers, of whom it tells, and which files officers alone may see."""

from typing import Any

import orjson
import pytest

from forms.catalogue import Catalogue
from forms.form import Kind
from sync.arrival import Arrival, Sender
from sync.batch import Limits
from sync.envelope import raw_item
from sync.media import hashes_of, media_of
from sync.places import build_places
from sync.reading import Reader
from tests.api.builders import claim, item, moment, new_id
from tests.api.photos import SECRET, taken, with_photos
from tests.api.sender import medium, photo
from tests.forms.test_published import CATALOGUE

ONE, TWO = photo(), photo(seed=1)
CHILD = new_id()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return with_photos(CATALOGUE)


@pytest.fixture(scope="module")
def reader(catalogue: Catalogue) -> Reader:
    return Reader(catalogue, build_places([], [], [], []), Limits())


def read(reader: Reader, value: Any) -> Arrival:
    return reader.read(raw_item(orjson.dumps(value)), Sender("u1", "d1", frozenset({"u1"}), 0), None, 10**12)


def named(reader: Reader, *media: Any, **answers: Any) -> list[tuple[str, str | None, str | None, bool]]:
    rows = media_of(read(reader, taken(CHILD, "0-", {"full_name": "Bé"}, *media, **answers)), "s")
    assert {row.sub for row in rows} == {"s"}
    return [(row.name, row.question, row.entity, row.protected) for row in rows]


def test_questions_of_every_kind_of_file_are_known(catalogue: Catalogue) -> None:
    entry = catalogue.find("child_photo", "1")
    assert entry is not None
    kinds = {question.name: question.kind for question in entry.form.questions}
    assert {name for name, kind in kinds.items() if kind is Kind.FILE} == {"photo", "told", SECRET, "paper"}


def test_a_file_is_read_like_the_answer_that_names_it(reader: Reader) -> None:
    one, two = medium(ONE, "a.jpg"), medium(TWO, "b.jpg")
    assert sorted(named(reader, one, two, photo="a.jpg", **{SECRET: "b.jpg"})) == [
        ("a.jpg", "photo", CHILD, False),
        ("b.jpg", SECRET, CHILD, True),
    ]


def test_one_that_no_question_for_files_names_is_for_officers(reader: Reader) -> None:
    assert named(reader, medium(ONE, "a.jpg"), note="a.jpg") == [("a.jpg", None, None, True)]


def test_one_that_answers_both_kinds_of_question_is_protected(reader: Reader) -> None:
    found = named(reader, medium(ONE, "a.jpg"), photo="a.jpg", **{SECRET: "a.jpg"})
    assert found == [("a.jpg", SECRET, CHILD, True)]


def test_rows_name_files_too_and_names_are_compared_in_one_spelling(reader: Reader) -> None:
    name = "gia\u0302\u0301y.pdf"
    found = named(reader, medium(ONE, name), papers=[{"paper": "x.pdf"}, {"paper": "giấy.pdf"}])
    assert found == [(name, "paper", None, False)]


def test_the_same_twice_is_one_and_one_content_may_have_two_names(reader: Reader) -> None:
    one = medium(ONE, "a.jpg")
    again = one | {"size": 1}  # of two sizes the first is kept
    assert len(named(reader, one, again, one, medium(ONE, "b.jpg"), photo="a.jpg")) == 2
    value = taken(CHILD, "0-", {}, one, again)
    assert [row.size for row in media_of(read(reader, value), "s")] == [len(ONE)]


def test_of_an_item_that_cannot_be_read_the_files_are_still_asked_for(reader: Reader) -> None:
    good, bad = medium(ONE), {"name": "x", "sha256": "zz", "size": 1}
    for broken in ({"observed_at": "hôm qua"}, {"form": "strange"}, {"entities": 7}):
        value = item("child_photo", {}, claim("child", CHILD), media=[good], observed_at=moment()) | broken
        arrival = read(reader, value)
        assert arrival.held is not None
        assert hashes_of(arrival) == {good["sha256"]}
        assert [row.protected for row in media_of(arrival, "s")] == [True]
    assert hashes_of(read(reader, item("child_photo", {}, media=[good, bad]))) == {good["sha256"]}
    assert hashes_of(read(reader, 7)) == set()


def test_no_name_that_cannot_be_stored_comes_in(reader: Reader) -> None:
    for name in ("\x00", "x" * 201, ""):
        arrival = read(reader, taken(CHILD, "0-", {}, medium(ONE, name)))
        assert arrival.held == "unreadable"
        assert hashes_of(arrival) == set()
