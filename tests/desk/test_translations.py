"""Every word of the pages has its English, with the same places for names and numbers; that is what is compiled."""

import re
from io import BytesIO

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo, write_mo
from babel.messages.pofile import read_po

from tests.e2e.server import ROOT

FOLDER = ROOT / "server" / "translations"
ENGLISH = FOLDER / "en" / "LC_MESSAGES" / "messages"
METHODS = [("**.py", "python"), ("templates/desk/**.html", "jinja2")]
KEYWORDS = {"_": None, "_l": None, "gettext": None, "lazy_gettext": None, "Kind": (2,)}
_PLACE = re.compile(r"%\(\w+\)s")


def english() -> Catalog:
    with ENGLISH.with_suffix(".po").open("rb") as file:
        return read_po(file, locale="en")


def test_every_word_has_its_english() -> None:
    found = extract_from_dir(ROOT / "server", METHODS, keywords=KEYWORDS)
    words = {str(message) for _, _, message, _, _ in found}
    assert len(words) > 300
    known = {str(message.id): str(message.string) for message in english() if message.id}
    assert sorted(word for word in words if not known.get(word)) == []
    assert sorted(known.keys() - words) == []


def test_what_is_filled_in_is_filled_in_in_both() -> None:
    for message in english():
        assert set(_PLACE.findall(str(message.id))) == set(_PLACE.findall(str(message.string))) or not message.id


def test_what_is_compiled_is_what_was_written() -> None:
    wanted = BytesIO()
    write_mo(wanted, english())
    with ENGLISH.with_suffix(".mo").open("rb") as file:
        compiled = {message.id: message.string for message in read_mo(file)}
    wanted.seek(0)
    assert compiled == {message.id: message.string for message in read_mo(wanted)}
