"""A form version as people read it: sections, questions in order, labels, conditions, options; from the XForm."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from lxml import etree

from forms.form import Form, Question

NS = {"x": "http://www.w3.org/2002/xforms", "h": "http://www.w3.org/1999/xhtml", "jr": "http://openrosa.org/javarosa"}
_REFERENCE = re.compile(r"(?<![\w)\]'\"])(?:\.\./|/)[\w./-]*\w")
_BLANKS = re.compile(r"\s+")

Texts = Mapping[str, str]  # language (`vi`, `en`) -> text


@dataclass(frozen=True)
class Item:
    """One row that a phone shows, or a calculation: `kind` is a question's, `note`, `repeat` or `calculation`.

    `section` are the headings around it, outermost first. Conditions are as written in the sheets (`${name}`); of
    `relevant` also those of the sections around it, outermost first. `options` maps code -> label, in order.
    """

    name: str
    kind: str
    section: tuple[Texts, ...]
    label: Texts
    hint: Texts
    relevant: tuple[str, ...]
    required: str
    constraint: str
    message: Texts
    options: Mapping[str, Texts]
    calculation: str
    question: Question | None

    @property
    def heading(self) -> tuple[str, ...]:
        """The headings around it as the documents about forms have them, in English."""
        return tuple(title["en"] for title in self.section)


class Outline:
    """The items of a form version, in order."""

    def __init__(self, form: Form) -> None:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, remove_comments=True)
        tree = etree.fromstring(form.xml.encode(), parser)
        self.form = form
        self._model, self._body = tree.find("h:head/x:model", NS), tree.find("h:body", NS)
        self._binds = {bind.get("nodeset"): bind for bind in self._model.iterfind("x:bind", NS)}
        self._by_path = {question.path: question for question in form.questions}
        self._texts = self._itext()

    @cached_property
    def items(self) -> tuple[Item, ...]:
        shown = list(self._walk(self._body, ()))
        known = {item.name for item in shown}
        hidden = (q for q in self.form.questions if q.name not in known and (q.property or q.protected))
        return (*shown, *(self._item(q.path, None, ()) for q in hidden))

    @cached_property
    def by_name(self) -> Mapping[str, Item]:
        return {item.name: item for item in self.items}

    def _itext(self) -> Mapping[str, dict[str, str]]:
        texts: dict[str, dict[str, str]] = {}
        for translation in self._model.iterfind("x:itext/x:translation", NS):
            language = re.search(r"\((\w+)\)", translation.get("lang", ""))
            for text in translation.iterfind("x:text", NS):
                value = text.find("x:value", NS)
                said = "".join(value.itertext()) if value is not None else ""
                texts.setdefault(text.get("id"), {})[language.group(1) if language else ""] = said
        return texts

    def _walk(self, node: etree._Element, section: tuple[Texts, ...]) -> Iterator[Item]:
        for child in node:
            tag, path = etree.QName(child).localname, child.get("ref") or child.get("nodeset") or ""
            if tag == "group":
                title = self._text(child, "label")
                yield from self._walk(child, (*section, title) if title.get("en") else section)
            elif tag == "repeat":
                yield self._item(path, child, section)
                yield from self._walk(child, section)
            elif path and tag in ("input", "select", "select1", "upload", "trigger", "range", "rank"):
                yield self._item(path, child, section)

    def _item(self, path: str, control: etree._Element | None, section: tuple[Texts, ...]) -> Item:
        bind, question = self._bind(path), self._by_path.get(path)
        tag = "" if control is None else etree.QName(control).localname
        note = tag == "input" and bind.get("readonly") == "true()" and question is not None
        kind = str(question.kind) if question is not None else tag
        if tag == "repeat" or note or control is None:
            kind = {"repeat": "repeat", "input": "note"}.get(tag, "calculation")
        return Item(
            name=path.rsplit("/", 1)[-1],
            kind=kind,
            section=section,
            label=self._text(control, "label"),
            hint=self._text(control, "hint"),
            relevant=tuple(self._conditions(path)),
            required="" if bind.get("required") in (None, "false()") else self.readable(bind.get("required", "")),
            constraint=self.readable(bind.get("constraint", "")),
            message=self._referred(bind.get(f"{{{NS['jr']}}}constraintMsg", "")),
            options=self._options(control),
            calculation=self.readable(bind.get("calculate", "")),
            question=question,
        )

    def _bind(self, path: str) -> Mapping[str, str]:
        bind = self._binds.get(path)
        return {} if bind is None else dict(bind.attrib)

    def _conditions(self, path: str) -> Iterator[str]:
        parts = path.split("/")
        for length in range(2, len(parts) + 1):
            if relevant := self._bind("/".join(parts[:length])).get("relevant"):
                yield self.readable(relevant)

    def readable(self, expression: str) -> str:
        """An expression as the sheets have it: `${name}` for a path."""
        named = _REFERENCE.sub(lambda m: "${" + m.group().rsplit("/", 1)[-1] + "}", expression)
        return _BLANKS.sub(" ", named).strip()

    def _text(self, control: etree._Element | None, what: str) -> Texts:
        node = None if control is None else control.find(f"x:{what}", NS)
        if node is None:
            return {}
        return self._referred(node.get("ref") or "") or ({"vi": node.text} if node.text else {})

    def _referred(self, reference: str) -> Texts:
        match = re.match(r"jr:itext\('([^']+)'\)", reference)
        if match is None:
            return {"vi": reference} if reference else {}
        return self._texts.get(match.group(1), {})

    def _options(self, control: etree._Element | None) -> Mapping[str, Texts]:
        itemset = None if control is None else control.find("x:itemset", NS)
        name = None if itemset is None else re.match(r"\s*instance\('([^']+)'\)", itemset.get("nodeset", ""))
        instance = None if name is None else self._model.find(f"x:instance[@id='{name.group(1)}']", NS)
        if instance is None or instance.get("src"):
            return {}
        options: dict[str, Texts] = {}
        for item in instance.iterfind("x:root/x:item", NS):
            label = item.findtext("x:label", "", NS)
            texts = self._texts.get(item.findtext("x:itextId", "", NS)) or ({"vi": label} if label else {})
            options[item.findtext("x:name", "", NS)] = texts
        return options


def headings(forms: Iterable[Form]) -> Mapping[str, Mapping[str, Texts]]:
    """Type -> property -> the innermost heading under which a form asks for it; the first form that does."""
    found: dict[str, dict[str, Texts]] = {}
    for form in forms:
        for item in Outline(form).items:
            question = item.question
            if question is None or not item.section:
                continue
            if question.container is not None and question.property is not None:
                found.setdefault(question.container.type, {}).setdefault(question.property, item.section[-1])
            if question.protected is not None:
                found.setdefault(question.protected.type, {}).setdefault(question.name, item.section[-1])
    return found
