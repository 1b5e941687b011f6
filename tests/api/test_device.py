"""The reference client against the real server: work without a network, and a network that cannot be trusted."""

from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest

from server.clock import now
from sync.times import DAY
from tests.api.conftest import Town
from tests.api.handset import Handset, Make, dying, hand, make, refusal
from tests.device import Answer, Drop

__all__ = ["hand", "make"]
HOUR = timedelta(hours=1)


# What a form says of what its author saw


def test_a_form_names_the_state_that_it_was_filled_in_on(hand: Handset) -> None:
    home, child = hand.register()
    (made,) = hand.waiting()
    visited = hand.visit(child)
    first, second = hand.phone.outbox()
    assert first["entities"] == [{"base": "0-", "after": [], "type": "household", "id": home}]
    assert second["entities"] == [{"base": "0-", "after": [made], "type": "child", "id": child}]
    assert [first["seq"], second["seq"]] == [1, 2]
    hand.sync()
    held = hand.phone.entities("u1")[child]
    hand.visit(child, prefilled=["helmet", "uses_boat", "dropout_date"], helmet="0")
    (third,) = hand.phone.outbox()
    (claim,) = third["entities"]
    assert claim["base"] == held["etag"] and claim["after"] == []
    assert claim["seen"] == {"helmet": "1", "uses_boat": "1"}
    hand.visit(child, prefilled={"helmet": "0"}, helmet="0")
    last = hand.phone.outbox()[-1]["entities"][0]
    assert last == claim | {"after": [third["id"]], "seen": {"helmet": "0"}}
    receipts = hand.sync().receipts
    assert [one["outcome"] for one in receipts] == ["applied", "applied"]
    src = dict(hand.phone.entities("u1")[child]["src"])
    assert "helmet" in src[third["id"]] and made in src and visited in src


def test_a_receipt_alone_does_not_become_the_base(make: Make) -> None:
    """What else a revision contains is known only when a page has told the entity."""
    hand = make("u1", "u2")
    _, child = hand.register()
    hand.sync("u1")
    held = hand.holds()[child]
    visited = hand.visit(child, helmet="0")
    report = hand.sync("u2")  # takes it along, under u1's token, and pulls for u2 alone
    assert report.outcomes == {visited: "applied"}
    assert hand.holds("u1")[child] == held != hand.holds("u2")[child]
    later = hand.visit(child, risk_now="1")
    assert hand.phone.outbox()[0]["entities"][0]["after"] == [visited]
    assert hand.phone.outbox()[0]["entities"][0]["base"] == held
    hand.sync("u1")
    hand.visit(child)
    assert hand.phone.outbox()[0]["entities"][0]["after"] == []
    assert hand.phone.outbox()[0]["entities"][0]["base"] == hand.holds("u1")[child] == hand.holds("u1")[child]
    assert later in dict(hand.phone.entities("u1")[child]["src"])


def test_what_waits_is_named_also_when_a_page_tells_the_entity_meanwhile(make: Make) -> None:
    hand, other = make("u1"), make("u2")
    _, child = hand.register()
    hand.sync()
    waits = hand.visit(child, helmet="0")
    other.sync("u2")
    other.visit(child, "u2", grade=5)
    other.sync("u2")
    hand.sync("u1", refusal(413, "too_large"))
    assert hand.phone.screen("u1", child)["grade"] == 5
    hand.visit(child)
    claim = hand.phone.outbox()[1]["entities"][0]
    assert (claim["base"], claim["after"]) == (hand.holds()[child], [waits])


def test_a_correction_repeats_what_the_first_form_had_seen(hand: Handset) -> None:
    _, child = hand.register()
    hand.sync()
    wrong = hand.visit(child, grade=5)
    first = hand.phone.outbox()[0]["entities"]
    hand.sync()
    answers = hand.phone.archive()[-1]["item"]["answers"] | {"grade": 3}
    version = hand.phone.archive()[-1]["item"]["version"]
    about = [{"type": "child", "id": child}]
    hand.phone.fill("u1", "child_situation", version, answers, about, amends=wrong)
    assert hand.phone.outbox()[0]["entities"] == first
    hand.sync()
    assert hand.phone.screen("u1", child)["grade"] == 3
    assert hand.phone.states("u1")[wrong]["state"] == "edited"


def test_a_deletion_and_a_paper_form_say_what_they_are(hand: Handset) -> None:
    _, child = hand.register()
    hand.sync()
    long_ago = datetime.fromisoformat("2026-01-05T08:00:00+07:00")
    about = [{"type": "child", "id": child}]
    hand.phone.fill("u1", "child_situation", "1", {}, about, observed_at=long_ago, entered_late=True)
    hand.phone.fill("u1", "", "", None, about, kind="delete")
    paper, deletion = hand.phone.outbox()
    assert paper["entered_late"] and paper["observed_at"].startswith("2026-01-05") and "obs" not in paper
    assert "answers" not in deletion and "seen" not in deletion["entities"][0]


# Batches


def test_batches_are_of_the_size_that_was_told_and_say_what_still_waits(make: Make) -> None:
    hand = make("u1", batch=2)
    for _ in range(5):
        hand.register()
    hand.sync()
    assert [(len(one["items"]), one["unsent"]) for one in hand.pushes()] == [(2, 3), (2, 1), (1, 0)]
    assert [one["item"]["seq"] for one in hand.phone.archive()] == [1, 2, 3, 4, 5]
    assert len(hand.holds()) == 10 and hand.waiting() == []


def test_a_batch_that_is_too_large_is_halved_and_the_limits_are_learned(hand: Handset) -> None:
    for _ in range(4):
        hand.register()
    limits = {"max_items": 3}
    too_large = Answer(413, {}, orjson.dumps({"code": "too_large", "limits": limits}))
    hand.sync("u1", too_large, Answer(413, {}, b"<html>from a proxy</html>"))
    assert [len(one["items"]) for one in hand.pushes()] == [1, 1, 1, 1]
    for _ in range(4):
        hand.register()
    hand.sync()
    assert [len(one["items"]) for one in hand.pushes()[4:]] == [4]  # the server's configuration was told since


def test_one_that_is_too_large_alone_stays_and_holds_up_nobody(hand: Handset) -> None:
    hand.register(address_line="a" * 300_000)
    hand.register()
    large, small = hand.waiting()
    too_large = refusal(413, "too_large")
    report = hand.sync("u1", too_large, too_large)
    assert report.stuck == [large] and report.outcomes == {small: "applied"}
    assert hand.waiting() == [large]
    assert hand.sync().receipts[0]["reason"] == "unreadable"  # by the server's own limit: a receipt


# A network that cannot be trusted


@pytest.mark.parametrize("fault", [Drop.BEFORE, Drop.AFTER, Drop.CUT, Answer(200, {}, b"<html>Wi-Fi</html>")])
def test_a_fault_at_any_request_loses_and_doubles_nothing(make: Make, town: Town, fault: Any) -> None:
    hand = make("u1", batch=1, page=1)
    for place in range(12):
        sent = hand.register(), hand.register()
        ids = hand.waiting()
        done = len(hand.network.calls)
        report = hand.sync("u1", *[None] * place, fault)
        asked = len(hand.network.calls) - done
        assert [one["id"] for one in report.receipts] == ids
        assert {ident for pair in sent for ident in pair} <= hand.holds().keys()
        assert hand.waiting() == []
        if asked <= place:
            break
    assert place > 4
    assert town.stored().keys() == {one["item"]["id"] for one in hand.phone.archive()}
    assert hand.holds() == {ident: one["etag"] for ident, one in _fresh(make).phone.entities("u1").items()}


def _fresh(make: Make) -> Handset:
    """Another phone of the same user, which has seen nothing yet."""
    hand = make("u1")
    hand.sync()
    return hand


def test_it_waits_longer_each_time_and_then_gives_up_until_it_is_asked_again(hand: Handset) -> None:
    hand.register()
    waiting = hand.waiting()
    hand.network.expect([Drop.BEFORE] * 6)
    assert hand.phone.sync("u1").stopped == "no_answer"
    assert hand.naps == [4, 8, 16, 32, 64]
    assert hand.waiting() == waiting
    hand.sync("u1", refusal(503, "busy", **{"Retry-After": "7"}), refusal(429, "x", **{"retry-after": "5"}), None)
    assert hand.naps[5:] == [7, 8]
    assert hand.waiting() == []


def test_no_wait_is_longer_than_a_quarter_of_an_hour(make: Make) -> None:
    hand = make("u1", tries=12)
    hand.sync("u1", *[refusal(500, "internal")] * 10)
    assert hand.naps[-3:] == [512, 900, 900]
    hand.naps.clear()
    hand.network.expect([refusal(503, "busy", **{"Retry-After": "3600"})])
    assert hand.phone.sync("u1").stopped == "busy"
    assert hand.naps == []


def test_an_answer_without_receipts_or_page_takes_nothing_from_the_outbox(hand: Handset) -> None:
    hand.register()
    told = {"server_time": "2026-11-01T08:00:00+07:00", "keep_until": "2026-12-01T08:00:00+07:00", "receipts": []}
    hand.network.expect([Answer(200, {}, orjson.dumps(told))])
    assert hand.phone.sync("u1").stopped == "no_receipt"
    assert len(hand.waiting()) == 1
    hand.network.expect([Answer(200, {}, b'{"status": "please log in"}')])
    assert hand.phone.sync("u1").stopped == "no_answer"
    hand.sync()
    hand.network.expect([Answer(200, {}, orjson.dumps(told))])
    assert hand.phone.sync("u1").pages == 1  # it asked for the page by itself


def test_killed_anywhere_it_goes_on_where_it_was(hand: Handset) -> None:
    """Between two statements of the phone's database, in steps that meet every part of a sync in the end."""
    killed = place = 0
    child, done = "", False
    while not done:
        _, child = hand.register()
        visited = hand.visit(child)
        waiting = set(hand.waiting())
        with dying(hand.phone, place):
            hand.phone.sync("u1")
            done = True
        killed, place = killed + 1, place + 3
        hand.reopen()
        archived = {one["item"]["id"] for one in hand.phone.archive()}
        assert waiting <= archived | set(hand.waiting())
        assert not archived & set(hand.waiting())
        hand.sync()
        assert hand.waiting() == [] and visited in dict(hand.phone.entities("u1")[child]["src"])
    assert killed > 10
    assert hand.phone.store.after("u1", child) == []


# Clocks


def test_each_try_tells_the_time_anew(hand: Handset) -> None:
    hand.register()
    hand.clock.sleep = lambda seconds: hand.clock.jump(timedelta(days=1))
    hand.sync("u1", Drop.AFTER, None)
    before, after = (datetime.fromisoformat(one["clock"]["wall"]) for one in hand.pushes()[:2])
    assert after - before > timedelta(hours=23)
    assert hand.pushes()[0]["items"] == hand.pushes()[1]["items"]


@pytest.mark.parametrize("days", [-400, -2, 3])
def test_a_clock_that_is_set_between_visit_and_sync_does_not_move_the_visit(
    make: Make, town: Town, days: int
) -> None:
    hand = make("u1")
    hand.clock.skew = HOUR * 5
    _, child = hand.register()
    hand.sync()
    hand.visit(child, risk_now="1")
    really = datetime.fromtimestamp(now() / 1000).astimezone()
    hand.clock.jump(timedelta(days=days))
    (receipt,) = hand.sync().receipts
    assert receipt["warnings"] == []
    told = town.child(child, "s1")["provenance"]["risk_now"]["observed_at"]
    assert abs(datetime.fromisoformat(told) - really) < HOUR


def test_after_a_restart_the_wall_clock_is_all_there_is(hand: Handset) -> None:
    _, child = hand.register()
    boot = hand.phone.outbox()[0]["obs"]["boot"]
    hand.clock.restart()
    hand.visit(child)
    assert hand.phone.outbox()[1]["obs"]["boot"] != boot
    assert hand.phone.outbox()[1]["obs"]["mono_ms"] < 60_000
    hand.sync()
    assert hand.pushes()[0]["clock"]["boot"] == hand.clock.boot


def test_the_archive_is_kept_by_the_servers_clock(hand: Handset) -> None:
    hand.register()
    hand.sync()
    hand.clock.jump(timedelta(days=4000))
    hand.sync()
    (kept,) = hand.phone.archive()
    until = datetime.fromisoformat(kept["keep_until"])
    assert until.timestamp() * 1000 > now() + 20 * DAY
    assert hand.phone.prune(until) == 0
    assert hand.phone.prune(until + HOUR) == 1
    assert hand.phone.archive() == []


def test_a_submission_in_xml_goes_as_it_is(hand: Handset) -> None:
    hand.phone.fill("u1", "household_registration", "1", "<data/>", [])
    assert hand.phone.outbox()[0]["xml"] == "<data/>"
    assert "answers" not in hand.phone.outbox()[0]
