"""What schedulers decide about visits: it holds, and it cannot hold up what the law wants."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.visits.arrangements import (
    NOTHING,
    Arrangement,
    Arranging,
    Unlawful,
    Whom,
    arranged,
    by_hand,
    in_force,
    kept,
)
from sync.visits.plan import Made, VisitState
from tests.visits.visit_world import CALENDAR, at

DUE = date(2026, 12, 7)
WHOM = Whom("child", "em", "ho", "2025.31135", "2025.31135/07")
VISIT = by_hand("u21 1", WHOM, DUE, "Xem nước giếng", at("2026-11-26 09:00"), CALENDAR)
LAWFUL, STATUTORY = VISIT, replace(VISIT, statutory=True)
DAYS = st.dates(date(2026, 11, 1), date(2026, 12, 31))


@given(
    st.sampled_from(Arranging), st.none() | DAYS, st.builds(Arrangement, st.none(), st.none() | DAYS, st.booleans())
)
def test_whatever_is_decided_a_statutory_visit_is_on_lists_by_its_deadline(
    act: Arranging, until: date | None, before: Arrangement
) -> None:
    try:
        after = arranged(STATUTORY, before, act, "u1", until)
    except Unlawful:
        after = before
    held = in_force(STATUTORY, after)
    assert not held.cancelled
    assert held.until is None or held.until <= DUE


def test_a_statutory_visit_is_neither_cancelled_nor_put_off_past_its_deadline() -> None:
    with pytest.raises(Unlawful):
        arranged(STATUTORY, NOTHING, Arranging.CANCEL)
    with pytest.raises(Unlawful):
        arranged(STATUTORY, NOTHING, Arranging.SNOOZE, until=DUE + timedelta(days=1))
    assert arranged(STATUTORY, NOTHING, Arranging.SNOOZE, until=DUE).until == DUE


def test_what_was_cancelled_before_it_became_statutory_comes_back() -> None:
    cancelled = arranged(LAWFUL, NOTHING, Arranging.CANCEL)
    assert in_force(LAWFUL, cancelled).cancelled
    assert not in_force(STATUTORY, cancelled).cancelled


def test_resuming_keeps_who_is_to_go() -> None:
    given_away = arranged(LAWFUL, NOTHING, Arranging.REASSIGN, "u2")
    off = arranged(LAWFUL, arranged(LAWFUL, given_away, Arranging.SNOOZE, until=DUE), Arranging.CANCEL)
    assert off == Arrangement("u2", DUE, True)
    assert arranged(LAWFUL, off, Arranging.RESUME) == Arrangement("u2")


def test_a_visit_by_hand_is_done_by_whoever_meets_somebody_after_it_was_asked_for() -> None:
    before = Made("s1", "child_situation", at("2026-11-25 09:00"), "1", "em", "ho")
    away = Made("s2", "follow_up_visit", at("2026-11-27 09:00"), "3", "em", "ho")
    sibling = Made("s3", "child_situation", at("2026-11-28 09:00"), "1", "anh", "ho")
    met = Made("s4", "follow_up_visit", at("2026-11-29 09:00"), "2", "em", "ho")
    still = kept(VISIT, WHOM, [before, away, sibling])
    assert (still.state, still.attempts) == (VisitState.OPEN, 1)
    done = kept(still, WHOM, [before, away, sibling, met])
    assert (done.state, done.done_by) == (VisitState.DONE, "s4")
    assert kept(done, WHOM, [before, away]).state is VisitState.OPEN  # its submission was rejected


def test_a_visit_by_hand_goes_where_the_child_goes_and_ends_when_it_has_left() -> None:
    moved = kept(VISIT, replace(WHOM, household="ho 2", scope="2025.31135/03"), [])
    assert (moved.household, moved.scope) == ("ho 2", "2025.31135/03")
    gone = kept(moved, None, [])
    assert gone.state is VisitState.NOT_NEEDED
    assert kept(gone, WHOM, []) == VISIT
