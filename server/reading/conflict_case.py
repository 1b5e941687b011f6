"""All that is in doubt about one household, child or report, side by side, as deciding it needs.

What was on each author's screen, what he wrote, when, and how far he had seen the others. Of a conflict that is
closed: how it was decided.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from sqlalchemy import select

from forms.entity_types import Cell, PropertyType
from server.auth.access import Access
from server.reading.board import GRAVE
from server.reading.conflict_lists import about, reason_of
from server.reading.conflict_parts import Case, Question, Ruling, Side
from server.reading.logs import Log, read_log
from server.reading.values import Line, lines_of
from server.reading.words import Words
from server.store.people import names_of
from server.store.reads import Reads
from server.store.tables import ConflictTable, Entity, Submission, db
from server.world import Nest
from sync.ports import OpRow
from sync.state.model import DELETED, Act, CellValue, Entry

MADE_ON_A_PHONE = (Act.VISIT, Act.DELETE)  # what has a page of its own


def decides(access: Access, row: ConflictTable) -> bool:
    """Whether a conflict is this officer's to decide: of his areas, or about a move into one of them."""
    return access.supervises(row.area) or (row.also is not None and access.supervises(row.also))


def open_ids(access: Access, entity: str) -> list[str]:
    """The open conflicts of an entity that are this officer's."""
    return [row.id for row in _rows(access, entity) if row.open]


def case_of(nest: Nest, words: Words, access: Access, row: ConflictTable) -> Case:
    """Everything open about the entity of a conflict, or how that conflict was closed."""
    log = read_log(nest, Reads(db.session.connection()), row.entity)
    assert log is not None
    return _Reading(nest, words, access, log, _rows(access, row.entity)).case(row)


def _rows(access: Access, entity: str) -> list[ConflictTable]:
    query = select(ConflictTable).where(ConflictTable.entity == entity).order_by(ConflictTable.opened_at)
    return [row for row in db.session.scalars(query) if decides(access, row)]


@dataclass
class _Reading:
    nest: Nest
    words: Words
    access: Access
    log: Log
    rows: Sequence[ConflictTable]
    people: Mapping[str, str] = field(default_factory=dict)
    papers: Mapping[str, Any] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def case(self, asked: ConflictTable) -> Case:
        log, row = self.log, self.log.row
        shown = [one for one in self.rows if one.open] if asked.open else [asked]
        members = {one.id: tuple(orjson.loads(one.members)) for one in shown}
        self._learn({sub for subs in members.values() for sub in subs}, asked.resolved_by)
        questions = [self._question(one, members[one.id]) for one in shown]
        subject = str(log.state.data.get("child")) if log.kind.follows else row.id
        return Case(
            type=row.type,
            entity=row.id,
            subject=subject,
            name=self.names.get(subject, row.label),
            place=self.words.place(row.scope) if row.scope else "",
            area=row.area,
            readable=self.access.scope(row.area, row.scope),
            questions=questions if asked.open else [],
            closed=None if asked.open else questions[0],
            ruling=None if asked.open else self._ruling(asked),
        )

    def _learn(self, subs: Collection[str], ruling: str | None) -> None:
        """Authors, forms and the names of the households that are spoken of, each in one statement."""
        named = {*subs, *self.log.ops} if any(one.cell == DELETED for one in self.rows) else {*subs}
        named |= {ruling} if ruling else set()
        self.people = names_of({self.log.ops[sub].op.author for sub in named if sub in self.log.ops})
        columns = Submission.id, Submission.form, Submission.form_version
        found = db.session.execute(select(*columns).where(Submission.id.in_(sorted(named))))
        self.papers = {row.id: row for row in found}
        refs = [p.name for p in self.log.kind.properties.values() if p.type is PropertyType.REF]
        entries = (entry for cell in self.log.state.cells.values() for entry in cell.entries)
        ids = {str(entry.value[name]) for entry in entries for name in refs if entry.value.get(name)}
        known = select(Entity.id, Entity.label, Entity.area, Entity.scope).where(Entity.id.in_(sorted(ids)))
        rows = db.session.execute(known).all()
        self.names = {row.id: row.label for row in rows if self.access.scope(row.area, row.scope)}

    def _question(self, row: ConflictTable, members: Sequence[str]) -> Question:
        name, _, key = row.cell.partition("/")
        kind = self.log.kind
        cell = kind.cells.get(name)
        sides = self._sides(cell, key, members) if cell is not None else self._lives(members)
        bases = [side.base for side in sides]
        same = bool(bases) and bases[0] is not None and all(base == bases[0] for base in bases)
        state = self.log.state.cells.get(name)
        return Question(
            id=row.id,
            about=about(kind, self.words, row.cell),
            cell=cell,
            key=key,
            grave=row.cell in GRAVE,
            move=name == kind.placement.name,
            opened_at=row.opened_at,
            members=members,
            sides=sides,
            base=bases[0] if same else None,
            current=state.value if state is not None else {},
        )

    def _sides(self, cell: Cell, key: str, members: Sequence[str]) -> list[Side]:
        state = self.log.state.cells.get(cell.name)
        entries = state.entries if state is not None else self.log.state.past.get(cell.name, ())
        known = sorted((one for one in entries if one.op in members), key=lambda one: (one.t, one.op))
        return [self._side(cell, key, one, known) for one in known]

    def _side(self, cell: Cell, key: str, entry: Entry, others: Sequence[Entry]) -> Side:
        state, row = self.log.state.cells.get(cell.name), self.log.ops[entry.op]
        value = _keyed(cell, key, entry)
        told = self._told(row)
        return Side(
            **told,
            lines=self._lines(cell, value, key),
            value=value,
            base=self._base(cell, key, row),
            late=entry.late,
            suspect=row.op.suspect,
            blind=not row.op.base_ok,
            request=entry.request,
            shows=not key and state is not None and state.current.op == entry.op,
            seen=[
                (number, self._author(one.op), one.op in entry.knew)
                for number, one in enumerate(others, 1)
                if one.op != entry.op
            ],
        )

    def _told(self, row: OpRow) -> dict[str, Any]:
        paper = self.papers.get(row.op.sub)
        form = self.nest.catalogue.find(paper.form, paper.form_version) if paper is not None else None
        current = self.nest.catalogue.current_of(paper.form) if paper is not None and form is None else None
        known = form.form if form is not None else current
        return {
            "sub": row.op.sub,
            "act": row.op.act.value,
            "author": self._author(row.op.sub),
            "observed_at": row.op.t,
            "received_at": row.received,
            "form": known.title if known is not None else "",
            "version": paper.form_version if paper is not None else "",
            "linked": row.op.act in MADE_ON_A_PHONE and self.access.scope(self.log.row.area, self.log.row.scope),
        }

    def _author(self, sub: str) -> str:
        author = self.log.ops[sub].op.author
        return self.people.get(author, author)

    def _lines(self, cell: Cell, value: CellValue, key: str = "") -> Sequence[Line]:
        return lines_of(self.nest, self.words, self.log.row.type, cell.name, value, self.names, key)

    def _base(self, cell: Cell, key: str, row: OpRow) -> Sequence[Line] | None:
        """What stood there before; None where nobody can say, and of a series, whose entries replace nothing."""
        if key or not row.op.base_ok:
            return None
        shown = self.log.shown(row.op.sub, cell.name)
        return self._lines(cell, shown) if shown else ()

    def _lives(self, members: Sequence[str]) -> list[Side]:
        """Who asked for the deletion, then what was written that he had not seen."""
        deaths = [self.log.ops[sub] for sub in members if _deletes(self.log.ops[sub])]
        unseen = {sub for death in deaths for sub in self._unseen(death)} | set(members)
        edits = [self.log.ops[sub] for sub in unseen - {one.op.sub for one in deaths}]
        asked = [
            Side(**self._told(one), lines=(), value={}, base=None, late=one.op.late, suspect=one.op.suspect,
                 deletes=True, request=not one.op.rules,)
            for one in _ordered(deaths)
        ]  # fmt: skip
        written = [
            Side(**self._told(one), lines=self._written(one.op.sub), value={}, base=None, late=one.op.late,
                 suspect=one.op.suspect)
            for one in _ordered(edits)
        ]  # fmt: skip
        return asked + written

    def _unseen(self, death: OpRow) -> list[str]:
        log, known = self.log, _known(death)
        return [
            sub
            for sub, row in log.ops.items()
            if row.present and sub not in known and sub != death.op.sub and log.thing.writes(sub)
        ]

    def _written(self, sub: str) -> Sequence[Line]:
        found: list[Line] = []
        for name, write in self.log.thing.writes(sub).items():
            cell = self.log.kind.cells[name]
            for line in self._lines(cell, write.value):
                found.append(Line(line.label or self.words.label(cell.members[0]), line.text))
        return found

    def _ruling(self, row: ConflictTable) -> Ruling | None:
        """The decision that closed a conflict; None if its values were withdrawn, or went on in another conflict."""
        sub = row.resolved_by
        made = self.log.ops.get(sub) if sub is not None else None
        if sub is None or made is None or made.received != row.closed_at:
            return None
        name, _, key = row.cell.partition("/")
        cell = self.log.kind.cells.get(name)
        state = self.log.state.cells.get(name)
        entry = next((one for one in state.entries if one.op == sub), None) if state is not None else None
        lines: Sequence[Line] = ()
        if cell is not None and entry is not None:
            lines = self._lines(cell, _keyed(cell, key, entry), key)
        return Ruling(
            sub=sub,
            by=self._author(sub),
            at=made.received,
            reason=reason_of(db.session.scalars(select(Submission.raw).where(Submission.id == sub)).one()),
            act="delete" if _deletes(made) else made.op.act.value,
            lines=lines,
            reopens=made.op.act is Act.RESOLVE and self.access.supervises(self.log.row.area),
        )


def _keyed(cell: Cell, key: str, entry: Entry) -> CellValue:
    """What an entry says; of a keyed series only that of the key."""
    if not key:
        return entry.value
    first = cell.members[0]
    item: CellValue = next((one for one in entry.write.items if str(one.get(first.key or "")) == key), {})
    return {first.name: [dict(item)]} if first.type is PropertyType.ROWS else item


def _deletes(row: OpRow) -> bool:
    return row.op.act is Act.DELETE or (row.op.rules and row.op.said.get(DELETED) is True)


def _known(row: OpRow) -> frozenset[str]:
    return row.op.snapshot | frozenset(row.op.after)


def _ordered(rows: Iterable[OpRow]) -> list[OpRow]:
    return sorted(rows, key=lambda row: (row.op.t, row.op.sub))
