"""The one queue of writes: many at once, each with his own answer, nobody spoiled by another."""

import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson
import pytest

import server.committer
from server.clock import now
from server.committer import Committer
from sync.arrival import Arrival, Sender
from sync.envelope import RawItem
from sync.receive import Unsettled
from tests.api.builders import claim, item, new_id, nobody_home, register
from tests.api.conftest import Town, digest

NAME = "Trần Gia Huy"
THREADS = 16


class Slow:
    """Holds the queue until told to go on, so that everything else has to wait together."""

    def __init__(self, committer: Committer) -> None:
        self.go, self.started = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=committer.run, args=[self._hold])

    def _hold(self) -> None:
        self.started.set()
        assert self.go.wait(20)

    def __enter__(self) -> "Slow":
        self.thread.start()
        assert self.started.wait(20)
        return self

    def __exit__(self, *error: object) -> None:
        self.go.set()
        self.thread.join(20)


def test_many_phones_push_at_once(town: Town) -> None:
    children = [new_id() for _ in range(THREADS)]
    items = [register(new_id(), {child: NAME}) for child in children]
    with ThreadPoolExecutor(THREADS) as pool:
        first = list(pool.map(lambda value: town.push([value])[0], items))
        again = list(pool.map(lambda value: town.push([value])[0], items))
    assert [receipt["id"] for receipt in first] == [value["id"] for value in items]
    assert {receipt["outcome"] for receipt in first} == {"applied"}
    assert again == [receipt | {"repeat": True} for receipt in first]
    assert len(town.stored()) == THREADS
    for child in children:
        assert town.child(child)["data"]["full_name"] == NAME


def test_the_same_item_by_many_ways_at_once_is_one_submission(town: Town) -> None:
    value = register(new_id(), {new_id(): NAME})
    with ThreadPoolExecutor(8) as pool:
        receipts = list(pool.map(lambda _: town.push([value])[0], range(8)))
    assert sorted(receipt["repeat"] for receipt in receipts) == [False] + [True] * 7
    assert len({receipt["entities"][0]["etag"] for receipt in receipts}) == 1
    assert len(town.stored()) == 1


def test_many_visits_to_one_child_each_take_their_revision(town: Town) -> None:
    child = new_id()
    created = town.apply(register(new_id(), {child: NAME}))
    base = next(entity["etag"] for entity in created["entities"] if entity["id"] == child)
    visits = [item("child_situation", nobody_home(child), claim("child", child, base)) for _ in range(12)]
    with ThreadPoolExecutor(12) as pool:
        receipts = list(pool.map(lambda value: town.push([value])[0], visits))
    assert sorted(receipt["entities"][0]["revision"] for receipt in receipts) == list(range(2, 14))
    assert town.child(child)["revision"] == 13


def test_what_waits_becomes_one_transaction(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = _counted(monkeypatch)
    committer = _committer(town)
    with ThreadPoolExecutor(6) as pool:
        with Slow(committer):
            waiting = [pool.submit(committer.receive, [_arrival(town)]) for _ in range(6)]
            _until(lambda: committer._turns.qsize() == 6)
        receipts = [future.result(20)[0] for future in waiting]
    assert sizes == [6]
    assert {receipt["outcome"] for receipt in receipts} == {"applied"}
    assert len({receipt["id"] for receipt in receipts}) == 6


def test_a_poisoned_turn_does_not_spoil_the_others(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = _counted(monkeypatch, poison="uuid:poison")
    committer = _committer(town)
    with ThreadPoolExecutor(4) as pool:
        with Slow(committer):
            good = [pool.submit(committer.receive, [_arrival(town)]) for _ in range(3)]
            bad = pool.submit(committer.receive, [_arrival(town, "uuid:poison")])
            _until(lambda: committer._turns.qsize() == 4)
        with pytest.raises(ZeroDivisionError):
            bad.result(20)
        assert [future.result(20)[0]["outcome"] for future in good] == ["applied"] * 3
    assert sizes == [4, 1, 1, 1, 1]
    assert "uuid:poison" not in town.stored()
    assert len(town.stored()) == 3
    assert _received(committer, [_arrival(town)])[0]["outcome"] == "applied"


def test_a_job_that_fails_tells_its_caller_alone(town: Town) -> None:
    committer = _committer(town)
    with pytest.raises(ValueError, match="nothing"):
        committer.run(lambda: int("nothing"))
    assert committer.run(lambda: 17) == 17


@pytest.mark.parametrize(
    ("error", "status", "code"), [(ZeroDivisionError(), 500, "internal"), (Unsettled(), 503, "busy")]
)
def test_a_failure_keeps_nothing_and_the_next_try_succeeds(
    town: Town, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, code: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    value = register(new_id(), {new_id(): NAME})
    with monkeypatch.context() as patch:
        patch.setattr(server.committer, "receive", fail)
        answer = town.app.test_client().post("/api/v1/sync", **_request(town, value))
    assert (answer.status_code, answer.get_json()["code"]) == (status, code)
    assert ("Retry-After" in answer.headers) == (status == 503)
    assert "Traceback" not in answer.text
    assert town.stored() == {}
    assert town.apply(value)["repeat"] is False


def _request(town: Town, value: Mapping[str, Any]) -> dict[str, Any]:
    body = orjson.dumps({"v": 1, "items": [value]})
    return {
        "data": body,
        "headers": {"Authorization": f"Bearer {town.tokens['u1']}", "Content-Digest": digest(body)},
    }


def _committer(town: Town) -> Committer:
    with town.app.app_context():
        return town.nest.committer


def _received(committer: Committer, arrivals: Sequence[Arrival]) -> list[dict[str, Any]]:
    return committer.receive(arrivals)


def _arrival(town: Town, ident: str = "") -> Arrival:
    value = register(new_id(), {new_id(): NAME})
    value |= {"id": ident} if ident else {}
    sender = Sender("u1", town.devices["u1"], frozenset({"u1"}), 0)
    return town.nest.reader.read(RawItem(orjson.dumps(value), value, None), sender, None, now())


def _counted(monkeypatch: pytest.MonkeyPatch, poison: str = "") -> list[int]:
    """How many arrivals each transaction took; one with the poison in it fails after its work is done."""
    sizes: list[int] = []
    real = server.committer.receive

    def counting(arrivals: Sequence[Arrival], store: Any, world: Any, at: int, *more: Any) -> list[dict[str, Any]]:
        sizes.append(len(arrivals))
        if any(arrival.id == poison for arrival in arrivals):
            raise ZeroDivisionError
        return real(arrivals, store, world, at, *more)

    monkeypatch.setattr(server.committer, "receive", counting)
    return sizes


def _until(condition: Any) -> None:
    waiting = threading.Event()
    for _ in range(2_000):
        if condition():
            return
        waiting.wait(0.005)
    raise AssertionError("it did not happen")
