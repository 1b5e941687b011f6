"""A condition of a form in words: labels for names and codes, as far as that is plain."""

import re
from collections.abc import Mapping

from forms.outline import Outline

_EQUALS = re.compile(r"\$\{(\w+)\} *(!?=) *'([^']*)'")
_SELECTED = re.compile(r"selected\( *\$\{(\w+)\} *, *'([^']*)' *\)")
_COMPARES = re.compile(r"\$\{(\w+)\} *(<=|>=|<|>) *(\d+)")
_NAME = re.compile(r"\$\{(\w+)\}")
_JOINS = re.compile(r"(?<=[\s)])(and|or)(?=[\s(])|\bnot(?=\()|\.(?= *[<>=!])")
_WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "<": "is less than",
        ">": "is more than",
        "<=": "is at most",
        ">=": "is at least",
        "=": "is",
        "!=": "is not",
        "blank": "blank",
        "includes": "includes",
    },
    "vi": {
        "<": "nhỏ hơn",
        ">": "lớn hơn",
        "<=": "nhiều nhất là",
        ">=": "ít nhất là",
        "=": "là",
        "!=": "không là",
        "blank": "để trống",
        "includes": "có chọn",
        "and": "và",
        "or": "hoặc",
        "not": "không phải",
        ".": "câu trả lời",
    },
}


class Wording:
    """Words for the conditions of one form version; `language` is `en` or `vi`."""

    def __init__(self, outline: Outline, language: str) -> None:
        self._outline, self._language, self._words = outline, language, _WORDS[language]

    def said(self, expression: str) -> str:
        """An expression as written in the sheets (`${name}`) in words."""
        words = self._words
        said = _JOINS.sub(lambda m: words.get(m[0], m[0]), expression)
        said = _SELECTED.sub(lambda m: f"{self._called(m[1])} {words['includes']} {self._option(m[1], m[2])}", said)
        said = _EQUALS.sub(self._equality, said)
        said = _COMPARES.sub(lambda m: f"{self._called(m[1])} {words[m[2]]} {m[3]}", said)
        return _NAME.sub(lambda m: self._called(m[1]), said)

    def _equality(self, match: re.Match[str]) -> str:
        name, sign, code = match.groups()
        value = self._option(name, code) if code else self._words["blank"]
        return f"{self._called(name)} {self._words[sign]} {value}"

    def _called(self, name: str) -> str:
        item = self._outline.by_name.get(name)
        label = item.label.get(self._language) if item else None
        return f"“{label}”" if label else name

    def _option(self, name: str, code: str) -> str:
        item = self._outline.by_name.get(name)
        label = item.options.get(code, {}).get(self._language) if item else None
        return f"“{label}”" if label else f"'{code}'"
