"""The benchmark itself runs, and notices what it must; its figures are for `make bench` alone."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.store.feed import SqlFeed
from tests.bench import __main__ as program
from tests.bench import city, desk, grow, page, planning
from tests.bench.measures import ratio
from tests.databases import DATABASES

SIZES = (400, 800)
ANY = float("inf")


def test_it_counts_requests_and_entities(capsys: pytest.CaptureFixture[str]) -> None:
    assert program.bench("sqlite", SIZES, 2, ANY) == 0
    said = capsys.readouterr().out
    assert said.count("collaborator") == said.count("supervisor") == len(SIZES) + 1
    assert "20 changes in 1 request" in said


def test_it_fails_where_a_pull_loses_something(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = SqlFeed.entries
    fewer = lambda self, scope, after, head, readable, most: entries(self, scope, after, head, readable, 2)  # noqa: E731
    monkeypatch.setattr(SqlFeed, "entries", fewer)
    assert program.bench("sqlite", SIZES[:1], 1, ANY) == 1
    assert "BROKEN" in capsys.readouterr().out


@pytest.mark.parametrize(("slowest", "passes"), [((2.0, 2.0, 1.1), True), ((2.0, 1.3, 1.21), False)])
def test_a_noisy_ratio_is_measured_again_and_a_bad_one_fails(
    monkeypatch: pytest.MonkeyPatch, slowest: tuple[float, ...], passes: bool
) -> None:
    tries: Iterator[float] = iter(slowest)
    monkeypatch.setattr(program, "deltas", lambda *told: {2: [1.0, 1.0], 200: [next(tries)] * 2})
    assert program.delta([], "supervisor", {}, 2, program.MOST_RATIO) == passes
    assert next(tries, None) is None


def test_the_ratio_is_that_of_the_largest_to_the_smallest_round_by_round() -> None:
    assert ratio({20: [9.0, 9.0, 9.0], 200: [2.0, 30.0, 4.0], 2: [1.0, 10.0, 4.0]}) == 2.0


@pytest.mark.parametrize("database", DATABASES)
def test_pushes_plans_and_lists_are_measured_and_told(database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database with copied logs takes every kind of submission."""
    for name, value in {"SIZES": [24], "SECONDS": 0.5, "BATCHES": (1,), "SPREADS": ("hot",), "MOST": 16}.items():
        monkeypatch.setattr(city, name, value)
    monkeypatch.setattr(grow, "BLOCK", 8)
    heard = list[city.Found]()
    found = city.measure(database, heard.append)
    assert heard == [found]
    assert {key[1] for key in found.rates} == {"new", "updating", "conflicting"}
    assert all(rate.items > 0 for rate in found.rates.values())
    assert found.nights[0].children >= 24 and found.nights[0].lines > 0
    hundreds = {(*key[:3], 100, key[4]): rate for key, rate in found.rates.items()}
    told = "\n".join(city.lines(replace(found, rates=hundreds)))
    assert told.count("\n| 24 | ") == 3 and "of the bare endpoint" in told


@pytest.mark.parametrize("database", DATABASES)
def test_every_page_of_the_desk_is_measured_and_told_once(
    database: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An officer with conflicts, notices and held submissions gets every page, on either database."""
    monkeypatch.setattr(grow, "BLOCK", 8)
    monkeypatch.setattr(desk, "EVERY", 2)
    (found,) = desk.measure(database, [24], 2)
    assert found.here >= 12 and found.first < desk.MOST_BYTES
    assert all(cost.statements <= 30 for cost in found.costs.values()), found.costs
    path = tmp_path / "page.md"
    path.write_text("# Benchmarks\n\n## SQLite\n", encoding="utf-8")
    for _ in range(2):
        desk.write(path, [found])
    told = path.read_text(encoding="utf-8")
    assert (told.count(desk.TITLE), told.count("## SQLite"), told.count("\n| one conflict | ")) == (1, 1, 1)


def test_every_page_of_a_scheduler_is_measured(tmp_path: Path) -> None:
    (found,) = planning.measure("sqlite", [24], 2)
    assert found.here >= 12 and found.lines > 0
    assert all(cost.statements <= 90 for cost in found.costs.values()), found.costs
    path = tmp_path / "page.md"
    for _ in range(2):
        planning.write(path, [found])
    assert path.read_text(encoding="utf-8").count(planning.TITLE) == 1


def test_a_section_replaces_the_one_of_before_and_leaves_the_others(tmp_path: Path) -> None:
    path = tmp_path / "page.md"
    for title, text in (("## A", "one"), ("## B", "two"), ("## A", "three"), ("## C", "four"), ("## B", "five")):
        page.put(path, title, [text])
    assert path.read_text(encoding="utf-8") == "# Benchmarks\n\n## A\n\nthree\n\n## B\n\nfive\n\n## C\n\nfour\n"


def test_an_unknown_database_is_refused() -> None:
    assert program.main(["oracle"]) == 1
    assert desk.main(["oracle"]) == 1
