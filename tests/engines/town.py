"""All forms filled by the engine about the same invented families, with the lists that a phone would have."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from lxml import etree

from forms.form import Form, Kind, Question
from forms.schema import ROW_ID
from tests.engines.fill import Filled, FilledEntity
from tests.engines.javarosa import Engine
from tests.engines.samples import follow_ups, registrations, reports, reviews, situations, updates

PLACES: dict[str, bytes] = {
    "wards.csv": "name,label\n2025.31135,Ninh Kiều\n2025.31120,Cái Khế\n".encode(),
    "hamlets.csv": (
        "name,label,ward\n01,Khu vực 1,2025.31135\n02,Khu vực 2,2025.31135\n03,Khu vực 3,2025.31135\n"
        "01,Khu vực 1,2025.31120\n"
    ).encode(),
}
HOME = "2025.31135"
HERE: dict[str, bytes] = {"wards.csv": f"name,label\n{HOME},Ninh Kiều\n".encode()}
_VISITS = UUID("6c0d3c5e-6f0e-4a55-9f38-2f4a1f0d9b11")


@dataclass(frozen=True)
class Filling:
    """What the engine made of one form, and the form."""

    form: Form
    filled: Filled

    def answers(self) -> dict[str, Any]:
        """The same answers as our own clients send them: every leaf that the engine holds in the end."""
        root = etree.fromstring(self.filled.xml.encode())
        found: dict[str, Any] = {}
        for repeat in self.form.repeats:
            rows = [{ROW_ID: ident} if (ident := _entity_id(node)) else {} for node in root.iter(f"{{*}}{repeat}")]
            found |= {repeat: rows} if rows else {}
        for path, text in self.filled.expected.items():
            place = self.place(path)
            if place is not None:
                question, row = place
                into = found if row is None else found[str(question.repeat)][row]
                into[question.name] = typed(question.kind, text)
        return found

    def place(self, path: str) -> tuple[Question, int | None] | None:
        """The question at a path of the engine, and its row from 0; None for what is no question."""
        question = self._paths.get(re.sub(r"\[\d+\]", "", path))
        if question is None:
            return None
        return question, None if question.repeat is None else int(path.partition("[")[2].partition("]")[0]) - 1

    @property
    def _paths(self) -> Mapping[str, Question]:
        return {question.path: question for question in self.form.questions}

    @property
    def entities(self) -> list[FilledEntity]:
        """The entities that the phone would create or update."""
        return [one for one in self.filled.entities if one.create or one.update]


def typed(kind: Kind, text: str) -> Any:
    """The value that an answer of this kind, written as `text`, stands for."""
    if not text:
        return None
    if kind is Kind.CODES:
        return sorted(text.split())
    return {Kind.INTEGER: int, Kind.DECIMAL: float}.get(kind, str.strip)(text)


def _entity_id(row: etree._Element) -> str | None:
    entities = (node for node in row.iter("{*}entity") if "1" in (node.get("create"), node.get("update")))
    return next((node.get("id") for node in entities), None)


@dataclass
class Filler:
    """Fills each form `count` times. Registrations and reports are of the day before: the others are about what they
    record. `serve`, if given, makes the entity lists of what was filled so far: those that a server has of it.
    """

    engine: Engine
    forms: Mapping[str, Form]
    count: int
    seed: int
    today: date
    serve: Callable[[Mapping[str, Sequence[Filling]]], Mapping[str, bytes]] | None = None
    made: dict[str, list[Filling]] = field(default_factory=dict)
    files: dict[str, Mapping[str, bytes]] = field(default_factory=dict)  # form id -> the lists it was filled with

    def everything(self) -> dict[str, list[Filling]]:
        """Form id -> its fillings, in an order in which they can be sent."""
        empty = {f"{name}.csv": b"name,label,__version\n" for name in ("household", "child", "person", "report")}
        before = self.today - timedelta(days=1)
        self._keep("household_registration", registrations, PLACES | HERE | empty, today=before)
        found = [one for one in self._entities("household_registration") if one.create]
        of = {kind: [one for one in found if one.dataset == kind] for kind in ("household", "child", "person")}
        files = PLACES | {f"{kind}.csv": entity_list(known) for kind, known in of.items()}
        files |= self._served()
        children, homes = [one.id for one in of["child"]], [one.id for one in of["household"]]
        members = {
            home: [(e.dataset, e.id) for e in found if e.properties.get("household") == home] for home in homes
        }
        subjects = [("child", one) for one in children] + [("household", one) for one in homes]
        subjects = [subjects[(at * 7) % len(subjects)] for at in range(len(subjects))]
        files |= {"visits.csv": visit_list(subjects)}
        self._keep("child_situation", situations, files, children)
        self._keep("household_update", updates, files, members)
        self._keep("follow_up_visit", follow_ups, files, subjects)
        self._keep("protection_report", reports, files, today=before)
        mine = [f for f in self.made["protection_report"] if f.answers().get("ward_code") in (None, "", HOME)]
        files |= {"report.csv": entity_list([one for filling in mine for one in filling.filled.entities])}
        files |= self._served()
        self._keep("child_review", reviews, files, children)
        return self.made

    def _served(self) -> Mapping[str, bytes]:
        return self.serve(self.made) if self.serve is not None else {}

    def _entities(self, name: str) -> Iterator[FilledEntity]:
        return (one for filling in self.made[name] for one in filling.filled.entities)

    def _keep(
        self,
        name: str,
        fillings: Callable[..., Iterator[Filled]],
        files: Mapping[str, bytes],
        *of: Any,
        today: date | None = None,
    ) -> None:
        form, self.files[name] = self.forms[name], dict(files)
        filled = fillings(self.engine, form.xml, self.count, self.seed, files, *of, today=today or self.today)
        self.made[name] = [Filling(form, one) for one in filled]


def entity_list(entities: Sequence[FilledEntity]) -> bytes:
    """An entity list as a server hands it out."""
    columns = sorted({name for entity in entities for name in entity.properties})
    rows = [{"name": one.id, "label": one.label, "__version": 1, **one.properties} for one in entities]
    return _csv(["name", "label", "__version", *columns], rows)


def visit_list(subjects: Sequence[tuple[str, str]]) -> bytes:
    """The visits that are due on the phone, one for each subject."""
    rows = [
        {"name": str(uuid5(_VISITS, ident)), "label": f"Lượt thăm {number}", "subject_type": kind, "subject": ident}
        for number, (kind, ident) in enumerate(subjects)
    ]
    return _csv(["name", "label", "subject_type", "subject"], rows)


def _csv(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> bytes:
    out = io.StringIO()
    writer = csv.DictWriter(out, columns)
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()
