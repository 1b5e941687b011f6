"""The result of a visit, typed in from a printed list: a form like any other, in the name of whoever went.

It is a `follow_up_visit` that was on paper first (`entered_late`), and it comes in through the one use case that
takes all submissions. Who typed it, from which line of which list, stands in its bytes and in the audit log.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import orjson
from sqlalchemy import select

from server.audit import append
from server.auth.writing import write
from server.problems import Problem
from server.receiving import receive
from server.store.base import table
from server.store.tables import Entity, ReminderList, db
from server.world import Nest
from sync.arrival import Arrival, Sender
from sync.batch import Reason
from sync.envelope import RawItem
from sync.ports import AuditRow
from sync.times import end_of_day, iso, local_date

FORM = "follow_up_visit"
DIALECT = "paper"
QUESTIONS = ("next_step", "next_on", "note")
entity = table(Entity)


@dataclass(frozen=True)
class Slip:
    """What stands on a line of the paper. `told` maps question -> answer, as of a child; blanks are left out.

    `id` is fixed when the page is made: sent twice it is one submission. `amends` is the one that it corrects.
    """

    id: str
    line: int
    made: date
    told: Mapping[str, str]
    amends: str | None = None


@dataclass(frozen=True)
class Saved:
    """What became of it: the submission, its outcome, why it is held if it is, and whether it was here already."""

    sub: str
    outcome: str
    reason: str | None
    repeat: bool


class Lacking(Exception):
    """Answers that the form asks for, or that it cannot take: (question, why) each."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        super().__init__()
        self.problems = problems


def typed(nest: Nest, issued: ReminderList, about: Mapping[str, Any], slip: Slip, by: str, at: int) -> Saved:
    """Take in the result of one line (`about`, as `list_body` has it), typed by a user. Raises `Lacking`."""
    if slip.made > local_date(at):
        raise Lacking([("visit_date", "")])
    arrival = _arrival(nest, issued, about, slip, by, at)
    if arrival.held is Reason.BAD_VALUE:
        raise Lacking([(_question(one.pointer), one.detail) for one in arrival.problems])
    (receipt,) = receive(nest, [arrival])
    saved = Saved(slip.id, receipt["outcome"], receipt.get("reason"), receipt["repeat"])
    if saved.reason == Reason.ID_REUSE.value:
        raise Problem("id_reuse")
    if not saved.repeat:
        _note(issued, slip, by, at)
    return saved


def _arrival(nest: Nest, issued: ReminderList, about: Mapping[str, Any], slip: Slip, by: str, at: int) -> Arrival:
    """The form as it comes in. What was typed makes it the same, whenever it is sent and on whatever state."""
    version = next(form.version for form in nest.catalogue.current() if form.id == FORM)
    answers = _answers(about, slip)
    said: dict[str, Any] = {"id": slip.id, "author": issued.collaborator, "answers": answers, "amends": slip.amends}
    said |= {"list": issued.number, "line": slip.line}
    moment = at if slip.made == local_date(at) else end_of_day(slip.made) - 1
    value = said | {"form": FORM, "version": version, "kind": "visit", "observed_at": iso(moment)}
    value |= {"entered_late": True, "typed_by": by, "revision": issued.revision}
    value["entities"] = _claims(about["subject"])
    sender = Sender(by, None, frozenset({by, issued.collaborator}), 0)
    raw = RawItem(orjson.dumps(value), value, None, same=orjson.dumps(said, option=orjson.OPT_SORT_KEYS))
    return replace(nest.reader.read(raw, sender, None, at), dialect=DIALECT)


def _answers(about: Mapping[str, Any], slip: Slip) -> dict[str, Any]:
    child = about["subject_type"] == "child"
    said: dict[str, Any] = {"visit_date": slip.made.isoformat(), "visit_result": slip.told.get("visit_result")}
    said |= {"visit_id": about["visit"], "about": "child" if child else "household"}
    said["child" if child else "household"] = about["subject"]
    said |= {(name if child else f"home_{name}"): slip.told.get(name) for name in QUESTIONS}
    said |= {"risk_now": slip.told.get("risk_now") if child else None}
    return {name: value for name, value in said.items() if value}


def _claims(ident: str) -> list[dict[str, Any]]:
    """On which state it is entered. What was observed after the day of the visit stands, as of all late papers."""
    query = select(entity.c.type, entity.c.rev, entity.c.etag).where(entity.c.id == ident)
    row = db.session.connection().execute(query).first()
    return [{"type": row.type, "id": ident, "base": f"{row.rev}-{row.etag}"}] if row is not None else []


def _question(pointer: str) -> str:
    """The question that a problem is about, as the paper calls it."""
    return pointer.rpartition("/")[2].removeprefix("home_")


def _note(issued: ReminderList, slip: Slip, by: str, at: int) -> None:
    detail = {"line": slip.line, "revision": issued.revision, "amends": slip.amends}
    noted = AuditRow(issued.area, at, by, "list_result", issued.number, sub=slip.id, detail=detail)
    write(lambda tx: append(tx.connection, [noted], tx.areas), [issued.area])
