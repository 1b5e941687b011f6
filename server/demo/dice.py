"""Repeatable chance: every draw has a topic, so that adding one never changes the others."""

import hashlib
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Dice:
    """Draws that depend on `key` and on their topic alone: the same on every machine and Python version."""

    key: str

    def roll(self, topic: str) -> float:
        """A number from 0 up to, not including, 1."""
        digest = hashlib.sha256(f"{self.key}/{topic}".encode()).digest()
        return int.from_bytes(digest[:6]) / 2**48

    def chance(self, topic: str, share: float) -> bool:
        """True in `share` of all cases."""
        return self.roll(topic) < share

    def between(self, topic: str, low: int, high: int) -> int:
        """A whole number from `low` to `high`, both included; `low` if there is none."""
        return low + int(self.roll(topic) * (max(high, low) - low + 1))

    def pick(self, topic: str, items: Sequence[T]) -> T:
        """One of `items`, all equally likely."""
        return items[int(self.roll(topic) * len(items))]

    def one(self, topic: str, weights: Mapping[str, float]) -> str:
        """One of the keys, each as likely as its weight says."""
        totals = list(accumulate(weights.values()))
        return list(weights)[bisect_right(totals, self.roll(topic) * totals[-1])]

    def day(self, topic: str, first: date, last: date) -> date:
        """A date from `first` to `last`, both included; `last` if it is before `first`."""
        return last - timedelta(days=self.between(topic, 0, (last - first).days))
