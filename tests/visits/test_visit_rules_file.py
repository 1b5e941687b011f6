"""Reading the rules file: what is wrong is named by rule and field."""

import pytest
import yaml

from sync.visits.conditions import ConditionError, Facts, compile_condition
from sync.visits.rules import RuleError, load_rules
from tests.visits.visit_world import CONFIG, RULES, TODAY

TEXT = (CONFIG / "followup_rules.yaml").read_text(encoding="utf-8")


DANGER = {"F-EMERG", "F-FORWARD", "F-INTAKE"}
STATUTORY = DANGER | {"F-BIRTH", "F-ALT1", "F-ALT3", "F-ALT6", "F-ALT-END", "F-CHECKUP", "F-POVERTY"}
LAWS = ("NĐ 56/2017", "Luật Hộ tịch", "TT 14/2020", "TT 23/2017", "NĐ 07/2021")
CHILD = {"F-DROPOUT", "F-BIRTH", "F-RETRY", "F-ALT1", "F-ALT3", "F-ALT6", "F-ALT-END", "F-CHECKUP"}
CHILD |= {"F-HIGH", "F-MED", "F-LOW", "F-NB", "F-EPI"}
WAITING = {"F-PLAN", "F-APPROVE", "F-SEPARATION", "F-FAC5", "F-REVIEW", "F-POSTCLOSE", "F-CASECONF", "F-P0"}


def one_rule(**changes: object) -> str:
    """The shipped F-DROPOUT with some fields replaced; None takes a field away."""
    rule = next(raw for raw in yaml.safe_load(TEXT)["rules"] if raw["code"] == "F-DROPOUT") | changes
    kept = {name: value for name, value in rule.items() if value is not None}
    return yaml.safe_dump({"rules": [kept]}, allow_unicode=True)


def test_the_shipped_rules_can_be_looked_up() -> None:
    homes = {"F-HHQ", "F-RETRY", "F-POVERTY", "F-FLOOD", "F-SAFEHOME", "F-HHATRISK"}
    assert {rule.code for rule in RULES.for_type("household", TODAY)} == homes
    assert {rule.code for rule in RULES.for_type("child", TODAY)} == CHILD
    assert {rule.code for rule in RULES.waiting} == WAITING
    assert len({rule.code for rule in RULES.rules} | WAITING) == 29
    for subject in ("child_protected", "submission"):
        assert {rule.code for rule in RULES.for_type(subject, TODAY)} == {"F-EMERG", "F-INTAKE"}
        assert {rule.role for rule in RULES.for_type(subject, TODAY)} == {"supervisor"}
    assert {rule.code for rule in RULES.for_type("report", TODAY)} == {"F-EMERG", "F-INTAKE", "F-FORWARD"}
    assert {rule.code for rule in RULES.rules if rule.once} == DANGER | {"F-FLOOD"}
    assert RULES.find("F-HHQ", "household") is not None
    assert RULES.find("F-HHQ", "child") is None
    assert load_rules(TEXT).version == RULES.version != load_rules(one_rule()).version


def test_only_what_the_law_fixes_is_statutory() -> None:
    for rule in RULES.rules:
        assert rule.statutory is (rule.code in STATUTORY)
        assert rule.source.startswith(LAWS) if rule.statutory else "đề xuất" in rule.source
        assert rule.texts["name"]["vi"] and rule.texts["why"]["vi"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"clock": None}, "clock"),
        ({"priority": None}, "priority"),
        ({"prioritet": 3}, "prioritet"),
        ({"clock": {"unit": "fortnight", "count": 1}}, "fortnight"),
        ({"clock": {"unit": "day"}}, "count or at"),
        ({"clock": {"unit": "day", "count": 3, "at": [3]}}, "count or at"),
        ({"done_by": {"child_situation": "village"}}, "done_by"),
        ({"texts": {"name": {"vi": "Thăm", "en": ""}, "why": {"vi": "Vì", "en": "For"}}}, "texts"),
        ({"trigger": {"event": "earthquake"}}, "earthquake"),
        ({"trigger": {"event": "nobody_home"}, "once": True}, "once"),
        ({"once": "yes"}, "once"),
        ({"effective": {"from": None}}, "effective"),
        ({"effective": {"from": "2026-01-01"}}, "effective"),
        ({"effective": {"to": None}}, "from"),
        ({"once": True, "clock": {"unit": "day", "at": [3]}}, "once"),
        ({"trigger": {"state": {"property": "school_status"}}}, "school_status"),
        ({"trigger": {"state": {"age": {"from": 6, "unit": "week"}}}}, "week"),
    ],
)
def test_what_is_wrong_is_named(changes: dict[str, object], named: str) -> None:
    with pytest.raises(RuleError, match="F-DROPOUT") as raised:
        load_rules(one_rule(**changes))
    assert named in str(raised.value)


@pytest.mark.parametrize(
    ("condition", "data", "holds"),
    [
        ({"property": "p", "equals": "3"}, {"p": "3"}, True),
        ({"property": "p", "equals": "3"}, {"p": "4"}, False),
        ({"property": "p", "in": ["3", "4"]}, {"p": "4"}, True),
        ({"property": "p", "in": ["3", "4"]}, {}, False),
        ({"property": "p", "contains": "AR5"}, {"p": ["AR1", "AR5"]}, True),
        ({"property": "p", "contains": "AR5"}, {"p": "AR5"}, False),
        ({"property": "p", "below": 23}, {"p": 22}, True),
        ({"property": "p", "below": 23}, {"p": 23}, False),
        ({"property": "p", "below": 23}, {"p": None}, False),
        ({"property": "p", "blank": True}, {}, True),
        ({"property": "p", "blank": False}, {"p": "1"}, True),
        ({"not": {"property": "p", "equals": "1"}}, {"p": "2"}, True),
        (
            {"all": [{"property": "p", "equals": "1"}, {"property": "q", "blank": True}]},
            {"p": "1", "q": "x"},
            False,
        ),
        (
            {"any": [{"property": "p", "equals": "1"}, {"property": "q", "blank": True}]},
            {"p": "1", "q": "x"},
            True,
        ),
    ],
)
def test_conditions_on_properties(condition: dict[str, object], data: dict[str, object], holds: bool) -> None:
    compiled = compile_condition(condition)
    assert compiled.holds(Facts(data, [], TODAY)) is holds
    assert "p" in compiled.properties


@pytest.mark.parametrize("raw", ["p", None, {}, {"property": "p", "equals": "1", "in": ["1"]}])
def test_what_is_no_condition_is_refused(raw: object) -> None:
    with pytest.raises(ConditionError):
        compile_condition(raw)
