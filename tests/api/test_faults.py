"""A fault of ours costs nobody anything: the others are applied, the one is kept, its danger is planned for."""

from collections.abc import Callable, Iterator
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import select

import server.store.rows
import server.world
from forms.catalogue import Catalogue
from forms.entity_types import protected_id
from forms.filling import fill
from server.cli.people import fill_areas
from server.clock import now
from server.reminders.jobs import run_retry
from server.store.people import add_user
from server.store.tables import Submission, db
from sync.arrival import Sender
from sync.authority import Role
from sync.envelope import RawItem
from sync.follow import row_of
from sync.state.answered import write_of
from tests.api.builders import AREA, BAD_PHONE, new_id, register
from tests.api.conftest import PEOPLE, Town, build_town
from tests.api.test_authority import Family
from tests.api.test_danger import SIGNS, planned
from tests.store.conftest import (  # noqa: F401
    app,
    migrated_postgres,
    migrated_sqlite,
    postgres,
    postgresql_app,
    sqlite_app,
)

NAME = "Trần Gia Huy"
MARKER = "Cầu Khỉ 13"  # what the faulty code stumbles over
WHY = "Đã hỏi lại"
Break = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(autouse=True)
def compiled(catalogue: Catalogue, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server.world, "load_catalogue", lambda folder: catalogue)


@pytest.fixture
def both(compiled: None, app: Flask) -> Town:  # noqa: F811
    """The usual people on SQLite, then on PostgreSQL."""
    with app.app_context():
        fill_areas()
    return build_town(app, PEOPLE)


def _raising(real: Any, told: Callable[..., Any]) -> Callable[..., Any]:
    def broken(*args: Any, **more: Any) -> Any:
        if MARKER in str(told(*args, **more)):
            raise ZeroDivisionError(MARKER)
        return real(*args, **more)

    return broken


def _in_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = _raising(fill, lambda form, types, answers, *more: answers)
    monkeypatch.setattr("sync.reading.fill", broken)


def _in_extraction(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = _raising(write_of, lambda op, context: context.said)
    monkeypatch.setattr("sync.state.extract.write_of", broken)


def _in_following(monkeypatch: pytest.MonkeyPatch) -> None:
    said = lambda thing: [entry.op.said for entry in thing.log if entry.present]  # noqa: E731
    monkeypatch.setattr("sync.follow.row_of", _raising(row_of, said))


def _in_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    real = server.store.rows.op_row

    def broken(entry: Any) -> dict[str, Any]:
        row = real(entry)
        return row | ({"author": None} if MARKER in str(entry.op.said) else {})

    monkeypatch.setattr(server.store.rows, "op_row", broken)


BREAKS: dict[str, Break] = {
    "reading": _in_reading,
    "extraction": _in_extraction,
    "following": _in_following,
    "writing": _in_writing,
}


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], Callable[[], None]]]:
    """Breaks the named part of the server; what it returns mends it again."""
    with monkeypatch.context() as patch:

        def break_(part: str) -> Callable[[], None]:
            BREAKS[part](patch)
            return patch.undo

        yield break_


def _retry(town: Town) -> int:
    with town.app.app_context():
        return run_retry()


@pytest.mark.parametrize("part", BREAKS)
def test_one_item_on_which_the_server_fails_is_stored_and_applied_later(both: Town, broken: Any, part: str) -> None:
    family = Family(both)
    value = family.visit(school_name=MARKER, risk_now="2", years=13, **SIGNS)
    items = [register(new_id(), {}), value, family.visit(note="Gặp bà ngoại"), register(new_id(), {})]
    mend = broken(part)
    receipts = both.push(items)
    assert [receipt["outcome"] for receipt in receipts] == ["applied", "stored", "applied", "applied"], receipts
    stored = receipts[1]
    assert (stored["entities"], stored["problems"]) == ([], [])
    assert "reason" not in stored
    assert both.stored()[value["id"]] == orjson.dumps(value)
    assert both.status(value["id"])["state"] == "stored"
    assert set(planned(both, value["id"])) == {"F-EMERG", "F-INTAKE"}  # danger does not wait for us
    assert {visit.scope for visit in planned(both, value["id"]).values()} == {f"{AREA}/!"}
    listed = both.get("/api/v1/submissions?state=stored", "s1").get_json()["submissions"]
    assert [line["id"] for line in listed] == [value["id"]]
    data = both.child(family.child)["data"]
    assert (data["risk_now"], data["note"]) == ("0", "Gặp bà ngoại")

    assert _retry(both) == 0  # the fault is still there
    assert both.status(value["id"])["state"] == "stored"
    mend()
    assert _retry(both) == 1
    assert both.push(items) == [receipt | {"repeat": True} for receipt in receipts]
    told = both.status(value["id"])
    assert (told["state"], told["reason"]) == ("received", None)
    after = both.child(family.child)
    assert (after["data"]["risk_now"], after["data"]["note"]) == ("2", "Gặp bà ngoại")
    assert planned(both, value["id"]) == {}
    assert set(planned(both, protected_id(family.child))) == {"F-EMERG", "F-INTAKE"}
    assert _retry(both) == 0


@pytest.mark.parametrize("part", BREAKS)
def test_retried_it_ends_as_if_the_fault_had_never_been(town: Town, broken: Any, part: str) -> None:
    """Held for what is wrong with it; it takes its place by the time of its first arrival."""
    family = Family(town)
    elsewhere = family.visit(school_name=MARKER, **SIGNS)
    typo = family.visit(school_name=MARKER, caregiver_phone=BAD_PHONE, **SIGNS)
    mend = broken(part)
    town.push([elsewhere], "u9")
    town.push([typo], "u1")
    outcomes = [town.status(elsewhere["id"], "u9")["state"], town.status(typo["id"], "u1")["state"]]
    mend()
    assert _retry(town) == outcomes.count("stored")
    for value, user, reason in ((elsewhere, "u9", "out_of_area"), (typo, "u1", "bad_value")):
        told = town.status(value["id"], user)
        assert (told["state"], told["reason"]) == ("quarantined", reason)
        assert set(planned(town, value["id"])) == {"F-EMERG", "F-INTAKE"}
        town.act(f"submissions/{value['id']}/accept", "s1", reason=WHY)
        assert planned(town, value["id"]) == {}
    assert town.child(family.child)["data"]["school_name"] == MARKER


@pytest.mark.parametrize("part", BREAKS)
def test_what_a_person_must_release_is_not_released_by_the_retry(town: Town, broken: Any, part: str) -> None:
    family = Family(town)
    reused = family.visit(school_name=MARKER, **SIGNS) | {"id": family.created["id"]}
    mend = broken(part)
    (first,) = town.push([reused])
    town.revoke("u1")
    revoked = family.visit(school_name=MARKER, **SIGNS)
    (second,) = town.push([revoked])
    mend()
    _retry(town)
    assert (first["reason"], second["reason"]) == ("id_reuse", "device_revoked")
    for ident in (first["kept_as"], revoked["id"]):
        assert town.page(ident)["state"] == "quarantined"
        assert set(planned(town, ident)) == {"F-EMERG", "F-INTAKE"}
    assert "school_name" not in town.child(family.child, "u2")["data"]
    town.act(f"submissions/{revoked['id']}/accept", "s1", reason=WHY)
    assert town.child(family.child, "u2")["data"]["school_name"] == MARKER


def test_an_orphan_that_is_retried_waits_for_its_create(town: Town, broken: Any) -> None:
    home, child = new_id(), new_id()
    created = register(home, {child: NAME})
    value = Family(town).visit(school_name=MARKER, **SIGNS)
    value["answers"]["child"], value["entities"][0]["id"] = child, child
    value["entities"][0] |= {"base": "0-", "after": [created["id"]]}
    mend = broken("extraction")
    assert town.push([value])[0]["outcome"] == "stored"
    mend()
    assert _retry(town) == 1
    assert town.status(value["id"])["state"] == "received"
    assert set(planned(town, value["id"])) == {"F-EMERG", "F-INTAKE"}  # it has no place for a visit of its own yet
    town.apply(created)
    assert town.child(child)["data"]["school_name"] == MARKER
    assert planned(town, value["id"]) == {}
    assert set(planned(town, protected_id(child))) == {"F-EMERG", "F-INTAKE"}


def test_a_fault_in_an_act_at_the_desk_changes_nothing(town: Town, broken: Any) -> None:
    family = Family(town)
    body = {"base": family.bases[family.child], "reason": WHY, "values": {"school_name": MARKER}}
    mend = broken("extraction")
    before = town.child(family.child), len(town.stored())
    assert town.refusal(f"entities/child/{family.child}/correct", "s1", **body) == (500, "internal")
    assert (town.child(family.child), len(town.stored())) == before
    mend()
    town.act(f"entities/child/{family.child}/correct", "s1", **body)
    assert town.child(family.child)["data"]["school_name"] == MARKER


def test_many_faults_in_as_many_areas_are_all_kept(town: Town, broken: Any) -> None:
    """Each item brings an area that was not foreseen; all of them are learnt of at once."""
    areas = [f"2025.{code}" for code in ("31120", "31147", "31150", "31168", "31183", "31186", "31195")]
    people = [f"v{number}" for number in range(len(areas))]
    with town.app.app_context():
        for user in people:
            add_user(user, user, Role.COLLABORATOR)
        db.session.commit()
    for user, area in zip(people, areas, strict=True):
        town.assigned(user, area, "01", -5)
    broken("extraction")
    arrivals = []
    for user in ("u1", *people):
        value = register(new_id(), {}, address_line=MARKER)
        sender = Sender(user, None, frozenset({user}), 0)
        arrivals.append(town.nest.reader.read(RawItem(orjson.dumps(value), value, None), sender, None, now()))
    with town.app.app_context():
        first, *others = town.nest.committer.receive(arrivals)
    assert first["outcome"] == "stored"
    assert {receipt["reason"] for receipt in others} == {"out_of_area"}
    kept = town.rows(select(Submission.area).where(Submission.author.in_(people)))
    assert sorted(row.area for row in kept) == sorted(areas)


def test_what_is_stored_is_not_reviewed_before_it_is_applied(town: Town, broken: Any) -> None:
    family = Family(town)
    values = [family.visit(school_name=MARKER, **SIGNS) for _ in range(2)]
    mend = broken("extraction")
    town.push(values)
    first, second = (value["id"] for value in values)
    for act in ("approve", "return"):
        assert town.refusal(f"submissions/{first}/{act}", "s1", comment=WHY) == (409, "cannot_apply")
    town.act(f"submissions/{second}/reject", "s1", reason="Phiếu thử")
    assert (town.status(second)["state"], planned(town, second)) == ("set_aside", {})
    mend()
    assert _retry(town) == 1
    assert (town.status(first)["state"], town.status(second)["state"]) == ("received", "set_aside")
    town.act(f"submissions/{second}/unreject", "s1", reason=WHY)
    assert set(planned(town, second)) == {"F-EMERG", "F-INTAKE"}
    assert town.act(f"submissions/{second}/accept", "s1", reason=WHY)["state"] == "received"
    assert planned(town, second) == {}
