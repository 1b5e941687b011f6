"""Instants and local dates. Instants are ms since 1970 UTC; dates are those of Asia/Ho_Chi_Minh."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
DAY = 86_400_000
_EPOCH, _MS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(milliseconds=1)


def local_date(ms: int) -> date:
    """The calendar date in Việt Nam at an instant."""
    return local_time(ms).date()


def local_time(ms: int) -> datetime:
    """An instant as a local, aware time."""
    return (_EPOCH + timedelta(milliseconds=ms)).astimezone(ZONE)


def to_ms(moment: datetime) -> int:
    """An aware time as an instant."""
    return int((moment - _EPOCH) / _MS)


def end_of_day(day: date) -> int:
    """The first instant after a local day."""
    return to_ms(datetime.combine(day + timedelta(days=1), time(), ZONE))


def iso(ms: int) -> str:
    """An instant as local ISO 8601 with milliseconds and zone, as it goes over the wire."""
    return local_time(ms).isoformat(timespec="milliseconds")
