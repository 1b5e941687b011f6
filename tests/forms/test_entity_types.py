"""Entity types from their files: halves, what a file may not say, earlier versions."""

import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from forms.entity_types import EntityType, EntityTypeError, Half, PolicyName, protected_id, protected_names
from forms.type_files import UNSEEN_POLICIES, load_entity_types

TYPES = load_entity_types(Path(__file__).parents[2] / "forms/entities")
CHILD, HOUSEHOLD = TYPES["child"], TYPES["household"]
BASE = {"sensitivity": "S1", "vi": "x", "en": "x"}


def spec(kind: str = "text", policy: str = "latest", **more: Any) -> dict[str, Any]:
    return {"type": kind, "policy": policy, **BASE, **more}


def secret(policy: str = "union", kind: str = "set", **more: Any) -> dict[str, Any]:
    return spec(kind, policy, half="protected", **more)


def loaded(folder: Path, properties: Mapping[str, Any], **more: Any) -> dict[str, EntityType]:
    """The types of one file about a `child` with these properties beside its household and its name."""
    own = {"household": spec("ref", "review", placement=True), "full_name": spec("name", "review")}
    raw = {"type": "child", "version": 3, "label": "full_name", "properties": own | dict(properties), **more}
    (folder / "child.yaml").write_text(yaml.safe_dump(raw, allow_unicode=True, sort_keys=False), encoding="utf-8")
    return load_entity_types(folder)


# --- halves -------------------------------------------------------------------------------------------------------


def test_protected_properties_are_a_type_of_their_own(tmp_path: Path) -> None:
    types = loaded(tmp_path, {"signs": secret(danger=["*"]), "note": spec()}, vi="Trẻ", en="Child")
    child, half = types["child"], types["child_protected"]
    assert list(types) == ["child", "child_protected"]
    assert list(child.properties) == ["household", "full_name", "note"]
    assert child.protected_half is half and half.protected_half is None
    assert (child.half, half.half) == (Half.OPEN, Half.PROTECTED)
    assert (half.version, half.label, list(half.properties)) == (3, "child", ["child", "signs"])
    assert half.properties["signs"].danger == ("*",)
    first = half.properties["child"]
    assert (first.type, first.of, first.policy, first.sensitivity) == ("ref", "child", PolicyName.REVIEW, "S1")
    assert (first.placement, first.vi, first.en) == (True, "Trẻ", "Child")
    assert half.placement.name == "child"
    assert protected_names(types) == {"signs"}
    assert loaded(tmp_path, {})["child"].protected_half is None


def test_a_protected_half_has_the_same_id_for_everybody_and_for_ever() -> None:
    child = "11111111-1111-4111-8111-111111111111"
    assert protected_id(child) == "ab1a901e-d301-5bb6-ba5d-93061b79e82a"
    assert uuid.UUID(protected_id(child)).version == 5
    assert len({protected_id(child), protected_id("c-1"), protected_id(protected_id(child))}) == 3


def test_the_shipped_child_has_its_protected_half() -> None:
    half = TYPES["child_protected"]
    assert CHILD.protected_half is half
    assert set(half.properties) == {
        "child", "sc_protected", "at_risk_protected", "abuse_signs", "immediate_danger", "child_marriage",
        "substance_use", "law_conflict", "harm_still_serious", "perpetrator_access", "care_obstacles",
        "risk_conclusion", "conclusion_reason",
    }  # fmt: skip
    assert {p.policy for name, p in half.properties.items() if name != "child"} <= {
        PolicyName.UNION, PolicyName.UNION_GROW, PolicyName.HIGHEST, PolicyName.KEEP_FIRST, PolicyName.SERIES,
    }  # fmt: skip
    assert {name: p.danger for name, p in half.properties.items() if p.danger} == {
        "abuse_signs": ("*",),
        "immediate_danger": ("1",),
    }
    assert half.properties["immediate_danger"].rank == ("0", "9", "1")
    assert {p.sensitivity for name, p in half.properties.items() if name != "child"} == {"S3"}
    assert not set(half.properties) & set(CHILD.properties)
    assert {name for name, p in half.properties.items() if p.officer} == {
        p.name for p in half.cells["assessment"].members
    }
    assert not any(p.officer for name, p in CHILD.properties.items())


def test_the_shipped_report_is_for_officers_as_a_whole() -> None:
    """It names the ward where it happened, follows nobody, and holds what no policy needs to have been seen for."""
    report = TYPES["report"]
    assert (report.half, report.protected_half, report.follows, report.has_ward) == (
        Half.PROTECTED,
        None,
        False,
        True,
    )
    assert report.placement.name == "ward_code"
    assert {p.policy for name, p in report.properties.items() if name != "ward_code"} <= UNSEEN_POLICIES
    assert {name: p.danger for name, p in report.properties.items() if p.danger} == {
        "report_channel": ("*",),
        "abuse_signs": ("*",),
        "immediate_danger": ("1",),
    }
    assert not {"ward_code", "child_name", "report_channel"} & protected_names(TYPES)


def test_an_adult_is_open_and_lives_in_a_household() -> None:
    person = TYPES["person"]
    assert (person.half, person.protected_half, person.placement.name) == (Half.OPEN, None, "household")
    assert not person.has_ward and not person.follows


# --- what a file may not say --------------------------------------------------------------------------------------

BAD: list[tuple[Mapping[str, Any], Mapping[str, Any], str]] = [
    *[({"a": secret(policy)}, {}, "property a: not possible in the protected") for policy in ("latest", "review")],
    ({"a": secret("union", placement=True)}, {}, "property a: not possible in the protected half"),
    ({"child": secret()}, {}, "property child: not possible in the protected half"),
    ({}, {"half": "protected"}, "not possible in the protected half"),
    ({}, {"half": "secret"}, "secret"),
    ({"a": secret("series", group="g"), "b": spec(policy="series", group="g")}, {}, "group g is in both halves"),
    ({"a": spec(half="secret")}, {}, "property a: 'secret'"),
    ({"a": spec(policy="derived")}, {}, "property a: no function derives it"),
    ({"a": spec(danger=["1"])}, {}, "property a: only codes"),
    ({"a": spec("code", "highest")}, {}, "property a: a highest code needs its rank"),
    ({"a": spec(applies="${b} = '1'")}, {}, "condition of a names b"),
    ({"a": spec(applies="${s} != ''"), "s": secret()}, {}, "condition of a names s"),
    ({"s": secret(applies="${full_name} != ''")}, {}, "condition of s names full_name"),
    ({"a": spec(applies="${a} = uuid()")}, {}, "cannot be decided"),
    ({"a": spec(applies="${a} <= today()")}, {}, "asks for the clock"),
    ({"a": spec()}, {"checks": [{"id": "c", "test": "${a} != ''", "vi": "x", "en": "x"}]}, "check c fails where"),
    ({"a": spec()}, {"checks": [{"id": "c", "test": "${b} = ''", "vi": "x", "en": "x"}]}, "condition of c names b"),
    ({"a": spec()}, {"checks": [{"id": "c", "test": "true()"}]}, "check .*missing"),
    ({"a": spec()}, {"checks": [{"id": "c", "test": "true()", "vi": "x", "en": "x"}] * 2}, "two checks have one id"),
    ({"a": spec()}, {"earlier": {3: {"a": {"policy": "review"}}}}, "an earlier version must be less than 3"),
    ({"a": spec()}, {"earlier": {1: {"b": None}}}, "b was gone before it was there"),
    ({"a": spec()}, {"earlier": {1: {"b": {"policy": "latest"}}}}, "property b: 'type'"),
    ({"a": spec(group="g"), "b": spec(group="g")},
     {"earlier": {1: {"a": {"policy": "review"}}}}, "must share one policy"),
    ({"a": spec()}, {"earlier": {1: {"household": None}}}, "exactly one cell must be the placement"),
]  # fmt: skip


@pytest.mark.parametrize(("properties", "more", "message"), BAD, ids=[bad[2] for bad in BAD])
def test_what_a_file_may_not_say(
    properties: Mapping[str, Any], more: Mapping[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(EntityTypeError, match=message) as caught:
        loaded(tmp_path, properties, **more)
    assert "child.yaml" in str(caught.value)


def test_two_files_may_not_make_one_type(tmp_path: Path) -> None:
    loaded(tmp_path, {"a": secret()})
    raw = {"type": "child_protected", "version": 1, "label": "a", "properties": {"a": spec(placement=True)}}
    (tmp_path / "other.yaml").write_text(yaml.safe_dump(raw), encoding="utf-8")
    with pytest.raises(EntityTypeError, match="a type child_protected already"):
        load_entity_types(tmp_path)


# --- earlier versions ---------------------------------------------------------------------------------------------


def test_an_earlier_version_is_told_backwards_from_the_next(tmp_path: Path) -> None:
    properties = {"a": spec(policy="series"), "b": spec(policy="review"), "s": secret("highest", "integer")}
    earlier = {
        2: {"a": {"policy": "latest"}, "s": {"policy": "union", "type": "set"}},
        1: {"b": None, "a": {"sensitivity": "S3"}, "s": None},
    }
    kind = loaded(tmp_path, properties, earlier=earlier)["child"]
    assert kind.at(3) is kind and kind.at(9) is kind
    two, one = kind.at(2), kind.at(1)
    assert (two.version, one.version, kind.at(0)) == (2, 1, one)
    assert (two.properties["a"].policy, two.properties["a"].sensitivity) == (PolicyName.LATEST, "S1")
    assert (one.properties["a"].policy, one.properties["a"].sensitivity) == (PolicyName.LATEST, "S3")
    assert list(two.properties) == list(kind.properties) and "b" not in one.properties
    half = kind.protected_half
    assert half is not None and half.at(3) is half
    assert half.at(2).properties["s"].policy is PolicyName.UNION
    assert half.at(2) is two.protected_half and one.protected_half is None


def test_a_version_that_is_not_known_is_the_nearest_later_one(tmp_path: Path) -> None:
    kind = loaded(
        tmp_path, {"a": spec()}, version=7, earlier={5: {"a": None}, 2: {"full_name": {"policy": "latest"}}}
    )
    assert [kind["child"].at(version).version for version in (1, 2, 3, 5, 6, 7)] == [2, 2, 5, 5, 7, 7]


def test_the_first_published_versions_merged_as_latest() -> None:
    first, now = CHILD.at(1), CHILD
    later = {PolicyName.UNION, PolicyName.UNION_GROW, PolicyName.KEEP_FIRST, PolicyName.SERIES}
    for kind, before in ((now, first), (HOUSEHOLD, HOUSEHOLD.at(1))):
        assert (kind.version, before.version) == (3, 1)
        for name, prop in kind.properties.items():
            if name in before.properties:
                expected = PolicyName.LATEST if prop.policy in later else prop.policy
                assert before.properties[name].policy is expected, name
    assert set(CHILD.at(2).properties) - set(first.properties) == {"internet_use"}
    assert set(HOUSEHOLD.at(2).properties) == set(HOUSEHOLD.at(1).properties)
    assert first.protected_half is None


def test_the_third_versions_added_presence_agreements_and_assessments() -> None:
    agreement = {p.name for p in CHILD.cells["agreement"].members}
    assert set(HOUSEHOLD.properties) - set(HOUSEHOLD.at(2).properties) == agreement | {"hazard_photo"}
    new = set(CHILD.properties) - set(CHILD.at(2).properties)
    assert new == agreement | {"joined", "joined_on", "presence", "presence_on"}
    half, before = CHILD.protected_half, CHILD.at(2).protected_half
    assert half is not None and before is not None
    assert set(half.properties) - set(before.properties) == {p.name for p in half.cells["assessment"].members}
