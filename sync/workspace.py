"""The entities that one transaction works on, in memory, each with its log; grows op by op."""

from collections.abc import Iterable, Mapping

from forms.entity_types import EntityType, protected_id
from sync.authority import PROTECTION, Author
from sync.danger import Alarm
from sync.places import UNKNOWN_HAMLET
from sync.ports import Ledger, OpRow, StateRow, Transaction
from sync.thing import Thing, owner_of

ROUNDS = 5  # from an entity to its household, to who waits for that, to what else those speak of


class Workspace:
    """All entities of a transaction, and those beside them that decide where they live and who may write them."""

    def __init__(
        self, tx: Transaction, types: Mapping[str, EntityType], ids: Iterable[str], subs: Iterable[str] = ()
    ) -> None:
        self.tx, self.types = tx, types
        self._ledgers: dict[str, Ledger] = {}
        self._asked: set[str] = set()
        self.things: dict[str, Thing] = {}
        self._waiting: dict[str, set[str]] = {}  # key -> entities of those who wait for it
        self._touching: dict[str, frozenset[str]] = {}
        self._by_sub: dict[str, set[str]] = {}
        self._by_home: dict[str, set[str]] = {}
        self._authors: dict[str, Author] = {}
        self._states: dict[str, StateRow | None] = {}
        self.here: frozenset[str] = frozenset()  # of the files that the batch names
        self.alarms: dict[str, Alarm] = {}  # by submission: danger that is told where it does not count yet
        self.load(ids, subs)

    def load(self, ids: Iterable[str], subs: Iterable[str] = ()) -> None:
        """Read these entities, and those on which their authority depends, in a few statements."""
        wanted, keys = set(ids), set(subs)
        for _ in range(ROUNDS):
            missing = sorted(wanted - self._asked)
            if not missing and not keys:
                return
            self._asked |= set(missing)
            found = self.tx.ledgers(missing) if missing else {}
            self._ledgers.update(found)
            for ident, ledger in found.items():
                for entry in ledger.ops:
                    self._index(ident, entry)
            waiting = self.tx.waiting(sorted({*missing, *keys}))
            for one in waiting:
                self._waiting.setdefault(one.key, set()).add(one.entity)
            held = {entry.op.sub for ledger in found.values() for entry in ledger.ops if not entry.present}
            held -= self._touching.keys()
            if held:
                self._touching |= {sub: frozenset() for sub in held} | dict(self.tx.touching(sorted(held)))
            homes = {home for ledger in found.values() for home in self._named(ledger)}
            halves = {protected_id(ident) for ident, ledger in found.items() if self._has_half(ledger)}
            beside = {ident for sub in held for ident in self._touching[sub]}
            wanted, keys = homes | halves | beside | {one.entity for one in waiting}, set()

    def find(self, ident: str) -> Thing | None:
        """An entity of which anything is known, or None."""
        if ident not in self._asked:
            self.load([ident])
        if ident not in self.things and ident in self._ledgers:
            ledger = self._ledgers[ident]
            kind = _type(ledger, self.types)
            if kind is not None:
                self.things[ident] = Thing(ident, self.types[kind], ledger.row, list(ledger.ops))
        return self.things.get(ident)

    def obtain(self, kind: str, ident: str) -> Thing:
        """An entity that exists, or a new one without any op."""
        found = self.find(ident)
        if found is None:
            found = self.things[ident] = Thing(ident, self.types[kind], None, [])
        return found

    def add(self, thing: Thing, entry: OpRow) -> None:
        """Take note of an op that does not count yet."""
        thing.add(entry)
        self._index(thing.id, entry)

    def touching(self, sub: str) -> list[Thing]:
        """The things in whose logs a submission has an op."""
        if sub not in self._touching:
            self.learn([sub])
        return self._all({*self._touching[sub], *self._by_sub.get(sub, ())})

    def learn(self, subs: Iterable[str]) -> None:
        """Read in one statement which entities these submissions touch, and those entities in another."""
        missing = sorted(set(subs) - self._touching.keys())
        if missing:
            found = self.tx.touching(missing)
            self._touching |= {sub: found.get(sub, frozenset()) for sub in missing}
            self.load(ident for entities in found.values() for ident in entities)

    def authors(self, ids: Iterable[str]) -> Mapping[str, Author]:
        """These users, each read once."""
        missing = sorted(set(ids) - self._authors.keys())
        if missing:
            self._authors |= self.tx.authors(missing)
        return self._authors

    def state(self, sub: str) -> StateRow | None:
        """The stored state of a submission."""
        self.learn_states([sub])
        return self._states[sub]

    def learn_states(self, subs: Iterable[str]) -> None:
        """Read the stored states of these submissions in one statement."""
        missing = sorted(set(subs) - self._states.keys())
        if missing:
            found = self.tx.states(missing)
            self._states |= {sub: found.get(sub) for sub in missing}

    def holding(self, sub: str) -> list[Thing]:
        """The things at hand in whose logs a submission has an op."""
        return self._all(self._by_sub.get(sub, ()))

    def speaking_of(self, ident: str) -> list[Thing]:
        """The reports about an entity, as far as they are stored."""
        return [thing for thing in self._all(self._waiting.get(ident, ())) if ident in thing.about]

    def waiting_for(self, key: str) -> list[Thing]:
        """The things of which some submission waits for this one."""
        amending = (t.id for t in self.things.values() if any(key == e.op.amends for e in t.log))
        return self._all({*self._waiting.get(key, ()), *amending})

    def beside(self, thing: Thing) -> list[Thing]:
        """The things that hang together with one: by a submission, or because one belongs to the other."""
        subs = {ident for entry in thing.log for ident in self._by_sub.get(entry.op.sub, ())}
        for entry in thing.log:
            if not entry.present:  # whatever a held submission speaks of decides about it
                subs |= {other.id for other in self.touching(entry.op.sub)}
        return self._all({*subs, *self._by_home.get(thing.id, ()), *thing.named} - {thing.id})

    def _all(self, ids: Iterable[str]) -> list[Thing]:
        return [thing for ident in sorted(ids) if (thing := self.find(ident)) is not None]

    def _index(self, ident: str, entry: OpRow) -> None:
        self._by_sub.setdefault(entry.op.sub, set()).add(ident)
        kind = self.types.get(entry.type)
        owner = owner_of(kind, entry) if kind is not None else None
        if owner is not None:
            self._by_home.setdefault(owner, set()).add(ident)

    def _named(self, ledger: Ledger) -> set[str]:
        """What an entity belongs to, as stored and as any op says."""
        kind = self.types.get(_type(ledger, self.types) or "")
        said = {owner_of(kind, entry) for entry in ledger.ops} if kind is not None else set()
        stored = ledger.row.household if ledger.row is not None else None
        return {owner for owner in {stored, *said} if owner is not None}

    def _has_half(self, ledger: Ledger) -> bool:
        kind = self.types.get(_type(ledger, self.types) or "")
        return kind is not None and kind.protected_half is not None

    @property
    def touched(self) -> list[Thing]:
        return [thing for thing in self.things.values() if thing.touched]


def place_of(space: Workspace, thing: Thing) -> tuple[str, str | None]:
    """(area, scope) where an entity lives as its state is now; the scope is None while nobody has placed it."""
    if thing.follows:
        child = space.find(str(thing.data.get("child", "")))
        area, scope = place_of(space, child) if child is not None else ("", None)
        return area, f"{area}/{PROTECTION}" if scope else None
    area = thing.row.area if thing.row else ""
    if not any(entry.present for entry in thing.log):
        return area, None
    data = thing.data
    if thing.kind.has_ward:
        ward = data.get("ward_code")
        part = PROTECTION if thing.hidden else data.get("hamlet_code") or UNKNOWN_HAMLET
        return (ward, f"{ward}/{part}") if ward else (area, None)
    home = space.find(str(data.get("household", "")))
    return place_of(space, home) if home is not None and home.row is not None else (area, None)


def _type(ledger: Ledger, types: Mapping[str, EntityType]) -> str | None:
    """The type of an entity; one of which everything is held has its type in what is said of it."""
    if ledger.row is not None:
        return ledger.row.type
    return next((entry.type for entry in ledger.ops if entry.type in types), None)
