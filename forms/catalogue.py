"""Which forms there are: every version that was ever published, and the one that is current.

A version that was published is in `forms/published` as it was compiled then, listed with its digest in `index.csv`:
phones may send it for ever, and the index also says whether it was withdrawn. The sheets of `forms/xlsforms` are read
where their version is not among those: then they are the newest.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

from marshmallow import Schema

from forms.entity_types import EntityType
from forms.form import Form, FormError, Question
from forms.gate import Gate
from forms.lifting import EVERYTHING, FILE, NO_LIFTS, Lifts, check_lifts, read_lifts
from forms.schema import Problem, check, schema_of
from forms.type_files import load_entity_types
from forms.xform import read_form
from forms.xlsform import XForm, load_sheets, to_xform

FOLDER = Path(__file__).parent
INDEX = ("form_id", "version", "ward_list", "sha256", "file", "state", "since", "protected")
Hidden = Mapping[str, frozenset[str]]  # property -> codes that a form cannot show


class Publication(StrEnum):
    """The closed list of what the index says of a version. Either is accepted for ever."""

    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"  # no longer offered to phones


@dataclass(frozen=True)
class Listing:
    """One row of the index: a version, its file, and the date since when it is out.

    `protected` are the questions whose answers officers alone read, and must be for ever.
    """

    form_id: str
    version: str
    ward_list: str
    sha256: str
    file: str
    state: Publication = Publication.PUBLISHED
    since: str = ""
    protected: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """One form version, and what checks its answers."""

    form: Form

    @cached_property
    def schema(self) -> Schema:
        return schema_of(self.form)

    @cached_property
    def gate(self) -> Gate:
        return Gate(self.form)

    def check(self, answers: Any) -> tuple[dict[str, Any], list[Problem]]:
        """The canonical answers that are valid, and everything wrong with the others (`forms.schema.check`)."""
        loaded = self.gate.load(answers)
        return (loaded, []) if loaded is not None else check(self.schema, answers)


class Catalogue:
    """Form versions by (id, version). A version that was published is never forgotten."""

    def __init__(
        self,
        types: Mapping[str, EntityType],
        forms: Iterable[Form],
        lifts: Lifts = NO_LIFTS,
        index: Iterable[Listing] = (),
    ) -> None:
        self.types, self.lifts = types, lifts
        self._entries = {(form.id, form.version): Entry(form) for form in forms}
        self._index = {(row.form_id, row.version): row for row in index}
        self._hidden: dict[tuple[str, str, str], Hidden] = {}

    def find(self, form_id: str, version: str) -> Entry | None:
        """The version asked for, or None."""
        return self._entries.get((form_id, version))

    def listing(self, form: Form) -> Listing | None:
        """What the index says of a version."""
        return self._index.get((form.id, form.version))

    def entries(self) -> list[Entry]:
        """Every version of every form, by form id and version."""
        return [self._entries[key] for key in sorted(self._entries)]

    def knows(self, form_id: str) -> bool:
        return any(known == form_id for known, _ in self._entries)

    def versions(self) -> list[Form]:
        """Every version, by form id, oldest first."""
        return [self._entries[key].form for key in sorted(self._entries)]

    def current(self) -> list[Form]:
        """The newest version of each form, by form id. Versions are compared as text (YYYYMMDDNN)."""
        return list({form.id: form for form in self.versions()}.values())

    def current_of(self, form_id: str) -> Form | None:
        """The newest version of one form, or None."""
        return next((form for form in self.current() if form.id == form_id), None)

    def offered(self) -> list[Form]:
        """What phones are told to use: the current versions that are not withdrawn."""
        return [form for form in self.current() if not self.withdrawn(form)]

    def withdrawn(self, form: Form) -> bool:
        row = self.listing(form)
        return row is not None and row.state is Publication.WITHDRAWN

    def hidden(self, form: Form, kind: str) -> Hidden:
        """Of each property that a form version loads: today's codes that it cannot show (`*`: nothing at all).

        A phone shows an entity as the server tells it today, so that a code which the version does not offer, or a
        property that it calls otherwise, is an empty question there.
        """
        key = (form.id, form.version, kind)
        if key not in self._hidden:
            loading = [q for q in form.questions if q.prefilled and q.container and q.container.type == kind]
            found = {q.property: self._unseen(kind, q) for q in loading if q.property is not None}
            self._hidden[key] = {name: codes for name, codes in found.items() if codes}
        return self._hidden[key]

    def _unseen(self, kind: str, question: Question) -> frozenset[str]:
        if question.saved_as not in (None, question.property):
            return frozenset({EVERYTHING})
        if question.choices is None:
            return frozenset()
        return self._codes.get((kind, question.property), frozenset()) - question.choices

    @cached_property
    def _codes(self) -> Mapping[tuple[str, str | None], frozenset[str]]:
        """Today's codes of each property: whatever a current form lets one choose."""
        found: dict[tuple[str, str | None], frozenset[str]] = {}
        for question in (q for form in self.current() for q in form.questions):
            if question.container is not None and question.choices is not None:
                key = (question.container.type, question.property)
                found[key] = found.get(key, frozenset()) | question.choices
        return found


def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Read every form of `folder` against its entity types.

    Raises `FormError` or `EntityTypeError` for files that cannot be used.
    """
    catalogue = read_catalogue(folder, load_lifts(folder))
    check_lifts(catalogue.lifts, catalogue.current(), catalogue.types)
    return catalogue


def read_catalogue(folder: Path, lifts: Lifts) -> Catalogue:
    """The same with lifts that need not fit what is current: those of a version that is only about to come."""
    types, index = load_entity_types(folder / "entities"), read_index(folder / "published")
    forms = list(_published(folder / "published", index, types, lifts))
    known = {(form.id, form.version) for form in forms}
    sheets = (form for form in _sheets(folder, types, lifts) if (form.id, form.version) not in known)
    catalogue = Catalogue(types, [*forms, *sheets], lifts, index)
    for row in index:
        _check_protected(catalogue, row)
    return catalogue


def sheets_of(folder: Path, form_id: str) -> XForm:
    """What the present sheets of a form compile to. Raises `FormError`."""
    return to_xform(load_sheets(folder / "xlsforms" / form_id, folder / "choices.csv"))


def _check_protected(catalogue: Catalogue, row: Listing) -> None:
    found = catalogue.find(row.form_id, row.version)
    for name in row.protected if found else ():
        question = found.form.by_name.get(name) if found else None
        if question is None or question.protected is None:
            raise FormError(f"{row.form_id} {row.version}: {name} was protected, and now everybody could read it")


def load_lifts(folder: Path) -> Lifts:
    """The lifts of all forms. Raises `FormError`."""
    paths = sorted((folder / "xlsforms").glob(f"*/{FILE}"))
    return Lifts(tuple(row for path in paths for row in read_lifts(path)))


def read_index(folder: Path) -> list[Listing]:
    """The rows of the index of published forms, none if there is no index. Raises `FormError`."""
    path = folder / "index.csv"
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    try:
        return [_listing(row) for row in rows]
    except (KeyError, ValueError) as error:
        raise FormError(f"published/index.csv cannot be read: {error}") from error


def _listing(row: Mapping[str, str]) -> Listing:
    cells = {name: row[name] for name in INDEX[:5]}
    state = Publication(row.get("state") or Publication.PUBLISHED)
    return Listing(**cells, state=state, since=row.get("since") or "", protected=tuple(_names(row)))


def _names(row: Mapping[str, str]) -> list[str]:
    return (row.get("protected") or "").split()


def _sheets(folder: Path, types: Mapping[str, EntityType], lifts: Lifts) -> Iterator[Form]:
    for path in sorted(path for path in (folder / "xlsforms").iterdir() if path.is_dir()):
        xform = sheets_of(folder, path.name)
        yield read_form(xform.xml, xform.ward_list, types, lifts)


def _published(
    folder: Path, index: Iterable[Listing], types: Mapping[str, EntityType], lifts: Lifts
) -> Iterator[Form]:
    for row in index:
        try:
            content = (folder / row.file).read_bytes()
        except OSError as error:
            raise FormError(f"published form {row.file} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != row.sha256:
            raise FormError(f"published form {row.file} is not what was published")
        form = read_form(content.decode("utf-8"), row.ward_list, types, lifts)
        if (form.id, form.version) != (row.form_id, row.version):
            raise FormError(f"published form {row.file} is {form.id} {form.version}")
        yield form
