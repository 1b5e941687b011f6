"""Taking a batch apart: the envelope, and each item with its own bytes, from untrusted JSON.

An envelope that is no JSON is refused as a whole; anything wrong inside one item concerns that item alone.
"""

import hashlib
import json
import math
import re
from dataclasses import dataclass
from typing import Any

from forms.schema import Problem
from forms.text import storable

_DECODER = json.JSONDecoder()
_BLANKS = re.compile(r"[ \t\n\r]*")
_SPAN = re.compile(r'"(?:[^"\\]|\\.)*"|[\[\]{}]', re.DOTALL)
_SCALAR = re.compile(r"[^\s,\]}]+")
MAX_DEPTH = 32


class MalformedEnvelope(ValueError):
    """The body is not the JSON object that a batch is. Nothing was stored."""


@dataclass(frozen=True)
class RawItem:
    """One element of `items`: its bytes as received, its value, and what makes it unreadable, if anything.

    `same` are the bytes that alone make it the same submission, where another client's words are around them.
    """

    raw: bytes
    value: Any
    problem: Problem | None
    same: bytes | None = None

    @property
    def sha256(self) -> str:
        """Hex digest of the canonical body: key order and spacing do not make another submission."""
        if self.same is not None:
            return hashlib.sha256(self.same).hexdigest()
        body = self.raw
        if self.problem is None:
            body = json.dumps(self.value, sort_keys=True, ensure_ascii=False, separators=(",", ":")).encode()
        return hashlib.sha256(body).hexdigest()


def split(body: bytes) -> tuple[dict[str, Any], list[RawItem]]:
    """Take a batch apart: the envelope without `items`, and each item with its own bytes.

    Raises `MalformedEnvelope`. A byte that is not UTF-8 makes only its own item unreadable.
    """
    text = body.decode("utf-8", "surrogateescape").removeprefix("\ufeff")
    envelope: dict[str, Any] = {}
    items: list[RawItem] = []
    at = _skip(text, _expect(text, 0, "{"))
    while text[at : at + 1] != "}":
        key, at = _value(text, at)
        if not isinstance(key, str):
            raise MalformedEnvelope("a key must be a string")
        at = _skip(text, _expect(text, at, ":"))
        if key == "items":
            items, at = _items(text, at)
        else:
            envelope[key], at = _value(text, at)
        at = _next(text, at, "}")
    if _skip(text, at + 1) != len(text):
        raise MalformedEnvelope("something follows the JSON object")
    problem = flaw(envelope)
    if problem is not None:
        raise MalformedEnvelope(problem.detail)
    return envelope, items


def raw_item(raw: bytes) -> RawItem:
    """One item from the bytes that were kept of it."""
    text = raw.decode("utf-8", "surrogateescape")
    try:
        value, _ = _value(text, _skip(text, 0))
    except MalformedEnvelope:
        return RawItem(raw, None, Problem("bad_json", "", "Không đọc được phiếu."))
    return RawItem(raw, value, flaw(value))


def _items(text: str, at: int) -> tuple[list[RawItem], int]:
    items = []
    at = _skip(text, _expect(text, at, "["))
    while text[at : at + 1] != "]":
        value, end = _value(text, at)
        clean = "\\" not in text[at:end] and storable(text[at:end])  # then so is each text in it
        raw = text[at:end].encode("utf-8", "surrogateescape")
        items.append(RawItem(raw, value, flaw(value, clean)))
        at = _next(text, end, "]")
    return items, at + 1


def _next(text: str, at: int, closing: str) -> int:
    """Step over a comma to the next member, or stay at the closing bracket."""
    at = _skip(text, at)
    if text[at : at + 1] == closing:
        return at
    at = _skip(text, _expect(text, at, ","))
    if text[at : at + 1] == closing:
        raise MalformedEnvelope("a comma with nothing after it")
    return at


class _Unreadable:
    """Stands for a value that is too deep or too large a number to be read."""


def _value(text: str, at: int) -> tuple[Any, int]:
    try:
        return _DECODER.raw_decode(text, at)
    except json.JSONDecodeError as error:
        raise MalformedEnvelope("not JSON") from error
    except (RecursionError, ValueError):
        return _Unreadable(), _span_end(text, at)


def _span_end(text: str, at: int) -> int:
    """Where the value at `at` ends, found without reading it."""
    if text[at] not in "[{":
        scalar = _SCALAR.match(text, at)
        return scalar.end() if scalar else at + 1
    depth = 0
    for match in _SPAN.finditer(text, at):
        depth += {"[": 1, "{": 1, "]": -1, "}": -1}.get(match.group(), 0)
        if depth == 0:
            return match.end()
    raise MalformedEnvelope("not JSON")


def _skip(text: str, at: int) -> int:
    match = _BLANKS.match(text, at)
    return match.end() if match else at


def _expect(text: str, at: int, char: str) -> int:
    at = _skip(text, at)
    if text[at : at + 1] != char:
        raise MalformedEnvelope(f"expected {char!r}")
    return at + 1


def flaw(value: Any, clean: bool = False) -> Problem | None:
    """What makes a JSON value impossible to keep as data: depth, odd characters, NaN. Walks without recursion.

    `clean`: it is known to have no odd characters.
    """
    stack = [(value, 0)]
    while stack:
        node, depth = stack.pop()
        if depth > MAX_DEPTH or isinstance(node, _Unreadable):
            return Problem("too_deep", "", "Dữ liệu lồng quá sâu hoặc có số quá lớn.")
        if isinstance(node, dict):
            stack += [(key, depth) for key in node if not clean] + [(inner, depth + 1) for inner in node.values()]
        elif isinstance(node, list):
            stack += [(inner, depth + 1) for inner in node]
        elif isinstance(node, str) and not clean and not storable(node):
            return Problem("bad_text", "", "Có ký tự không lưu được (U+0000 hoặc nửa ký tự).")
        elif isinstance(node, float) and not math.isfinite(node):
            return Problem("bad_number", "", "Có số không xác định (NaN hoặc vô cực).")
    return None
