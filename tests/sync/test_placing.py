"""Who may write which entity follows from the set of submissions, never from the order in which one looks at them."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync.authority import covers
from sync.placing import Claimed, Judgement, judge
from tests.sync.profile import PROFILE
from tests.sync.worlds import Choices

PLACES = ("2025.31135/01", "2025.31135/02", "2025.31147/01")
HELD = (*PLACES, "2025.31135", "2025.31147")
HOUSEHOLDS, CHILDREN = ("ho-1", "ho-2"), ("tre-1", "tre-2")


def claimed(sub: str, entity: str, places: Iterable[str], arrived: int, **more) -> Claimed:
    """What one submission says of one entity; a household's name begins with `ho`."""
    names = frozenset(more.pop("names", ()))
    held = frozenset(places)
    return Claimed(sub, entity, held, arrived, names, household=entity.startswith("ho"), **more)


def words(sub: str, arrived: int, choices: Choices) -> list[Claimed]:
    """A submission about a household, a child, or both, perhaps made by somebody from elsewhere."""
    held = {choices.pick(HELD)} if not choices.yes(8) else set()
    home, creates = choices.pick(HOUSEHOLDS), choices.yes(3)
    freed = arrived + choices.number(9) if choices.yes(10) else None
    found = []
    about = choices.number(3)
    if about != 1:
        names = {choices.pick(PLACES)} if creates or choices.yes(3) else set()
        found.append(claimed(sub, home, held, arrived, names=names, creates=creates, freed=freed))
    if about != 0:
        names = {choices.pick((home, *HOUSEHOLDS))} if creates or choices.yes(3) else set()
        child = choices.pick(CHILDREN)
        found.append(claimed(sub, child, held, arrived, names=names, creates=creates, freed=freed))
        if choices.yes(4):
            half = claimed(sub, f"{child}!", held, arrived, owner=child, freed=freed)
            found = [half] if choices.yes(3) else [*found, half]
    return found


DATA = st.lists(st.binary(min_size=14, max_size=14), min_size=1, max_size=10).map(
    lambda data: [one for at, bytes_ in enumerate(data) for one in words(f"s{at}", at * 3, Choices(bytes_))]
)


def until(all_words: list[Claimed], time: int) -> list[Claimed]:
    """What had arrived, and been taken in by a supervisor, by then."""
    here = [one for one in all_words if one.arrived <= time]
    return [replace(one, freed=None) if one.freed is not None and one.freed > time else one for one in here]


def by_sub(all_words: list[Claimed]) -> dict[str, list[Claimed]]:
    found: dict[str, list[Claimed]] = {}
    for one in all_words:
        found.setdefault(one.sub, []).append(one)
    return found


def reaches(one: Claimed, judgement: Judgement, beside: Iterable[Claimed]) -> bool:
    """A half that is told of beside its child follows the right to the child; told of alone, the child's places."""
    if any(other.entity == one.owner for other in beside):
        return True
    return any(covers(one.places, place) for place in placed(one, judgement))


def placed(one: Claimed, judgement: Judgement) -> frozenset[str]:
    return judgement.places.get(one.owner or one.entity, frozenset())


@PROFILE
@given(data=DATA, order=st.randoms(use_true_random=False))
def test_the_order_in_which_submissions_are_looked_at_does_not_matter(data: list[Claimed], order) -> None:
    mixed = list(data)
    order.shuffle(mixed)
    assert judge(mixed) == judge(data)
    assert judge([*data, *mixed]) == judge(data)


@PROFILE
@given(data=DATA)
def test_what_comes_later_takes_nothing_from_those_who_may_write(data: list[Claimed]) -> None:
    before, after = judge([]), Judgement()
    for time in range(40):
        after = judge(until(data, time))
        assert before.authorised <= after.authorised
        assert all(places <= after.places[entity] for entity, places in before.places.items())
        before = after
    assert after == judge(data)


@PROFILE
@given(data=DATA)
def test_who_reaches_a_place_of_everything_he_names_may_write_and_nobody_else(data: list[Claimed]) -> None:
    judgement = judge(data)
    assert not judgement.authorised & judgement.provisional
    for sub, said in by_sub(data).items():
        freed = any(one.freed is not None for one in said)
        reached = all(reaches(one, judgement, said) for one in said)
        assert (sub in judgement.authorised) == (reached or freed), sub
        if sub in judgement.provisional:
            assert all(reaches(one, judgement, said) or not placed(one, judgement) for one in said)
        elif not reached and not freed:
            lost = [one for one in said if not reaches(one, judgement, said)]
            assert any(placed(one, judgement) or one.creates for one in lost)


@PROFILE
@given(data=DATA)
def test_every_place_was_named_by_somebody_who_may_write_there_himself(data: list[Claimed]) -> None:
    judgement, said = judge(data), by_sub(data)
    for home in HOUSEHOLDS:
        for place in judgement.places.get(home, ()):
            who = [one for one in data if one.entity == home and place in one.names]
            assert any(one.sub in judgement.authorised for one in who)
    for sub in judgement.authorised:
        for one in said[sub]:
            free = any(other.freed is not None for other in said[sub])
            assert free or reaches(one, judgement, said[sub])


@PROFILE
@given(data=DATA, home=st.sampled_from(HOUSEHOLDS), visit=st.booleans())
def test_a_stranger_gets_no_right_by_anything_he_sends(data: list[Claimed], home: str, visit: bool) -> None:
    """Whoever holds nothing that anybody else names, and nothing that is his own to create in."""
    far = {"2025.31999/07"}
    names = set() if visit else {"2025.31999/07"}
    last = claimed("lạ", home, far, 50, names=names)
    judgement = judge([*data, last])
    assert "lạ" not in judgement.authorised
    assert judgement.authorised == judge(data).authorised
    if judgement.places[home]:
        assert "lạ" not in judgement.present


@PROFILE
@given(data=DATA, early=st.booleans(), child=st.booleans())
def test_a_visit_made_before_a_move_counts_whichever_arrives_first(
    data: list[Claimed], early: bool, child: bool
) -> None:
    both = {"2025.31135", "2025.31147"}
    create = claimed("c", "ho-9", {PLACES[0]}, 100, names={PLACES[0]}, creates=True)
    kid = claimed("c", "tre-9", {PLACES[0]}, 100, names={"ho-9"}, creates=True)
    move = claimed("m", "ho-9", both, 102, names={PLACES[2]})
    visit = claimed("v", "tre-9" if child else "ho-9", {PLACES[0]}, 101 if early else 103)
    newcomer = claimed("n", "tre-9" if child else "ho-9", {PLACES[2]}, 104)
    judgement = judge([*data, create, kid, move, visit, newcomer])
    assert {"c", "m", "v", "n"} <= judgement.authorised
    unmoved = judge([*data, create, kid, visit, newcomer])
    assert "v" in unmoved.authorised and "n" not in unmoved.present


def test_of_two_who_create_one_thing_the_first_to_arrive_has_it() -> None:
    first = claimed("a", "ho-1", {PLACES[0]}, 5, names={PLACES[0]}, creates=True)
    second = claimed("b", "ho-1", {PLACES[2]}, 6, names={PLACES[2]}, creates=True)
    assert judge([second, first]).authorised == {"a"}
    assert judge([second, replace(first, arrived=7)]).authorised == {"b"}
    freed = judge([replace(second, freed=9), first])
    assert freed.authorised == {"a", "b"} and freed.places["ho-1"] == {PLACES[0], PLACES[2]}


def test_a_child_created_before_its_household_keeps_its_place_against_a_later_stranger() -> None:
    child = claimed("a", "tre-1", {PLACES[0]}, 1, names={"ho-1"}, creates=True)
    home = claimed("b", "ho-1", {PLACES[0]}, 2, names={PLACES[0]}, creates=True)
    far = claimed("c", "ho-2", {PLACES[2]}, 0, names={PLACES[2]}, creates=True)
    stranger = claimed("d", "tre-1", {PLACES[2]}, 3, names={"ho-2"}, creates=True)
    assert judge([child, far]).provisional == {"a"}
    assert judge([child, home, far]).authorised == {"a", "b", "c"}
    assert judge([child, home, far, stranger]).authorised == {"a", "b", "c"}


def test_of_two_children_whom_one_arrival_lets_in_the_first_to_arrive_goes_first() -> None:
    first = claimed("a", "tre-1", {PLACES[0]}, 1, names={"ho-1"}, creates=True)
    second = claimed("x", "tre-1", {PLACES[2]}, 2, names={"ho-2"}, creates=True)
    both = {PLACES[0], PLACES[2]}
    homes = [
        claimed("h", "ho-1", both, 3, names={PLACES[0]}, creates=True),
        claimed("h", "ho-2", both, 3, names={PLACES[2]}, creates=True),
    ]
    assert judge([first, second, *homes]).authorised == {"a", "h"}
    assert judge([replace(first, arrived=2), replace(second, arrived=1), *homes]).authorised == {"x", "h"}


def test_a_submission_of_several_entities_is_taken_in_as_a_whole_or_not_at_all() -> None:
    home = claimed("a", "ho-1", {PLACES[0]}, 1, names={PLACES[0]}, creates=True)
    far = claimed("b", "ho-2", {PLACES[2]}, 2, names={PLACES[2]}, creates=True)
    mixed = [claimed("v", entity, {PLACES[0]}, 3) for entity in ("ho-1", "ho-2")]
    assert judge([home, far, *mixed]).authorised == {"a", "b"}
    assert judge([home, *mixed]).provisional == {"v"}


def test_an_update_that_arrives_before_its_create_waits_for_a_place() -> None:
    update = claimed("v", "ho-1", {PLACES[0]}, 1)
    create = claimed("c", "ho-1", {PLACES[0]}, 2, names={PLACES[0]}, creates=True)
    assert judge([update]).provisional == {"v"} == judge([update]).present
    assert judge([update, create]).authorised == {"c", "v"}
    elsewhere = replace(update, places=frozenset({PLACES[2]}))
    assert judge([elsewhere, create]).present == {"c"}


def test_a_child_born_into_a_household_that_moves_waits_for_it_like_the_move() -> None:
    """One update tells both and comes before the registration: the new place is not yet the household's."""
    born = claimed("u", "tre-1", {PLACES[0]}, 1, names={"ho-1"}, creates=True)
    moved = claimed("u", "ho-1", {PLACES[0]}, 1, names={PLACES[1]})
    create = claimed("c", "ho-1", {PLACES[0]}, 2, names={PLACES[0]}, creates=True)
    assert judge([born, moved]).provisional == {"u"}
    assert judge([born, moved, create]).authorised == {"c", "u"}
    far = replace(create, sub="f", places=frozenset({PLACES[2]}), names=frozenset({PLACES[2]}))
    assert judge([born, moved, far]).present == {"f"}


def test_an_update_places_nothing_by_itself() -> None:
    update = claimed("v", "ho-1", {PLACES[0]}, 1, names={PLACES[0]})
    assert judge([update]).authorised == set()
    assert judge([update]).places == {"ho-1": frozenset()}


def test_an_assignment_to_a_hamlet_includes_its_areas_unknown_one_and_no_other() -> None:
    create = claimed("c", "ho-1", {"2025.31135"}, 1, names={"2025.31135/00"}, creates=True)
    visits = [claimed(f"v{n}", "ho-1", {place}, 2) for n, place in enumerate(HELD)]
    assert judge([create, *visits]).authorised == {"c", "v0", "v1", "v3"}


def test_the_protected_half_follows_its_child() -> None:
    create = claimed("c", "ho-1", {PLACES[0]}, 1, names={PLACES[0]}, creates=True)
    child = claimed("c", "tre-1", {PLACES[0]}, 1, names={"ho-1"}, creates=True)
    told = [claimed("v", "tre-1", {PLACES[0]}, 2), claimed("v", "tre-1!", {PLACES[0]}, 2, owner="tre-1")]
    strange = [claimed("x", "tre-1", {PLACES[2]}, 2), claimed("x", "tre-1!", {PLACES[2]}, 2, owner="tre-1")]
    assert judge([create, child, *told, *strange]).authorised == {"c", "v"}


def test_a_half_told_of_alone_is_for_those_who_may_write_its_child() -> None:
    create = claimed("c", "ho-1", {PLACES[0]}, 1, names={PLACES[0]}, creates=True)
    child = claimed("c", "tre-1", {PLACES[0]}, 1, names={"ho-1"}, creates=True)
    officer = claimed("o", "tre-1!", {"2025.31135"}, 2, owner="tre-1")
    stranger = claimed("x", "tre-1!", {"2025.31147"}, 2, owner="tre-1")
    assert judge([create, child, officer, stranger]).present == {"c", "o"}
    assert judge([officer, stranger]).provisional == {"o", "x"}


HERE, THERE = frozenset({"2025.31135/01"}), frozenset({"2025.31147/01"})


def report(sub: str, author: str, arrived: int, places: Iterable[str] = HERE, **more) -> Claimed:
    """A word on a report of something that happened in the other area."""
    more = {"names": {"2025.31147/!"}, "creates": True} | more
    return claimed(sub, "tin-1", places, arrived, anyone=True, author=author, **more)


def test_anybody_may_report_about_any_place_and_mend_what_he_reported() -> None:
    mended = report("b", "chị Bảy", 2)
    assert judge([report("a", "chị Bảy", 1), mended]).authorised == {"a", "b"}
    assert judge([replace(report("a", "chị Bảy", 1), arrived=3), mended]).authorised == {"a", "b"}


def test_nobody_else_writes_a_report_but_those_of_its_area() -> None:
    first = report("a", "chị Bảy", 1)
    others = [report("b", "anh Tư", 2, THERE), report("c", "anh Tư", 3, THERE, names=set(), creates=False)]
    officer = report("d", "cán bộ", 4, {"2025.31147"}, names=set(), creates=False)
    abroad = report("e", "cán bộ", 5, {"2025.31135"}, names=set(), creates=False)
    assert judge([first, *others, officer, abroad]).present == {"a", "d"}
    assert judge([officer]).provisional == {"d"}
