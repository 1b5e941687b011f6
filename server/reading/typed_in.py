"""What was typed in from a printed list, as the audit log and the submissions tell."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import select

from server.store.base import table
from server.store.people import names_of
from server.store.rows import unpack
from server.store.tables import ReminderList, Submission, db

LATEST = 8
MOST = 100  # of one collaborator that are looked at
submissions = table(Submission)


@dataclass(frozen=True)
class Entry:
    """One result: the line, when the visit was made, the answers as of a child, who typed it and when (ms)."""

    sub: str
    line: int
    made: str
    told: Mapping[str, str]
    by: str
    at: int
    amends: str | None


def latest(issued: ReminderList, sub: str | None = None) -> list[Entry]:
    """What was typed last from a list, the newest first; or that one submission alone, if it was."""
    t = submissions.c
    query = select(t.id, t.raw, t.received_at).where(t.author == issued.collaborator, t.dialect == "paper")
    if sub is not None:
        query = query.where(t.id == sub)
    rows = db.session.execute(query.order_by(t.received_at.desc(), t.id).limit(MOST)).all()
    found = [(row, orjson.loads(unpack(row.raw))) for row in rows]
    mine = [(row, value) for row, value in found if value.get("list") == issued.number][:LATEST]
    names = names_of({value["typed_by"] for _, value in mine})
    return [_entry(row, value, names) for row, value in mine]


def _entry(row: Any, value: Mapping[str, Any], names: Mapping[str, str]) -> Entry:
    said = {name.removeprefix("home_"): str(answer) for name, answer in value["answers"].items()}
    by = names.get(value["typed_by"], value["typed_by"])
    about = row.id, int(value["line"]), said.get("visit_date", ""), said, by
    return Entry(*about, row.received_at, value.get("amends"))
