"""Which forms there are: every version that was ever published, and the one that is current."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from marshmallow import Schema

from forms.entity_types import EntityType, load_entity_types
from forms.form import Form, read_form
from forms.schema import schema_of
from forms.xlsform import load_sheets, to_xform

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Entry:
    """One form version with the Schema of its answers."""

    form: Form

    @cached_property
    def schema(self) -> Schema:
        return schema_of(self.form)


class Catalogue:
    """Form versions by (id, version). A version that was published is never forgotten."""

    def __init__(self, types: Mapping[str, EntityType], forms: Iterable[Form]) -> None:
        self.types = types
        self._entries = {(form.id, form.version): Entry(form) for form in forms}

    def find(self, form_id: str, version: str) -> Entry | None:
        """The version asked for, or None."""
        return self._entries.get((form_id, version))

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
    """Compile every form of `forms/xlsforms` against the entity types of `forms/entities`."""
    types = load_entity_types(folder / "entities")
    forms = []
    for sheets_folder in sorted(path for path in (folder / "xlsforms").iterdir() if path.is_dir()):
        xform = to_xform(load_sheets(sheets_folder, folder / "choices.csv"))
        forms.append(read_form(xform.xml, xform.ward_list, types))
    return Catalogue(types, forms)
