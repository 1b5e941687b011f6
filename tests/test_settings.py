"""Settings: every one is documented, and a wrong one is named at the start."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from config.settings import Settings, SettingsError, read_settings

PAGE = Path(__file__).parents[1] / "docs" / "settings.md"


def _documented() -> dict[str, str]:
    rows = re.findall(r"^\| `(TOAM_\w+)` \| (.*?) \| .{20,} \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return dict(rows)


def test_every_setting_is_documented_with_its_default() -> None:
    defaults = {}
    for field in fields(Settings):
        value = getattr(Settings(), field.name)
        if isinstance(value, Path):
            value = value.name
        value = int(value) if isinstance(value, bool) else value
        defaults[f"TOAM_{field.name.upper()}"] = "(empty)" if value == "" else f"`{value}`"
    assert _documented() == defaults


def test_they_are_read_from_the_environment() -> None:
    read = read_settings({"TOAM_DATA": "/srv/toam", "TOAM_DEMO": "1", "TOAM_MAX_ITEMS": "50", "HOME": "/"})
    assert read == Settings(data=Path("/srv/toam"), demo=True, max_items=50)
    assert read.embedded
    assert read.url.endswith("/srv/toam/toam.sqlite3")
    assert not read_settings({"TOAM_DATABASE_URL": "postgresql+psycopg://toam@db/toam"}).embedded


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("TOAM_DEMO", "yes", "0 or 1"),
        ("TOAM_SCHEDULER", "", "0 or 1"),
        ("TOAM_MAX_ITEMS", "0", "above 0"),
        ("TOAM_MAX_BODY", "1 MB", "above 0"),
        ("TOAM_KEEP_DAYS", "-1", "above 0"),
        ("TOAM_DATABASE", "sqlite://", "is no setting; there are: TOAM_DATA"),
    ],
)
def test_a_wrong_one_is_named(name: str, value: str, says: str) -> None:
    with pytest.raises(SettingsError, match=says) as raised:
        read_settings({name: value})
    assert name in str(raised.value)
