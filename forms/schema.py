"""A marshmallow Schema for the answers of one form version, made from its questions.

It checks what can be said of each answer alone (kind, list, unknown questions). What depends on other
answers (relevance, required, constraints) is decided in `forms.filling`.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields, validate

from forms.entity_types import EntityType, protected_names
from forms.form import Form, Question
from forms.values import BadValue, blank, canonical

ROW_ID = "__id"
MAX_ROWS = 60
UNKNOWN = "Phiên bản biểu mẫu này không có câu hỏi đó."


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an item: a stable code, a JSON pointer into the item, a sentence in Vietnamese.

    `candidates` are the areas (`<list>.<code>`) that a ward may mean which was split.
    """

    code: str
    pointer: str
    detail: str
    candidates: tuple[str, ...] = ()


DISCREET = Problem("bad_value", "/answers", "Một câu trả lời không hợp lệ; cán bộ sẽ xem lại.")


class Answer(fields.Field[Any]):
    """The answer to one question; a blank one loads as None."""

    def __init__(self, question: Question) -> None:
        super().__init__(allow_none=True)
        self.question = question

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        try:
            loaded = canonical(self.question.kind, value)
        except BadValue as error:
            raise ValidationError(error.args[0]) from error
        choices = self.question.choices
        if choices is not None and not blank(loaded):
            strange = sorted(set([loaded] if isinstance(loaded, str) else loaded) - choices)
            if strange:
                raise ValidationError(f"Mã {strange[0]!r} không có trong danh sách.")
        return loaded


def schema_of(form: Form) -> Schema:
    """The Schema whose `load` gives canonical answers: question -> value, repeat -> list of rows."""
    names: dict[str, fields.Field[Any]] = {question.name: Answer(question) for question in form.of(None)}
    for repeat in form.repeats:
        row: dict[str, fields.Field[Any]] = {question.name: Answer(question) for question in form.of(repeat)}
        row[ROW_ID] = fields.UUID()
        nested = fields.Nested(Schema.from_dict(row)(unknown=RAISE))
        names[repeat] = fields.List(nested, allow_none=True, validate=validate.Length(max=MAX_ROWS))
    return Schema.from_dict(names)(unknown=RAISE)


def check(schema: Schema, answers: Any) -> tuple[dict[str, Any], list[Problem]]:
    """Load `answers`; returns the canonical answers that are valid, and everything wrong with the others.

    With any problem the item is refused; its valid answers are for those who look at it then. Rows keep their
    places: one that is no row at all is an empty one.
    """
    try:
        loaded: dict[str, Any] = schema.load(answers)
    except ValidationError as error:
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return valid, [_problem(pointer, text) for pointer, text in _flatten(error.messages_dict, "/answers")]
    return loaded, []


def discreet(problems: Iterable[Problem], form: Form | None, types: Mapping[str, EntityType]) -> tuple[Problem, ...]:
    """The same problems as their author may hear of them: nothing of a protected question, by whatever form.

    One that points to such a question becomes `DISCREET`, without its name or the answer, and is told once.
    """
    problems = tuple(problems)
    secret = _secret(form, types) if problems else frozenset()
    told = (DISCREET if _betrays(problem, secret) else problem for problem in problems)
    return tuple(dict.fromkeys(told))


def unprotected(
    problems: Iterable[Problem], form: Form | None, types: Mapping[str, EntityType]
) -> tuple[Problem, ...]:
    """Those that point to no protected question."""
    problems = tuple(problems)
    secret = _secret(form, types) if problems else frozenset()
    return tuple(problem for problem in problems if not _betrays(problem, secret))


def _secret(form: Form | None, types: Mapping[str, EntityType]) -> frozenset[str]:
    return protected_names(types) | {q.name for q in (form.questions if form else ()) if q.protected}


def _betrays(problem: Problem, secret: frozenset[str]) -> bool:
    return any(name in problem.pointer for name in secret)


def _problem(pointer: str, text: str) -> Problem:
    if text == "Unknown field.":
        return Problem("unknown_property", pointer, UNKNOWN)
    return Problem("bad_value", pointer, _VIETNAMESE.get(text, text))


def _flatten(messages: Any, pointer: str) -> Iterator[tuple[str, str]]:
    if isinstance(messages, Mapping):
        for key, inner in messages.items():
            yield from _flatten(inner, pointer if key == "_schema" else f"{pointer}/{_escape(str(key))}")
    else:
        yield from ((pointer, str(text)) for text in messages)


def _escape(key: str) -> str:
    """RFC 6901 §3, cut so that a hostile key cannot fill a receipt."""
    return key[:120].replace("~", "~0").replace("/", "~1")


_VIETNAMESE = {
    "Invalid input type.": "Cần một đối tượng gồm câu hỏi và trả lời.",
    "Not a valid list.": "Cần một danh sách các dòng.",
    "Not a valid UUID.": "Cần một UUID.",
    f"Longer than maximum length {MAX_ROWS}.": f"Quá {MAX_ROWS} dòng.",
    "Field may not be null.": "Không được để trống.",
}
