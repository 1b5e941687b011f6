"""Areas and hamlets. An area's key is `<ward list>.<code>`: in 2025 the codes were given new meanings.

A code of an earlier list is placed by the map of that list; one that was split names several candidates. So are
the hamlets of an earlier ward: two wards that became one both had a hamlet 01.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

UNKNOWN_HAMLET = "00"


@dataclass(frozen=True)
class Ward:
    """A commune or ward; `key` is `<list>.<code>`."""

    key: str
    name: str


@dataclass(frozen=True)
class Hamlet:
    """A part of a ward (ấp, khu vực); `code` is unique within its ward."""

    ward: str
    code: str
    name: str


Place = tuple[str, str]  # (ward key, hamlet code)


@dataclass(frozen=True)
class Places:
    """What is known of places: wards of the list in force, hamlets, and where earlier wards and hamlets went."""

    wards: Mapping[str, Ward]
    hamlets: Mapping[Place, Hamlet]
    successors: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    moved_hamlets: Mapping[Place, Place] = field(default_factory=dict)

    def areas(self, key: str) -> tuple[str, ...]:
        """The areas of today that a ward key may mean: one, several (it was split), or none (unknown)."""
        if key in self.wards:
            return (key,)
        return self.successors.get(key, ())

    def hamlet(self, area: str, stated_ward: str, code: str | None) -> str:
        """The code in `area` of the hamlet stated as `code` of `stated_ward` (a ward key, perhaps an earlier one).

        `00` where that is not known, or where the hamlet went to another area.
        """
        stated = (stated_ward, code or "")
        ward, found = self.moved_hamlets.get(stated, stated)
        return found if ward == area and (ward, found) in self.hamlets else UNKNOWN_HAMLET

    def scope(self, area: str, hamlet: str) -> str:
        """The scope in which the entities of a hamlet are read."""
        return f"{area}/{hamlet}"


def build_places(
    wards: Iterable[Ward],
    hamlets: Iterable[Hamlet],
    moved: Iterable[tuple[str, str]],
    moved_hamlets: Iterable[tuple[Place, Place]] = (),
) -> Places:
    """Places from rows; `moved` pairs an earlier ward's key with one of its successors.

    `moved_hamlets` pairs an earlier hamlet with the one that it became.
    """
    successors: dict[str, list[str]] = {}
    for before, after in moved:
        successors.setdefault(before, []).append(after)
    return Places(
        {ward.key: ward for ward in wards},
        {(hamlet.ward, hamlet.code): hamlet for hamlet in hamlets},
        {before: tuple(sorted(after)) for before, after in successors.items()},
        dict(moved_hamlets),
    )
