"""How a page reads for one visitor: in which language, and which of his areas."""

from collections.abc import Collection
from typing import Any

from flask_babel import get_locale
from marshmallow import Schema, ValidationError

from server.console.session import Visitor
from server.problems import Problem
from server.reading.words import Words
from server.world import current_nest


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


def loaded(schema: Schema, said: dict[str, Any]) -> dict[str, Any]:
    """What a form sends, by the same schema as the API. Raises the problems `reason_needed` and `invalid`."""
    try:
        return dict(schema.load(said))
    except ValidationError as error:
        names = error.messages if isinstance(error.messages, dict) else {}
        missing = any(name in names and not str(said.get(name) or "").strip() for name in ("reason", "comment"))
        raise Problem("reason_needed" if missing else "invalid") from error
