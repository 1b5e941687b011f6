"""Two servers on one PostgreSQL: nothing is issued twice or forgotten, also when the one that issues is killed or
stopped in the middle, and when it wakes up later and believes that it still may."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from server.clock import now
from server.store.people import add_user, assign
from server.store.tables import AssignmentTable, JobRun, ReminderLine, ReminderList, VisitTable, db
from sync.authority import Role
from sync.times import DAY, local_date
from tests.api.builders import new_id, register
from tests.api.conftest import Town
from tests.databases import close
from tests.e2e.paces import BEGUN, ISSUED, PAUSE, PAUSE_AT
from tests.e2e.server import Nursery, Server, until

pytestmark = pytest.mark.parametrize("database", ["postgresql"], indirect=True)

WARDS = {"31120": "04", "31135": "08", "31321": "04", "31687": "07"}  # with the last of their hamlets
PLACES = [(ward, f"{number:02d}") for ward, last in WARDS.items() for number in range(1, int(last) + 1)]
AREAS = [f"2025.{ward}" for ward in WARDS]


@pytest.fixture
def pair(town: Town, tmp_path: Path) -> Iterator[list[Server]]:
    """Two servers on one database in which every hamlet has somebody with a visit to make today."""
    fill(town)
    close(town.app)
    folders = [tmp_path / name for name in ("one", "two")]
    for folder in folders:
        folder.mkdir()
    url = town.nest.settings.database_url
    hasty = [Server(folder, url, "tests.e2e.hasty:app", jobs=True) for folder in folders]
    with hasty[0], hasty[1]:
        yield hasty


def fill(town: Town) -> None:
    today = local_date(now())
    with town.app.app_context():
        db.session.execute(AssignmentTable.__table__.delete().where(AssignmentTable.user != "s1"))
        for ward, hamlet in PLACES:
            user = f"v{ward}-{hamlet}"
            add_user(user, "Người đi thăm", Role.COLLABORATOR)
            assign(user, f"2025.{ward}", hamlet, today)
            assign("s1", f"2025.{ward}", None, today)
        db.session.commit()
    homes = [
        register(new_id(), {new_id(): "Trần Gia Ân"}, ward_code=ward, hamlet_code=hamlet) for ward, hamlet in PLACES
    ]
    assert {receipt["outcome"] for receipt in town.push(homes, "s1")} == {"applied"}
    with town.app.app_context():
        due = update(VisitTable).values(earliest=local_date(now() - DAY), due=today, show_on=today)
        db.session.execute(due)
        db.session.commit()
        assert set(db.session.scalars(select(VisitTable.scope))) == {f"2025.{w}/{h}" for w, h in PLACES}


def lines(folder: Path, name: str) -> list[tuple[int, str]]:
    """(process, area) of what the servers wrote down."""
    path = folder / name
    found = path.read_text().split("\n")[:-1] if path.exists() else []
    return [(int(pid), area) for pid, area in (line.split() for line in found)]


def runs(town: Town) -> list[tuple[str, int, int]]:
    found = town.rows(select(JobRun.outcome, JobRun.tries, JobRun.fence))
    close(town.app)
    return [tuple(row) for row in found]


def check_once(town: Town) -> None:
    """Every collaborator has one list with her one visit, and has been told of it once."""
    with town.app.app_context():
        issued = Counter(db.session.scalars(select(ReminderList.collaborator)))
        visits = Counter(db.session.scalars(select(ReminderLine.visit)))
        hers = select(func.count()).where(VisitTable.assignee_role == Role.COLLABORATOR.value)
        planned = db.session.scalar(hers)
    close(town.app)
    assert issued == Counter(f"v{ward}-{hamlet}" for ward, hamlet in PLACES)
    assert len(visits) == planned == len(PLACES)
    assert set(visits.values()) == {1}


def begin_in_turn(pair: list[Server], place: str, quick: Nursery) -> tuple[Path, int, Server, Server]:
    """Start both; when one is in the middle of its second area: (folder, its worker, that server, the other)."""
    folder = pair[0].data.parent
    (folder / PAUSE_AT).write_text(place)
    for server in pair:
        server.start(quick)
    until(lambda: len(lines(folder, BEGUN)) >= 2, lambda: f"no lists\n{pair[0].said()}\n{pair[1].said()}")
    pid = lines(folder, BEGUN)[0][0]
    holder, other = pair if pair[0].leads(pid) else pair[::-1]
    return folder, pid, holder, other


@pytest.mark.parametrize("place", ["before", "inside"])
def test_the_holder_is_killed(pair: list[Server], town: Town, quick: Nursery, place: str) -> None:
    folder, pid, holder, other = begin_in_turn(pair, place, quick)
    holder.kill()
    until(lambda: [run[0] for run in runs(town)] == ["done"], lambda: f"never done\n{other.said()}")
    check_once(town)
    (outcome, tries, fence) = runs(town)[0]
    assert (outcome, tries) == ("done", 2) and fence >= 2
    assert 1 <= len([line for line in lines(folder, ISSUED) if line[0] == pid]) < len(AREAS)
    assert '"level": "error"' not in other.said()


@pytest.mark.parametrize("place", ["before", "inside"])
def test_the_holder_is_stopped_and_wakes_up_later(pair: list[Server], town: Town, quick: Nursery, place: str) -> None:
    folder, pid, holder, other = begin_in_turn(pair, place, quick)
    holder.signal(signal.SIGSTOP)
    done = [line for line in lines(folder, ISSUED) if line[0] == pid]
    until(lambda: [run[0] for run in runs(town)] == ["done"], lambda: f"never done\n{other.said()}")
    before = runs(town)
    check_once(town)
    holder.signal(signal.SIGCONT)
    # Inside, its transaction was ended by the database; on a slow machine it is inside before the signal reaches it.
    said = ("job_overtaken", "job_failed") if place == "before" else ("job_failed",)
    until(lambda: any(word in holder.said() for word in said), lambda: f"it never woke up\n{holder.said()}")
    time.sleep(2 * PAUSE)
    check_once(town)
    assert runs(town) == before == [("done", 2, before[0][2])]
    assert [line for line in lines(folder, ISSUED) if line[0] == pid] == done  # nothing after it woke up
    assert len(done) < len(AREAS)


def test_two_servers_take_no_turns_where_nobody_fails(pair: list[Server], town: Town, quick: Nursery) -> None:
    folder, pid, _, _ = begin_in_turn(pair, "before", quick)
    until(lambda: [run[0] for run in runs(town)] == ["done"], "never done")
    time.sleep(2 * PAUSE)
    check_once(town)
    assert runs(town) == [("done", 1, 1)]
    assert lines(folder, ISSUED) == [(pid, area) for area in AREAS]
