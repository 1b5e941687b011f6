"""Lists and forms as they are served: bytes with strong ETags.

Source: OpenRosa HTTP Request API, Form Discovery API 1.0, as ODK Collect reads them: 200, text/xml and the version
header; a digest of exactly these bytes.
"""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cached_property

from flask import Response, request

VERSION = {"X-OpenRosa-Version": "1.0"}
XML, CSV = "text/xml; charset=utf-8", "text/csv; charset=utf-8"
WORTH_COMPRESSING = 1_000  # bytes


@dataclass(frozen=True)
class Document:
    """Bytes that are served as they are, with their digests."""

    content: bytes
    type: str = XML

    @cached_property
    def md5(self) -> str:
        """Hex MD5, by which Collect sees whether it has these bytes: no secret hangs on it."""
        return hashlib.md5(self.content, usedforsecurity=False).hexdigest()

    @cached_property
    def zipped(self) -> bytes:
        return gzip.compress(self.content, compresslevel=3, mtime=0)

    def response(self) -> Response:
        """200 with a strong ETag, one for each encoding; 304 to whom has it."""
        tags = {self.md5, f"{self.md5}-gzip"}
        wanted = "gzip" in request.headers.get("Accept-Encoding", "")
        zipped = wanted and len(self.content) >= WORTH_COMPRESSING
        headers = VERSION | {"Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
        found = next((tag for tag in tags if request.if_none_match.contains(tag)), None)
        if found is not None:
            response = Response(status=304, headers=headers)
            response.set_etag(found)
            return response
        response = Response(self.zipped if zipped else self.content, content_type=self.type, headers=headers)
        response.set_etag(f"{self.md5}-gzip" if zipped else self.md5)
        if zipped:
            response.headers["Content-Encoding"] = "gzip"
        return response
