"""A few people with phones and two supervisors work on one entity, and everything they saw is recorded.

Playing keeps, for every op, the truth: what really stood on the author's screen and what he really changed. The
server is given the ops alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from forms.entity_types import EntityType
from sync.state.extract import Extraction
from sync.state.model import Act, Op, Standing, State, Writes
from tests.sync.actors import Answer, Desk, Phone, World
from tests.sync.truth import Truth, Values, changed, mended, overlaid
from tests.sync.types import VALUES

ENTITY = "e-1"
FIRST = "op-00"
FREEING = (Act.ACCEPT, Act.REPAIR)


class Play:
    """Plays the steps of one world."""

    def __init__(self, kind: EntityType, phones: list[Phone]) -> None:
        self.kind, self.phones = kind, phones
        self.desks = [Desk("cán bộ Hạnh"), Desk("cán bộ Phúc")]
        self.made: dict[str, Op] = {}
        self.truth: dict[str, Truth] = {}
        self.arrived: dict[str, Op] = {}
        self.held: set[str] = set()
        self.now = 1_000
        self._states: dict[tuple[int, frozenset[str]], State] = {}
        self._derived: dict[str, tuple[str, Writes]] = {}

    # --- the server ---

    @property
    def present(self) -> frozenset[str]:
        """The ops that count now."""
        return frozenset(self.arrived.keys() - self.held)

    def state(self, subs: frozenset[str]) -> State:
        """What the server makes of these ops; it keeps what it derived, as a real one does."""
        key = (self.kind.version, subs)
        if key not in self._states:
            ops = {sub: op for sub, op in self.arrived.items() if sub in subs}
            extraction = Extraction(self.kind, ops, self._derived)
            self._states[key] = extraction.state()
            self._derived |= {sub: (extraction.keys[sub], writes) for sub, writes in extraction.writes().items()}
        return self._states[key]

    def page(self, subs: frozenset[str]) -> Values:
        """What the server would send if these were the ops that count."""
        return dict(self.state(subs).data) if subs else {}

    def hold(self, sub: str) -> None:
        """Hold a submission, unless a supervisor has taken it in."""
        if not any(op.target == sub and op.act in FREEING for op in self.arrived.values()):
            self.held.add(sub)

    def release(self, subs: Iterable[str] | None = None) -> None:
        self.held -= set(self.held if subs is None else subs)

    # --- phones ---

    def create(self, sent: bool, answered: int) -> None:
        """The first phone registers the entity; if `sent`, everybody has it from then on."""
        said = {name: VALUES[name][0] if i < answered else None for i, name in enumerate(self.kind.properties)}
        placed = (prop for prop in self.kind.properties.values() if prop.placement)
        said |= {prop.name: VALUES[prop.name][0] for prop in placed}
        phone = self.phones[0]
        op = Op(FIRST, ENTITY, phone.author, self.now + phone.skew, said, creates=True, suspect=phone.suspect)
        self._keep(phone, op, Truth({}, made := changed(self.kind, op, {}), made))
        if sent:
            self.exchange(0, pull=False)
            for number in range(len(self.phones)):
                self.exchange(number)
            for desk in self.desks:
                desk.snapshot = self.present

    def screen(self, phone: Phone) -> Values:
        """The page that the phone holds, with its own later changes, cell by cell."""
        screen = dict(phone.page or {})
        shown = (phone.snapshot | {*phone.chain}) - phone.rejected
        for sub in phone.chain:
            if sub in shown and not self._mended_on_the_page(sub, phone):
                alone = self.made[sub].amends not in shown
                truth = self.truth[sub]
                screen = overlaid(self.kind, screen, truth.changed if alone else truth.shows)
        return screen

    def fill(self, number: int, answers: Mapping[str, Answer], back: int = 0, day: str | None = None) -> str | None:
        """A form is filled; `back`: a paper form of that many steps ago, typed in today."""
        phone = self.phones[number]
        if phone.page is None and not phone.mine:
            return None  # he has never heard of this entity
        screen = self.screen(phone)
        said: Values = {}
        for name, answer in answers.items():
            if answer.deed == "keep":
                said[name] = screen.get(name) if answer.prefilled else None
            elif answer.deed != "absent":
                said[name] = None if answer.deed == "clear" else answer.deed
        loaded = frozenset(name for name in said if answers[name].prefilled)
        op = replace(
            self._blank(phone),
            t=self.now - 10 * back - 5 if back else self.now + phone.skew,
            said=said,
            seen={name: screen.get(name) for name in loaded} if phone.tells else None,
            loaded=loaded,
            late=bool(back),
            suspect=phone.suspect and not back,
            day=day,
        )
        made = changed(self.kind, op, screen)
        self._keep(phone, op, Truth(screen, made, made, phone.version))
        return op.sub

    def amendable(self, number: int) -> list[str]:
        """A phone's own visits that it has not mended yet."""
        mine = self.phones[number].mine
        done = {self.made[sub].amends for sub in mine}
        return [sub for sub in mine if self.made[sub].act is Act.VISIT and sub not in done]

    def amend(self, number: int, which: int, answers: Mapping[str, Answer], day: str | None = None) -> str | None:
        """The author mends one of his submissions, the last of its chain, on the screen that it was filled on."""
        phone, own = self.phones[number], self.amendable(number)
        if not own:
            return None
        before = self.made[own[which % len(own)]]
        said = dict(before.said)
        for name, answer in answers.items():
            if answer.deed == "absent":
                said.pop(name, None)
            elif answer.deed != "keep":
                said[name] = None if answer.deed == "clear" else answer.deed
        op = replace(
            before, sub=self._id(), t=self.now + phone.skew, said=said, amends=before.sub, suspect=phone.suspect
        )
        if day is not None and day != before.day:
            op = replace(op, day=day, t=500 + 10 * int(day), late=True, suspect=False)
        screen, version = self.truth[before.sub].screen, self.truth[before.sub].version
        truth = Truth(screen, changed(self.kind, op, screen), mended(self.kind, before, op, screen), version)
        self._keep(phone, op, truth)
        return op.sub

    def ask_to_delete(self, number: int) -> None:
        phone = self.phones[number]
        if phone.page is not None or phone.mine:
            op = replace(self._blank(phone), act=Act.DELETE, t=self.now + phone.skew)
            self._keep(phone, op, Truth(self.screen(phone), version=phone.version))

    def exchange(self, number: int, send: str = "all", pull: bool = True, hold: bool = False) -> None:
        """What is sent reaches the server (and is held there); then the phone pulls, if it may."""
        phone = self.phones[number]
        sent = {"none": [], "last": phone.unsent[-1:], "first": phone.unsent[:1], "all": phone.unsent}[send]
        for sub in list(sent):
            self.arrived[sub] = self.made[sub] = replace(self.made[sub], schema=self.kind.version)
            if hold:
                self.hold(sub)
        phone.unsent = [sub for sub in phone.unsent if sub not in sent]
        stuck = phone.unsent and not phone.tells  # Collect keeps its own version of an entity until it is sent
        if pull and self.present and not stuck:
            phone.snapshot, phone.version = self.present, self.kind.version
            state = self.state(phone.snapshot)
            phone.page = dict(state.data)
            phone.rejected = frozenset(s for s, verdict in state.verdicts.items() if verdict.act is Act.REJECT)
            # Collect's own version is overwritten; our client keeps showing what does not count yet.
            phone.chain = [s for s in phone.mine if s not in phone.snapshot] if phone.tells else []

    # --- desks ---

    def look(self, number: int) -> None:
        self.desks[number].snapshot = self.present

    def rule(self, number: int, said: Values, act: Act) -> None:
        """A supervisor's word on values, or a deletion or restore, having seen what was on his desk."""
        desk = self.desks[number]
        if desk.snapshot:
            op = self._act(desk, act, said)
            screen = self.page(desk.snapshot)
            self.truth[op.sub] = Truth(screen, changed(self.kind, op, screen), version=self.kind.version)

    def listed(self, number: int) -> list[str]:
        """The submissions on a desk, those that are held included."""
        return sorted(sub for sub in self.desks[number].snapshot | self.held if self.made[sub].act is Act.VISIT)

    def about(self, number: int, act: Act, which: int, patch: Mapping[str, Answer]) -> None:
        """An act on one of the submissions that he sees; of a repair, with the answers that are read instead."""
        desk, visits = self.desks[number], self.listed(number)
        if visits:
            target = self.made[visits[which % len(visits)]]
            said: Values = {}
            if act is Act.REPAIR:
                new = {n: None if a.deed == "clear" else a.deed for n, a in patch.items() if a.deed != "keep"}
                said = {n: value for n, value in (dict(target.said) | new).items() if value != "absent"}
            op = self._act(desk, act, said, target.sub)
            self.truth[op.sub] = Truth(self.page(desk.snapshot), version=self.kind.version)
            if act in FREEING:
                self.release([target.sub])

    # --- the end ---

    def finish(self, release: bool = True) -> World:
        """Everything that is still on a phone arrives, the last phone first; what is held is released."""
        for number in reversed(range(len(self.phones))):
            self.exchange(number, pull=False)
        if release:
            self.release()
        ops = {sub: op for sub, op in self.arrived.items() if sub not in self.held}
        return World(self.kind, ops, self.truth, {sub: self.arrived[sub] for sub in self.held})

    def _mended_on_the_page(self, sub: str, phone: Phone) -> bool:
        """Whether the page holds an amendment of a submission that is not on it, because that was held."""
        later = [own for own in phone.mine if self.made[own].amends == sub]
        return any(own in phone.snapshot or self._mended_on_the_page(own, phone) for own in later)

    def _id(self) -> str:
        return f"op-{len(self.made):02}"

    def _blank(self, phone: Phone) -> Op:
        """An op on the screen that the phone has now."""
        return Op(
            sub=self._id(),
            entity=ENTITY,
            author=phone.author,
            t=self.now,
            said={},
            snapshot=phone.snapshot,
            after=tuple(phone.chain),
            seen={} if phone.tells else None,
            places=phone.places,
        )

    def _keep(self, phone: Phone, op: Op, truth: Truth) -> None:
        self.made[op.sub], self.truth[op.sub] = op, truth
        for own in (phone.mine, phone.chain, phone.unsent):
            own.append(op.sub)

    def _act(self, desk: Desk, act: Act, said: Values, target: str | None = None) -> Op:
        op = Op(
            sub=self._id(),
            entity=ENTITY,
            author=desk.name,
            t=self.now,
            said=said,
            snapshot=desk.snapshot,
            standing=Standing.SUPERVISOR,
            act=act,
            schema=self.kind.version,
            target=target,
        )
        self.made[op.sub] = self.arrived[op.sub] = op
        return op
