"""Which forms there are: every version that was ever published, and the one that is current.

The sheets of `forms/xlsforms` are the newest version of each form. What was published before them stays in
`forms/published` as it was compiled then, listed with its digest in `index.csv`: phones may send it for ever.
"""

import csv
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from marshmallow import Schema

from forms.entity_types import EntityType
from forms.form import Form, FormError
from forms.gate import Gate
from forms.schema import Problem, check, schema_of
from forms.type_files import load_entity_types
from forms.xform import read_form
from forms.xlsform import load_sheets, to_xform

FOLDER = Path(__file__).parent


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

    def __init__(self, types: Mapping[str, EntityType], forms: Iterable[Form]) -> None:
        self.types = types
        self._entries = {(form.id, form.version): Entry(form) for form in forms}

    def find(self, form_id: str, version: str) -> Entry | None:
        """The version asked for, or None."""
        return self._entries.get((form_id, version))

    def entries(self) -> list[Entry]:
        """Every version of every form, by form id and version."""
        return [self._entries[key] for key in sorted(self._entries)]

    def knows(self, form_id: str) -> bool:
        return any(known == form_id for known, _ in self._entries)

    def current(self) -> list[Form]:
        """The newest version of each form, by form id. Versions are compared as text (YYYYMMDDNN)."""
        newest: dict[str, Form] = {}
        for entry in self._entries.values():
            known = newest.get(entry.form.id)
            if known is None or known.version < entry.form.version:
                newest[entry.form.id] = entry.form
        return [newest[form_id] for form_id in sorted(newest)]


def load_catalogue(folder: Path = FOLDER) -> Catalogue:
    """Read every form of `folder` against its entity types.

    Raises `FormError` or `EntityTypeError` for files that cannot be used, and for a version that is there twice.
    """
    types = load_entity_types(folder / "entities")
    forms = [*_sheets(folder, types), *_published(folder / "published", types)]
    versions = [(form.id, form.version) for form in forms]
    if twice := sorted({version for version in versions if versions.count(version) > 1}):
        raise FormError(f"{' '.join(twice[0])} is published already: raise the version of its sheets")
    return Catalogue(types, forms)


def _sheets(folder: Path, types: Mapping[str, EntityType]) -> Iterator[Form]:
    for sheets_folder in sorted(path for path in (folder / "xlsforms").iterdir() if path.is_dir()):
        xform = to_xform(load_sheets(sheets_folder, folder / "choices.csv"))
        yield read_form(xform.xml, xform.ward_list, types)


def _published(folder: Path, types: Mapping[str, EntityType]) -> Iterator[Form]:
    index = folder / "index.csv"
    if not index.exists():
        return
    with index.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows:
        try:
            content = (folder / row["file"]).read_bytes()
        except OSError as error:
            raise FormError(f"published form {row['file']} cannot be read: {error.strerror}") from error
        if hashlib.sha256(content).hexdigest() != row["sha256"]:
            raise FormError(f"published form {row['file']} is not what was published")
        form = read_form(content.decode("utf-8"), row["ward_list"], types)
        if (form.id, form.version) != (row["form_id"], row["version"]):
            raise FormError(f"published form {row['file']} is {form.id} {form.version}")
        yield form
