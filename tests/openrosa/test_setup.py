"""One scan sets a phone up; the code leads to a server that answers. No log keeps what it holds."""

import base64
import io
import json
import logging
import stat
import zlib
from pathlib import Path
from typing import Any

import pytest
import segno
from structlog.testing import capture_logs

from server.logs import discreet, set_up_logs
from server.openrosa.setup import LOCKED, Setup
from tests.api.towns import Town
from tests.openrosa.phone import Phone


def settings_of(text: str) -> dict[str, Any]:
    return json.loads(zlib.decompress(base64.b64decode(text)))


def test_the_settings_are_those_that_collect_reads() -> None:
    setup = Setup("https://toam.example.vn/", "toam_x", "u1")
    told = settings_of(setup.text)
    assert set(told) == {"general", "admin", "project"}
    assert told["general"]["server_url"] == "https://toam.example.vn/odk/toam_x"
    assert told["general"]["form_update_mode"] == "match_exactly"
    assert told["general"]["autosend"] == "wifi_and_cellular"
    assert told["general"]["app_language"] == "vi"
    assert told["general"]["metadata_username"] == "u1"
    assert told["admin"] == dict.fromkeys(LOCKED, False)
    assert "change_server" in LOCKED
    assert told["project"]["name"] == "Tổ Ấm"


def enrol(town: Town, *more: str) -> Any:
    runner = town.app.test_cli_runner()
    return runner.invoke(args=["device", "enrol", "--label", "Máy Collect", "--user", "u1", *more])


def test_a_phone_that_scanned_the_code_of_the_command_line_gets_its_forms(town: Town, tmp_path: Path) -> None:
    picture = tmp_path / "collect.png"
    told = enrol(town, "--qr", "--png", str(picture), "--url", "http://127.0.0.1:8000").output
    token = next(line.split()[1] for line in told.splitlines() if line.startswith("token"))
    assert f"server http://127.0.0.1:8000/odk/{token}" in told
    setup = Setup("http://127.0.0.1:8000", token, "u1")
    assert setup.terminal() in told
    drawn = io.BytesIO()
    segno.make(setup.text, error="l", micro=False).save(drawn, kind="png", scale=6, border=4)
    assert picture.read_bytes() == drawn.getvalue()
    assert stat.S_IMODE(picture.stat().st_mode) == 0o600
    assert "<svg" in setup.svg()
    assert "child_situation" in Phone(town, token).forms()


@pytest.mark.parametrize("more", [["--qr"], ["--png", "x.png"]])
def test_a_code_that_leads_nowhere_is_not_made(town: Town, more: list[str]) -> None:
    result = enrol(town, *more)
    assert result.exit_code == 1
    assert "TOAM_PUBLIC_URL" in result.output
    assert town.app.test_cli_runner().invoke(args=["device", "enrol", "--qr", "--url", "http://x"]).exit_code == 1


def test_no_line_of_a_web_server_holds_a_token(town: Town) -> None:
    set_up_logs("info")
    token, written = town.tokens["u1"], io.StringIO()
    for name in ("gunicorn.access", "gunicorn.error", "werkzeug"):
        logger, handler = logging.getLogger(name), logging.StreamHandler(written)
        logger.addHandler(handler)
        level, logger.level = logger.level, logging.INFO
        logger.info('%(h)s "%(r)s"', {"h": "127.0.0.1", "r": f"GET /odk/{token}/formList?deviceID=1 HTTP/1.1"})
        logger.error("Error handling request %s", f"/odk/{token}")
        logger.removeHandler(handler)
        logger.level = level
    assert token not in written.getvalue()
    assert written.getvalue().count("/odk/…") == 6
    assert discreet("GET /api/v1/sync") == "GET /api/v1/sync"


def test_no_line_of_ours_holds_a_token(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError(f"/odk/{town.tokens['u1']}")

    monkeypatch.setattr("server.openrosa.views.form_list", broken)
    with capture_logs() as heard:
        answer = Phone(town, town.tokens["u1"]).get("formList")
    assert (answer.status_code, answer.content_type) == (500, "text/xml; charset=utf-8")
    assert [line["event"] for line in heard] == ["unforeseen"]
    assert town.tokens["u1"] not in str(heard)
