"""Registration and child situation, filled by the real engine with invented families."""

import csv
import io
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from forms.entity_types import protected_names
from forms.type_files import load_entity_types
from forms.xlsform import load_sheets, to_xform
from tests.engines.fill import Filled, FilledEntity
from tests.engines.javarosa import Engine
from tests.engines.samples import TODAY, registrations, situations

FORMS = Path(__file__).parents[2] / "forms"
FILES: Mapping[str, bytes] = {
    "wards.csv": "name,label\n31135,Ninh Kiều\n31120,Cái Khế\n".encode(),
    "hamlets.csv": "name,label,ward\n01,Khu vực 1,31135\n02,Khu vực 2,31135\n01,Khu vực 1,31120\n".encode(),
    "household.csv": b"name,label,__version\n",
}


@pytest.fixture(scope="module")
def registered(engine: Engine) -> list[Filled]:
    return list(registrations(engine, _xform("household_registration"), 25, 1, FILES))


@pytest.fixture(scope="module")
def visited(engine: Engine, registered: list[Filled]) -> list[Filled]:
    children = _children(registered)
    files = {**FILES, "child.csv": _child_list(children)}
    return list(situations(engine, _xform("child_situation"), 25, 1, files, [child.id for child in children]))


def _xform(form_id: str) -> str:
    return to_xform(load_sheets(FORMS / "xlsforms" / form_id, FORMS / "choices.csv")).xml


def _children(registered: list[Filled]) -> list[FilledEntity]:
    return [entity for filled in registered for entity in filled.entities if _is_new_child(entity)]


def _is_new_child(entity: FilledEntity) -> bool:
    return entity.dataset == "child" and entity.create


def _child_list(children: list[FilledEntity]) -> bytes:
    columns = sorted({name for child in children for name in child.properties})
    out = io.StringIO()
    writer = csv.DictWriter(out, ["name", "label", "__version", *columns])
    writer.writeheader()
    for child in children:
        writer.writerow({"name": child.id, "label": child.label, "__version": 1, **child.properties})
    return out.getvalue().encode()


def _ends(filled: Filled, name: str) -> dict[str, str]:
    return {path: value for path, value in filled.expected.items() if path.endswith(f"/{name}")}


def test_a_registration_creates_the_household_and_its_children_under_16(registered: list[Filled]) -> None:
    for filled in registered:
        ages = [int(age) for age in _ends(filled, "member_age").values()]
        assert sum(map(_is_new_child, filled.entities)) == sum(age < 16 for age in ages)
        household = filled.entities[-1]
        assert (household.dataset, household.create, household.update) == ("household", True, False)
        assert {e.properties["household"] for e in filled.entities if e.dataset == "child"} <= {household.id}
    assert len(_children(registered)) > 10


def test_the_form_counts_completed_years(registered: list[Filled]) -> None:
    ages = 0
    for filled in registered:
        visit = date.fromisoformat(filled.expected["/data/visit/visit_date"])
        for path, age in _ends(filled, "member_age").items():
            born = date.fromisoformat(filled.expected[path.replace("member_age", "dob")])
            assert int(age) == visit.year - born.year - ((visit.month, visit.day) < (born.month, born.day))
            ages += 1
    assert ages > 25


def test_a_family_hangs_together(registered: list[Filled]) -> None:
    met = [filled for filled in registered if filled.expected["/data/visit/visit_result"] in ("1", "2")]
    assert 0 < len(met) < len(registered)
    for filled in met:
        assert list(_ends(filled, "adult_relationship").values()).count("1") == 1
        assert "1" not in _ends(filled, "relationship").values()
        assert filled.expected["/data/place/head_name"] == next(iter(_ends(filled, "adult_full_name").values()))
    peoples = {value for filled in met for value in _ends(filled, "ethnicity").values()}
    assert {"01", "05"} <= peoples
    assert len({filled.expected["/data/place/head_name"] for filled in registered}) > 15


def test_a_visit_updates_the_child_that_was_chosen(registered: list[Filled], visited: list[Filled]) -> None:
    known = {child.id: child for child in _children(registered)}
    for filled in visited:
        (entity,) = filled.entities
        assert (entity.create, entity.update, entity.base_version) == (False, True, "1")
        assert entity.id == filled.expected["/data/child"]
        assert entity.id in known
        for path, value in filled.kept.items():
            name = path.rpartition("/")[2]
            if name in known[entity.id].properties:
                assert value == known[entity.id].properties[name]
    assert any(filled.kept for filled in visited)


def test_protected_answers_come_into_no_list_of_the_phone(visited: list[Filled]) -> None:
    """The real engine keeps them in the submission alone: they have no `save_to`."""
    types = load_entity_types(FORMS / "entities")
    officers = {name for name, prop in types["child_protected"].properties.items() if prop.officer}
    secret = protected_names({"half": types["child_protected"]}) - officers
    answered = {path.rpartition("/")[2] for filled in visited for path, value in filled.answered.items() if value}
    assert answered & secret == secret - {"law_conflict"}
    for filled in visited:
        assert not {name for entity in filled.entities for name in entity.properties} & secret
    assert any("internet_use" in entity.properties for filled in visited for entity in filled.entities)


def test_signs_demand_a_word_on_danger_and_danger_shows_whom_to_call(visited: list[Filled]) -> None:
    path = "/data/interview/protection"
    met = [filled.expected for filled in visited if f"{path}/abuse_signs" in filled.expected]
    assert {bool(answers[f"{path}/abuse_signs"]) for answers in met} == {True, False}
    for answers in met:
        assert answers[f"{path}/immediate_danger"] or not answers[f"{path}/abuse_signs"]
        assert (f"{path}/call_now" in answers) == (answers[f"{path}/immediate_danger"] == "1")
    assert any(f"{path}/call_now" in answers for answers in met)


def test_nobody_met_leaves_the_interview_out(registered: list[Filled], visited: list[Filled]) -> None:
    missed = [f for f in registered + visited if f.expected["/data/visit/visit_result"] not in ("1", "2")]
    assert missed
    for filled in missed:
        assert "<interview>" not in filled.xml
        assert not any("/interview/" in path for path in filled.answered)


def test_every_filling_is_a_submission_of_its_own(registered: list[Filled], visited: list[Filled]) -> None:
    everything = registered + visited
    assert len({filled.instance_id for filled in everything}) == len(everything) == 50


def test_the_same_seed_gives_the_same_families(engine: Engine, registered: list[Filled]) -> None:
    xform = _xform("household_registration")
    assert list(registrations(engine, xform, 3, 1, FILES)) == registered[:3]
    other = list(registrations(engine, xform, 3, 2, FILES, today=TODAY))
    assert [filled.answered for filled in other] != [filled.answered for filled in registered[:3]]
