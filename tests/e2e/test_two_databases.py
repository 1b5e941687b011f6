"""One long story, told to the real server over HTTP on each database: two phones, a third, and a supervisor's."""

import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import select

from server.store.tables import Device
from tests.api.builders import AREA, VERSIONS, new_id, registration, situation
from tests.api.conftest import Town
from tests.databases import DATABASES, close
from tests.device import Clock, HttpTransport, Phone, Report
from tests.e2e.server import Server

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

NAME, HERS, HIS = "Trần Gia Huy", "Trần Gia Huy Hoàng", "Trần Gia Hy"
Value = dict[str, Any]


class Desk:
    """An officer at his desk."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.headers = f"{url}/api/v1", {"Authorization": f"Bearer {token}"}

    def get(self, path: str) -> Value:
        answer = requests.get(f"{self.url}/{path}", headers=self.headers, timeout=60)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, path: str, **body: Any) -> Value:
        answer = requests.post(f"{self.url}/{path}", json=body, headers=self.headers, timeout=60)
        assert answer.status_code in (200, 201), answer.text
        return answer.json()


class Hand:
    """One user with his phone."""

    def __init__(self, url: str, folder: Path, user: str) -> None:
        self.user, self.installation = user, str(uuid.uuid4())
        clock = Clock(sleep=lambda seconds: time.sleep(min(seconds, 0.1)))
        self.phone = Phone(folder / user, self.installation, HttpTransport(url), clock, tries=100)

    def sync(self) -> Report:
        """A sync that does all it should, with a server whose history is the phone's."""
        report = self.phone.sync(self.user)
        assert (report.stopped, report.resyncs, self.phone.outbox()) == ("", [], [])
        return report

    def home(self, ident: str, children: dict[str, str], **answers: Any) -> str:
        about = [{"type": "household", "id": ident}]
        filled = registration(ident, children, **answers)
        form = "household_registration"
        return self.phone.fill(self.user, form, VERSIONS[form], filled, about)

    def visit(self, child: str, **answers: Any) -> str:
        """A visit that leaves all else as the phone shows it."""
        about = [{"type": "child", "id": child}]
        filled = situation(child, NAME)
        filled |= {name: shown for name, shown in self.data(child).items() if name in filled} | answers
        return self.phone.fill(self.user, "child_situation", VERSIONS["child_situation"], filled, about)

    def data(self, entity: str) -> Value:
        return self.phone.screen(self.user, entity)

    def holds(self) -> set[str]:
        return set(self.phone.entities(self.user))

    def state(self, sub: str) -> str:
        return str(self.phone.states(self.user)[sub]["state"])


@pytest.fixture
def hands(real: Server, town: Town, tmp_path: Path) -> Iterator[dict[str, Hand]]:
    """Phones that have just been enrolled, with codes that officers gave out."""
    real.start()
    found = {user: Hand(real.url, tmp_path, user) for user in ("u1", "u2", "u9", "s1")}
    for user, hand in found.items():
        inviter = Desk(real.url, town.tokens["a1" if user == "s1" else "s1"])
        code = inviter.act("enrolments", user=user)["code"]
        assert hand.phone.enrol(code, f"Máy của {user}")["id"] == user
    yield found
    for hand in found.values():
        hand.phone.close()


def test_the_story(real: Server, town: Town, hands: dict[str, Hand]) -> None:
    desk = Desk(real.url, town.tokens["s1"])
    home, child = new_id(), new_id()
    registered(hands, home, child)
    merged(hands, child)
    real.restart()
    quarrelled(hands, desk, child)
    moved(hands, home, child)
    revoked(hands, desk, town, home, child)
    everything_is_kept(town, hands)
    assert '"level": "error"' not in real.said()


def registered(hands: dict[str, Hand], home: str, child: str) -> None:
    """Written down without a network, and on everybody's phone after two syncs."""
    made = hands["u1"].home(home, {child: NAME})
    visited = hands["u1"].visit(child)
    assert hands["u1"].sync().outcomes == {made: "applied", visited: "applied"}
    for user in ("u2", "u9", "s1"):
        hands[user].sync()
    told = {user: hand.holds() for user, hand in hands.items()}
    assert told == {"u1": {home, child}, "u2": {home, child}, "u9": set(), "s1": {home, child}}
    assert hands["u2"].phone.entities("u2") == hands["u1"].phone.entities("u1")
    assert hands["u2"].phone.visits("u2") == hands["u1"].phone.visits("u1") != {}


def merged(hands: dict[str, Hand], child: str) -> None:
    """What two wrote without knowing of each other stands together; where it cannot, a rule decides."""
    one = hands["u1"].visit(child, grade=5, risk_now="2")
    two = hands["u2"].visit(child, helmet="0", risk_now="1")
    assert hands["u1"].sync().outcomes == {one: "applied"}
    (receipt,) = hands["u2"].sync().receipts
    told = {entity["id"]: entity["overruled"] for entity in receipt["entities"]}
    assert (receipt["id"], receipt["outcome"], told[child]) == (two, "merged", ["risk_now"])
    for user in ("u1", "s1"):
        hands[user].sync()
    for user in ("u1", "u2", "s1"):
        data = hands[user].data(child)
        assert (data["grade"], data["helmet"], data["risk_now"]) == (5, "0", "2")


def quarrelled(hands: dict[str, Hand], desk: Desk, child: str) -> None:
    """Of two names only a person may choose one; both phones hear of the doubt, then of the choice."""
    one, two = hands["u1"].visit(child, full_name=HERS), hands["u2"].visit(child, full_name=HIS)
    assert hands["u1"].sync().outcomes == {one: "applied"}
    assert hands["u2"].sync().outcomes == {two: "conflict"}
    hands["u1"].sync()
    for user in ("u1", "u2"):
        (doubt,) = hands[user].phone.entities(user)[child]["conflicts"]
        assert doubt["cell"] == "full_name"
    (line,) = desk.get("conflicts")["conflicts"]
    page = desk.get(f"conflicts/{line['id']}")
    seen = [member["submission"] for member in page["members"]]
    assert sorted(seen) == sorted([one, two])
    desk.act(f"conflicts/{line['id']}/resolve", seen=seen, choice=one, reason="Theo giấy khai sinh")
    assert desk.get("conflicts")["conflicts"] == []
    for user in ("u1", "u2", "s1"):
        hands[user].sync()
        held = hands[user].phone.entities(user)[child]
        assert (held["data"]["full_name"], held["conflicts"]) == (HERS, [])


def moved(hands: dict[str, Hand], home: str, child: str) -> None:
    """A supervisor's phone tells that the family lives in another hamlet now: its people have it, the others not."""
    before = hands["u1"].phone.visits("u1").keys()
    sub = hands["s1"].home(home, {}, members=[], hamlet_code="05")
    assert hands["s1"].sync().outcomes == {sub: "applied"}
    for user in ("u1", "u2", "u9"):
        hands[user].sync()
    assert {user: hand.holds() for user, hand in hands.items()} == {
        "u1": set(),
        "u2": set(),
        "u9": {home, child},
        "s1": {home, child},
    }
    assert hands["u1"].phone.visits("u1") == hands["u2"].phone.visits("u2") == {}
    come = hands["u9"].phone
    assert {one["scope"] for one in [*come.entities("u9").values(), *come.visits("u9").values()]} == {f"{AREA}/05"}
    assert len(come.visits("u9")) == len(before)
    assert hands["u9"].data(child) == hands["s1"].data(child)


def revoked(hands: dict[str, Hand], desk: Desk, town: Town, home: str, child: str) -> None:
    """A lost phone is emptied, and what it had not sent yet is not lost: a supervisor takes it in."""
    hand = hands["u9"]
    holding = desk.get(f"devices/{hand.installation}/holding")["entities"]
    assert {one["id"] for one in holding} == {home, child}
    sub = hand.visit(child, school_name="Trường Ngã Ba")
    desk.act(f"devices/{hand.installation}/revoke", reason="Mất máy")
    report = hand.phone.sync("u9")
    assert (report.outcomes, report.wiped) == ({sub: "quarantined"}, True)
    assert report.receipts[0]["reason"] == "device_revoked"
    assert (hand.holds(), hand.phone.outbox(), hand.phone.archive()) == (set(), [], [])
    (row,) = town.rows(select(Device.revoked_at, Device.wiped_at).where(Device.id == hand.installation))
    close(town.app)
    assert row.revoked_at <= row.wiped_at
    assert hands["s1"].data(child)["school_name"] != "Trường Ngã Ba"
    desk.act(f"submissions/{sub}/accept", reason="Đã hỏi lại người ghi")
    hands["s1"].sync()
    assert hands["s1"].data(child)["school_name"] == "Trường Ngã Ba"


def everything_is_kept(town: Town, hands: dict[str, Hand]) -> None:
    """The bytes of all that the phones still keep; everything derived follows from the log; so does who did what."""
    kept = town.stored()
    for hand in hands.values():
        for row in hand.phone.store.archive():
            assert kept[row["id"]] == row["body"].encode()
    runner = town.app.test_cli_runner()
    for command in (["rebuild", "--check"], ["audit", "check"]):
        with town.app.app_context():
            result = runner.invoke(args=command)
        assert result.exit_code == 0, result.output
    close(town.app)
