"""From an arrival to ops in the logs of the entities that it speaks of. None of them counts yet."""

from collections.abc import Iterable
from dataclasses import replace

from forms.filling import Told
from sync.arrival import Arrival
from sync.batch import Claim
from sync.clocks import Observed
from sync.facts import Facts
from sync.ports import OpRow
from sync.state.model import Act, Op, Standing
from sync.thing import HALF, Base, Thing
from sync.workspace import Workspace

NOTHING_SEEN = Base(True, frozenset(), None)


def enter(arrival: Arrival, facts: Facts, space: Workspace, ident: str) -> list[Thing]:
    """Add an op for each entity that the arrival names, and for those that an amendment no longer names.

    `ident` is the id under which the submission is kept. Returns the things, households first, halves last.
    """
    adding = _Adding(arrival, facts, space, ident)
    things = [adding.told(told) for told in _in_order(arrival.told)]
    if arrival.act is Act.DELETE:
        things += [adding.deleted(claim) for claim in arrival.claims.values() if adding.fits(claim)]
    return things + _link(space, ident, things)


def _in_order(told: Iterable[Told]) -> list[Told]:
    """Households first: the place of a child that is created with its household follows from it."""
    return sorted(told, key=lambda one: (one.type != "household", one.type.endswith(HALF)))


class _Adding:
    def __init__(self, arrival: Arrival, facts: Facts, space: Workspace, ident: str) -> None:
        self.arrival, self.facts, self.space, self.ident = arrival, facts, space, ident

    def told(self, told: Told) -> Thing:
        thing = self.space.obtain(told.type, told.id)
        claim = None if thing.hidden else self.arrival.claims.get(told.id)
        creates = told.creates if thing.hidden else self.creates(told)
        base = self._base(thing, claim)
        observed = self.facts.t(self.arrival, self.facts.enrolled if creates else self._not_before(thing, told, base))
        op = self._op(told.id, observed, base, claim, Act.VISIT)
        op = replace(
            op,
            said=told.said,
            creates=creates,
            base_ok=base.ok or creates,
            loaded=told.loaded,
            hidden=told.hidden,
            schema=thing.kind.version,
        )
        return self._add(thing, op, base)

    def fits(self, claim: Claim) -> bool:
        """Whether the entity is of the type that it is taken for."""
        found = self.space.find(claim.id)
        return found is None or found.kind.name == claim.type

    def deleted(self, claim: Claim) -> Thing:
        thing = self.space.obtain(claim.type, claim.id)
        base = self._base(thing, claim)
        op = self._op(claim.id, self.facts.t(self.arrival, base.not_before), base, claim, Act.DELETE)
        return self._add(thing, op, base)

    def creates(self, told: Told) -> bool:
        """A create names base `0-` and nothing before it; a row that makes an entity need not be named at all."""
        claim = self.arrival.claims.get(told.id)
        if claim is not None:
            return claim.creates
        return told.creates

    def _base(self, thing: Thing, claim: Claim | None) -> Base:
        if thing.hidden:
            return NOTHING_SEEN  # its author is never shown anything of it, whatever he claims
        return thing.base(claim, self.facts.received)

    def _not_before(self, thing: Thing, told: Told, base: Base) -> int | None:
        """The newest thing that the author had seen; of a half, of its child."""
        child = self.space.find(told.said["child"]) if thing.follows else None
        if child is None:
            return base.not_before
        return child.base(self.arrival.claims.get(child.id), self.facts.received).not_before

    def _op(self, entity: str, observed: Observed, base: Base, claim: Claim | None, act: Act) -> Op:
        item, filled = self.arrival.item, self.arrival.filled
        supervises = any(place.partition("/")[0] in self.facts.supervises for place in self.facts.places)
        return Op(
            sub=self.ident,
            entity=entity,
            author=self.arrival.author,
            t=observed.t,
            said={},
            snapshot=base.snapshot,
            base_ok=base.ok,
            after=claim.after if claim else (),
            seen=claim.seen if claim else None,
            standing=Standing.SUPERVISOR if supervises else Standing.AUTHOR,
            act=act,
            late=bool(item and item.entered_late) or self.arrival.restated is not None,
            suspect=observed.suspect,
            places=self.facts.places,
            arrived=self.facts.arrived,
            amends=item.amends if item else None,
            day=filled.visit_date if filled else None,
            branch=claim.branch if claim else None,
        )

    def _add(self, thing: Thing, op: Op, base: Base) -> Thing:
        filled, form = self.arrival.filled, self.arrival.form
        known = thing.find(op.sub)
        entry = OpRow(
            op=op,
            marks=known.marks if known else (),
            received=self.facts.received,
            area=self.facts.home,
            base_rev=base.rev,
            form=form.id if form else "",
            result=filled.visit_result if filled else None,
            type=thing.kind.name,
        )
        self.space.add(thing, entry)
        return thing


def _link(space: Workspace, ident: str, things: list[Thing]) -> list[Thing]:
    """An amendment speaks in the log of every entity that it or the amended one names: there it says nothing."""
    linked = []
    for thing in things:
        entry = thing.find(ident)
        assert entry is not None
        for other in space.touching(entry.op.amends) if entry.op.amends else ():
            if other.find(ident) is None:
                linked.append(silent(space, other, entry))
        break
    waiting = {e.op.sub: e for thing in space.waiting_for(ident) for e in thing.log if e.op.amends == ident}
    for entry in waiting.values():
        for thing in (*things, *linked):
            if thing.find(entry.op.sub) is None:
                silent(space, thing, entry)
    return linked


def silent(space: Workspace, thing: Thing, entry: OpRow) -> Thing:
    """Let a submission take part in the log of an entity of which it says nothing."""
    op = replace(
        entry.op, entity=thing.id, said={}, creates=False, snapshot=frozenset(), base_ok=True, after=(), branch=None,
        seen={}, loaded=frozenset(), hidden={}, schema=thing.kind.version,
    )  # fmt: skip
    space.add(thing, replace(entry, op=op, marks=(), base_rev=0, writes={}, key="", type=thing.kind.name))
    return thing
