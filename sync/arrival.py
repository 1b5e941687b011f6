"""One item as a transaction takes it, with what is known of who sent it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from forms.filling import Filled, Told
from forms.form import Form
from forms.schema import Problem
from sync.batch import Claim, DeviceClock, Item, Reason
from sync.state.model import Act
from sync.times import end_of_day, local_date

_FAR = 4_102_444_800_000  # 2100: a clock beyond it says nothing


@dataclass(frozen=True)
class Sender:
    """Who is at the other end: an installation (None: a token without a phone) and one user of it."""

    user: str
    device: str | None
    users: frozenset[str]
    enrolled: int


@dataclass(frozen=True)
class Arrival:
    """One item as the transaction takes it. `held` is why it will not be applied, if it will not.

    `claims` are what the item says about each entity it names; `told` what its answers tell of whom: of a held item
    whatever could be read. `value` is the item as JSON, however odd.
    `fault`: reading it failed by an error of ours. `checks`: what looks wrong in its answers and holds nothing.
    `dialect`: how it came, `batch`, `openrosa` or `paper` (typed in from a list); nothing but its row tells.
    """

    id: str
    sha256: str
    raw: bytes
    sender: Sender
    author: str
    received: int
    item: Item | None = None
    form: Form | None = None
    filled: Filled | None = None
    told: tuple[Told, ...] = ()
    claims: Mapping[str, Claim] = field(default_factory=dict)
    value: Any = None
    act: Act = Act.VISIT
    fault: bool = False
    dialect: str = "batch"
    clock: DeviceClock | None = None
    held: Reason | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[str, ...] = ()
    checks: tuple[Problem, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Every entity that the item speaks of."""
        return frozenset(self.claims) | frozenset(told.id for told in self.told)

    def revoked(self, expired: bool = False) -> "Arrival":
        """The same from a device or login that has lost its right: kept for a supervisor, whatever else it is."""
        text = "Đăng nhập đã hết hạn" if expired else "Máy này đã bị thu hồi"
        text += "; phiếu được giữ lại cho cán bộ xem."
        return replace(
            self,
            held=Reason.DEVICE_REVOKED,
            problems=(Problem(Reason.DEVICE_REVOKED, "", text), *self.problems),
        )

    @property
    def observed(self) -> int:
        """When its author says it was observed; the receipt's time if he does not."""
        stated = int(self.item.observed_at.timestamp() * 1000) if self.item else self.received
        return max(0, min(stated, _FAR))

    @property
    def amends(self) -> str | None:
        """The submission of the same author that this one mends."""
        return self.item.amends if self.item else None

    @property
    def restated(self) -> int | None:
        """The end of the day (ms) that an amendment states for its visit, if that is not the day of its own time."""
        stated = self.filled.visit_date if self.filled is not None else None
        if self.amends is None or stated is None or stated == local_date(self.observed).isoformat():
            return None
        return end_of_day(date.fromisoformat(stated)) - 1
