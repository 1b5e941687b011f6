"""A form with photos, one of them for officers alone, beside the real forms; and a submission of it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forms.catalogue import Catalogue
from forms.entity_types import EntityType, Half, PolicyName, Property, PropertyType
from forms.form import Form
from forms.xform import read_form
from forms.xlsform import Sheets, to_xform
from tests.api.builders import VERSIONS, claim, item

VI = "label::Tiếng Việt (vi)"
SECRET = "injury_photo"


def _row(kind: str, name: str = "", **more: str) -> Mapping[str, str]:
    return {"type": kind, "name": name, VI: name} | more


SURVEY = (
    _row("select_one_from_file child.csv", "child"),
    _row("text", "full_name", save_to="full_name"),
    _row("text", "note"),
    _row("image", "photo"),
    _row("audio", "told"),
    _row("image", SECRET),
    _row("begin_repeat", "papers"),
    _row("file", "paper"),
    _row("end_repeat"),
)


def with_photos(catalogue: Catalogue) -> Catalogue:
    """The same with the form `child_photo`, and a property of a child's protected half that is a file."""
    child = catalogue.types["child"]
    assert child.protected_half is not None
    secret = Property(
        SECRET, PropertyType.FILE, PolicyName.SERIES, "S3", vi="Ảnh vết thương", en="Injury", half=Half.PROTECTED
    )
    half = replace(child.protected_half, properties={**child.protected_half.properties, SECRET: secret})
    types = {**catalogue.types, "child": replace(child, protected_half=half), half.name: half}
    forms = [entry.form for entry in catalogue._entries.values()]
    return Catalogue(types, [*forms, photo_form(types)])


def photo_form(types: Mapping[str, EntityType]) -> Form:
    entities = ({"list_name": "child", "label": "${full_name}", "entity_id": "${child}"},)
    settings = ({"form_title": "Ảnh", "form_id": "child_photo", "version": "1", "ward_list": "2025"},)
    rows = {"survey": SURVEY, "choices": (), "entities": entities, "settings": settings}
    headers = {name: tuple(dict.fromkeys(c for row in found for c in row)) for name, found in rows.items()}
    form = to_xform(Sheets(SURVEY, (), entities, settings, headers))
    return read_form(form.xml, form.ward_list, types)


def taken(
    child: str, base: str, seen: Mapping[str, Any], *media: Mapping[str, Any], **answers: Any
) -> dict[str, Any]:
    """The item of a visit on which photos were taken."""
    said = {"child": child, "full_name": seen.get("full_name")} | answers
    about = claim("child", child, base, seen)
    return item("child_photo", said, about, media=list(media)) | {"version": VERSIONS.get("child_photo", "1")}
