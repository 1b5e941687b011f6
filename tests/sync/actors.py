"""Who takes part in a world: phones, desks; and what is left when everything has arrived."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from forms.entity_types import EntityType
from sync.state.extract import Extraction
from sync.state.model import Op
from tests.sync.truth import Truth, Values


@dataclass(frozen=True, repr=False)
class World:
    """All ops of one entity that count, in the order in which they reached the server; and those that are held."""

    kind: EntityType
    ops: Mapping[str, Op]
    truth: Mapping[str, Truth] = field(default_factory=dict)
    held: Mapping[str, Op] = field(default_factory=dict)

    def __repr__(self) -> str:
        """The ops with what differs from the default, so that a failing world can be read."""
        lines = [f"world of {', '.join(self.kind.properties)}; held: {sorted(self.held)}"]
        for op in self.ops.values():
            told = ((one.name, getattr(op, one.name), one.default) for one in fields(op)[2:])
            lines.append(
                f"  {op.sub}: "
                + ", ".join(f"{name}={_short(value)}" for name, value, usual in told if value != usual)
            )
        return "\n".join(lines)

    def extraction(self) -> Extraction:
        return Extraction(self.kind, self.ops)

    def whole(self, sub: str) -> bool:
        """Whether all that stood on the author's screen is here, and nothing of it was held for a while."""
        op = self.ops[sub]
        seen = op.snapshot | {*op.after}
        return seen <= self.ops.keys() and all(self.ops[own].snapshot <= seen for own in op.after)


def _short(value: Any) -> Any:
    return sorted(value) if isinstance(value, frozenset) else value


@dataclass
class Phone:
    """`tells`: our client says in `seen` what was prefilled; otherwise it is a Collect, which does not.

    `chain` are the author's own submissions that his screen holds beyond the page, `version` is that of the page.
    """

    author: str
    tells: bool = True
    skew: int = 0
    suspect: bool = False
    places: frozenset[str] = frozenset()
    snapshot: frozenset[str] = frozenset()
    page: Values | None = None
    rejected: frozenset[str] = frozenset()
    version: int = 1
    mine: list[str] = field(default_factory=list)
    chain: list[str] = field(default_factory=list)
    unsent: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Answer:
    """`deed` is a value, or what is done with the field: keep, clear, or not asked at all."""

    deed: Any
    prefilled: bool = True


@dataclass
class Desk:
    """A supervisor, and what was on his screen when he last looked."""

    name: str
    snapshot: frozenset[str] = frozenset()
