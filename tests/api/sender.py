"""A client of tus in the hand of a test: it sends pieces of a file, also damaged ones and ones that break off."""

import base64
import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from tests.api.conftest import Town

TUS = {"Tus-Resumable": "1.0.0"}
OCTETS = "application/offset+octet-stream"
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00"


def photo(size: int = 3_000, seed: int = 0) -> bytes:
    """Bytes that begin as a photo does; each seed gives others."""
    blocks = (hashlib.sha256(f"{seed} {n}".encode()).digest() for n in range(size // 32 + 1))
    return (JPEG + b"".join(blocks))[:size]


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def coded(value: str | bytes) -> str:
    return base64.b64encode(value.encode() if isinstance(value, str) else value).decode()


def checksum(data: bytes, name: str = "sha256") -> str:
    """The header `Upload-Checksum` of a piece."""
    return f"{name} {coded(hashlib.new(name, data).digest())}"


def medium(data: bytes, name: str = "anh1.jpg") -> dict[str, Any]:
    """What an item says of a file."""
    return {"name": name, "sha256": sha256(data), "size": len(data)}


@dataclass
class Sender:
    """Sends one file as `user`; `app` is the server's process to which it talks just now."""

    town: Town
    data: bytes
    user: str = "u1"
    app: Flask | None = None
    sub: str = "uuid:1"
    url: str = ""
    token: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def medium(self) -> dict[str, Any]:
        return medium(self.data)

    def call(
        self, method: str, path: str, data: Any = None, length: int | None = None, **headers: str
    ) -> TestResponse:
        """One request; `length` is how many bytes it announces, if that is not how many come."""
        sending = {"Authorization": f"Bearer {self.token or self.town.tokens[self.user]}"} | TUS | self.headers
        sending |= {name.replace("_", "-"): value for name, value in headers.items()}
        client = (self.app or self.town.app).test_client()
        said = {"CONTENT_LENGTH": str(length)} if length is not None else {}
        return client.open(path, method=method, data=data, headers=sending, environ_overrides=said)

    def promise(self, size: int | None = None, **more: str) -> TestResponse:
        """Announce the file; remembers where to send it."""
        told = {"sha256": sha256(self.data), "sub": self.sub} | more
        said = ",".join(f"{name} {coded(value)}" for name, value in told.items())
        length = str(len(self.data) if size is None else size)
        answer = self.call("POST", "/api/v1/media", Upload_Length=length, Upload_Metadata=said)
        self.url = answer.headers.get("Location", self.url)
        return answer

    def stands(self) -> int:
        """Where the upload stands, as the server says."""
        answer = self.call("HEAD", self.url)
        assert answer.status_code == 200
        assert answer.headers["Upload-Length"] == str(len(self.data))
        assert answer.headers["Cache-Control"] == "no-store"
        return int(answer.headers["Upload-Offset"])

    def piece(self, at: int, data: bytes, broken_after: int | None = None, **headers: Any) -> TestResponse:
        """Send a piece; the line may break after some of its bytes."""
        sending: dict[str, Any] = {"Upload_Offset": str(at), "Content_Type": OCTETS} | headers
        if broken_after is None:
            return self.call("PATCH", self.url, data, **sending)
        return self.call("PATCH", self.url, data[:broken_after], len(data), **sending)

    def send(self, chunk: int = 1_000) -> TestResponse:
        """The whole file from where the upload stands; the answer to the last piece."""
        if not self.url:
            self.promise()
        answer = None
        at = self.stands()
        while answer is None or at < len(self.data):
            part = self.data[at : at + chunk]
            answer = self.piece(at, part, Upload_Checksum=checksum(part))
            if answer.status_code != 204:
                break
            at = int(answer.headers["Upload-Offset"])
        return answer

    def get(self, sub: str | None = None, user: str | None = None, **headers: Any) -> TestResponse:
        """Look at the file."""
        token = self.town.tokens[user or self.user]
        path = f"/api/v1/media/{sha256(self.data)}?sub={sub or self.sub}"
        return self.call("GET", path, Authorization=f"Bearer {token}", **headers)


def files(town: Town) -> dict[str, bytes]:
    """Every file under the folder of media, by its path in it."""
    root: Path = town.nest.settings.media_folder
    return {str(p.relative_to(root)): p.read_bytes() for p in sorted(root.rglob("*")) if p.is_file()}


def stored(*contents: bytes) -> dict[str, bytes]:
    """What the folder holds if it holds these files and nothing else."""
    names = {sha256(data): data for data in contents}
    return {f"{name[:2]}/{name[2:4]}/{name}": b"\x00" + data for name, data in names.items()}


def refused(answer: TestResponse) -> tuple[int, str]:
    """Status and code of a refusal."""
    assert answer.content_type == "application/problem+json", answer.text
    assert answer.headers["Tus-Resumable"] == "1.0.0"
    return answer.status_code, answer.get_json()["code"]
