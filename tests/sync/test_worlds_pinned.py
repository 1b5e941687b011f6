"""A change of an entity type changes how things are merged, never what somebody had seen."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.model import Act
from tests.sync.actors import World
from tests.sync.incremental import Incremental
from tests.sync.play import Play
from tests.sync.profile import PROFILE
from tests.sync.truth import changed
from tests.sync.types import EARLY, PINNED, about, kind_of, op, prop
from tests.sync.worlds import BYTES, FEW, go_on, plays

SPOKEN = (Act.VISIT, Act.CORRECT, Act.RESOLVE)


def upgraded(play: Play, steps: list[bytes]) -> World:
    """Everything that was on the phones arrives, the server is upgraded, and all go on with the new pages."""
    play.finish()
    play.kind = PINNED
    for number in range(len(play.phones)):
        play.exchange(number)
    go_on(play, steps, FEW)
    return play.finish()


def same_version(world: World, extraction: Extraction, sub: str) -> bool:
    """Whether the page was made under the version with which the submission was received."""
    source = world.ops[extraction.frame.reading(sub).screen]  # of an amendment what it mends
    return world.whole(sub) and world.truth[sub].version == source.schema


UPGRADED = st.builds(upgraded, plays(EARLY, among=FEW), st.lists(BYTES, min_size=1, max_size=8))


@PROFILE
@given(UPGRADED)
def test_the_screen_is_the_one_of_the_version_that_the_author_worked_with(world: World) -> None:
    extraction = world.extraction()
    for sub in world.ops:
        if same_version(world, extraction, sub):
            assert extraction.screen(sub) == world.truth[sub].screen, sub


@PROFILE
@given(UPGRADED)
def test_what_was_changed_then_is_what_is_written_now(world: World) -> None:
    extraction = world.extraction()
    for sub, one in world.ops.items():
        patched = any(act.act is Act.REPAIR and act.target == sub for act in world.ops.values())
        if patched or one.act not in SPOKEN or not same_version(world, extraction, sub):
            continue
        writes = extraction.writes()[sub]
        expected = changed(PINNED, one, world.truth[sub].screen)
        assert {name: (dict(w.value), w.added, w.removed) for name, w in writes.items()} == {
            name: (change.value, change.added, change.removed) for name, change in expected.items()
        }, sub


@PROFILE
@given(world=UPGRADED, data=st.data())
def test_the_new_state_follows_from_the_set_and_from_no_order(world: World, data: st.DataObject) -> None:
    server = Incremental(EARLY)
    mixed = data.draw(st.permutations(list(world.ops.values())))
    half = data.draw(st.integers(0, len(mixed)))
    server.take(mixed[:half])
    server.kind = PINNED
    state, writes = server.take(mixed[half:])
    assert state == world.extraction().state()
    assert writes == world.extraction().writes()


@PROFILE
@given(world=UPGRADED, version=st.sampled_from([0, 1, 3, 99]))
def test_a_version_that_is_not_known_is_read_as_the_next_known_one(world: World, version: int) -> None:
    ops = {sub: replace(one, schema=version) for sub, one in world.ops.items()}
    nearest = {sub: replace(one, schema=1 if version <= 1 else 2) for sub, one in world.ops.items()}
    assert Extraction(PINNED, ops).state() == Extraction(PINNED, nearest).state()


def test_a_set_that_was_one_answer_is_compared_with_the_one_that_stood_on_the_screen() -> None:
    """Version 1 showed the later of two answers; version 2 shows both. He took nothing away that he never saw."""
    create = op("c", 0, {"needs": None}, creates=True)
    a = op("a", 10, {"needs": ["gạo"]}, saw="c", author="Anh Tư")
    b = op("b", 20, {"needs": ["sách vở"]}, saw="c", author="Chị Út")
    assert Extraction(EARLY, {o.sub: o for o in (create, a, b)}).state().data["needs"] == ["sách vở"]
    left = op("v", 30, {"needs": ["sách vở"]}, saw="cab")
    more = op("w", 40, {"needs": ["sách vở", "xe lăn"]}, saw="cabv")
    extraction = Extraction(PINNED, {o.sub: o for o in (create, a, b, left, more)})
    assert extraction.screen("v")["needs"] == ["sách vở"]
    assert extraction.writes()["v"] == {}
    write = extraction.writes()["w"]["needs"]
    assert (sorted(write.added), sorted(write.removed)) == (["xe lăn"], [])
    assert extraction.state().data["needs"] == ["gạo", "sách vở", "xe lăn"]
    now = [replace(one, schema=2) for one in (create, a, b, left)]
    assert Extraction(PINNED, {o.sub: o for o in now}).writes()["v"]["needs"].removed == {"gạo"}


def test_a_name_that_was_two_answers_is_replaced_by_whoever_saw_both() -> None:
    early = kind_of(prop("dob", "date", "review"), prop("dob_precision", "code", "review"))
    kind = kind_of(
        prop("dob", "date", "review", group="birth"),
        prop("dob_precision", "code", "review", group="birth"),
        version=2,
        v1=early,
    )
    create = op("c", 0, {"dob": "2019-05-01", "dob_precision": "M"}, creates=True)
    visit = op("v", 10, {"dob": "2019-05-07", "dob_precision": "D"}, saw="c", author="Anh Tư")
    state = Extraction(kind, {"c": create, "v": visit}).state()
    assert state.data == {"dob": "2019-05-07", "dob_precision": "D"}
    assert not state.conflicts


def test_a_rejection_made_later_does_not_change_what_was_seen() -> None:
    create = op("c", 0, {"phone": "0912345678"}, creates=True, schema=2)
    wrong = op("a", 10, {"phone": "0900000001"}, saw="c", author="Anh Tư", schema=2)
    left = op("v", 20, {"phone": "0900000001", "needs": ["gạo"]}, saw="ca", schema=2)
    rejected = about(Act.REJECT, "a", "r", 30, saw="cav")
    ops = {o.sub: o for o in (create, wrong, left, rejected)}
    extraction = Extraction(PINNED, ops)
    assert extraction.screen("v") == {"phone": "0900000001"}
    assert set(extraction.writes()["v"]) == {"needs"}
    assert extraction.state().data == {"phone": "0912345678", "needs": ["gạo"]}
