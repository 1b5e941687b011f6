"""The form that decides a conflict: inputs for another value of its cell, and what they say when it comes back."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from werkzeug.datastructures import MultiDict

from forms.entity_types import Cell, Property, PropertyType
from forms.form import KIND_OF
from forms.values import blank, from_text
from server.reading.conflict_parts import Question
from server.reading.values import field_of
from server.reading.words import Words
from server.world import Nest
from sync.places import UNKNOWN_HAMLET
from sync.state.model import DELETED

OTHER = "$other"  # the choice of a value that nobody wrote
INPUTS = {PropertyType.DATE: "date", PropertyType.INTEGER: "number", PropertyType.DECIMAL: "decimal"}
Option = tuple[str, str]


@dataclass(frozen=True)
class Input:
    """One input: `kind` is text, date, number, decimal, select, checks or fixed; `groups` are the options, by group.

    `pointer` is how a refusal names it.
    """

    name: str
    pointer: str
    label: str
    kind: str
    value: Any
    groups: Sequence[tuple[str, Sequence[Option]]] = ()


def inputs_of(
    nest: Nest, words: Words, asked: Question, areas: Collection[str], typed: Mapping[str, Any] | None = None
) -> list[Input]:
    """The inputs for another value: filled with what was typed, else with the value in use.

    None for the life of a record, and for the household of a child, which is chosen among those that were named.
    """
    cell = asked.cell
    if cell is None or any(prop.type is PropertyType.REF for prop in cell.members):
        return []
    shown = {**asked.current} if typed is None else dict(typed)
    if asked.series and typed is None:
        shown = dict(asked.sides[-1].value) if asked.sides else {}
    return list(_inputs(nest, words, asked, cell, areas, shown))


def _inputs(
    nest: Nest, words: Words, asked: Question, cell: Cell, areas: Collection[str], shown: Mapping[str, Any]
) -> Iterator[Input]:
    for prop in cell.members:
        value = shown.get(prop.name)
        if prop.type is PropertyType.ROWS:
            row = value[0] if value else {}
            for name in prop.fields:
                fixed = asked.key if prop.key == name else ""
                yield _input(words, field_of(prop, name), f"{prop.name}.{name}", prop.name, row.get(name), fixed)
        elif prop.type is PropertyType.WARD:
            yield _place(nest, words, asked, cell, areas, shown)
        elif prop.type is not PropertyType.HAMLET:
            fixed = asked.key if prop.key == prop.name else ""
            yield _input(words, prop, prop.name, prop.name, value, fixed)


def _input(words: Words, prop: Property, name: str, property_: str, value: Any, fixed: str) -> Input:
    pointer, label = f"/values/{property_}", words.label(prop)
    if fixed:
        return Input(name, pointer, label, "fixed", (fixed, words.code(prop.list or "", fixed)))
    if prop.type in (PropertyType.CODE, PropertyType.SET):
        options = words.options(prop.list)
        if prop.type is PropertyType.SET:
            return Input(name, pointer, label, "checks", set(value or ()), [("", options)])
        known = "" if blank(value) else str(value)
        return Input(name, pointer, label, "select", known, [("", [("", words.blank), *options])])
    return Input(name, pointer, label, INPUTS.get(prop.type, "text"), "" if blank(value) else value)


def _place(
    nest: Nest, words: Words, asked: Question, cell: Cell, areas: Collection[str], shown: Mapping[str, Any]
) -> Input:
    """Ward and hamlet in one list: the hamlets of the officer's wards and of those in question, other wards whole."""
    ward = cell.members[0]
    hamlets = any(prop.type is PropertyType.HAMLET for prop in cell.members)
    named = {str(side.value.get(ward.name)) for side in asked.sides}
    near = sorted(({*areas, *named} & set(nest.places.wards)), key=lambda one: nest.places.wards[one].name)
    groups: list[tuple[str, Sequence[Option]]] = []
    for area in near if hamlets else ():
        known = sorted((h.code, h.name) for h in nest.places.hamlets.values() if h.ward == area)
        options = [(f"{area}/{code}", name) for code, name in known if code != UNKNOWN_HAMLET]
        whole = f"{area}/{UNKNOWN_HAMLET}", f"{words.place(area)} (?)"
        groups.append((nest.places.wards[area].name, [*options, whole]))
    tail = f"/{UNKNOWN_HAMLET}" if hamlets else ""
    rest = sorted((one.name, one.key) for one in nest.places.wards.values() if not hamlets or one.key not in near)
    groups.append(("…" if hamlets else "", [(f"{key}{tail}", name) for name, key in rest]))
    value = str(shown.get(ward.name) or "")
    if hamlets and value:
        value = f"{value}/{shown.get('hamlet_code') or UNKNOWN_HAMLET}"
    return Input(ward.name, f"/values/{ward.name}", words.label(ward), "select", value, groups)


def said_in(form: MultiDict[str, str], asked: Question) -> dict[str, Any]:
    """What the inputs say, in the JSON form in which the API takes it."""
    if asked.cell is None:
        return {DELETED: form.get("choice") == "delete"}
    said: dict[str, Any] = {}
    for prop in asked.cell.members:
        if prop.type is PropertyType.ROWS:
            row = {name: _said(form, field_of(prop, name), f"{prop.name}.{name}") for name in prop.fields}
            said[prop.name] = [{name: value for name, value in row.items() if not blank(value)}]
        elif prop.type is PropertyType.WARD:
            area, _, hamlet = form.get(prop.name, "").partition("/")
            said[prop.name] = area or None
            if any(one.type is PropertyType.HAMLET for one in asked.cell.members):
                said["hamlet_code"] = hamlet or None
        elif prop.type is not PropertyType.HAMLET:
            said[prop.name] = _said(form, prop, prop.name)
    return said


def _said(form: MultiDict[str, str], prop: Property, name: str) -> Any:
    if prop.type is PropertyType.SET:
        return form.getlist(name) or None
    text = form.get(name, "").strip()
    return from_text(KIND_OF[prop.type], text) if text else None
