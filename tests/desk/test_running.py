"""How the server runs, as an administrator sees it: jobs and runs by hand, figures, settings without secrets."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from config.settings import Settings
from server.clock import now
from server.console.jobs import shown_settings
from server.console.running_words import JOBS as TOLD
from server.console.running_words import SETTINGS
from server.reminders import jobs, runs
from server.reminders.jobs import JOBS, Foreman, Job, cron
from server.reminders.lease import LeaseHolder
from server.store.base import table
from server.store.tables import AuditTable, Device, JobRun, db
from sync.times import DAY
from tests.api.builders import BAD_PHONE, item, new_id, register, registration
from tests.api.towns import Town
from tests.databases import DATABASES
from tests.desk.pages import Pages, words_of

Visit = Callable[..., Pages]


def listed(town: Town) -> list[tuple[str, str, int | None, str]]:
    with town.app.app_context():
        db.session.rollback()
        return [(one.job, one.outcome, one.did, one.by) for one in runs.history()]


def counting(did: list[int], result: int = 4) -> Job:
    def work(lease: LeaseHolder | None) -> int:
        assert lease is not None
        did.append(lease.fence)
        return result

    return Job("plan", cron(month=6, day=1), work)  # never planned for by itself in these tests


def test_every_job_and_setting_has_its_words() -> None:
    assert list(TOLD) == list(JOBS)
    assert [one.variable for one in shown_settings(Settings()) if not one.about] == []
    assert SETTINGS.keys() == {one.variable.removeprefix("TOAM_").lower() for one in shown_settings(Settings())}


def test_of_secrets_only_whether_they_are_set() -> None:
    hidden = secrets.token_hex(8)
    url = f"postgresql+psycopg://toam:{hidden}@db.example/toam?password={hidden}"
    used = Settings(secret=hidden, database_url=url, data=Path("/srv/toam"), demo=True)
    shown = {one.variable: one for one in shown_settings(used)}
    assert hidden not in repr([(one.value, str(one.about)) for one in shown.values()])
    assert shown["TOAM_DATABASE_URL"].value == "postgresql+psycopg://toam@db.example/toam"
    assert (shown["TOAM_DATA"].value, shown["TOAM_DATA"].default) == ("/srv/toam", False)
    assert (shown["TOAM_DEMO"].value, shown["TOAM_MAX_ITEMS"].default) == ("1", True)


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_a_run_that_is_asked_for_is_made_by_whoever_holds_the_lease(
    town: Town, visit: Visit, monkeypatch: pytest.MonkeyPatch
) -> None:
    admin, did = visit("a1"), list[int]()
    page = admin.open("/desk/running")
    assert "Chưa có tiến trình nào" in words_of(page)
    answer = admin.submit(page, "/run", job="plan")
    assert (answer.status_code, answer.headers["Location"]) == (302, "/desk/running")
    assert listed(town) == [("plan", "wanted", None, "a1")]  # nothing was run by the request
    assert "đã yêu cầu, chờ bắt đầu" in words_of(admin.get("/desk/running"))
    admin.post("/desk/running/run", job="plan")
    assert len(listed(town)) == 1  # asked for once is enough
    monkeypatch.setattr(jobs, "JOBS", {"plan": counting(did)})
    holding, other = Foreman(town.app), Foreman(town.app)
    holding.renew()
    other.renew()
    other.run_wanted()
    assert did == []
    holding.run_wanted()
    holding.run_wanted()
    assert did == [holding.lease.fence]
    assert listed(town) == [("plan", "done", 4, "a1")]
    noted = town.rows(select(AuditTable.who, AuditTable.act, AuditTable.subject))
    assert [tuple(row) for row in noted] == [("a1", "run_job", "plan")]
    text = words_of(admin.get("/desk/running"))
    assert "Đang giữ lịch" in text and "4 việc" in text


def test_a_run_whose_process_died_is_made_by_the_next(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    did: list[int] = []
    monkeypatch.setattr(jobs, "JOBS", {"plan": counting(did)})
    first, second = Foreman(town.app), Foreman(town.app)
    first.renew()
    with town.app.app_context(), db.engine.begin() as connection:
        assert runs.want(connection, "plan", now(), "a1")
    with town.app.app_context():
        (found,) = runs.wanted(first.lease.fence)
        assert runs.claim(found[0], found[1], now(), jobs.GRACE, first.lease.fence, found[2])
    first.run_wanted()
    assert did == []  # it is under way, as far as anybody knows
    with town.app.app_context():
        assert second.lease.hold(now() + DAY)
    second.run_wanted()
    assert len(did) == 1 and listed(town) == [("plan", "done", 4, "a1")]


def test_a_run_that_fails_is_not_made_again(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(lease: LeaseHolder | None) -> int:
        raise ValueError("Trần Thị Bích Thảo")

    monkeypatch.setattr(jobs, "JOBS", {"plan": Job("plan", cron(month=6, day=1), fail)})
    foreman = Foreman(town.app)
    foreman.renew()
    with town.app.app_context(), db.engine.begin() as connection:
        runs.want(connection, "plan", now(), "a1")
    for _ in range(2):
        foreman.run_wanted()
    with town.app.app_context():
        (run,) = runs.history()
        assert (run.outcome, run.tries, run.error) == ("failed", 1, "ValueError")


def test_a_job_that_does_not_exist_is_refused(visit: Visit, town: Town) -> None:
    assert visit("a1").post("/desk/running/run", job="<b>").status_code == 404
    assert visit("a1").client.get("/desk/running/runs?job=x").status_code == 404
    assert listed(town) == []


@pytest.mark.parametrize("database", DATABASES, indirect=True)
def test_figures_are_numbers_alone(town: Town, visit: Visit) -> None:
    town.apply(register(new_id(), {new_id(): "Bùi Thị Quế Trân"}))
    held = item("household_registration", registration(new_id(), {new_id(): "Bùi Thị Quế Trâm"}, phone=BAD_PHONE))
    town.push([held])
    with town.app.app_context(), db.engine.begin() as connection:
        quiet: Any = update(table(Device)).where(table(Device).c.id == town.devices["u2"])
        connection.execute(quiet.values(last_seen=now() - 20 * DAY, unsent=7))
    page = visit("a1").get("/desk/running")
    first = page.xpath("//table[contains(@class, 'numbers')]/tbody/tr[1]")[0]
    assert [words_of(cell) for cell in first.xpath("td")] == ["1", "1", "2"]
    assert "Giữ lại: có câu trả lời không hợp lệ1" in words_of(page.xpath("//section[@aria-labelledby='waits']")[0])
    silent = words_of(page.xpath("//section[@aria-labelledby='silent']")[0])
    assert town.devices["u2"] in silent and "còn 7 phiếu chưa gửi" in silent
    assert town.devices["u1"] not in silent
    assert "Quế" not in words_of(page)


def test_the_history_of_runs_is_told_with_what_failed(town: Town, visit: Visit) -> None:
    with town.app.app_context():
        jobs.by_hand(JOBS["retry"])
        runs.claim("plan", 1, now(), jobs.GRACE, 0, runs.SCHEDULER)
        runs.end("plan", 1, 0, now(), runs.Outcome.FAILED, None, "ValueError")
    admin = visit("a1")
    told = [words_of(row) for row in admin.get("/desk/running/runs").xpath("//tbody/tr")]
    assert len(told) == 2 and any("bằng lệnh trên máy chủ" in one for one in told)
    (failed,) = admin.get("/desk/running/runs?failed=1").xpath("//tbody/tr")
    assert "Lỗi" in words_of(failed) and "ValueError" in words_of(failed)
    assert "Chưa có lượt nào" in words_of(admin.get("/desk/running/runs?job=clear"))
    assert JobRun.__tablename__ == "job_run"


@pytest.mark.parametrize("user", ["s1", "c1"])
def test_it_is_for_administrators(visit: Visit, user: str) -> None:
    for path in ("/desk/running", "/desk/running/runs", "/desk/running/settings"):
        assert visit(user).client.get(path).status_code == 403
    assert visit(user).post("/desk/running/run", job="plan").status_code == 403
