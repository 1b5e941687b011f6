"""Statutory rules cannot be switched off, nor weakened: the server refuses the file. Proposals may go."""

from collections.abc import Callable
from copy import deepcopy
from datetime import date
from typing import Any

import pytest
import yaml

from sync.visits.law import LAW, load_lawful_rules
from sync.visits.rules import RuleError, Unit
from tests.visits.visit_world import CONFIG, RULES

TEXT = (CONFIG / "followup_rules.yaml").read_text(encoding="utf-8")
Entries = list[dict[str, Any]]
ENTRIES: Entries = yaml.safe_load(TEXT)["rules"]
DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def changed(change: Callable[[Entries], Any]) -> str:
    entries = deepcopy(ENTRIES)
    change(entries)
    return yaml.dump({"rules": entries}, Dumper=DUMPER, allow_unicode=True)


def of(entries: Entries, code: str) -> dict[str, Any]:
    return next(entry for entry in entries if entry["code"] == code)


def refused(change: Callable[[Entries], Any], code: str, why: str) -> None:
    with pytest.raises(RuleError, match=rf"^{code}: {why}"):
        load_lawful_rules(changed(change))


def test_the_shipped_rules_are_lawful() -> None:
    assert load_lawful_rules(TEXT).version == RULES.version
    statutory = {rule.code for rule in RULES.rules if rule.statutory}
    assert statutory | {rule.code for rule in RULES.waiting if rule.statutory} == set(LAW)


@pytest.mark.parametrize("code", sorted(LAW))
def test_no_statutory_rule_can_be_taken_out_or_called_a_proposal(code: str) -> None:
    refused(lambda entries: entries.remove(of(entries, code)), code, "the law asks")
    refused(lambda entries: of(entries, code).update(statutory=False), code, "statutory")


@pytest.mark.parametrize("code", sorted(LAW))
def test_no_statutory_rule_can_end_or_begin_later(code: str) -> None:
    ending = {"effective": {"from": date(2025, 7, 1), "to": date(2026, 12, 31)}}
    refused(lambda entries: of(entries, code).update(ending), code, "effective")
    refused(lambda entries: of(entries, code).update(effective={"from": date(2027, 1, 1)}), code, "effective")


@pytest.mark.parametrize("code", sorted(LAW))
def test_no_statutory_term_can_be_longer(code: str) -> None:
    def longer(entries: Entries) -> None:
        clock = of(entries, code)["clock"]
        for kind in ("count", "every"):
            if kind in clock:
                clock[kind] += 1
        if "at" in clock:
            clock["at"] = [age + 1 for age in clock["at"]]

    def in_years(entries: Entries) -> None:
        of(entries, code).pop("escalation", None)  # steps in hours are for clocks in hours
        of(entries, code)["clock"]["unit"] = "year"

    refused(longer, code, "clock")
    if LAW[code].unit is not Unit.YEAR:
        refused(in_years, code, "clock")


def test_danger_cannot_be_overlooked_in_a_report_or_a_held_submission() -> None:
    refused(
        lambda entries: of(entries, "F-EMERG").update(subject=["child_protected", "report"]), "F-EMERG", "the law"
    )
    refused(lambda entries: of(entries, "F-EMERG").update(subject=["report", "submission"]), "F-EMERG", "the law")


def test_a_next_version_may_be_stricter_and_must_follow_without_a_gap() -> None:
    def next_version(begins: date) -> Callable[[Entries], None]:
        def change(entries: Entries) -> None:
            now = of(entries, "F-EMERG")
            new = now | {"version": 3, "effective": {"from": begins}, "clock": now["clock"] | {"count": 8}}
            now["effective"] = {"from": date(2025, 7, 1), "to": date(2026, 12, 31)}
            entries.append(new)

        return change

    rules = load_lawful_rules(changed(next_version(date(2027, 1, 1))))
    counts = [
        {rule.clock.count for rule in rules.for_type("report", day) if rule.code == "F-EMERG"}
        for day in (date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert counts == [{12}, {8}]
    refused(next_version(date(2027, 1, 2)), "F-EMERG", "effective")


def test_a_proposal_may_go_or_be_changed() -> None:
    rules = load_lawful_rules(changed(lambda entries: entries.remove(of(entries, "F-NB"))))
    assert rules.find("F-NB", "child") is None
    weekly = load_lawful_rules(changed(lambda entries: of(entries, "F-MED")["clock"].update(count=21)))
    found = weekly.find("F-MED", "child")
    assert found is not None and found.clock.count == 21


@pytest.mark.parametrize(
    ("code", "change", "named"),
    [
        ("F-PLAN", {"waits_for": "spring"}, "waits_for"),
        ("F-PLAN", {"priority": 3}, "priority"),
        ("F-PLAN", {"code": "F-EMERG"}, "waits_for"),
        ("F-ALT6", {"clock": {"unit": "month", "every": 6}}, "every"),
        ("F-CHECKUP", {"clock": {"unit": "month", "at": [1], "since": "dob"}}, "since"),
        ("F-MED", {"escalation": {"step": []}}, "step"),
        ("F-MED", {"escalation": {"steps": [{"to": "village", "late_days": 1}]}}, "village"),
        ("F-MED", {"escalation": {"steps": [{"to": "city", "late_days": -1}]}}, "-1"),
        ("F-MED", {"escalation": {"steps": [{"to": "city", "hours": 4}]}}, "hours"),
        (
            "F-MED",
            {"escalation": {"steps": [{"to": "city", "late_days": 1}, {"to": "chairman", "late_days": 1}]}},
            "two",
        ),
        ("F-MED", {"escalation": {"steps": [{"to": "city"}]}}, "late_days"),
    ],
)
def test_what_is_wrong_is_named(code: str, change: dict[str, Any], named: str) -> None:
    with pytest.raises(RuleError, match=change.get("code", code)) as raised:
        load_lawful_rules(changed(lambda entries: of(entries, code).update(change)))
    assert named in str(raised.value)
