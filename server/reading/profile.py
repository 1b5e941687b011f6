"""A household, child, adult or report as an officer reads it: each fact in words, with whose word it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from forms.entity_types import Property, PropertyType
from forms.outline import Texts
from server.reading.logs import Log
from server.reading.words import Words
from server.store.people import names_of
from server.world import Nest
from sync.state.model import CellState
from sync.times import local_date

OTHER: Texts = {"vi": "Khác", "en": "Other"}


@dataclass(frozen=True)
class Source:
    """Whose word it is: the author's name, when it was observed (ms), in which submission, by which form."""

    author: str
    observed: int
    sub: str
    form: str


@dataclass(frozen=True)
class Fact:
    """One property in words. `doubt` is the open conflict about it, `idle`: it does not apply as things stand."""

    name: str
    cell: str
    label: str
    words: str
    phone: str
    source: Source | None
    doubt: str | None
    idle: bool
    refers: tuple[str, str] | None


@dataclass(frozen=True)
class Part:
    """Facts under the heading of the form that asks for them."""

    title: str
    facts: Sequence[Fact]


@dataclass(frozen=True)
class Profile:
    """An entity as it is now. `broken` are the checks that its merged record does not pass."""

    kind: str
    id: str
    name: str
    etag: str
    place: str
    dead: bool
    parts: Sequence[Part]
    broken: Sequence[str]
    doubts: Sequence[tuple[str, str]]
    data: Mapping[str, Any]


def profile(nest: Nest, words: Words, log: Log) -> Profile:
    """The page of one entity, from its log."""
    state, row = log.state, log.row
    doubts = [one for cell in state.cells.values() for one in cell.conflicts]
    if state.life.conflict is not None:
        doubts.append(state.life.conflict)
    broken = {check.id: check for check in log.kind.checks}
    return Profile(
        kind=row.type,
        id=row.id,
        name=row.label,
        etag=log.etag,
        place=words.place(row.scope) if row.scope else "",
        dead=state.life.dead,
        parts=_parts(nest, words, log),
        broken=[broken[ident].vi if words.language == "vi" else broken[ident].en for ident in state.broken],
        doubts=[(one.id, cell_label(words, log, one.cell)) for one in doubts],
        data=state.data,
    )


def cell_label(words: Words, log: Log, cell: str) -> str:
    """What a cell is called: its first property's name; of a deletion nothing."""
    name = cell.partition("/")[0]
    return words.label(log.kind.cells[name].members[0]) if name in log.kind.cells else ""


def _parts(nest: Nest, words: Words, log: Log) -> list[Part]:
    sources = sources_of(nest, words, log)
    headings = nest.headings.get(log.row.type.removesuffix("_protected"), {})
    by_title: dict[str, list[Fact]] = {}
    for fact in _facts(words, log, sources):
        texts = headings.get(fact.name, OTHER)
        by_title.setdefault(texts.get(words.language) or texts["vi"], []).append(fact)
    other = OTHER[words.language]
    order = sorted(by_title, key=lambda title: title == other)
    return [Part(title, by_title[title]) for title in order]


def _facts(words: Words, log: Log, sources: Mapping[str, Source]) -> Iterator[Fact]:
    state = log.state
    for name, prop in log.kind.properties.items():
        value = state.data.get(name)
        cell = state.cells.get(prop.cell)
        if value in (None, "", []) or (prop.type is PropertyType.REF and prop.placement):
            continue
        yield Fact(
            name=name,
            cell=prop.cell,
            label=words.label(prop),
            words=words.value(prop, value),
            phone=str(value) if name.endswith("phone") else "",
            source=sources.get(cell.current.op) if cell is not None else None,
            doubt=_doubt(cell),
            idle=name in state.idle,
            refers=(str(prop.of), str(value)) if prop.type is PropertyType.REF else None,
        )


def _doubt(cell: CellState | None) -> str | None:
    return cell.conflicts[0].id if cell is not None and cell.conflicts else None


def sources_of(nest: Nest, words: Words, log: Log) -> dict[str, Source]:
    """Whose word each submission in a log is. One query for the names of all."""
    people = names_of({row.op.author for row in log.ops.values()})
    titles = {form.id: form.title for form in nest.catalogue.current()}
    return {
        sub: Source(people.get(row.op.author, row.op.author), row.op.t, sub, titles.get(row.form, row.form))
        for sub, row in log.ops.items()
    }


def age(born: Any, today: date) -> tuple[int, int] | None:
    """Whole years and months since a date of birth; None if that is not known, or lies ahead."""
    try:
        day = date.fromisoformat(str(born))
    except ValueError:
        return None
    months = (today.year - day.year) * 12 + today.month - day.month - (today.day < day.day)
    return (months // 12, months % 12) if months >= 0 else None


def measured(log: Log) -> list[tuple[str, float | None, float | None]]:
    """(date, kg, cm) of each weighing, the earliest first; without a date of its own, the day of the visit."""
    cell = log.state.cells.get("measurement")
    found = []
    for item in cell.items if cell is not None else ():
        day = item.value.get("measure_date") or local_date(item.t).isoformat()
        found.append((str(day), _number(item.value.get("weight_kg")), _number(item.value.get("height_cm"))))
    return sorted(found)


def _number(value: Any) -> float | None:
    try:
        return None if value is None else float(value)
    except (TypeError, ValueError):
        return None


def properties_of(log: Log, cell: str) -> tuple[Property, ...]:
    """The properties of a cell; none of one that does not exist."""
    found = log.kind.cells.get(cell)
    return found.members if found is not None else ()
