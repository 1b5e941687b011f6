"""Where the answer to a question goes, and who can read it there."""

from collections.abc import Mapping
from dataclasses import dataclass

from forms.entity_types import EntityType, Half, Property, PropertyType
from forms.form import Form, Question
from forms.lifting import Lifts

OPEN = "everybody who has the {owner}'s place: its collaborators and officers"
OFFICERS = "the officers of the area alone"
NOBODY = "whoever may read the submission; it stays there"
VISIT = {"visit_date": "the day of the visit", "visit_result": "the outcome of the visit"}


@dataclass(frozen=True)
class Destination:
    """The property that an answer is written to; `prop` is None if it stays in the submission."""

    name: str  # `child.birth_reg`; of a column of rows `child.injuries.injury_type`
    readers: str
    prop: Property | None = None


def destination(form: Form, question: Question, types: Mapping[str, EntityType], lifts: Lifts) -> Destination:
    """Where an answer of this form version goes today."""
    if question.container is not None and question.property is not None:
        kind = types[question.container.type]
        return _to(kind, kind.properties[question.property], kind.name)
    if question.protected is not None:
        owner = types[question.protected.type]
        half = owner.protected_half or owner
        name = lifts.name(question.name, half.properties)
        assert name is not None
        return _to(half, half.properties[name], owner.name)
    if question.repeat is not None and (rows := _rows(form, question.repeat, types, lifts)) is not None:
        kind, prop = rows
        found = _to(kind, prop, kind.name)
        return Destination(f"{found.name}.{lifts.name(question.name, prop.fields)}", found.readers, prop)
    said = VISIT.get(question.name)
    return Destination(f"the submission; the server takes {said} from it" if said else "the submission", NOBODY)


def _to(kind: EntityType, prop: Property, owner: str) -> Destination:
    readers = OFFICERS if kind.half is Half.PROTECTED else OPEN.format(owner=owner)
    return Destination(f"{kind.name}.{prop.name}", readers, prop)


def _rows(
    form: Form, repeat: str, types: Mapping[str, EntityType], lifts: Lifts
) -> tuple[EntityType, Property] | None:
    """The property of rows that a repeat fills."""
    for container in form.containers:
        kind = types[container.type]
        prop = kind.properties.get(lifts.name(repeat, kind.properties) or "")
        if container.repeat is None and prop is not None and prop.type is PropertyType.ROWS:
            return kind, prop
    return None
