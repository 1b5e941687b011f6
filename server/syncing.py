"""Devices in step: what a device has had is checked against this server's history, then it is told the rest."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Connection, select

from server.api.body import told as told_limits
from server.auth.access import Access
from server.auth.tokens import Caller
from server.problems import Problem
from server.reading.entities import visit_body
from server.reading.submissions import news
from server.store.devices import Seen, Told, turn_of, write_seen, write_told
from server.store.feed import OWN, SqlFeed
from server.store.rows import read_state
from server.store.tables import ServerFact
from server.world import Nest
from sync.authority import PROTECTION
from sync.feed import Page, Reader, Resync, known, pull
from sync.tokens import BadToken, Position, read_ack, read_token, write_ack, write_token

CLONE = 2  # turns that a page may be read late: by a request that was slow, or by another tab of the phone


@dataclass(frozen=True)
class Identity:
    """What this server is: `epoch` counts its histories, `key` signs its tokens."""

    epoch: int
    key: bytes


def identity(connection: Connection) -> Identity:
    """The identity that is stored."""
    found = {row.name: row.value for row in connection.execute(select(ServerFact.name, ServerFact.value))}
    return Identity(int(found["epoch"]), bytes.fromhex(found["key"]))


class Step:
    """One request of a device. It reads through a connection of its own, as it must see what was just committed."""

    def __init__(self, nest: Nest, who: Caller, connection: Connection, at: int) -> None:
        self.nest, self.who, self.connection, self.at = nest, who, connection, at
        self.identity = identity(connection)
        self._turn = 0  # the last page of which is known that it was read
        self.name = f"{who.sender.device or '-'}|{who.user}"
        self.feed = SqlFeed(connection, lambda visit: visit_body(visit, nest.rules), _state_body)

    def check(self, epoch: int | None, ack: str | None) -> None:
        """Whether the device last spoke with this very history. Raises the problem `resync`."""
        try:
            if epoch is not None and epoch != self.identity.epoch:
                raise Resync("epoch")
            if ack is not None and not known(read_ack(ack, self.name, self.identity.key), self.feed):
                raise Resync("restored")
        except BadToken as error:
            raise self.resync("token_unknown") from error
        except Resync as error:
            raise self.resync(error.reason) from error

    def position(self, token: str | None) -> Position:
        """Where the reader stands. Raises the problem `resync`."""
        device = self.who.sender.device
        turn = self._turn = turn_of(self.connection, device, self.who.user) if device else 0
        if token is None:
            return Position(self.name, turn=turn + 1, since=self.at)
        try:
            position = read_token(token, self.name, self.identity.key)
        except BadToken as error:
            raise self.resync("token_unknown") from error
        if not known(position.marks, self.feed):
            raise self.resync("restored")
        if device and position.turn < turn - CLONE:
            note = partial(self._write, Seen(device, self.at, cloned=True), None)
            self.nest.committer.run(note)
            raise self.resync("device_cloned")
        return position

    def resync(self, reason: str) -> Problem:
        return Problem("resync", reason=reason, epoch=self.identity.epoch)

    def ack(self) -> str:
        """The newest marks of those who use this phone: into their feeds goes whatever it sends."""
        marks = self.feed.newest([f"{OWN}{user}" for user in sorted(self.who.sender.users)])
        return write_ack(self.name, marks, self.identity.key)

    def reader(self, access: Access) -> tuple[Reader, Mapping[str, int]]:
        """Who pulls, and the newest number of each scope that he may read."""
        own = f"{OWN}{access.author.id}"
        areas = sorted(access.author.areas([access.today]))
        heads = self.feed.heads([own, *areas])
        scopes = access.scopes(_of_areas(self.nest, areas) | heads.keys())
        order = sorted(scopes, key=lambda scope: (not scope.endswith(f"/{PROTECTION}"), scope))
        return Reader(self.name, (own, *areas), (own, *order), view_of(self.nest, access)), heads

    def page(self, access: Access, position: Position, most: int, seen: Seen | None) -> dict[str, Any]:
        """The next page as JSON; what it gives and takes is noted before it leaves."""
        reader, heads = self.reader(access)
        page = pull(reader, position, heads, most, self.feed)
        after, told = self._turned(page, position)
        self.note(seen, told)
        return {
            "entities": page.bodies("entity"),
            "visits": page.bodies("visit"),
            "submissions": page.bodies("submission"),
            "lists": page.bodies("list"),
            "gone": [{"kind": kind, "id": ident} for kind, ident in page.gone],
            "drop_scopes": list(page.dropped),
            "config": config_of(self.nest, reader, self.identity.epoch)["config"],
            "token": write_token(after, self.identity.key),
            "more": page.more,
            "remaining": page.remaining,
        }

    def note(self, seen: Seen | None, told: Told | None = None) -> None:
        """Write down that the device was here, and what it was told."""
        if seen is not None or told is not None:
            self.nest.committer.run(partial(self._write, seen, told))

    def _turned(self, page: Page, position: Position) -> tuple[Position, Told | None]:
        ends = position.since and not page.more
        after = replace(page.position, since=0 if ends else position.since)
        if self.who.sender.device is None or (page.empty and not ends and position.turn <= self._turn):
            return after, None
        if not page.empty or ends:
            after = replace(after, turn=position.turn + 1)
        scopes = {one.id: one.scope for one in page.served if one.kind == "entity"}
        gone = [ident for kind, ident in page.gone if kind == "entity"]
        swept = position.since if ends else None
        return after, Told(self.who.user, position.turn + 1, scopes, gone, page.dropped, swept)

    def _write(self, seen: Seen | None, told: Told | None) -> None:
        with self.nest.store.transaction([]) as tx:
            if seen is not None:
                write_seen(tx.connection, seen)
            if told is not None and self.who.sender.device is not None:
                write_told(tx.connection, self.who.sender.device, told, self.at)


def config_of(nest: Nest, reader: Reader, epoch: int) -> dict[str, Any]:
    """What a device must know before it syncs; `config` is the hash of all the rest.

    Forms for officers are told to those who read what they are about.
    """
    officer = any(scope.endswith(f"/{PROTECTION}") for scope in reader.scopes)
    body: dict[str, Any] = {
        "epoch": epoch,
        "limits": told_limits(nest.limits),
        "min_app": nest.settings.min_app,
        "forms": [
            {"id": form.id, "version": form.version, "sha256": form.sha256}
            for form in nest.catalogue.offered()
            if officer or not form.officers
        ],
        "scopes": list(reader.scopes),
        "view": reader.view,
    }
    digest = hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]
    return body | {"config": digest}


def view_of(nest: Nest, access: Access) -> str:
    """A hash of everything on which the form of an entity in a page depends, besides its state."""
    types = sorted((name, kind.version) for name, kind in nest.catalogue.types.items())
    said = orjson.dumps([access.author.role.value, types])
    return "h:" + hashlib.sha256(said).hexdigest()[:12]


def outdated(app: str, least: str) -> bool:
    """Whether a version of the client, as `1.4.2`, is older than the least that may pull. An unknown one is not."""
    try:
        return bool(least) and _numbers(app) < _numbers(least)
    except ValueError:
        return False


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _of_areas(nest: Nest, areas: Collection[str]) -> set[str]:
    """The scopes that these areas have, whether anything is in them yet or not."""
    hamlets = {f"{area}/{code}" for area, code in nest.places.hamlets if area in areas}
    return hamlets | {f"{area}/{part}" for area in areas for part in ("00", PROTECTION)}


def _state_body(row: Any) -> Mapping[str, Any]:
    return news(read_state(row)) | {"outcome": row.outcome}
