"""The merge rules of sets and series by example."""

from typing import Any

import pytest

from sync.state.model import Act, NoticeKind, Op, Write
from tests.sync.types import (
    DOSES,
    HOME,
    LISTS,
    MEASURES,
    SETS,
    about,
    extract,
    kind_of,
    members,
    merged,
    notices,
    op,
    prop,
    ruling,
)

CREATE = op("c", 0, {"needs": ["gạo"], "sc_codes": ["SC01", "SC02"]}, creates=True)
CLIENTS = pytest.mark.parametrize("tells", [True, False], ids=["our client", "Collect"])


def needs(sub: str, t: int, codes: list[str] | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"needs": codes}, saw=saw, author=more.pop("author", sub), **more)


def groups(sub: str, t: int, codes: list[str] | None, saw: str = "c", **more: Any) -> Op:
    return op(sub, t, {"sc_codes": codes}, saw=saw, author=more.pop("author", sub), **more)


# --- what is written of a multi-select -----------------------------------------------------------------------------


@CLIENTS
def test_of_a_multi_select_what_was_added_and_what_was_taken_away_is_written(tells: bool) -> None:
    seen = {"needs": ["gạo"]} if tells else None
    visit = needs("v", 10, ["sách vở"], seen=seen)
    write = extract(SETS, CREATE, visit).writes()["v"]["needs"]
    assert write == Write({"needs": ["sách vở"]}, added=frozenset({"sách vở"}), removed=frozenset({"gạo"}))
    assert extract(SETS, CREATE, needs("v", 10, ["gạo"], seen=seen)).writes()["v"] == {}
    cleared = extract(SETS, CREATE, needs("v", 10, None, seen=seen)).writes()["v"]["needs"]
    assert cleared == Write({}, removed=frozenset({"gạo"}))


@CLIENTS
def test_of_a_multi_select_that_showed_nothing_only_additions_are_written(tells: bool) -> None:
    typed = needs("v", 10, ["sách vở"], loaded=(), seen={} if tells else None)
    write = extract(SETS, CREATE, typed).writes()["v"]["needs"]
    assert write == Write({"needs": ["sách vở"]}, added=frozenset({"sách vở"}))
    assert merged(SETS, CREATE, typed).data["needs"] == ["gạo", "sách vở"]
    blank = needs("v", 10, None, loaded=(), seen={} if tells else None)
    assert extract(SETS, CREATE, blank).writes()["v"] == {}


def test_a_set_that_confirms_is_seen_again_by_whoever_leaves_it_alone() -> None:
    create = op("c", 0, {"signs": ["ho", "sốt"]}, creates=True)
    again, gone = op("v", 10, {"signs": ["ho", "sốt"]}, saw="c"), op("w", 20, {"signs": ["ho"]}, saw="c")
    assert extract(SETS, create, again).writes()["v"]["signs"].added == {"ho", "sốt"}
    assert merged(SETS, create, gone).data == {"signs": ["ho"]}
    assert merged(SETS, create, again, gone).data == {"signs": ["ho", "sốt"]}  # `w` had not heard of `v`


# --- union ----------------------------------------------------------------------------------------------------------


def test_what_two_people_add_is_all_there() -> None:
    state = merged(SETS, CREATE, needs("a", 10, ["gạo", "sách vở"]), needs("b", 20, ["gạo", "xe lăn"]))
    assert state.data["needs"] == ["gạo", "sách vở", "xe lăn"]
    assert not state.notices and not state.conflicts


def test_a_code_is_taken_away_by_who_saw_it_and_stays_if_another_had_added_it_unseen() -> None:
    added = needs("a", 10, ["gạo", "xe lăn"])
    assert merged(SETS, CREATE, added, needs("r", 20, ["gạo"], saw="ca")).data["needs"] == ["gạo"]
    unseen = op("b", 15, {"needs": ["xe lăn"]}, author="b", loaded=())
    state = merged(SETS, CREATE, added, unseen, needs("r", 20, ["gạo"], saw="ca"))
    assert state.data["needs"] == ["gạo", "xe lăn"]  # adding wins


def test_a_code_that_was_taken_away_comes_back_when_somebody_adds_it_anew() -> None:
    removed = needs("r", 10, None)
    assert "needs" not in merged(SETS, CREATE, removed).data
    again = needs("a", 20, ["gạo"], saw="cr")
    assert merged(SETS, CREATE, removed, again).data["needs"] == ["gạo"]
    assert merged(SETS, CREATE, removed, again, needs("x", 30, None, saw="cra")).cells["needs"].value == {}


def test_what_was_left_alone_on_an_old_page_adds_nothing() -> None:
    removed, stale = needs("r", 10, None), needs("s", 20, ["gạo", "sách vở"])
    assert merged(SETS, CREATE, removed, stale).data["needs"] == ["sách vở"]


def test_a_doubtful_addition_does_not_bring_back_what_a_good_form_removed() -> None:
    removed = needs("r", 10, None)
    odd = needs("o", 20, ["gạo", "xe lăn"], loaded=(), suspect=True)
    state = merged(SETS, CREATE, removed, odd)
    assert state.data["needs"] == ["xe lăn"]
    assert notices(state) == {("o", "r", NoticeKind.DOUBTFUL)}
    good = needs("g", 30, ["gạo"], loaded=())
    assert merged(SETS, CREATE, removed, odd, good).data["needs"] == ["gạo", "xe lăn"]
    assert not merged(SETS, CREATE, removed, odd, good).notices


def test_a_doubtful_removal_removes_what_it_knew() -> None:
    odd = needs("o", 20, None, suspect=True)
    assert "needs" not in merged(SETS, CREATE, odd).data
    assert not merged(SETS, CREATE, odd, needs("x", 30, ["gạo"], loaded=(), suspect=True)).notices


# --- union_grow ---------------------------------------------------------------------------------------------------


def test_a_statutory_group_is_removed_by_a_supervisor_alone() -> None:
    asked = groups("a", 10, ["SC01"])
    state = merged(SETS, CREATE, asked)
    assert state.data["sc_codes"] == ["SC01", "SC02"]
    assert notices(state) == {("a", "c", NoticeKind.ASKS_TO_REMOVE)}
    granted = ruling("r", 20, {"sc_codes": ["SC01"]}, "ca", Act.CORRECT)
    assert merged(SETS, CREATE, asked, granted).data["sc_codes"] == ["SC01"]
    assert not merged(SETS, CREATE, asked, granted).notices
    refused = ruling("r", 20, {"sc_codes": ["SC01", "SC02"]}, "ca", Act.CORRECT)
    assert merged(SETS, CREATE, asked, refused).data["sc_codes"] == ["SC01", "SC02"]
    assert not merged(SETS, CREATE, asked, refused).notices


def test_what_a_supervisor_removed_unseen_of_a_later_claim_stays() -> None:
    again = groups("a", 10, ["SC02"], loaded=())
    removed = ruling("r", 20, {"sc_codes": ["SC01"]}, "c", Act.CORRECT)
    state = merged(SETS, CREATE, again, removed)
    assert state.data["sc_codes"] == ["SC01", "SC02"]
    assert state.cells["sc_codes"].ruled == (("c", "r"),)


def test_a_supervisor_on_a_visit_only_asks_to_remove() -> None:
    visit = groups("v", 10, ["SC01"], standing=ruling("r", 0, {}, "").standing)
    assert notices(merged(SETS, CREATE, visit)) == {("v", "c", NoticeKind.ASKS_TO_REMOVE)}


# --- series ---------------------------------------------------------------------------------------------------------


def weighed(sub: str, t: int, kilos: float | None, **more: Any) -> Op:
    return op(sub, t, {"weight_kg": kilos}, author=sub, **more)


def test_the_same_weight_twice_is_two_weighings() -> None:
    create = weighed("c", 0, 12.5, creates=True)
    again = weighed("v", 10, 12.5, saw="c")
    assert extract(MEASURES, create, again).writes()["v"]["measurement"].items == ({"weight_kg": 12.5},)
    state = merged(MEASURES, create, again)
    assert [(item.op, item.value) for item in state.cells["measurement"].items] == [
        ("c", {"weight_kg": 12.5}),
        ("v", {"weight_kg": 12.5}),
    ]
    assert not state.conflicts and not state.notices


def test_weighings_are_in_the_order_in_which_they_were_observed() -> None:
    ops = [weighed("a", 30, 13.0), weighed("b", 10, 12.0, saw="a"), weighed("d", 20, 12.5, late=True)]
    state = merged(MEASURES, *ops)
    assert [item.value["weight_kg"] for item in state.cells["measurement"].items] == [12.0, 12.5, 13.0]
    assert state.data == {"weight_kg": 13.0}  # a page shows the latest


def test_weight_and_height_of_one_visit_are_one_entry_and_a_blank_is_none() -> None:
    both = op("v", 10, {"weight_kg": 12.5, "height_cm": 88.0}, author="Chị Út")
    only = op("w", 20, {"weight_kg": None, "height_cm": 90.0}, author="Chị Út")
    nothing = op("x", 30, {"weight_kg": None, "height_cm": None}, author="Chị Út")
    assert extract(MEASURES, nothing).writes()["x"] == {}
    items = merged(MEASURES, both, only, nothing).cells["measurement"].items
    assert [item.value for item in items] == [{"weight_kg": 12.5, "height_cm": 88.0}, {"height_cm": 90.0}]


BCG = {"dose": "BCG", "dose_date": "2026-01-05"}
SOI = {"dose": "Soi", "dose_date": "2026-10-01"}


def dosed(sub: str, t: int, *rows: dict[str, Any], **more: Any) -> Op:
    return op(sub, t, {"imm_doses": list(rows)}, author=sub, **more)


def test_equal_doses_are_shown_once() -> None:
    state = merged(MEASURES, dosed("a", 10, BCG), dosed("b", 20, BCG, SOI))
    assert [(item.op, item.value) for item in state.cells["imm_doses"].items] == [("a", BCG), ("b", SOI)]
    assert not state.conflicts
    assert state.data == {"imm_doses": [SOI]}


def test_differing_entries_of_one_dose_are_a_conflict_that_a_supervisor_decides() -> None:
    other = {"dose": "BCG", "dose_date": "2026-01-06"}
    a, b = dosed("a", 10, BCG, SOI), dosed("b", 20, other)
    state = merged(MEASURES, a, b)
    assert members(state) == {"imm_doses/BCG": ("a", "b")}
    assert [item.value for item in state.cells["imm_doses"].items] == [BCG, SOI, other]
    decided = ruling("r", 30, {"imm_doses": [other]}, "ab")
    after = merged(MEASURES, a, b, decided)
    assert not after.conflicts
    assert sorted(item.value["dose_date"] for item in after.cells["imm_doses"].items) == ["2026-01-06", "2026-10-01"]
    assert after.cells["imm_doses"].ruled == (("a", "r"), ("b", "r"))
    late = dosed("x", 40, {"dose": "BCG", "dose_date": "2026-01-07"})
    assert members(merged(MEASURES, a, b, decided, late)) == {"imm_doses/BCG": ("r", "x")}


def test_a_ruling_on_one_dose_replaces_only_what_it_knew_of_that_dose() -> None:
    other = {"dose": "BCG", "dose_date": "2026-01-06"}
    state = merged(
        MEASURES, dosed("a", 10, BCG, SOI), dosed("b", 20, other), ruling("r", 30, {"imm_doses": [other]}, "a")
    )
    assert [item.value for item in state.cells["imm_doses"].items] == [SOI, other]
    assert not state.conflicts


def test_a_row_without_its_key_is_an_entry_of_its_own() -> None:
    nameless = {"dose_date": "2026-02-02"}
    state = merged(MEASURES, dosed("a", 10, nameless), dosed("b", 20, nameless))
    assert len(state.cells["imm_doses"].items) == 2
    assert not state.conflicts


def test_injuries_have_no_key_and_two_alike_are_two() -> None:
    burnt = {"injury_type": "bỏng"}
    state = merged(LISTS, op("a", 10, {"injuries": [burnt, burnt, {}]}), op("b", 20, {"injuries": [burnt]}))
    assert [item.value for item in state.cells["injuries"].items] == [burnt] * 3


def test_the_poverty_of_a_year_is_one_fact_and_that_of_another_year_another() -> None:
    poor = op("a", 10, {"poverty_status": "nghèo", "poverty_year": 2025})
    near = op("b", 20, {"poverty_status": "cận nghèo", "poverty_year": 2026})
    assert not merged(LISTS, poor, near).conflicts
    differs = op("x", 30, {"poverty_status": "cận nghèo", "poverty_year": 2025})
    assert members(merged(LISTS, poor, near, differs)) == {"poverty/2025": ("a", "x")}


def test_an_entry_goes_by_its_authors_amendment_or_a_repair_and_by_nothing_else() -> None:
    wrong, right = weighed("a", 10, 125.0), weighed("b", 20, 12.5, saw="a")
    assert len(merged(MEASURES, wrong, right).cells["measurement"].items) == 2
    mended = weighed("b", 20, 12.5, amends="a")
    foreign = merged(MEASURES, wrong, mended)
    assert len(foreign.cells["measurement"].items) == 2  # of somebody else's submission: one of its own
    own = merged(MEASURES, wrong, op("b", 20, {"weight_kg": 12.5}, amends="a", author="a"))
    assert [(item.op, item.value["weight_kg"], item.t) for item in own.cells["measurement"].items] == [
        ("b", 12.5, 10)
    ]
    repaired = merged(MEASURES, wrong, about(Act.REPAIR, "a", "r", 30, saw="a", said={"weight_kg": 12.5}))
    assert [(item.op, item.value["weight_kg"]) for item in repaired.cells["measurement"].items] == [("a", 12.5)]
    cleared = merged(MEASURES, wrong, ruling("r", 30, {"weight_kg": None}, "a"))
    assert cleared.data == {"weight_kg": 125.0}


def test_derived_properties_see_every_entry() -> None:
    kind = kind_of(DOSES, prop("dob", "date"), prop("imm_full_by_1y", "code", "derived"), HOME)
    state = merged(
        kind, op("a", 10, {"dob": "2026-01-01"}), dosed("b", 20, {"dose": "Soi", "dose_date": "2027-02-01"})
    )
    assert state.data["imm_full_by_1y"] == "0"
    later = dosed("x", 30, BCG)
    assert merged(kind, op("a", 10, {"dob": "2026-01-01"}), dosed("b", 20, SOI), later).data == {
        "dob": "2026-01-01",
        "imm_doses": [BCG],
    }
