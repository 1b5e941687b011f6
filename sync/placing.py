"""Who may write which entity: the least fixed point of the places that authorised submissions name.

An author may write an entity if he held an assignment to a place that the placement answers of any authorised
op of its log name, shown or not; of a child, to a place of any household that its ops name. So a visit made before
a move counts whether it arrives before the move or after. Computed before extraction, from answers alone.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sync.authority import covers


@dataclass(frozen=True)
class Claimed:
    """One submission's words on one entity, as authority sees them.

    `names` are places (`<area>/<hamlet>`) of a household, else the households that it names. A half that follows its
    child has it as `owner`. `anyone`: whoever sees a need may write it first (a report). `freed`: since when (as
    `arrived`) a supervisor has taken the submission in.
    """

    sub: str
    entity: str
    places: frozenset[str]
    arrived: int
    names: frozenset[str] = frozenset()
    household: bool = False
    creates: bool = False
    owner: str | None = None
    anyone: bool = False
    author: str = ""
    freed: int | None = None


@dataclass
class Judgement:
    """What came out: submissions that may write, those that wait for a place and count meanwhile, all places."""

    authorised: set[str] = field(default_factory=set)
    provisional: set[str] = field(default_factory=set)
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def present(self) -> set[str]:
        return self.authorised | self.provisional


def judge(claimed: Iterable[Claimed]) -> Judgement:
    """Judge all submissions that speak of these entities. A submission is taken in as a whole or not at all."""
    court = _Court(claimed)
    court.settle()
    return Judgement(court.authorised, court.provisional(), court.all_places())


class _Court:
    def __init__(self, claimed: Iterable[Claimed]) -> None:
        self.subs: dict[str, list[Claimed]] = {}
        self.named: dict[str, set[str]] = {}  # entity -> what authorised ops name
        self.households: set[str] = set()
        self.creators: dict[str, set[str]] = {}  # entity -> the authors of authorised ops that create it
        self.authorised: set[str] = set()
        for one in sorted(claimed, key=lambda c: (c.sub, not c.household, c.entity)):
            self.subs.setdefault(one.sub, []).append(one)
            if one.household:
                self.households.add(one.entity)

    def settle(self) -> None:
        """One arrival after the other, each as far as it leads: what comes later puts out nobody."""
        words = [one for words in self.subs.values() for one in words]
        chances = {(one.arrived, one.sub, False) for one in words}
        chances |= {(one.freed, one.sub, True) for one in words if one.freed is not None}
        waiting: list[str] = []
        for _, sub, freed in sorted(chances):
            if not freed:
                waiting.append(sub)
            elif sub not in self.authorised:
                self._take(sub)
            self._spread(waiting)

    def _spread(self, waiting: list[str]) -> None:
        """Take in those who may write now; of two whom one arrival lets in, the first to come goes first."""
        while True:
            waiting[:] = [sub for sub in waiting if sub not in self.authorised]
            found = next((sub for sub in waiting if all(self._may(one) for one in self.subs[sub])), None)
            if found is None:
                return
            self._take(found)

    def provisional(self) -> set[str]:
        """Those of which every word is covered or concerns something that nobody has placed yet."""
        return {
            sub
            for sub, words in self.subs.items()
            if sub not in self.authorised and all(self._may(one) or self._unplaced(one) for one in words)
        }

    def all_places(self) -> dict[str, frozenset[str]]:
        entities = {one.entity for words in self.subs.values() for one in words}
        return {entity: frozenset(self._places(entity)) for entity in entities}

    def _take(self, sub: str) -> None:
        self.authorised.add(sub)
        for one in self.subs[sub]:
            self.named.setdefault(one.entity, set()).update(one.names)
            if one.creates:
                self.creators.setdefault(one.entity, set()).add(one.author)

    def _places(self, entity: str) -> set[str]:
        named = self.named.get(entity, set())
        if entity in self.households:
            return named
        return {place for household in named for place in self.named.get(household, ())}

    def _own(self, one: Claimed) -> set[str]:
        """The places that a submission itself names for an entity."""
        if one.household:
            return set(one.names)
        beside = {c.entity: c.names for c in self.subs[one.sub] if c.household and c.creates}
        return {place for home in one.names for place in (*self._places(home), *beside.get(home, ()))}

    def _may(self, one: Claimed) -> bool:
        if one.anyone:
            creators = self.creators.get(one.entity, set())
            first = one.creates and not creators
            return first or one.author in creators or bool(one.places & self._areas(one.entity))
        if one.owner is not None and self._beside(one):
            return True  # the right to the child decides
        places = self._places(one.owner or one.entity)
        if not places and one.creates:
            places = self._own(one)
        return any(covers(one.places, place) for place in places)

    def _unplaced(self, one: Claimed) -> bool:
        """Nobody has placed the entity yet, and the submission itself does not put it where its author may not."""
        if one.anyone:
            return not one.creates and one.entity not in self.creators
        if one.owner is not None and self._beside(one):
            return False
        return not self._places(one.owner or one.entity) and not (one.creates and self._own(one))

    def _beside(self, one: Claimed) -> bool:
        """Whether the submission speaks of the owner, too."""
        return any(other.entity == one.owner for other in self.subs[one.sub])

    def _areas(self, entity: str) -> set[str]:
        return {place.partition("/")[0] for place in self.named.get(entity, ())}
