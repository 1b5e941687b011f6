"""`flask forms`: publish a version, see what is different, withdraw it, roll back to it, and the pages about forms.

What these commands write are files of the folder of forms (`TOAM_FORMS`): the product's, in a checkout, from which a
server gets the result with its next deployment; or a server's own copy.
"""

from pathlib import Path

import click
from flask.cli import AppGroup
from sqlalchemy import func, select

from forms.catalogue import FOLDER as PRODUCT
from forms.catalogue import Catalogue, Publication, load_catalogue, sheets_of
from forms.changes import changes
from forms.form import Form, FormError
from forms.pages import pages
from forms.xform import read_form
from forms.xlsform import to_xform
from server.clock import now
from server.publishing.publish import Report, following, publish, rollback, set_state
from server.publishing.source import read_source
from server.store.tables import Submission, db
from server.world import current_nest
from sync.times import local_date

PAGES = PRODUCT.parent / "docs/forms"
forms = AppGroup("forms", help="The forms: publish, compare, withdraw, roll back.")
dry = click.option("--dry-run", is_flag=True, help="Only say what would be.")


@forms.command("list")
def list_() -> None:
    """Every version of every form, and how many submissions came with it."""
    catalogue, counts = current_nest().catalogue, _counts()
    for form in catalogue.versions():
        row = catalogue.listing(form)
        since = row.since if row is not None and row.since else "-"
        count = counts.pop((form.id, form.version), 0)
        state = f"{_state(catalogue, form):<9} since {since:<10}"
        click.echo(f"{form.id} {form.version} {state} {count:>6} submissions  sha256 {form.sha256}{_drift(form)}")
    for (form_id, version), count in sorted(counts.items()):
        click.echo(f"{form_id} {version} unknown   {count:>24} submissions")


@forms.command("diff")
@click.argument("old")
@click.argument("new")
def diff(old: str, new: str) -> None:
    """What is different between two versions: FORM, FORM@VERSION, a folder of sheets or a workbook."""
    catalogue = current_nest().catalogue
    before, after = _form(catalogue, old), _form(catalogue, new)
    click.echo("\n".join(changes(before, after, catalogue.types, catalogue.lifts)))


@forms.command("publish")
@click.argument("path", type=click.Path(exists=True, path_type=Path))
@dry
def publish_(path: Path, dry_run: bool) -> None:
    """Check new sheets (a folder or an .xlsx), show what is different, and make them the current version."""
    _tell(publish(folder(), path, _today(), dry_run), dry_run)


@forms.command("rollback")
@click.argument("form")
@click.argument("version")
@click.option("--as", "number", help="The new version; one more than the current if not given.")
@dry
def rollback_(form: str, version: str, number: str | None, dry_run: bool) -> None:
    """Make an earlier VERSION current again, under a new number, as phones only go up."""
    current = load_catalogue(folder()).current_of(form)
    if current is None:
        raise click.ClickException(f"there is no form {form}")
    number = number or following(current.version, _today())
    _tell(rollback(folder(), form, version, number, _today(), dry_run), dry_run)


@forms.command("withdraw")
@click.argument("form")
@click.argument("version")
def withdraw(form: str, version: str) -> None:
    """Offer a version to phones no longer. What they send of it is accepted for ever."""
    _set_state(form, version, Publication.WITHDRAWN)


@forms.command("restore")
@click.argument("form")
@click.argument("version")
def restore(form: str, version: str) -> None:
    """Take a withdrawal back."""
    _set_state(form, version, Publication.PUBLISHED)


@forms.command("docs")
@click.option("--check", is_flag=True, help="Only say which pages are not up to date; exit 1 if any is.")
def docs(check: bool) -> None:
    """Write docs/forms: for each form its questions, conditions, options, where answers go and who reads them."""
    stale = stale_pages(current_nest().catalogue)
    for name, text in stale.items():
        click.echo(f"docs/forms/{name}{' is not up to date' if check else ''}")
        if not check and text is None:
            (PAGES / name).unlink()
        elif not check and text is not None:
            PAGES.mkdir(parents=True, exist_ok=True)
            (PAGES / name).write_text(text, encoding="utf-8")
    if check and stale:
        raise SystemExit(1)


def stale_pages(catalogue: Catalogue) -> dict[str, str | None]:
    """The pages that differ from what is written, by file name; None for one that should not be there."""
    wanted: dict[str, str | None] = dict(pages(catalogue))
    written = {path.name: path.read_text(encoding="utf-8") for path in sorted(PAGES.glob("*.md"))}
    return {name: text for name, text in wanted.items() if written.get(name) != text} | {
        name: None for name in written if name not in wanted
    }


def _tell(report: Report, dry_run: bool) -> None:
    for line in report.diff:
        click.echo(line)
    for note in report.notes:
        click.echo(f"note: {note}")
    for problem in report.problems:
        click.echo(f"wrong: {problem}", err=True)
    if report.problems:
        raise click.ClickException("nothing was published")
    if report.form is None:
        click.echo("nothing was written (--dry-run)" if dry_run else "nothing was written")
        return
    click.echo(f"{report.form.id} {report.form.version} is current. Next: flask forms docs, make test, commit;")
    click.echo("then on each server: restart, and flask rebuild")


def _set_state(form: str, version: str, state: Publication) -> None:
    refused = set_state(folder(), form, version, state)
    if refused is not None:
        raise click.ClickException(refused)
    click.echo(f"{form} {version}: {state}; a server does so from its next start")


def _state(catalogue: Catalogue, form: Form) -> str:
    if catalogue.withdrawn(form):
        return "withdrawn"
    return "current" if form in catalogue.current() else "published"


def _drift(form: Form) -> str:
    """Sheets that were changed without a new version are no version of their own."""
    try:
        present = sheets_of(folder(), form.id)
    except FormError:
        return ""
    return "  (its sheets were changed)" if present.version == form.version and present.xml != form.xml else ""


def _counts() -> dict[tuple[str, str], int]:
    query = select(Submission.form, Submission.form_version, func.count()).where(Submission.form != "")
    rows = db.session.execute(query.group_by(Submission.form, Submission.form_version))
    return {(form, version): count for form, version, count in rows}


def _form(catalogue: Catalogue, name: str) -> Form:
    form_id, _, version = name.partition("@")
    entry = catalogue.find(form_id, version)
    found = entry.form if entry is not None else None if version else catalogue.current_of(form_id)
    if found is not None:
        return found
    try:
        xform = to_xform(read_source(Path(name), folder() / "choices.csv").sheets)
        return read_form(xform.xml, xform.ward_list, catalogue.types, catalogue.lifts)
    except FormError as error:
        raise click.ClickException(str(error)) from error


def folder() -> Path:
    """Where the forms of this server are."""
    return current_nest().settings.forms


def _today() -> str:
    return local_date(now()).isoformat()
