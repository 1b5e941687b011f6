"""One sync of one user of a phone: push all that waits, pull what changed, and do what the refusals ask for."""

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.device_net import GaveUp, Line, packed
from tests.device_store import Store

Value = dict[str, Any]
Row = sqlite3.Row

LIMITS = {"max_items": 50, "max_body": 262_144, "max_inflated": 1_048_576}  # until the server tells its own
ROOM = 65_536  # bytes of a batch that are left to what goes around the items
RESYNCS = 3  # in one sync; more than that is for the operator to look at


class Refused(Exception):
    """The server said no, and would say so again. `code` as in docs/problems.md."""

    def __init__(self, status: int, told: Mapping[str, Any]) -> None:
        self.status, self.told, self.code = status, told, str(told.get("code", status))
        super().__init__(f"{status} {self.code}")


class _Resync(Exception):
    """This server does not know what the device saw."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(told["reason"])
        self.reason, self.epoch = told["reason"], told.get("epoch")


@dataclass
class Report:
    """What one sync did. `stopped` says why it ended early: a problem code, `no_answer`; empty if it did all.

    `stuck` are submissions that are too large even alone, `update` the version of the client that may pull again.
    """

    receipts: list[Value] = field(default_factory=list)
    pages: int = 0
    resyncs: list[str] = field(default_factory=list)
    stopped: str = ""
    stuck: list[str] = field(default_factory=list)
    update: str = ""
    wiped: bool = False

    @property
    def outcomes(self) -> dict[str, str]:
        """Outcome by submission."""
        return {receipt["id"]: receipt["outcome"] for receipt in self.receipts}


@dataclass
class Sync:
    """`most` is how many submissions a batch may have now, `more` whether there is something to pull still."""

    store: Store
    line: Line
    app: str
    page: int
    most: int
    user: str
    report: Report
    more: bool = True
    config: str = ""
    shunned: set[str] = field(default_factory=set)  # users whose tokens the server would not take

    def __post_init__(self) -> None:
        self.limits = LIMITS | json.loads(self.store.fact("limits", "{}"))
        self.most = min(self.most, self.limits["max_items"])

    def run(self) -> None:
        """Everything. Raises `GaveUp`, or `Refused` when all that can be sent has been sent."""
        if self.store.fact("state") == "wiped":
            return self._say_wiped()
        refusal = None
        while True:
            try:
                self._own()
            except Refused as error:
                refusal = error
            self._others()
            if refusal is not None or self._revoked or not self.more:
                break
        if self._revoked:
            return self._wipe()
        if refusal is not None:
            raise refusal
        return None

    @property
    def _revoked(self) -> bool:
        return self.store.fact("state") == "revoked"

    def _own(self) -> None:
        """What goes out under the user's own token, and his pages; from the beginning after a resync."""
        while True:
            try:
                self._push(self._batch(self.user), self.user)  # also an empty one: the server checks ack and epoch
                while rows := self._batch(self.user):
                    self._push(rows, self.user)
                while self.more and not self._revoked:
                    self._pull()
                return self._configure()
            except _Resync as error:
                self._resync(self.user, error)

    def _others(self) -> None:
        """What is left: submissions of others on this phone, under their own tokens as far as they have any."""
        while True:
            carriers = [self._carrier(row["author"]) for row in self._waiting()]
            carrier = next((one for one in carriers if one is not None), None)
            if carrier is None:
                return
            try:
                self._push(self._batch(carrier), carrier)
                self.more = True  # the user may read what they wrote
            except _Resync as error:
                self._resync(carrier, error)
            except Refused:
                self.shunned.add(carrier)

    def _resync(self, user: str, error: _Resync) -> None:
        self.report.resyncs.append(error.reason)
        if len(self.report.resyncs) > RESYNCS:
            raise GaveUp("resync")
        self.store.resync(user, error.epoch)
        self.more = self.more or user == self.user

    # Pushing

    def _waiting(self) -> list[Row]:
        return [row for row in self.store.outbox() if row["id"] not in self.report.stuck]

    def _carrier(self, author: str) -> str | None:
        """Under whose token an author's submissions go: his own, else the user's, else anybody's."""
        users = [user for user in self.store.tokens() if user not in self.shunned]
        return next((one for one in (author, self.user, *users) if one in users), None)

    def _batch(self, carrier: str) -> list[Row]:
        """The next submissions that go out under this token, within the limits as far as can be told."""
        rows: list[Row] = []
        size = 0
        for row in self._waiting():
            if self._carrier(row["author"]) == carrier:
                size += len(row["body"].encode()) + 1
                if rows and (len(rows) >= self.most or size > self.limits["max_inflated"] - ROOM):
                    break
                rows.append(row)
        while len(rows) > 1 and len(packed(",".join(row["body"] for row in rows))) > self.limits["max_body"] - 4096:
            rows = rows[: len(rows) // 2]
        return rows

    def _push(self, rows: Sequence[Row], carrier: str) -> None:
        """One batch; what has a receipt leaves the outbox."""
        status, told = self._call("POST", "sync", carrier, rows)
        if status == 413:
            return self._too_large(rows, told)
        if status != 200:
            raise self._refusal(carrier, status, told)
        self._take(carrier, {row["id"] for row in rows}, told)
        if rows and not {row["id"] for row in rows} & {receipt["id"] for receipt in told.get("receipts", ())}:
            raise GaveUp("no_receipt")
        return None

    def _call(self, method: str, path: str, carrier: str, rows: Sequence[Row]) -> tuple[int, Value]:
        vault = self.store.vault(carrier)
        if vault is None or vault["token"] is None:
            raise Refused(401, {"code": "unauthenticated"})
        head: Value = {"v": 1, "app": self.app, "ack": vault["ack"]}
        head |= {"epoch": vault["epoch"]} if vault["epoch"] is not None else {}
        head |= {"unsent": len(self.store.outbox()) - len(rows)}
        if carrier == self.user and not self._revoked:
            head |= {"pull": {"token": vault["feed"], "limit": self.page}}
        items = ",".join(row["body"] for row in rows)  # the very bytes that were stored

        def body() -> bytes:
            clock = self.line.clock  # read anew for each try
            now = {
                "wall": clock.wall().isoformat(timespec="milliseconds"),
                "boot": clock.boot,
                "mono_ms": clock.mono_ms(),
            }
            return packed(f'{json.dumps(head | {"clock": now})[:-1]}, "items": [{items}]}}')

        return self.line.call(method, path, vault["token"], body, zipped=True)

    def _too_large(self, rows: Sequence[Row], told: Mapping[str, Any]) -> None:
        """Send half of it. One that is too large alone must not hold up the others."""
        if "limits" in told:
            self.limits |= told["limits"]
            self.store.note(limits=json.dumps(self.limits))
        if len(rows) == 1:
            self.report.stuck.append(rows[0]["id"])
        else:
            self.most = max(1, len(rows) // 2)

    # Pulling

    def _pull(self) -> None:
        """The next page alone."""
        vault = self.store.vault(self.user)
        assert vault is not None
        asked = json.dumps({"token": vault["feed"], "limit": self.page}).encode()
        status, told = self.line.call("POST", "sync/pull", vault["token"], lambda: asked)
        if status == 403 and told.get("code") == "device_revoked":
            return self.store.note(state="revoked")
        if status == 426:
            self.report.update, self.more = str(told.get("min_app", "?")), False
            return None
        if status != 200:
            raise self._refusal(self.user, status, told)
        return self._take(self.user, (), told)

    def _take(self, user: str, sent: Collection[str], told: Mapping[str, Any]) -> None:
        if "server_time" not in told:
            raise GaveUp("no_answer")  # JSON, and yet not from our server
        self.report.receipts += self.store.take(user, sent, told)
        if "page" in told:
            self.report.pages += 1
            self.more, self.config = told["page"]["more"], told["page"]["config"]
        if "update" in told:
            self.report.update, self.more = told["update"], False

    def _refusal(self, user: str, status: int, told: Mapping[str, Any]) -> Exception:
        if status == 409 and told.get("code") == "resync":
            return _Resync(told)
        if status == 401:
            self.store.admit(user, None)  # he must log in again; what waits may go under another's token
        return Refused(status, told)

    def _configure(self) -> None:
        """Fetch the configuration if the pages told of another one."""
        vault = self.store.vault(self.user)
        assert vault is not None
        if self._revoked or not self.config or self.config == json.loads(vault["config"] or "{}").get("config"):
            return
        status, told = self.line.call("GET", "sync/config", vault["token"])
        if status != 200:
            raise self._refusal(self.user, status, told)
        self.store.configure(self.user, told)

    # Revoked

    def _wipe(self) -> None:
        """Everything goes, save what waits to be sent."""
        if not self.store.wipe():
            raise Refused(403, {"code": "device_revoked"})
        self._say_wiped()

    def _say_wiped(self) -> None:
        self.report.wiped = True
        tokens = self.store.tokens()
        token = tokens.get(self.user) or next(iter(tokens.values()), None)
        self.line.call("POST", "devices/wiped", token, lambda: b"{}")
        self.store.forget()
