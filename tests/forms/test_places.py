"""Where a stated ward and hamlet lie today: codes of two lists, three wards that were split, hamlets that moved."""

import json
from pathlib import Path
from typing import Any

import pytest

from forms.catalogue import Catalogue
from server.world import load_places
from sync.arrival import Arrival, Sender
from sync.batch import Limits, Reason
from sync.envelope import RawItem
from sync.places import UNKNOWN_HAMLET, Places, build_places
from sync.reading import Reader
from tests.forms.test_filling import TYPES, compiled_with, row
from tests.sync.types import kind_of, prop

PLACES = load_places(Path(__file__).parents[2] / "config/areas", "2025")
SPLIT = {
    "31178": ("2025.31120", "2025.31168"),
    "31183": ("2025.31150", "2025.31183"),
    "31207": ("2025.31207", "2025.31228"),
}
BOTH = ("31183", "31207")  # today's code of one ward, and an earlier one of another that was split


# --- wards --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", SPLIT)
def test_a_ward_that_was_split_may_mean_either_part(code: str) -> None:
    assert PLACES.areas(f"2024.{code}") == SPLIT[code]


@pytest.mark.parametrize("code", BOTH)
def test_a_code_that_is_used_again_means_what_its_list_says(code: str) -> None:
    assert PLACES.areas(f"2025.{code}") == (f"2025.{code}",)
    assert len(PLACES.areas(f"2024.{code}")) == 2


def test_only_the_three_are_ambiguous() -> None:
    assert {key.removeprefix("2024.") for key, areas in PLACES.successors.items() if len(areas) > 1} == set(SPLIT)
    assert PLACES.areas("2025.31178") == PLACES.areas("2024.99999") == PLACES.areas("31183") == ()


# --- hamlets ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("area", "ward", "code", "hamlet"),
    [
        ("2025.31135", "2025.31135", "04", "04"),
        ("2025.31135", "2024.31135", "01", "04"),  # two wards became one, and both had a hamlet 01
        ("2025.31135", "2024.31123", "01", "01"),
        ("2025.31135", "2024.31144", "03", "08"),
        ("2025.31120", "2024.31178", "01", "04"),  # of a ward that was split, once a person has chosen
        ("2025.31168", "2024.31178", "01", UNKNOWN_HAMLET),  # that hamlet went to the other part
        ("2025.31147", "2024.31135", "01", UNKNOWN_HAMLET),
        ("2025.31135", "2024.31135", "09", UNKNOWN_HAMLET),
        ("2025.31135", "2025.31135", "09", UNKNOWN_HAMLET),
        ("2025.31135", "2025.31120", "01", UNKNOWN_HAMLET),
        ("2025.31135", "2024.31135", None, UNKNOWN_HAMLET),
        ("2025.31135", "2025.31135", "", UNKNOWN_HAMLET),
        ("2025.31183", "2024.31183", "01", UNKNOWN_HAMLET),  # nobody has told its hamlets yet
    ],
)
def test_a_hamlet_belongs_to_its_list_and_ward(area: str, ward: str, code: str | None, hamlet: str) -> None:
    assert PLACES.hamlet(area, ward, code) == hamlet


def test_every_hamlet_that_is_told_to_have_moved_is_found_where_it_went() -> None:
    assert len(PLACES.moved_hamlets) == 23
    for (ward, code), (area, now) in PLACES.moved_hamlets.items():
        assert area in PLACES.areas(ward)
        assert PLACES.hamlet(area, ward, code) == now


def test_a_hamlet_may_move_only_to_one_that_is() -> None:
    places = build_places([], [], [], [(("1.a", "01"), ("2.a", "07"))])
    assert places.hamlet("2.a", "1.a", "01") == UNKNOWN_HAMLET


# --- an item that states them -------------------------------------------------------------------------------------

HOUSEHOLD = kind_of(
    prop("ward_code", "ward", "review", group="place", placement=True),
    prop("hamlet_code", "hamlet", "review", group="place", placement=True),
    name="household",
)


def read(ward_list: str, ward: str, hamlet: str = "01", places: Places = PLACES) -> Arrival:
    """A household's form of the given ward list, as a server reads it."""
    types = {**TYPES, "household": HOUSEHOLD}
    survey = [
        row("text", "household_id"),
        row("text", "ward_code", save_to="household#ward_code"),
        row("text", "hamlet_code", save_to="household#hamlet_code"),
    ]
    entities = [{"list_name": "household", "label": "x", "entity_id": "${household_id}", "create_if": "true()",
                 "update_if": "false()"}]  # fmt: skip
    form = compiled_with(types, [row("csv-external", "household"), *survey], entities, ward_list)
    item: dict[str, Any] = {
        "id": "uuid:5f0f3f0e-0000-4000-8000-000000000001", "form": form.id, "version": form.version, "kind": "visit",
        "observed_at": "2026-11-23T15:40:00+07:00", "entities": [{"type": "household", "id": "ho-1", "base": "0-"}],
        "answers": {"household_id": "ho-1", "ward_code": ward, "hamlet_code": hamlet},
    }  # fmt: skip
    reader = Reader(Catalogue(types, [form]), places, Limits())
    sender = Sender("u11", None, frozenset({"u11"}), 0)
    return reader.read(RawItem(json.dumps(item).encode(), item, None), sender, None, 1_795_500_000_000)


def test_a_code_of_today_is_read_as_it_stands() -> None:
    for code in BOTH:
        arrival = read("2025", code)
        assert arrival.held is None and not arrival.problems
        assert arrival.told[0].said == {"ward_code": f"2025.{code}", "hamlet_code": UNKNOWN_HAMLET}


@pytest.mark.parametrize("code", SPLIT)
def test_a_code_that_was_split_is_held_with_the_places_it_may_mean(code: str) -> None:
    arrival = read("2024", code)
    assert arrival.held is Reason.WARD_AMBIGUOUS
    (problem,) = arrival.problems
    assert (problem.code, problem.pointer) == ("ward_ambiguous", "/answers/ward_code")
    assert problem.candidates == SPLIT[code]
    assert "cán bộ chọn" in problem.detail
    assert read("2025", "99999").problems[0].candidates == ()
    assert read("2025", "99999").held is Reason.WARD_UNKNOWN


def test_an_old_ward_and_hamlet_are_put_where_they_lie_today() -> None:
    arrival = read("2024", "31144", "02")
    assert arrival.held is None
    assert arrival.told[0].said == {"ward_code": "2025.31135", "hamlet_code": "07"}
    assert read("2024", "31144", "55").told[0].said["hamlet_code"] == UNKNOWN_HAMLET
