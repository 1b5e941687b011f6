"""What a client says was on its screen, read as the form version has it and lifted to today's names and codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from forms.entity_types import EntityType, Property, PropertyType
from forms.form import Form, Question
from forms.lifting import EVERYTHING, Lifts
from forms.text import normalise_name
from forms.values import BadValue, blank, canonical


@dataclass
class Screen:
    """`seen`: property -> value; `hidden`: property -> codes of it that the form version has no option for."""

    seen: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, frozenset[str]] = field(default_factory=dict)


def screen_of(form: Form, kind: EntityType, seen: Mapping[str, Any], lifts: Lifts) -> Screen:
    """The screen of one entity. A value of the wrong kind was not on any screen, and is left out.

    Clients may name a property as their form version does, or as the entity was told to them since.
    """
    screen = Screen()
    for question in form.questions:
        name = question.property
        if question.container is None or question.container.type != kind.name or name is None:
            continue
        then = question.saved_as or name
        if then in seen or name in seen:
            _put(screen, form, question, kind.properties[name], seen[then if then in seen else name], lifts)
            if then not in seen and not blank(screen.seen.get(name)):
                screen.hidden[name] = frozenset({EVERYTHING})
    return screen


def _put(screen: Screen, form: Form, question: Question, prop: Property, raw: Any, lifts: Lifts) -> None:
    try:
        value = canonical(question.kind, raw)
    except BadValue:
        return
    if prop.type is PropertyType.WARD and value and "." not in value:
        value = f"{form.ward_list}.{value}"
    screen.seen[prop.name] = normalise_name(value) if prop.type is PropertyType.NAME and value else value
    if prop.list is None or blank(value):
        return
    screen.seen[prop.name] = lifts.value(prop, value)
    codes = frozenset([value] if isinstance(value, str) else value)
    if question.choices is not None and (beyond := codes - question.choices):
        screen.hidden[prop.name] = frozenset(lifts.code((prop.name, prop.list), code) for code in beyond)
