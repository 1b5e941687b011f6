"""Everything that does not change while the server runs: forms, rules, calendar, places; read at the start."""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, cast

from flask import current_app

from config.settings import Settings
from forms.catalogue import Catalogue, load_catalogue
from forms.outline import Texts, headings
from server.clock import now
from server.committer import Committer
from server.media.files import MediaFolder
from server.openrosa.listed import Listed
from server.openrosa.lists import Lists
from server.openrosa.seldom import Seldom
from server.store.store import SqlStore
from server.store.tables import db
from sync.batch import Limits
from sync.places import Hamlet, Places, Ward, build_places
from sync.reading import Reader
from sync.receive import World
from sync.visits.calendar import Calendar, load_calendar
from sync.visits.law import load_lawful_rules
from sync.visits.rules import Rules

DEMO_HAMLETS = "demo_hamlets.csv"  # in the data folder
OWN_DAYS = "days.csv"  # the same


@dataclass(frozen=True)
class Nest:
    """One server's parts. `current_nest()` gives that of the running application."""

    settings: Settings
    catalogue: Catalogue
    places: Places
    rules: Rules
    calendar: Calendar
    writes_to: SqlStore | None = None  # a job's own store, in place of the usual one

    @property
    def limits(self) -> Limits:
        names = ("max_body", "max_inflated", "max_items", "max_item", "max_page", "max_blob", "blob_chunk")
        return Limits(**{name: getattr(self.settings, name) for name in names})

    @cached_property
    def headings(self) -> Mapping[str, Mapping[str, Texts]]:
        """Under which heading the current forms ask for each property, by type."""
        return headings(self.catalogue.current())

    @cached_property
    def world(self) -> World:
        return World(self.catalogue.types, self.places, self.rules, self.calendar)

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.catalogue, self.places, self.limits)

    @cached_property
    def store(self) -> SqlStore:
        return self.writes_to or SqlStore(db.engine)

    @cached_property
    def media(self) -> MediaFolder:
        return MediaFolder(self.settings.media_folder)

    @cached_property
    def noted(self) -> Seldom:
        return Seldom(5 * 60_000)

    @cached_property
    def lists(self) -> Lists:
        return Lists(self.catalogue)

    @cached_property
    def counted(self) -> dict[Any, Any]:
        """What `server.reading.counted` has counted here."""
        return {}

    @cached_property
    def listed(self) -> Listed:
        return Listed()

    @cached_property
    def committer(self) -> Committer:
        return Committer(self.store, self.world, now)


def build_nest(settings: Settings) -> Nest:
    """Read the configuration. Raises what is wrong with it, at the start and not at the first request."""
    read = lambda name: (settings.config / name).read_text(encoding="utf-8")  # noqa: E731
    return Nest(
        settings=settings,
        catalogue=load_catalogue(settings.forms),
        places=load_places(settings.config / "areas", settings.ward_list, hamlet_rows(settings)),
        rules=load_lawful_rules(read("followup_rules.yaml")),
        calendar=read_calendar(settings),
    )


def read_calendar(settings: Settings) -> Calendar:
    """The table of the configuration, and before it the days that an administrator has set at the desk."""
    table, own = settings.config / "holidays_vn.csv", settings.data / OWN_DAYS
    return load_calendar(table.read_text("utf-8"), own.read_text("utf-8") if own.exists() else "")


def current_nest() -> Nest:
    """The parts of the application that serves this request or command."""
    return cast(Nest, current_app.extensions["toam"])


def hamlet_rows(settings: Settings) -> list[dict[str, str]]:
    """The hamlets of the configuration; on a demonstration also those that its city invented."""
    invented = settings.data / DEMO_HAMLETS
    more = rows(invented) if settings.demo and invented.exists() else []
    return rows(settings.config / "areas" / "hamlets.csv") + more


def load_places(folder: Path, ward_list: str, hamlets_known: Sequence[Mapping[str, str]] | None = None) -> Places:
    """Areas and hamlets of the list in force, and what earlier wards and hamlets became."""
    known = rows(folder / "hamlets.csv") if hamlets_known is None else hamlets_known
    wards = [
        Ward(f"{row['list']}.{row['code']}", row["name_vi"])
        for row in rows(folder / "wards.csv")
        if row["list"] == ward_list
    ]
    current = [row for row in known if row["list"] == ward_list]
    hamlets = [Hamlet(f"{row['list']}.{row['ward']}", row["code"], row["name_vi"]) for row in current]
    moved_hamlets = [
        ((f"{row['from_list']}.{row['from_ward']}", row["from_code"]), (hamlet.ward, hamlet.code))
        for row, hamlet in zip(current, hamlets, strict=True)
        if row["from_list"]
    ]
    moved = [
        (f"{row['from_list']}.{row['from_code']}", f"{row['to_list']}.{row['to_code']}")
        for row in rows(folder / "ward_map.csv")
    ]
    return build_places(wards, hamlets, moved, moved_hamlets)


def rows(path: Path) -> list[dict[str, str]]:
    """The rows of a CSV file of the configuration."""
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
