"""The merge policies of what grows: sets of codes, and series of entries."""

import json
from collections.abc import Mapping, Sequence

from forms.entity_types import Cell, PropertyType
from sync.state.model import CellValue, Entry, Item, Merged, Notice, NoticeKind
from sync.state.policies import Policy


class Union(Policy):
    """An observed-remove set: a code stands if somebody added it and nobody who knew of that removed it."""

    def removes(self, remover: Entry, adder: Entry, code: str) -> bool:
        """Whether `remover` takes away the code that `adder` added."""
        return code in remover.write.removed and adder.op in remover.knew

    def merge(self, entries: Sequence[Entry]) -> Merged:
        """See `Policy.merge`; `live` are the writes of which some code stands."""
        standing: dict[str, list[Entry]] = {}
        doubtful: list[Notice] = []
        for code in sorted({code for entry in entries for code in entry.write.added}):
            adders = [a for a in entries if code in a.write.added and not self._removed(a, code, entries)]
            good = [entry for entry in adders if not entry.suspect]
            by = self._removed_elsewhere(code, entries)
            if adders and not good and by is not None:
                doubtful += [Notice(self.cell.name, entry.op, by.op, NoticeKind.DOUBTFUL) for entry in adders]
            elif adders:
                standing[code] = adders
        live = tuple(entry for entry in entries if any(entry in adders for adders in standing.values()))
        current = max(live or entries, key=lambda entry: entry.order)
        (prop,) = self.cell.members
        value: CellValue = {prop.name: sorted(standing)} if standing else {}
        return Merged(value, current, live or (current,), {}, (*doubtful, *self._wishes(entries, standing)))

    def _removed(self, adder: Entry, code: str, entries: Sequence[Entry]) -> bool:
        return any(self.removes(entry, adder, code) for entry in entries if entry is not adder)

    def _removed_elsewhere(self, code: str, entries: Sequence[Entry]) -> Entry | None:
        """A good write that took this code away from somebody; a doubtful addition does not bring it back."""
        removers = (r for r in entries if not r.suspect and code in r.write.removed)
        done = [r for r in removers if any(code in a.write.added and self.removes(r, a, code) for a in entries)]
        return max(done, key=lambda entry: entry.order, default=None)

    def _wishes(self, entries: Sequence[Entry], standing: Mapping[str, Sequence[Entry]]) -> list[Notice]:
        return []

    def ruled(self, entries: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
        if not any(entry.rules for entry in entries):
            return ()
        return tuple(
            sorted(
                (adder.op, ruling.op)
                for ruling in entries
                if ruling.rules
                for adder in entries
                if not adder.rules and any(self.removes(ruling, adder, code) for code in adder.write.added)
            )
        )


class UnionGrow(Union):
    """A set from which a supervisor alone removes; what an author takes away is a wish that is shown."""

    def removes(self, remover: Entry, adder: Entry, code: str) -> bool:
        return remover.rules and super().removes(remover, adder, code)

    def _wishes(self, entries: Sequence[Entry], standing: Mapping[str, Sequence[Entry]]) -> list[Notice]:
        wishes = {}
        for entry in entries:
            kept = [a for code in sorted(entry.write.removed) for a in standing.get(code, ()) if a.op in entry.knew]
            if kept and not entry.rules and not any(r.rules and entry.op in r.knew for r in entries):
                wishes[entry.op] = Notice(self.cell.name, entry.op, kept[0].op, NoticeKind.ASKS_TO_REMOVE)
        return list(wishes.values())


class Series(Policy):
    """Entries that are added and never replaced: weighings, doses, injuries, notes.

    With a key (the dose, the year), equal entries of a key show once, and different ones are a conflict, which a
    supervisor who knew them decides.
    """

    def __init__(self, cell: Cell) -> None:
        super().__init__(cell)
        self.key = cell.members[0].key

    def merge(self, entries: Sequence[Entry]) -> Merged:
        """See `Policy.merge`; what shows of a series is its latest entry."""
        said = [(entry, item) for entry in entries for item in entry.write.items]
        kept = [(entry, item) for entry, item in said if not self._replaced(entry, item, entries)]
        shown: dict[str, Item] = {}
        by_key: dict[str, dict[str, list[str]]] = {}
        for number, (entry, item) in enumerate(sorted(kept, key=lambda pair: (pair[0].t, pair[0].op))):
            key, plain = self._key(item), json.dumps(item, sort_keys=True)
            shown.setdefault(f"{key} {plain}" if key else str(number), Item(entry.op, entry.t, item))
            if key:
                by_key.setdefault(key, {}).setdefault(plain, []).append(entry.op)
        disputed = {key: by_value.values() for key, by_value in by_key.items() if len(by_value) > 1}
        disputes = {key: tuple(sorted({op for ops in values for op in ops})) for key, values in disputed.items()}
        live = tuple(entry for entry in entries if any(one is entry for one, _ in kept))
        items = tuple(shown.values())
        current = max(live or entries, key=lambda entry: (entry.t, entry.op))
        return Merged(self._value(items), current, live or (current,), disputes, (), items)

    def _value(self, items: Sequence[Item]) -> CellValue:
        if not items:
            return {}
        prop = self.cell.members[0]
        return {prop.name: [dict(items[-1].value)]} if prop.type is PropertyType.ROWS else items[-1].value

    def _key(self, item: CellValue) -> str:
        value = item.get(self.key) if self.key else None
        return "" if value is None else str(value)

    def _replaced(self, entry: Entry, item: CellValue, entries: Sequence[Entry]) -> bool:
        key = self._key(item)
        return bool(key) and any(
            other.rules and entry.op in other.knew and any(self._key(one) == key for one in other.write.items)
            for other in entries
            if other is not entry
        )

    def ruled(self, entries: Sequence[Entry]) -> tuple[tuple[str, str], ...]:
        if not any(entry.rules for entry in entries):
            return ()
        return tuple(
            sorted(
                (entry.op, ruling.op)
                for ruling in entries
                if ruling.rules
                for entry in entries
                if not entry.rules and any(self._replaced(entry, item, [ruling]) for item in entry.write.items)
            )
        )
