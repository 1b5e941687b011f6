"""What a fault of ours kept from being applied is applied later. Its receipt, `stored`, stays as it is."""

from dataclasses import replace

from sync.batch import Reason
from sync.danger import Alarm, signs_of
from sync.decide import misnamed
from sync.entering import enter
from sync.follow import follow
from sync.media import media_of
from sync.ports import Changes, Review, Store, Transaction
from sync.reading import Reader
from sync.receive import World, concerned, transact
from sync.standing import await_others, rejudge
from sync.states import note, read_again, state_row
from sync.workspace import Workspace


def retry(sub: str, store: Store, world: World, reader: Reader, now: int) -> Review | None:
    """Read and apply one submission whose outcome was `stored`; returns its state, None if it is not waiting.

    Raises what the fault raises if it is still there; then nothing has changed.
    """
    return transact(store, set(), lambda tx: _again(sub, tx, world, reader, now))


def _again(sub: str, tx: Transaction, world: World, reader: Reader, now: int) -> tuple[Review | None, Changes]:
    changes = Changes(at=now)
    row = tx.submissions([sub]).get(sub)
    if row is None:
        return None, changes
    arrival, facts = read_again(reader, row)
    space = Workspace(tx, world.types, concerned(arrival), [sub])
    space.learn([sub, *([arrival.amends] if arrival.amends else [])])
    state = state_row(space, changes, sub)
    if state is None or state.state is not Review.STORED:
        return None, Changes(at=now)
    reason, placeless = arrival.held, False
    if reason is None and misnamed(arrival, space):
        reason = Reason.BAD_VALUE
    if reason is None:
        things = enter(arrival, facts, space, sub)
        verdicts = rejudge(space, [thing.id for thing in things], now)
        note(space, changes, verdicts, but=sub)
        placeless = sub in verdicts.judgement.provisional
        reason = None if sub in verdicts.judgement.present or not things else Reason.OUT_OF_AREA
    changes.media += media_of(arrival, sub, tx.media([sub]).get(sub, ()))
    now_is = Review.RECEIVED if reason is None else Review.QUARANTINED
    changes.states[sub] = replace(state, state=now_is, reason=reason.value if reason else None)
    waits = placeless or reason is not None
    signs = signs_of(arrival, world.types) if waits else {}
    space.alarms[sub] = Alarm(sub, state.area, facts.t(arrival, None).t, signs)
    await_others(space, changes, sub, waits)
    follow(space, changes, world.rules, world.calendar, now)
    return now_is, changes
