"""Phones that push and pull without a pause, and keep their own books of what the server has promised them."""

import base64
import gzip
import hashlib
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from threading import Event
from typing import Any

import orjson
import requests

from sync.times import ZONE
from tests.api.builders import PROTECTED, new_id, register, visit

Value = dict[str, Any]
PATIENCE = 60  # seconds, before a phone gives up on an answer
WAITING = 6  # submissions, beyond which a phone writes no more before it could send
YEARS = 13
SCHOOLS = ("Tiểu học Bờ Kênh", "Trường Cầu Ván", "Lớp ghép Rạch Cũ", "Trường Ngã Ba")


class Promise(AssertionError):
    """The server broke one."""


def promised(kept: bool, what: object) -> None:
    if not kept:
        raise Promise(what)


@dataclass
class Mirror:
    """What pages have told, by kind and id."""

    token: str | None = None
    things: dict[tuple[str, str], Value] = field(default_factory=dict)

    def apply(self, page: Value) -> None:
        """Take in a page, in the order that the protocol asks for."""
        dropped = set(page["drop_scopes"])
        self.things = {key: thing for key, thing in self.things.items() if thing.get("scope") not in dropped}
        for one in page["gone"]:
            self.things.pop((one["kind"], one["id"]), None)
        for kind, name in (("entity", "entities"), ("visit", "visits"), ("submission", "submissions")):
            self.things |= {(kind, thing["id"]): thing for thing in page[name]}
        self.token = page["token"]

    def of(self, kind: str) -> dict[str, Value]:
        return {ident: thing for (what, ident), thing in self.things.items() if what == kind}


@dataclass
class Phone:
    """One user's phone. `sent`: the bytes of everything it ever wrote; `receipts`: the first one of each.

    `told` counts answers by their status, `none` where none came; `late` are first receipts that were no news to the
    server: an earlier answer was lost.
    """

    url: str
    user: str
    token: str
    place: Value
    dice: Random
    outbox: list[str] = field(default_factory=list)
    sent: dict[str, bytes] = field(default_factory=dict)
    receipts: dict[str, Value] = field(default_factory=dict)
    own: dict[str, list[str]] = field(default_factory=dict)  # child -> submissions that no page has contained yet
    mirror: Mirror = field(default_factory=Mirror)
    ack: str | None = None
    more: bool = True  # whether the last page was not the last
    told: Counter[str] = field(default_factory=Counter)
    session: requests.Session = field(default_factory=requests.Session)

    def live(self, stop: Event) -> None:
        """Write and sync until told to stop. Raises `Promise` when the server breaks one."""
        while not stop.is_set():
            while len(self.outbox) < WAITING and self.dice.random() < 0.8:
                self.write()
            if not self.sync(self.dice.randint(1, 4)):
                time.sleep(self.dice.uniform(0, 0.15))

    def finish(self) -> None:
        """Send what is left, and pull to the end, from a server that lives."""
        while True:
            promised(self.sync(len(self.outbox)), "a living server answers")
            if not self.outbox and not self.more:
                return

    def write(self) -> None:
        """Fill in a form: a household with children, or a visit to a child that the phone knows."""
        seen = {ident: one for ident, one in self.mirror.of("entity").items() if one["type"] == "child"}
        known = sorted({*seen, *self.own})
        if not known or self.dice.random() < 0.3:
            children = {new_id(): f"Trần Gia {number}" for number in range(self.dice.randint(0, 2))}
            item = register(new_id(), children, YEARS, **self.place)
            self.own |= {child: [item["id"]] for child in children}
        else:
            item = self._visit(child := self.dice.choice(known), seen.get(child))
            self.own.setdefault(child, []).append(item["id"])
        self.sent[item["id"]] = orjson.dumps(item)
        self.outbox.append(item["id"])

    def _visit(self, child: str, seen: Value | None) -> Value:
        said: Value = {"school_name": self.dice.choice(SCHOOLS), "risk_now": self.dice.choice("012")}
        said |= PROTECTED if self.dice.random() < 0.2 else {}
        base, data = (seen["etag"], seen["data"]) if seen else ("0-", None)
        name = (data or {}).get("full_name", "Trần Gia Ân")
        return visit(child, name, base, data, self.own.get(child, ()), years=YEARS, **said)

    def sync(self, most: int) -> bool:
        """Send the first `most` of what waits, at times with something old, and pull a page. False: no answer."""
        ids = self.outbox[:most]
        if self.receipts and self.dice.random() < 0.1:
            ids = [self.dice.choice(sorted(self.receipts)), *ids]
        answer = self.send(ids, pull={"token": self.mirror.token, "limit": 50})
        if answer is None:
            return False
        self.outbox = [ident for ident in self.outbox if ident not in self.receipts]
        self.ack = answer.get("ack", self.ack)
        self.more = "page" not in answer or answer["page"]["more"]
        if "page" in answer:
            self._read(answer["page"])
        return True

    def send(self, ids: Sequence[str], **envelope: Any) -> Value | None:
        """Send these submissions again or for the first time; the answer, once its receipts are in the books."""
        answer = self.post("sync", self.batch(ids, ack=self.ack, **envelope))
        if answer is None:
            return None
        promised([receipt["id"] for receipt in answer["receipts"]] == list(ids), "a receipt for each, in order")
        for receipt in answer["receipts"]:
            self._book(receipt)
        return answer

    def batch(self, ids: Sequence[str], **envelope: Any) -> bytes:
        """A batch whose items have the very bytes that are in the books."""
        head = {"v": 1, "app": "1.0.0", "clock": {"wall": datetime.now(ZONE).isoformat()}} | envelope
        return orjson.dumps(head)[:-1] + b',"items":[' + b",".join(self.sent[ident] for ident in ids) + b"]}"

    def post(self, path: str, body: bytes) -> Value | None:
        """An answer; None if none came, or one that asks for patience."""
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        if path == "sync" and self.dice.random() < 0.5:
            body = gzip.compress(body)
            headers["Content-Encoding"] = "gzip"
        headers["Content-Digest"] = f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"
        try:
            answer = self.session.post(f"{self.url}/api/v1/{path}", body, headers=headers, timeout=PATIENCE)
        except requests.RequestException:  # also one that broke off in the middle
            self.told["none"] += 1
            return None
        self.told[str(answer.status_code)] += 1
        if answer.status_code == 503:
            return None
        promised(answer.status_code == 200, f"{self.user} hears {answer.status_code}: {answer.text}")
        return dict(answer.json())

    def _book(self, receipt: Value) -> None:
        """Only the first receipt is kept; all later ones must say the same."""
        same = {name: value for name, value in receipt.items() if name != "repeat"}
        self.told["late"] += receipt["repeat"] and receipt["id"] not in self.receipts
        first = self.receipts.setdefault(receipt["id"], same)
        promised(first == same, f"the receipt was {first} and is {same}")

    def _read(self, page: Value) -> None:
        self.mirror.apply(page)
        for entity in page["entities"]:
            if entity["id"] in self.own:
                mine = self.own[entity["id"]]
                self.own[entity["id"]] = [ident for ident in mine if ident not in self.receipts]


def read_all(post: Callable[[str, bytes], Value | None]) -> Mirror:
    """Pull everything from nothing."""
    mirror, more = Mirror(), True
    while more:
        answer = post("sync/pull", orjson.dumps({"token": mirror.token, "limit": 200}))
        promised(answer is not None, "a living server answers")
        assert answer is not None
        mirror.apply(answer["page"])
        more = answer["page"]["more"]
    return mirror
