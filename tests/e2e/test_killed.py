"""A server that is killed at any moment loses nothing that it has given a receipt for, and takes nothing twice.

`make test` kills 20 times, `make soak` as often as `TOAM_KILLS` says, with another seed each time.
"""

import os
import time
from collections import Counter
from concurrent.futures import Future, ThreadPoolExecutor
from random import Random
from threading import Event

import pytest

from tests.api.builders import AREA, OTHER
from tests.api.conftest import Town
from tests.databases import DATABASES
from tests.e2e.checks import check_books, check_derived, check_feed, kept
from tests.e2e.phones import Phone, Promise, Value
from tests.e2e.server import DEADLY, PLACES, Nursery, Server, until

pytestmark = pytest.mark.parametrize("database", DATABASES, indirect=True)

KILLS = int(os.environ.get("TOAM_KILLS", "20")) // len(DATABASES)
LONGEST = 0.3  # seconds from the first receipt after a start to the kill
HERE: Value = {"ward_code": "31135"}
PHONES: dict[str, tuple[Value, str]] = {  # user -> answers that say where, and the scope
    "u1": (HERE | {"hamlet_code": "01"}, f"{AREA}/01"),
    "u2": (HERE | {"hamlet_code": "01"}, f"{AREA}/01"),
    "u9": (HERE | {"hamlet_code": "05"}, f"{AREA}/05"),
    "u5": ({"ward_code": "31120", "hamlet_code": "01"}, f"{OTHER}/01"),
}
OFFICERS = {"s1": AREA, "s5": OTHER}


def phone_of(user: str, real: Server, town: Town, seed: int) -> Phone:
    place = PHONES[user][0] if user in PHONES else {}
    return Phone(real.url, user, town.tokens[user], place, Random(f"{seed} {user}"))


def check_all(real: Server, town: Town, phones: list[Phone], seed: int) -> None:
    """Nothing was lost, nothing was taken twice, everything derived is right, and everybody is told all of it."""
    for phone in phones:
        phone.finish()
    check_books(town, phones)
    check_derived(town)
    for phone in phones:
        phone.finish()
        check_feed(town, phone, PHONES[phone.user][1])
    for officer, area in OFFICERS.items():
        desk = phone_of(officer, real, town, seed)
        desk.finish()
        check_feed(town, desk, area)
    assert '"level": "error"' not in real.said()


def test_killed_under_load(real: Server, town: Town, quick: Nursery) -> None:
    seed = Random().getrandbits(32) if "TOAM_KILLS" in os.environ else 20261126
    print(f"seed {seed}")
    real.start()  # the first time by the real command
    phones = [phone_of(user, real, town, seed) for user in PHONES]
    stop = Event()
    with ThreadPoolExecutor(len(phones)) as pool:
        lives = [pool.submit(phone.live, stop) for phone in phones]
        try:
            kill_again_and_again(real, quick, phones, lives, Random(seed))
        finally:
            stop.set()
    for life in lives:
        life.result()
    check_all(real, town, phones, seed)
    told = sum((phone.told for phone in phones), Counter())
    print(dict(told), Counter(receipt["outcome"] for phone in phones for receipt in phone.receipts.values()))
    assert told["none"] >= KILLS


def kill_again_and_again(
    real: Server, quick: Nursery, phones: list[Phone], lives: "list[Future[None]]", dice: Random
) -> None:
    """Each time not before the server gave a receipt: it is killed at work."""
    for _ in range(KILLS):
        before = receipts(phones)
        until(lambda: receipts(phones) > before or any(life.done() for life in lives), "no receipt")  # noqa: B023
        if any(life.done() for life in lives):
            return
        time.sleep(dice.uniform(0, LONGEST))
        real.restart(quick)


def receipts(phones: list[Phone]) -> int:
    return sum(len(phone.receipts) for phone in phones)


@pytest.mark.parametrize("place", PLACES)
def test_killed_at(real: Server, town: Town, quick: Nursery, place: str) -> None:
    """A worker that dies in a transaction leaves all of it or nothing; another one goes on at once."""
    real.entry = DEADLY
    real.start(quick)
    phone = phone_of("u1", real, town, 1)
    for _ in range(3):
        phone.write()
    phone.finish()
    before = set(phone.sent)
    for _ in range(5):
        phone.write()
    real.die_at(place)
    assert not phone.sync(5)
    committed = place == "after_commit"
    assert kept(town).keys() == (set(phone.sent) if committed else before)
    until(real.answers, "nobody goes on")
    phone.finish()
    assert phone.told["late"] == (5 if committed else 0)
    check_all(real, town, [phone], 1)


def test_a_broken_promise_is_noticed(real: Server, town: Town, quick: Nursery) -> None:
    """The books themselves: what the server forgot or told otherwise does not pass."""
    real.start(quick)
    phone = phone_of("u1", real, town, 1)
    phone.write()
    phone.finish()
    (ident,) = phone.sent
    phone.receipts[ident]["outcome"] = "merged"
    with pytest.raises(Promise, match="the receipt was"):
        phone.send([ident])
    phone.sent[f"{ident}0"] = b"{}"
    with pytest.raises(AssertionError):
        check_books(town, [phone])
