"""Did visiting help: the figures, the same as a sheet, and what was escalated."""

from collections.abc import Callable
from typing import Any

import time_machine

from server.cli.jobs import jobs
from server.clock import now
from sync.times import iso
from tests.api.builders import AREA, claim, follow_up, item
from tests.api.homes import Home
from tests.api.planners import sheet, today, unregistered
from tests.api.towns import Town
from tests.desk.pages import Pages, words_of
from tests.desk.planning import families


def span(before: int = 3, after: int = 3) -> str:
    return f"/desk/outcomes?from={today(-before).isoformat()}&to={today(after).isoformat()}"


def figures(page: Any, table: str) -> dict[str, list[str]]:
    rows = page.xpath(f"//section[@aria-labelledby='{table}']//tbody/tr")
    return {words_of(row[0]): [words_of(cell) for cell in row[1:]] for row in rows}


def visited(town: Town, home: Home) -> None:
    seen = town.child(home.child)
    about = claim("child", home.child, seen["etag"])
    town.apply(item("follow_up_visit", follow_up(home.child), about, observed_at=iso(now())))


def test_in_time_late_and_missed_by_rule_person_and_week(town: Town, visit: Callable[..., Pages]) -> None:
    first, _second, third = families(town, 3, to="u1")
    visited(town, first)
    with time_machine.travel(now() / 1000 + 4 * 86_400, tick=True):
        visited(town, third)
        page = visit("c1").open(span(10, 0))
    (rule,) = [row for name, row in figures(page, "h-rule").items() if "BY-HAND" in name]
    assert rule == ["3", "1", "1", "1", "0", "–", "3"]
    assert figures(page, "h-person")["Người dùng u1"][:4] == ["3", "1", "1", "1"]
    assert sum(int(row[0]) for row in figures(page, "h-week").values()) >= 3


def test_the_sheet_has_the_same_numbers(town: Town, visit: Callable[..., Pages]) -> None:
    families(town, 2)
    pages = visit("c1")
    page = pages.open(span())
    rows = sheet(pages.submit(page, "/sheet").get_data())
    shown = figures(page, "h-rule")
    told = {row[1]: row[2:9] for row in rows if row[0] == "Quy tắc"}
    assert told.keys() == shown.keys()
    for name, cells in shown.items():
        assert told[name][:5] == cells[:5]


def test_statutory_deadlines_that_were_kept_are_a_share(town: Town, visit: Callable[..., Pages]) -> None:
    unregistered(town, 40)
    with time_machine.travel(now() / 1000 + 30 * 86_400, tick=True):
        page = visit("c1").open(span(40, 0))
    (row,) = [cells for name, cells in figures(page, "h-rule").items() if "F-BIRTH" in name]
    assert (row[3], row[5]) == ("1", "0")


def test_a_missed_visit_is_escalated_and_seen_with_why(town: Town, visit: Callable[..., Pages]) -> None:
    unregistered(town, 40)
    with time_machine.travel(now() / 1000 + 40 * 86_400, tick=True):
        done = town.app.test_cli_runner().invoke(jobs, ["run", "escalate"])
        assert done.exit_code == 0, done.output
        told = words_of(visit("c1").open("/desk/outcomes/escalations"))
        assert "F-BIRTH" in told and "quá hạn" in told and "Luật Hộ tịch" in told
        assert "F-BIRTH" in words_of(visit("s1").open("/desk/outcomes"))
        assert "F-BIRTH" not in words_of(visit("s5").open("/desk/outcomes"))


def test_days_that_are_none_are_refused(visit: Callable[..., Pages]) -> None:
    for query in ("from=x", "from=2026-11-02&to=2026-11-01", "from=2020-01-01&to=2026-01-01"):
        assert visit("c1").client.get(f"/desk/outcomes?{query}").status_code == 422, query
    assert visit("c1").client.get(f"/desk/outcomes?area={AREA}x").status_code == 404
