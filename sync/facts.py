"""What is frozen at the first receipt of a submission, because it depends on when it came and from whom."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sync.arrival import Arrival
from sync.authority import Author
from sync.batch import DeviceClock
from sync.clocks import Observed, normalise
from sync.times import local_date


@dataclass(frozen=True)
class Facts:
    """`arrived` orders first receipts on one server. `places` are what the author held when it was received or
    observed, `supervises` the areas of which he was a supervisor when it was received. `home` is where it is kept
    if it cannot be placed. `enrolled` and `clock` belong to the installation. Times in ms.
    """

    received: int
    arrived: int
    places: frozenset[str]
    supervises: frozenset[str]
    home: str
    enrolled: int
    clock: DeviceClock | None

    def t(self, arrival: Arrival, not_before: int | None) -> Observed:
        """When the submission was observed; `not_before` is the newest thing that its author had seen."""
        item = arrival.item
        obs = (item.obs if item else None) or {}
        late = bool(item and item.entered_late) or arrival.restated is not None
        stated = arrival.restated if arrival.restated is not None else arrival.observed
        boot, mono = obs.get("boot"), obs.get("mono_ms")
        return normalise(stated, self.received, self.clock, boot, mono, late, not_before)


def freeze(arrival: Arrival, author: Author, index: int) -> Facts:
    """The facts of an arrival, the `index`-th of its transaction."""
    received = arrival.received
    today, then = local_date(received), local_date(arrival.observed)
    return Facts(
        received=received,
        arrived=received * 1000 + index,
        places=author.places((today, then)),
        supervises=author.supervises(today),
        home=author.home(then),
        enrolled=arrival.sender.enrolled,
        clock=arrival.clock,
    )


def at_home(arrival: Arrival, facts: Facts) -> Arrival:
    """What the author gave no place, and may leave without one, lives in his area."""
    told = tuple(
        replace(one, said={**one.said, one.homeless: facts.home}) if one.homeless else one for one in arrival.told
    )
    return replace(arrival, told=told)


def to_json(facts: Facts) -> dict[str, Any]:
    """As kept with the submission."""
    clock = facts.clock
    return {
        "arrived": facts.arrived,
        "places": sorted(facts.places),
        "supervises": sorted(facts.supervises),
        "home": facts.home,
        "enrolled": facts.enrolled,
        "clock": [clock.wall, clock.boot, clock.mono] if clock else None,
    }


def from_json(stored: Mapping[str, Any], received: int) -> Facts:
    """The facts as they were kept; of a submission from before they were, what can still be said."""
    clock = stored.get("clock")
    return Facts(
        received=received,
        arrived=stored.get("arrived", received * 1000),
        places=frozenset(stored.get("places", ())),
        supervises=frozenset(stored.get("supervises", ())),
        home=stored.get("home", ""),
        enrolled=stored.get("enrolled", 0),
        clock=DeviceClock(*clock) if clock else None,
    )
