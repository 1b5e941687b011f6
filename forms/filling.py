"""One filled form: which answers count, what each entity is told, which conditions are broken.

The story of an answer: it is relevant or not; if relevant it may be required or constrained; if its question
saves to a property, the entity of its container is told of it. The answer to a protected question goes to the
protected half of that entity instead, and a blank there says nothing: its author was shown nothing of it.
"""

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from forms.conditions import xpath
from forms.entity_types import EntityType, Half, Property, PropertyType, protected_id
from forms.expressions import Expression, Value, string, truth
from forms.form import Container, Form, Kind, Question
from forms.lifting import NO_LIFTS, Lifts
from forms.schema import ROW_ID, Problem
from forms.text import normalise_name
from forms.values import blank

REQUIRED = "Câu này bắt buộc phải trả lời."
CONSTRAINT = "Câu trả lời không nằm trong khoảng cho phép."
_NAMESPACE = uuid.UUID("5b0e3d3c-5c1e-4b0a-9c55-70a4b1f0a001")


@dataclass(frozen=True)
class Told:
    """What one submission says of one entity: `said` maps property -> canonical value, None for blank.

    A property that the form did not ask, or whose question was not relevant, is not in `said`.
    `loaded` names the properties that this form version itself puts on the screen before they are answered.
    `hidden` maps property -> codes that it cannot show (`*`: no value at all), so that leaving them out says nothing.
    `creates`: the form makes a new entity of it, as far as can be told. `homeless` names the ward property of a new
    entity that was left blank where it may be: it lives in its author's area then.
    """

    type: str
    id: str
    said: Mapping[str, Any]
    loaded: frozenset[str]
    pointer: str
    hidden: Mapping[str, frozenset[str]] = field(default_factory=dict)
    creates: bool = False
    homeless: str | None = None


@dataclass(frozen=True)
class Filled:
    """A checked submission: canonical answers, what it tells of whom, and its facts."""

    answers: Mapping[str, Any]
    told: tuple[Told, ...]
    visit_result: str | None
    visit_date: str | None
    problems: tuple[Problem, ...] = ()


@dataclass
class _Level:
    """The answers of the form, or of one row: where the names of an expression are looked up."""

    form: Form
    answers: Mapping[str, Any]
    today: date
    repeat: str | None = None
    outer: "_Level | None" = None
    ids: Mapping[str, str] = field(default_factory=dict)
    _known: dict[str, Value] = field(default_factory=dict)
    _truths: dict[Expression, bool | None] = field(default_factory=dict)
    _working: int = 0  # values that are being worked out

    def value(self, name: str) -> Value:
        question = self.form.by_name.get(name)
        if question is None:
            return None
        if question.repeat != self.repeat:
            return self.outer.value(name) if self.outer and question.repeat is None else None
        if name not in self._known:
            self._known[name] = None  # a circle of conditions is not decidable
            self._working += 1
            self._known[name] = self._value(question)
            self._working -= 1
        return self._known[name]

    def relevant(self, question: Question | Container) -> bool | None:
        """Whether the question was asked; None if only the phone can know."""
        decided: bool | None = True
        for condition in question.relevant:
            result = self._holds(condition)
            if result is False:
                return False
            decided = decided if result else None
        return decided

    def _holds(self, condition: Expression) -> bool | None:
        """Whether a condition holds: worked out once for all questions of its group.

        While a value is worked out nothing is kept, as in a circle of conditions it is not known yet.
        """
        if condition in self._truths:
            return self._truths[condition]
        result = truth(condition(self, ""))
        if not self._working:
            self._truths[condition] = result
        return result

    def _value(self, question: Question) -> Value:
        if question.name in self.ids:
            return self.ids[question.name]
        answer = self.answers.get(question.name)
        relevant = self.relevant(question)
        if relevant is False:
            return ""
        if not blank(answer):
            return xpath(answer)
        if question.calculation is not None:
            result = question.calculation(self, "")
            return None if result is None else string(result)
        return "" if relevant else None


def fill(
    form: Form,
    types: Mapping[str, EntityType],
    answers: Mapping[str, Any],
    named: Sequence[tuple[str, str]],
    submission: str,
    today: date,
    lifts: Lifts = NO_LIFTS,
) -> Filled:
    """Decide what checked `answers` say. Conditions are judged as the form version has them; then `lifts` apply.

    `named` are the (type, id) of the entities that the submission lists; an entity that it creates without
    naming it gets an id derived from the submission's own. `today` stands for `today()` in conditions.
    """
    claimed = {row[ROW_ID] for repeat in form.repeats for row in answers.get(repeat) or () if ROW_ID in row}
    free = {kind: ident for kind, ident in named if ident not in {str(value) for value in claimed}}
    ids = _entity_ids(form, answers, free, submission)
    once = [(c.id_question, ids[c.path]) for c in form.containers if c.repeat is None]
    known = {name: ident for name, ident in once if name is not None and _made_up(form, name)}
    top = _Level(form, answers, today, ids=known)
    rows = [
        (repeat, index, _Level(form, row, today, repeat, top))
        for repeat in form.repeats
        for index, row in enumerate(answers.get(repeat) or ())
    ]
    problems = [*_broken(form, top, "/answers")]
    for repeat, index, level in rows:
        problems += _broken(form, level, f"/answers/{repeat}/{index}")
    told: list[Told] = []
    teller = _Teller(form, types, lifts)
    for container in form.containers:
        if _active(container, None, top):
            told += teller.tell(container, top, ids[container.path], "/answers")
    for repeat, index, level in rows:
        for container in form.containers:
            if _active(container, repeat, level):
                ident = _row_id(container, level, submission, index)
                told += teller.tell(container, level, ident, f"/answers/{repeat}/{index}")
    return Filled(answers, tuple(told), top_text(top, "visit_result"), top_text(top, "visit_date"), tuple(problems))


def _made_up(form: Form, name: str) -> bool:
    """Whether the form itself calculates an id: one that is chosen and left blank names nobody."""
    question = form.by_name.get(name)
    return question is not None and question.calculation is not None


def top_text(level: _Level, name: str) -> str | None:
    """The answer of a question that every visit form asks, if it was asked and answered."""
    value = level.value(name)
    return value if isinstance(value, str) and value else None


def _derived(submission: str, place: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, f"{submission} {place}"))


def _entity_ids(form: Form, answers: Mapping[str, Any], free: Mapping[str, str], submission: str) -> dict[str, str]:
    """The id of the entity of each container that is filled once: as answered, as named, or derived."""
    ids = {}
    for container in form.containers:
        if container.repeat is None:
            answered = answers.get(container.id_question) if container.id_question else None
            ids[container.path] = answered or free.get(container.type) or _derived(submission, container.path)
    return ids


def _row_id(container: Container, level: _Level, submission: str, index: int) -> str:
    """The id of a row's entity: as answered, as the engine has made it, or derived."""
    answered = container.ident(level, "") if container.ident is not None else None
    return str(answered or level.answers.get(ROW_ID) or _derived(submission, f"{container.path}/{index}"))


def _creates(container: Container, level: _Level) -> bool:
    """Whether the container's entity is new. One that may be either is taken as known where that is not decidable."""
    if container.create is None or truth(container.create(level, "")) is False:
        return False
    return container.update is None or truth(container.update(level, "")) is False


def _active(container: Container, repeat: str | None, level: _Level) -> bool:
    """Whether this container's entity is created or updated; what is not decidable counts as yes."""
    if container.repeat != repeat or level.relevant(container) is False:
        return False
    acts = [truth(act(level, "")) for act in (container.create, container.update) if act is not None]
    return not acts or any(act is not False for act in acts)


def _broken(form: Form, level: _Level, pointer: str) -> Iterator[Problem]:
    for question in form.bound(level.repeat):
        answer = level.answers.get(question.name)
        if blank(answer):
            required = question.required
            if required is not None and level.relevant(question) and truth(required(level, "")):
                yield Problem("required", f"{pointer}/{question.name}", REQUIRED)
        elif level.relevant(question) is not False and _violated(question, level, answer):
            yield Problem("constraint", f"{pointer}/{question.name}", question.message or CONSTRAINT)


def _violated(question: Question, level: _Level, answer: Any) -> bool:
    return question.constraint is not None and truth(question.constraint(level, xpath(answer))) is False


@dataclass(frozen=True)
class _Teller:
    """From answers to what is told of entities, under today's names and codes."""

    form: Form
    types: Mapping[str, EntityType]
    lifts: Lifts

    def tell(self, container: Container, level: _Level, ident: str, pointer: str) -> Iterator[Told]:
        """What is told of the container's entity, and of its protected half if anything was said of that."""
        form, properties = self.form, self.types[container.type].properties
        said: dict[str, Any] = {}
        mine = form.saving.get(container.path, ())
        for question, name in mine:
            said |= self._said(question, properties[name], level)
        if container.repeat is None:
            for repeat in form.repeats:
                prop = properties.get(self.lifts.name(repeat, properties) or "")
                rows = [_row(row) for row in level.answers.get(repeat) or ()]
                if prop is not None and prop.type is PropertyType.ROWS and any(rows):
                    said[prop.name] = self.lifts.value(prop, [row for row in rows if row])
        loaded = frozenset(name for question, name in mine if question.prefilled)
        kind, creates = self.types[container.type], _creates(container, level)
        if kind.half is Half.PROTECTED:
            said, ward = self._secret(kind, container, level), kind.placement.members[0].name
            homeless = ward if creates and ward not in said else None
            yield Told(kind.name, ident, said, frozenset(), pointer, creates=creates, homeless=homeless)
        elif not form.officers:  # what officers write about a child shows nowhere in the open
            yield Told(kind.name, ident, said, loaded, pointer, creates=creates)
        half = kind.protected_half
        secret = self._secret(half, container, level) if half is not None else {}
        if half is not None and (secret or form.officers):
            yield Told(half.name, protected_id(ident), {container.type: ident, **secret}, frozenset(), pointer)

    def _secret(self, half: EntityType, container: Container, level: _Level) -> dict[str, Any]:
        """The answers that only officers read, blanks left out."""
        said: dict[str, Any] = {}
        for question in self.form.guarding.get(container.path, ()):
            name = self.lifts.name(question.name, half.properties)
            assert name is not None  # or the form would not have been read
            said |= self._said(question, half.properties[name], level)
        return {name: value for name, value in said.items() if not blank(value)}

    def _said(self, question: Question, prop: Property, level: _Level) -> dict[str, Any]:
        """The property's value as answered, or nothing at all if the question was not put."""
        asked = prop.calculated if question.calculation is not None else question.name in level.answers
        if not asked or level.relevant(question) is False:
            return {}
        if question.calculation is not None:
            calculated = level.value(question.name)
            return {prop.name: self._typed(prop, calculated)} if calculated else {}
        if question.kind is Kind.FILE and blank(level.answers[question.name]):
            return {}  # no phone puts the photo that there is before its user, so none was taken away
        return {prop.name: self._typed(prop, level.answers[question.name])}

    def _typed(self, prop: Property, value: Any) -> Any:
        if prop.type is PropertyType.WARD and value and "." not in value:
            return f"{self.form.ward_list}.{value}"
        if prop.type is PropertyType.NAME and value:
            return normalise_name(value)
        return self.lifts.value(prop, value)


def _row(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if not blank(value) and name != ROW_ID}
