"""A small server as tests talk to it: its people, their phones and tokens; and one that is used again."""

import base64
import gzip
import hashlib
import shutil
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import delete, make_url, select
from werkzeug.test import TestResponse

from config.settings import Settings
from server.app import create_app
from server.auth.tokens import issue
from server.cli.people import enrol_device
from server.clock import now
from server.store.devices import held
from server.store.people import add_user, assign
from server.store.rows import unpack
from server.store.tables import AssignmentTable, Device, Submission, db
from server.world import Nest
from sync.authority import Role
from sync.times import DAY, iso, local_date
from tests.api.builders import AREA, OTHER
from tests.databases import Postgres, close

ENROLLED_DAYS = 30
Person = tuple[Role, str | Sequence[str] | None] | tuple[Role, str | Sequence[str] | None, str]  # hamlets, area
PEOPLE: Mapping[str, Person] = {
    "u1": (Role.COLLABORATOR, "01"),
    "u2": (Role.COLLABORATOR, "01"),
    "u9": (Role.COLLABORATOR, "05"),
    "s1": (Role.SUPERVISOR, None),
    "c1": (Role.SCHEDULER, None),
    "a1": (Role.ADMINISTRATOR, None),
    "u5": (Role.COLLABORATOR, "01", OTHER),
    "s5": (Role.SUPERVISOR, None, OTHER),
}


@dataclass(frozen=True)
class Town:
    """The server under test, and how to talk to it. `devices` and `tokens` are by user."""

    app: Flask
    tokens: Mapping[str, str]
    devices: Mapping[str, str]
    postgres: Postgres | None = None

    @property
    def nest(self) -> Nest:
        return self.app.extensions["toam"]

    def post(self, body: bytes, user: str = "u1", path: str = "/api/v1/sync", **headers: str) -> TestResponse:
        """Send bytes as they are, with the right digest unless `headers` say otherwise."""
        sending = {
            "Authorization": f"Bearer {self.tokens[user]}",
            "Content-Type": "application/json",
            "Content-Digest": digest(body),
        } | {name.replace("_", "-"): value for name, value in headers.items()}
        return self.app.test_client().post(path, data=body, headers=sending)

    def push(self, items: Sequence[Any], user: str = "u1", **envelope: Any) -> list[dict[str, Any]]:
        """Push a batch as a phone does, compressed; returns its receipts."""
        receipts = self.sync(items, user, pull=None, **envelope)["receipts"]
        assert len(receipts) == len(items)
        return receipts

    def send(self, items: Sequence[Any] = (), user: str = "u1", **envelope: Any) -> TestResponse:
        """Push and pull as a phone does, compressed; without `pull` from nothing."""
        head = {"v": 1, "app": "test", "clock": {"wall": iso(now())}, "pull": {}}
        whole = head | {"items": list(items)} | envelope
        return self.post(gzip.compress(orjson.dumps(whole)), user, Content_Encoding="gzip")

    def sync(self, items: Sequence[Any] = (), user: str = "u1", **envelope: Any) -> dict[str, Any]:
        """The same; returns the whole answer."""
        answer = self.send(items, user, **envelope)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def pull(self, user: str = "u1", token: str | None = None, **more: Any) -> dict[str, Any]:
        """One page."""
        return self.act("sync/pull", user, token=token, **more)["page"]

    def apply(self, value: Mapping[str, Any], user: str = "u1") -> dict[str, Any]:
        """Push one item that is taken in without any doubt; returns its receipt."""
        (receipt,) = self.push([value], user)
        assert receipt["outcome"] == "applied", receipt
        return receipt

    def get(self, path: str, user: str = "u1") -> TestResponse:
        return self.app.test_client().get(path, headers={"Authorization": f"Bearer {self.tokens[user]}"})

    def child(self, ident: str, user: str = "u1") -> dict[str, Any]:
        """A child as the API shows it."""
        answer = self.get(f"/api/v1/entities/child/{ident}", user)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def household(self, ident: str, user: str = "u1") -> dict[str, Any]:
        answer = self.get(f"/api/v1/entities/household/{ident}", user)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def ask(self, path: str, user: str = "s1", bearer: str | None = None, **body: Any) -> TestResponse:
        """Send JSON to an endpoint of the API, with the user's token or another one."""
        credential = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return self.post(orjson.dumps(body), user, f"/api/v1/{path}", **credential)

    def act(self, path: str, user: str = "s1", **body: Any) -> dict[str, Any]:
        """An act at the desk that is carried out."""
        answer = self.ask(path, user, **body)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def refusal(self, path: str, user: str = "s1", **body: Any) -> tuple[int, str]:
        """Status and code of an act that is refused."""
        answer = self.ask(path, user, **body)
        assert answer.status_code >= 400, answer.text
        assert answer.content_type == "application/problem+json"
        return answer.status_code, answer.get_json()["code"]

    def status(self, ident: str, user: str = "u1") -> dict[str, Any]:
        """What `sync/status` tells the author: the state of a submission."""
        told = self.act("sync/status", user, ids=[ident])
        return told["states"][0]

    def page(self, ident: str, user: str = "s1") -> dict[str, Any]:
        """A submission as the desk shows it."""
        answer = self.get(f"/api/v1/submissions/{ident}", user)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def rows(self, query: Any) -> list[Any]:
        """The rows of a query, as they are stored now."""
        with self.app.app_context():
            return list(db.session.execute(query).all())

    def assigned(self, user: str, area: str, hamlet: str | None, begins: float, ends: float | None = None) -> None:
        """Give a user a charge from and to a number of days from now."""
        today = local_date(now())
        with self.app.app_context():
            last = today + timedelta(days=ends) if ends is not None else None
            assign(user, area, hamlet, today + timedelta(days=begins), last)
            db.session.commit()

    def unassigned(self, user: str, area: str, hamlet: str, begins: float) -> None:
        """Undo one `assigned`."""
        day = local_date(now()) + timedelta(days=begins)
        with self.app.app_context():
            row = db.session.get(AssignmentTable, (user, area, hamlet, day))
            db.session.delete(row)
            db.session.commit()

    def second_token(self, user: str, phone_of: str) -> str:
        """A token of a user on another one's phone, or on a device."""
        with self.app.app_context():
            token = issue(user, self.devices.get(phone_of, phone_of), now())
            db.session.commit()
        return token

    def new_device(self) -> str:
        """One more installation."""
        with self.app.app_context():
            device = enrol_device("Máy khác", now() - ENROLLED_DAYS * DAY)
            db.session.commit()
        return device

    def held(self, phone_of: str) -> set[tuple[str, str]]:
        """(user, entity): what a phone holds as far as the server knows."""
        with self.app.app_context(), db.engine.connect() as connection:
            return set(held(connection, self.devices.get(phone_of, phone_of)))

    def device(self, user: str) -> Any:
        """The row of a user's phone."""
        (row,) = self.rows(select(*Device.__table__.c).where(Device.id == self.devices[user]))
        return row

    def relieved(self, user: str) -> None:
        """Take all charges from a user."""
        with self.app.app_context():
            db.session.execute(delete(AssignmentTable).where(AssignmentTable.user == user))
            db.session.commit()

    def stored(self) -> dict[str, bytes]:
        """The raw bytes of every submission that is kept, by id."""
        with self.app.app_context():
            found = db.session.execute(select(Submission.id, Submission.raw)).all()
            return {row.id: unpack(row.raw) for row in found}

    def backup(self) -> str:
        """A copy of the database as it is now."""
        close(self.app)
        file = self.nest.settings.data / "toam.sqlite3"
        if self.postgres is not None:
            return self.postgres.create(self._database)
        copy = file.with_name(f"backup-{len(list(file.parent.iterdir()))}.sqlite3")
        with closing(sqlite3.connect(file)) as before, closing(sqlite3.connect(copy)) as after:
            before.backup(after)
        return copy.name

    def restore(self, backup: str) -> None:
        """Put a copy back: what came since is lost."""
        close(self.app)
        if self.postgres is not None:
            self.postgres.drop(self._database)
            self.postgres.create(backup, self._database)
            return
        file = self.nest.settings.data / "toam.sqlite3"
        for part in ("", "-wal", "-shm"):
            file.with_name(file.name + part).unlink(missing_ok=True)
        with closing(sqlite3.connect(file.with_name(backup))) as before, closing(sqlite3.connect(file)) as after:
            before.backup(after)

    @property
    def _database(self) -> str:
        return str(make_url(self.nest.settings.url).database)

    def revoke(self, user: str) -> None:
        with self.app.app_context():
            device = db.session.get(Device, self.devices[user])
            assert device is not None
            device.revoked_at = now()
            db.session.commit()


def digest(body: bytes) -> str:
    """The Content-Digest of a body."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def build_town(app: Flask, people: Mapping[str, Person], postgres: Postgres | None = None) -> Town:
    """The server with these people, their phones and tokens."""
    begins = local_date(now()) - timedelta(days=ENROLLED_DAYS + 1)
    enrolled = now() - ENROLLED_DAYS * DAY
    tokens, devices = {}, {}
    with app.app_context():
        for ident, (role, hamlets, *elsewhere) in people.items():
            add_user(ident, f"Người dùng {ident}", role)
            if role is not Role.ADMINISTRATOR:
                for hamlet in [hamlets] if hamlets is None or isinstance(hamlets, str) else hamlets:
                    assign(ident, str(elsewhere[0]) if elsewhere else AREA, hamlet, begins)
            if role is Role.COLLABORATOR:
                devices[ident] = enrol_device(f"Máy của {ident}", enrolled)
            tokens[ident] = issue(ident, devices.get(ident), enrolled)
        db.session.commit()
        db.session.remove()
    return Town(app, tokens, devices, postgres)


@dataclass
class Plot:
    """An application that is used again: each test gets it with the database and folder put back as they were."""

    app: Flask
    people: Town
    nest: Nest  # as it was built; tests get a copy
    pristine: Path | str
    postgres: Postgres | None = None

    def clear(self) -> Town:
        """As before any test."""
        close(self.app)
        self.app.extensions["toam"] = replace(self.nest, settings=replace(self.nest.settings))
        folder = self.nest.settings.data
        for path in folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        if self.postgres is None:
            shutil.copy(self.pristine, folder / "toam.sqlite3")
        else:
            self.postgres.drop(self.people._database)
            self.postgres.create(str(self.pristine), self.people._database)
        return replace(self.people)


def plot_of(folder: Path, template: Path, postgres: Postgres | None, request: pytest.FixtureRequest) -> Plot:
    settings = Settings(data=folder / "data", scheduler=False)
    settings.data.mkdir()
    if postgres is None:
        shutil.copy(template, settings.data / "toam.sqlite3")
        town = build_town(create_app(settings), PEOPLE)
        close(town.app)
        with closing(sqlite3.connect(settings.data / "toam.sqlite3")) as made:
            made.execute("vacuum into ?", [str(folder / "pristine.sqlite3")])
        return Plot(town.app, town, town.nest, folder / "pristine.sqlite3")
    name = postgres.create(request.getfixturevalue("postgres_template"))
    town = build_town(create_app(replace(settings, database_url=postgres.url(name))), PEOPLE, postgres)
    close(town.app)
    return Plot(town.app, town, town.nest, postgres.create(name), postgres)
