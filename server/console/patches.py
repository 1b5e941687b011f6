"""Ways out of quarantine: the questions whose answers can be read otherwise, the wards among which to choose."""

from collections.abc import Mapping
from typing import Any

from werkzeug.datastructures import MultiDict

from forms.form import Kind
from server.console.fields import Field, typed
from server.problems import Problem
from server.reading.filled import Answer, Filled
from server.world import Nest

PREFIX = "at:"  # of the inputs: then the pointer of the answer
KINDS = {
    Kind.INTEGER: "number",
    Kind.DECIMAL: "decimal",
    Kind.DATE: "date",
    Kind.CODE: "select",
    Kind.CODES: "checks",
}


def ways_out(nest: Nest, page: Mapping[str, Any], form: Filled) -> list[Field]:
    """An input for each answer with which something is wrong, if its form can be read."""
    found = []
    for problem in page["problems"]:
        answer = form.find(problem["pointer"])
        if answer is not None and not answer.pointer.endswith("/ward_code"):
            found.append(_way(answer))
    return found


def _way(answer: Answer) -> Field:
    question = answer.item.question
    kind = KINDS.get(question.kind, "text") if question is not None else "text"
    if kind in ("select", "checks") and not answer.item.options:
        kind = "text"
    options = [(code, texts.get("vi") or code) for code, texts in answer.item.options.items()]
    return Field(f"{PREFIX}{answer.pointer}", answer.label, kind, options, _shown(kind, answer.value))


def _shown(kind: str, value: Any) -> Any:
    if kind == "checks":
        return value if isinstance(value, list) else str(value or "").split()
    return "" if value is None else str(value)


def wards_of(nest: Nest, page: Mapping[str, Any], failure: Problem | None) -> list[tuple[str, str]]:
    """(area, name) of the wards that a place may be in: the candidates where an old ward was split, else any."""
    if page["reason"] not in ("ward_ambiguous", "ward_unknown") and (
        failure is None or failure.code != "ward_needed"
    ):
        return []
    named = [one for problem in page["problems"] for one in problem.get("candidates", ())]
    named += (failure.extra.get("candidates") or []) if failure is not None else []
    wards = nest.places.wards
    chosen = sorted({one for one in named if one in wards}) or sorted(wards)
    return sorted(((area, wards[area].name) for area in chosen), key=lambda one: one[1])


def patch_of(nest: Nest, form: MultiDict[str, str]) -> dict[str, Any]:
    """JSON pointer -> what is read there instead, of what was typed in; an answer left blank is read as blank."""
    patch: dict[str, Any] = {}
    for name in form:
        if name.startswith(PREFIX):
            patch[name.removeprefix(PREFIX)] = typed(form.get(f"kind:{name}", "text"), form.getlist(name))
    if form.get("ward"):
        patch["/answers/ward_code"] = form["ward"]
    return patch
