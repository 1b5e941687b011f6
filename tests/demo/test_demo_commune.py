"""The demonstration commune: repeatable, plausible, and answered as the shipped forms ask."""

import csv
import json
import re
import unicodedata
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from forms.catalogue import Entry, load_catalogue
from forms.entity_types import protected_id, protected_names
from forms.expressions import Value, string, truth
from forms.filling import fill
from forms.form import Form, Kind, Question
from forms.schema import ROW_ID, check
from server.demo.commune import AREA, HAMLETS, Commune, Item, commune
from server.demo.dice import Dice
from server.demo.protection import SECRET
from sync.authority import Role

ROOT = Path(__file__).parents[2]
TODAY = date(2026, 11, 24)
CATALOGUE = load_catalogue()
ENTRIES = {form.id: Entry(form) for form in CATALOGUE.current()}
MADE = commune(TODAY)
OTHERS = (
    commune(date(2027, 3, 1), seed=7, households=120),
    commune(date(2028, 2, 29), seed=1, households=120),
)
each_commune = pytest.mark.parametrize("made", (MADE, *OTHERS), ids=("default", "seed 7", "leap day"))
MET = ("1", "2")


def forms_of(made: Commune) -> Iterator[tuple[Entry, Item]]:
    for name, items in (("household_registration", made.registrations), ("child_situation", made.situations)):
        yield from ((ENTRIES[name], item) for item in items)


def members_of(item: Item) -> list[dict[str, Any]]:
    """The members of a household; adults answer the same questions under other names."""
    return [{name.removeprefix("adult_"): v for name, v in row.items()} for row in item.answers.get("members", [])]


def age(dob: str, on: str) -> int:
    born, day = date.fromisoformat(dob), date.fromisoformat(on)
    return day.year - born.year - ((day.month, day.day) < (born.month, born.day))


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for inner in value.values() if isinstance(value, Mapping) else value:
            yield from texts(inner)


class Level:
    """The answers of a form or of one row, as conditions look them up; counts over rows are done by hand."""

    def __init__(self, form: Form, answers: Mapping[str, Any], outer: "Level | None" = None) -> None:
        self.form, self.answers, self.outer, self.today = form, answers, outer, TODAY

    def value(self, name: str) -> Value:
        question = self.form.by_name[name]
        if self.outer is not None and question.repeat is None:
            return self.outer.value(name)
        if name in ("child_count", "under_6_count"):
            limit = 16 if name == "child_count" else 6
            rows, day = self.answers.get("members", []), self.answers["visit_date"]
            return string(float(sum("dob" in row and age(row["dob"], day) < limit for row in rows)))
        answer = self.answers.get(name)
        if answer is None:
            result = question.calculation(self, "") if question.calculation else ""
            return None if result is None else string(result)
        return " ".join(answer) if isinstance(answer, list) else str(answer)

    def asked(self, question: Question) -> bool:
        return all(truth(condition(self, "")) is True for condition in question.relevant)


def test_the_same_seed_and_day_give_the_same_commune() -> None:
    assert commune(TODAY) == MADE
    digests = {json.dumps([item.answers for item in made.situations]) for made in (MADE, commune(TODAY, seed=2027))}
    assert len(digests) == 2


def test_more_households_leave_the_others_as_they_were() -> None:
    fewer = commune(TODAY, households=20)
    assert {item.instance_id: item for item in fewer.registrations}.items() <= {
        item.instance_id: item for item in MADE.registrations
    }.items()


def test_users_and_places() -> None:
    with (ROOT / "config/areas/hamlets.csv").open(encoding="utf-8", newline="") as file:
        known = {row["code"] for row in csv.DictReader(file) if f"{row['list']}.{row['ward']}" == AREA}
    assert (MADE.area, set(MADE.hamlets)) == ("2025.31135", known)
    assert [(user.id, user.role) for user in MADE.users] == [
        ("u11", Role.COLLABORATOR), ("u12", Role.COLLABORATOR), ("u13", Role.COLLABORATOR),
        ("u21", Role.SUPERVISOR), ("u31", Role.SCHEDULER), ("u41", Role.ADMINISTRATOR),
    ]  # fmt: skip
    assert sorted(hamlet for user in MADE.users for hamlet in user.hamlets) == list(HAMLETS)
    charge = {user.id: user.hamlets for user in MADE.users}
    where = {item.household: item.answers["hamlet_code"] for item in MADE.registrations}
    assert set(where.values()) == set(HAMLETS)
    assert all(where[i.household] in charge[i.author] for i in (*MADE.registrations, *MADE.situations))


def test_counts_are_those_of_a_ward() -> None:
    met = [item for item in MADE.registrations if item.answers["visit_result"] in MET]
    members = [row for item in met for row in members_of(item)]
    children = [row for row in members if ROW_ID in row]
    assert len(MADE.registrations) == 200
    assert 3.5 <= len(members) / len(met) <= 4.5
    assert 1.4 <= len(children) / len(met) <= 1.8
    results = Counter(item.answers["visit_result"] for item in MADE.registrations)
    assert results["3"] >= 5
    assert 1 <= results["4"] <= 5
    told = Counter(item.answers.get("school_status") for item in MADE.situations)
    assert 3 <= told["3"] <= 15
    newborn = [i.answers for i in MADE.situations if i.answers.get("full_name") in ("Trai", "Gái")]
    assert len(newborn) >= 3
    assert {answers["birth_reg"] for answers in newborn} == {"3"}
    assert {row["ethnicity"] for row in children} == {"01", "04", "05"}


@each_commune
def test_every_answer_is_one_that_the_form_takes(made: Commune) -> None:
    """Kinds, codes, required questions and constraints, by the forms' own gate and conditions."""
    for entry, item in forms_of(made):
        answers, problems = check(entry.schema, item.answers)
        assert problems == [], (item, problems)
        named = [("child", item.child)] if item.child else [("household", item.household)]
        day = date.fromisoformat(item.answers["visit_date"])
        filled = fill(entry.form, CATALOGUE.types, answers, named, item.instance_id, day)
        assert filled.problems == (), (item, filled.problems)
        expected = {item.child or item.household} | {row[ROW_ID] for row in members_of(item) if ROW_ID in row}
        expected |= {protected_id(str(item.child))} if set(SECRET) & set(item.answers) else set()
        assert {told.id for told in filled.told if told.type != "person"} == expected, item
        adults = [row for row in members_of(item) if row["member_kind"] == "2"]
        assert len([told for told in filled.told if told.type == "person"]) == len(adults), item


@each_commune
def test_no_question_is_answered_that_was_not_asked(made: Commune) -> None:
    for entry, item in forms_of(made):
        top = Level(entry.form, item.answers)
        levels = [(top, item.answers)]
        for repeat in entry.form.repeats:
            levels += [(Level(entry.form, row, top), row) for row in item.answers.get(repeat, [])]
        for level, answers in levels:
            for name in set(answers) - {ROW_ID, "household_id", *entry.form.repeats}:
                assert level.asked(entry.form.by_name[name]), (name, answers)


def test_few_children_are_in_need_of_protection_and_one_of_them_now() -> None:
    told = {name: [item for item in MADE.situations if name in item.answers] for name in SECRET}
    assert 3 <= len({item.child for item in told["abuse_signs"]}) <= 12
    assert [item.answers["immediate_danger"] for item in told["immediate_danger"]].count("1") == 1
    assert 2 <= len({item.child for item in told["sc_protected"]}) <= 8
    secret = {item.child for items in told.values() for item in items}
    assert len(secret) < len({item.child for item in MADE.situations}) / 5
    for item in told["abuse_signs"]:
        assert item.answers["risk_now"] in ("2", "3")
    danger = next(item for item in MADE.situations if item.answers.get("immediate_danger") == "1")
    assert danger.answers["risk_now"] == "3" and danger.answers["abuse_signs"]
    assert TODAY - date.fromisoformat(danger.answers["visit_date"]) <= timedelta(days=2)
    half = CATALOGUE.types["child_protected"].properties
    names = protected_names({"half": CATALOGUE.types["child_protected"]})
    visited = {name for name in names if not half[name].officer}
    assert set(SECRET) == visited - {"law_conflict"}


def test_every_question_is_answered_somewhere() -> None:
    answered: dict[str, set[str]] = {}
    for entry, item in forms_of(MADE):
        rows = [row for repeat in entry.form.repeats for row in item.answers.get(repeat, [])]
        for answers in (item.answers, *rows):
            answered.setdefault(entry.form.id, set()).update(answers)
    for name, given in answered.items():
        entry = ENTRIES[name]
        sheet = (ROOT / "forms/xlsforms" / name / "survey.csv").read_text(encoding="utf-8")
        notes = set(re.findall(r"^note,(\w+),", sheet, re.MULTILINE))
        wanted = {q.name for q in entry.form.questions if q.calculation is None and q.kind is not Kind.FILE} - notes
        assert wanted <= given, wanted - given


@each_commune
def test_codes_are_in_the_shared_lists(made: Commune) -> None:
    lists: dict[str, set[str]] = {}
    with (ROOT / "forms/choices.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            lists.setdefault(row["list_name"], set()).add(row["name"])
    for entry, item in forms_of(made):
        sheet = ROOT / "forms/xlsforms" / entry.form.id / "survey.csv"
        asked = dict(re.findall(r"^select_(?:one|multiple) (\w+),(\w+),", sheet.read_text(encoding="utf-8"), re.M))
        kinds = {name: kind for kind, name in asked.items()}
        rows = [row for repeat in entry.form.repeats for row in item.answers.get(repeat, [])]
        for answers in (item.answers, *rows):
            for name in set(answers) & set(kinds):
                given = answers[name] if isinstance(answers[name], list) else [answers[name]]
                assert set(given) <= lists[kinds[name]], (name, given)


@each_commune
def test_ages_agree_with_the_relationship(made: Commune) -> None:
    for item in made.registrations:
        day, rows = item.answers["visit_date"], members_of(item)
        if not rows:
            continue
        head, *others = rows
        assert head["relationship"] == "1"
        assert "1" not in [row["relationship"] for row in others]
        assert len({row["full_name"] for row in rows}) == len(rows)
        for row in others:
            younger = age(head["dob"], day) - age(row["dob"], day)
            low, high = {"2": (-3, 10), "3": (15, 50), "5": (15, 50), "8": (33, 85)}[row["relationship"]]
            assert low <= younger <= high, (head, row)
        for row in rows:
            assert (ROW_ID in row) == (age(row["dob"], day) < 16)
            assert 0 <= age(row["dob"], day) <= 90
        born = sorted(date.fromisoformat(row["dob"]) for row in rows if row["relationship"] in ("3", "8"))
        assert all(later - earlier > timedelta(days=280) for earlier, later in pairwise(born))


@each_commune
def test_ids_are_unique_and_agree(made: Commune) -> None:
    rows = {row[ROW_ID]: (item, row) for item in made.registrations for row in members_of(item) if ROW_ID in row}
    assert len(rows) == sum(ROW_ID in row for item in made.registrations for row in members_of(item))
    items = (*made.registrations, *made.situations)
    assert len({item.instance_id for item in items}) == len(items)
    assert all(uuid.UUID(item.instance_id.removeprefix("uuid:")) for item in items)
    assert len({item.household for item in made.registrations}) == len(made.registrations)
    for item in made.situations:
        registered, row = rows[str(item.child)]
        assert item.answers["child"] == item.child
        assert (item.household, item.author) == (registered.household, registered.author)
        assert item.observed_at > registered.observed_at
        for name in set(row) & set(item.answers):
            assert item.answers[name] == row[name], (name, item)


@each_commune
def test_personal_numbers_are_of_the_person_and_of_nobody(made: Commune) -> None:
    rows = [row for item in made.registrations for row in members_of(item)]
    pids = [row["pid"] for row in rows if "pid" in row]
    assert len(set(pids)) == len(pids) > 100
    for row in rows:
        if "pid" in row:
            century = 2 * (int(row["dob"][:2]) - 19) + (row["sex"] == "2")
            assert row["pid"][:6] == f"099{century}{row['dob'][2:4]}"
        assert row.get("hi_number", "99").startswith("99")
    for item in (*made.registrations, *made.situations):
        for name in ("phone", "caregiver_phone"):
            assert item.answers.get(name, "030").startswith("030")


@each_commune
def test_visits_lie_in_the_last_five_months(made: Commune) -> None:
    today = {id(MADE): TODAY, id(OTHERS[0]): date(2027, 3, 1)}.get(id(made), date(2028, 2, 29))
    for item in (*made.registrations, *made.situations):
        at = datetime.fromisoformat(item.observed_at)
        assert at.utcoffset() == timedelta(hours=7)
        assert item.answers["visit_date"] == at.date().isoformat()
        assert today - timedelta(days=150) <= at.date() < today
    months = {item.observed_at[:7] for item in made.registrations}
    assert len(months) >= 5
    assert list(made.situations) == sorted(made.situations, key=lambda item: (item.observed_at, item.instance_id))


@each_commune
def test_texts_are_nfc_and_have_the_vietnamese_d(made: Commune) -> None:
    names = [user.name for user in made.users]
    seen = [*names, *texts([item.answers for item in (*made.registrations, *made.situations)])]
    assert all(unicodedata.is_normalized("NFC", text) for text in seen)
    assert not set("".join(seen)) & set("\u00d0\u00f0\u0189")
    assert "\u0110" in "".join(seen)


def test_dice_keep_to_their_limits() -> None:
    rolls = [Dice(f"{n}") for n in range(2000)]
    assert {dice.between("x", 1, 3) for dice in rolls} == {1, 2, 3}
    assert {dice.between("x", 5, 4) for dice in rolls} == {5}
    counts = Counter(dice.one("x", {"a": 3, "never": 0, "b": 1}) for dice in rolls)
    assert set(counts) == {"a", "b"}
    assert 1400 < counts["a"] < 1600
    assert {dice.day("x", date(2026, 2, 27), date(2026, 3, 1)).day for dice in rolls} == {27, 28, 1}
