"""What a form of these pages sends, by a schema; what is wrong with it is said by the names of its fields."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask import request
from flask_babel import gettext as _
from marshmallow import Schema

from server.console.reader import loaded
from server.problems import Problem
from sync.times import ZONE, to_ms


def asked(schema: Schema, labels: Mapping[str, str]) -> dict[str, Any]:
    """The form of this request. Raises the problems `reason_needed` and `invalid`, with the labels of the fields."""
    said = {name: value.strip() for name, value in request.form.items()}
    blank = _blank(schema)
    return loaded(schema, {name: value for name, value in said.items() if value or name not in blank}, labels)


def moment_of(text: str) -> int:
    """A local date and time as a form sends it, in ms. Raises the problem `invalid`."""
    try:
        return to_ms(datetime.fromisoformat(text).replace(tzinfo=ZONE))
    except (ValueError, OverflowError) as error:
        raise Problem("invalid", _("Hãy xem lại ngày giờ.")) from error


def _blank(schema: Schema) -> set[str]:
    """The fields that a form leaves blank where they say nothing."""
    return {field.data_key or name for name, field in schema.fields.items() if not field.required}
