"""Stored values in the words that people read: labels of codes, names of places, dates of the calendar."""

import csv
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from functools import cache
from typing import Any

from forms.catalogue import FOLDER
from forms.entity_types import Property, PropertyType
from server.world import Nest
from sync.authority import PROTECTION
from sync.times import ZONE

EMPTY = "(để trống)"
EMPTIES = {"vi": EMPTY, "en": "(blank)"}
COLUMNS = {"vi": "label::Tiếng Việt (vi)", "en": "label::English (en)"}


@cache
def choices(language: str = "vi") -> Mapping[tuple[str, str], str]:
    """(list, code) -> label, of the shared code lists."""
    with (FOLDER / "choices.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["list_name"], row["name"]): row[COLUMNS[language]] for row in rows}


class Words:
    """Turns stored values into words, with one server's forms, rules and places; `language` is `vi` or `en`."""

    def __init__(self, nest: Nest, language: str = "vi") -> None:
        self._nest = nest
        self.language = language
        self._choices, self._empty = choices(language), EMPTIES[language]

    def place(self, scope: str) -> str:
        """The hamlet and ward of a scope, as `2025.31135/07`; of a protection scope the ward alone."""
        area, _, hamlet = scope.removesuffix(f"/{PROTECTION}").partition("/")
        known, ward = self._nest.places.hamlets.get((area, hamlet)), self._nest.places.wards.get(area)
        return ", ".join(part for part in (known.name if known else hamlet, ward.name if ward else area) if part)

    def rule(self, code: str, subject_type: str) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """What a follow-up rule asks for, and why; each by language."""
        rule = self._nest.rules.find(code, subject_type)
        return (rule.texts["name"], rule.texts["why"]) if rule else ({"vi": code, "en": code}, {"vi": "", "en": ""})

    @property
    def blank(self) -> str:
        """What stands for no value."""
        return self._empty

    def options(self, name: str | None) -> list[tuple[str, str]]:
        """(code, words) of a list, in its order."""
        return [(code, label) for (known, code), label in self._choices.items() if known == name]

    def cell(self, kind: str, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        """(label, words) for each property of a cell's value; a cleared cell is one empty line."""
        properties = self._nest.catalogue.types[kind].properties
        for name, inner in value.items():
            yield self.label(properties[name]), self.value(properties[name], inner)
        if not value:
            yield "", self._empty

    def code(self, codes: str, value: Any) -> str:
        """A code of a shared list; nothing of what is blank."""
        return self._choices.get((codes, str(value)), str(value)) if value not in (None, "") else ""

    def label(self, prop: Property) -> str:
        """What a property is called."""
        return prop.vi if self.language == "vi" else prop.en

    def value(self, prop: Property, value: Any) -> str:
        """One value in words."""
        if prop.type is PropertyType.ROWS and value:
            return "; ".join(self._row(prop, row) for row in value)
        return self._plain(prop.type, prop.list, value)

    def _plain(self, kind: PropertyType, codes: str | None, value: Any) -> str:
        if value in (None, "", []):
            return self._empty
        if kind is PropertyType.CODE:
            return self._choices.get((codes or "", str(value)), str(value))
        if kind is PropertyType.SET:
            return "; ".join(self._choices.get((codes or "", code), code) for code in value)
        if kind is PropertyType.DATE:
            return f"{date.fromisoformat(value):%d/%m/%Y}"
        if kind is PropertyType.DATETIME:
            return f"{datetime.fromisoformat(value).astimezone(ZONE):%d/%m/%Y %H:%M}"
        if kind is PropertyType.WARD:
            ward = self._nest.places.wards.get(str(value))
            return ward.name if ward is not None else str(value)
        if kind is PropertyType.DECIMAL and self.language == "vi":
            return str(value).replace(".", ",")
        return str(value)

    def _row(self, prop: Property, row: Mapping[str, Any]) -> str:
        """A row of several answers, as `Sởi 1, 02/03/2026`."""
        known = ((prop.fields[name], value) for name, value in row.items() if name in prop.fields)
        return ", ".join(
            self._plain(PropertyType(field["type"]), field.get("list"), value) for field, value in known if value
        )
