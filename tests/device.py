"""A client of the sync protocol as docs/protocol.md describes it: one installation on one phone.

It knows nothing of the server but that page; the standard library and `requests` are all it needs.
"""

import json
import random
import threading
import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

from tests.device_net import Answer, Clock, Drop, Faults, GaveUp, HttpTransport, Line, NoAnswer, Transport
from tests.device_store import Store
from tests.device_sync import Refused, Report, Sync

__all__ = [
    "Answer", "Clock", "Drop", "Faults", "GaveUp", "HttpTransport", "NoAnswer",
    "Phone", "Refused", "Report", "Transport",
]  # fmt: skip

Value = dict[str, Any]

APP = "1.0.0"


class Phone:
    """One installation. All that it must not lose is in its file: it may be killed anywhere and opened again."""

    def __init__(
        self,
        path: str | Path,
        installation: str,
        transport: Transport,
        clock: Clock | None = None,
        dice: random.Random | None = None,
        app: str = APP,
        page: int = 200,
        batch: int = 200,
        **line: Any,
    ) -> None:
        self.store, self.clock, self.app, self.page, self.batch = Store(path), clock or Clock(), app, page, batch
        self.dice = dice or random.Random()
        self.line = Line(transport, self.clock, self.dice, **line)
        if self.store.fact("installation", installation) != installation:
            raise ValueError("this file belongs to another installation")
        self.store.note(installation=installation)
        self.installation = installation
        self._one = threading.Lock()

    def close(self) -> None:
        self.store.close()

    # Access

    def enrol(self, code: str, label: str) -> Value:
        """Redeem a code; returns the user. A lost answer is asked for again with the same code. Raises `Refused`."""
        asked = {"code": code, "installation": self.installation, "label": label, "app": self.app}
        told = self._ask("POST", "devices", self._any_token(), asked)
        self.add_user(told["user"]["id"], told["token"])
        return told["user"]

    def login(self, user: str, password: str) -> None:
        """A token for a user of this phone. Raises `Refused`."""
        told = self._ask("POST", "login", self._any_token(user), {"user": user, "password": password})
        self.store.admit(user, told["token"], told.get("expires_at"))

    def add_user(self, user: str, token: str) -> None:
        """A user whose token was made elsewhere."""
        self.store.admit(user, token)

    def rotate(self, user: str) -> None:
        """A new token; the old one is good until the new one is used. Raises `Refused`."""
        told = self._ask("POST", "devices/token", self.store.tokens()[user], {})
        self.store.admit(user, told["token"], told.get("expires_at"))

    # Filling in

    def fill(
        self,
        user: str,
        form: str,
        version: str,
        answers: Mapping[str, Any] | str | None,
        entities: Sequence[Mapping[str, Any]],
        observed_at: datetime | None = None,
        amends: str | None = None,
        kind: str = "visit",
        entered_late: bool = False,
        prefilled: Collection[str] | Mapping[str, Any] | None = None,
        ident: str | None = None,
        **more: Any,
    ) -> str:
        """A finished form into the outbox; returns its id. Needs no network.

        Of `entities` type and id are enough. `prefilled` are the properties that the form showed, or what it showed
        of them; all that is stored if it is None. `answers` as text are an XForm instance. A form that tells its own
        `observed_at` was not finalised just now: nothing is said of the monotonic clock. `more` goes as it is.
        """
        ident = ident or f"uuid:{uuid.uuid4()}"
        earlier = self._claims(amends) if amends else {}
        claims = [self._claim(user, kind, one, earlier.get(one["id"], {}), prefilled) for one in entities]
        item: Value = {"id": ident, "form": form, "version": version, "author": user, "kind": kind}
        item["observed_at"] = (observed_at or self.clock.wall()).isoformat(timespec="milliseconds")
        if observed_at is None:
            item["obs"] = {"boot": self.clock.boot, "mono_ms": self.clock.mono_ms()}
        item |= {"entered_late": True} if entered_late else {}
        item |= {"amends": amends} if amends else {}
        item |= {"xml" if isinstance(answers, str) else "answers": answers} if answers is not None else {}
        self.store.put(item | {"entities": claims} | more, [one["id"] for one in claims] + _made(answers))
        return ident

    def screen(self, user: str, entity: str) -> Value:
        """What the phone knows of an entity: the stored data; empty if there is none."""
        found = self.store.thing(user, "entity", entity)
        return dict(found["data"]) if found else {}

    def _claim(
        self,
        user: str,
        kind: str,
        told: Mapping[str, Any],
        earlier: Mapping[str, Any],
        prefilled: Collection[str] | Mapping[str, Any] | None,
    ) -> Value:
        """What is said of one entity: what the caller tells himself, what the amended form said, what is stored."""
        held = self.store.thing(user, "entity", told["id"])
        claim: Value = {"base": held["etag"] if held else "0-", "after": self.store.after(user, told["id"])}
        if kind == "visit" and (held or isinstance(prefilled, Mapping)):
            shown = dict(held["data"]) if held else {}
            if isinstance(prefilled, Mapping):
                shown = dict(prefilled)
            elif prefilled is not None:
                shown = {name: value for name, value in shown.items() if name in prefilled}
            claim["seen"] = shown
        if earlier:
            claim = {name: earlier[name] for name in ("base", "after", "seen") if name in earlier}
        return claim | dict(told)

    def _claims(self, sub: str) -> dict[str, Value]:
        return {one["id"]: one for one in (self.store.item(sub) or {}).get("entities", ())}

    # Syncing

    def sync(self, user: str) -> Report:
        """Send all that waits and learn what changed for this user. Raises for nothing that a network does."""
        report = Report()
        if told := self.store.fact("server_time"):  # the server's clock: the phone's own may have jumped
            self.prune(datetime.fromisoformat(told))
        try:
            with self._one:  # one sync at a time
                Sync(self.store, self.line, self.app, self.page, self.batch, user, report).run()
        except GaveUp as error:
            report.stopped = error.reason
        except Refused as error:
            report.stopped = error.code
        return report

    def prune(self, now: datetime) -> int:
        """Forget what has been kept long enough."""
        return self.store.prune(now)

    # What is on the phone

    def entities(self, user: str) -> dict[str, Value]:
        return self.store.things(user, "entity")

    def visits(self, user: str) -> dict[str, Value]:
        return self.store.things(user, "visit")

    def lists(self, user: str) -> dict[str, Value]:
        return self.store.things(user, "list")

    def states(self, user: str) -> dict[str, Value]:
        return self.store.things(user, "submission")

    def due(self, user: str, day: date) -> list[Value]:
        """Whom to visit next: the visits worth showing on a day, the most urgent first."""
        shown = [visit for visit in self.visits(user).values() if visit["show_on"] <= day.isoformat()]
        return sorted(shown, key=lambda visit: (visit["due"], visit["id"]))

    def outbox(self) -> list[Value]:
        """The submissions that wait, in order."""
        return [json.loads(row["body"]) for row in self.store.outbox()]

    def archive(self) -> list[Value]:
        """The submissions that have a receipt, in order: `{item, receipt, keep_until}`."""
        return [
            {"item": json.loads(row["body"]), "receipt": json.loads(row["receipt"]), "keep_until": row["keep_until"]}
            for row in self.store.archive()
        ]

    def config(self, user: str) -> Value:
        """The last configuration; empty before the first."""
        vault = self.store.vault(user)
        return json.loads(vault["config"]) if vault and vault["config"] else {}

    # Talking

    def get(self, path: str, user: str) -> Value:
        """Read one thing with a user's token. Raises `Refused`, `GaveUp`."""
        return self._ask("GET", path, self.store.tokens().get(user))

    def _ask(self, method: str, path: str, token: str | None, asked: Mapping[str, Any] | None = None) -> Value:
        body = None if asked is None else json.dumps(asked).encode()
        status, told = self.line.call(method, path, token, (lambda: body) if body is not None else None)
        if not 200 <= status < 300:
            raise Refused(status, told)
        return told

    def _any_token(self, user: str = "") -> str | None:
        """This user's token, or anybody's who uses the phone already."""
        tokens = self.store.tokens()
        return tokens.get(user) or next(iter(tokens.values()), None)


def _made(answers: Any) -> list[str]:
    """The entities that the rows of a form make: each such row names its own in `__id`."""
    lists = [part for part in answers.values() if isinstance(part, list)] if isinstance(answers, Mapping) else []
    return [row["__id"] for rows in lists for row in rows if isinstance(row, Mapping) and "__id" in row]
