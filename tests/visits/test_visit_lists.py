"""Lists: every visit once, a line for each child, in walking order, and no more than one person can do."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.visits.lists import ListKind, Stop, Task, absorb, draft, period_of
from sync.visits.route import Home, Point, distance, point_of, walk
from tests.visits.visit_world import CALENDAR

ENDS = date(2026, 11, 29)
HOMES = ("ho-1", "ho-2", "ho-3", "ho-4")
POINTS = st.none() | st.tuples(st.floats(9.9, 10.1), st.floats(105.6, 105.9))


def home_of(ident: str, point: Point | None = None, hamlet: str = "2025.31135/01") -> Home:
    return Home(ident, hamlet, point)


def task(subject: str, home: str, rule: str = "F-HHQ", due: date = ENDS, **more: object) -> Task:
    made = Task(f"{rule} {subject}", rule, subject, home, "2025.31135/01", due, 10, False)
    return replace(made, **more)  # type: ignore[arg-type]


@st.composite
def tasks(draw: st.DrawFn) -> list[Task]:
    found = {}
    for _ in range(draw(st.integers(0, 14))):
        home = draw(st.sampled_from(HOMES))
        subject = draw(st.sampled_from([home, f"{home} a", f"{home} b", f"{home} c"]))
        rule = draw(st.sampled_from(["F-A", "F-B", "F-C"]))
        due = ENDS + timedelta(days=draw(st.integers(-20, 20)))
        made = task(subject, home, rule, due, priority=draw(st.integers(0, 9)), statutory=draw(st.booleans()))
        absorbs = draw(st.frozensets(st.sampled_from(["F-A", "F-B"]), max_size=1))
        made = replace(made, absorbs=absorbs, by_member=subject == home and draw(st.booleans()))
        found[made.visit] = made
    return list(found.values())


def visits(stops: Sequence[Stop]) -> list[str]:
    return sorted(one.visit for stop in stops for one in stop.tasks)


@st.composite
def places(draw: st.DrawFn) -> dict[str, Home]:
    hamlets = st.sampled_from(["2025.31135/01", "2025.31135/02"])
    return {ident: Home(ident, draw(hamlets), draw(POINTS)) for ident in HOMES}


@given(tasks(), places(), st.integers(0, 12))
def test_every_visit_stands_on_a_list_exactly_once(due: list[Task], homes: dict[str, Home], capacity: int) -> None:
    made = draft(due, homes, capacity, ENDS)
    assert visits([*made.stops, *made.carried]) == sorted(one.visit for one in due)


@given(tasks(), places(), st.integers(0, 12))
def test_there_is_one_line_for_each_child_or_household(
    due: list[Task], homes: dict[str, Home], capacity: int
) -> None:
    made = draft(due, homes, capacity, ENDS)
    of_subject = {one.subject for one in due}
    lines = [*made.stops, *made.carried]
    assert len({stop.lead.home + _who(stop) for stop in lines}) == len(lines) <= len(of_subject)
    for stop in lines:
        others = {one.subject for one in stop.tasks} - {_who(stop)}
        assert others <= {stop.lead.home}  # what is done along is the household's
        assert len({one.home for one in stop.tasks}) == 1


def _who(stop: Stop) -> str:
    """The child a line is about, or its household."""
    children = {one.subject for one in stop.tasks if one.subject != one.home}
    assert len(children) <= 1
    return next(iter(children), stop.lead.home)


@given(tasks(), places(), st.integers(0, 12))
def test_no_list_is_longer_than_what_one_can_do_but_for_the_law(
    due: list[Task], homes: dict[str, Home], capacity: int
) -> None:
    made = draft(due, homes, capacity, ENDS)
    must = [stop for stop in made.stops if any(one.statutory and one.due <= ENDS for one in stop.tasks)]
    assert len(made.stops) <= max(capacity, len(must))
    assert not made.carried or len(made.stops) == max(capacity, len(must))
    for stop in made.carried:
        assert not any(one.statutory and one.due <= ENDS for one in stop.tasks)
        left = [one for one in made.stops if one not in must]
        assert all(_rank(one) <= _rank(stop) for one in left)  # what is more urgent is not left behind


def _rank(stop: Stop) -> tuple[object, ...]:
    lead = stop.lead
    return (not lead.statutory, lead.due > ENDS, -lead.priority, lead.due)


@given(tasks(), places(), st.integers(0, 12), st.randoms())
def test_a_list_is_the_same_in_whatever_order_the_visits_are_read(
    due: list[Task], homes: dict[str, Home], capacity: int, random: object
) -> None:
    shuffled = list(due)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert draft(shuffled, homes, capacity, ENDS) == draft(due, homes, capacity, ENDS)


@given(tasks(), places(), st.integers(0, 12))
def test_a_home_is_not_left_and_come_back_to_and_what_is_statutory_comes_first(
    due: list[Task], homes: dict[str, Home], capacity: int
) -> None:
    stops = draft(due, homes, capacity, ENDS).stops
    walked = [stop.lead.home for stop in stops]
    assert len([one for index, one in enumerate(walked) if index == 0 or walked[index - 1] != one]) == len(
        set(walked)
    )
    urgent = {stop.lead.home for stop in stops if stop.statutory}
    assert [home in urgent for home in walked] == sorted((home in urgent for home in walked), reverse=True)


@given(st.lists(st.tuples(st.sampled_from("abc"), POINTS), max_size=12))
def test_a_walk_comes_to_every_home_once_and_hamlet_by_hamlet(found: list[tuple[str, Point | None]]) -> None:
    homes = [Home(f"ho-{index}", hamlet, point) for index, (hamlet, point) in enumerate(found)]
    walked = walk(homes)
    assert sorted(home.id for home in walked) == sorted(home.id for home in homes)
    assert [home.hamlet for home in walked] == sorted(home.hamlet for home in homes)
    here: Point | None = None
    for index, home in enumerate(walked):
        rest = [one for one in walked[index:] if one.hamlet == home.hamlet and one.point is not None]
        if home.point is None:
            assert not rest  # nobody walks past homes whose place is known
        elif here is not None:
            assert distance(here, home.point) == min(distance(here, one.point) for one in rest if one.point)
        here = home.point or here


def test_the_nearest_home_comes_next_and_those_without_coordinates_after_them() -> None:
    row = [home_of(f"ho-{n}", (10.0, 105.7 + n / 1000)) for n in (3, 0, 2, 1)]
    walked = walk([home_of("ho-a"), *row])
    assert [home.id for home in walked] == ["ho-0", "ho-1", "ho-2", "ho-3", "ho-a"]
    assert [home.id for home in walk(row, (10.0, 105.9))] == ["ho-3", "ho-2", "ho-1", "ho-0"]


@pytest.mark.parametrize(
    ("said", "point"),
    [
        ("10.03 105.78 1.0 8.0", (10.03, 105.78)),
        ("10.03 105.78", (10.03, 105.78)),
        ("", None),
        (None, None),
        ("nan 105.78 0 0", None),
        ("95 105.78 0 0", None),
        ("0 0 0 0", None),
        ("10,03 105,78", None),
    ],
)
def test_a_geopoint_is_a_place_on_earth_or_nothing(said: object, point: Point | None) -> None:
    assert point_of(said) == point


def test_several_rules_for_one_child_are_one_line_and_the_law_leads() -> None:
    dropout = task("em", "ho-1", "F-DROPOUT", due=ENDS - timedelta(days=9), priority=30)
    birth = task("em", "ho-1", "F-BIRTH", statutory=True, priority=50)
    (stop,) = absorb([dropout, birth], ENDS)
    assert [one.rule for one in stop.tasks] == ["F-BIRTH", "F-DROPOUT"]


def test_the_round_of_a_household_goes_along_with_a_visit_to_its_child_but_not_with_a_neighbours() -> None:
    round_ = task("ho-1", "ho-1", by_member=True)
    child, neighbour = task("em", "ho-1", "F-DROPOUT"), task("be", "ho-2", "F-DROPOUT")
    assert [[one.rule for one in stop.tasks] for stop in absorb([round_, neighbour, child], ENDS)] == [
        ["F-DROPOUT"],
        ["F-DROPOUT", "F-HHQ"],
    ]
    assert len(absorb([replace(round_, by_member=False), child], ENDS)) == 2
    absorbing = replace(child, absorbs=frozenset({"F-HHQ"}))
    assert len(absorb([replace(round_, by_member=False), absorbing], ENDS)) == 1


def test_a_week_is_from_monday_to_sunday_and_days_off_count_for_nothing() -> None:
    week = period_of(ListKind.WEEKLY, date(2026, 11, 26))
    assert (week.begins, week.ends, week.name) == (date(2026, 11, 23), date(2026, 11, 29), "2026W48")
    assert week.capacity(6, CALENDAR) == 24  # the 24th is the day of culture
    assert period_of(ListKind.WEEKLY, date(2026, 12, 4)).capacity(6, CALENDAR) == 30
    new_year = period_of(ListKind.WEEKLY, date(2027, 1, 1))
    assert (new_year.name, new_year.capacity(6, CALENDAR)) == ("2026W53", 24)
    tet = period_of(ListKind.WEEKLY, date(2027, 2, 8))
    assert tet.capacity(6, CALENDAR) < 30
    day = period_of(ListKind.DAILY, date(2026, 11, 29))
    assert (day.name, day.capacity(6, CALENDAR)) == ("20261129", 6)
