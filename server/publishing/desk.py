"""Publishing from the desk: a workbook that waits to be looked at and confirmed, and one who publishes at a time."""

import hashlib
import os
import time
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from openpyxl import Workbook

from forms.catalogue import Catalogue, read_index
from forms.form import Form
from forms.lifting import FILE
from forms.xlsform import COLUMNS, load_sheets
from server.days import alone
from server.publishing.publish import Report, publish
from server.publishing.source import lines_of

LARGEST = 8_388_608  # bytes of a workbook, unpacked
WAITS = 86_400  # seconds
FOLDER = "forms-waiting"  # in the data folder


def put_by(data: Path, content: bytes) -> str:
    """Keep a workbook until it is confirmed; gives its SHA-256. Raises `ValueError` for none, or one too large."""
    try:
        with zipfile.ZipFile(BytesIO(content)) as packed:
            size = sum(one.file_size for one in packed.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ValueError("no workbook") from error
    if size > LARGEST:
        raise ValueError("too large")
    folder, sha256 = data / FOLDER, hashlib.sha256(content).hexdigest()
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        if old.stat().st_mtime < time.time() - WAITS:
            old.unlink(missing_ok=True)
    fresh = folder / f".{sha256}-{os.getpid()}"
    fresh.write_bytes(content)
    fresh.replace(folder / f"{sha256}.xlsx")
    return sha256


def waiting(data: Path, sha256: str) -> Path | None:
    """The workbook that waits under this hash."""
    known = {path.stem: path for path in (data / FOLDER).glob("*.xlsx")}
    return known.get(sha256)


def try_publish(root: Path, path: Path, today: str, dry_run: bool) -> Report:
    """`publish` of something that anybody may have made: what no reader of workbooks expects is a problem, too."""
    try:
        return publish(root, path, today, dry_run)
    except Exception as error:  # openpyxl raises whatever its parts raise
        return Report([f"the workbook cannot be read ({type(error).__name__})"])


def writable(root: Path) -> bool:
    """Whether this process may put versions into the folder of forms."""
    folders = [root / "published", root / "xlsforms", *(root / "xlsforms").glob("*")]
    return all(os.access(folder, os.W_OK | os.X_OK) for folder in folders)


def unlike(catalogue: Catalogue, root: Path) -> list[tuple[str, str, str]]:
    """(form, version, state) of what the folder says otherwise than this process, which read it at its start."""
    found = []
    for row in read_index(root / "published"):
        entry = catalogue.find(row.form_id, row.version)
        here = "published" if entry is not None and not catalogue.withdrawn(entry.form) else "withdrawn"
        if entry is None or here != row.state.value:
            found.append((row.form_id, row.version, row.state.value))
    return sorted(found)


def workbook(root: Path, form: Form) -> bytes | None:
    """The sheets of a version as a workbook, to be changed and published; None where its sheets were not kept."""
    kept, present = root / "published" / f"{form.id}-{form.version}", root / "xlsforms" / form.id
    folder = kept if kept.is_dir() else present
    if not folder.is_dir():
        return None
    sheets = load_sheets(folder, root / "choices.csv")
    if (sheets.settings[0].get("version") if sheets.settings else None) != form.version:
        return None
    book = Workbook()
    book.remove(book.worksheets[0])
    for name in COLUMNS:
        columns = sheets.headers[name]
        lines = [list(columns), *([row.get(column, "") for column in columns] for row in getattr(sheets, name))]
        _fill(book, name, lines)
    _fill(book, "lifts", lines_of(present / FILE) or [])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(book: Workbook, name: str, lines: list[list[str]]) -> None:
    sheet = book.create_sheet(name)
    for number, line in enumerate(lines, start=1):
        for column, text in enumerate(line, start=1):
            if text:
                cell = sheet.cell(number, column)
                cell.value = text
                cell.data_type = "s"  # whatever it begins with
    sheet.freeze_panes = "A2"


def by_one(data: Path, work: Callable[[], Report]) -> Report:
    """Publish, while nobody else does on this machine."""
    with alone(data / ".forms.lock"):
        return work()
