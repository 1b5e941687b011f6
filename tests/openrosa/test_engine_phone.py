"""The commands of the README, with the engine in the place of the phone: from the address to what it shows."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select

from server.store.tables import Submission
from sync.authority import Role
from tests.api.homes import Home
from tests.api.planners import asked
from tests.api.towns import Town
from tests.engines import collect
from tests.engines.fill import Chooser
from tests.engines.javarosa import Engine
from tests.openrosa.phone import Phone

PEOPLE = {"u1": (Role.COLLABORATOR, None), "c1": (Role.SCHEDULER, None)}


@pytest.fixture
def town(new_town: Callable[..., Town], monkeypatch: pytest.MonkeyPatch) -> Town:
    """A town that is asked as over HTTP, by whoever has the whole ward."""
    made = new_town(PEOPLE)

    def request(url: str, method: str, body: bytes | None = None) -> tuple[int, bytes]:
        kind = f"multipart/form-data; boundary={collect.BOUNDARY}" if body else None
        path = re.sub(r"^http://[^/]*", "", url)
        headers = {"X-OpenRosa-Version": "1.0"}
        answer = made.app.test_client().open(path, method=method, data=body, content_type=kind, headers=headers)
        assert answer.status_code < 400, answer.text
        return answer.status_code, answer.data

    monkeypatch.setattr(collect, "request", request)
    return made


def test_it_registers_a_household_and_visits_a_child(town: Town, engine: Engine) -> None:
    """With every list as served: each form is filled, sent and taken in."""
    Home(town)
    door = f"http://localhost/odk/{town.tokens['u1']}"
    for form in ("household_registration", "child_situation"):
        shown = collect.send(door, collect.fill(engine, door, form))
        assert shown.endswith(" 201 full submission upload was successful!"), shown
        row = next(iter(town.rows(select(*Submission.__table__.c).where(Submission.id == shown.split()[0]))))
        assert (row.form, row.outcome in ("applied", "merged")) == (form, True)


def test_whom_to_visit_is_chosen_from_the_list_and_the_rest_follows(town: Town, engine: Engine) -> None:
    """The engine puts in what the visit is about, and offers the visits in the order of their days."""
    family, other = Home(town), Home(town)
    later, sooner = asked(town, family.child, 9), asked(town, other.child, 2)
    phone = Phone(town, town.tokens["u1"])
    form = town.nest.catalogue.current_of("follow_up_visit")
    assert form is not None
    seen: list[Any] = []

    def choose(ask: Any, _: Any) -> str:
        seen.append(ask.choices)
        return later

    chooser = Chooser("visit", {"visit_id": choose, "visit_result": ["3"]}, keep=1.0)
    filled = engine.fill(
        form.xml, phone.files("follow_up_visit"), chooser, today=collect.datetime.now(collect.ZONE).date()
    )
    assert list(seen[0]) == [sooner, later]
    assert "<about>child</about>" in filled.xml
    assert f"<child>{family.child}</child>" in filled.xml
    phone.submit(filled.xml)


def test_what_is_no_address_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert collect.main([]) == 2
    assert "flask device enrol --qr" in capsys.readouterr().out
