"""The JSON form of each kind of answer, and its canonical value: what is stored, compared and shown.

| kind | JSON | canonical |
|---|---|---|
| text | string | NFC, trimmed, Đ mended |
| integer | number without fraction | int |
| decimal | number | float |
| date | "YYYY-MM-DD" | the same |
| datetime | ISO 8601 with zone | the same |
| code | string | the same |
| codes | list of strings, or one string with spaces | sorted list without repeats |
| geopoint | "lat lon [alt [accuracy]]" | the same |
| file | string: the name of a file that travels on its own | as text |

A blank answer is `null`, `""` or `[]`, canonically `None`.
"""

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any

from forms.form import Kind
from forms.text import normalise, storable

_DATE = re.compile(r"\A\d{4}-\d{2}-\d{2}\Z", re.ASCII)
_DATETIME = re.compile(r"\A[0-9TZ:.+-]{1,40}\Z", re.ASCII)
_INTEGER = re.compile(r"\A-?\d{1,15}\Z", re.ASCII)
_DECIMAL = re.compile(r"\A-?\d{1,15}(\.\d{1,15})?([eE]-?\d{1,2})?\Z", re.ASCII)
_CODE = re.compile(r"\A\S{1,120}\Z")
MAX_TEXT = 10_000
MAX_CODES = 500
MAX_NUMBER = 10**15
MAX_NAME = 200  # characters of a file name


class BadValue(ValueError):
    """An answer that is not of its question's kind. `args[0]` is a sentence in Vietnamese."""


def blank(value: Any) -> bool:
    """Whether an answer says nothing."""
    return value in (None, "", [])


def canonical(kind: Kind, value: Any) -> Any:
    """The canonical value of an answer in its JSON form. Raises `BadValue`."""
    return None if blank(value) else _READERS[kind](value)


def from_text(kind: Kind, text: str) -> Any:
    """The JSON form of an answer that an XForm instance carries as text; what is no number stays text."""
    if kind is Kind.INTEGER and _INTEGER.match(text):
        return int(text)
    if kind in (Kind.INTEGER, Kind.DECIMAL) and _DECIMAL.match(text):
        return float(text)
    return text.split() if kind is Kind.CODES else text


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        raise BadValue("Cần một đoạn chữ.")
    if not storable(value):
        raise BadValue("Có ký tự không lưu được (U+0000 hoặc nửa ký tự).")
    if len(value) > MAX_TEXT:
        raise BadValue(f"Dài quá {MAX_TEXT} ký tự.")
    return normalise(value) or None


def _file(value: Any) -> str | None:
    name = _text(value)
    if name is not None and len(name) > MAX_NAME:
        raise BadValue(f"Tên tệp dài quá {MAX_NAME} ký tự.")
    return name


def _integer(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > MAX_NUMBER:
        raise BadValue("Cần một số nguyên.")
    return value


def _decimal(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= MAX_NUMBER:
        raise BadValue("Cần một số.")
    return float(value)


def _date(value: Any) -> str:
    try:
        if isinstance(value, str) and _DATE.match(value):
            return date.fromisoformat(value).isoformat()
    except ValueError:
        pass
    raise BadValue("Cần một ngày có thật, dạng năm-tháng-ngày (ví dụ 2026-11-23).")


def _datetime(value: Any) -> str:
    try:
        if isinstance(value, str) and _DATETIME.match(value) and datetime.fromisoformat(value).tzinfo is not None:
            return value
    except ValueError:
        pass
    raise BadValue("Cần ngày giờ có múi giờ (ví dụ 2026-11-23T15:40:00+07:00).")


def _code(value: Any) -> str:
    if not isinstance(value, str) or not _CODE.match(value) or not storable(value):
        raise BadValue("Cần một mã trong danh sách.")
    return value


def _codes(value: Any) -> list[str] | None:
    codes = value.split() if isinstance(value, str) else value
    if not isinstance(codes, list) or len(codes) > MAX_CODES:
        raise BadValue("Cần một danh sách mã.")
    return sorted({_code(code) for code in codes}) or None


def _geopoint(value: Any) -> str:
    parts = value.split() if isinstance(value, str) else []
    if not 2 <= len(parts) <= 4 or not all(_DECIMAL.match(part) for part in parts):
        raise BadValue("Cần tọa độ: vĩ độ, kinh độ, độ cao, sai số.")
    if abs(float(parts[0])) > 90 or abs(float(parts[1])) > 180:
        raise BadValue("Tọa độ nằm ngoài trái đất.")
    return " ".join(parts)


_READERS: dict[Kind, Callable[[Any], Any]] = {
    Kind.TEXT: _text,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.CODE: _code,
    Kind.CODES: _codes,
    Kind.GEOPOINT: _geopoint,
    Kind.FILE: _file,
}
