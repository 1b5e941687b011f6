"""How a page reads for one visitor: in which language, and which of his areas."""

from collections.abc import Collection, Mapping
from typing import Any

from flask_babel import get_locale
from flask_babel import gettext as _
from marshmallow import Schema, ValidationError

from server.console.session import Visitor
from server.problems import Problem
from server.reading.words import Words
from server.world import current_nest

IN_WORDS = ("reason", "comment", "circumstances")  # what is missing there has a refusal of its own


def words_now() -> Words:
    """Words in the reader's language."""
    return Words(current_nest(), str(get_locale()))


def areas_of(me: Visitor, wanted: str | None) -> tuple[Collection[str], str | None]:
    """The areas to show, and the one that was chosen. Raises the problems `forbidden` and `not_found`."""
    chosen = wanted or None
    return me.access.desk(chosen), chosen


def area_names(me: Visitor) -> list[tuple[str, str]]:
    """(area, name) of all areas in the visitor's charge, in Vietnamese order."""
    wards = current_nest().places.wards
    return sorted(((area, wards[area].name) for area in me.access.areas if area in wards), key=lambda one: one[1])


def loaded(schema: Schema, said: dict[str, Any], labels: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """What a form sends, by the same schema as the API. Raises the problems `reason_needed` and `invalid`, the latter
    with the labels of the fields that are wrong, where there are any.
    """
    try:
        return dict(schema.load(said))
    except ValidationError as error:
        wrong = error.messages if isinstance(error.messages, dict) else {}
        if any(name in wrong and not str(said.get(name) or "").strip() for name in IN_WORDS):
            raise Problem("reason_needed") from error
        named = [str(labels[name]) for name in wrong if name in labels] if labels else []
        detail = _("Hãy xem lại: %(fields)s.", fields=", ".join(named)) if named else None
        raise Problem("invalid", detail) from error
