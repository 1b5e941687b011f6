"""What becomes of one arrival: which entities take it in, or why it is held; its row and its receipt."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from forms.filling import Told
from forms.schema import Problem
from sync.authority import Author
from sync.batch import Outcome, Reason
from sync.clocks import normalise
from sync.model import Op
from sync.places import Places
from sync.ports import Changes, SubmissionRow, Touched
from sync.reading import Arrival
from sync.times import local_date
from sync.visits.plan import Made
from sync.workspace import Thing, Workspace

_TEXTS = {
    Reason.OUT_OF_AREA: "Bạn không được giao ấp/khu vực này; phiếu được giữ lại cho cán bộ xem.",
    Reason.ID_REUSE: "Mã phiếu này đã dùng cho một phiếu khác; cả hai đều được giữ.",
}


class Decision:
    """Decides one arrival against the workspace; `take` puts everything that follows into the changes."""

    def __init__(self, arrival: Arrival, reused: bool, space: Workspace, places: Places, author: Author) -> None:
        self.arrival, self.space, self.places, self.author = arrival, space, places, author
        self.reused = reused
        # Households first: the place of a child that is created with its household follows from it.
        self.told = sorted(arrival.told, key=lambda told: told.type != "household")

    @property
    def _days(self) -> tuple[date, date]:
        return local_date(self.arrival.received), local_date(self.arrival.observed)

    def take(self, changes: Changes) -> SubmissionRow:
        """Apply the arrival, or hold it; either way its row and its receipt are among the changes."""
        reason, problems = self._held()
        if reason is None:
            row = self._apply(changes)
        else:
            row = self._hold(reason, problems)
        changes.submissions.append(row)
        user = f"user:{self.author.id}"
        changes.touched.add(Touched(user, user, "submission", row.id))
        return row

    def _held(self) -> tuple[Reason | None, Sequence[Problem]]:
        if self.reused:
            return Reason.ID_REUSE, [Problem(Reason.ID_REUSE, "/id", _TEXTS[Reason.ID_REUSE])]
        if self.arrival.held is not None:
            return self.arrival.held, self.arrival.problems
        other = [told for told in self.told if self._of_another_type(told)]
        if other:
            text = "Mã này đã thuộc về một hộ hoặc trẻ khác loại."
            return Reason.BAD_VALUE, [Problem("entity_type", told.pointer, text) for told in other]
        strange = [told for told in self.told if not self._may_write(told)]
        if strange:
            text = _TEXTS[Reason.OUT_OF_AREA]
            return Reason.OUT_OF_AREA, [Problem(Reason.OUT_OF_AREA, told.pointer, text) for told in strange]
        return None, ()

    def _of_another_type(self, told: Told) -> bool:
        thing = self.space.find(told.id)
        return thing is not None and thing.kind.name != told.type

    def _may_write(self, told: Told) -> bool:
        place = self._place(told)
        return place is None or self.author.may_write(*place, self._days)

    def _place(self, told: Told) -> tuple[str, str] | None:
        """(area, hamlet) where the entity lives, or where this create puts it; None while nobody knows."""
        thing = self.space.find(told.id)
        if thing is not None and thing.row is not None and thing.row.scope is not None:
            area, _, hamlet = thing.row.scope.partition("/")
            return area, hamlet
        if not self._creates(told.id):
            return None
        if "ward_code" in told.said:
            return told.said["ward_code"], told.said["hamlet_code"]
        home = told.said.get("household")
        beside = next((other for other in self.told if other.id == home), None)
        if beside is not None:
            return self._place(beside)
        household = self.space.find(home) if home else None
        if household is None or household.row is None or household.row.scope is None:
            return None
        area, _, hamlet = household.row.scope.partition("/")
        return area, hamlet

    def _creates(self, ident: str) -> bool:
        """A create names base `0-` and nothing before it; a row that makes an entity need not be named at all."""
        claim = self.arrival.claims.get(ident)
        if claim is not None:
            return claim.creates
        form, told = self.arrival.form, next(t for t in self.told if t.id == ident)
        return form is not None and any(c.type == told.type and c.create is not None for c in form.containers)

    def _apply(self, changes: Changes) -> SubmissionRow:
        things = [self._add(told) for told in self.told]
        entities = [self._entity_receipt(thing) for thing in things]
        outcome = Outcome.APPLIED
        if any(entity["overruled"] for entity in entities):
            outcome = Outcome.MERGED
        if any(entity["conflicts"] for entity in entities):
            outcome = Outcome.CONFLICT
        filled = self.arrival.filled
        if filled is not None and filled.visit_result and self.arrival.form is not None:
            for thing in things:
                changes.made.append(self._made(thing, self.arrival.form.id, filled.visit_result))
        warnings = list(self.arrival.warnings)
        for thing in things:
            op = thing.log[-1].op
            warnings += ["clock_suspect"] * op.suspect + ["unknown_base"] * (not op.base_ok)
            if thing.row is not None and thing.row.scope is None and self._place_of(thing) is None:
                warnings.append("no_place_yet")
        area = next((thing.row.area for thing in things if thing.row), self.author.home(self._days[1]))
        return self._row(area, outcome, None, entities, sorted(set(warnings)), ())

    def _place_of(self, thing: Thing) -> tuple[str, str] | None:
        return next((self._place(told) for told in self.told if told.id == thing.id), None)

    def _made(self, thing: Thing, form: str, result: str) -> Made:
        op = thing.log[-1].op
        home = thing.id if thing.kind.name == "household" else thing.settle().data.get("household")
        return Made(self.arrival.id, form, op.t, result, thing.id, home)

    def _add(self, told: Told) -> Thing:
        thing = self.space.obtain(told.type, told.id)
        item, claim = self.arrival.item, self.arrival.claims.get(told.id)
        assert item is not None
        creates = self._creates(told.id)
        base = thing.base(claim) if claim is not None or not creates else thing.base(None)
        received, obs = self.arrival.received, item.obs or {}
        not_before = self.arrival.sender.enrolled if creates else base.not_before
        observed = normalise(
            self.arrival.observed,
            received,
            self.arrival.clock,
            obs.get("boot"),
            obs.get("mono_ms"),
            item.entered_late,
            not_before,
        )
        place = self._place(told)
        area = place[0] if place else self.author.home(self._days[1])
        op = Op(
            sub=self.arrival.id,
            entity=told.id,
            author=self.author.id,
            t=observed.t,
            said=told.said,
            creates=creates,
            snapshot=base.snapshot,
            base_ok=base.ok or creates,
            after=claim.after if claim else (),
            seen=claim.seen if claim else None,
            loaded=told.loaded,
            standing=self.author.standing(area, self._days[0]),
            late=item.entered_late,
            suspect=observed.suspect,
            areas=self.author.areas(self._days),
        )
        thing.add(op, area, received, claim.base_rev if claim else None)
        return thing

    def _entity_receipt(self, thing: Thing) -> dict[str, Any]:
        """What the author may hear of one entity that took his submission in."""
        state, sub = thing.settle(), self.arrival.id
        row = thing.row
        assert row is not None
        return {
            "type": thing.kind.name,
            "id": thing.id,
            "revision": row.rev,
            "etag": f"{row.rev}-{row.etag}",
            "overruled": sorted({notice.cell for notice in state.notices if notice.op == sub}),
            "conflicts": sorted(conflict.id for conflict in state.conflicts if sub in conflict.members),
        }

    def _hold(self, reason: Reason, problems: Sequence[Problem]) -> SubmissionRow:
        for ident in sorted(self.arrival.names):
            thing = self.space.find(ident)
            if thing is not None and thing.row is not None and self._may_read(thing):
                thing.bump()
        area = self.author.home(self._days[1])
        return self._row(area, Outcome.QUARANTINED, reason, [], list(self.arrival.warnings), problems)

    def _may_read(self, thing: Thing) -> bool:
        assert thing.row is not None
        area, _, hamlet = (thing.row.scope or "").partition("/")
        return bool(area) and self.author.may_write(area, hamlet, self._days[:1])

    def _row(
        self,
        area: str,
        outcome: Outcome,
        reason: Reason | None,
        entities: list[dict[str, Any]],
        warnings: list[str],
        problems: Sequence[Problem],
    ) -> SubmissionRow:
        arrival, item = self.arrival, self.arrival.item
        receipt: dict[str, Any] = {
            "id": arrival.id,
            "outcome": outcome.value,
            "repeat": False,
            "entities": entities,
            "missing_media": sorted(medium.sha256 for medium in item.media) if item else [],
            "warnings": warnings,
            "problems": [{"code": p.code, "pointer": p.pointer, "detail": p.detail} for p in problems],
        }
        ident = arrival.id
        if reason is not None:
            receipt["reason"] = reason.value
        if self.reused:
            ident = receipt["kept_as"] = f"{arrival.id}~{arrival.sha256[:8]}"
        return SubmissionRow(
            id=ident,
            area=area,
            sha256=arrival.sha256,
            device=arrival.sender.device,
            author=self.author.id,
            seq=item.seq if item else None,
            form=item.form if item else "",
            form_version=item.version if item else "",
            kind=item.kind if item else "",
            dialect="batch",
            raw=arrival.raw,
            observed_at=arrival.observed if item else None,
            received_at=arrival.received,
            outcome=outcome.value,
            reason=reason.value if reason else None,
            receipt=receipt,
        )
