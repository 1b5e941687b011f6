"""A form as a workbook (.xlsx), as ODK's tools write it: the same sheets, with the same columns.

Sheets that are none of ours are passed over. A sheet `lifts` has the columns of `lifts.csv`.
"""

from datetime import date, datetime
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

from forms.xlsform import COLUMNS, SheetError, Sheets, assemble, table

Lines = list[list[str]]


def read_workbook(path: Path, shared_choices: Path) -> tuple[Sheets, Lines]:
    """The sheets of a workbook, with the shared lists that it uses and does not have; and the lines of `lifts`.

    Raises `SheetError`.
    """
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (OSError, BadZipFile, InvalidFileException, KeyError, ValueError) as error:
        raise SheetError(f"{path.name} is no workbook: {error}") from error
    try:
        found = {name: _lines(book[name]) for name in (*COLUMNS, "lifts") if name in book.sheetnames}
    finally:
        book.close()
    if missing := sorted({"survey", "settings"} - found.keys()):
        raise SheetError(f"{path.name} has no sheet {', '.join(missing)}")
    tables = {name: table(found.get(name, []), name) for name in COLUMNS}
    return assemble(tables, shared_choices), found.get("lifts", [])


def _lines(sheet: Any) -> Lines:
    """The cells as text; columns without a header and empty rows at the end are left out."""
    rows = [[_text(cell) for cell in row] for row in sheet.iter_rows(values_only=True)]
    while rows and not any(rows[-1]):
        rows.pop()
    kept = [i for i, name in enumerate(rows[0]) if name] if rows else []
    return [[row[i] if i < len(row) else "" for i in kept] for row in rows]


def _text(cell: Any) -> str:
    """What the cell shows: spreadsheets make numbers of codes, so `2.0` is `2`."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true()" if cell else "false()"
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime | date):
        return cell.isoformat()[:10]
    return str(cell).strip()
