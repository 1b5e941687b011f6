"""An entity's page: state, provenance, doubts and visits, put together from its log."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from server.store.store import SqlTransaction
from server.store.tables import db
from server.world import current_nest
from sync.model import CellState, Entry
from sync.ports import Ledger
from sync.times import iso
from sync.visits.plan import Visit, VisitState
from sync.visits.rules import Rules
from sync.workspace import Thing


@dataclass(frozen=True)
class EntityPage:
    """What there is to show of an entity, and where it lives, for access to be decided."""

    area: str
    scope: str | None
    body: Mapping[str, Any]


def entity_page(kind: str, ident: str) -> EntityPage | None:
    """The page of an entity of that type; None if there is none."""
    nest = current_nest()
    tx = SqlTransaction(db.session.connection(), {})
    ledger = tx.ledgers([ident]).get(ident)
    if ledger is None or ledger.row.type != kind:
        return None
    thing = Thing(ident, nest.catalogue.types[kind], ledger.row, list(ledger.ops))
    state, authors = thing.settle(), _authors(ledger)
    row = ledger.row
    body = {
        "type": kind,
        "id": ident,
        "revision": row.rev,
        "etag": f"{row.rev}-{row.etag}",
        "scope": row.scope,
        "data": state.data,
        "provenance": {name: _cell(cell.current, authors) for name, cell in state.cells.items()},
        "conflicts": [_conflict(cell, authors) for cell in state.cells.values() if cell.conflict],
        "visits": [visit_body(visit, nest.rules) for visit in tx.visits([ident]) if visit.state is VisitState.OPEN],
    }
    return EntityPage(row.area, row.scope, body)


def visit_body(visit: Visit, rules: Rules) -> dict[str, Any]:
    """A visit with the words of its rule."""
    rule = rules.find(visit.rule, visit.subject_type)
    texts = rule.texts if rule else {"name": {"vi": visit.rule}, "why": {}}
    return {
        "id": visit.id,
        "rule": visit.rule,
        "name": texts["name"],
        "why": texts["why"],
        "earliest": visit.earliest.isoformat(),
        "due": visit.due.isoformat(),
        "latest": visit.latest.isoformat(),
        "statutory": visit.statutory,
        "state": visit.state.value,
        "caused_by": visit.caused_by,
    }


def _authors(ledger: Ledger) -> dict[str, str]:
    return {entry.op.sub: entry.op.author for entry in ledger.ops}


def _cell(entry: Entry, authors: Mapping[str, str]) -> dict[str, Any]:
    return {
        "value": entry.value,
        "submission": entry.op,
        "author": authors[entry.op],
        "observed_at": iso(entry.t),
    }


def _conflict(cell: CellState, authors: Mapping[str, str]) -> dict[str, Any]:
    assert cell.conflict is not None
    values = [_cell(entry, authors) for entry in cell.live]
    return {"id": cell.conflict.id, "cell": cell.conflict.cell, "values": values}
