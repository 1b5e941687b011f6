"""A form version as the server sees it: questions, entities and conditions. `forms.xform` reads it."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property

from forms.entity_types import PropertyType
from forms.expressions import Expression


class Kind(StrEnum):
    """What a question's answer is; the JSON form of each is given in `forms.values`."""

    TEXT = "text"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    DATETIME = "datetime"
    CODE = "code"
    CODES = "codes"
    GEOPOINT = "geopoint"
    FILE = "file"


# How a property of each type is asked; rows are asked question by question.
KIND_OF = {
    PropertyType.TEXT: Kind.TEXT,
    PropertyType.NAME: Kind.TEXT,
    PropertyType.INTEGER: Kind.INTEGER,
    PropertyType.DECIMAL: Kind.DECIMAL,
    PropertyType.DATE: Kind.DATE,
    PropertyType.DATETIME: Kind.DATETIME,
    PropertyType.CODE: Kind.CODE,
    PropertyType.SET: Kind.CODES,
    PropertyType.GEOPOINT: Kind.GEOPOINT,
    PropertyType.WARD: Kind.CODE,
    PropertyType.HAMLET: Kind.CODE,
    PropertyType.REF: Kind.CODE,
    PropertyType.FILE: Kind.FILE,
}


class FormError(ValueError):
    """A form that cannot be used; the message says which question and why."""


@dataclass(frozen=True)
class Container:
    """The group or repeat whose answers become one entity (ODK entities spec, `meta/entity`).

    `ident` calculates its id; where that is the answer to one question, `id_question` names it.
    """

    type: str
    path: str
    repeat: str | None
    id_question: str | None
    ident: Expression | None
    create: Expression | None
    update: Expression | None
    relevant: tuple[Expression, ...]


@dataclass(frozen=True)
class Question:
    """One question of a form version. `choices` is None where the list lives outside the form.

    `container` and `property` say what its answer is saved to, under today's name; `saved_as` is the name that the
    version itself gives to the property. `protected` is the container whose protected half takes the answer instead,
    or that is protected as a whole, under the question's own name. `list` is the code list that it offers.
    """

    name: str
    path: str
    kind: Kind
    repeat: str | None
    required: Expression | None
    relevant: tuple[Expression, ...]
    constraint: Expression | None
    message: str | None
    calculation: Expression | None
    choices: frozenset[str] | None
    container: Container | None
    property: str | None
    prefilled: bool
    protected: Container | None = None
    list: str | None = None
    saved_as: str | None = None


@dataclass(frozen=True)
class Form:
    """One published version of a form. Answers of any version stay readable for ever.

    `nodes` are the paths of all elements of its primary instance, without positions. `officers`: it asks what a
    supervisor alone may state, so it is not handed out to others.
    """

    id: str
    version: str
    title: str
    ward_list: str
    xml: str
    questions: tuple[Question, ...]
    repeats: tuple[str, ...]
    nodes: frozenset[str]
    containers: tuple[Container, ...]
    officers: bool = False

    @cached_property
    def sha256(self) -> str:
        """Hex digest of the XForm's bytes, as a device compares it."""
        return hashlib.sha256(self.xml.encode()).hexdigest()

    @cached_property
    def by_name(self) -> Mapping[str, Question]:
        return {question.name: question for question in self.questions}

    def of(self, repeat: str | None) -> tuple[Question, ...]:
        """The questions asked once (`None`), or in each row of `repeat`."""
        return self._levels.get(repeat, ())

    def bound(self, repeat: str | None) -> Sequence[Question]:
        """Of those, the ones that must be answered, or not in every way."""
        return self._bound.get(repeat, ())

    @cached_property
    def _bound(self) -> Mapping[str | None, Sequence[Question]]:
        return {level: [q for q in some if _is_bound(q)] for level, some in self._levels.items()}

    @cached_property
    def _levels(self) -> Mapping[str | None, tuple[Question, ...]]:
        repeats = {question.repeat for question in self.questions}
        return {repeat: tuple(q for q in self.questions if q.repeat == repeat) for repeat in repeats}

    @cached_property
    def saving(self) -> Mapping[str, Sequence[tuple[Question, str]]]:
        """By path of a container: the questions that save to a property of its entity, with that."""
        found: dict[str, list[tuple[Question, str]]] = {}
        for question in self.questions:
            if question.container is not None and question.property is not None:
                found.setdefault(question.container.path, []).append((question, question.property))
        return found

    @cached_property
    def guarding(self) -> Mapping[str, Sequence[Question]]:
        """By path of a container: the questions that speak of the protected half of its entity."""
        found: dict[str, list[Question]] = {}
        for question in self.questions:
            if question.protected is not None:
                found.setdefault(question.protected.path, []).append(question)
        return found


def _is_bound(question: Question) -> bool:
    return question.calculation is None and (question.required is not None or question.constraint is not None)
