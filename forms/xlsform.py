"""XLSForm sheets, kept as CSV files, and their compilation to the XForm that phones run.

A form is a folder with `survey.csv`, `entities.csv`, `settings.csv` and, where it has lists of its own,
`choices.csv`. Lists that several forms use stand in one shared file.
Source: the XLSForm standard (xlsform.org) and the ODK entities specification, version 2025.1.
"""

import csv
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from pyxform.errors import PyXFormError
from pyxform.xls2xform import ConvertResult, convert

from forms.form import FormError

__all__ = ["FormError", "SheetError", "Sheets", "XForm", "load_sheets", "to_xform"]

Row = Mapping[str, str]
Table = tuple[tuple[str, ...], tuple[Row, ...]]  # columns, rows

_TRANSLATED = {
    f"{column}::{language}"
    for column in ("label", "hint", "constraint_message", "required_message")
    for language in ("Tiếng Việt (vi)", "English (en)")
}
_PLAIN = (
    "type name required relevant appearance constraint calculation trigger default choice_filter readonly "
    "repeat_count parameters save_to"
)
# pyxform passes a column that it does not know without a word, so a typo would silently drop a rule.
COLUMNS: Mapping[str, frozenset[str]] = {
    "survey": frozenset(_TRANSLATED | set(_PLAIN.split())),
    "choices": frozenset(_TRANSLATED | {"list_name", "name"}),
    "entities": frozenset({"list_name", "label", "entity_id", "create_if", "update_if"}),
    "settings": frozenset(
        {"form_title", "form_id", "version", "default_language", "instance_name", "style", "ward_list"}
    ),
}
_OURS = ("ward_list",)
_LIST = re.compile(r"\Aselect_(?:one|multiple)\s+(\S+)")
_PLACE = re.compile(r"\A\[row : (\d+)\] *(?:On the '(\w+)' sheet, *)?(.*)\Z", re.DOTALL)


class SheetError(FormError):
    """Sheets that cannot be compiled. `row` counts as a spreadsheet shows it, the header being row 1.

    `sheet` and `row` are None where the fault has no single place.
    """

    def __init__(self, message: str, sheet: str | None = None, row: int | None = None) -> None:
        place = " ".join(part for part in (sheet, f"row {row}" if row else None) if part)
        super().__init__(f"{place}: {message}" if place else message)
        self.message, self.sheet, self.row = message, sheet, row


@dataclass(frozen=True)
class Sheets:
    """The sheets of one form: rows as column -> cell (blank cells left out), and each sheet's columns."""

    survey: tuple[Row, ...]
    choices: tuple[Row, ...]
    entities: tuple[Row, ...]
    settings: tuple[Row, ...]
    headers: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class XForm:
    """A compiled form. `ward_list` names the version of the ward codes that its answers use (`2025`)."""

    form_id: str
    version: str
    title: str
    ward_list: str
    xml: str
    warnings: tuple[str, ...]


def load_sheets(folder: Path, shared_choices: Path) -> Sheets:
    """Read the CSV sheets (UTF-8) of one form, and the shared lists that its survey uses.

    A list in the form's own `choices.csv` stands instead of the shared one of that name.
    Raises `SheetError` for a missing sheet, an unknown column, or a row longer than its header.
    """
    sheets = {name: _read(folder / f"{name}.csv", name) for name in ("survey", "entities", "settings")}
    own = folder / "choices.csv"
    sheets["choices"] = _read(own, "choices") if own.exists() else ((), ())
    return assemble(sheets, shared_choices)


def assemble(sheets: Mapping[str, Table], shared_choices: Path) -> Sheets:
    """The sheets of one form from its tables by name, with the shared lists that its survey uses."""
    header, choices = sheets["choices"]
    shared_header, shared = _read(shared_choices, "choices")
    defined = {row.get("list_name") for row in choices}
    wanted = {m.group(1) for row in sheets["survey"][1] if (m := _LIST.match(row.get("type", "")))} - defined
    choices += tuple(row for row in shared if row.get("list_name") in wanted)
    headers = {name: columns for name, (columns, _) in sheets.items()}
    headers["choices"] = tuple(dict.fromkeys(header + shared_header))
    return Sheets(
        survey=sheets["survey"][1],
        choices=choices,
        entities=sheets["entities"][1],
        settings=sheets["settings"][1],
        headers=headers,
    )


def save_sheets(sheets: Sheets, folder: Path) -> None:
    """Write the sheets as CSV files that `load_sheets` reads as the same; all lists in `choices.csv`."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = {name: getattr(sheets, name) for name in COLUMNS}
    for name in (name for name in COLUMNS if rows[name] or name != "choices"):
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, sheets.headers[name], lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows[name])


def own_lists(sheets: Sheets, shared_choices: Path) -> Sheets:
    """The sheets without those lists that are the same in the shared file."""
    _, shared = _read(shared_choices, "choices")
    lists: dict[str, list[Row]] = {}
    for row in shared:
        lists.setdefault(row.get("list_name", ""), []).append(row)
    mine = {name: [r for r in sheets.choices if r.get("list_name") == name] for name in lists}
    same = {name for name, rows in mine.items() if rows == lists[name]}
    return replace(sheets, choices=tuple(row for row in sheets.choices if row.get("list_name") not in same))


def to_xform(sheets: Sheets) -> XForm:
    """Compile the sheets. Raises `SheetError` for what pyxform refuses, and for settings that we need."""
    settings = dict(sheets.settings[0]) if sheets.settings else {}
    missing = sorted({"form_title", "form_id", "version", "ward_list"} - set(settings))
    if missing:
        raise SheetError(f"missing: {', '.join(missing)}", "settings", 2)
    workbook: dict[str, object] = {
        "survey": _rows(sheets.survey),
        "choices": _rows(sheets.choices),
        "entities": _rows(sheets.entities),
        "settings": [{column: cell for column, cell in settings.items() if column not in _OURS}],
    }
    for name, columns in sheets.headers.items():
        # Without the headers pyxform reads a row as if it had every column, and fails on the first `trigger`.
        workbook[f"{name}_header"] = [dict.fromkeys(c for c in columns if c not in _OURS)]
    result = _converted(json.dumps(workbook))
    return XForm(
        form_id=settings["form_id"],
        version=settings["version"],
        title=settings["form_title"],
        ward_list=settings["ward_list"],
        xml=result.xform,
        warnings=tuple(result.warnings),
    )


@lru_cache(maxsize=64)
def _converted(workbook: str) -> ConvertResult:
    """Publishing reads all forms several times, and the same sheets give the same XForm."""
    try:
        return convert(json.loads(workbook))
    except PyXFormError as error:
        raise _sheet_error(str(error)) from error


def _read(path: Path, sheet: str) -> Table:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise SheetError(f"{path.name} cannot be read: {error}", sheet) from error
    return table(lines, sheet)


def table(lines: Sequence[Sequence[str]], sheet: str) -> Table:
    """A sheet from its lines of cells, the header first. Raises `SheetError`."""
    columns = tuple(column.strip() for column in lines[0]) if lines else ()
    strange = sorted(set(columns) - COLUMNS[sheet])
    if strange or len(set(columns)) != len(columns):
        raise SheetError(f"unknown or repeated columns: {', '.join(strange)}", sheet, 1)
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        if len(line) > len(columns):
            raise SheetError("more cells than columns: a comma without quotes?", sheet, number)
        cells = zip(columns, line, strict=False)
        rows.append({column: cell.strip() for column, cell in cells if cell.strip()})
    return columns, tuple(rows)


def _rows(rows: Iterable[Row]) -> list[dict[str, str]]:
    return [dict(row) for row in rows]


def _sheet_error(message: str) -> SheetError:
    place = _PLACE.match(message)
    if place is None:
        return SheetError(message)
    return SheetError(place.group(3), place.group(2), int(place.group(1)))
