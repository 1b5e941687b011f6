"""What a supervisor may order, and why an order is refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sync.state.model import Act


@dataclass(frozen=True)
class Order:
    """One act of a supervisor. Like every submission it has an id that makes it safe to send twice.

    `entity` with `base` (the etag that he saw) for an act on an entity; `conflict` with `seen` (its members as he
    saw them) and either `choice` (a member) or `values` for a ruling; `target` for an act on a submission, with
    `patch` (JSON pointer into `/answers` -> value) if it is a repair, `halves` if a rejection also withdraws what
    stands in a protected half or a report, `question` if a comment is about one. `at` in ms.
    """

    id: str
    act: Act
    by: str
    at: int
    reason: str = ""
    entity: str | None = None
    base: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    conflict: str | None = None
    seen: tuple[str, ...] = ()
    choice: str | None = None
    target: str | None = None
    patch: Mapping[str, Any] = field(default_factory=dict)
    halves: bool = False
    question: str | None = None
    sha256: str = ""
    raw: bytes = b""


class Refused(Exception):
    """An order that cannot be carried out; nothing was stored. `code` is one of the shell's problem codes."""

    def __init__(self, code: str, detail: str | None = None, **extra: Any) -> None:
        super().__init__(code)
        self.code, self.detail, self.extra = code, detail, extra
