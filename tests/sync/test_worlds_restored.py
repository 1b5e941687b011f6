"""After a restore from a backup nothing is known of what some phones had seen. Unknown is concurrent, never newer."""

from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from sync.state.extract import Extraction
from sync.state.model import CellState, Entry, NoticeKind, Op, State
from tests.sync.actors import World
from tests.sync.play import ENTITY, Play
from tests.sync.profile import PROFILE
from tests.sync.truth import Values
from tests.sync.types import CONTACTS, MEASURES, NAMES, PAPERS, RANK, RISKS, SETS, VALUES
from tests.sync.worlds import Choices, plays

KINDS = (CONTACTS, NAMES, PAPERS, RISKS, SETS, MEASURES)
FORMS = st.lists(st.binary(min_size=12, max_size=12), min_size=1, max_size=3)


@dataclass
class Lost:
    """A phone whose page came from a history that the server has lost; it goes on filling in forms.

    `ops` are what it sends, the last one last; `wrote` what the earlier ones changed, by cell.
    """

    world: World
    ops: list[Op] = field(default_factory=list)
    wrote: dict[str, set[str]] = field(default_factory=dict)

    @property
    def last(self) -> Op:
        return self.ops[-1]

    @property
    def before(self) -> State:
        """What everybody else made of it, and this phone's earlier forms."""
        return self._state({op.sub: op for op in self.ops[:-1]})

    @property
    def after(self) -> State:
        return self._state({op.sub: op for op in self.ops})

    def writes(self, sub: str) -> Any:
        return Extraction(self.world.kind, {**self.world.ops, **{op.sub: op for op in self.ops}}).writes()[sub]

    def _state(self, more: dict[str, Op]) -> State:
        return Extraction(self.world.kind, {**self.world.ops, **more}).state()


def lost(play: Play, forms: list[bytes], tells: bool) -> Lost:
    found = Lost(play.finish())
    kind, first = play.kind, Choices(forms[0][::-1])
    page: Values = {name: first.pick([*VALUES[name], None]) for name in kind.properties}
    for number, data in enumerate(forms):
        choices, said, loaded = Choices(data), dict[str, Any](), set[str]()
        for name, prop in kind.properties.items():
            deed = choices.pick(["keep", "keep", "absent", *VALUES[name], "typed", "clear"])
            if deed == "typed":
                said[name] = choices.pick(VALUES[name])
            elif deed != "absent" and prop.policy != "series":
                loaded.add(name)
                said[name] = (
                    {"keep": page[name], "clear": None}.get(deed)
                    if isinstance(deed, str) and deed in ("keep", "clear")
                    else deed
                )
            elif deed not in ("absent", "keep", "clear"):
                said[name] = deed
        op = Op(
            f"mất-{number}",
            ENTITY,
            "Anh Tư",
            play.now + 10 * number,
            said,
            base_ok=False,
            after=tuple(op.sub for op in found.ops),
            seen={name: page[name] for name in loaded} if tells else None,
            loaded=frozenset(loaded),
        )
        if number + 1 < len(forms):
            for name, value in said.items():
                if name not in loaded or value != page[name]:
                    found.wrote.setdefault(kind.properties[name].cell, set()).add(op.sub)
                page[name] = value
        found.ops.append(op)
    return found


def losing(*kinds, tells: bool = False) -> st.SearchStrategy[Lost]:
    return st.builds(lost, plays(*(kinds or KINDS)), FORMS, st.just(tells))


def entry_of(cell: CellState | None, sub: str) -> Entry | None:
    return next((entry for entry in cell.entries if entry.op == sub), None) if cell is not None else None


def good(cell: CellState) -> bool:
    """Whether what shows rests on something that is known."""
    return not cell.current.suspect


@PROFILE
@given(losing())
def test_what_was_prefilled_from_a_lost_history_is_doubtful_and_what_was_typed_is_not(phone: Lost) -> None:
    op, kind = phone.last, phone.world.kind
    for name, write in phone.writes(op.sub).items():
        policy = kind.cells[name].policy
        prefilled = any(prop.name in op.loaded & op.said.keys() for prop in kind.cells[name].members)
        own = {own.sub for own in phone.ops[:-1] if name in phone.writes(own.sub)}
        assert write.blind == (policy != "series" and prefilled and not own), name
        assert write.replaces <= own


@PROFILE
@given(losing())
def test_a_doubtful_write_fills_what_is_empty_and_wins_over_nothing(phone: Lost) -> None:
    before, after, sub = phone.before, phone.after, phone.last.sub
    for name, cell in after.cells.items():
        entry, was = entry_of(cell, sub), before.cells.get(name)
        if entry is None or not entry.write.blind:
            continue
        policy = phone.world.kind.cells[name].policy
        if was is None:
            assert cell.value == entry.value
        elif policy == "highest":
            (prop,) = phone.world.kind.cells[name].members
            order = list(RANK) if prop.rank else VALUES[name]
            ranks = [order.index(state.value[name]) if name in state.value else -1 for state in (was, cell)]
            assert ranks[0] <= ranks[1]
            if ranks[0] < ranks[1]:
                told = any(not other.suspect for other in was.live)  # some good word says less
                assert [n.kind for n in cell.notices if n.op == sub] == [NoticeKind.DOUBTFUL] * told
        elif policy in ("union", "union_grow"):
            had, has = (set(state.value.get(name) or ()) for state in (was, cell))
            assert had <= has <= had | entry.write.added
            assert not entry.write.removed
        elif good(was) and (policy != "keep_first" or was.value):
            assert cell.value == was.value and cell.current == was.current
            if entry.value != cell.value:
                heard = {n.op for n in cell.notices} | {m for c in cell.conflicts for m in c.members}
                assert sub in heard
                asked = policy in ("review", "keep_first") and bool(entry.value or policy == "review")
                assert (sub in {m for c in cell.conflicts for m in c.members}) == asked


@PROFILE
@given(losing(SETS))
def test_a_doubtful_addition_does_not_bring_back_what_a_good_form_removed(phone: Lost) -> None:
    for name, cell in phone.after.cells.items():
        entry = entry_of(cell, phone.last.sub)
        if entry is None or not entry.write.blind:
            continue
        standing = [one for one in cell.entries if one.gone is None]
        for code in entry.write.added:
            adders = [one for one in standing if code in one.write.added]
            removals = [
                (adder.op, remover)
                for adder in adders
                for remover in standing
                if remover is not adder and code in remover.write.removed and adder.op in remover.knew
                if remover.rules or name != "sc_codes"
            ]
            removed = any(not remover.suspect for _, remover in removals)
            stands = any(not a.suspect and a.op not in {op for op, _ in removals} for a in adders)
            shows = code in (cell.value.get(name) or ())
            assert shows == (stands or not removed)
            if not shows:
                assert any(n.op == entry.op and n.kind is NoticeKind.DOUBTFUL for n in cell.notices)


@PROFILE
@given(losing(tells=True))
def test_who_tells_what_he_saw_is_taken_at_his_word_but_knows_of_nobody_else(phone: Lost) -> None:
    op, own = phone.last, {op.sub for op in phone.ops[:-1]}
    for name, write in phone.writes(op.sub).items():
        assert not write.blind and write.replaces <= own
        entry = entry_of(phone.after.cells.get(name), op.sub)
        assert entry is None or entry.knew == own
    seen = op.seen or {}
    untouched = {name for name in op.said if name in seen and op.said[name] == seen[name]}
    for name in phone.world.kind.cells:
        members = {prop.name for prop in phone.world.kind.cells[name].members}
        if members & op.said.keys() <= untouched and not any(
            p.confirms for p in phone.world.kind.cells[name].members
        ):
            assert name not in phone.writes(op.sub)


@PROFILE
@given(losing(CONTACTS))
def test_what_its_own_earlier_form_wrote_is_replaced_and_not_doubted(phone: Lost) -> None:
    last = replace(phone.last, said={"phone": "0977000111"}, loaded=frozenset({"phone"}))
    phone.ops[-1] = last
    own = {op.sub for op in phone.ops[:-1] if "contact" in phone.writes(op.sub)}
    write = phone.writes(last.sub)["contact"]
    assert write.blind == (not own)
    if own:
        live = {entry.op for entry in phone.after.cells["contact"].live}
        assert last.sub in live and not live & own
