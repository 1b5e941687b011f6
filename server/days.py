"""The days that an administrator sets at the desk: a table in the data folder, which goes before the configuration's.

Every version stays beside it. Processes read it at their start, as all of the calendar.
"""

import csv
import fcntl
import io
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from server.world import OWN_DAYS
from sync.times import local_time

COLUMNS = ("date", "is_working_day", "kind", "name_vi", "basis", "predicted")
KEPT = "days-earlier"  # folder of the versions before


@dataclass(frozen=True)
class OwnDay:
    """One row: a day, whether it is worked, what it is called, which paper says so, and whether it is a guess yet."""

    date: date
    working: bool
    name: str
    basis: str
    predicted: bool

    def row(self) -> dict[str, str]:
        kind = "swap_work" if self.working else "holiday"
        said = {"date": self.date.isoformat(), "is_working_day": str(int(self.working)), "kind": kind}
        return said | {"name_vi": self.name, "basis": self.basis, "predicted": str(int(self.predicted))}


def own_days(data: Path) -> list[OwnDay]:
    """The rows, by day."""
    path = data / OWN_DAYS
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return sorted((_day(row) for row in rows), key=lambda one: one.date)


def _day(row: dict[str, str]) -> OwnDay:
    working, predicted = row["is_working_day"] == "1", row["predicted"] == "1"
    return OwnDay(date.fromisoformat(row["date"]), working, row["name_vi"], row["basis"], predicted)


def put_day(data: Path, day: OwnDay, at: int) -> None:
    """Set a day, whatever was said of it."""
    _change(data, lambda days: [*(one for one in days if one.date != day.date), day], at)


def drop_day(data: Path, day: date, at: int) -> bool:
    """Leave a day to the configuration again; says whether it was set."""
    return _change(data, lambda days: [one for one in days if one.date != day], at)


def _change(data: Path, change: Callable[[list[OwnDay]], list[OwnDay]], at: int) -> bool:
    """Write the table anew, whole or not at all, and keep the one before. Says whether anything is different."""
    path, stamp = data / OWN_DAYS, f"{local_time(at):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with alone(data / ".days.lock"):
        before = own_days(data)
        after = sorted(change(before), key=lambda one: one.date)
        if after == before:
            return False
        out = io.StringIO()
        writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(one.row() for one in after)
        if path.exists():
            (data / KEPT).mkdir(exist_ok=True)
            os.link(path, data / KEPT / f"days-{stamp}.csv")
        fresh = path.with_name(f".days-{stamp}.csv")
        fresh.write_text(out.getvalue(), encoding="utf-8")
        fresh.replace(path)
    return True


@contextmanager
def alone(path: Path) -> Iterator[None]:
    """Nobody else on this machine is in here at the same time, whatever process he is in."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
