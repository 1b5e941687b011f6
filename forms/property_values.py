"""A property's value as a supervisor states it: the JSON form of `forms.values`, checked against the code lists."""

from collections.abc import Mapping
from typing import Any

from forms.entity_types import Cell, Property, PropertyType
from forms.form import KIND_OF
from forms.text import normalise_name
from forms.values import BadValue, blank, canonical

Codes = Mapping[str, frozenset[str]]  # list -> its codes


def value_of(prop: Property, value: Any, codes: Codes) -> Any:
    """The canonical value, None if blank. Raises `BadValue`."""
    if prop.type is PropertyType.ROWS:
        return _rows(prop, value, codes)
    found = canonical(KIND_OF[prop.type], value)
    if found is None:
        return None
    _check_codes(prop.list, found, codes)
    return normalise_name(found) if prop.type is PropertyType.NAME else found


def cell_of(cell: Cell, values: Mapping[str, Any], codes: Codes) -> dict[str, Any]:
    """Canonical values of members of a cell, by property. Raises `BadValue` also for one that it has not."""
    members = {prop.name: prop for prop in cell.members}
    strange = sorted(values.keys() - members)
    if strange:
        raise BadValue(f"Không có mục {strange[0]!r} ở đây.")
    return {name: value_of(members[name], value, codes) for name, value in values.items()}


def _rows(prop: Property, value: Any, codes: Codes) -> Any:
    if blank(value):
        return None
    if not isinstance(value, list) or not all(isinstance(row, Mapping) for row in value):
        raise BadValue("Cần một danh sách các dòng.")
    return [_row(prop, row, codes) for row in value]


def _row(prop: Property, row: Mapping[str, Any], codes: Codes) -> dict[str, Any]:
    strange = sorted(row.keys() - prop.fields.keys())
    if strange:
        raise BadValue(f"Không có mục {strange[0]!r} ở đây.")
    read = {}
    for name, value in row.items():
        found = canonical(KIND_OF[PropertyType(prop.fields[name]["type"])], value)
        if found is not None:
            _check_codes(prop.fields[name].get("list"), found, codes)
            read[name] = found
    return read


def _check_codes(name: str | None, found: Any, codes: Codes) -> None:
    if name is None or name not in codes:
        return
    strange = sorted(set([found] if isinstance(found, str) else found) - codes[name])
    if strange:
        raise BadValue(f"Mã {strange[0]!r} không có trong danh sách.")
