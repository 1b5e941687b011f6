"""An entity's page: state, provenance, doubts and visits, put together from its log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forms.entity_types import Check
from server.reading.logs import Log, read_log
from server.reminders.arranged import arrangements
from server.store.reads import Reads
from server.store.tables import db
from server.world import current_nest
from sync.state.model import CellState, CellValue, Conflict, Entry, Item
from sync.times import iso
from sync.visits.arrangements import BY_HAND, BY_HAND_NAME, NOTHING, in_force
from sync.visits.plan import Visit, VisitState
from sync.visits.rules import Rules


@dataclass(frozen=True)
class EntityPage:
    """What there is to show of an entity, and where it lives, for access to be decided."""

    area: str
    scope: str | None
    body: Mapping[str, Any]


def entity_page(kind: str, ident: str) -> EntityPage | None:
    """The page of an entity of that type; None if there is none."""
    nest = current_nest()
    reads = Reads(db.session.connection())
    log = read_log(nest, reads, ident)
    if log is None or log.row.type != kind:
        return None
    state, row = log.state, log.row
    visits = [visit for visit in reads.visits([ident]) if visit.state is VisitState.OPEN]
    held = arrangements(reads.connection, [visit.id for visit in visits])
    body = {
        "type": kind,
        "id": ident,
        "revision": row.rev,
        "etag": log.etag,
        "scope": row.scope,
        "deleted": state.life.dead,
        "data": state.data,
        "series": {n: [_item(log, item) for item in cell.items] for n, cell in state.cells.items() if cell.items},
        "broken": [{"id": check.id, "vi": check.vi, "en": check.en} for check in _broken(log)],
        "not_applicable": list(state.idle),
        "provenance": {name: _cell(cell.current, cell.value, log) for name, cell in state.cells.items()},
        "conflicts": [_conflict(cell, one, log) for cell in state.cells.values() for one in cell.conflicts]
        + ([_deletion(state.life.conflict)] if state.life.conflict else []),
        "visits": [
            visit_body(visit, nest.rules)
            for visit in visits
            if not in_force(visit, held.get(visit.id, NOTHING)).cancelled
        ],
    }
    return EntityPage(row.area, row.scope, body)


def entity_history(kind: str, ident: str) -> EntityPage | None:
    """Every write on every cell of an entity, with its fate."""
    log = read_log(current_nest(), Reads(db.session.connection()), ident)
    if log is None or log.row.type != kind:
        return None
    body = {"type": kind, "id": ident, "etag": log.etag, "cells": log.history()}
    return EntityPage(log.row.area, log.row.scope, body)


def visit_body(visit: Visit, rules: Rules) -> dict[str, Any]:
    """A visit with the words of its rule."""
    rule = rules.find(visit.rule, visit.subject_type)
    texts: Mapping[str, Mapping[str, str]] = rule.texts if rule else {"name": {"vi": visit.rule}, "why": {}}
    if visit.rule == BY_HAND:
        texts = {"name": BY_HAND_NAME, "why": {"vi": visit.reason, "en": visit.reason}}
    return {
        "id": visit.id,
        "subject_type": visit.subject_type,
        "subject": visit.subject,
        "household": visit.household,
        "scope": visit.scope,
        "rule": visit.rule,
        "name": texts["name"],
        "why": texts["why"],
        "earliest": visit.earliest.isoformat(),
        "due": visit.due.isoformat(),
        "latest": visit.latest.isoformat(),
        "show_on": visit.show_on.isoformat(),
        "statutory": visit.statutory,
        "priority": visit.priority,
        "assignee_role": visit.assignee_role,
        "attempts": visit.attempts,
        "state": visit.state.value,
        "caused_by": visit.caused_by,
    }


def _cell(entry: Entry, value: CellValue, log: Log) -> dict[str, Any]:
    return {
        "value": value,
        "submission": entry.op,
        "author": log.ops[entry.op].op.author,
        "observed_at": iso(entry.t),
    }


def _item(log: Log, item: Item) -> dict[str, Any]:
    author = log.ops[item.op].op.author
    return {"value": item.value, "submission": item.op, "author": author, "observed_at": iso(item.t)}


def _conflict(cell: CellState, conflict: Conflict, log: Log) -> dict[str, Any]:
    values = [_cell(entry, entry.value, log) for entry in cell.entries if entry.op in conflict.members]
    return {"id": conflict.id, "cell": conflict.cell, "values": values}


def _deletion(conflict: Conflict) -> dict[str, Any]:
    return {"id": conflict.id, "cell": conflict.cell, "values": []}


def _broken(log: Log) -> list[Check]:
    return [check for check in log.kind.checks if check.id in log.state.broken]
