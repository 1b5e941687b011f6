"""From the XML of a form engine to an item of a batch, and what its clock says.

The item is a function of the XML alone: sent again, in however many requests, it is the same submission. Sources:
OpenRosa Metadata 1.0 (`instanceID`, `deprecatedID`, `start`, `end`, `today`), ODK XForms specification ("Metadata").
"""

import hashlib
from datetime import UTC, date, datetime
from email.utils import parsedate
from typing import Any

import orjson
from lxml import etree

from forms.instance import Instance, UnreadableInstance, parse_instance
from sync.batch import DeviceClock, usable_id
from sync.envelope import RawItem, flaw
from sync.times import ZONE, end_of_day, iso, local_date, to_ms

HALF_A_DAY = 43_200_000  # ms
VISIT_DATE = "visit_date"  # the question by which a form says when the visit was, if not just now


def item_of(xml: bytes, clock: DeviceClock | None, received: int) -> RawItem:
    """The item of a submission; without an id that can name it, it is kept under the hash of its bytes.

    Raises `forms.instance.UnreadableInstance` for what is no XML, or has a DOCTYPE.
    """
    try:
        text = xml.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableInstance("XML của phiếu không phải UTF-8.") from error
    instance = parse_instance(text)
    told = {"id": instance.instance_id}
    observed, late = _observed(instance, clock.wall if clock else received)
    value: dict[str, Any] = {
        "id": usable_id(told) or f"sha256:{hashlib.sha256(xml).hexdigest()}",
        "form": instance.form,
        "version": instance.version,
        "observed_at": observed,
        "entered_late": late,
        "amends": (instance.deprecated_id or "")[:200] or None,
        "xml": text,
    }
    return RawItem(orjson.dumps(value), value, flaw(value), same=xml)


def clock_of(header: str | None, received: int) -> DeviceClock | None:
    """The phone's clock, from the `Date` of its request; None without one.

    ODK Collect writes it in GMT with the hours of a 12-hour clock and no word of which half of the day: of both
    readings that one counts which is nearer to our own clock.
    """
    parts = parsedate(header) if header else None
    if parts is None:
        return None
    try:
        said = to_ms(datetime(*parts[:6], tzinfo=UTC))
    except ValueError:
        return None
    hour, readings = parts[3], [said]
    if 1 <= hour <= 12:
        readings.append(said - HALF_A_DAY if hour == 12 else said + HALF_A_DAY)
    return DeviceClock(min(readings, key=lambda wall: abs(received - wall)))


def _observed(instance: Instance, sent: int) -> tuple[str, bool]:
    """When it was observed, in ISO 8601, and whether that was written down only later.

    When the form was finalised; else when it was begun, else when it was sent (ms). A visit of an earlier day than
    that on which the form was begun was until the end of its day.
    """
    said = _metadata(instance.root)
    start, end = _moment(said.get("start")), _moment(said.get("end"))
    today, visit = _day(said.get("today")), _day(said.get(VISIT_DATE))
    begun = start.astimezone(ZONE).date() if start else today
    if visit is not None and begun is not None and visit < begun:
        return iso(end_of_day(visit) - 1), True
    moment = end or start
    if moment is not None:
        return moment.isoformat(timespec="milliseconds"), False
    if today is not None and today < local_date(sent):
        return iso(end_of_day(today) - 1), True
    return iso(sent), False


def _metadata(root: etree._Element) -> dict[str, str]:
    """What the form says of its times, by name: wherever it stands, of several the first."""
    found: dict[str, str] = {}
    for node in root.iter(etree.Element):
        name = str(etree.QName(node).localname)
        if name in ("start", "end", "today", VISIT_DATE) and not len(node):
            found.setdefault(name, node.text or "")
    return found


def _moment(text: str | None) -> datetime | None:
    """An instant as an engine writes it; without a zone it is local. None of what is none, or too far off."""
    try:
        moment = datetime.fromisoformat((text or "").strip())
        moment = moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
        return moment if 1970 < moment.year < 9999 else None
    except (ValueError, OverflowError):
        return None


def _day(text: str | None) -> date | None:
    try:
        day = date.fromisoformat((text or "").strip()[:10])
    except ValueError:
        return None
    return day if 1970 < day.year < 9999 else None
