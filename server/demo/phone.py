"""Phones for the demonstration: each with its own store, offline most of the time, over real HTTP."""

import base64
import gzip
import hashlib
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
import requests

from sync.times import ZONE

Value = dict[str, Any]
Say = Callable[[str], None]

TIMEOUT = 30  # seconds; a phone gives up and tries again later
OUTCOMES = {
    "applied": "đã nhận và áp dụng",
    "merged": "đã nhận; có chỗ thua theo quy tắc",
    "conflict": "đã nhận; có chỗ khác nhau, chờ cán bộ chọn",
    "stored": "đã cất; máy chủ sẽ làm tiếp",
    "quarantined": "đã giữ nguyên văn, chưa áp dụng",
}


class Broken(Exception):
    """The server did not do what it promises; the message says what."""


def promised(kept: bool, what: str) -> None:
    """Raise `Broken` unless the promise was kept."""
    if not kept:
        raise Broken(what)


@dataclass
class Phone:
    """One installation: what waits to be sent, the receipts that came back, the etag of each entity known."""

    name: str
    token: str
    url: str
    say: Say
    outbox: list[Value] = field(default_factory=list)
    receipts: dict[str, Value] = field(default_factory=dict)
    etags: dict[str, str] = field(default_factory=dict)
    states: dict[str, Value] = field(default_factory=dict)

    def fill_in(self, form: str, version: str, answers: Value, claims: Iterable[Value]) -> Value:
        """A form filled in without a network: it waits in the outbox. Returns the item."""
        item = {
            "id": f"uuid:{uuid.uuid4()}",
            "form": form,
            "version": version,
            "kind": "visit",
            "observed_at": now().isoformat(timespec="milliseconds"),
            "answers": answers,
            "entities": list(claims),
        }
        self.outbox.append(item)
        return item

    def sync(self, size: int = 200) -> list[Value]:
        """Send the outbox in batches of `size`; what has a receipt leaves it. Returns the receipts."""
        found: list[Value] = []
        while self.outbox:
            found += self._take(self.send(self.outbox[:size]))
        return found

    def send(self, items: list[Value]) -> list[Value]:
        """One batch over HTTP, compressed, with its digest. Returns the receipts, in order."""
        body = gzip.compress(orjson.dumps({"v": 1, "app": "simulate", "clock": _clock(), "items": items}))
        headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Content-Digest": f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:",
        }
        answer = requests.post(f"{self.url}/api/v1/sync", body, headers=headers | self._auth, timeout=TIMEOUT)
        promised(answer.ok, f"lô {len(items)} phiếu bị trả về: {answer.status_code} {_code(answer)}")
        receipts: list[Value] = answer.json()["receipts"]
        ids = [receipt["id"] for receipt in receipts]
        promised(ids == [item["id"] for item in items], "mỗi phiếu một biên nhận, đúng thứ tự")
        return receipts

    def get(self, path: str) -> Value:
        """Read one thing. Raises `Broken` if it is not there for this phone."""
        answer = requests.get(f"{self.url}/api/v1/{path}", headers=self._auth, timeout=TIMEOUT)
        promised(answer.ok, f"không đọc được {path}: {answer.status_code} {_code(answer)}")
        return dict(answer.json())

    def pull(self, child: str) -> Value:
        """Learn a child's present state, to work on while offline."""
        state = self.get(f"entities/child/{child}")
        self.states[child], self.etags[child] = state["data"], state["etag"]
        return state

    def claim(self, child: str) -> Value:
        """What a form about a known child says of it: the state held, and what it was prefilled with."""
        return {"type": "child", "id": child, "base": self.etags[child], "seen": self.states[child]}

    @property
    def _auth(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def _take(self, receipts: list[Value]) -> list[Value]:
        """Only a receipt lets a phone forget."""
        for receipt in receipts:
            self.receipts[receipt["id"]] = receipt
            self.etags |= {entity["id"]: entity["etag"] for entity in receipt["entities"]}
            reason = f" ({receipt['reason']})" if "reason" in receipt else ""
            again = ", biên nhận cũ" if receipt["repeat"] else ""
            self.say(f"  {self.name}: {receipt['id']}: {OUTCOMES[receipt['outcome']]}{reason}{again}")
        self.outbox = [item for item in self.outbox if item["id"] not in self.receipts]
        return receipts


def now() -> datetime:
    """The phone's own clock."""
    return datetime.now(ZONE)


def _clock() -> Value:
    return {"wall": now().isoformat(timespec="milliseconds")}


def _code(answer: requests.Response) -> str:
    """The code of a problem document, if it is one."""
    try:
        return str(answer.json().get("code", ""))
    except (requests.JSONDecodeError, AttributeError):
        return ""
