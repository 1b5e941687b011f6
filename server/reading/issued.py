"""Issued lists as the demonstration page shows them: what can be done, and how much is left over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select

from server.reading.lists import list_body
from server.store.tables import ReminderList, db
from sync.visits.lists import ListKind

MOST_LISTS = 6


@dataclass(frozen=True)
class Line:
    """One line of an issued list, in the words it was printed with."""

    number: int
    what: str
    why: str
    name: str
    head: str
    address: str
    place: str
    due: date
    statutory: bool
    outcome: str | None


@dataclass(frozen=True)
class Issued:
    """An issued list, in its newest revision: what can be done, and how many lines are carried over."""

    number: str
    collaborator: str
    day: date
    weekly: bool
    lines: tuple[Line, ...]
    carried: int

    @property
    def answered(self) -> int:
        """How many of its lines have an outcome."""
        return sum(line.outcome is not None for line in self.lines)


def issued_lists(people: Mapping[str, str], now: int) -> list[Issued]:
    """The newest lists, with what became of them by `now` (ms)."""
    query = select(ReminderList).order_by(
        ReminderList.issued_at.desc(), ReminderList.number, ReminderList.revision.desc()
    )
    newest: dict[str, ReminderList] = {}
    for row in db.session.scalars(query.limit(4 * MOST_LISTS)):
        newest.setdefault(row.number, row)
    return [_issued(row, people, now) for row in list(newest.values())[:MOST_LISTS]]


def _issued(row: ReminderList, people: Mapping[str, str], now: int) -> Issued:
    lines = list_body(row, now)["lines"]
    doable = tuple(_line(one) for one in lines if not one["carried"])
    weekly = row.kind == ListKind.WEEKLY.value
    return Issued(row.number, person(row.collaborator, people), row.begins, weekly, doable, len(lines) - len(doable))


def _line(told: Mapping[str, Any]) -> Line:
    return Line(
        number=told["line"],
        what="; ".join(dict.fromkeys(task["what"] for task in told["tasks"])),
        why=told["why"],
        name=told["name"],
        head=told["head"],
        address=told["address"] or "",
        place=told["place"],
        due=date.fromisoformat(told["due"]),
        statutory=any(task["statutory"] for task in told["tasks"]),
        outcome=told["outcome"],
    )


def person(ident: str, people: Mapping[str, str]) -> str:
    """A user by name and id, as far as he is known."""
    return f"{people[ident]} ({ident})" if ident in people else ident
