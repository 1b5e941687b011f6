"""What a new version of a form must not do to the one before it. The rest is refused by reading all forms anew."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from forms.catalogue import Catalogue
from forms.form import KIND_OF, Form, Question
from forms.outline import Outline

_VERSION = re.compile(r"\A\d{10}\Z")
FACTS = ("visit_date", "visit_result")  # what the server itself reads of every visit


@dataclass
class Found:
    """`problems` refuse the form; `notes` are for its author to think about."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def check_version(catalogue: Catalogue, form_id: str, version: str, xml: str) -> Iterator[str]:
    """A version is of the form YYYYMMDDNN, newer than the one before, and never published with other content."""
    if not _VERSION.match(version):
        yield f"settings row 2: the version must be ten digits, YYYYMMDDNN, not {version!r}"
    known = catalogue.find(form_id, version)
    current = catalogue.current_of(form_id)
    if known is not None and known.form.xml == xml:
        yield f"{form_id} {version} is published already, and nothing is different"
    elif known is not None:
        yield f"{form_id} {version} exists with another content: raise the version in settings"
    elif current is not None and version < current.version:
        yield f"{version} is older than the current {current.version}: phones only go up"


def compare(catalogue: Catalogue, old: Form, new: Form) -> Found:
    """The new version against the one before; `catalogue` is the new one, with the new lifts."""
    found, lifts = Found(), catalogue.lifts
    after = new.by_name
    for question in old.questions:
        name = lifts.name(question.name, after)
        now = after.get(name) if name is not None else None
        if question.name in FACTS:
            found.problems += _facts(question, after.get(question.name))
        if now is not None:
            found.problems += _same(question, now)
        elif question.property is not None or question.protected is not None:
            found.notes += _gone(catalogue, old, new, question)
    for question in new.questions:
        found.problems += _kind(catalogue, question)
    return found


def _facts(question: Question, now: Question | None) -> Iterator[str]:
    if now is None or (question.choices or frozenset()) - (now.choices or frozenset()):
        yield f"{question.name}: the server reads it and its options by name; they must stay"


def _same(question: Question, now: Question) -> Iterator[str]:
    if question.kind is not now.kind:
        yield f"{now.name}: its type was {question.kind} and would be {now.kind}, which needs another name"
    if (question.repeat is None) != (now.repeat is None):
        yield f"{now.name}: it would be asked {'once' if now.repeat is None else 'in rows'}, which needs another name"
    if question.protected is not None and now.protected is None:
        yield f"{now.name}: only officers read its answer, and then everybody could"


def _gone(catalogue: Catalogue, old: Form, new: Form, question: Question) -> Iterator[str]:
    label = Outline(old).by_name[question.name].label
    same = [i.name for i in Outline(new).items if i.label == label and label and i.name not in old.by_name]
    if same:
        yield f"{question.name} is gone and {same[0]} has its label: if it was renamed, say so in lifts.csv"
    elif not any(q.property == question.property for form in catalogue.current() for q in form.questions):
        yield f"{question.name} is gone: its property stays, and no form asks for it"


def _kind(catalogue: Catalogue, question: Question) -> Iterator[str]:
    if question.container is None or question.property is None or question.calculation is not None:
        return  # what is calculated is text to the engine, whatever it stands for
    prop = catalogue.types[question.container.type].properties[question.property]
    wanted = KIND_OF.get(prop.type)
    if wanted is not None and wanted is not question.kind:
        yield f"{question.name}: it asks for {question.kind}, but property {prop.name} is of type {prop.type}"
