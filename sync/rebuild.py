"""Everything that is derived, computed anew from the log alone, and compared with what is stored.

The log is the bytes of the submissions, what was frozen at their first receipt, and the revisions at which each came
into an entity's log or left it. Entities, writes, conflicts, notices, visits and review states follow from it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sync.danger import Alarm, signs_of
from sync.follow import follow_place, notices_of, record, row_of
from sync.media import media_of
from sync.planning import plan_things
from sync.ports import Changes, OpRow, Review, StateRow, SubmissionRow, Transaction
from sync.reading import Reader
from sync.receive import World
from sync.standing import rejudge
from sync.state.model import Act, Op
from sync.states import read_again, tell_authors
from sync.thing import Thing
from sync.times import local_date
from sync.workspace import Workspace, place_of

HELD = (Review.QUARANTINED, Review.SET_ASIDE, Review.STORED)
Acts = Mapping[str, Sequence[tuple[int, Act]]]  # target -> (when, ms; what was done), in that order


@dataclass
class Rebuilt:
    """What was looked at, and what was found to differ: (kind, id), ids alone."""

    entities: int = 0
    differences: set[tuple[str, str]] = field(default_factory=set)


def rebuild(
    ids: Iterable[str], tx: Transaction, world: World, reader: Reader, now: int, acts: Acts
) -> tuple[Rebuilt, Changes]:
    """Compute these entities anew; `acts` are the desk's acts on submissions.

    The changes hold exactly what must be written to make the difference good.
    """
    wanted, found, changes = sorted(set(ids)), Rebuilt(), Changes(at=now)
    space = Workspace(tx, world.types, wanted)
    things = [thing for ident in wanted if (thing := space.find(ident)) is not None]
    found.entities = sum(thing.row is not None for thing in things)
    stored = {thing.id: {entry.op.sub: entry for entry in thing.log} for thing in things}
    _read_again(things, tx, reader, changes)
    rejudge(space, wanted, now)
    for thing in things:
        thing.settle()
        thing.changed = {sub for sub, entry in stored[thing.id].items() if thing.find(sub) != entry}
        found.differences |= {("op", f"{thing.id} {sub}") for sub in thing.changed}
    _compare(things, space, tx, found)
    follow_place(space, changes)
    for thing in space.touched:
        record(thing, changes)
    _states(things, space, changes, acts)
    tell_authors(space, changes, now, [thing for thing in things if thing.row is not None])
    living = [thing for thing in things if thing.row is not None]
    plan_things(living, [], changes, tx, world.rules, world.calendar, local_date(now))
    _other_media(tx, changes)
    _note(found, changes)
    return found, changes


def rebuild_alarms(
    held: Sequence[SubmissionRow], tx: Transaction, world: World, reader: Reader, now: int
) -> tuple[Rebuilt, Changes]:
    """Plan anew for the danger of which held submissions tell."""
    found, changes, states = Rebuilt(), Changes(at=now), tx.states([row.id for row in held])
    named = tx.media([row.id for row in held])
    alarms = []
    for row in held:
        arrival, facts = read_again(reader, row)
        waits = states[row.id].state in (Review.QUARANTINED, Review.STORED)
        signs = signs_of(arrival, world.types) if waits else {}
        changes.media += media_of(arrival, row.id, named.get(row.id, ()))
        alarms.append(Alarm(row.id, states[row.id].area, facts.t(arrival, None).t, signs))
    plan_things([], alarms, changes, tx, world.rules, world.calendar, local_date(now))
    _other_media(tx, changes)
    _note(found, changes)
    return found, changes


def _note(found: Rebuilt, changes: Changes) -> None:
    found.differences |= {("visit", visit.id) for visit in changes.visits}
    found.differences |= {("visit_made", made.sub) for made in (*changes.made, *changes.unmade)}
    found.differences |= {("submission", sub) for sub in changes.states}
    found.differences |= {("medium", f"{one.sub} {one.sha256}") for one in changes.media}


def _other_media(tx: Transaction, changes: Changes) -> None:
    """Of the files that submissions name, keep in the changes those of which something else is stored."""
    stored = tx.media({one.sub for one in changes.media})
    changes.media = [one for one in changes.media if one not in stored.get(one.sub, ())]


def _read_again(things: Sequence[Thing], tx: Transaction, reader: Reader, changes: Changes) -> None:
    """What every op said, from the bytes of its submission; nothing that was derived from it is kept."""
    subs = sorted({entry.op.target or entry.op.sub for thing in things for entry in thing.log if _says(entry)})
    rows, named = tx.submissions(subs), tx.media(subs)
    patches = tx.submissions(sorted({e.op.sub for t in things for e in t.log if e.op.act is Act.REPAIR}))
    told: dict[str, Mapping[str, Mapping[str, object]]] = {}
    for sub, row in rows.items():
        arrival = read_again(reader, row)[0]
        told[sub] = {one.id: one.said for one in arrival.told}
        changes.media += media_of(arrival, sub, named.get(sub, ()))
    for sub, act in patches.items():
        about = rows.get(str(act.facts.get("target")))
        if about is not None:
            told[sub] = {one.id: one.said for one in read_again(reader, about, act.facts.get("patch"))[0].told}
    for thing in things:
        for index, entry in enumerate(thing.log):
            op = _lifted(entry.op, thing, reader)
            if op.sub in told and (op.act in (Act.VISIT, Act.REPAIR)):
                op = replace(op, said=told[op.sub].get(thing.id, {}))
            thing.log[index] = replace(entry, op=op, writes={}, key="")


def _lifted(op: Op, thing: Thing, reader: Reader) -> Op:
    """An op under today's names and codes: a supervisor's words, and what was frozen of a screen."""
    lifts, kind = reader.catalogue.lifts, thing.kind
    if not lifts.rows:
        return op
    loaded = {today for name in op.loaded if (today := lifts.name(name, kind.properties)) is not None}
    return replace(
        op,
        said=lifts.said(kind, op.said),
        seen=None if op.seen is None else lifts.said(kind, op.seen),
        loaded=frozenset(loaded),
        hidden=lifts.hidden(kind, op.hidden),
    )


def _says(entry: OpRow) -> bool:
    return entry.op.act in (Act.VISIT, Act.REPAIR)


def _compare(things: Sequence[Thing], space: Workspace, tx: Transaction, found: Rebuilt) -> None:
    """Mark the entities of which anything that shows differs from what is stored."""
    ids = [thing.id for thing in things]
    conflicts, notices = tx.doubts(ids)
    for thing in (thing for thing in things if thing.row is not None):
        state, (area, scope) = thing.settle(), place_of(space, thing)
        moved = replace(thing, row=replace(thing.known, area=area or thing.known.area, scope=scope))
        differs = row_of(moved) != thing.row
        found.differences |= {("entity", thing.id)} if differs else set()
        odd = {one.id for one in state.conflicts} ^ conflicts.get(thing.id, set())
        found.differences |= {("conflict", ident) for ident in odd}
        strange = set(notices_of(state)) ^ notices.get(thing.id, set())
        found.differences |= {("notice", f"{thing.id} {one.op}") for one in strange}
        thing.moved = bool(differs or odd or strange)


def _states(things: Sequence[Thing], space: Workspace, changes: Changes, acts: Acts) -> None:
    """The review state to which the acts on each submission lead."""
    subs = {e.op.sub for thing in things for e in thing.log if e.op.act in (Act.VISIT, Act.DELETE)}
    space.learn_states(subs)
    for sub in sorted(subs):
        row = space.state(sub)
        if row is not None and row.state is not Review.STORED:
            changes.states[sub] = replace(row, state=review_of(row, sub, things, acts.get(sub, ())))


def review_of(row: StateRow, sub: str, things: Iterable[Thing], acts: Sequence[tuple[int, Act]]) -> Review:
    """The state of a submission after these acts and its author's amendments, in the order in which they came."""
    mine = [(thing, entry) for thing in things if (entry := thing.find(sub)) is not None]
    present = any(entry.present for _, entry in mine)
    amended = [
        e.received
        for thing, _ in mine
        for e in thing.log
        if e.op.amends == sub and e.present and e.op.author == row.author
    ]
    state = Review.RECEIVED if present else Review.QUARANTINED
    for _, act in sorted([*acts, *((at, None) for at in amended)], key=lambda event: event[0]):
        state = _after(state, act, present)
    return Review.EDITED if amended and state is Review.RECEIVED else state


def _after(state: Review, act: Act | None, present: bool) -> Review:
    if act is Act.REJECT:
        return Review.REJECTED if present else Review.SET_ASIDE
    if act in (Act.UNREJECT, Act.ACCEPT, Act.REPAIR):
        return Review.RECEIVED if present else Review.QUARANTINED
    if act is None:
        return state if state in (Review.REJECTED, Review.SET_ASIDE, Review.QUARANTINED) else Review.EDITED
    return {Act.APPROVE: Review.APPROVED, Act.RETURN: Review.HAS_ISSUES}.get(act, state)
