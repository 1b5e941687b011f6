"""`flask rules`: what works and what waits; what another file would change, without a change."""

from pathlib import Path

import yaml
from click.testing import Result
from sqlalchemy import select

from server.store.tables import VisitTable
from tests.api.conftest import Town
from tests.api.test_authority import Family
from tests.visits.visit_world import CONFIG

TEXT = (CONFIG / "followup_rules.yaml").read_text(encoding="utf-8")


def called(town: Town, *words: str) -> Result:
    return town.app.test_cli_runner().invoke(args=["rules", *words])


def changed(folder: Path, code: str, **fields: object) -> str:
    raw = yaml.safe_load(TEXT)
    for entry in raw["rules"]:
        if entry["code"] == code:
            entry.update(fields)
    file = folder / "rules.yaml"
    file.write_text(yaml.safe_dump(raw, allow_unicode=True), encoding="utf-8")
    return str(file)


def rows(town: Town) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in town.rows(select(*VisitTable.__table__.c)))


def test_check_names_every_rule_with_its_state(town: Town) -> None:
    result = called(town, "check")
    assert result.exit_code == 0, result.output
    lines = {line.split()[0]: line for line in result.output.splitlines()[1:]}
    assert len(lines) == 29
    assert "waits for case" in lines["F-PLAN"] and " law " in lines["F-PLAN"]
    assert "waits for slip" in lines["F-P0"]
    assert "works" in lines["F-EMERG"] and "child_protected, report, submission" in lines["F-EMERG"]
    assert "đề xuất" in lines["F-NB"] and "day 3, 7, 14, 28, 42" in lines["F-NB"]
    assert sum("works" in line for line in lines.values()) == 21
    assert town.nest.calendar.version in result.output and town.nest.rules.version in result.output


def test_check_refuses_what_the_server_would_refuse_and_finds_unknown_properties(town: Town, tmp_path: Path) -> None:
    result = called(town, "check", changed(tmp_path, "F-EMERG", statutory=False))
    assert (result.exit_code, "F-EMERG: statutory" in result.output) == (1, True)
    slip = {"state": {"property": "risk_nwo", "equals": "3"}}
    result = called(town, "check", changed(tmp_path, "F-HIGH", trigger=slip))
    assert (result.exit_code, "unknown property: F-HIGH risk_nwo" in result.output) == (1, True)


def test_the_rules_in_use_change_nothing(town: Town, tmp_path: Path) -> None:
    Family(town).visit()
    result = called(town, "preview", changed(tmp_path, "F-HHQ"))
    assert result.output.splitlines() == ["added 0", "removed 0", "moved 0"]


def test_a_preview_counts_what_comes_goes_and_moves_and_writes_nothing(town: Town, tmp_path: Path) -> None:
    family = Family(town)
    town.apply(family.visit(risk_now="2"))
    before = rows(town)
    moved = called(town, "preview", changed(tmp_path, "F-MED", clock={"unit": "day", "count": 10}, version=2))
    assert moved.output.splitlines()[:3] == ["added 0", "removed 0", "moved 1: F-MED 1"]
    assert " -> " in moved.output
    gone = called(
        town, "preview", changed(tmp_path, "F-MED", trigger={"state": {"property": "risk_now", "equals": "3"}})
    )
    assert [line for line in gone.output.splitlines() if line[0] != " "] == [
        "added 0",
        "removed 1: F-MED 1",
        "moved 0",
    ]
    any_risk = {"state": {"property": "risk_now", "in": ["1", "2", "3"]}}
    come = called(town, "preview", changed(tmp_path, "F-LOW", trigger=any_risk))
    assert come.output.startswith("added 1: F-LOW 1\n")
    assert rows(town) == before
    assert not any(name in gone.output + come.output + moved.output for name in ("Hân", "Nhi"))
