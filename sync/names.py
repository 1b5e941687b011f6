"""Names of people as Vietnamese readers compare, look up and sort them. Everything here takes a name as it was typed.

A name is family, middle and given name in this order; people are called and sorted by the given one. Khmer and Hoa
names are often two words, some are one: nothing here asks for three.
"""

import unicodedata

from forms.text import normalise_name

# In the order of the dictionary: none, huyền, hỏi, ngã, sắc, nặng.
_TONES = {"\u0300": 1, "\u0309": 2, "\u0303": 3, "\u0301": 4, "\u0323": 5}
# f, j, w and z are in no Vietnamese word but in names; they stand where the Latin alphabet has them.
_LETTERS = {letter: rank for rank, letter in enumerate("aăâbcdđeêfghijklmnoôơpqrstuưvwxyz")}
_MARKS = ("\u0300", "\u036f")  # combining marks of Latin letters; Khmer vowels are marks as well and stay
KEY_LENGTH = 200

_NAME_END, _WORD_END, _TONE, _LETTER, _OTHER = b"\x01", b"\x02", 3, 16, b"\x7f"


def search_key(name: str) -> str:
    """The name without tones and diacritics: lower case, single spaces, đ as d. `Nguyễn Thị Ðào`: `nguyen thi dao`.

    Cut to `KEY_LENGTH` characters, so that a database can index it.
    """
    bare = "".join(char for char in _taken_apart(name) if not _MARKS[0] <= char <= _MARKS[1])
    return normalise_name(bare.replace("đ", "d"))[:KEY_LENGTH].rstrip()


def tone_key(name: str) -> str:
    """The name with each word's letters and then its tone, wherever that was typed. `Hoà` and `Hòa`: `hoa1`.

    Tones are numbered in the order of the dictionary, huyền 1 to nặng 5. `Hoa`, `Hòa` and `Hỏa` stay different.
    """
    return " ".join(letters + "".join(map(str, tones)) for letters, tones in map(_word, _words(name)))


def sort_key(name: str) -> bytes:
    """A key by which names sort in Vietnamese order: by given name, then middle names, then family name.

    Within each, word by word: first the letters (a ă â b c d đ e ê ...), then the tone. What is no letter comes after
    z. Bytes, because every database compares those alike; cut to `KEY_LENGTH`.
    """
    words = [_sortable(*_word(word)) for word in _words(name)]
    if not words:
        return b""
    family, middle = (words[:1], words[1:-1]) if len(words) > 1 else ([], [])
    return _NAME_END.join((words[-1], b"".join(middle), b"".join(family)))[:KEY_LENGTH]


def _words(name: str) -> list[str]:
    return normalise_name(name).split()


def _taken_apart(name: str) -> str:
    """Lower case, each letter followed by its marks."""
    lower = unicodedata.normalize("NFD", normalise_name(name)).casefold()
    return unicodedata.normalize("NFD", lower)


def _word(word: str) -> tuple[str, list[int]]:
    """The letters of a word without its tone, and its tone; a foreign word may have several, or none."""
    parts = _taken_apart(word)
    letters = unicodedata.normalize("NFC", "".join(char for char in parts if char not in _TONES))
    return letters, sorted(_TONES[char] for char in parts if char in _TONES)


def _sortable(letters: str, tones: list[int]) -> bytes:
    ranked = (_LETTERS.get(letter) for letter in letters)
    known = b"".join(
        bytes([_LETTER + rank]) if rank is not None else _OTHER + letter.encode("utf-8", "surrogatepass")
        for letter, rank in zip(letters, ranked, strict=True)
    )
    return known + _WORD_END + bytes(_TONE + tone for tone in tones or [0])
