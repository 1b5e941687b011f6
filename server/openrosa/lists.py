"""Entity lists as ODK Collect has them on the phone: what its collaborator may read, from the stored pages.

A list is made from its rows, and a row from an entity's page; both are kept in memory, under what they were made
from: the newest numbers of the scopes, the entity's number in its scope. So an unchanged list costs the one question
for these numbers, and its digest changes only with its content. Source: Collect's reading of entity lists (every row
needs `name`, `label`, `__version`; a higher version wins over the phone's own).
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import Connection, and_, select

from forms.catalogue import Catalogue
from server.openrosa.columns import FIRST, columns_of, line_of, row_of
from server.openrosa.document import CSV, Document
from server.store.base import table
from server.store.reads import fetch
from server.store.tables import Entity, FeedEntry

entity, entry = table(Entity), table(FeedEntry)
MOST_BYTES = 24_000_000  # that lists, and that rows, may take in a process


@dataclass(frozen=True)
class Marks:
    """Where the scopes of a reader stand: what a list that was made before is good for.

    `epoch` is the server's history: after a restore the same numbers mean something else.
    """

    epoch: int
    heads: tuple[tuple[str, int], ...]

    @property
    def scopes(self) -> list[str]:
        return [scope for scope, _ in self.heads]


@dataclass(frozen=True)
class EntityList:
    """A list, and whom it names: id -> scope."""

    document: Document
    names: Mapping[str, str]


class Lists:
    """The lists of one process. What does not fit any more is made again when it is asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lock = threading.Lock()
        self._lists: OrderedDict[Any, EntityList] = OrderedDict()
        self._rows: dict[tuple[str, bool], dict[str, tuple[Any, bytes]]] = {}
        self._columns: dict[tuple[str, bool], tuple[str, ...]] = {}

    def entities(self, connection: Connection, kind: str, marks: Marks, officer: bool) -> EntityList:
        """The list of a type for who reads these scopes; officers have forms that show more."""
        key = (kind, officer, marks)
        with self._lock:
            known = self._lists.get(key)
            if known is not None:
                self._lists.move_to_end(key)
                return known
        made = self._made(connection, kind, marks, officer)
        with self._lock:
            self._lists[key] = made
            while sum(len(one.document.content) for one in self._lists.values()) > MOST_BYTES:
                self._lists.popitem(last=False)
        return made

    def columns(self, kind: str, officer: bool) -> tuple[str, ...]:
        """The properties in the list of a type."""
        if (kind, officer) not in self._columns:
            forms = [form for form in self._catalogue.offered() if officer or not form.officers]
            self._columns[kind, officer] = columns_of(self._catalogue.types[kind], forms)
        return self._columns[kind, officer]

    def _made(self, connection: Connection, kind: str, marks: Marks, officer: bool) -> EntityList:
        rows = self._rows.setdefault((kind, officer), {})
        found = _living(connection, kind, marks.scopes)
        stamps = {row.id: (marks.epoch, row.scope, row.seq) for row in found}
        fresh = [row.id for row in found if rows.get(row.id, (None,))[0] != stamps[row.id]]
        if len(rows) + len(fresh) > MOST_BYTES // 500:
            rows.clear()
            fresh = list(stamps)
        columns = self.columns(kind, officer)
        made = {ident: (stamps[ident], line) for ident, line in _lines(connection, fresh, columns).items()}
        rows.update(made)
        # A row that was written since the numbers were read is there in its newer form, and comes again next time.
        lines = [rows[row.id][1] for row in found if row.id in rows]
        content = line_of([*FIRST, *columns]).encode() + b"".join(lines)
        return EntityList(Document(content, CSV), {row.id: row.scope for row in found})


def _living(connection: Connection, kind: str, scopes: Sequence[str]) -> list[Any]:
    """The entities of a type in these scopes, as their names are sorted, each with its number there."""
    same = and_(entry.c.scope == entity.c.scope, entry.c.kind == "entity", entry.c.id == entity.c.id)
    query = select(entity.c.id, entity.c.scope, entry.c.seq).join(entry, same).order_by(entity.c.sort, entity.c.id)
    query = query.where(entity.c.type == kind, entity.c.dead.is_(False))
    return fetch(connection, scopes, lambda some: query.where(entity.c.scope.in_(some)))


def _lines(connection: Connection, ids: Collection[str], columns: Sequence[str]) -> dict[str, bytes]:
    """The rows of these entities, from their pages; one that has no page yet has none."""
    query = select(entity.c.id, entity.c.label, entity.c.rev, entity.c.page)
    found = fetch(connection, ids, lambda some: query.where(entity.c.id.in_(some)))
    pages = [(row, orjson.loads(row.page)) for row in found if row.page]
    return {
        row.id: row_of(row.id, row.label, page["revision"], page["data"], columns).encode() for row, page in pages
    }


def deleted(connection: Connection, ids: Collection[str], scopes: Collection[str]) -> dict[str, bool]:
    """Whether each of these entities is one that the phone must drop: dead, or no longer for its reader.

    One that is not here may still be on its way from that very phone: it stays.
    """
    query = select(entity.c.id, entity.c.dead, entity.c.scope)
    found = fetch(connection, ids, lambda some: query.where(entity.c.id.in_(some)))
    gone = {row.id: bool(row.dead) or row.scope not in scopes for row in found if row.scope is not None or row.dead}
    return {ident: gone.get(ident, False) for ident in ids}
