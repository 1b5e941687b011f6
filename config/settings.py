"""The settings of a server, read once from `TOAM_*` variables. The only place that reads the environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path

FOLDER = Path(__file__).parent


class SettingsError(ValueError):
    """A variable that cannot be used; the message names it and says what it may be."""


@dataclass(frozen=True)
class Settings:
    """Every setting with its default; the variable is `TOAM_` and the name in capitals."""

    data: Path = Path("var")
    """Folder of the SQLite database and of everything else that is kept on disk."""

    database_url: str = ""
    """SQLAlchemy URL; empty: SQLite in the data folder. PostgreSQL: postgresql+psycopg://user@host/name."""

    demo: bool = False
    """Show the demonstration page at `/`. It answers on loopback addresses only."""

    scheduler: bool = True
    """Run the nightly plan and the daily lists in this process, while it holds the lease."""

    ward_list: str = "2025"
    """The ward list in force: areas are keyed `<ward list>.<code>`."""

    config: Path = FOLDER
    """Folder of followup_rules.yaml, holidays_vn.csv and areas/."""

    forms: Path = FOLDER.parent / "forms"
    """Folder of the forms; a copy of the product's own if new versions are published on the server itself."""

    keep_days: int = 30
    """For how many days a device keeps what it has sent, as cover for a restored backup."""

    min_app: str = ""
    """Oldest version of the client that may pull, as 1.4.2; empty: any. What an older one sends is always taken."""

    public_url: str = ""
    """Where phones reach this server, as https://toam.example.vn; it goes into the links of codes for enrolment."""

    proxied: bool = False
    """A reverse proxy stands in front: the address of a client is the last of X-Forwarded-For."""

    login_hours: int = 12
    """For how many hours a login with a password is good, where it is not on an installation."""

    secret: str = ""
    """Signs the cookies of the pages; empty: drawn once, and kept as `secret` in the data folder."""

    max_body: int = 1_048_576
    """Largest request body in bytes, as sent."""

    max_inflated: int = 8_388_608
    """Largest request body in bytes, after gunzip."""

    max_items: int = 200
    """Most submissions in one batch."""

    max_item: int = 262_144
    """Largest single submission in bytes."""

    max_page: int = 500
    """Most entries in one page of a feed."""

    media: str = ""
    """Folder of photos and other files that come with submissions; empty: `media` in the data folder."""

    max_blob: int = 20_971_520
    """Largest file in bytes."""

    blob_chunk: int = 262_144
    """How many bytes of a file a device best sends at once."""

    max_volume: int = 524_288_000
    """How many bytes of files one device may send in 24 hours."""

    visits_a_day: int = 6
    """How many lines of a reminder list a collaborator can do in a day, unless he has a number of his own."""

    log_level: str = "info"
    """Lowest level that is logged: debug, info, warning, error."""

    @property
    def url(self) -> str:
        """The database in use."""
        return self.database_url or f"sqlite:///{(self.data / 'toam.sqlite3').resolve()}"

    @property
    def media_folder(self) -> Path:
        """Where files are kept."""
        return Path(self.media) if self.media else self.data / "media"

    @property
    def embedded(self) -> bool:
        """Whether the database is SQLite, which wants one process with one writer."""
        return self.url.startswith("sqlite")


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Settings from the environment. Raises `SettingsError`, also for a `TOAM_` variable that does not exist."""
    known = {f"TOAM_{field.name.upper()}": field for field in fields(Settings)}
    strange = sorted(name for name in environ if name.startswith("TOAM_") and name not in known)
    if strange:
        raise SettingsError(f"{strange[0]} is no setting; there are: {', '.join(known)}")
    values = {
        field.name: _parse(name, str(field.type), environ[name]) for name, field in known.items() if name in environ
    }
    return Settings(**values)  # type: ignore[arg-type]


def _parse(name: str, kind: str, text: str) -> object:
    if "Path" in kind:
        return Path(text)
    if "bool" in kind:
        if text not in ("0", "1"):
            raise SettingsError(f"{name} is {text!r}; it may be 0 or 1")
        return text == "1"
    if "int" in kind:
        if not text.isdecimal() or int(text) < 1:
            raise SettingsError(f"{name} is {text!r}; it must be a whole number above 0")
        return int(text)
    return text
