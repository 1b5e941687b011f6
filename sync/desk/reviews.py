"""A supervisor's review of one submission: approve, return with a comment, reject, and take a rejection back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sync.danger import Alarm, signs_of
from sync.desk import rulings
from sync.desk.orders import Refused
from sync.desk.session import Session
from sync.ports import Review, StateRow, SubmissionRow
from sync.state.model import Act
from sync.states import read_again, state_row
from sync.thing import Thing

HELD = (Review.QUARANTINED, Review.SET_ASIDE, Review.STORED)  # not applied, for whatever reason


class Target:
    """The submission that an act is about, in the supervisor's charge."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.id = str(session.order.target)
        row = session.tx.submissions([self.id]).get(self.id)
        state = state_row(session.space, session.changes, self.id)
        if row is None or state is None:
            raise Refused("not_found")
        self.row: SubmissionRow = row
        self.state: StateRow = state
        self.things = session.space.touching(self.id)
        session.check_area(state.area, *(thing.row.area for thing in self.things if thing.row is not None))

    @property
    def held(self) -> bool:
        return self.state.state in HELD

    def put(self, state: Review, reason: str | None = None) -> None:
        """The new state, with the supervisor's words to the author."""
        order = self.session.order
        self.session.changes.states[self.id] = replace(
            self.state,
            state=state,
            reason=reason if state is not Review.SET_ASIDE else self.state.reason,
            comment=order.reason or None,
            question=order.question,
            by=order.by,
            at=order.at,
        )

    def act(self, things: Sequence[Thing]) -> None:
        """The act in the log of each of these entities."""
        for thing in things:
            self.session.act_on(thing, {}, target=self.id)

    def alarm(self, on: bool) -> None:
        """Danger in a held submission is planned for until somebody sets the submission aside."""
        session, facts = self.session, read_again(self.session.desk.reader, self.row)
        signs = signs_of(facts[0], session.space.types) if on else {}
        session.space.alarms[self.id] = Alarm(self.id, self.state.area, facts[1].t(facts[0], None).t, signs)

    def finish(self, **detail: Any) -> dict[str, Any]:
        session = self.session
        state = session.changes.states.get(self.id, self.state).state
        return session.finish(self.state.area, self.id, {"target": self.id, "state": state.value, **detail})


def approve(session: Session) -> dict[str, Any]:
    """The submission has been read and is in order. What it says counted before."""
    return _reviewed(session, Review.APPROVED)


def return_(session: Session) -> dict[str, Any]:
    """Back to its author with a comment, on a question if one is named; his amendment comes back linked."""
    return _reviewed(session, Review.HAS_ISSUES)


def _reviewed(session: Session, state: Review) -> dict[str, Any]:
    target = Target(session)
    if target.held or target.state.state is Review.REJECTED:
        raise Refused("cannot_apply", "Phiếu đang bị giữ hoặc đã bị bác; hãy xử lý việc đó trước.")
    target.put(state)
    return target.finish()


def reject(session: Session) -> dict[str, Any]:
    """Withdraw what a submission wrote, on every entity; what officers alone read only if that is named too.

    A held submission is set aside. A decision of a conflict is taken back, which opens that again.
    """
    if decided := rulings.ruling(session):
        return rulings.take_back(session, decided)
    target = Target(session)
    if target.held:
        target.put(Review.SET_ASIDE)
        target.alarm(False)
        target.act(target.things)  # so that it stays aside when it comes to count
        session.judge(target.things)
        return target.finish()
    target.put(Review.REJECTED)
    things = [thing for thing in target.things if session.order.halves or not thing.hidden]
    target.act(things)
    session.judge(things)
    return target.finish()


def unreject(session: Session) -> dict[str, Any]:
    """Take a rejection back: what was withdrawn stands again, what was set aside waits again."""
    if decided := rulings.ruling(session):
        return rulings.take_back(session, decided)
    target = Target(session)
    if target.state.state is Review.SET_ASIDE:
        target.put(Review.QUARANTINED, target.state.reason)
        target.alarm(True)
        target.act(target.things)
        session.judge(target.things)
        return target.finish()
    if target.state.state is not Review.REJECTED:
        raise Refused("cannot_apply", "Phiếu này không bị bác.")
    target.put(Review.RECEIVED)
    rejected = [thing for thing in target.things if _rejected(thing, target.id)]
    target.act(rejected)
    session.judge(rejected)
    return target.finish()


def _rejected(thing: Thing, sub: str) -> bool:
    verdict = thing.settle().verdicts.get(sub)
    return verdict is not None and verdict.act is Act.REJECT
