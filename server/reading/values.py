"""The value of a cell as lines of words: places and households by name, rows field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from forms.entity_types import Cell, Property, PropertyType
from forms.values import blank
from server.reading.words import Words
from server.world import Nest
from sync.places import UNKNOWN_HAMLET

Names = Mapping[str, str]  # id of a household or child -> its name


@dataclass(frozen=True)
class Line:
    """One property in words; `label` is empty where the cell has no other."""

    label: str
    text: str


def field_of(prop: Property, name: str) -> Property:
    """One field of the rows of a property, as if it were a property itself."""
    told = prop.fields[name]
    return Property(
        name, PropertyType(told["type"]), prop.policy, prop.sensitivity, told["vi"], told["en"], told.get("list")
    )


def lines_of(
    nest: Nest,
    words: Words,
    kind: str,
    cell: str,
    value: Mapping[str, Any],
    names: Names | None = None,
    key: str = "",
) -> tuple[Line, ...]:
    """A cell's value in words, blank members left out; one line if all is blank.

    Of a keyed series it is what stands under `key`, without that.
    """
    known = nest.catalogue.types[kind].cells.get(cell)
    if known is None:
        return ()
    found = tuple(_lines(nest, words, known, value, names or {}, key))
    return found or (Line("", words.blank),)


def _lines(nest: Nest, words: Words, cell: Cell, value: Mapping[str, Any], names: Names, key: str) -> Iterator[Line]:
    single = len(cell.members) == 1
    for prop in cell.members:
        inner = value.get(prop.name)
        told = (key and prop.key == prop.name) or (prop.type is PropertyType.HAMLET and value.get("ward_code"))
        if told or blank(inner):
            continue
        if prop.type is PropertyType.ROWS:
            yield from _rows(words, prop, inner, key)
            continue
        label = "" if single else words.label(prop)
        yield Line(label, _text(nest, words, prop, inner, value, names))


def _rows(words: Words, prop: Property, rows: Any, key: str) -> Iterator[Line]:
    for row in rows:
        if key and str(row.get(prop.key or "")) != key:
            continue
        for name in prop.fields:
            if not blank(row.get(name)) and not (key and name == prop.key):
                shown = field_of(prop, name)
                yield Line(words.label(shown), words.value(shown, row[name]))


def _text(nest: Nest, words: Words, prop: Property, inner: Any, value: Mapping[str, Any], names: Names) -> str:
    if prop.type is PropertyType.WARD:
        hamlet = value.get("hamlet_code")
        return words.place(f"{inner}/{hamlet}" if hamlet and hamlet != UNKNOWN_HAMLET else str(inner))
    if prop.type is PropertyType.REF:
        return names.get(str(inner)) or str(inner)
    return words.value(prop, inner)
