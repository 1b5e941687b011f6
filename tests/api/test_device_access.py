"""The reference client coming in, getting old, and being taken out."""

import uuid
from typing import Any

import pytest
from sqlalchemy import select, update

from server.auth.enrolment import invite
from server.clock import now
from server.store.tables import Device, Token, db
from tests.api.access import PASSWORD, cheap, give_password
from tests.api.conftest import Town
from tests.api.handset import Handset, Make, hand, make, refusal
from tests.device import Drop, Refused

__all__ = ["cheap", "hand", "make"]


def code_for(town: Town, user: str) -> str:
    with town.app.app_context():
        return invite(user, "a1", 7, now()).code


def wiped(hand: Handset) -> bool:
    (row,) = hand.town.rows(select(Device.wiped_at).where(Device.id == hand.installation))
    return row.wiped_at is not None


# Coming in


@pytest.fixture
def fresh(make: Make) -> Handset:
    """A phone that nobody uses yet."""
    return make(installation=str(uuid.uuid4()))


@pytest.mark.parametrize("fault", [None, Drop.BEFORE, Drop.AFTER, Drop.CUT])
def test_a_phone_enrols_with_a_code_and_takes_in_a_second_user(fresh: Handset, town: Town, fault: Any) -> None:
    fresh.network.expect([fault])
    told = fresh.phone.enrol(code_for(town, "u1"), "Samsung A05")
    assert told["id"] == "u1"
    fresh.register()
    fresh.sync()
    assert fresh.phone.enrol(code_for(town, "s1"), "Samsung A05")["role"] == "supervisor"
    fresh.sync("s1")
    assert fresh.holds("s1") == fresh.holds("u1") != {}
    assert len(town.held(fresh.installation)) == 4


def test_a_code_that_is_refused_changes_nothing(fresh: Handset) -> None:
    with pytest.raises(Refused, match="code_refused"):
        fresh.phone.enrol("nothing", "Samsung A05")
    assert fresh.phone.store.tokens() == {}


@pytest.mark.usefixtures("cheap")
def test_after_the_term_of_a_login_it_sends_and_the_password_lets_it_read_again(hand: Handset, town: Town) -> None:
    give_password(town, "u1")
    hand.phone.login("u1", PASSWORD)
    _, child = hand.register()
    hand.sync()
    with town.app.app_context():
        db.session.execute(update(Token).where(Token.user == "u1").values(expires_at=now() - 1))
        db.session.commit()
    hand.visit(child, helmet="0")
    report = hand.phone.sync("u1")
    assert report.stopped == "token_expired" and hand.waiting() == []
    assert hand.phone.archive()[-1]["receipt"]["outcome"] == "quarantined"
    assert len(hand.holds()) == 2 and not wiped(hand)
    with pytest.raises(Refused, match="login_failed"):
        hand.phone.login("u1", "sai mật khẩu")
    hand.phone.login("u1", PASSWORD)
    assert hand.sync().resyncs == []  # the vault is still his
    assert len(hand.holds()) == 2


@pytest.mark.parametrize("fault", [None, Drop.BEFORE, Drop.AFTER, Drop.CUT])
def test_a_token_is_rotated_without_a_moment_in_which_none_is_good(hand: Handset, fault: Any) -> None:
    before = hand.phone.store.tokens()["u1"]
    hand.network.expect([fault])
    hand.phone.rotate("u1")
    assert hand.phone.store.tokens()["u1"] != before
    hand.register()
    hand.sync("u1", fault)
    hand.phone.add_user("u1", before)
    assert hand.phone.sync("u1").stopped == "unauthenticated"


# Getting old


def test_an_old_client_pushes_and_says_which_one_it_needs(hand: Handset, town: Town) -> None:
    hand.phone.app = "1.0.0"
    hand.register()
    object.__setattr__(town.nest.settings, "min_app", "1.1.0")
    report = hand.sync()
    assert (report.update, report.pages, hand.waiting()) == ("1.1.0", 0, [])
    hand.phone.app = "1.1.0"
    assert hand.sync().update == "" and len(hand.holds()) == 2
    assert hand.sync("u1", None, refusal(426, "update_needed")).pages == 1


# Being taken out


def test_a_revoked_phone_sends_the_rest_and_deletes_everything(make: Make, town: Town) -> None:
    hand = make("u1", "s1", batch=1)
    _, child = hand.register()
    hand.sync("u1")
    hand.sync("s1")
    town.revoke("u1")
    sent = [hand.visit(child), hand.visit(child, "s1")]
    hand.network.expect([None, *[Drop.BEFORE] * 6])
    assert hand.phone.sync("u1").stopped == "no_answer"
    assert hand.waiting() == sent[1:] and hand.holds("s1")  # no wipe while anything waits
    hand.network.expect([None, None, *[Drop.AFTER] * 6])
    report = hand.phone.sync("u1")
    assert (report.stopped, report.wiped) == ("no_answer", True)
    assert sent[1] in town.stored() and hand.waiting() == []
    hand.reopen()
    assert hand.sync("u1").wiped and wiped(hand)
    for table in ("archive", "about", "thing", "vault"):
        assert hand.phone.store.rows(f"SELECT * FROM {table}") == []
    assert hand.phone.sync("u1").stopped == "unauthenticated"


def test_a_phone_that_learns_of_it_by_a_pull_sends_first(make: Make, town: Town) -> None:
    hand = make("u1", page=1)
    hand.register()
    hand.network.inner = _revoking_after(hand, 1)
    report = hand.sync()
    assert report.wiped and report.pages == 1 and hand.holds() == {}
    assert wiped(hand) and set(report.outcomes) == town.stored().keys()


def _revoking_after(hand: Handset, answers: int) -> Any:
    """The way to a server at which the phone is revoked after some answers."""
    left = answers

    def wire(*request: Any) -> Any:
        nonlocal left
        if left == 0:
            hand.town.revoke("u1")
        left -= 1
        return hand.wire(*request)

    return wire


def test_a_phone_with_work_that_cannot_be_sent_is_not_wiped(hand: Handset, town: Town) -> None:
    hand.register()
    town.revoke("u1")
    hand.network.expect([refusal(413, "too_large")])
    report = hand.phone.sync("u1")
    assert (report.stopped, report.wiped, report.stuck) == ("device_revoked", False, hand.waiting())
    assert hand.sync().wiped and len(town.stored()) == 1
