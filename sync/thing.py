"""One entity while a transaction works on it: its row, its log, its state."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from forms.entity_types import EntityType, Half, PropertyType
from sync.batch import ANY_ETAG, Claim
from sync.bodies import doubts_of
from sync.ports import EntityRow, Mark, OpRow
from sync.state.extract import Extraction
from sync.state.frame import Frame
from sync.state.model import Act, CellState, Op, State, Write

HALF = "_protected"


@dataclass(frozen=True)
class Base:
    """What a claim's base stands for in our log. `ok` is False where its history is not ours."""

    ok: bool
    snapshot: frozenset[str]
    not_before: int | None
    rev: int | None = None


@dataclass
class Thing:
    """One entity while a transaction works on it. `row` is None while nothing that is said of it counts."""

    id: str
    kind: EntityType
    row: EntityRow | None
    log: list[OpRow]
    reach: Callable[[Op, str], bool] | None = None  # None: not judged in this transaction
    state: State | None = None
    entered: bool = False  # whether an op counts now that did not, or no longer
    fresh: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    bumped: bool = False
    moved: bool = False
    _extraction: Extraction | None = None
    _doubts: frozenset[str] | None = None

    @property
    def known(self) -> EntityRow:
        """Its row, where something that is said of it counts."""
        assert self.row is not None
        return self.row

    @property
    def rev(self) -> int:
        return self.row.rev if self.row else 0

    @property
    def touched(self) -> bool:
        return bool(self.fresh or self.changed) or self.bumped or self.moved

    @property
    def follows(self) -> bool:
        """Whether it is the protected half of another entity, and lives where that lives."""
        return self.kind.follows

    @property
    def hidden(self) -> bool:
        """Whether officers alone read it: a half, or a report. Its author has seen nothing of it."""
        return self.kind.half is Half.PROTECTED

    def find(self, sub: str) -> OpRow | None:
        """What a submission says of this entity."""
        return next((entry for entry in self.log if entry.op.sub == sub), None)

    def base(self, claim: Claim | None, received: int) -> Base:
        """Resolve `<rev>-<etag>` against the log as it was at first receipt: the ops that it names, if it is ours.

        A bare revision (`ANY_ETAG`) cannot be told from another history's.
        """
        if claim is not None and claim.base_rev == 0:
            return Base(True, frozenset(), None, 0)
        stated = claim.base_rev if claim is not None else None
        marks = sorted((m for e in self.log for m in e.marks if m.at <= received), key=lambda mark: mark.rev)
        named = [mark for mark in marks if stated is not None and mark.rev <= stated]
        unknown = claim is None or not named or claim.base_etag not in (named[-1].etag, ANY_ETAG)
        if unknown or stated is None or (stated > self.rev and stated > marks[-1].rev):
            return Base(False, frozenset(), None, stated)
        snapshot = frozenset(entry.op.sub for entry in self.log if _counted(entry, stated, received))
        return Base(True, snapshot, named[-1].at, stated)

    def add(self, entry: OpRow) -> None:
        """Take note of an op that does not count yet."""
        self.log.append(entry)
        self.log.sort(key=lambda one: (one.op.arrived, one.op.sub))
        self.fresh.add(entry.op.sub)

    def enter(self, sub: str, present: bool, area: str, at: int) -> None:
        """Let an op count from now on, or no longer: either takes a revision."""
        entry = self.find(sub)
        assert entry is not None and entry.present is not present
        op = entry.op
        blank = EntityRow(self.id, self.kind.name, area, None, 0, "", None, "", None, op.t, op.sub)
        row = self.row or blank
        text = f"{row.etag or self.id} {sub}" if present else f"{row.etag} -{sub}"
        mark = Mark(row.rev + 1, hashlib.sha256(text.encode()).hexdigest()[:10], at)
        self.row = replace(row, rev=mark.rev, etag=mark.etag)
        self._put(replace(entry, marks=(*entry.marks, mark), writes={}, key=""))
        self.state, self._extraction, self.entered = None, None, True

    def judged(self, reach: Callable[[Op, str], bool]) -> None:
        """Take note of who may move it between which households, and grant or take back what hangs on that."""
        self.reach = reach
        if not self._keyed:
            self.state, self._extraction = None, None
            before = {entry.op.sub: entry.writes for entry in self.log if entry.present and entry.writes}
            self.settle()
            if any(self.writes(sub) != written for sub, written in before.items()):
                self.bump()  # another state without another op

    def bump(self) -> None:
        """Take a revision without an op, so that a phone which counted a held item as applied is overtaken."""
        if self.row is not None:
            self.row = replace(self.row, rev=self.row.rev + 1)
            self.bumped = True

    def settle(self) -> State:
        """The present state; what was derived before is not derived again."""
        if self.state is None:
            extraction = self._extracted()
            if extraction is None:
                self.state = State(self.id, {}, {})
                return self.state
            self.state, writes = extraction.state(), extraction.writes()
            for entry in [entry for entry in self.log if entry.present]:
                key, found = extraction.keys[entry.op.sub], writes[entry.op.sub]
                if (key, found) != (entry.key, entry.writes):
                    self._put(replace(entry, key=key, writes=found))
        return self.state

    @property
    def data(self) -> Mapping[str, Any]:
        """What shows of it: as stored, while everything that it follows from is as it was."""
        return self.known.data if self._as_stored else self.settle().data

    def doubted(self, name: str) -> bool:
        """Whether a conflict is open in a cell: as its page tells, under the same condition."""
        if not self._as_stored:
            cell = self.settle().cells.get(name)
            return cell is not None and bool(cell.conflicts)
        if self._doubts is None:
            self._doubts = doubts_of(self.known.page)
        return name in self._doubts

    def cell(self, name: str) -> CellState | None:
        """The present state of one cell, without that of the others; None if nothing stands there."""
        if self.state is not None:
            return self.state.cells.get(name)
        extraction = self._extracted()
        return extraction.cell(name) if extraction is not None else None

    def cells(self, names: Iterable[str]) -> dict[str, CellState]:
        """Those of these cells in which something stands."""
        return {name: cell for name in names if (cell := self.cell(name)) is not None}

    @property
    def frame(self) -> Frame | None:
        """How the ops that count stand to each other; None if there are none."""
        extraction = self._extracted()
        return extraction.frame if extraction is not None else None

    def writes(self, sub: str) -> Mapping[str, Write]:
        """What one op wrote."""
        self.settle()
        entry = self.find(sub)
        return entry.writes if entry is not None else {}

    def speaks(self, sub: str) -> bool:
        """Whether a submission counts here, and its words were not rejected."""
        entry = self.find(sub)
        verdict = self.settle().verdicts.get(sub)
        return entry is not None and entry.present and (verdict is None or verdict.act is not Act.REJECT)

    @property
    def named(self) -> frozenset[str]:
        """What any op says that it belongs to: the households of a child, the child of a half."""
        found = (owner_of(self.kind, entry) for entry in self.log)
        return frozenset(owner for owner in found if owner is not None)

    @property
    def about(self) -> frozenset[str]:
        """What any op speaks of besides: the child of a report."""
        names = [p.name for p in self.kind.properties.values() if p.type is PropertyType.REF and not p.placement]
        said = (entry.op.said.get(name) for entry in self.log for name in names)
        return frozenset(other for other in said if isinstance(other, str))

    @property
    def _as_stored(self) -> bool:
        """Whether what is stored of its state is so now: what may change it was settled at once, or entered."""
        return self.row is not None and self.state is None and not self.entered

    @property
    def _keyed(self) -> bool:
        """Whether all that was derived follows from this entity alone."""
        return all(entry.key for entry in self.log if entry.present)

    def _extracted(self) -> Extraction | None:
        if self._extraction is None:
            present = [entry for entry in self.log if entry.present]
            if not present:
                return None
            ops = {entry.op.sub: entry.op for entry in present}
            derived = {entry.op.sub: (entry.key, entry.writes) for entry in present}
            self._extraction = Extraction(self.kind, ops, derived, self.reach)
        return self._extraction

    def _put(self, entry: OpRow) -> None:
        index = next(i for i, one in enumerate(self.log) if one.op.sub == entry.op.sub)
        self.log[index] = entry
        self.changed.add(entry.op.sub)


def owner_of(kind: EntityType, entry: OpRow) -> str | None:
    """What an op says that the entity belongs to; None if it says nothing, or a ward."""
    owner = None if kind.has_ward else entry.op.said.get(kind.placement.members[0].name)
    return owner if isinstance(owner, str) else None


def _counted(entry: OpRow, rev: int, received: int) -> bool:
    """Whether an op counted at a revision that there was already at the instant `received`."""
    before = [mark for mark in entry.marks if mark.rev <= rev]
    return entry.present_at(rev) and before[-1].at <= received
