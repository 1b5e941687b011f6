"""What the phones of `flask simulate` live through, and the promises that the server must keep on the way."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from tests.device import Clock, Drop, Faults, HttpTransport, NoAnswer, Phone
from tests.device_net import LOCAL
from tests.story_answers import PREFILLED, household, situation, today

Value = dict[str, Any]
Say = Callable[[str], None]

WARD = "31135"
NEAR = timedelta(minutes=5)  # a time that is off by less is right
SCHOOL = "Tiểu học Cầu Sắt"
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
class Person:
    """Somebody with a vault on a phone, and the phone's network and clock."""

    user: str
    phone: Phone
    network: Faults
    clock: Clock
    say: Say
    receipts: dict[str, Value] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return f"{self.user} ({self.phone.installation})"

    def fill(self, form: str, answers: Value, entities: Sequence[Value], prefilled: Any = PREFILLED) -> str:
        """A form filled in without a network: it waits in the outbox."""
        versions = {one["id"]: one["version"] for one in self.phone.config(self.user)["forms"]}
        return self.phone.fill(self.user, form, versions[form], answers, entities, prefilled=prefilled)

    def visit(self, child: str, **changes: Any) -> str:
        """A visit that changes these answers; what the phone shows is sent back as it was."""
        answers = situation(child, self.shown(child)) | changes
        return self.fill("child_situation", answers, [{"type": "child", "id": child}])

    def sync(self) -> dict[str, Value]:
        """Everything out and in. Returns the new receipts by submission."""
        report = self.phone.sync(self.user)
        if report.stopped == "no_answer":
            raise NoAnswer
        promised(not report.stopped, f"{self.name} đồng bộ được, không bị trả về: {report.stopped}")
        promised(not report.resyncs, f"{self.name} và máy chủ cùng một lịch sử: {report.resyncs}")
        for receipt in report.receipts:
            reason = f" ({receipt['reason']})" if "reason" in receipt else ""
            again = ", biên nhận cũ" if receipt["repeat"] else ""
            self.say(f"  {self.name}: {receipt['id']}: {OUTCOMES[receipt['outcome']]}{reason}{again}")
        promised(not self.phone.outbox(), f"{self.name}: mỗi phiếu một biên nhận")
        return {receipt["id"]: receipt for receipt in report.receipts}

    def shown(self, child: str) -> Value:
        return self.phone.screen(self.user, child)

    def page(self, child: str) -> Value:
        """The child as the server shows it to this user."""
        return self.phone.get(f"entities/child/{child}", self.user)


@dataclass
class Story:
    """An and Ba are collaborators of other hamlets; the officer has borrowed Ba's phone."""

    an: Person
    ba: Person
    officer: Person
    say: Say
    families: dict[str, list[str]] = field(default_factory=dict)  # user -> children


def play(url: str, tokens: Mapping[str, str], say: Say) -> None:
    """The whole story, with new families each time. Raises `Broken`; `NoAnswer` if there is no server."""
    with TemporaryDirectory() as folder, ExitStack() as closing:
        (an,) = _phone(url, Path(folder) / "an", "máy 1", tokens, ("u11",), say)
        closing.callback(an.phone.close)
        ba, officer = _phone(url, Path(folder) / "ba", "máy 2", tokens, ("u12", "u21"), say, skew=timedelta(hours=9))
        closing.callback(ba.phone.close)
        story = Story(an, ba, officer, say)
        for number, part in enumerate(PARTS, 1):
            say(f"{number}. {part.__doc__}")
            part(story)


def _phone(
    url: str, path: Path, name: str, tokens: Mapping[str, str], users: Sequence[str], say: Say, **clock: Any
) -> list[Person]:
    """A phone that was never used, and the people on it."""
    network, time = Faults(HttpTransport(url)), Clock(sleep=lambda _: None, **clock)  # the story does not wait
    phone = Phone(path, name, network, time, batch=2)
    for user in users:
        phone.add_user(user, tokens[user])
    return [Person(user, phone, network, time, say) for user in users]


def first_sync(story: Story) -> None:
    """Máy mới: tải về những gì mỗi người được giao"""
    for person in (story.an, story.ba, story.officer):
        person.sync()
        held, config = person.phone.entities(person.user), person.phone.config(person.user)
        scopes = set(config["scopes"])
        promised({one["scope"] for one in held.values()} <= scopes, "máy chỉ giữ hồ sơ trong phạm vi được giao")
        story.say(f"  {person.name}: {len(held)} hồ sơ; mỗi lô tối đa {config['limits']['max_items']} phiếu")


def register(story: Story) -> None:
    """Đăng ký hộ mới khi không có mạng, rồi thăm trẻ ngay trước khi gửi"""
    for person, hamlet in ((story.an, "01"), (story.ba, "04")):
        home, children = _id(), [_id(), _id()]
        answers = household(home, hamlet, WARD, children)
        made = person.fill("household_registration", answers, [{"type": "household", "id": home}])
        visited = person.visit(children[0], helmet="1")
        receipts = person.sync()
        promised(receipts[made]["outcome"] == "applied", "hộ mới được áp dụng")
        named = {entity["id"]: entity["type"] for entity in receipts[made]["entities"]}
        promised({home, *children} < named.keys(), "biên nhận nêu hộ và từng trẻ")
        promised(sorted(named.values()) == ["child", "child", "household", "person"], "biên nhận nêu cả người lớn")
        promised(receipts[visited]["outcome"] == "applied", "lần thăm ngay sau khi đăng ký được áp dụng")
        held = person.phone.entities(person.user)
        promised({home, *children} <= held.keys(), "hộ và trẻ mới về lại máy")
        promised(all(held[one]["scope"].endswith(f"{WARD}/{hamlet}") for one in children), "trẻ ở ấp của hộ")
        story.families[person.user] = children


def visit_offline(story: Story) -> None:
    """Thăm trẻ khi không có mạng, lần sau dựa trên lần trước; gửi từng lô hai phiếu"""
    for person in (story.an, story.ba):
        one, two = story.families[person.user]
        person.visit(one, school_name=SCHOOL)
        person.visit(two, helmet="0")
        seen = {name: value for name, value in person.shown(one).items() if name in PREFILLED}
        seen["school_name"] = SCHOOL  # the phone shows its own unsent word
        answers = situation(one, seen) | {"risk_now": "2"}
        person.fill("child_situation", answers, [{"type": "child", "id": one}], seen)
        outcomes = {receipt["outcome"] for receipt in person.sync().values()}
        promised(outcomes == {"applied"}, "các phiếu thăm được áp dụng")
        data = person.shown(one)
        promised((data["school_name"], data["risk_now"]) == (SCHOOL, "2"), "cả hai lần thăm đều còn")
        promised(person.shown(two)["helmet"] == "0", "lần thăm trẻ thứ hai còn")


def two_vaults(story: Story) -> None:
    """Hai người một máy: ai giữ hồ sơ của người nấy, phiếu của ai đi dưới tên người nấy"""
    ba, officer = story.ba, story.officer
    child = story.families["u12"][1]
    visited = ba.visit(child, water_safety_skill="1")
    receipts = officer.sync()  # the phone has one outbox: whoever syncs sends it all
    promised(receipts[visited]["outcome"] == "applied", "phiếu của người cùng máy được gửi và áp dụng")
    page = officer.page(child)
    promised(page["provenance"]["water_safety_skill"]["author"] == "u12", "phiếu vẫn mang tên người ghi")
    theirs, all_of_it = ba.phone.entities("u12").keys(), officer.phone.entities("u21").keys()
    promised(set(story.families["u11"]) <= all_of_it, "cán bộ thấy trẻ của cả xã")
    promised(not set(story.families["u11"]) & theirs, "cộng tác viên cùng máy không thấy trẻ của ấp khác")
    ba.sync()
    promised(ba.shown(child)["water_safety_skill"] == "1", "người ghi nhận lại phiếu của mình")
    story.say(f"  {ba.name}: {len(theirs)} hồ sơ; {officer.name}: {len(all_of_it)} hồ sơ")


def pull_others(story: Story) -> None:
    """Nhận những gì người khác ghi"""
    child = story.families["u11"][1]
    story.officer.sync()
    story.officer.visit(child, grade=5)
    story.officer.sync()
    before = story.an.phone.entities("u11")[child]
    story.an.sync()
    after = story.an.phone.entities("u11")[child]
    promised((before["data"]["grade"], after["data"]["grade"]) == (4, 5), "điều cán bộ ghi về đến máy cộng tác viên")
    story.say(f"  {story.an.name}: trẻ {child}: bản {before['revision']} -> {after['revision']}")


def quarrel(story: Story) -> None:
    """Hai người sửa tên cùng một trẻ khi không có mạng"""
    child = story.families["u11"][0]
    names = {"Nguyễn Thị Bé Hai": story.an, "Nguyễn Thị Bé Hài": story.officer}
    for person in names.values():
        person.sync()
    said = {person.visit(child, full_name=name): name for name, person in names.items()}
    outcomes = [receipt["outcome"] for person in names.values() for receipt in person.sync().values()]
    promised(outcomes == ["applied", "conflict"], "phiếu sau báo có chỗ khác nhau")
    story.an.sync()
    told = story.an.phone.entities("u11")[child]["conflicts"]
    promised([one["cell"] for one in told] == ["full_name"], "đúng một chỗ khác nhau, ở tên; máy nào cũng biết")
    (conflict,) = story.an.page(child)["conflicts"]
    kept = {value["submission"]: value["value"]["full_name"] for value in conflict["values"]}
    promised(kept == said, "không lời nào của hai người bị mất")
    story.say(f"  trẻ {child}: chỗ khác nhau {conflict['id']}, giữ {len(kept)} cách ghi tên")


def bad_network(story: Story) -> None:
    """Mạng đứt trước khi đến máy chủ, giữa chừng, và trước khi có câu trả lời: gửi lại"""
    person, child = story.ba, story.families["u12"][0]
    before = person.phone.entities("u12")[child]["revision"]
    visited = person.visit(child, hi_card="1", hi_number="0123456789")
    person.network.expect([Drop.BEFORE, Drop.CUT, Drop.AFTER])
    receipts = person.sync()
    promised(receipts[visited]["repeat"], "gửi lại thì nhận đúng biên nhận cũ")
    after = person.phone.entities("u12")[child]
    promised((after["revision"], after["data"]["hi_card"]) == (before + 1, "1"), "gửi lại không ghi hai lần")


def clocks(story: Story) -> None:
    """Đồng hồ sai: một máy nhanh chín giờ và khởi động lại, một máy bị chỉnh lùi hai ngày sau khi thăm"""
    for person, back in ((story.ba, 0), (story.an, 2)):
        child, really = story.families[person.user][1], datetime.now(LOCAL)
        visited = person.visit(child, risk_now="1")
        if back:
            person.clock.jump(timedelta(days=-back))
        else:
            person.clock.restart()
        receipt = person.sync()[visited]
        promised(receipt["outcome"] == "applied" and not receipt["warnings"], "máy chủ không nghi ngờ giờ ghi")
        observed = datetime.fromisoformat(person.page(child)["provenance"]["risk_now"]["observed_at"])
        promised(abs(observed - really) < NEAR, "giờ ghi được sửa đúng dù đồng hồ máy sai")
        off = person.clock.wall() - datetime.now(LOCAL)
        story.say(f"  {person.name}: đồng hồ lệch {round(off.total_seconds() / 3600)} giờ, giờ ghi vẫn đúng")


def unplaceable(story: Story) -> None:
    """Phiếu ghi một xã/phường không có"""
    person = story.an
    held, fine = [
        person.fill("household_registration", household(home, "01", ward, []), [{"type": "household", "id": home}])
        for home, ward in ((_id(), "99999"), (_id(), WARD))
    ]
    receipts = person.sync()
    told = receipts[held]
    promised((told["outcome"], told.get("reason")) == ("quarantined", "ward_unknown"), "phiếu lạc được giữ lại")
    promised(receipts[fine]["outcome"] == "applied", "phiếu bên cạnh vẫn được áp dụng")
    promised(person.phone.states("u11")[held]["state"] == "quarantined", "máy biết phiếu nào đang bị giữ")


def whom_to_visit(story: Story) -> None:
    """Thăm ai tiếp theo: một trẻ bỏ học thì có lịch thăm, ở mọi máy được giao ấp đó"""
    child = story.families["u11"][1]
    story.an.visit(child, school_status="3", dropout_date=today())
    for person in (story.an, story.ba, story.officer):
        person.sync()
        visits = person.phone.visits(person.user).values()
        due = person.phone.due(person.user, datetime.now(LOCAL).date())
        first = min(visits, key=lambda visit: (visit["due"], visit["id"]))
        story.say(f"  {person.name}: {len(due)} lần thăm cần làm, {len(visits) - len(due)} lần chưa đến ngày")
        story.say(f"  {person.name}: trước hết {first['subject']}: {first['name']['vi']}, hạn {first['due']}")
        promised(person is story.ba or child in {one["subject"] for one in visits}, "trẻ bỏ học thì có lịch thăm")
        promised(
            person is not story.ba or child not in {one["subject"] for one in visits}, "chỉ người được giao biết"
        )


PARTS = (
    first_sync, register, visit_offline, two_vaults, pull_others, quarrel, bad_network, clocks, unplaceable,
    whom_to_visit,
)  # fmt: skip


def _id() -> str:
    return str(uuid.uuid4())
