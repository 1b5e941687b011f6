"""The files of published forms: one index, and beside it the XForm and the sheets of every version that went out."""

import csv
import shutil
from dataclasses import replace
from pathlib import Path

from forms.catalogue import INDEX, Listing, Publication, read_index
from forms.form import Form
from forms.lifting import COLUMNS, FILE
from forms.xlsform import load_sheets, save_sheets
from server.publishing.source import Source, lines_of


def put(root: Path, source: Source, before: Form | None) -> None:
    """Make `source` the present sheets of its form. `before` was current, and is kept among those published."""
    folder = root / "xlsforms" / source.form_id
    if before is not None:
        keep(root, before)
    lifts = source.lifts or lines_of(folder / FILE) or [list(COLUMNS)]
    fresh = folder.with_name(f".{source.form_id}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    source.write(fresh, root / "choices.csv", lifts)
    shutil.rmtree(folder, ignore_errors=True)
    fresh.rename(folder)


def keep(root: Path, form: Form, today: str = "") -> None:
    """Put the present version of a form, as compiled and as sheets, among those published; once for all."""
    folder, name = root / "published", f"{form.id}-{form.version}"
    if any((row.form_id, row.version) == (form.id, form.version) for row in read_index(folder)):
        return
    save_sheets(load_sheets(root / "xlsforms" / form.id, root / "choices.csv"), folder / name)
    (folder / f"{name}.xml").write_bytes(form.xml.encode())
    protected = tuple(sorted(question.name for question in form.questions if question.protected))
    row = Listing(form.id, form.version, form.ward_list, form.sha256, f"{name}.xml", since=today, protected=protected)
    _write(folder / "index.csv", [*read_index(folder), row])


def mark(root: Path, form: Form, state: Publication) -> None:
    """Write the state of a version into the index."""
    keep(root, form)
    path = root / "published" / "index.csv"

    def changed(row: Listing) -> Listing:
        return replace(row, state=state) if (row.form_id, row.version) == (form.id, form.version) else row

    _write(path, [changed(row) for row in read_index(path.parent)])


def _write(path: Path, rows: list[Listing]) -> None:
    whole = path.with_name(".index.new")
    with whole.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(INDEX)
        for row in sorted(rows, key=lambda row: (row.form_id, row.version)):
            writer.writerow((*_cells(row), " ".join(row.protected)))
    whole.replace(path)


def _cells(row: Listing) -> tuple[str, ...]:
    return (row.form_id, row.version, row.ward_list, row.sha256, row.file, row.state, row.since)
