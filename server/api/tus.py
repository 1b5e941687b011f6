"""The headers of tus 1.0.0: what a request for an upload says."""

import base64
import binascii
import re

from flask import request
from werkzeug.datastructures import Headers

from forms.text import storable
from server.media.uploads import Checksum, Promise
from server.problems import Problem

VERSION = "1.0.0"
CHECKSUMS = {"sha256": 32, "sha1": 20}  # bytes of a digest
_NUMBER = re.compile(r"\A\d{1,15}\Z", re.ASCII)
_SHA256 = re.compile(r"\A[0-9a-f]{64}\Z", re.ASCII)


def require_tus() -> None:
    """Raises the problem `tus_version` for a request in another version, or in none."""
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Problem("tus_version")


def promise_of(headers: Headers) -> Promise:
    """What is announced: `sha256` as 64 hex digits (or as its 32 bytes), `sub`, and the length. Raises `invalid`.

    `name` and `question`, if they are told, are not kept: the submission says them.
    """
    told = _metadata(headers.get("Upload-Metadata", ""))
    digest = told.get("sha256", b"")
    sha256 = digest.hex() if len(digest) == CHECKSUMS["sha256"] else digest.decode("latin-1").lower()
    size = headers.get("Upload-Length", "")
    sub = told.get("sub", b"").decode("utf-8", "replace")
    wrong = {
        "Upload-Length": not _NUMBER.match(size) or not int(size),
        "Upload-Metadata/sha256": not _SHA256.match(sha256),
        "Upload-Metadata/sub": not 0 < len(sub) <= 200 or not storable(sub),
    }
    if any(wrong.values()):
        raise Problem("invalid", errors={name: ["missing or wrong"] for name, bad in wrong.items() if bad})
    return Promise(sha256, sub, int(size))


def offset_of(headers: Headers) -> int:
    """From where a piece goes on. Raises `invalid`."""
    said = headers.get("Upload-Offset", "")
    if not _NUMBER.match(said):
        raise Problem("invalid", errors={"Upload-Offset": ["missing or wrong"]})
    return int(said)


def checksum_of(headers: Headers) -> Checksum | None:
    """What a piece must amount to, if it says. Raises `bad_request` for an algorithm that is not known."""
    said = headers.get("Upload-Checksum")
    if said is None:
        return None
    name, _, value = said.strip().partition(" ")
    digest = _decoded(value)
    if len(digest) != CHECKSUMS.get(name, -1):
        raise Problem("bad_request", f"Upload-Checksum: {', '.join(CHECKSUMS)}")
    return Checksum(name, digest)


def _metadata(header: str) -> dict[str, bytes]:
    pairs = (pair.strip().partition(" ") for pair in header.split(","))
    return {key: _decoded(value) for key, _, value in pairs if key}


def _decoded(value: str) -> bytes:
    """Base64 read; nothing of what is none."""
    try:
        return base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError):
        return b""
