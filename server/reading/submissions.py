"""Submissions as a supervisor reads them: what was filled in, what it changed, why it is held, what followed."""

from collections.abc import Collection, Mapping
from typing import Any

import orjson

from server.auth.access import Access
from server.reading.logs import Log, read_log
from server.reading.media import named_files
from server.reading.waiting import oldest
from server.store.reads import Reads
from server.store.tables import Submission, SubmissionState, db
from server.world import Nest
from sync.ports import Review, StateRow, SubmissionRow
from sync.times import iso
from sync.visits.plan import VisitState

MOST = 200


def submission_list(areas: Collection[str], state: str | None, after: str | None, limit: int) -> dict[str, Any]:
    """Submissions of these areas, the oldest first, in pages; `after` is the last one of the page before."""
    states = [state] if state else [one.value for one in Review]
    rows = oldest(areas, states, limit + 1, after)
    lines = [_line(row.Submission, row.SubmissionState) for row in rows[:limit]]
    return {"submissions": lines, "more": len(rows) > limit}


def _line(row: Submission, state: SubmissionState) -> dict[str, Any]:
    problems = orjson.loads(row.facts).get("problems", []) if row.facts else []
    first = problems[0] if problems else {}
    return {
        "id": row.id,
        "state": state.state,
        "reason": state.reason,
        "cause": " ".join(part for part in (state.reason, first.get("code"), first.get("pointer")) if part),
        "form": row.form,
        "kind": row.kind,
        "author": row.author,
        "area": state.area,
        "elsewhere": state.elsewhere,
        "observed_at": iso(row.observed_at) if row.observed_at is not None else None,
        "received_at": iso(row.received_at),
    }


def own_states(ids: Collection[str], author: str) -> dict[str, dict[str, Any]]:
    """What became of these submissions of one author after their receipts, by id."""
    found = Reads(db.session.connection()).states(ids)
    return {sub: news(state) for sub, state in found.items() if state.author == author}


def news(state: StateRow) -> dict[str, Any]:
    """What an author is told of his submission after its receipt."""
    return {
        "id": state.sub,
        "state": state.state.value,
        "reason": state.reason,
        "comment": state.comment,
        "question": state.question,
        "notices": list(state.notices),
    }


def submission_page(nest: Nest, access: Access, ident: str) -> dict[str, Any] | None:
    """One submission, whole; None if it does not exist or lies outside of the reader's areas."""
    reads = Reads(db.session.connection())
    row, state = reads.submissions([ident]).get(ident), reads.states([ident]).get(ident)
    if row is None or state is None:
        return None
    logs = [
        log for entity in sorted(reads.touching([ident]).get(ident, ())) if (log := read_log(nest, reads, entity))
    ]
    readable = [log for log in logs if access.scope(log.row.area, log.row.scope)]
    if not any(access.supervises(area) for area in (state.area, *(log.row.area for log in readable))):
        return None  # its answers say also what only officers read
    return {
        **_told(row, state),
        "answers": _answers(row),
        "media": named_files(reads, ident),
        "entities": [change for log in readable if (change := _changes(log, ident))],
        "clock_suspect": any(log.ops[ident].op.suspect for log in logs if ident in log.ops),
        "entered_late": any(log.ops[ident].op.late for log in logs if ident in log.ops),
        "later": _later(reads, logs, ident),
        "danger": any(visit.state is VisitState.OPEN for visit in reads.visits([ident])),
    }


def _told(row: SubmissionRow, state: StateRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": state.state.value,
        "reason": state.reason,
        "outcome": row.outcome,
        "comment": state.comment,
        "question": state.question,
        "notices": list(state.notices),
        "elsewhere": state.elsewhere,
        "form": row.form,
        "version": row.form_version,
        "kind": row.kind,
        "author": row.author,
        "device": row.device,
        "area": state.area,
        "amends": row.facts.get("amends"),
        "observed_at": iso(row.observed_at) if row.observed_at is not None else None,
        "received_at": iso(row.received_at),
        "warnings": row.receipt.get("warnings", []),
        "checks": row.facts.get("checks", []),
        "problems": row.facts.get("problems", []),
    }


def _answers(row: SubmissionRow) -> Any:
    """What the phone sent, as it can be shown: the item's JSON, or the text of what is no JSON."""
    try:
        return orjson.loads(row.raw)
    except orjson.JSONDecodeError:
        return row.raw.decode("utf-8", "replace")


def _changes(log: Log, ident: str) -> dict[str, Any] | None:
    """What a submission wrote on one entity: before (its author's screen), after, and what shows now."""
    row = log.ops.get(ident)
    if row is None or not row.present:
        return None
    log.thing.settle()
    cells = {}
    for name, write in log.thing.writes(ident).items():
        state = log.state.cells.get(name)
        entries = state.entries if state is not None else log.state.past.get(name, ())
        gone = next((entry.gone for entry in entries if entry.op == ident), None)
        cells[name] = {
            "before": log.shown(ident, name),
            "after": write.value,
            "now": state.value if state is not None else {},
            "withdrawn": gone.value if gone is not None else None,
        }
    told: Mapping[str, Any] = {"type": log.row.type, "id": log.row.id, "label": log.row.label, "etag": log.etag}
    return {**told, "cells": cells}


def _later(reads: Reads, logs: list[Log], ident: str) -> list[str]:
    """Submissions that were filled in on top of this one: they may carry its values on."""
    waiting = {one.sub for one in reads.waiting([ident])}
    following = {sub for log in logs for sub, row in log.ops.items() if ident in (*row.op.after, row.op.amends)}
    return sorted((waiting | following) - {ident})
