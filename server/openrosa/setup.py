"""The QR code by which ODK Collect is set up with one scan.

Source: ODK Collect's own settings format: base64 of zlib of JSON with `general`, `admin` and `project`; the keys are
those of its ProjectKeys and ProtectedProjectKeys.
"""

import base64
import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import segno

DOOR = "/odk/"
NAME = "Tổ Ấm"
# What would break the way of a form to the server, or leave what families told on the phone for longer than needed.
LOCKED = (
    "change_server",
    "form_update_mode",
    "periodic_form_updates_check",
    "automatic_update",
    "change_autosend",
    "delete_after_send",
)


@dataclass(frozen=True)
class Setup:
    """The settings of one phone: `address` is that of the server, as https://toam.example.vn, `token` the phone's."""

    address: str
    token: str
    user: str

    @property
    def url(self) -> str:
        """The server as this phone knows it: who has it is this phone."""
        return self.address.rstrip("/") + DOOR + self.token

    @property
    def settings(self) -> dict[str, Any]:
        """What Collect is told."""
        return {
            "general": {
                "server_url": self.url,
                "form_update_mode": "match_exactly",
                "periodic_form_updates_check": "every_fifteen_minutes",
                "automatic_update": True,
                "autosend": "wifi_and_cellular",
                "delete_send": True,
                "metadata_username": self.user,
                "app_language": "vi",
            },
            "admin": dict.fromkeys(LOCKED, False),
            "project": {"name": NAME, "icon": "T", "color": "#1f6f5c"},
        }

    @property
    def text(self) -> str:
        """The same as the code holds it."""
        return base64.b64encode(zlib.compress(orjson.dumps(self.settings), 9)).decode()

    def svg(self) -> str:
        """The code for a page. It holds the token: the page must not be kept."""
        return str(self._code().svg_inline(scale=4, border=4, light="white", omitsize=True))

    def terminal(self) -> str:
        """The code for a terminal."""
        out = io.StringIO()
        self._code().terminal(out, border=2, compact=True)
        return out.getvalue()

    def png(self, path: Path) -> None:
        """The code as a picture, which its owner alone may read."""
        path.touch(mode=0o600)
        path.chmod(0o600)
        self._code().save(str(path), kind="png", scale=6, border=4)

    def _code(self) -> segno.QRCode:
        return segno.make(self.text, error="l", micro=False)
