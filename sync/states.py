"""The mutable part of a submission: where it stands now, and what its author must hear of it."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from forms.danger import danger_signs
from sync.arrival import Arrival, Sender
from sync.authority import covers
from sync.batch import Reason
from sync.danger import Alarm
from sync.envelope import raw_item
from sync.facts import Facts, at_home, from_json
from sync.ports import Changes, Review, StateRow, SubmissionRow, Touched
from sync.reading import Reader
from sync.standing import Verdicts, await_others
from sync.state.model import Act, NoticeKind
from sync.thing import Thing
from sync.workspace import Workspace, place_of


def state_row(space: Workspace, changes: Changes, sub: str) -> StateRow | None:
    """The state of a submission as it is in this transaction."""
    if sub not in changes.states:
        found = space.state(sub)
        if found is None:
            return None
        changes.states[sub] = found
    return changes.states[sub]


def read_again(reader: Reader, row: SubmissionRow, patch: Mapping[str, Any] | None = None) -> tuple[Arrival, Facts]:
    """Read a kept submission as at its first receipt, with the facts that were frozen then."""
    facts = from_json(row.facts, row.received_at)
    sender = Sender(row.author, row.device, frozenset({row.author}), facts.enrolled)
    arrival = reader.read(raw_item(row.raw), sender, facts.clock, row.received_at, patch, row.id)
    return at_home(arrival, facts), facts


def note(space: Workspace, changes: Changes, verdicts: Verdicts, but: str | None = None) -> None:
    """Submissions that count from now on, or no longer, get their state; danger they told of is not forgotten."""
    for sub in verdicts.entered:
        if sub != but and (row := state_row(space, changes, sub)) is not None and not _act(space, sub):
            changes.states[sub] = replace(row, state=Review.RECEIVED, reason=None)
            space.alarms[sub] = Alarm(sub, row.area, 0, {})
            await_others(space, changes, sub, sub in verdicts.judgement.provisional)
    for sub in verdicts.left:
        if sub != but and (row := state_row(space, changes, sub)) is not None:
            changes.states[sub] = replace(row, state=Review.QUARANTINED, reason=Reason.OUT_OF_AREA.value)
            space.alarms[sub] = _alarm(space, sub, row.area)
            await_others(space, changes, sub, True)


def _act(space: Workspace, sub: str) -> bool:
    return any(e.op.act not in (Act.VISIT, Act.DELETE) for t in space.touching(sub) if (e := t.find(sub)) is not None)


def _alarm(space: Workspace, sub: str, area: str) -> Alarm:
    """What a submission that counts no longer had told of danger."""
    signs: dict[str, Any] = {}
    t = 0
    for thing in space.touching(sub):
        entry = thing.find(sub)
        if entry is not None:
            t = entry.op.t
            signs |= danger_signs(space.types, entry.op.said)
    return Alarm(sub, area, t, signs)


def tell_authors(space: Workspace, changes: Changes, at: int, things: Sequence[Thing]) -> None:
    """Bring the states of all submissions in the logs of these entities up to date; authors hear of changes."""
    subs = {entry.op.sub for thing in things for entry in thing.log if entry.op.act in (Act.VISIT, Act.DELETE)}
    space.learn_states(subs | changes.states.keys())
    readers = space.authors({row.author for sub in subs if (row := state_row(space, changes, sub)) is not None})
    for thing in things:
        news = _news(thing)
        place = place_of(space, thing)
        for entry in thing.log:
            row = changes.states.get(entry.op.sub)
            if row is None or entry.op.act not in (Act.VISIT, Act.DELETE):
                continue
            author = readers.get(row.author)
            may = author is not None and author.reads(*place, at)
            mine = tuple({"entity": thing.id, **one} for one in news.get(row.sub, ())) if may else ()
            others = tuple(one for one in row.notices if one["entity"] != thing.id)
            notices = tuple(sorted((*others, *mine), key=lambda one: sorted(one.items())))
            if not thing.follows or all(other.follows for other in space.holding(row.sub)):
                review = _review(thing, entry.op.sub, row.state)
                row = row if review is row.state else replace(row, state=review)
            elsewhere = row.elsewhere
            if entry.present and not thing.hidden and place[1] is not None:
                elsewhere = _elsewhere(space, thing, row)
            if (row.notices, row.elsewhere) != (notices, elsewhere):
                row = replace(row, notices=notices, elsewhere=elsewhere)
            changes.states[row.sub] = row
    drop_unchanged(space, changes)


def _elsewhere(space: Workspace, thing: Thing, row: StateRow) -> bool:
    """Whether any entity of a submission lives where its author has no charge; the others are read if they may."""
    things = [thing, *(space.touching(row.sub) if row.elsewhere else ())]
    return any(_is_elsewhere(space, one, row.sub) for one in things)


def _is_elsewhere(space: Workspace, thing: Thing, sub: str) -> bool:
    entry, scope = thing.find(sub), place_of(space, thing)[1]
    if entry is None or not entry.present or thing.hidden or scope is None:
        return False
    return not covers(entry.op.places, scope)


def drop_unchanged(space: Workspace, changes: Changes) -> None:
    """Keep the states that differ from what is stored; the authors of those hear of them."""
    for sub, row in list(changes.states.items()):
        if space.state(sub) == row:
            del changes.states[sub]
        else:
            user = f"user:{row.author}"
            changes.touched.add(Touched(user, user, "submission", sub))


def _news(thing: Thing) -> Mapping[str, list[dict[str, str]]]:
    """By submission: which of its cells lost to a rule or to a ruling."""
    news: dict[str, list[dict[str, str]]] = {}
    state = thing.settle()
    for notice in state.notices:
        news.setdefault(notice.op, []).append({"cell": notice.cell, "kind": notice.kind.value})
    for name, cell in state.cells.items():
        for sub in sorted({sub for sub, _ in cell.ruled}):
            news.setdefault(sub, []).append({"cell": name, "kind": NoticeKind.RULED.value})
    return news


def _review(thing: Thing, sub: str, state: Review) -> Review:
    """Rejected, taken back, or mended by its author: what the log itself says about a submission.

    Of one that speaks of more than a half, the half says nothing: what stands there is not withdrawn with the rest.
    """
    entry, verdict = thing.find(sub), thing.settle().verdicts.get(sub)
    if entry is None:
        return state
    if verdict is not None and verdict.act is Act.REJECT:
        return Review.REJECTED if entry.present else Review.SET_ASIDE
    if verdict is not None and state in (Review.REJECTED, Review.SET_ASIDE):
        return Review.RECEIVED if entry.present else Review.QUARANTINED
    by = [e for e in thing.log if e.op.amends == sub and e.present and e.op.author == entry.op.author]
    new = any(e.op.sub in thing.fresh for e in by)
    return Review.EDITED if new or (by and state is Review.RECEIVED) else state
