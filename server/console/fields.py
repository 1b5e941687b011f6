"""Inputs of the right kind for properties, and what comes back from them as the desk's acts take it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from forms.entity_types import Property, PropertyType
from server.reading.words import Words
from server.world import Nest

KINDS = {
    PropertyType.DATE: "date",
    PropertyType.INTEGER: "number",
    PropertyType.DECIMAL: "decimal",
    PropertyType.CODE: "select",
    PropertyType.WARD: "select",
    PropertyType.HAMLET: "select",
    PropertyType.SET: "checks",
    PropertyType.TEXT: "text",
    PropertyType.NAME: "text",
}


@dataclass(frozen=True)
class Field:
    """One input. `value` is what stands in it: a string, or the list of codes that are ticked."""

    name: str
    label: str
    kind: str
    options: Sequence[tuple[str, str]]
    value: Any


def fields_of(nest: Nest, words: Words, props: Iterable[Property], data: Mapping[str, Any]) -> list[Field]:
    """An input for each property that can be typed in; rows, files and places on the map cannot."""
    return [
        Field(prop.name, words.label(prop), KINDS[prop.type], _options(nest, words, prop, data), _shown(prop, data))
        for prop in props
        if prop.type in KINDS
    ]


def _shown(prop: Property, data: Mapping[str, Any]) -> Any:
    value = data.get(prop.name)
    if prop.type is PropertyType.SET:
        return list(value or ())
    return "" if value is None else str(value)


def _options(nest: Nest, words: Words, prop: Property, data: Mapping[str, Any]) -> list[tuple[str, str]]:
    if prop.type is PropertyType.WARD:
        return sorted(((area, ward.name) for area, ward in nest.places.wards.items()), key=lambda one: one[1])
    if prop.type is PropertyType.HAMLET:
        area = data.get("ward_code")
        return [(code, one.name) for (ward, code), one in sorted(nest.places.hamlets.items()) if ward == area]
    return words.options(prop.list)


def values_of(props: Iterable[Property], form: MultiDict[str, str]) -> dict[str, Any]:
    """Property -> what was typed in, None where it was left blank."""
    return {prop.name: typed(KINDS[prop.type], form.getlist(prop.name)) for prop in props if prop.type in KINDS}


def typed(kind: str, values: Sequence[str]) -> Any:
    """What an input of a kind sends, None of a blank one; a number that is none stays as it was typed."""
    said = [text for value in values if (text := value.strip())]
    if kind == "checks" or not said:
        return said or None
    text = said[0]
    if kind == "number" and text.removeprefix("-").isdecimal():
        return int(text)
    if kind == "decimal":
        try:
            return float(text.replace(",", "."))
        except ValueError:
            return text
    return text
