"""A small world of phones and people for random histories, and what every phone must hold at its end."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import orjson
from sqlalchemy import select

from server.clock import now
from server.store.tables import AssignmentTable, Device, Entity, Submission, SubmissionState, VisitTable
from sync.times import local_date
from tests.api.builders import AREA, OTHER, PROTECTED, VERSIONS, member, new_id, registration, situation
from tests.api.conftest import Town
from tests.device import Answer, Clock, Drop, Faults, Phone

NAMES = ("Trần Thị Bưởi", "Lê Văn Ổi", "Nguyễn Thị Mận", "Phạm Văn Đào")
PHONES = {"u1": ("u1",), "u2": ("u2", "s1"), "u9": ("u9",), "u5": ("u5",), "s5": ("s5",)}  # device of -> its users
USERS = tuple(user for users in PHONES.values() for user in users)
COLLABORATORS = ("u1", "u2", "u9", "u5")
SUPERVISORS = ("s1", "s5")
HAMLETS = ((AREA, "01"), (AREA, "05"), (OTHER, "02"))
SHOWN = ("full_name", "sex", "dob", "dob_precision", "grade", "school_name", "helmet")


@dataclass(frozen=True)
class Child:
    id: str
    name: str
    years: int


class World:
    """All phones of a town, over its test client; the network of each fails as a plan says."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.phones: dict[str, Phone] = {}
        self.network: dict[str, Faults] = {}
        self.clocks: dict[str, Clock] = {}
        self.children: dict[str, Child] = {}
        self.homes: dict[str, list[str]] = {user: [] for user in USERS}  # that a user registered
        self.receipts: set[str] = set()
        self.wiped: set[str] = set()
        for number, (device, users) in enumerate(PHONES.items()):
            clock = Clock(sleep=lambda _: None)
            network = Faults(self._answer)
            installation = town.devices.get(device) or town.new_device()
            phone = Phone(":memory:", installation, network, clock, random.Random(number), page=3)
            for user in users:
                phone.add_user(user, town.second_token(user, installation))
            for user in users:
                self.phones[user], self.network[user], self.clocks[user] = phone, network, clock

    def _answer(self, method: str, path: str, headers: Mapping[str, str], body: bytes | None) -> Answer:
        found = self.town.app.test_client().open(path, method=method, headers=dict(headers), data=body)
        return Answer(found.status_code, dict(found.headers), found.get_data())

    # What people do

    def register(self, user: str, place: tuple[str, str], years: Sequence[int]) -> None:
        home, area, hamlet = new_id(), *place
        rows = {new_id(): name for name, _ in zip(NAMES, years, strict=False)}
        for (ident, name), age in zip(rows.items(), years, strict=True):
            self.children[ident] = Child(ident, name, age)
        answers = registration(
            home, {}, ward_code=area.partition(".")[2], hamlet_code=hamlet, members=[member("Nguyễn Thị Ba", 35, "1")]
        )
        for ident in rows:
            child = self.children[ident]
            answers["members"] += registration(home, {ident: child.name}, child.years)["members"]
        self.homes[user].append(home)
        self._fill(user, "household_registration", answers, "household", home)

    def visit(self, user: str, which: int, changes: Mapping[str, Any]) -> None:
        """A visit to one of the children that the phone shows, or whose registration waits on it."""
        phone = self.phones[user]
        held = [ident for ident, one in phone.entities(user).items() if one["type"] == "child"]
        waiting = [
            row["__id"] for item in phone.outbox() for row in item["answers"].get("members", ()) if "__id" in row
        ]
        known = sorted({*held, *waiting} & self.children.keys())
        if not known:
            return
        child = self.children[known[which % len(known)]]
        answers = situation(child.id, child.name, child.years)
        shown = {name: value for name, value in phone.screen(user, child.id).items() if name in SHOWN}
        answers |= shown | (PROTECTED if child.years >= 12 and changes.get("secret") else {})
        answers |= {name: value for name, value in changes.items() if name != "secret"}
        self._fill(user, "child_situation", answers, "child", child.id, prefilled=SHOWN)

    def move(self, user: str, which: int, place: tuple[str, str]) -> None:
        """A household that the phone shows is said to live elsewhere."""
        phone = self.phones[user]
        homes = sorted(ident for ident, one in phone.entities(user).items() if one["type"] == "household")
        if not homes:
            return
        home = homes[which % len(homes)]
        shown = phone.screen(user, home)
        area, hamlet = place
        answers = registration(home, {}, head_name=shown["head_name"], members=[])
        answers |= {"ward_code": area.partition(".")[2], "hamlet_code": hamlet}
        self._fill(user, "household_registration", answers, "household", home)

    def delete(self, user: str, which: int) -> None:
        """A supervisor takes a child out at the desk."""
        held = sorted(i for i, one in self.phones[user].entities(user).items() if one["type"] == "child")
        if held and user not in self.wiped:
            body = {"base": self.phones[user].entities(user)[held[which % len(held)]]["etag"], "reason": "Nhập trùng"}
            self.town.ask(f"entities/child/{held[which % len(held)]}/delete", user, **body)

    def sync(self, user: str, plan: Sequence[Drop | None] = ()) -> Any:
        if user in self.wiped:
            return None
        self.network[user].__init__(self._answer, plan)  # type: ignore[misc]
        report = self.phones[user].sync(user)
        self.receipts |= report.outcomes.keys()
        if report.wiped:
            self.wiped |= {one for one in USERS if self.phones[one] is self.phones[user]}
        return report

    def restore(self, backup: str, told: bool) -> None:
        self.town.restore(backup)
        if told:
            assert self.town.app.test_cli_runner().invoke(args=["restored"]).exit_code == 0
        self.receipts &= self.stored()

    def _fill(self, user: str, form: str, answers: Any, kind: str, ident: str, prefilled: Any = None) -> None:
        if user not in self.wiped:
            about = [{"type": kind, "id": ident}]
            self.phones[user].fill(user, form, VERSIONS[form], answers, about, prefilled=prefilled)

    # What must be true in the end

    def settle(self) -> None:
        """Everybody syncs until nothing is left to say."""
        for _ in range(3):  # a resync offers again what others then pull
            for user in USERS:
                report = self.sync(user)
                assert report is None or report.wiped or not report.stopped, (user, report)

    def check(self) -> None:
        stored = self.stored()
        assert self.receipts <= stored  # whatever has a receipt is there
        for user in USERS:
            phone = self.phones[user]
            if user in self.wiped:
                assert (phone.entities(user), phone.visits(user), phone.outbox()) == ({}, {}, []), user
                continue
            assert phone.outbox() == []
            assert {one["item"]["id"] for one in phone.archive()} <= stored
            scopes = self.scopes(user)
            assert self.held(user) == self.expected(scopes), user
            assert {i: v["scope"] for i, v in phone.visits(user).items()} == self.due(scopes), user
            assert {i: s["state"] for i, s in phone.states(user).items()} == self.states(user), user
        for device in {self.phones[user].installation for user in USERS if user not in self.wiped}:
            users = [user for user in USERS if self.phones[user].installation == device]
            held = {(user, ident) for user in users for ident in self.phones[user].entities(user)}
            assert self.town.held(device) == held, device

    def stored(self) -> set[str]:
        return {row.id for row in self.town.rows(select(Submission.id))}

    def scopes(self, user: str) -> set[str]:
        """What a user may read today, as his assignments say it."""
        today = local_date(now())
        rows = self.town.rows(select(AssignmentTable.area, AssignmentTable.hamlet, AssignmentTable.begins,
                                     AssignmentTable.ends).where(AssignmentTable.user == user))  # fmt: skip
        scopes = set()
        for area, hamlet, begins, ends in rows:
            if begins <= today <= (ends or today):
                hamlets = [hamlet] if hamlet else [h for a, h in HAMLETS if a == area] + ["!"]
                scopes |= {f"{area}/{one}" for one in (*hamlets, "00")}
        return scopes

    def held(self, user: str) -> dict[str, tuple[str, str, Any]]:
        found = self.phones[user].entities(user).items()
        return {ident: (one["etag"], one["scope"], one["data"]) for ident, one in found}

    def expected(self, scopes: set[str]) -> dict[str, tuple[str, str, Any]]:
        """The entities that live in these scopes, as the database has them."""
        query = select(Entity.id, Entity.rev, Entity.etag, Entity.scope, Entity.data)
        rows = self.town.rows(query.where(Entity.scope.in_(scopes), Entity.dead.is_(False)))
        return {row.id: (f"{row.rev}-{row.etag}", row.scope, _flat(orjson.loads(row.data))) for row in rows}

    def due(self, scopes: set[str]) -> dict[str, str]:
        query = select(VisitTable.id, VisitTable.scope)
        return {
            row.id: row.scope
            for row in self.town.rows(query.where(VisitTable.scope.in_(scopes), VisitTable.state == "open"))
        }

    def states(self, user: str) -> dict[str, str]:
        query = select(SubmissionState.sub, SubmissionState.state).where(SubmissionState.author == user)
        return {row.sub: row.state for row in self.town.rows(query)}

    def revoked(self, user: str) -> bool:
        query = select(Device.revoked_at).where(Device.id == self.phones[user].installation)
        return self.town.rows(query)[0].revoked_at is not None

    def jump(self, user: str, days: int) -> None:
        self.clocks[user].jump(timedelta(days=days))
        self.clocks[user].restart()


def _flat(data: dict[str, Any]) -> dict[str, Any]:
    sets = {n: v for n, v in data.items() if isinstance(v, list) and all(isinstance(one, str) for one in v)}
    return data | {name: " ".join(value) for name, value in sets.items()}
