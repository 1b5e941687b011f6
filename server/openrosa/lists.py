"""Entity lists as ODK Collect has them on the phone: what its collaborator may read, from the stored pages.

A list is made of the rows of its scopes, and a row of an entity's page. Both are kept in memory; of a scope only what
the feed has counted since is read again. So an unchanged list costs the one question for the newest numbers, a change
costs what changed, and the digest changes only with the content. Source: Collect's reading of entity lists (every row
needs `name`, `label`, `__version`; a higher version wins over the phone's own).
"""

import threading
from collections import OrderedDict
from collections.abc import Collection, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Generic, TypeVar

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
_T = TypeVar("_T")


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


@dataclass(frozen=True)
class _Rows:
    """The rows of a type in one scope up to a number of its feed: id -> (sort key, id, line). Never changed."""

    epoch: int
    seq: int
    rows: Mapping[str, tuple[bytes, str, bytes]] = field(default_factory=dict)

    @property
    def size(self) -> int:
        return sum(len(line) for _, _, line in self.rows.values())


class _Kept(Generic[_T]):
    """The last so many bytes of what was asked for."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: OrderedDict[Hashable, tuple[_T, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> _T | None:
        with self._lock:
            if key not in self._found:
                return None
            self._found.move_to_end(key)
            return self._found[key][0]

    def put(self, key: Hashable, made: _T, size: int) -> None:
        with self._lock:
            _, before = self._found.pop(key, (None, 0))
            self._found[key] = (made, size)
            self._bytes += size - before
            while self._bytes > MOST_BYTES:
                _, (_, gone) = self._found.popitem(last=False)
                self._bytes -= gone


class Lists:
    """The lists of one process. What does not fit any more is made again when it is asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._lists = _Kept[EntityList]()
        self._rows = _Kept[_Rows]()
        self._columns: dict[tuple[str, bool], tuple[str, ...]] = {}

    def entities(self, connection: Connection, kind: str, marks: Marks, officer: bool) -> EntityList:
        """The list of a type for who reads these scopes; officers have forms that show more."""
        key = (kind, officer, marks)
        known = self._lists.get(key)
        if known is None:
            known = self._made(connection, kind, marks, officer)
            self._lists.put(key, known, len(known.document.content))
        return known

    def columns(self, kind: str, officer: bool) -> tuple[str, ...]:
        """The properties in the list of a type."""
        if (kind, officer) not in self._columns:
            forms = [form for form in self._catalogue.offered() if officer or not form.officers]
            self._columns[kind, officer] = columns_of(self._catalogue.types[kind], forms)
        return self._columns[kind, officer]

    def _made(self, connection: Connection, kind: str, marks: Marks, officer: bool) -> EntityList:
        columns, heads = self.columns(kind, officer), dict(marks.heads)
        known = {scope: self._known(kind, officer, scope, marks.epoch) for scope in heads}
        behind = {scope: known[scope].seq for scope, head in heads.items() if known[scope].seq != head}
        for scope, rows in _caught_up(connection, kind, known, behind, columns).items():
            known[scope] = _Rows(marks.epoch, heads[scope], rows)
            self._rows.put((kind, officer, scope), known[scope], known[scope].size)
        # A row that was written since the numbers were read is there in its newer form, and comes again next time.
        told = sorted(chain.from_iterable(one.rows.values() for one in known.values()))
        content = line_of([*FIRST, *columns]).encode() + b"".join([line for _, _, line in told])
        return EntityList(Document(content, CSV), {ident: scope for scope in known for ident in known[scope].rows})

    def _known(self, kind: str, officer: bool, scope: str, epoch: int) -> _Rows:
        found = self._rows.get((kind, officer, scope))
        return found if found is not None and found.epoch == epoch else _Rows(epoch, 0)


def _caught_up(
    connection: Connection, kind: str, known: Mapping[str, _Rows], behind: Mapping[str, int], columns: Sequence[str]
) -> dict[str, dict[str, tuple[bytes, str, bytes]]]:
    """The rows of these scopes (with the number up to which they are known) as they are now."""
    changed = [one for scope, seq in behind.items() for one in _changed(connection, kind, scope, seq)]
    living = [one.id for one in changed if one.scope == one.told and not one.dead]
    lines = _lines(connection, living, columns)
    rows = {scope: dict(known[scope].rows) for scope in behind}
    for one in changed:
        rows[one.told].pop(one.id, None)
        if one.id in lines and one.scope == one.told:
            rows[one.told][one.id] = (one.sort, one.id, lines[one.id])
    # Kept in order: putting sorted parts together costs next to nothing.
    return {scope: dict(sorted(its.items(), key=lambda row: row[1])) for scope, its in rows.items()}


def _changed(connection: Connection, kind: str, scope: str, seq: int) -> Sequence[Any]:
    """What was counted in a scope after a number: the entities of a type that are, or were, there (`told`)."""
    same = and_(entry.c.scope == scope, entry.c.seq > seq, entry.c.kind == "entity", entry.c.id == entity.c.id)
    columns = (entity.c.id, entity.c.scope, entity.c.sort, entity.c.dead, entry.c.scope.label("told"))
    return connection.execute(select(*columns).join(entry, same).where(entity.c.type == kind)).all()


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
