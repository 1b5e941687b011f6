"""What is different between two versions of a form, in words, section by section."""

from collections.abc import Iterator, Mapping
from difflib import SequenceMatcher

from forms.destinations import destination
from forms.entity_types import EntityType
from forms.form import Form
from forms.lifting import Lifts
from forms.outline import Item, Outline, Texts

_WORDS = (("label", "label"), ("hint", "hint"), ("message", "message of the constraint"))
_CONDITIONS = (("required", "required"), ("constraint", "constraint"), ("calculation", "calculation"))


def changes(old: Form, new: Form, types: Mapping[str, EntityType], lifts: Lifts) -> list[str]:
    """The lines of a readable diff: a heading, then for each section what was added, removed, moved, changed."""
    return list(_Diff(old, new, types, lifts).lines())


class _Diff:
    def __init__(self, old: Form, new: Form, types: Mapping[str, EntityType], lifts: Lifts) -> None:
        self.old, self.new, self.types, self.lifts = old, new, types, lifts
        self.after = Outline(new).by_name
        self.before = {lifts.name(name, self.after) or name: item for name, item in Outline(old).by_name.items()}
        self.moved = self._moved()

    def lines(self) -> Iterator[str]:
        yield f"{self.new.id} {self.old.version} -> {self.new.version}"
        if self.old.title != self.new.title:
            yield f"  title: {_quoted(self.old.title)} -> {_quoted(self.new.title)}"
        if self.old.ward_list != self.new.ward_list:
            yield f"  ward list: {self.old.ward_list} -> {self.new.ward_list}"
        told: dict[str, list[str]] = {}
        for name, item in self.after.items():
            told.setdefault(_section(item), []).extend(self._item(name, item))
        for name, item in self.before.items():
            if name not in self.after:
                told.setdefault(_section(item), []).extend(self._removed(item))
        for section, lines in told.items():
            if lines:
                yield section
                yield from lines
        if not any(told.values()):
            yield "  no question is different"

    def _item(self, name: str, item: Item) -> Iterator[str]:
        if name not in self.before:
            yield f"  + {name} {_quoted(_text(item.label))}: new, {item.kind}; {self._goes(self.new, item)}"
            return
        was = self.before[name]
        told = list(self._changed(was, item))
        if told:
            yield f"  ~ {name} {_quoted(_text(item.label or was.label))}"
            yield from (f"      {line}" for line in told)

    def _changed(self, was: Item, item: Item) -> Iterator[str]:
        if was.name != item.name:
            yield f"was called {was.name}"
        if was.kind != item.kind:
            yield f"type: {was.kind} -> {item.kind}"
        if item.name in self.moved:
            yield f"moved{'' if was.heading == item.heading else f', from {_section(was)}'}"
        elif was.heading != item.heading:
            yield f"section: {_section(was)} -> {_section(item)}"
        for field, word in _WORDS:
            yield from _texts(word, getattr(was, field), getattr(item, field))
        if was.relevant != item.relevant:
            yield f"asked if: {_all(was.relevant)} -> {_all(item.relevant)}"
        for field, word in _CONDITIONS:
            before, after = getattr(was, field), getattr(item, field)
            if before != after:
                yield f"{word}: {before or 'none'} -> {after or 'none'}"
        yield from self._options(was, item)
        goes = self._goes(self.old, was), self._goes(self.new, item)
        if goes[0] != goes[1]:
            yield f"{goes[0]} -> {goes[1]}"

    def _options(self, was: Item, item: Item) -> Iterator[str]:
        of = {item.name, item.question.list if item.question else None, item.question and item.question.property}
        lifted = {code: self.lifts.code([str(one) for one in of], code) for code in was.options}
        for code, label in item.options.items():
            before = [old for old, now in lifted.items() if now == code]
            if not before:
                yield f"option {code} {_quoted(_text(label))}: new"
            for old in before:
                if old != code:
                    yield f"option {old} became {code}"
                yield from _texts(f"option {code}", was.options[old], label)
        for old, now in lifted.items():
            if item.options and now not in item.options:
                yield f"option {old} {_quoted(_text(was.options[old]))}: removed; answers keep the code"

    def _removed(self, item: Item) -> Iterator[str]:
        goes = self._goes(self.old, item)
        yield f"  - {item.name} {_quoted(_text(item.label))}: no longer asked; {goes} in older versions"

    def _goes(self, form: Form, item: Item) -> str:
        if item.question is None or item.kind == "note":
            return "says nothing"
        return f"goes to {destination(form, item.question, self.types, self.lifts).name}"

    def _moved(self) -> set[str]:
        """Those whose place among the others is another one."""
        before = [name for name in self.before if name in self.after]
        after = [name for name in self.after if name in self.before]
        matcher = SequenceMatcher(None, before, after, autojunk=False)
        kept = {before[i] for block in matcher.get_matching_blocks() for i in range(block.a, block.a + block.size)}
        return set(after) - kept


def _texts(word: str, was: Texts, now: Texts) -> Iterator[str]:
    for language in dict.fromkeys((*was, *now)):
        if was.get(language) != now.get(language):
            yield f"{word} ({language}): {_quoted(was.get(language, ''))} -> {_quoted(now.get(language, ''))}"


def _section(item: Item) -> str:
    return " / ".join(item.heading) or "(no section)"


def _text(texts: Texts) -> str:
    return texts.get("vi") or texts.get("en") or ""


def _quoted(text: str) -> str:
    return f"“{text}”" if text else "none"


def _all(conditions: tuple[str, ...]) -> str:
    return " and ".join(f"({one})" if len(conditions) > 1 else one for one in conditions) or "always"
