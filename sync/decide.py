"""What becomes of one arrival: which entities take it in, or why it is held."""

from collections.abc import Sequence
from typing import Any

from forms.schema import Problem
from sync.arrival import Arrival
from sync.authority import Author
from sync.batch import Outcome, Reason
from sync.danger import Alarm, signs_of
from sync.entering import enter
from sync.facts import Facts, at_home
from sync.media import media_of
from sync.ports import Changes, Review, StateRow, SubmissionRow
from sync.receipts import receipt_of, submission_row
from sync.standing import Verdicts, await_others, rejudge
from sync.state.model import Act
from sync.states import note
from sync.thing import Thing
from sync.workspace import Workspace, place_of

_STATES = {Outcome.QUARANTINED: Review.QUARANTINED, Outcome.STORED: Review.STORED}
_TEXTS = {
    Reason.OUT_OF_AREA: "Bạn không được giao ấp/khu vực này; phiếu được giữ lại cho cán bộ xem.",
    Reason.NOT_ALLOWED: "Chỉ cán bộ phụ trách được lập phiếu này; phiếu được giữ lại cho cán bộ xem.",
    Reason.ID_REUSE: "Mã phiếu này đã dùng cho một phiếu khác; cả hai đều được giữ.",
}


def misnamed(arrival: Arrival, space: Workspace) -> list[Problem]:
    """What the arrival takes for an entity of another type than it is."""
    named = [(told.type, told.id, told.pointer) for told in arrival.told]
    if arrival.act is Act.DELETE:
        named += [(claim.type, claim.id, "/entities") for claim in arrival.claims.values()]
    found = [(space.find(ident), kind, pointer) for kind, ident, pointer in named]
    strange = [pointer for thing, kind, pointer in found if thing is not None and thing.kind.name != kind]
    text = "Mã này đã thuộc về một hộ hoặc trẻ khác loại."
    return [Problem("entity_type", pointer, text) for pointer in strange]


class Decision:
    """Decides one arrival against the workspace; `take` puts everything that follows into the changes."""

    def __init__(self, arrival: Arrival, facts: Facts, space: Workspace, author: Author, reused: bool) -> None:
        self.arrival, self.facts, self.space, self.author = at_home(arrival, facts), facts, space, author
        self.ident = f"{arrival.id}~{arrival.sha256[:8]}" if reused else arrival.id
        self.reused = reused

    def take(self, changes: Changes) -> SubmissionRow:
        """Apply the arrival, or hold it; either way its row, its state and its receipt are among the changes."""
        if self.arrival.fault:
            return self._keep(changes)
        reason, problems = self._barred()
        if reason is not None:
            return self._hold(changes, reason, problems)
        things = enter(self.arrival, self.facts, self.space, self.ident)
        verdicts = rejudge(self.space, [thing.id for thing in things], self.facts.received)
        note(self.space, changes, verdicts, but=self.ident)
        if self.ident in verdicts.judgement.present or not things:
            return self._apply(changes, things, verdicts)
        text = _TEXTS[Reason.OUT_OF_AREA]
        places = dict.fromkeys(told.pointer for told in self.arrival.told) or ["/entities"]
        return self._hold(changes, Reason.OUT_OF_AREA, [Problem(Reason.OUT_OF_AREA, p, text) for p in places])

    def _barred(self) -> tuple[Reason | None, Sequence[Problem]]:
        """Why the arrival cannot count, whoever its author is."""
        if self.reused:
            return Reason.ID_REUSE, [Problem(Reason.ID_REUSE, "/id", _TEXTS[Reason.ID_REUSE])]
        if self.arrival.held is not None:
            return self.arrival.held, self.arrival.problems
        if over := self._overreaching():
            return Reason.NOT_ALLOWED, over
        strange = misnamed(self.arrival, self.space)
        return (Reason.BAD_VALUE, strange) if strange else (None, ())

    def _overreaching(self) -> list[Problem]:
        """What a supervisor alone may state, from somebody who was none when it came."""
        if self.facts.supervises:
            return []
        types, text = self.space.types, _TEXTS[Reason.NOT_ALLOWED]
        told = [one for one in self.arrival.told if any(types[one.type].properties[n].officer for n in one.said)]
        return [Problem("officers_only", one.pointer, text) for one in told]

    def _apply(self, changes: Changes, things: list[Thing], verdicts: Verdicts) -> SubmissionRow:
        entities = [self._heard(thing) for thing in things]
        told = [entity for entity in entities if entity is not None]
        outcome = Outcome.APPLIED
        if any(entity.get("overruled") for entity in told):
            outcome = Outcome.MERGED
        if any(entity.get("conflicts") for entity in told):
            outcome = Outcome.CONFLICT
        warnings = list(self.arrival.warnings)
        for thing in (thing for thing in things if not thing.hidden):
            entry = thing.find(self.ident)
            assert entry is not None
            warnings += ["clock_suspect"] * entry.op.suspect + ["unknown_base"] * (not entry.op.base_ok)
        placeless = self.ident in verdicts.judgement.provisional
        warnings += ["no_place_yet"] * placeless
        area = next((found for thing in things if (found := place_of(self.space, thing)[0])), self.facts.home)
        await_others(self.space, changes, self.ident, placeless)
        if placeless:
            self._raise_alarm(area)  # a half without a place has no visits yet
        return self._row(changes, area, outcome, None, told, sorted(set(warnings)), ())

    def _heard(self, thing: Thing) -> dict[str, Any] | None:
        """What the author may hear of one entity; of one that he may not read, no more than the id that he sent."""
        area, scope = place_of(self.space, thing)
        named = thing.id in self.arrival.names
        if not self.author.reads(area, scope, self.arrival.received):
            return {"type": thing.kind.name, "id": thing.id} if named and not thing.follows else None
        return receipt_of(thing, self.ident)

    def _hold(self, changes: Changes, reason: Reason, problems: Sequence[Problem]) -> SubmissionRow:
        for ident in sorted(self.arrival.names):
            thing = self.space.find(ident)
            if thing is not None and self.author.reads(*place_of(self.space, thing), self.arrival.received):
                thing.bump()
        area = self.facts.home
        await_others(self.space, changes, self.ident, True)
        row = self._row(changes, area, Outcome.QUARANTINED, reason, [], list(self.arrival.warnings), problems)
        self._raise_alarm(area)
        return row

    def _keep(self, changes: Changes) -> SubmissionRow:
        """Applying it failed by a fault of ours: it is kept, and a job tries again. Danger does not wait for that.

        What a person must release in any case is held: the job would not know of it.
        """
        barred = self.reused or self.arrival.held is Reason.DEVICE_REVOKED
        reason, problems = self._barred() if barred else (None, ())
        outcome = Outcome.QUARANTINED if barred else Outcome.STORED
        row = self._row(changes, self.facts.home, outcome, reason, [], list(self.arrival.warnings), problems)
        self._raise_alarm(row.area)
        return row

    def _raise_alarm(self, area: str) -> None:
        t = self.facts.t(self.arrival, None).t
        self.space.alarms[self.ident] = Alarm(self.ident, area, t, signs_of(self.arrival, self.space.types))

    def _row(
        self,
        changes: Changes,
        area: str,
        outcome: Outcome,
        reason: Reason | None,
        entities: list[dict[str, Any]],
        warnings: list[str],
        problems: Sequence[Problem],
    ) -> SubmissionRow:
        media = media_of(self.arrival, self.ident)
        row = submission_row(
            self.arrival,
            self.facts,
            self.ident,
            area,
            outcome,
            reason,
            entities,
            warnings,
            problems,
            {medium.sha256 for medium in media} - self.space.here,
            self.space.types,
        )
        state = _STATES.get(outcome, Review.RECEIVED)
        changes.submissions.append(row)
        changes.media += media
        changes.states[row.id] = StateRow(
            row.id, area, self.author.id, state, reason.value if reason else None, received_at=row.received_at
        )
        return row
