"""Generated worlds: a few people with phones write about one entity, and everything they saw is recorded.

A world is a list of steps that Hypothesis draws; playing it keeps, for every op, the *truth*: what really
stood on the author's screen and what he really changed. The server is given the ops alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st

from forms.entity_types import Cell, EntityType
from forms.values import blank
from sync.extract import Extraction
from sync.model import Act, Op, Standing, State, Writes
from tests.sync.types import CHILD, HOUSEHOLD, VALUES

ENTITY = "e-1"
FIRST = "op-00"
Values = dict[str, Any]


@dataclass(frozen=True)
class Truth:
    """What really happened when one op was made. `screen` holds every property the phone held, asked or not."""

    screen: Values
    changed: dict[str, Values]  # cell -> the cell as its author left it


@dataclass(frozen=True)
class World:
    """All ops of one entity in the order in which they reached the server."""

    kind: EntityType
    ops: Mapping[str, Op]
    truth: Mapping[str, Truth] = field(default_factory=dict)

    def extraction(self) -> Extraction:
        return Extraction(self.kind, self.ops)


@dataclass
class Phone:
    """`tells`: our client says in `seen` what was prefilled; otherwise it is a Collect, which does not."""

    author: str
    tells: bool
    skew: int
    suspect: bool
    areas: frozenset[str]
    snapshot: frozenset[str] = frozenset()
    page: Values | None = None
    mine: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Fill:
    """A form is filled: `answers` are (property, what is done with it, whether its field came prefilled)."""

    phone: int
    answers: tuple[tuple[str, int | str, bool], ...]
    wide: bool = True  # the form asks everything else too, prefilled and left alone
    back: int = 0  # a paper form of that many steps ago, typed in today


@dataclass(frozen=True)
class Exchange:
    phone: int
    send: str = "all"
    pull: bool = True


@dataclass(frozen=True)
class Rule:
    """The supervisor decides at the desk; `fresh`: he looked at the newest state first."""

    answers: tuple[tuple[str, int], ...]
    fresh: bool = True
    act: Act = Act.RESOLVE


Step = Fill | Exchange | Rule


class Play:
    """Plays the steps of one world."""

    def __init__(self, kind: EntityType, phones: list[Phone]) -> None:
        self.kind, self.phones = kind, phones
        self.desk: frozenset[str] = frozenset()
        self.made: dict[str, Op] = {}
        self.truth: dict[str, Truth] = {}
        self.server: dict[str, Op] = {}
        self.now = 1_000

    def create(self, sent: bool, answered: int) -> None:
        """The first phone registers the entity; if `sent`, everybody has it from then on."""
        said = {name: VALUES[name][0] if i < answered else None for i, name in enumerate(self.kind.properties)}
        for member in self.kind.placement.members:
            said[member.name] = VALUES[member.name][0]
        phone = self.phones[0]
        op = Op(FIRST, ENTITY, phone.author, self.now + phone.skew, said, creates=True, suspect=phone.suspect)
        self._keep(phone, op, {})
        if sent:
            self.exchange(Exchange(0, pull=False))
            for number in range(len(self.phones)):
                self.exchange(Exchange(number))
            self.desk = frozenset(self.server)

    def step(self, step: Step) -> None:
        self.now += 10
        if isinstance(step, Fill):
            self.fill(step)
        elif isinstance(step, Exchange):
            self.exchange(step)
        else:
            self.rule(step)

    def page(self) -> Values:
        """What the server would send now."""
        return dict(Extraction(self.kind, self.server).state().data) if self.server else {}

    def screen(self, phone: Phone) -> Values:
        """The page that the phone holds, with its own later changes, cell by cell."""
        screen = dict(phone.page or {})
        for sub in self._after(phone):
            for cell, value in self.truth[sub].changed.items():
                for member in self.kind.cells[cell].members:
                    screen.pop(member.name, None)
                screen |= value
        return screen

    def fill(self, step: Fill) -> None:
        phone = self.phones[step.phone]
        if phone.page is None and not phone.mine:
            return  # he has never heard of this entity
        screen = self.screen(phone)
        said: Values = {}
        loaded: set[str] = set()
        answers = {name: (deed, prefilled) for name, deed, prefilled in step.answers}
        for name in self.kind.properties:
            deed, prefilled = answers.get(name, ("keep" if step.wide else "absent", True))
            if deed == "absent":
                continue
            if prefilled:
                loaded.add(name)
            if isinstance(deed, int):
                said[name] = VALUES[name][deed]
            else:
                said[name] = screen.get(name) if prefilled and deed == "keep" else None
        seen = {name: screen.get(name) for name in loaded} if phone.tells else None
        op = Op(
            sub=f"op-{len(self.made):02}",
            entity=ENTITY,
            author=phone.author,
            t=self.now - 10 * step.back - 5 if step.back else self.now + phone.skew,
            said=said,
            snapshot=phone.snapshot,
            after=tuple(self._after(phone)),
            seen=seen,
            loaded=frozenset(loaded),
            late=bool(step.back),
            suspect=phone.suspect and not step.back,
            areas=phone.areas,
        )
        self._keep(phone, op, screen)

    def exchange(self, step: Exchange) -> None:
        phone = self.phones[step.phone]
        sent = {"none": [], "last": phone.unsent[-1:], "first": phone.unsent[:1], "all": phone.unsent}[step.send]
        for sub in list(sent):
            self.server[sub] = self.made[sub]
        phone.unsent = [sub for sub in phone.unsent if sub not in sent]
        stuck = phone.unsent and not phone.tells  # Collect keeps its own version of an entity until it is sent
        if step.pull and self.server and not stuck:
            phone.page, phone.snapshot = self.page(), frozenset(self.server)

    def rule(self, step: Rule) -> None:
        if step.fresh:
            self.desk = frozenset(self.server)
        if not self.desk:
            return
        said = {name: VALUES[name][choice] for name, choice in step.answers if name in self.kind.properties}
        op = Op(
            sub=f"op-{len(self.made):02}",
            entity=ENTITY,
            author="cán bộ",
            t=self.now,
            said=said,
            snapshot=self.desk,
            standing=Standing.SUPERVISOR,
            act=step.act,
        )
        held = {sub: self.server[sub] for sub in self.desk}
        screen = dict(Extraction(self.kind, held).state().data)
        self.made[op.sub] = self.server[op.sub] = op
        self.truth[op.sub] = Truth(screen, _changed(self.kind, op, screen))

    def finish(self) -> World:
        """Everything that is still on a phone arrives, the last phone first."""
        for number in reversed(range(len(self.phones))):
            self.exchange(Exchange(number, pull=False))
        return World(self.kind, dict(self.server), self.truth)

    def _after(self, phone: Phone) -> list[str]:
        return [sub for sub in phone.mine if sub not in phone.snapshot]

    def _keep(self, phone: Phone, op: Op, screen: Values) -> None:
        self.made[op.sub] = op
        self.truth[op.sub] = Truth(screen, _changed(self.kind, op, screen))
        phone.mine.append(op.sub)
        phone.unsent.append(op.sub)


def _changed(kind: EntityType, op: Op, screen: Values) -> dict[str, Values]:
    """The cells that the author meant to change, as he left them: the writes table, told from his side."""
    cells = ((cell, _left(cell, op, screen)) for cell in kind.cells.values())
    return {cell.name: left for cell, left in cells if left is not None}


def _left(cell: Cell, op: Op, screen: Values) -> Values | None:
    left = {p.name: screen[p.name] for p in cell.members if not blank(screen.get(p.name))}
    changed = False
    for member in (p for p in cell.members if p.name in op.said):
        answer, prefilled = op.said[member.name], member.name in op.loaded
        if blank(answer) and (cell.placement or (not prefilled and not op.rules)):
            continue
        changed |= op.rules or not prefilled or answer != screen.get(member.name)
        left.pop(member.name, None)
        if not blank(answer):
            left[member.name] = answer
    return left if changed else None


# --- strategies (built once: making them anew for every example costs more than playing it) ----------------


def _steps(names: tuple[str, ...]) -> st.SearchStrategy[list[Step]]:
    """Steps in which everybody is busy with these few properties, so that they collide."""
    deeds: st.SearchStrategy[int | str] = st.sampled_from([0, 1, 2, 0, 1, 2, "keep", "clear", "absent"])
    answer = st.tuples(st.sampled_from(names), deeds, st.sampled_from([True, True, True, False]))
    answers = st.lists(answer, min_size=1, max_size=len(names), unique_by=lambda a: a[0]).map(tuple)
    choices = st.lists(st.tuples(st.sampled_from(names), st.integers(0, 2)), min_size=1, max_size=2)
    phone = st.integers(0, 2)
    back = st.sampled_from([0, 0, 0, 0, 1, 4])
    fill = st.builds(Fill, phone=phone, answers=answers, wide=st.booleans(), back=back)
    send = st.sampled_from(["all", "all", "all", "first", "last", "none"])
    exchange = st.builds(Exchange, phone=phone, send=send, pull=st.sampled_from([True, True, False]))
    act = st.sampled_from([Act.CORRECT, Act.RESOLVE])
    rule = st.builds(Rule, answers=choices.map(tuple), fresh=st.booleans(), act=act)
    return st.lists(st.one_of(fill, fill, fill, exchange, exchange, rule), min_size=5, max_size=11)


def _phone(author: str) -> st.SearchStrategy[Phone]:
    return st.builds(
        Phone,
        author=st.just(author),
        tells=st.booleans(),
        skew=st.sampled_from([0, 0, -15, 15, -950, 5_000]),
        suspect=st.sampled_from([False, False, False, True]),
        areas=st.sampled_from([frozenset(VALUES["ward_code"][:n]) for n in (1, 2)]),
    )


def _played(kind: EntityType, phones: tuple[Phone, ...], sent: bool, answered: int, steps: list[Step]) -> Play:
    play = Play(kind, list(phones))
    play.create(sent, answered)
    for step in steps:
        play.step(step)
    return play


def _plays(kind: EntityType, *names: str) -> st.SearchStrategy[Play]:
    return st.builds(
        _played,
        kind=st.just(kind),
        phones=st.tuples(_phone("Chị Bảy"), _phone("Anh Tư"), _phone("Chị Út")),
        sent=st.sampled_from([True, True, True, False]),
        answered=st.integers(1, 8),
        steps=_steps(names),
    )


def _tampered(world: World, lies: list[tuple[str, int, list[int]]]) -> World:
    """Some phones lie: circles, self reference, ids that nobody sent, screens that never were."""
    ids = [*sorted(world.ops), "unknown-1", "unknown-2"]
    ops = dict(world.ops)
    for lie, number, others in lies:
        sub = ids[number % len(ops)]
        named = [ids[other % len(ids)] for other in others]
        op = ops[sub]
        ops[sub] = {
            "after": replace(op, after=tuple(named)),
            "longer": replace(op, after=(*op.after, *named)),
            "snapshot": replace(op, snapshot=frozenset(named)),
            "base": replace(op, base_ok=False, after=(), seen=None),
            "seen": replace(op, seen={name: VALUES[name][number % 3] for name in op.said}),
            "creates": replace(op, creates=not op.creates),
        }[lie]
    return World(world.kind, ops)


_LIES = st.lists(
    st.tuples(
        st.sampled_from(["after", "longer", "longer", "snapshot", "base", "seen", "creates"]),
        st.integers(0, 11),
        st.lists(st.integers(0, 13), max_size=3),
    ),
    min_size=1,
    max_size=5,
)
# Worlds that are still going on: play more steps, then `finish()`.
CHILD_PLAYS = st.one_of(
    _plays(CHILD, "full_name"),
    _plays(CHILD, "risk_now", "household"),
    _plays(CHILD, "phone", "phone_owner"),
    _plays(CHILD, "birth_order", "school", "grade"),
)
HOUSEHOLD_PLAYS = st.one_of(
    _plays(HOUSEHOLD, "ward_code", "hamlet_code"), _plays(HOUSEHOLD, "head_name", "address", "hamlet_code")
)
WORLDS = st.one_of(CHILD_PLAYS, CHILD_PLAYS, HOUSEHOLD_PLAYS).map(Play.finish)
HOSTILE = st.builds(_tampered, WORLDS, _LIES)
ANY = st.one_of(WORLDS, HOSTILE)


# --- a server that takes in batches ---------------------------------------------------------------------


class Incremental:
    """Takes ops in batches and carries the derived writes over, but for those whose predecessors just came."""

    def __init__(self, kind: EntityType) -> None:
        self.kind = kind
        self.ops: dict[str, Op] = {}
        self.derived: dict[str, Writes] = {}

    def take(self, batch: Iterable[Op]) -> tuple[State, dict[str, Writes]]:
        new = {op.sub: op for op in batch if op.sub not in self.ops}
        self.ops |= new
        kept = {
            sub: writes
            for sub, writes in self.derived.items()
            if not new.keys() & ({*self.ops[sub].after} | self.ops[sub].snapshot)
        }
        extraction = Extraction(self.kind, self.ops, kept)
        state = extraction.state()
        self.derived = extraction.writes()
        return state, self.derived
