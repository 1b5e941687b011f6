"""What earlier versions of the forms called otherwise: old names and codes become today's.

`lifts.csv` beside the sheets of a form has one row for each: `version` (the first that has the new one), `change`,
`of`, `old`, `new`. A change is a `name` (of a question or repeat, and of the property that has its name; without a
`new` one the property is no longer there), or a `code` of the list or question `of`.

The rows of all forms are one map, because a property may be asked by several. A name or code never gets another
meaning, so that the map can be applied to whatever a phone shows, of old or new: what is today's stays as it is.
"""

import csv
from collections.abc import Collection, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from forms.entity_types import EntityType, Property, PropertyType
from forms.form import Form, FormError

COLUMNS = ("version", "change", "of", "old", "new")
FILE = "lifts.csv"
EVERYTHING = "*"  # among hidden codes: whatever the value is


class Change(StrEnum):
    """The closed list of what may be called otherwise."""

    NAME = "name"
    CODE = "code"


@dataclass(frozen=True)
class Lift:
    """One row: since `version` the `old` name, or code of the list or question `of`, is the `new` one."""

    version: str
    change: Change
    of: str
    old: str
    new: str


@dataclass(frozen=True)
class Lifts:
    """The rows of all forms; applied in the order of their versions."""

    rows: tuple[Lift, ...] = ()

    @cached_property
    def _ordered(self) -> tuple[Lift, ...]:
        return tuple(sorted(self.rows, key=lambda row: row.version))

    def name(self, name: str, known: Container[str]) -> str | None:
        """What a question or property is called today; `known` are today's names. None: it is no longer there."""
        for row in self._ordered if name not in known else ():
            if row.change is Change.NAME and row.old == name:
                if not row.new:
                    return None
                name = row.new
        return name

    def code(self, of: Collection[str | None], code: str) -> str:
        """Today's code; `of` are the names of its list and of the question or property."""
        for row in self._ordered:
            if row.change is Change.CODE and row.old == code and row.of in of:
                code = row.new
        return code

    def value(self, prop: Property, value: Any) -> Any:
        """A value of a property in today's codes."""
        if not self.rows or value is None:
            return value
        if prop.type is PropertyType.ROWS:
            return [self._row(prop, row) for row in value]
        return self._coded(prop.type, (prop.name, prop.list), value)

    def said(self, kind: EntityType, said: Mapping[str, Any]) -> dict[str, Any]:
        """Values by property, under today's names and in today's codes; of what is no longer there nothing."""
        found: dict[str, Any] = {}
        for name, value in said.items():
            today = self.name(name, kind.properties)
            if today is not None and (today == name or today not in said):
                found[today] = self.value(kind.properties[today], value) if today in kind.properties else value
        return found

    def hidden(self, kind: EntityType, hidden: Mapping[str, frozenset[str]]) -> dict[str, frozenset[str]]:
        """The same for codes that a form could not show."""
        named = ((self.name(name, kind.properties), codes) for name, codes in hidden.items())
        return {name: self._codes(kind.properties.get(name), codes) for name, codes in named if name is not None}

    def _codes(self, prop: Property | None, codes: Iterable[str]) -> frozenset[str]:
        of = (prop.name, prop.list) if prop else (None,)
        return frozenset(self.code(of, code) for code in codes)

    def _row(self, prop: Property, row: Mapping[str, Any]) -> dict[str, Any]:
        lifted = {}
        for name, value in row.items():
            today = self.name(name, prop.fields)
            if today is not None and today in prop.fields:
                spec = prop.fields[today]
                lifted[today] = self._coded(PropertyType(spec["type"]), (today, spec.get("list")), value)
        return lifted

    def _coded(self, kind: PropertyType, of: Collection[str | None], value: Any) -> Any:
        if kind is PropertyType.CODE and isinstance(value, str):
            return self.code(of, value)
        if kind is PropertyType.SET and isinstance(value, list | tuple):
            return sorted({self.code(of, code) for code in value})
        return value


NO_LIFTS = Lifts()


def read_lifts(path: Path) -> list[Lift]:
    """The rows of one file, none if there is no such file. Raises `FormError`."""
    if not path.exists():
        return []
    with path.open(encoding="utf-8-sig", newline="") as file:
        return lifts_of(list(csv.reader(file, strict=True)), f"{path.parent.name}/{path.name}")


def lifts_of(lines: Sequence[Sequence[str]], place: str) -> list[Lift]:
    """The same from the lines of a sheet, the header first. Raises `FormError`."""
    if not lines or tuple(lines[0]) != COLUMNS:
        raise FormError(f"{place}: the columns must be {','.join(COLUMNS)}")
    return [_lift(f"{place} row {number}", line) for number, line in enumerate(lines[1:], start=2) if any(line)]


def _lift(place: str, line: Sequence[str]) -> Lift:
    cells = dict.fromkeys(COLUMNS, "") | {name: cell.strip() for name, cell in zip(COLUMNS, line, strict=False)}
    if cells["change"] not in list(Change):
        raise FormError(f"{place}: change must be one of {', '.join(Change)}")
    lift = Lift(cells["version"], Change(cells["change"]), cells["of"], cells["old"], cells["new"])
    coded = lift.change is Change.CODE
    if not lift.version or not lift.old or lift.old == lift.new or bool(lift.of) != coded or (coded and not lift.new):
        raise FormError(f"{place}: a name needs version and old, a code also of and new")
    return lift


def check_lifts(lifts: Lifts, current: Iterable[Form], types: Mapping[str, EntityType]) -> None:
    """Whether the map leaves what is current as it is, and danger alone. Raises `FormError`."""
    told: dict[tuple[str, Change, str, str], str] = {}
    for row in lifts.rows:
        if told.setdefault((row.version, row.change, row.of, row.old), row.new) != row.new:
            raise FormError(f"lifts.csv: in {row.version} {row.of} {row.old} becomes two things")
    for form in current:
        for question in form.questions:
            of = (question.name, question.property, question.list)
            for code in sorted(question.choices or ()):
                if lifts.code(of, code) != code:
                    raise FormError(
                        f"lifts.csv: code {code} of {question.list or question.name} became "
                        f"{lifts.code(of, code)}, but {form.id} {form.version} offers it again"
                    )
    dangers = {name: p for kind in types.values() for name, p in kind.properties.items() if p.danger}
    for row in lifts.rows:
        lists = {p.list for p in dangers.values() if EVERYTHING not in p.danger}
        signs = {name for name, p in dangers.items() if EVERYTHING not in p.danger}
        if (row.change is Change.NAME and row.new in dangers) or (row.change is Change.CODE and row.of in signs):
            # Signs are looked for by name also in what nobody can read, so their names must not change.
            raise FormError(f"lifts.csv: {row.of or row.old} is a danger sign and keeps its name and codes")
        if row.change is Change.CODE and row.of in lists and row.new in _signs(dangers, row.of):
            raise FormError(f"lifts.csv: {row.new} of {row.of} is a danger sign and keeps its code")


def _signs(dangers: Mapping[str, Property], name: str) -> set[str]:
    return {code for prop in dangers.values() if prop.list == name for code in prop.danger}
