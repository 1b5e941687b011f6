"""The forms as pages to read: each question in order, when it is asked, where its answer goes, who can read it."""

import re
from collections.abc import Iterator, Sequence

from forms.catalogue import Catalogue
from forms.destinations import Destination, destination
from forms.entity_types import PropertyType
from forms.form import Form
from forms.outline import Item, Outline, Texts
from forms.wording import Wording

MADE = "Made by `flask forms docs` from the sheets and entity types; do not edit."
_KINDS = {
    "code": "one choice",
    "codes": "several choices",
    "datetime": "date and time",
    "geopoint": "location",
    "calculation": "calculated, not shown",
    "note": "shown only",
    "repeat": "rows: the questions of the section below, once for each",
}


def pages(catalogue: Catalogue) -> dict[str, str]:
    """File name -> text: a page for each current form, and `README.md`."""
    forms = catalogue.current()
    return {"README.md": _index(catalogue, forms)} | {f"{form.id}.md": _Page(catalogue, form).text for form in forms}


def _index(catalogue: Catalogue, forms: Sequence[Form]) -> str:
    lines = ["# Forms", "", MADE, "", "What each form asks at present, question by question.", ""]
    lines += ["| form | title | version | ward list | questions | accepted for ever |", "|---|---|---|---|---|---|"]
    for form in forms:
        older = [one.version for one in catalogue.versions() if one.id == form.id and one.version != form.version]
        shown = sum(item.kind not in ("note", "calculation", "repeat") for item in Outline(form).items)
        row = (f"[{form.id}]({form.id}.md)", form.title, form.version, form.ward_list, shown, ", ".join(older) or "-")
        lines.append(f"| {' | '.join(str(cell) for cell in row)} |")
    lines += [
        "",
        "How to change a form: the table in [ARCHITECTURE.md](../../ARCHITECTURE.md#to-change-a-form).",
        "",
    ]
    return "\n".join(lines)


class _Page:
    def __init__(self, catalogue: Catalogue, form: Form) -> None:
        self.catalogue, self.form = catalogue, form
        self.outline = Outline(form)
        self.wording = Wording(self.outline, "en")

    @property
    def text(self) -> str:
        form, lines = self.form, list(self._sections())
        head = [
            f"# {form.title}",
            "",
            MADE,
            "",
            f"Form `{form.id}`, version {form.version}, wards of {form.ward_list}.",
        ]
        return "\n".join([*head, "", *lines]).rstrip() + "\n"

    def _sections(self) -> Iterator[str]:
        section: tuple[str, ...] | None = None
        for item in self.outline.items:
            heading = ("Calculated",) if item.kind == "calculation" else item.heading
            if heading != section:
                section = heading
                yield from (f"## {_plain(' / '.join(section)) or 'Outside of all sections'}", "")
            yield from self._item(item)
            yield ""

    def _item(self, item: Item) -> Iterator[str]:
        said = " / ".join(_plain(text) for text in (item.label.get("vi"), item.label.get("en")) if text)
        yield f"### `{item.name}`"
        yield ""
        if said:
            yield f"**{said}**"
            yield ""
        if item.hint:
            yield "\n>\n".join(f"> {_plain(text)}" for text in item.hint.values())
            yield ""
        yield from (f"* {fact}" for fact in self._facts(item))

    def _facts(self, item: Item) -> Iterator[str]:
        yield f"type: {_KINDS.get(item.kind, item.kind)}"
        if item.relevant:
            words = "; and ".join(_plain(self.wording.said(one)) for one in item.relevant)
            yield f"asked if {words}: {' and '.join(_code(one) for one in item.relevant)}"
        if item.required:
            yield "required" if item.required == "true()" else f"required if {_code(item.required)}"
        if item.constraint:
            message = " / ".join(_plain(text) for text in item.message.values())
            yield f"must hold: {_code(item.constraint)}{f' ({message})' if message else ''}"
        if item.calculation:
            yield f"calculated: {_code(item.calculation)}"
        if item.options:
            yield f"options: {'; '.join(_option(code, texts) for code, texts in item.options.items())}"
        elif item.kind in ("code", "codes"):
            yield "options: from a list on the phone"
        if item.question is not None and item.kind != "note":
            yield from self._goes(item)

    def _goes(self, item: Item) -> Iterator[str]:
        assert item.question is not None
        found = destination(self.form, item.question, self.catalogue.types, self.catalogue.lifts)
        if found.prop is None:
            yield f"answer goes to: {found.name}"
        else:
            yield f"answer goes to: `{found.name}`, {_policy(found)}, sensitivity {found.prop.sensitivity}"
        yield f"read by: {found.readers}"
        if item.question.prefilled:
            yield "shows what is known; only a change is written"


def _policy(found: Destination) -> str:
    assert found.prop is not None
    prop = found.prop
    group = f" (one with the others of `{prop.group}`)" if prop.group else ""
    rows = ", an entry for each row" if prop.type is PropertyType.ROWS else ""
    return f"merged by `{prop.policy}`{group}{rows}"


def _option(code: str, texts: Texts) -> str:
    said = " / ".join(_plain(text) for text in (texts.get("vi"), texts.get("en")) if text)
    return f"`{code}` {said}".rstrip()


def _code(expression: str) -> str:
    return f"`{expression}`"


def _plain(text: str) -> str:
    """One line in which Markdown finds nothing of its own."""
    return re.sub(r"([\\`*_<>|\[\]])", r"\\\1", " ".join(text.split()))
