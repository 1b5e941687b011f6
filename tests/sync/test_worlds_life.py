"""A deletion covers only what its author had seen, and only a supervisor deletes."""

from hypothesis import given
from hypothesis import strategies as st

from sync.state.model import Act, Op, Standing
from tests.sync.actors import Answer, World
from tests.sync.hostile import anything
from tests.sync.play import Play
from tests.sync.profile import PROFILE
from tests.sync.types import CONTACTS, NAMES
from tests.sync.worlds import LIVES, plays

FEW = (CONTACTS, NAMES)


RULINGS = (Act.RESOLVE, Act.CORRECT, Act.DELETE, Act.RESTORE)


def said(op: Op, dead: bool) -> bool:
    """Whether a supervisor ruled on `$delete`."""
    return op.standing is Standing.SUPERVISOR and op.act in RULINGS and op.said.get("$delete") is dead


class Lives:
    """The rule, worked out slowly."""

    def __init__(self, world: World) -> None:
        extraction = world.extraction()
        self.state, self.known = extraction.state(), extraction.frame.known
        here = [op for sub, op in world.ops.items() if sub not in extraction.frame.rejected]
        self.deaths = {op.sub for op in here if op.act is Act.DELETE or said(op, True)}
        firm = [op for op in here if op.standing is Standing.SUPERVISOR]
        self.births = {op.sub for op in firm if op.act is Act.RESTORE or said(op, False)}
        self.rulings = {op.sub for op in firm if op.sub in self.deaths} | self.births
        entries = (entry for cell in self.state.cells.values() for entry in cell.entries)
        self.edits = {entry.op for entry in entries if entry.gone is None}

    def open(self) -> set[str]:
        """The deletions that no later decision has replaced."""
        return {d for d in self.deaths if not any(d in self.known[r] for r in self.rulings if r != d)}

    def unseen(self, death: str) -> set[str]:
        return {e for e in (self.edits | self.births) - {death} if e not in self.known[death]}


@PROFILE
@given(anything(*FEW, among=LIVES))
def test_an_entity_is_dead_only_if_a_supervisor_saw_all_that_was_said_of_it(world: World) -> None:
    lives = Lives(world)
    life, rulings = lives.state.life, lives.open() & lives.rulings
    informed = {death for death in rulings if not lives.unseen(death)}
    assert life.dead == bool(informed)
    assert life.by in informed if life.dead else life.by is None
    if life.dead or not lives.open():
        assert life.conflict is None
    else:
        assert life.conflict is not None and life.conflict.cell == "$delete"
        unseen = set().union(*(lives.unseen(death) for death in rulings))
        assert set(life.conflict.members) == lives.open() | unseen


@PROFILE
@given(play=plays(*FEW, among=LIVES), number=st.integers(0, 2))
def test_an_edit_that_the_supervisor_had_not_seen_keeps_the_entity(play: Play, number: int) -> None:
    play.finish()
    play.look(0)
    play.rule(0, {}, Act.DELETE)
    deletion = max(play.arrived)
    assert play.state(play.present).life.dead
    name = "phone" if "phone" in play.kind.properties else "full_name"
    edit = play.fill(number, {name: Answer("giá trị mới")})
    play.exchange(number, pull=False)
    life = play.state(play.present).life
    if edit is None:
        assert life.dead
        return
    assert not life.dead and life.conflict is not None
    assert {deletion, edit} <= {*life.conflict.members}
    play.look(1)
    play.rule(1, {"$delete": number == 0}, Act.RESOLVE)
    decided = play.state(play.present).life
    assert (decided.dead, decided.conflict) == (number == 0, None)


@PROFILE
@given(play=plays(*FEW, among=LIVES), number=st.integers(0, 2))
def test_a_form_that_changed_nothing_brings_nobody_back(play: Play, number: int) -> None:
    play.finish()
    play.exchange(number)
    play.look(0)
    play.rule(0, {}, Act.DELETE)
    play.fill(number, {name: Answer("keep") for name in play.kind.properties if name != "nutrition"})
    play.exchange(number, pull=False)
    assert play.state(play.present).life.dead


@PROFILE
@given(play=plays(*FEW, among=LIVES), number=st.integers(0, 2))
def test_a_collaborator_only_asks_to_delete_and_a_restore_gives_back(play: Play, number: int) -> None:
    play.finish()
    play.look(0)
    play.rule(0, {}, Act.RESTORE)
    life = play.state(play.present).life
    assert not life.dead and life.conflict is None
    play.exchange(number)
    play.ask_to_delete(number)
    request = max(play.made)
    play.exchange(number, pull=False)
    life = play.state(play.present).life
    if play.made[request].act is Act.DELETE and request in play.phones[number].mine:
        assert not life.dead and life.conflict is not None
        assert life.conflict.members == (request,)
