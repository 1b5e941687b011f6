"""A city of any size: repeatable, as the forms ask, received to the end also when it was interrupted."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import click
import orjson
import pytest
import time_machine
from flask import Flask
from sqlalchemy import func, select

import server.cli.city as city
from config.settings import Settings
from forms.catalogue import Entry, load_catalogue
from forms.filling import fill
from forms.schema import check
from server.app import create_app
from server.cli.city import PROGRESS, seed_city, ward_facts
from server.clock import now
from server.demo.city import Block, WardPlan, blocks, plan_city, visits_a_day
from server.demo.commune import Item
from server.store.tables import Entity, OpTable, ReminderList, Submission, User, VisitTable, db
from server.world import current_nest
from sync.authority import Role
from sync.times import local_date, local_time
from tests.databases import DATABASES, Postgres, close, migrate, postgres

__all__ = ["postgres"]
TODAY = date(2026, 11, 24)
SMALL = 40  # children


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Any:
    app = create_app(Settings(data=tmp_path_factory.mktemp("facts"), scheduler=False))
    with app.app_context():
        return ward_facts(current_nest())


@pytest.fixture(scope="module")
def plans(facts: Any) -> list[WardPlan]:
    return plan_city(1_300, facts, 7)


def items(found: Iterator[Block]) -> list[Item]:
    return [item for block in found for some in block.rounds for item in some]


def test_children_are_shared_out_among_the_wards(facts: Any) -> None:
    users: list[Any] = []
    for children, wards in ((1, 1), (399, 1), (2_000, 5), (430_000, 103), (1_000_000, 103)):
        plans = plan_city(children, facts, 7)
        assert (len(plans), sum(plan.children for plan in plans)) == (wards, children)
        users = [user for plan in plans for user in plan.users]
        assert len({user.id for user in users}) == len(users)
        assert {user.id for user in plans[0].users} >= {"u21", "u31", "u41"}
        for plan in plans:
            charge = [hamlet for user in plan.users for hamlet in user.hamlets]
            assert sorted(charge) == sorted(plan.hamlets) and plan.officer.role is Role.SUPERVISOR
            assert len(plan.hamlets) <= 99
    assert {visits_a_day(user) for user in users if user.hamlets} == set(range(4, 11))


def test_the_same_seed_gives_the_same_city_ward_by_ward(facts: Any, plans: list[WardPlan]) -> None:
    again = plan_city(1_300, facts, 7)
    assert again == plans
    assert items(blocks(plans[2], TODAY)) == items(blocks(again[2], TODAY))
    assert items(blocks(plan_city(1_300, facts, 8)[2], TODAY)) != items(blocks(plans[2], TODAY))
    every = [item for plan in plans for item in items(blocks(plan, TODAY))]
    assert len({item.instance_id for item in every}) == len(every)


def test_a_block_is_small_and_its_rounds_build_on_each_other(plans: list[WardPlan]) -> None:
    for plan in plans:
        made = list(blocks(plan, TODAY))
        assert sum(block.children for block in made) - plan.children in range(3)
        for block in made:
            assert max(map(len, block.rounds)) <= 200
            born = {row.get("__id") for item in block.rounds[0] for row in item.answers.get("members", [])}
            for some in block.rounds[1:]:
                assert {item.child for item in some} <= born
                twice = [child for child, times in Counter(item.child for item in some).items() if times > 1]
                for child in twice:  # two people, neither of whom has seen the other's
                    authors = [item.author for item in some if item.child == child]
                    assert sorted(authors) == sorted({plan.officer.id, *authors}) and len(authors) == 2


def test_every_answer_is_one_that_the_forms_take(plans: list[WardPlan]) -> None:
    catalogue = load_catalogue()
    entries = {form.id: Entry(form) for form in catalogue.current()}
    seen: Counter[str] = Counter()
    for item in (item for plan in plans for item in items(blocks(plan, TODAY))):
        name = item.form or ("child_situation" if item.child else "household_registration")
        entry = entries[name]
        answers, problems = check(entry.schema, item.answers)
        assert problems == [], (item, problems)
        named = [("child", item.child)] if item.child else [("household", item.household)] if item.household else []
        filled = fill(entry.form, catalogue.types, answers, named, item.instance_id, TODAY)
        assert filled.problems == (), (item, filled.problems)
        seen[name] += 1
        seen["late"] += item.late
        seen["danger"] += item.answers.get("immediate_danger") == "1"
    assert seen["household_registration"] > 700 and seen["child_situation"] > 1_000
    assert min(seen["protection_report"], seen["late"], seen["danger"]) > 0


def application(folder: Path, url: str) -> Flask:
    folder.mkdir()
    app = create_app(Settings(data=folder, database_url=url, scheduler=False, demo=True, log_level="error"))
    migrate(app)
    return app


def contents() -> dict[str, Any]:
    """Everything that a city is, but the random marks of its feed and the times at which it was made."""
    db.session.rollback()
    entities = {
        row.id: (row.area, row.scope, row.etag, orjson.loads(row.data)) for row in db.session.scalars(select(Entity))
    }
    return {
        "entities": entities,
        "submissions": {row.id: (row.outcome, row.sha256) for row in db.session.scalars(select(Submission))},
        "ops": sorted((row.entity, row.sub) for row in db.session.scalars(select(OpTable))),
        "visits": {(row.id, row.state) for row in db.session.scalars(select(VisitTable))},
        "people": set(db.session.scalars(select(User.id))),
    }


def demonstrated(found: dict[str, Any]) -> dict[str, Any]:
    """Without what the last step adds by the clock."""
    subs = {ident: told for ident, told in found["submissions"].items() if not ident.startswith("uuid:demo-")}
    return {"submissions": subs, "entities": set(found["entities"]), "people": found["people"]}


class Interrupted(Exception):
    pass


@pytest.mark.parametrize("database", DATABASES)
def test_an_interrupted_city_goes_on_to_the_same_end(
    database: str, tmp_path: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def url() -> str:
        server: Postgres = request.getfixturevalue("postgres")
        return server.url(server.create())

    urls = [url() if database == "postgresql" else "" for _ in range(2)]
    whole, broken = application(tmp_path / "whole", urls[0]), application(tmp_path / "broken", urls[1])
    monkeypatch.setattr(city, "_finish", lambda *about: None)  # its batches say what time it is
    with whole.app_context():
        assert seed_city(SMALL, 3)
        expected = contents()
    real, calls = city.send, []

    def send(*about: Any) -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Interrupted
        real(*about)

    with broken.app_context():
        monkeypatch.setattr(city, "send", send)
        with pytest.raises(Interrupted):
            seed_city(SMALL, 3)
        partly = contents()
        assert 0 < len(partly["submissions"]) < len(expected["submissions"])
        with pytest.raises(click.ClickException, match="--children 40 --seed 3"):
            seed_city(SMALL, 4)
        assert seed_city(SMALL, 3)
        assert contents() == expected
    for app in (whole, broken):
        close(app)


def test_a_city_shows_what_a_city_has(tmp_path: Path) -> None:
    app = application(tmp_path / "city", "")
    with app.app_context():
        assert seed_city(150, 2026)
        assert not seed_city(150, 2026)
        db.session.rollback()
        outcomes = Counter(db.session.scalars(select(Submission.outcome)))
        reports = db.session.scalar(select(func.count()).where(Submission.form == "protection_report")) or 0
        lists = db.session.scalars(select(ReminderList.collaborator)).all()
        assert outcomes["applied"] > 200 and outcomes["conflict"] >= 1 and reports >= 1 and lists
        assert set(outcomes) <= {"applied", "merged", "conflict", "quarantined"}
        assert orjson.loads((tmp_path / "city" / "demo.json").read_bytes())["tokens"].keys() >= {"u21", "u31", "u41"}
    close(app)


def test_a_database_with_anything_in_it_is_refused(tmp_path: Path) -> None:
    app = application(tmp_path / "full", "")
    with app.app_context():
        db.session.add(User(id="u1", name="Người dùng", role="collaborator"))
        db.session.commit()
        with pytest.raises(click.ClickException, match="not empty"):
            seed_city(SMALL, 3)
        assert not (tmp_path / "full" / PROGRESS).exists()
    close(app)


def test_only_a_demonstration_gets_a_city(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path, scheduler=False))
    with app.app_context(), pytest.raises(click.ClickException, match="TOAM_DEMO"):
        seed_city(SMALL, 3)


def test_the_command_makes_it_and_issues_lists_of_today(tmp_path: Path) -> None:
    app = application(tmp_path / "city", "")
    runner = app.test_cli_runner()
    told = runner.invoke(args=["demo"])
    assert told.exit_code == 0 and "--children" in told.output
    assert runner.invoke(args=["demo", "--children", "12", "seed"]).exit_code == 2  # it would make a commune
    made = runner.invoke(args=["demo", "--children", "12", "--seed", "3"])
    assert made.exit_code == 0 and "ready" in made.output, made.output
    tomorrow = time_machine.travel(local_time(now()) + timedelta(days=1), tick=True)
    for when in (nullcontext(), tomorrow, tomorrow):
        with when:
            issued = runner.invoke(args=["lists", "issue"]).output.split()
            with app.app_context():
                lists = select(ReminderList.number).where(ReminderList.begins == local_date(now()))
                assert issued and sorted(issued) == sorted(db.session.scalars(lists))
    assert runner.invoke(args=["lists", "issue", "--week", "next", "--date", "2026-12-01"]).exit_code == 2
    close(app)
