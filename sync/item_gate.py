"""A fast way in for items that are plainly in order; marshmallow (`sync.batch`) explains all others.

As `forms.gate`: what passes is read into exactly what marshmallow would load; a no only asks for a closer look.
"""

from datetime import datetime
from typing import Any

import jsonschema_rs

from forms.gate import DATE, TIME
from sync.batch import Item, claim_of

_ID = "^[0-9A-Za-z:._-]{1,100}$"


def _text(most: int, least: int = 0) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def _or_null(schema: dict[str, Any]) -> dict[str, Any]:
    return {"anyOf": [{"type": "null"}, schema]}


_CLAIM = {
    "type": "object",
    "required": ["type", "id"],
    "properties": {
        "type": _text(50),
        "id": {"type": "string", "pattern": _ID},
        "base": {"type": ["string", "null"]},
        "after": {"type": "array", "maxItems": 500, "items": _text(200)},
        "seen": {"type": ["object", "null"]},
    },
}
_OBSERVED = {
    "type": "object",
    "required": ["boot", "mono_ms"],
    "properties": {"boot": _text(100), "mono_ms": {"type": "integer", "minimum": 0, "maximum": 2**53}},
}
_ITEM = {
    "type": "object",
    "required": ["id", "form", "observed_at", "answers"],
    "properties": {
        "id": {"type": "string", "pattern": "^[!-}]{1,150}$"},
        "seq": {"type": ["integer", "null"], "minimum": 0, "maximum": 2**53},
        "form": _text(100, 1),
        "version": _text(100),
        "author": _or_null(_text(100)),
        "kind": _text(50),
        "observed_at": {"type": "string", "pattern": f"^{DATE}T{TIME}$"},
        "obs": _or_null(_OBSERVED),
        "entered_late": {"type": "boolean"},
        "amends": _or_null(_text(200)),
        "answers": {"type": "object"},
        "xml": {"type": "null"},
        "entities": {"type": "array", "items": _CLAIM},
        "media": {"type": "array", "maxItems": 0},
    },
}
_VALIDATOR = jsonschema_rs.validator_for(_ITEM)


def plain_item(value: Any) -> Item | None:
    """The item as `sync.batch.read_item` reads it; None: ask that."""
    try:
        if type(value) is not dict or not _VALIDATOR.is_valid(value):
            return None
        obs, seq = value.get("obs"), value.get("seq")
        numbers = [number for number in (seq, obs and obs["mono_ms"]) if number is not None]
        if any(type(number) is not int for number in numbers):
            return None  # 1.0 is an integer to JSON Schema
        return Item(
            id=value["id"],
            form=value["form"],
            version=value.get("version", ""),
            kind=value.get("kind", "visit"),
            observed_at=datetime.fromisoformat(value["observed_at"]),
            seq=seq,
            author=value.get("author"),
            obs={"boot": obs["boot"], "mono_ms": obs["mono_ms"]} if obs is not None else None,
            entered_late=value.get("entered_late", False),
            amends=value.get("amends"),
            answers=value["answers"],
            entities=tuple(claim_of(told) for told in value.get("entities", ())),
        )
    except (ValueError, OverflowError):  # a number or text that is no JSON, a day that no month has
        return None
