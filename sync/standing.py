"""Which submissions count: judged anew, as a whole, whenever anything arrives that may change it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sync.authority import PROTECTION
from sync.places import UNKNOWN_HAMLET
from sync.placing import Claimed, Judgement, judge
from sync.ports import Changes, OpRow, Waiting
from sync.state.model import Act
from sync.thing import Thing, owner_of
from sync.workspace import Workspace

FREEING = (Act.ACCEPT, Act.REPAIR)


@dataclass(frozen=True)
class Verdicts:
    """What judging changed: submissions that count from now on, and those that count no longer."""

    judgement: Judgement
    entered: tuple[str, ...]
    left: tuple[str, ...]


def rejudge(space: Workspace, ids: Iterable[str], at: int) -> Verdicts:
    """Judge every submission that speaks of these entities or of what they hang on, and let it count or not."""
    things = _component(space, ids)
    judgement = judge(one for thing in things for one in _claimed(thing, things))
    entered: set[str] = set()
    left: set[str] = set()
    for thing in things:
        # Acts on what does not count do not count either: setting it aside must not make an entity of it.
        counts = any(entry.op.sub in judgement.present for entry in thing.log if not _is_act(entry))
        for entry in list(thing.log):
            wanted = counts if _is_act(entry) else entry.op.sub in judgement.present
            if wanted is not entry.present:
                thing.enter(entry.op.sub, wanted, thing.row.area if thing.row else entry.area, at)
                (entered if wanted else left).add(entry.op.sub)
    _let_move(space, things, judgement)
    return Verdicts(judgement, tuple(sorted(entered)), tuple(sorted(left)))


def _component(space: Workspace, ids: Iterable[str]) -> list[Thing]:
    """The things that `ids` hang together with: through a submission, a household, a half."""
    found: dict[str, Thing] = {}
    stack = list(ids)
    while stack:
        thing = space.find(ident) if (ident := stack.pop()) not in found else None
        if thing is None:
            continue
        found[thing.id] = thing
        stack += [other.id for other in space.beside(thing)]
    return sorted(found.values(), key=lambda thing: (thing.kind.name != "household", thing.id))


def _claimed(thing: Thing, things: list[Thing]) -> Iterable[Claimed]:
    freed: dict[str, int] = {}
    for op in (entry.op for one in things for entry in one.log if entry.op.act in FREEING and entry.op.target):
        freed[str(op.target)] = min(op.arrived, freed.get(str(op.target), op.arrived))
    for entry in thing.log:
        op = entry.op
        yield Claimed(
            sub=op.sub,
            entity=thing.id,
            places=op.places,
            arrived=op.arrived,
            names=_names(thing, entry),
            household=thing.kind.name == "household",
            creates=op.creates,
            owner=next(iter(thing.named), None) if thing.follows else None,
            anyone=thing.hidden and not thing.follows,
            author=op.author,
            freed=op.arrived if _is_act(entry) else freed.get(op.sub),
        )


def _is_act(entry: OpRow) -> bool:
    return entry.op.act not in (Act.VISIT, Act.DELETE)


def _names(thing: Thing, entry: OpRow) -> frozenset[str]:
    """The placement answers of an op: places of a household, households of whoever lives in one."""
    said = entry.op.said
    if thing.kind.name == "household":
        ward = said.get("ward_code")
        return frozenset({f"{ward}/{said.get('hamlet_code') or UNKNOWN_HAMLET}"} if ward else ())
    if thing.hidden:
        return frozenset({f"{ward}/{PROTECTION}"} if (ward := said.get("ward_code")) else ())
    home = said.get("household")
    return frozenset({home} if isinstance(home, str) else ())


def _let_move(space: Workspace, things: list[Thing], judgement: Judgement) -> None:
    """An author who may write both households moves a child between them; others ask for it."""
    places = judgement.places
    for thing in things:
        if thing.named and not thing.hidden:
            thing.judged(lambda op, household: any(_held(op.places, p) for p in places.get(household, ())))


def _held(places: frozenset[str], place: str) -> bool:
    area = place.partition("/")[0]
    return area in places or place in places


def _moves(thing: Thing, entry: OpRow) -> bool:
    """Whether a submission names a household for somebody who is known."""
    return not (entry.op.creates or thing.hidden) and owner_of(thing.kind, entry) is not None


def await_others(space: Workspace, changes: Changes, sub: str, waits: bool) -> None:
    """Note for what a submission waits: what it follows or amends and is not here; if held, all that may free it.

    A word that moves a child counts or is a wish by where both households are, whenever that changes.
    """
    mine = [thing for thing in space.things.values() if thing.find(sub) is not None]
    keys: set[str] = set()
    for thing in mine:
        entry = thing.find(sub)
        assert entry is not None
        named = {*entry.op.after, *([entry.op.amends] if entry.op.amends else [])}
        keys |= {other for other in named if thing.find(other) is None}
        keys |= thing.about  # where that lives decides about visits
        if waits or _moves(thing, entry):
            keys |= {thing.id, *thing.named}
    changes.waiting[sub] = frozenset(Waiting(key, thing.id, sub) for key in keys for thing in mine)
