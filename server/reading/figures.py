"""How the server is doing, in numbers alone: what came in, what is held or waits, silent phones, sizes, versions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from platform import python_version
from typing import Any

from sqlalchemy import exists, func, select, text

from server.store.tables import Device, Media, SubmissionMedium, SubmissionState, Upload, db
from server.world import Nest
from sync.ports import Review
from sync.times import DAY, local_date
from sync.visits.runs import midnight

DAYS = 14  # shown of what came in
SILENT = 14  # days without a word after which a phone is named
MOST = 50  # phones that are named
_ZONE = 7 * 3_600_000  # ms that Việt Nam is ahead of UTC, all year

_heard = func.coalesce(Device.last_seen, Device.enrolled_at)


@dataclass(frozen=True)
class Silent:
    """A phone that has not been heard of: since when (ms; None: never), and what waited on it then."""

    id: str
    label: str
    last_seen: int | None
    unsent: int | None


@dataclass(frozen=True)
class Figures:
    """Everything but the jobs. `days`: for each of the last days, submissions by state; sizes in bytes."""

    days: Mapping[date, Mapping[str, int]]
    states: Sequence[str]
    held: Sequence[tuple[str, int]]
    stored: int
    uploads: int
    missing: int
    files: int
    files_size: int
    silent: Sequence[Silent]
    silent_count: int
    database: str
    database_size: int
    versions: Sequence[tuple[str, str]]


def figures(nest: Nest, at: int) -> Figures:
    """As the database is at `at` (ms)."""
    days = _days(local_date(at))
    states = [one.value for one in Review if any(one.value in counts for counts in days.values())]
    name, size, version = _database()
    files, files_size = db.session.execute(select(func.count(), func.coalesce(func.sum(Media.size), 0))).one()
    silent = Device.revoked_at.is_(None), Device.wiped_at.is_(None), _heard < at - SILENT * DAY
    return Figures(
        days=days,
        states=states,
        held=_held(),
        stored=_count(select(func.count()).where(SubmissionState.state == Review.STORED.value)),
        uploads=_count(select(func.count()).select_from(Upload).where(Upload.expires_at > at)),
        missing=_missing(),
        files=files,
        files_size=int(files_size),
        silent=_silent(silent),
        silent_count=_count(select(func.count()).select_from(Device).where(*silent)),
        database=name,
        database_size=size,
        versions=_versions(nest, version),
    )


def _days(today: date) -> dict[date, dict[str, int]]:
    first = today - timedelta(days=DAYS - 1)
    number = ((SubmissionState.received_at + _ZONE) // DAY).label("number")
    query = select(number, SubmissionState.state, func.count())
    query = query.where(SubmissionState.received_at >= midnight(first)).group_by(number, SubmissionState.state)
    days: dict[date, dict[str, int]] = {today - timedelta(days=back): {} for back in range(DAYS)}
    for day, state, count in db.session.execute(query):
        days.setdefault(date(1970, 1, 1) + timedelta(days=int(day)), {})[state] = count
    return dict(sorted(days.items(), reverse=True))


def _held() -> list[tuple[str, int]]:
    query = select(SubmissionState.reason, func.count()).where(SubmissionState.state == Review.QUARANTINED.value)
    rows = db.session.execute(query.group_by(SubmissionState.reason))
    return sorted(((reason or "", count) for reason, count in rows), key=lambda one: (-one[1], one[0]))


def _missing() -> int:
    """Files that submissions name and that are not here."""
    here = exists().where(Media.sha256 == SubmissionMedium.sha256)
    return _count(select(func.count(SubmissionMedium.sha256.distinct())).where(~here))


def _silent(where: Any) -> list[Silent]:
    query = select(Device.id, Device.label, Device.last_seen, Device.unsent).where(*where)
    rows = db.session.execute(query.order_by(_heard, Device.id).limit(MOST))
    return [Silent(row.id, row.label, row.last_seen, row.unsent) for row in rows]


def _database() -> tuple[str, int, str]:
    """What it is, its size in bytes, its version."""
    dialect = db.engine.dialect.name
    if dialect == "postgresql":
        size = db.session.scalar(text("select pg_database_size(current_database())"))
        return "PostgreSQL", int(size or 0), str(db.session.scalar(text("show server_version")))
    pages, page = (db.session.scalar(text(f"pragma {name}")) for name in ("page_count", "page_size"))
    return "SQLite", int(pages or 0) * int(page or 0), str(db.session.scalar(text("select sqlite_version()")))


def _versions(nest: Nest, database: str) -> list[tuple[str, str]]:
    """(what, which), the first a key of `server.console.running_words.VERSIONS`."""
    schema = db.session.scalar(text("select version_num from alembic_version"))
    forms = ", ".join(f"{form.id} {form.version}" for form in nest.catalogue.offered())
    found = [("rules", nest.rules.version), ("calendar", nest.calendar.version), ("forms", forms)]
    return [*found, ("schema", str(schema)), ("database", database), ("python", python_version())]


def _count(query: Any) -> int:
    return db.session.scalar(query) or 0
