"""The ways out of quarantine: taken in as it is, or read with a patch kept beside its untouched bytes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forms.filling import Told
from sync.arrival import Arrival
from sync.batch import Reason
from sync.desk.orders import Refused
from sync.desk.reviews import Target
from sync.desk.session import Session
from sync.entering import enter, silent
from sync.facts import Facts
from sync.media import media_of
from sync.ports import Review
from sync.standing import await_others
from sync.states import read_again
from sync.thing import Thing

FORGIVEN = (Reason.OUT_OF_AREA, Reason.DEVICE_REVOKED, Reason.ID_REUSE, Reason.NOT_ALLOWED)
NEEDS_A_WARD = (Reason.WARD_AMBIGUOUS, Reason.WARD_UNKNOWN)


def accept(session: Session) -> dict[str, Any]:
    """Take a held submission in as it is: of wrong answers what could be read. Its effect stays the author's."""
    target = Target(session)
    if not target.held and target.state.state is not Review.REJECTED:
        raise Refused("cannot_apply", "Phiếu này đã được nhận rồi.")
    arrival, facts = read_again(session.desk.reader, target.row)
    if any(problem.code in NEEDS_A_WARD for problem in arrival.problems):
        raise Refused("ward_needed", candidates=candidates(arrival))
    things = _entered(session, target, arrival, facts)
    if not things:
        raise Refused("cannot_apply", "Không đọc được gì trong phiếu này; hãy sửa câu trả lời hoặc gác phiếu lại.")
    return _taken_in(session, target, things, {})


def repair(session: Session) -> dict[str, Any]:
    """Read a submission with `patch` in place of some answers. Tells which cells show nothing of it any longer."""
    order, target = session.order, Target(session)
    if not order.patch:
        raise Refused("invalid", "Chưa có câu trả lời nào được sửa.", pointer="/patch")
    patch = dict(order.patch)
    if "/answers/ward_code" in patch and "/answers/hamlet_code" not in patch:
        patch["/answers/hamlet_code"] = "00"  # a hamlet of the old ward names nothing in the one chosen
    session.patch = patch
    arrival, facts = read_again(session.desk.reader, target.row, patch)
    if arrival.held is not None and arrival.held not in FORGIVEN:
        problems = [{"code": p.code, "pointer": p.pointer, "detail": p.detail} for p in arrival.problems]
        raise Refused("invalid", "Sau khi sửa, phiếu vẫn chưa đọc được.", problems=problems)
    if not arrival.told:
        raise Refused("cannot_apply", "Sau khi sửa, phiếu không nói về hộ hay trẻ nào.")
    original, _ = read_again(session.desk.reader, target.row)
    things = {thing.id: thing for thing in _entered(session, target, original, facts)}
    return _taken_in(session, target, list(things.values()), {told.id: told for told in arrival.told})


def candidates(arrival: Arrival) -> list[str]:
    """The wards that a code which was split may mean."""
    return [area for problem in arrival.problems for area in problem.candidates]


def _entered(session: Session, target: Target, arrival: Arrival, facts: Facts) -> list[Thing]:
    """The entities in whose logs the submission is, put there if it was not. What it says of files is read anew."""
    named = session.tx.media([target.id]).get(target.id, ())
    session.changes.media += media_of(arrival, target.id, named)
    if target.things:
        return target.things
    good = [told for told in arrival.told if _fits(session, told)]
    return enter(replace(arrival, told=tuple(good)), facts, session.space, target.id)


def _fits(session: Session, told: Told) -> bool:
    """Whether the entity is of the type that the submission takes it for."""
    found = session.space.find(told.id)
    return found is None or found.kind.name == told.type


def _taken_in(session: Session, target: Target, things: list[Thing], patched: Mapping[str, Told]) -> dict[str, Any]:
    """Put the act beside the submission, everywhere: of a repair with what is read instead."""
    by_id = {thing.id: thing for thing in things}
    for told in patched.values():
        if told.id not in by_id and _fits(session, told):
            by_id[told.id] = _spoken_of(session, target, told, things)
    for thing in by_id.values():
        words = patched.get(thing.id)
        session.act_on(thing, words.said if words is not None else {}, target=target.id)
    target.put(Review.RECEIVED)
    session.judge(by_id.values())
    await_others(session.space, session.changes, target.id, False)
    cells = {thing.id: _unseen(thing, target.id, patched.get(thing.id)) for thing in by_id.values()}
    return target.finish(unchanged={ident: names for ident, names in cells.items() if names})


def _spoken_of(session: Session, target: Target, told: Told, things: list[Thing]) -> Thing:
    """An entity of which the submission speaks only as repaired."""
    thing = session.space.obtain(told.type, told.id)
    if thing.find(target.id) is None:
        if things:
            entry = things[0].find(target.id)
            assert entry is not None
            return silent(session.space, thing, entry)
        arrival, facts = read_again(session.desk.reader, target.row, session.patch)
        bare = replace(arrival, told=(replace(told, said={}),))
        return enter(bare, facts, session.space, target.id)[0]
    return thing


def _unseen(thing: Thing, sub: str, told: Told | None) -> list[str]:
    """The cells that a repair speaks of and whose value is not (or no longer) the repaired submission's."""
    if told is None or thing.hidden:
        return []
    state = thing.settle()
    named = {thing.kind.properties[name].cell for name in told.said if name in thing.kind.properties}
    mine = thing.writes(sub)
    shown = {name for name in named & mine.keys() if name in state.cells}
    return sorted(name for name in shown if all(entry.op != sub for entry in state.cells[name].live))
