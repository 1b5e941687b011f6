"""Working days in Việt Nam: the operator's table first, the `holidays` library for the rest.

The table holds what the library does not know: swap days both ways (a Saturday worked for a Friday off) and
official breaks. Day and month terms: Bộ luật Dân sự 2015, Art. 147-148 (the day of the event is not counted).
"""

import csv
import hashlib
from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from io import StringIO

import holidays
from holidays.version import __version__ as library

_ANNOUNCED = 2026  # the last year whose official days off the pinned library carries


@dataclass(frozen=True)
class Special:
    """A day that the operator's table decides; `predicted` until the official announcement."""

    working: bool
    name: str
    predicted: bool
    basis: str = ""


@dataclass(frozen=True)
class Day:
    """Whether a day is worked, and what makes it so. `special`: the table says so, not the library."""

    date: date
    working: bool
    name: str
    predicted: bool
    special: bool
    basis: str = ""


@dataclass(frozen=True)
class Calendar:
    """Knows which days are worked. `version` says which table and library computed a date."""

    specials: Mapping[date, Special]
    version: str

    @cached_property
    def _public(self) -> holidays.HolidayBase:
        return holidays.country_holidays("VN", language="vi")

    def is_working_day(self, day: date) -> bool:
        """The table decides; else weekends and public holidays are off, swapped Saturdays are worked."""
        special = self.specials.get(day)
        if special is not None:
            return special.working
        return bool(self._public.is_working_day(day))

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself is day 0 whether worked or not."""
        while count > 0:
            day += timedelta(days=1)
            count -= self.is_working_day(day)
        return day

    def working_day_on_or_before(self, day: date) -> date:
        """The day itself if it is worked, else the last worked one before it."""
        while not self.is_working_day(day):
            day -= timedelta(days=1)
        return day

    def day(self, day: date) -> Day:
        """What a day is, and what makes it so."""
        special = self.specials.get(day)
        if special is not None:
            return Day(day, special.working, special.name, special.predicted, True, special.basis)
        name, working = str(self._public.get(day) or ""), self.is_working_day(day)
        unlike = bool(name) or working != (day.weekday() < 5)
        return Day(day, working, name, unlike and self.predicted(day.year), False)

    def days(self, year: int) -> list[Day]:
        """The days of a year that are not what their weekday says, and all of the table's."""
        whole = (date(year + 1, 1, 1) - date(year, 1, 1)).days
        every = (self.day(date(year, 1, 1) + timedelta(days=number)) for number in range(whole))
        return [one for one in every if one.special or one.name or one.working != (one.date.weekday() < 5)]

    def predicted(self, year: int) -> bool:
        """Whether dates of that year rest on predictions: as the table says, else those of the library."""
        said = [special.predicted for day, special in self.specials.items() if day.year == year]
        return any(said) if said else year > _ANNOUNCED


def add_months(day: date, count: int) -> date:
    """The same day `count` months later, clipped to the end of the month (31 Jan + 1 month = 28 Feb)."""
    month = day.month - 1 + count
    year, month = day.year + month // 12, month % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def load_calendar(table: str, own: str = "") -> Calendar:
    """A calendar from the text of `config/holidays_vn.csv`; rows of a server's `own` table go before its rows."""
    specials = {
        date.fromisoformat(row["date"]): Special(
            row["is_working_day"] == "1", row["name_vi"], row["predicted"] == "1", row.get("basis") or ""
        )
        for text in (table, own)
        for row in csv.DictReader(StringIO(text))
    }
    digest = hashlib.sha256((table + own).encode()).hexdigest()[:8]
    return Calendar(specials, f"table {digest}, holidays {library}")
