"""The merge policies of single values: one small class each. To add one, write its class and name it in `POLICIES`.

`beats(a, b)` says whether write `a` removes write `b` from the live ones; the current value is chosen among
those that are left. No rule here looks at the order of arrival. Sets and series are in `sync.state.gatherings`.
"""

from collections.abc import Sequence
from typing import Any

from forms.entity_types import Cell
from sync.state.model import CellValue, Entry, Merged, Notice, NoticeKind


class Policy:
    """The common case; each policy overrides where it differs. `live` is never empty."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    def beats(self, a: Entry, b: Entry) -> bool:
        """Whether `a` replaces `b`."""
        raise NotImplementedError

    def current(self, live: Sequence[Entry]) -> Entry:
        """The write whose value shows."""
        raise NotImplementedError

    def disputed(self, live: Sequence[Entry]) -> bool:
        """Whether a person must decide between the live writes."""
        return False

    def notices(self, live: Sequence[Entry], current: Entry, entries: Sequence[Entry]) -> list[Notice]:
        """Live writes that lost to a rule."""
        return [
            Notice(self.cell.name, entry.op, current.op, NoticeKind.OVERRULED)
            for entry in live
            if entry.value != current.value
        ]

    def merge(self, entries: Sequence[Entry]) -> Merged:
        """What the standing writes of the cell amount to; there is at least one."""
        if len(entries) == 1:  # most cells: it has nobody to beat or to lose to
            return Merged(entries[0].value, entries[0], tuple(entries))
        live = tuple(b for b in entries if not any(self.beats(a, b) for a in entries if a is not b))
        current = self.current(live)
        disputes = {"": tuple(sorted(entry.op for entry in live))} if self.disputed(live) else {}
        return Merged(current.value, current, live, disputes, tuple(self.notices(live, current, entries)))

    def ruled(self, entries: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
        """(op, by): other people's values that a supervisor's ruling replaced by another one."""
        if not any(entry.rules for entry in entries):
            return ()
        return tuple(
            sorted(
                (b.op, a.op)
                for b in entries
                for a in entries
                if a.rules and not b.rules and a.value != b.value and self.beats(a, b)
            )
        )


class Latest(Policy):
    """A write replaces what its author knew; among concurrent ones the later effective time shows.

    A paper form typed in late keeps its own date and replaces nothing that was observed after it.
    """

    def beats(self, a: Entry, b: Entry) -> bool:
        return b.op in a.knew and not (a.late and a.t < b.eff)

    def current(self, live: Sequence[Entry]) -> Entry:
        return max(live, key=lambda entry: (not entry.suspect, *entry.order))


class Highest(Policy):
    """The gravest value stands until a supervisor who knew of it lowers it. A doubtful danger sign counts too."""

    def beats(self, a: Entry, b: Entry) -> bool:
        return a.rules and b.op in a.knew

    def current(self, live: Sequence[Entry]) -> Entry:
        return max(live, key=lambda entry: (self._rank(entry.value), not entry.suspect, *entry.order))

    def notices(self, live: Sequence[Entry], current: Entry, entries: Sequence[Entry]) -> list[Notice]:
        lost = [
            Notice(self.cell.name, entry.op, current.op, kind)
            for entry in live
            if (kind := self._lost(entry, live, current)) is not None
        ]
        return lost + self._doubtful(live, current)

    def _doubtful(self, live: Sequence[Entry], current: Entry) -> list[Notice]:
        """A grave value that rests on doubtful writes alone shows, and says so."""
        good = [entry for entry in live if not entry.suspect]
        if not current.suspect or not good:
            return []
        by = max(good, key=lambda entry: (self._rank(entry.value), *entry.order))
        return [Notice(self.cell.name, current.op, by.op, NoticeKind.DOUBTFUL)]

    def _lost(self, entry: Entry, live: Sequence[Entry], current: Entry) -> NoticeKind | None:
        rank = self._rank(entry.value)
        if rank >= self._rank(current.value):
            return None
        graver = [other for other in live if self._rank(other.value) > rank]
        if any(other.op in entry.knew for other in graver):
            return NoticeKind.ASKS_TO_LOWER
        raised = any(entry.op in other.knew for other in graver)  # somebody knew this value and went higher
        return None if raised else NoticeKind.OVERRULED

    def _rank(self, value: CellValue) -> tuple[int, Any]:
        (prop,) = self.cell.members
        known = value.get(prop.name)
        if not prop.rank:
            return (0, "") if known is None else (1, str(known))
        return (prop.rank.index(known), "") if known in prop.rank else (-1, "")


class KeepFirst(Policy):
    """Fills an empty cell; a different value is a conflict, also from somebody who knew. A ruling stands."""

    def beats(self, a: Entry, b: Entry) -> bool:
        if a.rules and b.op in a.knew:
            return True
        return bool(a.value) and not b.value and not b.rules

    def current(self, live: Sequence[Entry]) -> Entry:
        rulings = [entry for entry in live if entry.rules]
        if rulings:
            return max(rulings, key=lambda entry: entry.order)
        return min(live, key=lambda entry: (entry.suspect, *entry.order))

    def disputed(self, live: Sequence[Entry]) -> bool:
        return any(entry.value != live[0].value for entry in live)

    def notices(self, live: Sequence[Entry], current: Entry, entries: Sequence[Entry]) -> list[Notice]:
        """Clearing is a wish: the value stays, and its author is told."""
        return [
            Notice(self.cell.name, entry.op, current.op, NoticeKind.ASKS_TO_CLEAR)
            for entry in entries
            if not entry.value and not entry.rules and current.value and not self._decided(entry, entries)
        ]

    def _decided(self, entry: Entry, entries: Sequence[Entry]) -> bool:
        return any(other.rules and entry.op in other.knew for other in entries)


class Review(Policy):
    """Names, sex, date of birth: concurrent different values are a conflict; the latest shows meanwhile.

    An author replaces only what was on the screen, so an edit made while a conflict is open does not close it.
    """

    def beats(self, a: Entry, b: Entry) -> bool:
        return not a.request and (b.op in a.replaces or (a.rules and b.op in a.knew))

    def current(self, live: Sequence[Entry]) -> Entry:
        return max(live, key=lambda entry: (entry.rules, not entry.suspect, *entry.order))

    def disputed(self, live: Sequence[Entry]) -> bool:
        return any(entry.value != live[0].value for entry in live)

    def notices(self, live: Sequence[Entry], current: Entry, entries: Sequence[Entry]) -> list[Notice]:
        return []


class Placement(Review):
    """Where a household or child lives: nobody moves a family by a typo, so the earliest good claim stays.

    A claim from a paper form comes after those, a doubtful one after all.
    """

    def current(self, live: Sequence[Entry]) -> Entry:
        return min(
            live,
            key=lambda entry: (not entry.rules, entry.request, entry.suspect, entry.late, *entry.order),
        )
