"""What is shown of forms: their versions with what came with them, and one version question by question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import func, select

from forms.catalogue import Catalogue
from forms.destinations import destination
from forms.form import Form
from forms.outline import Item, Outline, Texts
from forms.wording import Wording
from server.store.tables import Submission, db

Counts = Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class Version:
    """One version: `state` is current, earlier or withdrawn; `since` an ISO date, if it is known."""

    form: Form
    state: str
    since: str
    count: int

    @property
    def day(self) -> date | None:
        """Since when it is out, if that is known."""
        return date.fromisoformat(self.since) if self.since else None

    @property
    def questions(self) -> int:
        return len(self.form.questions)


@dataclass(frozen=True)
class Asked:
    """A row of the form as it is asked. `path`: its headings; `asked_if` and `must` in words and as written.

    `sensitivity` is that of the property to which the answer goes; `protected`: officers alone read it.
    """

    item: Item
    path: tuple[Texts, ...]
    asked_if: Sequence[tuple[str, str]]
    must: tuple[str, str] | None
    required: tuple[str, str] | None
    goes: str
    sensitivity: str
    protected: bool


def versions(catalogue: Catalogue, counts: Counts) -> Mapping[str, list[Version]]:
    """Form id -> its versions, the newest first."""
    found: dict[str, list[Version]] = {}
    current = {(form.id, form.version) for form in catalogue.current()}
    for form in reversed(catalogue.versions()):
        row, key = catalogue.listing(form), (form.id, form.version)
        state = "withdrawn" if catalogue.withdrawn(form) else "current" if key in current else "earlier"
        found.setdefault(form.id, []).append(Version(form, state, row.since if row else "", counts.get(key, 0)))
    return dict(sorted(found.items()))


def counted() -> Counts:
    """Submissions by form and version. In a city that reads a long index: some tenths of a second."""
    query = select(Submission.form, Submission.form_version, func.count()).where(Submission.form != "")
    rows = db.session.execute(query.group_by(Submission.form, Submission.form_version))
    return {(form, version): count for form, version, count in rows}


def asked(catalogue: Catalogue, form: Form, language: str) -> list[Asked]:
    """Every row of a version in the order in which it is asked; what is calculated comes last."""
    outline = Outline(form)
    wording = Wording(outline, language)
    return [_asked(catalogue, form, item, wording) for item in outline.items]


def _asked(catalogue: Catalogue, form: Form, item: Item, wording: Wording) -> Asked:
    told = lambda expression: (wording.said(expression), expression)  # noqa: E731
    goes = destination(form, item.question, catalogue.types, catalogue.lifts) if item.question is not None else None
    return Asked(
        item,
        item.section,
        [told(one) for one in item.relevant],
        told(item.constraint) if item.constraint else None,
        told(item.required) if item.required else None,
        goes.name if goes is not None and goes.prop is not None else "",
        goes.prop.sensitivity if goes is not None and goes.prop is not None else "",
        item.question is not None and item.question.protected is not None,
    )
