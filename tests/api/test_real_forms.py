"""The two real forms, filled by the engine that phones run, go through the server: nothing is lost or bent."""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pytest

from forms.catalogue import Catalogue
from forms.form import Form, Kind
from server.clock import now
from sync.arrival import Sender
from sync.authority import Role
from sync.envelope import RawItem
from sync.reading import Reader
from sync.times import local_date
from tests.api.builders import AREA, VERSIONS, claim, moment
from tests.api.conftest import Town
from tests.engines.fill import Filled, FilledEntity
from tests.engines.javarosa import Engine
from tests.engines.samples import registrations, situations

COUNT, LOT = 50, 25
HAMLETS = ("01", "02", "03")
FILES: Mapping[str, bytes] = {
    "wards.csv": "name,label\n31135,Ninh Kiều\n".encode(),
    "hamlets.csv": "name,label,ward\n01,Khu vực 1,31135\n02,Khu vực 2,31135\n03,Khu vực 3,31135\n".encode(),
    "household.csv": b"name,label,__version\n",
}


@dataclass(frozen=True)
class Filling:
    """What the engine made of one form, and the form."""

    form: Form
    filled: Filled

    def item(self, *claims: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "id": self.filled.instance_id,
            "form": self.form.id,
            "version": VERSIONS[self.form.id],
            "observed_at": moment(),
            "xml": self.filled.xml,
            "entities": list(claims),
        }


@pytest.fixture(scope="module")
def registered(engine: Engine, catalogue: Catalogue) -> list[Filling]:
    form = _form(catalogue, "household_registration")
    filled = registrations(engine, form.xml, COUNT, 11, FILES, today=local_date(now()))
    return [Filling(form, one) for one in filled]


@pytest.fixture(scope="module")
def visited(engine: Engine, catalogue: Catalogue, registered: Sequence[Filling]) -> list[Filling]:
    form, children = _form(catalogue, "child_situation"), _children(registered)
    files = {**FILES, "child.csv": _child_list(children)}
    ids = [child.id for child in children]
    filled = situations(engine, form.xml, min(COUNT, len(ids)), 11, files, ids, today=local_date(now()))
    return [Filling(form, one) for one in filled]


def test_fifty_of_each_go_through_and_say_what_the_engine_says(
    new_town: Callable[..., Town], registered: Sequence[Filling], visited: Sequence[Filling]
) -> None:
    """One test, because filling takes longer than sending: two workers would each fill all of them."""
    assert len(registered) == len(visited) == COUNT
    people = {"u1": (Role.COLLABORATOR, HAMLETS)}
    _every_answer_has_the_type_of_its_question(new_town(people), [*registered, *visited])
    _entities_are_what_the_engine_says(new_town(people), registered, visited)
    _without_claims_nothing_is_lost(new_town(people), registered[:15], visited)


def _entities_are_what_the_engine_says(ward: Town, registered: Sequence[Filling], visited: Sequence[Filling]) -> None:
    receipts = _push(ward, [filling.item() for filling in registered])
    bases = {entity["id"]: entity["etag"] for receipt in receipts for entity in receipt["entities"]}
    for filling, receipt in zip(registered, receipts, strict=True):
        made = {entity.id for entity in filling.filled.entities if entity.create}
        assert {entity["id"] for entity in receipt["entities"]} == made
        for entity in filling.filled.entities:
            if entity.create:
                _compare(ward, filling.form, entity, {})

    before = {child.id: ward.child(child.id)["data"] for child in _children(registered)}
    items = []
    for filling in visited:
        (entity,) = filling.filled.entities
        items.append(filling.item(claim("child", entity.id, bases[entity.id], before[entity.id])))
    receipts = _push(ward, items)
    for filling, receipt in zip(visited, receipts, strict=True):
        (entity,) = filling.filled.entities
        assert [one["id"] for one in receipt["entities"]] == [entity.id]
        _compare(ward, filling.form, entity, _rows(filling))
        data = ward.child(entity.id)["data"]
        untold = before[entity.id].keys() - entity.properties.keys()
        assert {name: data[name] for name in untold} == {name: before[entity.id][name] for name in untold}


def _without_claims_nothing_is_lost(ward: Town, registered: Sequence[Filling], visited: Sequence[Filling]) -> None:
    """A phone that tells no state: what it was shown is unknown, so a different name waits for a person."""
    _push(ward, [filling.item() for filling in registered])
    here = {child.id for child in _children(registered)}
    visits = [filling for filling in visited if filling.filled.entities[0].id in here]
    assert len(visits) > 5
    receipts = ward.push([filling.item() for filling in visits])
    assert {receipt["outcome"] for receipt in receipts} <= {"applied", "conflict"}
    for filling, receipt in zip(visits, receipts, strict=True):
        assert receipt["warnings"] == ["unknown_base"]
        (entity,) = filling.filled.entities
        state = ward.child(entity.id)
        assert state["data"].get("risk_now") == entity.properties.get("risk_now")
        names = [state["data"]["full_name"]]
        names += [
            v["value"]["full_name"] for c in state["conflicts"] if c["cell"] == "full_name" for v in c["values"]
        ]
        assert entity.properties.get("full_name", names[0]) in names


def _every_answer_has_the_type_of_its_question(ward: Town, fillings: Sequence[Filling]) -> None:
    reader = Reader(ward.nest.catalogue, ward.nest.places, ward.nest.limits)
    kinds = set()
    for filling in fillings:
        raw = RawItem(b"", filling.item(), None)
        arrival = reader.read(raw, Sender("u1", None, frozenset({"u1"}), 0), None, now())
        assert arrival.held is None, arrival.problems
        assert arrival.filled is not None
        paths = {question.path: question for question in filling.form.questions}
        for path, text in filling.filled.expected.items():
            question = paths.get(_path(path))
            if question is not None:
                kinds.add(question.kind)
                answers: Mapping[str, Any] = arrival.filled.answers
                if question.repeat is not None:
                    answers = answers[question.repeat][_row(path) - 1]
                assert answers.get(question.name) == _typed(question.kind, text), path
    assert kinds >= {Kind.TEXT, Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.CODE, Kind.CODES, Kind.GEOPOINT}


def _push(town: Town, items: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    receipts = [one for at in range(0, len(items), LOT) for one in town.push(items[at : at + LOT])]
    for receipt in receipts:
        assert receipt["outcome"] == "applied", receipt
    return receipts


def _compare(town: Town, form: Form, entity: FilledEntity, rows: Mapping[str, Any]) -> None:
    """The entity on the server is what the engine would put into the phone's own list."""
    show = town.child if entity.dataset == "child" else town.household
    state = show(entity.id)
    questions = {question.property: question for question in form.questions if question.property}
    for name, text in entity.properties.items():
        value = _typed(questions[name].kind, text)
        if name == "ward_code":
            value = AREA
        if name == "household":
            assert value == state["data"]["household"]
        assert state["data"].get(name) == value, (entity.id, name)
    told = {name: [entry["value"] for entry in state["series"].get(name, [])] for name in rows}
    assert told == rows
    assert state["scope"] in {f"{AREA}/{hamlet}" for hamlet in HAMLETS}


def _typed(kind: Kind, text: str) -> Any:
    """The value that an answer of this kind, written as `text`, stands for."""
    if not text:
        return None
    if kind is Kind.CODES:
        return sorted(text.split())
    return {Kind.INTEGER: int, Kind.DECIMAL: float}.get(kind, str.strip)(text)


def _rows(filling: Filling) -> dict[str, list[dict[str, Any]]]:
    """The rows of each repeat as the engine holds them, without blanks."""
    found: dict[str, dict[int, dict[str, Any]]] = {repeat: {} for repeat in filling.form.repeats}
    paths = {question.path: question for question in filling.form.questions}
    for path, text in filling.filled.expected.items():
        question = paths.get(_path(path))
        if question is not None and question.repeat is not None and text:
            found[question.repeat].setdefault(_row(path), {})[question.name] = _typed(question.kind, text)
    return {repeat: [rows[number] for number in sorted(rows)] for repeat, rows in found.items()}


def _path(path: str) -> str:
    return re.sub(r"\[\d+\]", "", path)


def _row(path: str) -> int:
    return int(path.partition("[")[2].partition("]")[0])


def _form(catalogue: Catalogue, ident: str) -> Form:
    return next(form for form in catalogue.current() if form.id == ident)


def _children(registered: Sequence[Filling]) -> list[FilledEntity]:
    entities = [entity for filling in registered for entity in filling.filled.entities]
    return [entity for entity in entities if entity.dataset == "child" and entity.create]


def _child_list(children: Sequence[FilledEntity]) -> bytes:
    columns = sorted({name for child in children for name in child.properties})
    out = io.StringIO()
    writer = csv.DictWriter(out, ["name", "label", "__version", *columns])
    writer.writeheader()
    for child in children:
        writer.writerow({"name": child.id, "label": child.label, "__version": 1, **child.properties})
    return out.getvalue().encode()
