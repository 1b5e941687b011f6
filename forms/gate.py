"""A fast way in for answers that are plainly in order; marshmallow (`forms.schema`) explains all others.

Each form gets a compiled JSON Schema (jsonschema-rs) that is narrower than what marshmallow accepts: every kind of
answer in the one spelling that phones use. What passes is turned into exactly the values that marshmallow would
load. A no says nothing about the answers, only that they are worth a closer look.
"""

import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import jsonschema_rs

from forms.form import Form, Kind, Question
from forms.schema import MAX_ROWS, ROW_ID
from forms.text import normalise
from forms.values import MAX_CODES, MAX_NAME, MAX_NUMBER, MAX_TEXT

Load = Callable[[Any], Any]
Plan = tuple[tuple[str, Load], ...]

# Rust's expressions: `$` is the very end, and [0-9] is written out as \d would take the digits of all scripts.
_LEAP = r"(19(0[48]|[2468][048]|[13579][26])|20([02468][048]|[13579][26]))"
_DAY = r"((0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
DATE = f"((19|20)[0-9]{{2}}-{_DAY}|{_LEAP}-02-29)"
TIME = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.([0-9]{3}|[0-9]{6}))?(Z|[+-](0[0-9]|1[0-4]):[0-5][0-9])"
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_FRACTION = r"(\.[0-9]{1,15})?"
_POINT = rf"-?[0-8]?[0-9]{_FRACTION} -?(1[0-7][0-9]|[0-9]{{1,2}}){_FRACTION}( -?[0-9]{{1,6}}{_FRACTION}){{0,2}}"
_BLANK: dict[str, Any] = {"type": ["string", "null"], "maxLength": 0}
_ANY_CODE = "[0-9A-Za-z:._-]{1,120}"


class _Strange(Exception):
    """JSON Schema cannot tell this value from a good one."""


class Gate:
    """The fast way into one form version; it may be shared by threads."""

    def __init__(self, form: Form) -> None:
        level = {question.name: _schema(question) for question in form.of(None)}
        plan = [(question.name, _LOADS[question.kind]) for question in form.of(None)]
        for repeat in form.repeats:
            row = {question.name: _schema(question) for question in form.of(repeat)}
            row[ROW_ID] = {"type": "string", "pattern": f"^{_UUID}$"}
            level[repeat] = {"type": ["array", "null"], "maxItems": MAX_ROWS, "items": _object(row)}
            rows = (*((q.name, _LOADS[q.kind]) for q in form.of(repeat)), (ROW_ID, uuid.UUID))
            plan.append((repeat, _rows(rows)))
        # A name with a dot would be a path to marshmallow: such a form has no fast way in.
        dotted = any("." in name for name in (*form.by_name, *form.repeats))
        self._validator = jsonschema_rs.validator_for(False if dotted else _object(level))
        self._plan: Plan = tuple(plan)

    def load(self, answers: Any) -> dict[str, Any] | None:
        """The canonical answers as marshmallow's Schema loads them; None: ask that."""
        try:
            if type(answers) is dict and self._validator.is_valid(answers):
                return _level(self._plan, answers)
        except (ValueError, OverflowError, _Strange):  # ValueError: a number or text that is no JSON, or nested deep
            pass
        return None


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {"type": "object", "properties": dict(properties), "additionalProperties": False}


def _level(plan: Plan, answers: Mapping[str, Any]) -> dict[str, Any]:
    return {name: load(answers[name]) for name, load in plan if name in answers}


def _rows(plan: Plan) -> Load:
    return lambda rows: None if rows is None else [_level(plan, row) for row in rows]


def _schema(question: Question) -> dict[str, Any]:
    """What passes as an answer to one question: blank, or its kind in the usual spelling."""
    kind = question.kind
    choices = [code for code in sorted(question.choices or ()) if re.fullmatch(_ANY_CODE, code)]
    if kind is Kind.CODE and question.choices is not None:
        return {"enum": [*choices, "", None]}
    if kind is Kind.CODES:
        one = {"enum": choices} if question.choices is not None else _spelled(_ANY_CODE)
        items = {"maxItems": MAX_CODES, "items": one | {"type": "string"}}
        return _BLANK | items | {"type": ["array", "string", "null"]}
    if kind in (Kind.INTEGER, Kind.DECIMAL):
        number = {"minimum": -MAX_NUMBER, "maximum": MAX_NUMBER}
        return _BLANK | number | {"type": ["number", "string", "null"]}
    if kind is Kind.TEXT:
        return {"type": ["string", "null"], "maxLength": MAX_TEXT, "pattern": r"^[^\u0000]*$"}
    if kind is Kind.FILE:
        return {"type": ["string", "null"], "maxLength": MAX_NAME // 3, "pattern": r"^[^\u0000]*$"}  # NFC may add
    return _spelled(f"({_SPELLINGS[kind]})?")


def _spelled(pattern: str) -> dict[str, Any]:
    return {"type": ["string", "null"], "pattern": f"^{pattern}$"}


def _text(value: str | None) -> str | None:
    return normalise(value) or None if value else None


def _integer(value: Any) -> int | None:
    if type(value) is int:
        return value
    if value in ("", None):
        return None
    raise _Strange  # 1.0 is an integer to JSON Schema


def _decimal(value: Any) -> float | None:
    return None if value in ("", None) else float(value)


def _codes(value: list[str] | None) -> list[str] | None:
    return sorted(set(value)) if value else None


def _same(value: str | None) -> str | None:
    return value or None


_SPELLINGS = {
    Kind.DATE: DATE,
    Kind.DATETIME: f"{DATE}T{TIME}",
    Kind.CODE: _ANY_CODE,
    Kind.GEOPOINT: _POINT,
}
_LOADS: Mapping[Kind, Load] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _same,
    Kind.DATETIME: _same,
    Kind.CODE: _same,
    Kind.CODES: _codes,
    Kind.GEOPOINT: _same,
    Kind.FILE: _text,
}
