"""A form as it was filled in, with the words of its version: headings, questions, answers, what is wrong."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forms.catalogue import Catalogue
from forms.form import Form, Kind, Question
from forms.instance import UnreadableInstance, answers_of, parse_instance
from forms.outline import Item, Outline, Texts
from server.reading.words import Words
from server.world import Nest

LISTS_OF_PEOPLE = ("child", "household", "person", "report", "who_child", "who_adult")


@dataclass(frozen=True)
class Answer:
    """One question with its answer in words; `row` numbers the block of a repeat, from 1, None outside of one.

    `pointer` is where the answer is in the item. `notes` say what is wrong with it or looks so. `ident` is the entity
    that was chosen, if it is one.
    """

    pointer: str
    label: str
    words: str
    notes: Sequence[str]
    wrong: bool
    protected: bool
    row: int | None
    ident: str
    item: Item
    value: Any


@dataclass(frozen=True)
class Block:
    """Answers under one heading, those that were given and those that were left blank or not asked."""

    title: str
    given: Sequence[Answer]
    blank: Sequence[Answer]


@dataclass(frozen=True)
class Filled:
    """A whole form; `form` is None where its version is not known, and nothing can be read."""

    form: Form | None
    blocks: Sequence[Block]

    @property
    def answers(self) -> Iterator[Answer]:
        return (one for block in self.blocks for one in (*block.given, *block.blank))

    def find(self, pointer: str) -> Answer | None:
        """The answer at a pointer."""
        return next((one for one in self.answers if one.pointer == pointer), None)


def filled(nest: Nest, words: Words, page: Mapping[str, Any]) -> Filled:
    """The form of a submission's page (`server.reading.submissions.submission_page`)."""
    entry = nest.catalogue.find(page["form"], page["version"]) if page["form"] else None
    said = _answers(nest.catalogue, page) if entry is not None else None
    if entry is None or said is None:
        return Filled(entry.form if entry is not None else None, [])
    notes: dict[str, list[tuple[str, bool]]] = {}
    for name, wrong in (("problems", True), ("checks", False)):
        for one in page[name]:
            notes.setdefault(one["pointer"], []).append((one["detail"], wrong))
    reader = _Reading(nest, words, entry.form, said, notes)
    return Filled(entry.form, list(reader.blocks()))


def _answers(catalogue: Catalogue, page: Mapping[str, Any]) -> dict[str, Any] | None:
    """The answers as JSON, also those of XML; None if there are none that can be read."""
    raw = page["answers"]
    if not isinstance(raw, dict):
        return None
    if isinstance(raw.get("answers"), dict):
        return dict(raw["answers"])
    entry = catalogue.find(page["form"], page["version"])
    if entry is None or not isinstance(raw.get("xml"), str):
        return None
    try:
        return answers_of(entry.form, parse_instance(raw["xml"]))[0]
    except UnreadableInstance:
        return None


@dataclass(frozen=True)
class _Reading:
    nest: Nest
    words: Words
    form: Form
    said: Mapping[str, Any]
    notes: Mapping[str, Sequence[tuple[str, bool]]]

    def blocks(self) -> Iterator[Block]:
        by_title: dict[str, list[Answer]] = {}
        for item in Outline(self.form).items:
            question = item.question
            if question is None or question.calculation is not None or item.kind in ("note", "calculation"):
                continue
            title = self._text(item.section[-1]) if item.section else ""
            by_title.setdefault(title, []).extend(self._answers(item, question))
        for title, found in by_title.items():
            found.sort(key=lambda one: one.row or 0)
            yield Block(title, [one for one in found if _given(one)], [one for one in found if not _given(one)])

    def _answers(self, item: Item, question: Question) -> Iterator[Answer]:
        if question.repeat is None:
            yield self._answer(item, question, self.said, "/answers", None)
            return
        rows = self.said.get(question.repeat)
        for index, row in enumerate(rows if isinstance(rows, list) else ()):
            if isinstance(row, dict):
                yield self._answer(item, question, row, f"/answers/{question.repeat}/{index}", index + 1)

    def _answer(
        self, item: Item, question: Question, said: Mapping[str, Any], pointer: str, row: int | None
    ) -> Answer:
        value, here = said.get(question.name), f"{pointer}/{question.name}"
        notes = self.notes.get(here, ())
        person = question.name if question.name in LISTS_OF_PEOPLE and isinstance(value, str) else ""
        return Answer(
            pointer=here,
            label=self._text(item.label) or question.name,
            words=self._words(item, question, value),
            notes=[text for text, _ in notes],
            wrong=any(wrong for _, wrong in notes),
            protected=question.protected is not None,
            row=row,
            ident=str(value) if person else "",
            item=item,
            value=value,
        )

    def _text(self, texts: Texts) -> str:
        return texts.get(self.words.language) or texts.get("vi") or ""

    def _words(self, item: Item, question: Question, value: Any) -> str:
        if value in (None, "", []):
            return ""
        if question.kind is Kind.CODES:
            codes = value if isinstance(value, list) else str(value).split()
            return "; ".join(self._option(item, str(code)) for code in codes)
        if question.kind is Kind.CODE:
            return self._place(str(value)) or self._option(item, str(value))
        if question.kind is Kind.DATE and isinstance(value, str) and len(value) >= 10:
            return f"{value[8:10]}/{value[5:7]}/{value[:4]}"
        return str(value)

    def _option(self, item: Item, code: str) -> str:
        return self._text(item.options.get(code, {})) or code

    def _place(self, code: str) -> str:
        ward = self.nest.places.wards.get(f"{self.form.ward_list}.{code}")
        return ward.name if ward is not None else ""


def _given(one: Answer) -> bool:
    return bool(one.words) or one.wrong
