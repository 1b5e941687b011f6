"""One spelling for one text: what every typed answer passes through before it is stored or compared."""

import re
import unicodedata

# Icelandic eth and African D look exactly like Đ/đ on a screen, and keyboards produce them; NFC keeps them apart.
_LOOKALIKES = str.maketrans({"\u00d0": "\u0110", "\u00f0": "\u0111", "\u0189": "\u0110", "\u0256": "\u0111"})
_LOOKALIKE = re.compile(r"[\u00d0\u00f0\u0189\u0256]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SPACES = re.compile(r"\s+")


def normalise(text: str) -> str:
    """Return `text` in NFC, trimmed, with look-alikes of Đ/đ replaced by the Vietnamese letters.

    The typed placement of tone marks is kept (`Hoà` stays `Hoà`). Line breaks inside the text are kept.
    """
    if text.isascii():  # most answers are codes and numbers
        return text.strip()
    if _LOOKALIKE.search(text):
        text = text.translate(_LOOKALIKES)
    return unicodedata.normalize("NFC", text).strip()


def normalise_name(text: str) -> str:
    """`normalise`, and every run of white space becomes one space: for names of people and places."""
    return _SPACES.sub(" ", normalise(text))


def storable(text: str) -> bool:
    """Whether every supported database can hold `text`: no U+0000 and no lone surrogate."""
    return _UNSTORABLE.search(text) is None
