"""The examples of a document: requests with the answers that it promises, sent to a real server.

A request is a block ```http (method and path, then the body), its answer the next block ```json (status, then the
body). `"<name>"` stands for a value: of a request it is filled in, of an answer remembered under that name. `"…"` is
anything, `["…"]` a list that is not empty.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import orjson

_BLOCKS = re.compile(r"```http\n(\S+) (\S+)\n(.*?)```\s*```json\n(\d{3}) (.*?)```", re.S)
ANYTHING = "…"


@dataclass(frozen=True)
class Example:
    """One request and what it is answered with."""

    method: str
    path: str
    body: Any
    status: int
    answer: Any


def examples(text: str) -> Iterator[Example]:
    """The examples of a document, in order."""
    for method, path, body, status, answer in _BLOCKS.findall(text):
        yield Example(method, path, orjson.loads(body), int(status), orjson.loads(answer))


@dataclass
class Values:
    """What the names in an example stand for."""

    known: dict[str, Any] = field(default_factory=dict)

    def fill(self, told: Any) -> Any:
        """The same with every name replaced by its value."""
        if isinstance(told, dict):
            return {name: self.fill(value) for name, value in told.items()}
        if isinstance(told, list):
            return [self.fill(value) for value in told]
        name = _name(told)
        return told if name is None else self.known[name]

    def differences(self, promised: Any, given: Any, at: str = "") -> Iterator[str]:
        """Where an answer is not as promised. Names that are not known yet are learnt from it."""
        name = _name(promised)
        if name is not None and name not in self.known:
            self.known[name] = given
        elif promised == ANYTHING:
            return
        elif promised == [ANYTHING]:
            if not (isinstance(given, list) and given):
                yield f"{at} is empty"
        elif isinstance(promised, dict) and isinstance(given, dict):
            for key in promised.keys() | given.keys():
                if key in promised and key in given:
                    yield from self.differences(promised[key], given[key], f"{at}/{key}")
                else:
                    yield f"{at}/{key} is {'not told' if key in given else 'missing'}"
        elif isinstance(promised, list) and isinstance(given, list) and len(promised) == len(given):
            for index, (one, other) in enumerate(zip(promised, given, strict=True)):
                yield from self.differences(one, other, f"{at}/{index}")
        elif isinstance(promised, dict | list) or self.fill(promised) != given:
            yield f"{at} is {given!r}"


def _name(told: Any) -> str | None:
    found = re.fullmatch(r"<(\w+)>", told) if isinstance(told, str) else None
    return found.group(1) if found else None
