"""Section H of the child's form: what it asks, of whom, and what must never come back to a phone."""

import re

import pytest

from tests.forms.test_xlsforms import EN, LIST, READ, SHEETS, VI

# Groups and risks of the highest privacy tier: HIV, conflict with the law, drugs, violence, exploitation,
# sexual abuse, trafficking; domestic violence, addiction or prison in the family, a parent with HIV.
SECRET = {"SC05", "SC06", "SC07", "SC09", "SC10", "SC11", "SC12", "AR6", "AR7", "AR10"}


def test_the_highest_tier_is_offered_by_protected_questions_alone() -> None:
    for name, sheets in SHEETS.items():
        lists: dict[str, set[str]] = {}
        for choice in sheets.choices:
            lists.setdefault(choice["list_name"], set()).add(choice["name"])
        for row in sheets.survey:
            match = LIST.match(row["type"])
            if match is not None and lists.get(match.group(1), set()) & SECRET:
                assert READ[name].by_name[row["name"]].protected, row
                assert lists[match.group(1)] <= SECRET
    codes = {row["name"] for sheets in SHEETS.values() for row in sheets.choices}
    assert codes >= SECRET | {"SC01", "SC02", "SC03", "SC04", "SC08", "SC13", "SC14", "AR1", "AR11"}
    # The same facts under another name would come back to phones just as well.
    family = {row["name"] for row in SHEETS["household_registration"].choices if row["list_name"] == "social_issue"}
    assert family == {"6", "7", "9"}


def test_what_is_protected_is_neither_saved_nor_loaded_by_the_phone() -> None:
    form = READ["child_situation"]
    asked = {q.name for q in form.questions if q.protected}
    assert asked == {
        "abuse_signs", "immediate_danger", "sc_protected", "at_risk_protected", "child_marriage", "substance_use",
    }  # fmt: skip
    rows = {row["name"]: row for row in SHEETS["child_situation"].survey if "name" in row}
    for name in asked:
        assert not {"save_to", "default", "trigger", "calculation"} & set(rows[name]), name
        assert form.by_name[name].property is None
        assert not form.by_name[name].prefilled
    assert form.by_name["internet_use"].property == "internet_use"
    # What comes back to a phone in its lists must not follow from a protected answer either.
    for row in SHEETS["child_situation"].survey:
        if row.get("name") not in asked | {"call_now"}:
            conditions = " ".join(
                row.get(column, "") for column in ("relevant", "required", "calculation", "constraint")
            )
            assert not {name for name in asked if f"${{{name}}}" in conditions}, row


@pytest.mark.parametrize(("name", "age"), [("internet_use", 6), ("child_marriage", 12), ("substance_use", 10)])
def test_protection_questions_begin_at_their_age(name: str, age: int) -> None:
    rows = {row["name"]: row for row in SHEETS["child_situation"].survey if "name" in row}
    assert rows[name]["relevant"] == f"${{age}} >= {age}"


def test_a_danger_shows_whom_to_call() -> None:
    rows = {row["name"]: row for row in SHEETS["child_situation"].survey if "name" in row}
    assert rows["immediate_danger"]["required"] == "${abuse_signs} != ''"
    assert rows["call_now"]["relevant"] == "${immediate_danger} = '1'"
    for column in (f"label::{VI}", f"label::{EN}"):
        assert {"111", "113"} <= set(re.findall(r"\d+", rows["call_now"][column]))
        assert "111" in rows["observe_only"][column]
