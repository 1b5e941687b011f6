"""Which properties of an entity go onto phones with ODK Collect, and how a row of its list is written.

Everything ordinary of the open half; of what is sensitive (S3) only what a form that is offered shows. The protected
half has a type of its own, and there is no list of that; of a type that is protected as a whole officers get labels.
"""

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forms.entity_types import EntityType, Half, Property, PropertyType
from forms.form import Form

SENSITIVE = "S3"
NAMELESS = "(chưa có tên)"  # a row without a label makes Collect refuse the whole list
FIRST = ("name", "label", "__version")
_UNWRITABLE = (PropertyType.ROWS, PropertyType.FILE)  # files stay where they are
_COMPARED = re.compile(r"(?<![/\w.-])([A-Za-z_][\w.-]*)\s*=")
_PREDICATE = re.compile(r"\[[^\[\]]*\]")


def columns_of(kind: EntityType, forms: Iterable[Form]) -> tuple[str, ...]:
    """The properties that are in the list of a type, for whom these forms are offered."""
    if kind.half is not Half.OPEN:
        return ()
    shown = frozenset().union(*(shown_by(form, kind.name) for form in forms))
    return tuple(one.name for one in kind.properties.values() if _listed(one) and _may(one, shown))


def shown_by(form: Form, kind: str) -> frozenset[str]:
    """The columns of a list that a form looks into: to show them, to compute with them, to filter by them."""
    quote, text = "(?:'|\"|&quot;|&apos;)", form.xml
    items = rf"instance\({quote}{re.escape(kind)}{quote}\)/root/item"
    filters = re.findall(rf"{items}\[([^\]]*)\]", text)
    while text != (text := _PREDICATE.sub("", text)):
        pass
    compared = {name for one in filters for name in _COMPARED.findall(one)}
    return frozenset(re.findall(rf"{items}/([\w.-]+)", text)) | compared


def row_of(ident: str, label: str, version: int, data: Mapping[str, Any], columns: Sequence[str]) -> str:
    """One line of a list, with its end."""
    return line_of([ident, label or NAMELESS, version, *(_cell(data.get(name)) for name in columns)])


def line_of(cells: Sequence[Any]) -> str:
    """These cells as a line of CSV."""
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerow(cells)
    return out.getvalue()


def _listed(prop: Property) -> bool:
    return prop.half is Half.OPEN and prop.type not in _UNWRITABLE and not prop.officer


def _may(prop: Property, shown: frozenset[str]) -> bool:
    return prop.sensitivity != SENSITIVE or prop.name in shown


def _cell(value: Any) -> Any:
    return "" if value is None or isinstance(value, list | dict) else value
