"""Which files a submission names, which question each answers, and of whom it tells.

A file is read by those who read the answer that names it. One that no answer names is read by officers alone.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from forms.form import Container, Form, Kind, Question
from forms.text import normalise
from sync.arrival import Arrival
from sync.batch import Medium, MediumRow, read_media


def media_of(arrival: Arrival, sub: str, beside: Iterable[Medium | MediumRow] = ()) -> list[MediumRow]:
    """The files that an item names, as they are kept for the submission `sub`; each once under each name.

    `beside` are those that came with it in another way: an XForm instance names no content, its files come along.
    """
    named = arrival.item.media if arrival.item is not None else read_media(arrival.value)
    also = [Medium(medium.name, medium.sha256, medium.size) for medium in beside]
    first = {(medium.sha256, medium.name): medium for medium in reversed([*named, *also])}
    return [_row(arrival, sub, first[key]) for key in sorted(first)]


def hashes_of(arrival: Arrival) -> set[str]:
    """The files that an item names, by their content."""
    return {row.sha256 for row in media_of(arrival, arrival.id)}


def _row(arrival: Arrival, sub: str, medium: Medium) -> MediumRow:
    found = list(_answers(arrival, normalise(medium.name)))
    secret = [(question, pointer) for question, pointer in found if question.protected is not None]
    first = next(iter(secret or found), None)
    question = first[0] if first is not None else None
    return MediumRow(
        sub=sub,
        sha256=medium.sha256,
        name=medium.name,
        size=medium.size,
        question=question.name if question is not None else None,
        entity=_entity(arrival, *first) if first is not None else None,
        protected=question is None or bool(secret),
    )


def _answers(arrival: Arrival, name: str) -> Iterator[tuple[Question, str]]:
    """The questions whose answer is this file, with the pointer to the answers among which it is."""
    form, filled = arrival.form, arrival.filled
    if form is None or filled is None:
        return
    levels: list[tuple[str | None, Any, str]] = [(None, filled.answers, "/answers")]
    for repeat in form.repeats:
        rows = enumerate(filled.answers.get(repeat) or ())
        levels += [(repeat, row, f"/answers/{repeat}/{index}") for index, row in rows]
    for level, answers, pointer in levels:
        for question in form.of(level):
            if question.kind is Kind.FILE and answers.get(question.name) == name:
                yield question, pointer


def _entity(arrival: Arrival, question: Question, pointer: str) -> str | None:
    """The household or child in whose part of the form the question is; of a protected one the child itself."""
    assert arrival.form is not None
    container = question.protected or question.container or _around(arrival.form, question)
    if container is None:
        return None
    return next((one.id for one in arrival.told if one.pointer == pointer and one.type == container.type), None)


def _around(form: Form, question: Question) -> Container | None:
    """The innermost container around a question that saves to nothing."""
    around = [c for c in form.containers if c.repeat == question.repeat and question.path.startswith(f"{c.path}/")]
    return max(around, key=lambda c: len(c.path), default=None)
