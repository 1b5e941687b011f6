"""The driver over the real form engine: what it returns is what a phone would send."""

from collections.abc import Mapping
from datetime import date

import pytest
from lxml import etree

from tests.engines import toy
from tests.engines.fill import Chooser, Filled, Hint, Refusal
from tests.engines.javarosa import Engine
from tests.engines.phone import as_phone_list
from tests.engines.tree import EngineError, NoAnswerError

TODAY = date(2026, 11, 23)
REGISTER, FOLLOW = toy.register(), toy.follow()


def _register(
    engine: Engine, seed: int = 1, hints: Mapping[str, Hint] | None = None, rows: tuple[int, int] = (1, 4)
) -> Filled:
    return engine.fill(REGISTER, toy.FILES, Chooser(seed, hints, rows=rows), today=TODAY)


def _follow(engine: Engine, hints: Mapping[str, Hint], seed: int = 1, keep: float = 1.0) -> Filled:
    return engine.fill(FOLLOW, toy.FILES, Chooser(seed, hints, blank=0, keep=keep), today=TODAY)


def _root(filled: Filled) -> etree._Element:
    return etree.fromstring(filled.xml.encode())


def test_answers_stand_in_the_instance_as_given(engine: Engine) -> None:
    filled = _register(engine, hints={"head": ["Nguyễn Thị Hoà"], "water": ["1"], "answers": ["1 0"]})
    root = _root(filled)
    assert root.get("id") == "register"
    assert root.findtext("head") == "Nguyễn Thị Hoà"
    assert root.findtext("answers") == "1 0"
    assert filled.answered["/data/head"] == "Nguyễn Thị Hoà"
    for path, value in filled.answered.items():
        assert root.findtext(path.removeprefix("/data/")) == filled.expected[path], path
        if not path.endswith("gps"):
            assert value.removesuffix(".0") == filled.expected[path].removesuffix(".0")


def test_what_a_constraint_excludes_the_engine_refuses(engine: Engine) -> None:
    tried = iter(["51", "4", "50"])
    filled = _register(engine, hints={"water": ["1"], "metres": lambda ask, random: next(tried)})
    refused = [(r.value, r.why) for r in filled.refused if r.path == "/data/metres"]
    assert refused == [("51", Refusal.CONSTRAINT), ("4", Refusal.CONSTRAINT)]
    assert filled.expected["/data/metres"] == "50"


def test_a_required_question_without_acceptable_answer_ends_the_filling(engine: Engine) -> None:
    with pytest.raises(NoAnswerError) as caught:
        _register(engine, hints={"visit_date": ["2026-11-24", "2027-01-01"]})
    assert caught.value.path == "/data/visit_date"
    assert [r.why for r in caught.value.refused] == [Refusal.CONSTRAINT] * 2
    with pytest.raises(NoAnswerError) as caught:
        _register(engine, hints={"head": lambda ask, random: None})
    assert {r.why for r in caught.value.refused} == {Refusal.REQUIRED}


def test_choices_are_those_that_the_filter_leaves(engine: Engine) -> None:
    seen: dict[str, tuple[str, ...]] = {}

    def look(ask, random):
        seen[ask.around["ward"]] = ask.choices
        return random.choice(ask.choices)

    for ward in ("31135", "31120"):
        _register(engine, hints={"ward": [ward], "hamlet": look})
    assert seen == {"31135": ("01", "02"), "31120": ("07",)}
    with pytest.raises(NoAnswerError) as caught:
        _register(engine, hints={"ward": ["31135"], "hamlet": lambda ask, random: "07"})
    assert {r.why for r in caught.value.refused} == {Refusal.NOT_OFFERED}


def test_irrelevant_is_absent_and_blank_is_an_empty_element(engine: Engine) -> None:
    filled = _register(engine, hints={"water": ["0"], "phone": lambda ask, random: None})
    root = _root(filled)
    assert root.find("metres") is None
    assert "/data/metres" not in filled.expected
    phone = root.find("phone")
    assert phone is not None
    assert phone.text is None
    assert filled.expected["/data/phone"] == ""
    assert "/data/phone" not in filled.answered


def test_an_answer_that_becomes_irrelevant_is_not_sent(engine: Engine) -> None:
    xform = REGISTER.replace("relevant=\" /data/water  = '1'\"", "relevant=\" /data/answers  = ''\"")
    assert xform != REGISTER
    filled = engine.fill(xform, toy.FILES, Chooser(1, {"answers": ["1"]}), today=TODAY)
    assert "/data/metres" not in filled.answered
    assert _root(filled).find("metres") is None


def test_optional_questions_are_answered_or_left_blank(engine: Engine) -> None:
    phones = {_register(engine, seed=seed).expected["/data/phone"] != "" for seed in range(12)}
    assert phones == {True, False}


def test_rows_carry_entities_that_create(engine: Engine) -> None:
    filled = _register(engine, rows=(3, 3))
    root = _root(filled)
    rows = root.findall("members")
    assert len(rows) == 3
    children = [row.find("meta/entity") for row in rows]
    assert [(e.get("dataset"), e.get("create")) for e in children] == [("child", "1")] * 3
    assert len({e.get("id") for e in children}) == 3
    assert [e.findtext("label") for e in children] == [row.findtext("member/name") for row in rows]
    household = root.find("meta/entity")
    assert household.get("create") == "1"
    assert household.get("id") == root.findtext("household_id")
    assert [(e.dataset, e.create, e.id) for e in filled.entities] == [
        *(("child", True, e.get("id")) for e in children),
        ("household", True, household.get("id")),
    ]
    assert all(e.properties["household"] == household.get("id") for e in filled.entities if e.dataset == "child")
    assert set(filled.entities[-1].properties) == {"ward", "hamlet", "head", "phone", "water"}


@pytest.mark.parametrize("count", [0, 1, 4])
def test_a_repeat_gets_as_many_rows_as_asked(engine: Engine, count: int) -> None:
    filled = _register(engine, rows=(count, count))
    assert len(_root(filled).findall("members")) == count
    assert sum(path.endswith("/name") for path in filled.expected) == count


def test_choosing_a_child_prefills_what_the_list_says(engine: Engine) -> None:
    filled = _follow(engine, {"met": ["1"]})
    assert filled.kept == {
        "/data/full_name": "Thạch Sô Phia",
        "/data/dob": "2019-05-31",
        "/data/weight": "17.5",
    }
    assert _root(filled).findtext("full_name") == "Thạch Sô Phia"
    changed = _follow(engine, {"met": ["1"], "weight": ["18.2"]})
    assert (changed.answered["/data/weight"], changed.expected["/data/weight"]) == ("18.2", "18.2")
    assert "/data/weight" not in changed.kept


def test_an_update_names_the_version_and_branch_that_the_phone_had(engine: Engine) -> None:
    filled = _follow(engine, {"met": ["1"]})
    entity = filled.entities[0]
    assert (entity.id, entity.create, entity.update) == (toy.CHILD, False, True)
    assert (entity.base_version, entity.trunk_version) == ("7", "7")
    element = _root(filled).find("meta/entity")
    assert element.get("branchId") == entity.branch_id != ""
    assert (element.get("update"), element.get("create"), element.get("baseVersion")) == ("1", None, "7")
    away = _follow(engine, {"met": ["0"], "note": ["Vắng nhà"]})
    assert away.entities[0].properties == {"note": "Vắng nhà"}


def test_the_same_seed_gives_the_same_filling(engine: Engine) -> None:
    first, again, other = (_register(engine, seed=seed) for seed in (5, 5, 6))
    assert first == again
    assert first.answered != other.answered
    assert first.instance_id != other.instance_id


def test_the_instance_id_can_be_given(engine: Engine) -> None:
    given = "uuid:0b5a5b5e-7d33-4f55-8a4e-3f1a52c4d9aa"
    filled = engine.fill(REGISTER, toy.FILES, Chooser(1), today=TODAY, instance_id=given)
    assert filled.instance_id == given
    assert _root(filled).findtext("meta/instanceID") == given


def test_the_phone_lives_on_the_day_given(engine: Engine) -> None:
    day = date(2025, 3, 9)
    filled = engine.fill(REGISTER, toy.FILES, Chooser(3), today=day)
    start, end = filled.expected["/data/start"], filled.expected["/data/end"]
    assert start.startswith("2025-03-09T")
    assert start.endswith("+07:00")
    assert start < end
    assert filled.expected["/data/visit_date"] <= "2025-03-09"
    with pytest.raises(NoAnswerError):
        engine.fill(REGISTER, toy.FILES, Chooser(3, {"visit_date": ["2025-03-10"]}), today=day)


def test_what_collect_refuses_is_refused(engine: Engine) -> None:
    files = {name: content for name, content in toy.FILES.items() if name != "hamlets.csv"}
    with pytest.raises(EngineError, match="hamlets"):
        engine.fill(REGISTER, files, Chooser(1), today=TODAY)
    with pytest.raises(EngineError, match=r"2099\.1"):
        engine.fill(REGISTER.replace("2025.1.0", "2099.1.0"), toy.FILES, Chooser(1), today=TODAY)
    with pytest.raises(EngineError, match="no-such"):
        engine.fill(REGISTER.replace("today()", "no-such()"), toy.FILES, Chooser(1), today=TODAY)
    with pytest.raises(EngineError, match="cannot apply"):
        _register(engine, hints={"name": [" "]}, rows=(1, 1))
    files = {**toy.FILES, "child.csv": toy.FILES["child.csv"].replace(toy.CHILD.encode(), b"child-1")}
    with pytest.raises(EngineError, match="cannot apply"):
        engine.fill(FOLLOW, files, Chooser(1), today=TODAY)


def test_entity_lists_gain_the_columns_that_the_phone_makes() -> None:
    made = as_phone_list(toy.FILES["child.csv"]).decode().splitlines()
    assert made[0].endswith("__trunkVersion,__branchId")
    assert ",7," in made[1]
    assert as_phone_list(toy.FILES["wards.csv"]) == toy.FILES["wards.csv"]
