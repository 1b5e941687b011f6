"""The lists of the conflicts' page: what is open, by whom it is about; what was decided; what rules overruled.

Each reads a fixed number of statements, however much there is. Rows are shown in pages of `MOST`.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import case, distinct, func, or_, select

from forms.entity_types import EntityType, PolicyName
from server.reading.board import GRAVE
from server.reading.values import Line, lines_of
from server.reading.words import Words
from server.store.people import names_of
from server.store.rows import unpack
from server.store.tables import ConflictTable, Entity, NoticeTable, OpTable, Submission, db
from server.world import Nest
from sync.state.model import NoticeKind
from sync.times import DAY

MOST = 50
WEEK = 7 * DAY
ACTS, GRAVER = "$acts", "graver"
Told = tuple[str, str, str | None, str]


@dataclass(frozen=True)
class Dispute:
    """An open conflict: about which cell, in words (empty: the deletion of the record)."""

    id: str
    about: str
    grave: bool
    opened_at: int


@dataclass(frozen=True)
class Group:
    """Everything that is open about one household, child or report. Of a protected half `name` is the child's."""

    type: str
    entity: str
    name: str
    place: str
    opened_at: int
    disputes: Sequence[Dispute]


@dataclass(frozen=True)
class Decided:
    """A conflict that an officer has decided: how it was closed, by whom, when and why."""

    id: str
    type: str
    name: str
    about: str
    by: str
    at: int
    reason: str


@dataclass(frozen=True)
class Overruled:
    """What somebody wrote and a rule did not use: his values, and those that stand instead, by whom.

    `subject` has the page to open (of a protected half the child); `linked`: the submission has one, too.
    `written` and `instead` are empty where officers alone read them on the record's own page.
    """

    type: str
    subject: str
    name: str
    about: str
    kind: str
    sub: str
    linked: bool
    author: str
    received_at: int
    written: Sequence[Line]
    by: str
    instead: Sequence[Line]


@dataclass(frozen=True)
class Page:
    """A part of a list; `more`: there is another one after it."""

    rows: Sequence[Any]
    more: bool


def counts(nest: Nest, areas: Collection[str]) -> tuple[int, int]:
    """How many households, children and reports have open conflicts, and how many have a wish to move."""
    move = ConflictTable.cell.in_(placements(nest))
    query = select(
        func.count(distinct(case((~move, ConflictTable.entity)))),
        func.count(distinct(case((move, ConflictTable.entity)))),
    ).where(*_open_in(areas))
    waiting, moves = db.session.execute(query).one()
    return waiting, moves


def open_page(nest: Nest, words: Words, areas: Collection[str], moves: bool, page: int = 0) -> Page:
    """Open conflicts by entity, grave ones first, then the longest open; wishes to move, or all others."""
    which = (*_open_in(areas), _moves(nest, moves))
    first, grave = func.min(ConflictTable.opened_at), func.max(case((ConflictTable.cell.in_(GRAVE), 1), else_=0))
    ordered = select(ConflictTable.entity).where(*which).group_by(ConflictTable.entity)
    ordered = ordered.order_by(grave.desc(), first, ConflictTable.entity)
    ids = list(db.session.scalars(ordered.offset(page * MOST).limit(MOST + 1)))
    shown = ids[:MOST]
    rows = db.session.scalars(select(ConflictTable).where(ConflictTable.entity.in_(shown), *which)).all()
    entities = _entities(shown)
    by_entity: dict[str, list[ConflictTable]] = defaultdict(list)
    for row in rows:
        by_entity[row.entity].append(row)
    found = [_group(nest, words, entities, ident, by_entity[ident]) for ident in shown if by_entity[ident]]
    return Page(found, len(ids) > MOST)


def next_open(nest: Nest, areas: Collection[str], entity: str, moves: bool) -> str | None:
    """The conflict to look at next: of the same entity, if there is one, else the first of its list."""
    cell_is_grave = case((ConflictTable.cell.in_(GRAVE), 0), else_=1)
    query = select(ConflictTable.id).where(*_open_in(areas))
    order = ConflictTable.entity != entity, cell_is_grave, ConflictTable.opened_at, ConflictTable.id
    same = or_(ConflictTable.entity == entity, _moves(nest, moves))
    return db.session.scalars(query.where(same).order_by(*order).limit(1)).first()


def decided_page(nest: Nest, words: Words, areas: Collection[str], page: int = 0) -> Page:
    """What officers have decided, the latest first; without conflicts that only went on under another number."""
    query = select(ConflictTable, Submission.author, Submission.raw).join(
        Submission, Submission.id == ConflictTable.resolved_by
    )
    query = query.where(_in(areas), ConflictTable.open.is_(False), Submission.received_at == ConflictTable.closed_at)
    order = ConflictTable.closed_at.desc(), ConflictTable.id
    rows = db.session.execute(query.order_by(*order).offset(page * MOST).limit(MOST + 1)).all()
    entities, people = _entities({row.ConflictTable.entity for row in rows}), names_of({row.author for row in rows})
    found = []
    for row in rows[:MOST]:
        one = row.ConflictTable
        kind, name, *_ = entities[one.entity]
        told = about(nest.catalogue.types[kind], words, one.cell)
        by = people.get(row.author, row.author)
        found.append(Decided(one.id, kind, name, told, by, one.closed_at or 0, reason_of(row.raw)))
    return Page(found, len(rows) > MOST)


def overruled_page(nest: Nest, words: Words, areas: Collection[str], at: int, page: int = 0) -> Page:
    """What rules overruled of the submissions that these areas received in the last week, the latest first."""
    query = select(NoticeTable, Submission.received_at)
    query = query.join(Submission, Submission.id == NoticeTable.sub).join(Entity, Entity.id == NoticeTable.entity)
    query = query.where(Submission.area.in_(areas), Submission.received_at >= at - WEEK, Entity.area.in_(areas))
    order = Submission.received_at.desc(), NoticeTable.sub, NoticeTable.entity, NoticeTable.cell
    rows = db.session.execute(query.order_by(*order).offset(page * MOST).limit(MOST + 1)).all()
    told = _Notices(nest, words, rows[:MOST])
    return Page([told.line(row) for row in rows[:MOST]], len(rows) > MOST)


def placements(nest: Nest) -> set[str]:
    """The cells that say where somebody lives."""
    return {kind.placement.name for kind in nest.catalogue.types.values()}


def about(kind: EntityType, words: Words, cell: str) -> str:
    """What a cell is called, with the key of a series' entry in words; empty for the life of the record."""
    name, _, key = cell.partition("/")
    if name not in kind.cells:
        return ""
    first = kind.cells[name].members[0]
    label = words.label(first)
    if not key or first.key is None:
        return label
    if first.key in first.fields:
        field = first.fields[first.key]
        return f"{label}: {words.code(field.get('list') or '', key)}"
    return f"{label}: {key}"


def reason_of(raw: bytes) -> str:
    """Why an officer did what he did, in his words."""
    said = orjson.loads(unpack(raw))
    return str(said.get("reason") or said.get("comment") or "")


def _in(areas: Collection[str]) -> Any:
    return or_(ConflictTable.area.in_(areas), ConflictTable.also.in_(areas))


def _open_in(areas: Collection[str]) -> tuple[Any, ...]:
    return _in(areas), ConflictTable.open


def _moves(nest: Nest, moves: bool) -> Any:
    cells = placements(nest)
    return ConflictTable.cell.in_(cells) if moves else ConflictTable.cell.not_in(cells)


def _entities(ids: Collection[str]) -> dict[str, Told]:
    """(type, name, scope, id) of these entities; a protected half is called as its child, and has that one's id."""
    columns = Entity.id, Entity.type, Entity.label, Entity.scope, Entity.data
    rows = db.session.execute(select(*columns).where(Entity.id.in_(sorted(ids)))).all()
    children = {row.id: str(orjson.loads(row.data).get("child")) for row in rows if row.type == "child_protected"}
    named = db.session.execute(select(Entity.id, Entity.label).where(Entity.id.in_(sorted(children.values()))))
    names = {row.id: row.label for row in named}
    whose = {row.id: children.get(row.id, row.id) for row in rows}
    return {row.id: (row.type, names.get(whose[row.id], row.label), row.scope, whose[row.id]) for row in rows}


def _group(nest: Nest, words: Words, entities: Mapping[str, Told], ident: str, rows: Sequence[Any]) -> Group:
    kind, name, scope, _ = entities[ident]
    told = [
        Dispute(row.id, about(nest.catalogue.types[kind], words, row.cell), row.cell in GRAVE, row.opened_at)
        for row in sorted(rows, key=lambda row: (row.cell not in GRAVE, row.opened_at, row.id))
    ]
    place = words.place(scope) if scope else ""
    return Group(kind, ident, name, place, min(one.opened_at for one in told), told)


class _Notices:
    """The words of a page of notices, from what both submissions wrote."""

    def __init__(self, nest: Nest, words: Words, rows: Sequence[Any]) -> None:
        self.nest, self.words = nest, words
        notices = [row.NoticeTable for row in rows]
        self.entities = _entities({one.entity for one in notices})
        entities = sorted(self.entities)
        subs = sorted({sub for one in notices for sub in (one.sub, one.by_sub)})
        query = select(OpTable.entity, OpTable.sub, OpTable.author, OpTable.act, OpTable.writes)
        ops = db.session.execute(query.where(OpTable.entity.in_(entities), OpTable.sub.in_(subs))).all()
        self.writes = {(op.entity, op.sub): orjson.loads(op.writes) for op in ops}
        self.authors = {(op.entity, op.sub): op.author for op in ops}
        self.acts = {(op.entity, op.sub): op.act for op in ops}
        self.people = names_of(set(self.authors.values()))

    def line(self, row: Any) -> Overruled:
        one = row.NoticeTable
        kind, name, _, subject = self.entities[one.entity]
        author, other = (self.authors.get((one.entity, sub), "") for sub in (one.sub, one.by_sub))
        return Overruled(
            type=kind,
            subject=subject,
            name=name,
            about="" if one.cell == ACTS else about(self.nest.catalogue.types[kind], self.words, one.cell),
            kind=ACTS if one.cell == ACTS else self._rule(kind, one),
            sub=one.sub,
            linked=self.acts.get((one.entity, one.sub)) in ("visit", "delete"),
            author=self.people.get(author, author),
            received_at=row.received_at,
            written=self._lines(kind, one.entity, one.sub, one.cell),
            by=self.people.get(other, other),
            instead=self._lines(kind, one.entity, one.by_sub, one.cell),
        )

    def _rule(self, kind: str, one: NoticeTable) -> str:
        """The kind of notice; of a value that lost to a graver one, that."""
        cell = self.nest.catalogue.types[kind].cells.get(one.cell)
        graver = cell is not None and cell.policy is PolicyName.HIGHEST and one.kind == NoticeKind.OVERRULED
        return GRAVER if graver else one.kind

    def _lines(self, kind: str, entity: str, sub: str, cell: str) -> Sequence[Line]:
        write = self.writes.get((entity, sub), {}).get(cell)
        if write is None or kind == "child_protected":
            return ()
        return lines_of(self.nest, self.words, kind, cell, write["value"])
