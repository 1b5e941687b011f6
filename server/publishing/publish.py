"""Publish a version, roll back to one, withdraw and restore: tried on a copy of the forms before anything changes."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from forms.catalogue import Publication, load_catalogue, read_catalogue
from forms.changes import changes
from forms.entity_types import EntityTypeError
from forms.form import Form, FormError
from forms.lifting import COLUMNS, FILE, Change, Lift, Lifts, lifts_of, read_lifts
from forms.xlsform import SheetError, load_sheets, to_xform
from server.publishing import odk
from server.publishing.checks import check_version, compare
from server.publishing.files import keep, mark, put
from server.publishing.messages import of_sheets, of_validate, warnings
from server.publishing.source import Source, lines_of, read_source


@dataclass
class Report:
    """`problems` (then nothing was written), `notes`, the lines of the `diff`, and the form if it was published."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    diff: list[str] = field(default_factory=list)
    form: Form | None = None


def publish(root: Path, path: Path, today: str, dry_run: bool = False) -> Report:
    """Check the sheets at `path` and, unless `dry_run`, make them the current version of their form in `root`.

    `today` is an ISO date. Writes nothing if anything is wrong.
    """
    if root.resolve() in path.resolve().parents:
        return Report([f"{path.name} is among the product's own forms: edit a copy of it, and publish that"])
    try:
        source = read_source(path, root / "choices.csv")
    except SheetError as error:
        return Report([of_sheets(error)])
    except FormError as error:
        return Report([str(error)])
    return _publish(root, source, today, dry_run)


def following(version: str, today: str) -> str:
    """The number after `version`: today's first, or one more."""
    return max(str(int(version) + 1), f"{today.replace('-', '')}01")


def rollback(root: Path, form_id: str, version: str, number: str, today: str, dry_run: bool = False) -> Report:
    """Make an earlier version current again, under the new version `number`: phones only go up."""
    catalogue = load_catalogue(root)
    entry = catalogue.find(form_id, version)
    if entry is None:
        return Report([f"there is no {form_id} {version}"])
    if catalogue.withdrawn(entry.form):
        return Report([f"{form_id} {version} is withdrawn: restore it first"])
    sheets = root / "published" / f"{form_id}-{version}"
    if not sheets.is_dir():
        return Report([f"the sheets of {form_id} {version} are not among those published: is it the current one?"])
    lifts = lines_of(root / "xlsforms" / form_id / FILE) or [list(COLUMNS)]
    back = _back(catalogue.lifts, version, number)
    lifts = [*lifts, *([row.version, row.change, row.of, row.old, row.new] for row in back)]
    source = Source(load_sheets(sheets, root / "choices.csv"), lifts).named(number)
    return _publish(root, source, today, dry_run)


def set_state(root: Path, form_id: str, version: str, state: Publication) -> str | None:
    """Withdraw a version, or restore it. Returns why not, if not."""
    entry = load_catalogue(root).find(form_id, version)
    if entry is None:
        return f"there is no {form_id} {version}"
    mark(root, entry.form, state)
    return None


def _back(lifts: Lifts, version: str, number: str) -> Iterator[Lift]:
    """Codes that were renamed after `version` get their old names again; names of properties stay today's."""
    renamed = [row for row in lifts.rows if row.change is Change.CODE and row.version > version]
    for row in sorted(renamed, key=lambda row: row.version, reverse=True):
        yield Lift(number, Change.CODE, row.of, row.new, row.old)


def _publish(root: Path, source: Source, today: str, dry_run: bool) -> Report:
    report = Report()
    try:
        old = _check(root, source, report)
    except SheetError as error:
        report.problems.append(of_sheets(error, source.sheets))
        return report
    except (FormError, EntityTypeError) as error:
        report.problems.append(str(error))
        return report
    if not report.problems and not dry_run:
        put(root, source, old)
        report.form = load_catalogue(root).current_of(source.form_id)
        assert report.form is not None
        keep(root, report.form, today)
    return report


def _check(root: Path, source: Source, report: Report) -> Form | None:
    """Read all forms as they would be; returns the version before. Raises `FormError` or `EntityTypeError`."""
    xform = to_xform(source.sheets)
    before = read_catalogue(root, _coming(root, source))
    old = before.current_of(xform.form_id)
    report.notes += warnings(xform.warnings)
    report.problems += [*check_version(before, xform.form_id, xform.version, xform.xml), *_lost(root, source)]
    if report.problems:
        return old
    report.problems += _validated(xform.xml, source, report.notes)
    with _copy(root) as copy:
        put(copy, source, old)
        after = load_catalogue(copy)
    new = after.find(xform.form_id, xform.version)
    assert new is not None
    if old is None:
        report.diff.append(f"{new.form.id} {new.form.version}: a new form with {len(new.form.questions)} questions")
        return None
    found = compare(after, old, new.form)
    report.problems += found.problems
    report.notes += found.notes
    report.diff += changes(old, new.form, after.types, after.lifts)
    return old


def _coming(root: Path, source: Source) -> Lifts:
    """The lifts as they would be: those of the other forms, and the new ones."""
    paths = sorted((root / "xlsforms").glob(f"*/{FILE}"))
    if source.lifts is None:
        return Lifts(tuple(row for path in paths for row in read_lifts(path)))
    others = [row for path in paths if path.parent.name != source.form_id for row in read_lifts(path)]
    return Lifts((*others, *lifts_of(source.lifts, FILE)))


def _validated(xml: str, source: Source, notes: list[str]) -> list[str]:
    program = odk.java()
    if program is None:
        notes.append(odk.SKIPPED)
        return []
    output = odk.validate(xml, program)
    return of_validate(output, source.sheets) if output is not None else []


def _lost(root: Path, source: Source) -> Iterator[str]:
    """Rows of the present lifts that the new ones leave out: submissions of then need them for ever."""
    known = lines_of(root / "xlsforms" / source.form_id / FILE) or []
    for row in known if source.lifts is not None else []:
        if row not in (source.lifts or ()):
            yield f"lifts.csv: the row {','.join(row)} is missing; it is needed for ever"


@contextmanager
def _copy(root: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="forms-") as folder:
        yield Path(
            shutil.copytree(root, Path(folder) / "forms", ignore=shutil.ignore_patterns("__pycache__", "*.py"))
        )
