"""A server that was restored from a backup finds so out by itself, and gets back what the phones have kept."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine

from tests.api.builders import new_id, register, visit
from tests.api.conftest import Town
from tests.api.homes import NAME, Home, ids
from tests.databases import DATABASES

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)


def reason(town: Town, user: str = "u1", **asked: Any) -> str | None:
    """Why a pull is refused as another history, if it is."""
    answer = town.ask("sync/pull", user, **asked)
    told = answer.get_json()
    assert answer.status_code == (409 if "reason" in told else 200), told
    return told.get("reason")


@pytest.mark.parametrize("since", [0, 1, 5])
def test_a_reader_of_what_was_lost_is_found_also_when_the_numbers_have_overtaken_his(town: Town, since: int) -> None:
    backup_of = Home(town)
    backup = town.backup()
    Home(town)
    ahead = town.pull("u2")["token"]
    town.restore(backup)
    for _ in range(since):
        Home(town)
    assert reason(town, "u2", token=ahead) == "restored"
    assert backup_of.ids <= ids(town.pull("u2"))


def test_a_reader_who_has_not_seen_what_was_lost_goes_on(town: Town) -> None:
    Home(town)
    early = town.pull("u2")["token"]
    backup = town.backup()
    Home(town)
    town.restore(backup)
    family = Home(town)
    assert reason(town, "u2", token=early) is None
    assert ids(town.pull("u2", early)) == family.ids


def test_the_ack_of_a_lost_push_is_found_before_anything_is_stored(town: Town) -> None:
    backup = town.backup()
    lost = register(new_id(), {})
    ack = town.sync([lost], pull=None)["ack"]
    town.restore(backup)
    later = register(new_id(), {})
    answer = town.send([later], ack=ack, pull=None)
    assert (answer.status_code, answer.get_json()["reason"]) == (409, "restored")
    assert town.stored() == {}
    town.push([lost, later], ack=None)  # everything that was kept, again
    assert town.stored().keys() == {lost["id"], later["id"]}


def test_an_item_that_is_held_moves_the_mark_of_its_sender_too(town: Town) -> None:
    held = register(new_id(), {}, ward_code="99999")
    body = town.sync([held], pull=None)
    assert body["receipts"][0]["outcome"] == "quarantined"
    backup = town.backup()
    lost = register(new_id(), {}, ward_code="99999")
    ack = town.sync([lost], pull=None, ack=body["ack"])["ack"]
    town.restore(backup)
    assert town.send([], ack=ack).get_json()["reason"] == "restored"
    town.sync([held], pull=None, ack=body["ack"])


def test_flask_restored_begins_a_new_epoch_and_overtakes_every_revision(town: Town) -> None:
    family = Home(town)
    before = town.pull("u1")
    (seen,) = [one for one in before["entities"] if one["id"] == family.child]
    result = town.app.test_cli_runner().invoke(args=["restored"])
    assert (result.exit_code, result.output) == (0, "epoch 2\n")
    assert reason(town, epoch=1) == "epoch"
    assert town.send([], epoch=1).get_json() | {"title": ""} == {
        "type": "urn:toam:problem:resync",
        "title": "",
        "status": 409,
        "code": "resync",
        "reason": "epoch",
        "epoch": 2,
    }
    after = town.pull("u1", epoch=2)
    (now,) = [one for one in after["entities"] if one["id"] == family.child]
    assert now["revision"] == seen["revision"] + 1_000_000
    assert now["etag"] == town.child(family.child)["etag"] == f"{now['revision']}-{seen['etag'].split('-')[1]}"
    for state in (seen, now):  # of what was seen before nothing was lost, so it is still a base
        sent = visit(family.child, NAME, state["etag"], state["data"], grade=5)
        (receipt,) = town.push([sent])
        assert receipt["warnings"] == []
    assert town.child(family.child)["revision"] > now["revision"]


def test_it_says_so_when_phones_may_have_forgotten_already(town: Town) -> None:
    Home(town)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31, hours=1)):
        told = town.app.test_cli_runner().invoke(args=["restored"]).output
    assert told.startswith("epoch 2\nThe newest submission is 31 days old, and phones keep what they sent for 30:")


def test_what_is_derived_is_the_same_after_a_new_epoch(town: Town, rebuilt: None) -> None:
    Home(town).visit(grade=5)
    town.app.test_cli_runner().invoke(args=["restored"])
    Home(town)
