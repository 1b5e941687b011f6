"""Where new sheets come from: a folder of CSV files, or a workbook."""

import csv
from dataclasses import dataclass, replace
from pathlib import Path

from forms.lifting import FILE, read_lifts
from forms.workbook import Lines, read_workbook
from forms.xlsform import SheetError, Sheets, load_sheets, own_lists, save_sheets


@dataclass(frozen=True)
class Source:
    """The sheets of one version, and the lines of its lifts (None: it brings none)."""

    sheets: Sheets
    lifts: Lines | None

    @property
    def form_id(self) -> str:
        return self.sheets.settings[0].get("form_id", "") if self.sheets.settings else ""

    @property
    def version(self) -> str:
        return self.sheets.settings[0].get("version", "") if self.sheets.settings else ""

    def named(self, version: str) -> "Source":
        """The same under another version."""
        settings = tuple({**row, "version": version} for row in self.sheets.settings)
        return replace(self, sheets=replace(self.sheets, settings=settings))

    def write(self, folder: Path, shared_choices: Path, lifts: Lines) -> None:
        """Write it as the sheets of a form; lists that are the shared ones are left out."""
        save_sheets(own_lists(self.sheets, shared_choices), folder)
        with (folder / FILE).open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(lifts)


def read_source(path: Path, shared_choices: Path) -> Source:
    """Read a folder or a workbook. Raises `SheetError` or `FormError`."""
    if path.suffix.lower() == ".xlsx":
        sheets, lifts = read_workbook(path, shared_choices)
        return Source(sheets, lifts or None)
    if not path.is_dir():
        raise SheetError(f"{path.name} is neither a folder with sheets nor a workbook (.xlsx)")
    return Source(load_sheets(path, shared_choices), lines_of(path / FILE))


def lines_of(path: Path) -> Lines | None:
    """The lines of a file of lifts, None if there is none. Raises `FormError` if it is wrong."""
    if not path.exists():
        return None
    read_lifts(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.reader(file) if any(row)]
