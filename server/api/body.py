"""Bodies: of a request bounded, whole and inflated; of an answer JSON. Sources: RFC 9110 §8.4, RFC 9530."""

import base64
import binascii
import hashlib
import re
import zlib
from collections.abc import Mapping
from typing import Any

import orjson
from flask import Response, request

from server.problems import Problem
from sync.batch import Limits

SMALL = 65_536  # bytes
_DIGEST = re.compile(r"sha-256=:([A-Za-z0-9+/=]+):")


def read_body(limits: Limits) -> bytes:
    """The inflated body. Raises a problem if it is too large, truncated, or not what its digest says."""
    body = request.stream.read(limits.max_body + 1)
    if len(body) > limits.max_body or (request.content_length or 0) > limits.max_body:
        raise Problem("too_large", limits=told(limits))
    _check_digest(body)
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return body
    if encoding != "gzip":
        raise Problem("bad_encoding")
    return _gunzip(body, limits)


def small_body() -> None:
    """Before a request whose body is a few words: a large one is refused before anybody reads it."""
    request.max_content_length = SMALL


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(orjson.dumps(body), status=status, content_type="application/json")


def told(limits: Limits) -> Mapping[str, Any]:
    """The limits as devices are told of them."""
    return {name: getattr(limits, name) for name in limits.__dataclass_fields__}


def _check_digest(body: bytes) -> None:
    found = _DIGEST.search(request.headers.get("Content-Digest", ""))
    if found is None:
        raise Problem("no_digest")
    try:
        stated = base64.b64decode(found.group(1), validate=True)
    except binascii.Error as error:
        raise Problem("bad_digest") from error
    if stated != hashlib.sha256(body).digest():
        raise Problem("bad_digest")


def _gunzip(body: bytes, limits: Limits) -> bytes:
    """Inflate completely: a truncated body gives half its bytes without any error, so the end is checked."""
    inflater = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        data = inflater.decompress(body, limits.max_inflated + 1)
    except zlib.error as error:
        raise Problem("truncated") from error
    if len(data) > limits.max_inflated:
        raise Problem("too_large", limits=told(limits))
    if not inflater.eof or inflater.unused_data:
        raise Problem("truncated")
    return data
