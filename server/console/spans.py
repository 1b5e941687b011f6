"""Spans of time and what phones say of their clocks, in words."""

from flask_babel import gettext as _

MINUTE = 60_000  # ms
HOUR, DAY = 60 * MINUTE, 24 * 60 * MINUTE
RIGHT = MINUTE  # a clock that is off by less is right


def span(ms: int) -> str:
    """A span in its two largest units, as `2 giờ 5 phút`."""
    ms = abs(ms)
    if ms < HOUR:
        return _("%(count)s phút", count=ms // MINUTE)
    if ms < 4 * DAY:
        hours, minutes = ms // HOUR, ms % HOUR // MINUTE
        return _("%(hours)s giờ %(minutes)s phút", hours=hours, minutes=minutes)
    return _("%(count)s ngày", count=ms // DAY)


def clock_error(offset: int | None) -> str:
    """How a phone's clock goes; `offset` is what to add to it (ms), None: it has not said."""
    if offset is None:
        return _("chưa rõ")
    if abs(offset) < RIGHT:
        return _("đúng giờ")
    return _("chậm %(span)s", span=span(offset)) if offset > 0 else _("nhanh %(span)s", span=span(offset))


def time_left(ms: int) -> str:
    """What is left until a deadline, or how long it is over."""
    return _("còn %(span)s", span=span(ms)) if ms >= 0 else _("đã quá %(span)s", span=span(ms))
