"""One entity while a transaction works on it: its row, its log, its state."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from forms.entity_types import EntityType, Half, PropertyType
from sync.batch import ANY_ETAG, Claim
from sync.ports import EntityRow, Mark, OpRow
from sync.state.extract import Extraction
from sync.state.frame import Frame
from sync.state.model import Act, Op, State, Write

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
    frame: Frame | None = None  # how the ops that count stand to each other, as `state` was taken
    fresh: set[str] = field(default_factory=set)
    changed: set[str] = field(default_factory=set)
    bumped: bool = False
    moved: bool = False

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
        self.state = None

    def bump(self) -> None:
        """Take a revision without an op, so that a phone which counted a held item as applied is overtaken."""
        if self.row is not None:
            self.row = replace(self.row, rev=self.row.rev + 1)
            self.bumped = True

    def settle(self) -> State:
        """The present state; what was derived before is not derived again."""
        if self.state is None:
            if not any(entry.present for entry in self.log):
                self.state, self.frame = State(self.id, {}, {}), None
                return self.state
            present = [entry for entry in self.log if entry.present]
            ops = {entry.op.sub: entry.op for entry in present}
            derived = {entry.op.sub: (entry.key, entry.writes) for entry in present}
            extraction = Extraction(self.kind, ops, derived, self.reach)
            self.state, writes = extraction.state(), extraction.writes()
            self.frame = extraction.frame
            for entry in present:
                key, found = extraction.keys[entry.op.sub], writes[entry.op.sub]
                if (key, found) != (entry.key, entry.writes):
                    self._put(replace(entry, key=key, writes=found))
        return self.state

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
