"""A phone with ODK Collect, as far as a server can tell: its requests, and how it reads the answers."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from lxml import etree
from werkzeug.test import TestResponse

from tests.api.towns import Town

BOUNDARY = "e6b3c1f0-4f6c-4b3f-8a55-5d2b0f1c9a77"
LIST, MANIFEST = "{http://openrosa.org/xforms/xformsList}", "{http://openrosa.org/xforms/xformsManifest}"
MESSAGE = "{http://openrosa.org/http/response}message"
FULL = "full submission upload was successful!"


def collects_date(moment: datetime) -> str:
    """The `Date` header as Collect formats it: hours of a 12-hour clock, and nothing that says which half."""
    return moment.astimezone(UTC).strftime("%a, %d %b %Y %I:%M:%S GMT")


def multipart(xml: bytes | None, files: Mapping[str, bytes], incomplete: bool = False) -> bytes:
    """A body as OkHttp writes it."""
    parts = [] if xml is None else [_part("xml_submission_file", "text/xml", xml, "phiếu.xml")]
    parts += [_part(name, "application/octet-stream", content, name) for name, content in files.items()]
    parts += [_part("*isIncomplete*", "text/plain", b"yes")] if incomplete else []
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


def _part(name: str, kind: str, content: bytes, filename: str = "") -> bytes:
    named = f'; filename="{filename}"' if filename else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n'
    return f"{head}Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n".encode() + content + b"\r\n"


@dataclass
class Phone:
    """A phone of the town, with the address that its QR code gave it."""

    town: Town
    token: str
    clock: datetime | None = None  # None: right

    @property
    def headers(self) -> dict[str, str]:
        agent = "org.odk.collect.android/v2026.2.1 Dalvik/2.1.0"
        date = collects_date(self.clock or datetime.now(UTC))
        return {"X-OpenRosa-Version": "1.0", "User-Agent": agent, "Date": date}

    def get(self, path: str, **headers: str) -> TestResponse:
        """Ask for a path behind the phone's own door, or for a whole address."""
        path = urlsplit(path).path if path.startswith("http") else f"/odk/{self.token}/{path}"
        query = {"deviceID": "collect:1"}
        asked = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.town.app.test_client().get(path, query_string=query, headers=asked)

    def send(self, xml: str | bytes | None, incomplete: bool = False, /, **files: bytes) -> TestResponse:
        """Post a submission; a file's name has `__` for its dot."""
        named = {name.replace("__", "."): content for name, content in files.items()}
        body = multipart(xml.encode() if isinstance(xml, str) else xml, named, incomplete)
        return self.post(body)

    def post(self, body: bytes, kind: str = f"multipart/form-data; boundary={BOUNDARY}") -> TestResponse:
        path = f"/odk/{self.token}/submission?deviceID=collect:1"
        return self.town.app.test_client().post(path, data=body, content_type=kind, headers=self.headers)

    def submit(self, xml: str | bytes, /, **files: bytes) -> None:
        """Post one that the phone then counts as sent without any remark."""
        answer = self.send(xml, **files)
        assert (answer.status_code, said(answer)) == (201, FULL), answer.text

    def forms(self) -> dict[str, dict[str, str]]:
        """The form list as Collect parses it, by form."""
        answer = self.get("formList")
        _is_openrosa(answer)
        return {one["formID"]: one for one in _rows(answer, LIST, "xform")}

    def manifest(self, form: str) -> dict[str, dict[str, str]]:
        """The lists of a form, by file name."""
        answer = self.get(self.forms()[form]["manifestUrl"])
        _is_openrosa(answer)
        return {one["filename"]: one for one in _rows(answer, MANIFEST, "mediaFile")}

    def files(self, form: str) -> dict[str, bytes]:
        """The content of a form's lists, checked against their digests."""
        found = {}
        for name, one in self.manifest(form).items():
            answer = self.get(one["downloadUrl"])
            assert answer.status_code == 200
            assert one["hash"] == f"md5:{hashlib.md5(answer.data, usedforsecurity=False).hexdigest()}"
            found[name] = answer.data
        return found


def said(answer: TestResponse) -> str:
    """The message of an OpenRosaResponse."""
    assert answer.headers["X-OpenRosa-Version"] == "1.0"
    assert answer.content_type == "text/xml; charset=utf-8"
    return str(etree.fromstring(answer.data).findtext(MESSAGE))


def _is_openrosa(answer: TestResponse) -> None:
    assert (answer.status_code, answer.headers["X-OpenRosa-Version"]) == (200, "1.0"), answer.text
    assert "text/xml" in answer.content_type


def _rows(answer: TestResponse, space: str, name: str) -> list[dict[str, Any]]:
    found = []
    for node in etree.fromstring(answer.data).iter(f"{space}{name}"):
        row = {str(child.tag).removeprefix(space): child.text or "" for child in node}
        assert all(row.values()), row  # an empty hash crashes Collect's parser
        found.append(row | {f"@{key}": value for key, value in node.attrib.items()})
    return found
