"""Sheets of Excel that people print and sort: every cell is text or a date, and nothing in one is ever computed.

Source: the typeface of official papers is Times New Roman, 13 to 14 points (Nghị định 30/2020/NĐ-CP, phụ lục I).
Text keeps the zeros of codes; what begins like a formula is marked as text (`quotePrefix`), so that no program
computes it.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from io import BytesIO
from typing import Any

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_FONT = "Times New Roman"
_LINE = Side(style="thin")
_FORMULA = ("=", "+", "-", "@")


def put_row(sheet: Worksheet, row: int, values: Sequence[str | date], bold: bool = False) -> None:
    """A row with lines around its cells."""
    for column, value in enumerate(values, start=1):
        put_text(sheet, row, column, value, bold)
        cell = sheet.cell(row, column)
        cell.alignment = Alignment(wrap_text=True, vertical="top", horizontal="center" if bold else None)
        cell.border = Border(left=_LINE, right=_LINE, top=_LINE, bottom=_LINE)


def put_text(sheet: Worksheet, row: int, column: int, value: str | date, bold: bool = False) -> None:
    """Put text into a cell, whatever it begins with, or a date."""
    cell = sheet.cell(row, column)
    if isinstance(value, date):
        cell.value, cell.number_format = value, "dd/mm/yyyy"
    else:
        clean = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.value = clean
        cell.data_type, cell.number_format = "s", "@"
        cell.quotePrefix = clean.lstrip().startswith(_FORMULA)
    cell.font = Font(name=_FONT, size=13 if row <= 4 else 11, bold=bold)


def landscape(sheet: Worksheet, head: int, widths: Sequence[int]) -> None:
    """A4 on its side, as wide as the page, the row `head` on every page."""
    for index, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(index)].width = width
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_title_rows = f"{head}:{head}"
    sheet.freeze_panes = f"A{head + 1}"


def table(title: str, columns: Sequence[tuple[str, int]], rows: Iterable[Sequence[Any]]) -> bytes:
    """A sheet with a title and one table. `columns` are (heading, width)."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = "Danh sách"
    book.properties.creator = "Tổ Ấm"
    put_text(sheet, 1, 1, title, bold=True)
    put_row(sheet, 3, [heading for heading, _ in columns], bold=True)
    for number, values in enumerate(rows, start=4):
        put_row(sheet, number, ["" if value is None else value for value in values])
    landscape(sheet, 3, [width for _, width in columns])
    out = BytesIO()
    book.save(out)
    return out.getvalue()
