"""docs/merge.md tells officers what the server does: every example on the page is run against the real types."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from forms.catalogue import FOLDER
from forms.entity_types import EntityType, PolicyName, PropertyType
from forms.type_files import load_entity_types
from sync.state.extract import Extraction
from sync.state.model import Act, Op, Standing, State
from sync.times import ZONE, to_ms

PAGE = (Path(__file__).parents[2] / "docs" / "merge.md").read_text(encoding="utf-8")
TYPES = load_entity_types(FOLDER / "entities")
ACTS = {"sửa": Act.CORRECT, "quyết định": Act.RESOLVE, "bác": Act.REJECT, "xóa": Act.DELETE}
PLACES = frozenset({"2025.31135"})


@dataclass(frozen=True)
class Example:
    """One table with what is said below it."""

    heading: str
    rows: tuple[tuple[str, ...], ...]
    told: Mapping[str, str]


def examples() -> Iterator[Example]:
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        heading = section.splitlines()[0]
        for table, below in re.findall(r"\|---.*\n((?:\|.*\n)+)\n((?:- .*\n)+)", section):
            rows = tuple(tuple(cell.strip() for cell in line.strip("|\n").split("|")) for line in table.splitlines())
            told = dict(line[2:].split(": ", 1) for line in below.splitlines())
            yield Example(heading, rows, told)


def said(text: str, kind: EntityType) -> dict[str, Any]:
    """`name` = value; of a set the codes, separated by spaces."""
    found = {}
    for name, value in re.findall(r"`(\w+)` = ?([^;]*)", text):
        prop = kind.properties[name]
        value = value.strip() or None
        if value is not None and prop.type is PropertyType.SET:
            value = value.split()
        elif value is not None and prop.type in (PropertyType.INTEGER, PropertyType.DECIMAL):
            value = float(value) if "." in value else int(value)
        found[name] = value
    return found


def type_of(example: Example) -> EntityType:
    names = set(re.findall(r"`(\w+)`", " ".join(cell for row in example.rows for cell in row)))
    return next(kind for kind in TYPES.values() if names <= kind.properties.keys())


def op_of(row: tuple[str, ...], kind: EntityType, number: int) -> Op:
    ident, who, when, seen, words = row
    day, month, hour = re.match(r"(\d+)/(\d+) (\d+):", when).groups()  # type: ignore[union-attr]
    author, _, deed = who.partition(": ")
    act = next((act for word, act in ACTS.items() if author == "cán bộ" and deed.startswith(word)), Act.VISIT)
    about = deed.rpartition(" phiếu ")[2] if " phiếu " in deed else None
    answers, known = said(words, kind), frozenset(re.findall(r"\w+", seen))
    return Op(
        sub=ident,
        entity="e-1",
        author=author,
        t=to_ms(datetime(2026, int(month), int(day), int(hour), tzinfo=ZONE)),
        said=answers,
        creates=number == 0,
        snapshot=known,
        loaded=frozenset(answers) if known and not kind.name.endswith("_protected") else frozenset(),
        standing=Standing.SUPERVISOR if author == "cán bộ" else Standing.AUTHOR,
        act=act,
        places=PLACES,
        amends=about if act is Act.VISIT else None,
        target=about if act is Act.REJECT else None,
        schema=kind.version,
    )


def state_of(example: Example) -> State:
    kind = type_of(example)
    ops = [op_of(row, kind, number) for number, row in enumerate(example.rows)]
    state = Extraction(kind, {op.sub: op for op in ops}).state()
    assert state == Extraction(kind, {op.sub: op for op in reversed(ops)}).state()
    return state


@pytest.mark.parametrize("example", list(examples()), ids=lambda one: f"{one.heading} {one.told['hiện ra']}")
def test_an_example_is_what_the_server_does(example: Example) -> None:
    state, kind = state_of(example), type_of(example)
    shown = said(example.told["hiện ra"], kind)
    assert {name: state.data.get(name) for name in shown} == shown
    members = sorted({member for conflict in state.conflicts for member in conflict.members})
    assert ", ".join(members) == example.told["xung đột"].replace("không", "")
    told = sorted({notice.op for notice in state.notices})
    assert ", ".join(told) == example.told["báo lại"].replace("không", "")
    if "số mục" in example.told:
        cell = kind.properties[next(iter(shown))].cell
        assert len(state.cells[cell].items) == int(example.told["số mục"])


def test_every_policy_has_an_example() -> None:
    headings = " ".join(example.heading for example in examples())
    assert [policy for policy in PolicyName if policy != PolicyName.DERIVED and f"(`{policy}`)" not in headings] == []
