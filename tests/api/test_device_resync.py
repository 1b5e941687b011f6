"""The reference client when the server takes something away, or was restored from a backup."""

import shutil
from pathlib import Path

import orjson
import pytest
from sqlalchemy import delete

from server.store.tables import Token, db
from tests.api.builders import AREA, member, new_id, registration, rewrite
from tests.api.conftest import Town
from tests.api.handset import NAME, Handset, Make, dying, hand, make, refusal
from tests.device import Answer, Drop

__all__ = ["hand", "make"]
RESYNC = Answer(409, {}, orjson.dumps({"code": "resync", "reason": "epoch", "epoch": 9}))
TOO_LARGE = refusal(413, "too_large")  # to a single submission: it stays, and the sync goes on


# What is taken away


def test_what_others_wrote_comes_and_what_moved_away_goes(make: Make) -> None:
    one, two, officer = make("u1"), make("u9"), make("s1", installation="s1-phone")
    home, child = one.register()
    one.sync()
    two.sync("u9")
    officer.sync("s1")
    assert two.holds("u9") == {} and officer.holds("s1") == one.holds()
    answers = one.phone.archive()[0]["item"]["answers"] | {"hamlet_code": "05", "members": []}
    officer.fill("household_registration", answers, "household", home, "s1")
    officer.sync("s1")
    one.sync()
    two.sync("u9")
    assert one.holds() == {} == one.phone.visits("u1")
    assert two.holds("u9").keys() == {home, child}


@pytest.mark.parametrize("how", ["gone", "drop_scopes"])
def test_an_entity_with_unsent_work_stays_until_its_receipt(hand: Handset, town: Town, how: str) -> None:
    kept, other = hand.register(), hand.register()
    hand.sync()
    hand.visit(kept[1], helmet="0")
    if how == "gone":
        for home, _ in (kept, other):
            seen = town.household(home, "s1")
            town.apply(rewrite(home, seen["etag"], seen["data"], hamlet_code="05"), "s1")
    else:
        town.relieved("u1")
    hand.sync("u1", TOO_LARGE)
    assert kept[1] in hand.holds() and other[1] not in hand.holds()
    assert hand.phone.visits("u1") == {}
    hand.visit(kept[1], risk_now="1")  # and it can still be worked on
    hand.sync()
    assert hand.waiting() == []
    assert kept[1] not in hand.holds()


def test_a_hamlet_that_is_given_back_comes_whole(hand: Handset, town: Town) -> None:
    _, child = hand.register()
    hand.sync()
    hand.visit(child)
    town.relieved("u1")
    hand.sync("u1", TOO_LARGE)
    town.assigned("u1", AREA, "01", -3)
    hand.sync()
    assert len(hand.holds()) == 2 and hand.waiting() == []


# Two users


def test_two_users_have_two_vaults_and_one_outbox(make: Make, town: Town) -> None:
    hand = make("u1", "u9")
    _, child = hand.register("u1")
    _, other = hand.register("u9", hamlet_code="05")
    report = hand.sync("u1")
    assert set(report.outcomes.values()) == {"applied"} and hand.waiting() == []
    hand.sync("u9")
    assert child in hand.holds("u1") and child not in hand.holds("u9")
    assert other in hand.holds("u9") and other not in hand.holds("u1")
    first, second = (one["item"]["id"] for one in hand.phone.archive())
    assert hand.phone.states("u1").keys() == {first} and hand.phone.states("u9").keys() == {second}
    with town.app.app_context():
        db.session.execute(delete(Token).where(Token.user == "u9", Token.device != town.devices["u9"]))
        db.session.commit()
    hand.visit(other, "u9", helmet="0")
    assert hand.phone.sync("u9").stopped == "unauthenticated"
    assert hand.waiting() == []  # his neighbour's token took it along
    assert hand.phone.archive()[-1]["receipt"]["reason"] == "not_allowed"  # who uses the phone, the server knows


def test_what_a_neighbour_took_along_is_remembered_without_a_page(make: Make, town: Town) -> None:
    """A push alone: the receipt tells which entities the form made, the ack that the server must know of it."""
    hand = make("u1", "u2")
    hand.sync("u1")
    hand.sync("u2")
    backup, home = town.backup(), new_id()
    answers = registration(home, {}) | {"members": [member("Nguyễn Thị Mỹ Duyên", 35, "1"), member(NAME, 9)]}
    made = hand.fill("household_registration", answers, "household", home)
    (receipt,) = hand.sync("u2").receipts
    (child,) = [one["id"] for one in receipt["entities"] if one["type"] == "child"]
    assert child not in hand.holds("u1") and hand.phone.store.after("u1", child) == [made]
    town.restore(backup)
    assert hand.sync("u1").resyncs == ["restored"]
    assert (
        hand.holds("u1").keys() == {one["id"] for one in receipt["entities"]} > {home, child}
        and made in town.stored()
    )


def test_without_any_token_everything_stays(hand: Handset) -> None:
    hand.register()
    hand.sync("u1")
    hand.register()
    hand.network.expect([refusal(401, "unauthenticated")])
    assert hand.phone.sync("u1").stopped == "unauthenticated"
    asked = len(hand.network.calls)
    assert hand.phone.sync("u1").stopped == "unauthenticated"
    assert len(hand.network.calls) == asked
    assert len(hand.waiting()) == 1 and len(hand.holds()) == 2
    hand.phone.add_user("u1", hand.town.tokens["u1"])
    hand.sync()
    assert len(hand.holds()) == 4


# Another history


class Lost:
    """A phone whose server was restored: `before` was in the backup, `after` came later, `unsent` still waits."""

    def __init__(self, hand: Handset, how: str) -> None:
        self.hand, self.town = hand, hand.town
        _, self.before = hand.register()
        hand.sync()
        backup = self.town.backup()
        _, self.after = hand.register()
        hand.visit(self.before, grade=5)
        hand.sync()
        self.receipts = {one["item"]["id"] for one in hand.phone.archive()}
        hand.visit(self.before, helmet="0")
        _, self.unsent = hand.register()
        if how != "token_unknown":
            self.town.restore(backup)
        if how == "epoch":
            assert self.town.app.test_cli_runner().invoke(args=["restored"]).exit_code == 0
        if how == "token_unknown":
            hand.phone.store.db.execute("UPDATE vault SET ack = ? WHERE user = 'u1'", ("forged",))

    def check(self) -> None:
        """Server and phone have everything, and the same."""
        kept = {one["item"]["id"] for one in self.hand.phone.archive()}
        assert self.receipts <= kept == self.town.stored().keys()
        assert self.hand.waiting() == []
        held = self.hand.phone.entities("u1")
        assert {self.before, self.after, self.unsent} <= held.keys() and len(held) == 6
        data = held[self.before]["data"]
        assert (data["grade"], data["helmet"]) == (5, "0")
        assert all(one["etag"] == self.town.child(i)["etag"] for i, one in held.items() if one["type"] == "child")
        assert not self.hand.phone.store.rows("SELECT * FROM thing WHERE doubtful OR leaving")


@pytest.mark.parametrize("how", ["epoch", "restored", "token_unknown"])
def test_a_resync_gives_back_what_was_lost(make: Make, how: str) -> None:
    hand = make("u1", batch=1, page=2)
    world = Lost(hand, how)
    assert hand.sync().resyncs == [how]
    world.check()
    assert hand.sync().resyncs == []


@pytest.mark.parametrize("how", ["epoch", "restored", "token_unknown"])
def test_a_resync_may_be_interrupted_anywhere(make: Make, how: str, tmp_path: Path) -> None:
    """A phone that dies again and again: at each start it comes a little further than the time before."""
    hand = make("u1", batch=1, page=2)
    world = Lost(hand, how)
    deaths, done = 0, False
    while not done:
        with dying(hand.phone, 20 + 9 * deaths):
            hand.network.expect([None, None, None, Drop.AFTER] if deaths % 2 else [])
            done = hand.phone.sync("u1").stopped == ""
        deaths += not done
        hand.reopen()
        assert world.receipts <= {one["item"]["id"] for one in hand.phone.archive()} | set(hand.waiting())
        assert world.before in hand.holds()  # there is unsent work about it until the very end
    assert deaths > 2
    hand.reopen()
    hand.sync()
    world.check()


def test_a_resync_that_dies_anywhere_loses_nothing(make: Make, town: Town) -> None:
    """In steps that meet every part of a resync in the end; each time everything is in doubt and sent again."""
    hand = make("u1", batch=1, page=2)
    for _ in range(2):
        hand.register()
    hand.sync()
    held, kept = hand.holds(), [one["item"] for one in hand.phone.archive()]
    deaths, done = 0, False
    while not done:
        before = len(hand.pushes())
        hand.phone.store.db.execute("UPDATE vault SET epoch = 77")
        with dying(hand.phone, 3 * deaths):
            done = hand.phone.sync("u1").resyncs == ["epoch"]
        deaths += not done
        hand.reopen()
        hand.sync()
        assert hand.holds() == held and hand.waiting() == []
        assert [one["item"] for one in hand.phone.archive()] == kept
        assert all(item in [one for push in hand.pushes()[before:] for one in push["items"]] for item in kept)
    assert deaths > 20


def test_what_a_restored_server_no_longer_knows_leaves_the_phone(make: Make, town: Town) -> None:
    one, two = make("u1"), make("u2", page=1)
    _, child = one.register()
    one.sync()
    two.sync("u2")
    backup = town.backup()
    one.register()
    one.sync()
    two.sync("u2")
    two.visit(child, "u2", helmet="0")
    assert len(two.holds("u2")) == 4
    town.restore(backup)
    two.network.expect([None, TOO_LARGE, None, *[Drop.BEFORE] * 6])
    assert two.phone.sync("u2").stopped == "no_answer"
    assert len(two.holds("u2")) == 4  # all of it in doubt, nothing deleted yet
    two.reopen()
    two.sync("u2")
    assert len(two.holds("u2")) == 2
    assert one.sync().resyncs == ["restored"]
    two.sync("u2")
    assert len(two.holds("u2")) == 4


def test_forms_filled_in_during_a_resync_name_what_is_sent_again(hand: Handset) -> None:
    _, child = hand.register()
    hand.sync()
    hand.network.expect([RESYNC, *[Drop.BEFORE] * 6])
    assert hand.phone.sync("u1").stopped == "no_answer"
    (again,) = hand.waiting()
    hand.visit(child, helmet="0")
    assert hand.phone.outbox()[1]["entities"][0]["after"] == [again]
    hand.sync()
    assert hand.phone.screen("u1", child)["helmet"] == "0"


def test_a_server_that_asks_for_it_again_and_again_does_not_keep_the_phone_busy(hand: Handset) -> None:
    hand.register()
    hand.network.expect([RESYNC] * 20)
    report = hand.phone.sync("u1")
    assert report.stopped == "resync" and len(report.resyncs) == 4
    assert len(hand.waiting()) == 1


def test_two_phones_with_one_installation_both_go_on(make: Make, tmp_path: Path) -> None:
    one = make("u1")
    one.register()
    one.sync()
    one.reopen()  # SQLite puts all into one file
    shutil.copy(one.path, tmp_path / "copy")
    for _ in range(4):
        one.register()
        one.sync()
    other = make("u1", file=tmp_path / "copy")
    assert other.sync().resyncs == ["device_cloned"]
    assert other.holds() == one.holds() and len(other.holds()) == 10
