"""What a conflict consists of, as its page shows it; `server/reading/conflict_case.py` puts it together."""

from collections.abc import Sequence
from dataclasses import dataclass

from forms.entity_types import Cell, PolicyName
from server.reading.values import Line
from sync.state.model import CellValue


@dataclass(frozen=True)
class Side:
    """One of the values between which somebody must decide, or one of the edits that a deletion had not seen.

    `seen`: (number, whose, whether) of each other value. `base` is what was on this author's screen, None where that
    is no matter or not known here (`blind`). `linked`: its submission may be opened. `shows`: it is in use meanwhile.
    """

    sub: str
    act: str
    author: str
    lines: Sequence[Line]
    value: CellValue
    base: Sequence[Line] | None
    observed_at: int
    received_at: int
    form: str
    version: str
    linked: bool
    late: bool = False
    suspect: bool = False
    blind: bool = False
    request: bool = False
    shows: bool = False
    deletes: bool = False
    seen: Sequence[tuple[int, str, bool]] = ()


@dataclass(frozen=True)
class Question:
    """One conflict: `key` names the entry of a series, `cell` is None of a deletion, `base` was on all screens."""

    id: str
    about: str
    cell: Cell | None
    key: str
    grave: bool
    move: bool
    opened_at: int
    members: Sequence[str]
    sides: Sequence[Side]
    base: Sequence[Line] | None
    current: CellValue

    @property
    def series(self) -> bool:
        return self.cell is not None and self.cell.policy is PolicyName.SERIES


@dataclass(frozen=True)
class Ruling:
    """How a conflict was closed. `reopens`: taking the decision back opens it again."""

    sub: str
    by: str
    at: int
    reason: str
    act: str
    lines: Sequence[Line]
    reopens: bool


@dataclass(frozen=True)
class Case:
    """One entity's conflicts: all that are open, or one that is closed. `readable`: its page may be opened.

    `subject` and `name` are those of its child where it is a protected half.
    """

    type: str
    entity: str
    subject: str
    name: str
    place: str
    area: str
    readable: bool
    questions: Sequence[Question]
    closed: Question | None = None
    ruling: Ruling | None = None

    def first(self, ident: str) -> "Case":
        """The same with the conflict that was asked for before the others."""
        ordered = sorted(self.questions, key=lambda one: one.id != ident)
        return Case(**{**vars(self), "questions": ordered})
