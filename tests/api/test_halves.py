"""The protected half of a child: officers read it; nothing of it, not even that it exists, goes back to a phone."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
import time_machine
from sqlalchemy import or_, select

from forms.entity_types import protected_id, protected_names
from server.cli.lists import issue_lists
from server.clock import now
from server.store.tables import Entity, FeedEntry, NoticeTable, SubmissionState, VisitTable
from sync.times import local_date
from tests.api.builders import AREA, PROTECTED, claim, new_id, register, visit
from tests.api.conftest import Town
from tests.api.test_desk_reviews import amended

pytestmark = pytest.mark.usefixtures("rebuilt")

NAME = "Trần Gia Huy"
WHY = "Đã hỏi lại"
MARKER = "BIMAT77"  # a code that no list has
READERS = ("u1", "u2", "u9")


class History:
    """One history of a child, told twice: with protected answers and without. Ids and times are the same."""

    def __init__(self) -> None:
        self.home, self.child, self.orphan, self.other = (new_id() for _ in range(4))
        self.subs = [f"uuid:{new_id()}" for _ in range(12)]
        self.acts = [f"uuid:{new_id()}" for _ in range(9)]
        self.halves = [protected_id(child) for child in (self.child, self.orphan)]
        self.begins = datetime(2026, 11, 24, 1, 0, tzinfo=UTC)

    def tell(self, town: Town, secret: bool) -> list[Any]:
        """Everything that happens; returns what the phones were answered. Each step is a minute after the last."""
        self.town, self.secret, self.told = town, secret, list[Any]()
        self.items: dict[str, tuple[str, dict[str, Any]]] = {}
        with time_machine.travel(self.begins, tick=False) as self.clock:
            self._happens()
        return self.told

    def _happens(self) -> None:
        seen = {"full_name": NAME}
        created = self._push(0, "u1", register(self.home, {self.child: NAME}, years=13))
        base = next(e["etag"] for e in created["entities"] if e["id"] == self.child)
        self._push(1, "u1", self._visit(base, seen, **PROTECTED))
        base = self.town.child(self.child)["etag"]
        for number, user, name in ((2, "u1", "Trần Gia Huy Em"), (3, "u2", "Trần Huy")):
            self._push(
                number,
                user,
                self._visit(base, seen, name=name, abuse_signs=["3"], immediate_danger="0", risk_now="3"),
            )
        later = self.town.child(self.child)
        lower = self._visit(later["etag"], later["data"], name=later["data"]["full_name"], risk_now="1", **PROTECTED)
        self._push(4, "u2", lower)
        bad = {"abuse_signs": ["5", MARKER], "immediate_danger": MARKER} if self.secret else {}
        self._push(5, "u1", self._visit(base, seen, grade="bốn"), bad)
        first = self.items[self.subs[1]][1]
        mended = amended(
            first, helmet="0", **({"abuse_signs": ["1"], "sc_protected": ["SC12"]} if self.secret else {})
        )
        self._push(6, "u1", mended)
        self._act(0, f"submissions/{self.subs[4]}/reject", reason=WHY)
        update = visit(self.orphan, NAME, "0-", seen, [self.subs[8]], years=13, **self._told(PROTECTED))
        self._push(7, "u1", update)
        self._push(8, "u1", register(self.other, {self.orphan: NAME}, years=13))
        self._push(9, "u9", self._visit(base, seen, **PROTECTED, child_wish="Được đi học"))
        self._act(1, f"submissions/{self.subs[9]}/accept", reason=WHY)
        self._act(2, f"submissions/{self.subs[5]}/accept", reason=WHY)
        self._act(3, f"submissions/{self.subs[3]}/return", comment="Xem lại tên", question="/answers/full_name")
        if self.secret:
            half = self._page("child_protected", self.halves[0], "s1")
            body = {"base": half["etag"], "values": {"law_conflict": "1", "immediate_danger": "0"}, "reason": WHY}
            self._act(4, f"entities/child_protected/{self.halves[0]}/correct", **body)
        with self.town.app.app_context():
            self.lists = issue_lists(local_date(now()) + timedelta(days=7), AREA)
        for user, item in self.items.values():
            self.told.append(self.town.push([item], user))

    def _told(self, answers: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in answers.items() if self.secret or name not in PROTECTED}

    def _visit(self, base: str, seen: dict[str, Any], name: str = NAME, **answers: Any) -> dict[str, Any]:
        return visit(self.child, name, base, seen, years=13, **self._told(answers))

    def _push(
        self, number: int, user: str, item: dict[str, Any], more: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        self.clock.shift(60)
        item = item | {"id": self.subs[number]}
        item["answers"] |= more or {}
        self.items[item["id"]] = user, item
        (receipt,) = self.town.push([item], user)
        self.told.append(receipt)
        return receipt

    def _act(self, number: int, path: str, **body: Any) -> None:
        self.clock.shift(60)
        self.town.act(path, "s1", id=self.acts[number], **body)

    def _page(self, kind: str, ident: str, user: str) -> dict[str, Any]:
        answer = self.town.get(f"/api/v1/entities/{kind}/{ident}", user)
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def read(self) -> dict[str, Any]:
        """All that collaborators can read of it, by whom and where; and the rows from which they are served."""
        with time_machine.travel(self.begins + timedelta(hours=2), tick=False):
            read = lambda path, user: self.town.get(path, user).get_data().decode()  # noqa: E731
            found: dict[str, Any] = {f"{u} {path}": read(path, u) for u in READERS for path in self._paths()}
            for user in READERS:
                asked = [*self.subs, *self.acts]
                found[f"{user} status"] = self.town.act("sync/status", user, ids=asked)
                page = self.town.pull(user)
                found[f"{user} page"] = {name: told for name, told in page.items() if name != "token"}
            return found | {name: [str(row) for row in rows] for name, rows in self._rows().items()}

    def _paths(self) -> list[str]:
        entities = [("household", self.home), ("child", self.child), ("child", self.orphan)]
        entities += [("child_protected", half) for half in self.halves] + [("child", half) for half in self.halves]
        paths = [f"/api/v1/entities/{kind}/{ident}{more}" for kind, ident in entities for more in ("", "/history")]
        conflicts = [one["id"] for one in self.town.child(self.child, "s1")["conflicts"]]
        paths += [f"/api/v1/conflicts/{ident}" for ident in conflicts]
        paths += [f"/api/v1/submissions/{sub}" for sub in (*self.subs, *self.acts)]
        paths += [f"/api/v1/lists/{number}" for number in self.lists]
        return [*paths, "/api/v1/conflicts", "/api/v1/submissions", "/api/v1/sync/config"]

    def _rows(self) -> dict[str, list[Any]]:
        open_ones = [self.home, self.other, self.child, self.orphan]
        scopes = [f"{AREA}/{hamlet}" for hamlet in ("00", "01", "05")] + [f"user:{user}" for user in READERS]
        here = FeedEntry.scope.in_(scopes)
        feed = select(FeedEntry.scope, FeedEntry.kind, FeedEntry.id, FeedEntry.here).where(here)
        states = select(SubmissionState.sub, SubmissionState.state, SubmissionState.reason, SubmissionState.notices,
                        SubmissionState.comment, SubmissionState.question, SubmissionState.elsewhere)  # fmt: skip
        visits = select(VisitTable).where(or_(VisitTable.scope.in_(scopes), VisitTable.subject.in_(open_ones)))
        entities = select(Entity.id, Entity.rev, Entity.etag, Entity.data, Entity.src, Entity.broken)
        tell = self.town.rows
        return {
            "feed": tell(feed.order_by(FeedEntry.scope, FeedEntry.kind, FeedEntry.id)),
            "states": tell(states.where(SubmissionState.author.in_(READERS)).order_by(SubmissionState.sub)),
            "notices": tell(select(NoticeTable.entity, NoticeTable.cell, NoticeTable.sub, NoticeTable.kind).where(
                NoticeTable.entity.in_(open_ones)).order_by(NoticeTable.sub, NoticeTable.cell)),
            "visits": sorted(f"{v.id} {v.rule} {v.scope} {v.state} {v.start}" for (v,) in tell(visits)),
            "entities": tell(entities.where(Entity.id.in_(open_ones)).order_by(Entity.id)),
        }  # fmt: skip


def _words(history: History, town: Town) -> set[str]:
    """What would give a half away."""
    names = {*protected_names(town.nest.catalogue.types), "child_protected", "law_conflict"}
    return names | {"SC11", "SC12", "AR10", MARKER, *history.halves, "F-EMERG", "F-INTAKE", f"{AREA}/!"}


def test_nothing_of_a_half_goes_back_to_a_phone_whatever_becomes_of_its_words(new_town: Callable[..., Town]) -> None:
    history = History()
    told, read = [], []
    for secret in (True, False):
        town = new_town()
        told.append(history.tell(town, secret))
        read.append(history.read())
        if secret:
            everything = orjson.dumps([told[0], list(read[0].values())]).decode()
            assert [word for word in sorted(_words(history, town)) if word in everything] == []
            assert town.get(f"/api/v1/entities/child_protected/{history.halves[0]}", "s1").status_code == 200
    outcomes = [receipt["outcome"] for receipt in told[0] if isinstance(receipt, dict)]
    assert outcomes == [
        "applied", "applied", "applied", "conflict", "merged", "quarantined", "merged", "applied", "applied",
        "quarantined",
    ]  # fmt: skip
    for one, other in zip(*told, strict=True):
        assert _plain(one) == _plain(other)
    assert read[0].keys() == read[1].keys()
    for name in read[0]:  # etags, revisions, visits, feeds: all as if nobody had said anything of it
        assert _plain(read[0][name]) == _plain(read[1][name]), name


def _plain(told: Any) -> Any:
    """Without the one sentence by which an author hears that some answer was not valid, whichever it was."""
    if isinstance(told, dict):
        return {n: _plain(v) for n, v in told.items()} | (
            {"problems": [p for p in told["problems"] if p["pointer"] != "/answers"]} if "problems" in told else {}
        )
    return [_plain(one) for one in told] if isinstance(told, list) else told


def test_the_officer_reads_every_word_of_it(new_town: Callable[..., Town]) -> None:
    history, town = History(), new_town()
    history.tell(town, secret=True)
    with time_machine.travel(history.begins + timedelta(hours=2), tick=False):
        page = history._page("child_protected", history.halves[0], "s1")
        assert page["scope"] == f"{AREA}/!"
        data = page["data"]
        assert data["child"] == history.child
        assert (data["law_conflict"], data["immediate_danger"]) == ("1", "0")  # he has lowered it, having seen it
        assert data["sc_protected"] == ["SC11", "SC12"]
        assert data["at_risk_protected"] == ["AR10"]
        assert set(data["abuse_signs"]) >= {"1", "3", "5", "7"}
        assert "F-INTAKE" in {due["rule"] for due in page["visits"]}
        past = town.get(f"/api/v1/entities/child_protected/{history.halves[0]}/history", "s1").get_json()
        assert {write["author"] for write in past["cells"]["abuse_signs"]} == {"u1", "u2", "u9"}
        held = town.page(history.subs[5])
        assert {problem["pointer"] for problem in held["problems"]} >= {
            "/answers/immediate_danger", "/answers/abuse_signs", "/answers/grade",
        }  # fmt: skip
        written = {entity["type"]: entity["cells"] for entity in town.page(history.subs[6])["entities"]}
        assert written["child_protected"]["sc_protected"]["after"] == {"sc_protected": ["SC12"]}
        assert town.get(f"/api/v1/entities/child_protected/{history.halves[0]}", "s5").status_code == 404


def _said(town: Town) -> tuple[str, dict[str, Any]]:
    """A child and the item of a visit that said something of both halves."""
    child = new_id()
    created = town.apply(register(new_id(), {child: NAME}, years=13))
    base = next(e["etag"] for e in created["entities"] if e["id"] == child)
    value = visit(child, NAME, base, {"full_name": NAME}, years=13, helmet="0", **PROTECTED)
    town.apply(value)
    return child, value


def _half(town: Town, child: str) -> dict[str, Any]:
    answer = town.get(f"/api/v1/entities/child_protected/{protected_id(child)}", "s1")
    assert answer.status_code == 200
    return answer.get_json()


def test_rejecting_a_submission_leaves_the_half_standing_unless_it_is_named_too(town: Town) -> None:
    child, value = _said(town)
    before = _half(town, child)
    town.act(f"submissions/{value['id']}/reject", "s1", reason="Nhầm trẻ")
    assert "helmet" not in town.child(child)["data"]
    assert _half(town, child) == before
    town.act(f"submissions/{value['id']}/unreject", "s1", reason=WHY)
    town.act(f"submissions/{value['id']}/reject", "s1", reason="Không có thật", halves=True)
    half = _half(town, child)
    assert half["data"].keys() <= {"child"}
    assert half["visits"] == []
    town.act(f"submissions/{value['id']}/unreject", "s1", reason=WHY)
    assert _half(town, child)["data"] == before["data"]
    assert {due["rule"] for due in _half(town, child)["visits"]} == {"F-EMERG", "F-INTAKE"}


def test_a_phone_that_claims_to_have_seen_a_half_removes_nothing_from_it(town: Town) -> None:
    child, value = _said(town)
    etag, half = _half(town, child)["etag"], protected_id(child)
    seen = {"abuse_signs": ["5", "7"], "sc_protected": ["SC11"], "immediate_danger": "1"}
    for kind in ("child_protected", "child"):
        again = visit(child, NAME, town.child(child)["etag"], {"full_name": NAME}, years=13, abuse_signs=["2"],
                      immediate_danger="0", sc_protected=["SC12"])  # fmt: skip
        again["entities"].append(claim(kind, half, etag, seen, [value["id"]]))
        town.push([again])
        deletion = {name: again[name] for name in ("observed_at", "entities")} | {"kind": "delete"}
        (receipt,) = town.push([deletion | {"id": f"uuid:{new_id()}", "entities": again["entities"][1:]}])
        assert receipt["outcome"] == "quarantined"
    data = _half(town, child)["data"]
    assert set(data["abuse_signs"]) >= {"2", "5", "7"}
    assert (data["immediate_danger"], data["sc_protected"]) == ("1", ["SC11", "SC12"])
    assert _half(town, child)["conflicts"] == []


def test_a_blank_says_nothing_of_a_half_and_irrelevant_answers_neither(town: Town) -> None:
    child, _ = _said(town)
    before = _half(town, child)
    state = town.child(child)
    blank: dict[str, Any] = dict.fromkeys(PROTECTED) | {"abuse_signs": [], "sc_protected": ""}
    town.apply(visit(child, NAME, state["etag"], state["data"], years=13, **blank))
    assert _half(town, child)["data"] == before["data"]
    young = new_id()
    created = town.apply(register(new_id(), {young: NAME}, years=9))
    base = next(e["etag"] for e in created["entities"] if e["id"] == young)
    town.apply(visit(young, NAME, base, {"full_name": NAME}, child_marriage="1", substance_use="1"))
    assert town.get(f"/api/v1/entities/child_protected/{protected_id(young)}", "s1").status_code == 404
