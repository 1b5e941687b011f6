"""What is read without screens: the first word on a new entity, and answers left as they were prefilled.

It must be what reading them with the screens gives.
"""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forms.entity_types import Cell, EntityType, PolicyName
from sync.state.answered import SETS as OF_CODES
from sync.state.answered import Context, first_word, unchanged, write_of
from sync.state.model import Op, Write
from tests.sync.types import CHILD, CONTACTS, HOUSEHOLD, RISKS, SETS, op

SCALARS = st.sampled_from([None, "", "a", "b"])
CODES = st.sampled_from([None, [], ["1"], ["3", "1"], ["1", "2", "3"]])


def by_the_screen(told: Op, cell: Cell) -> Write | None:
    """The same answers before an empty screen."""
    return write_of(told, Context(told, told.said, cell, dict, list, lambda household: False))


@given(st.sampled_from([CHILD, HOUSEHOLD, CONTACTS, RISKS, SETS]), st.data())
def test_it_is_what_the_answers_say_on_an_empty_screen(kind: EntityType, data: st.DataObject) -> None:
    said: dict[str, Any] = {}
    for name, prop in kind.properties.items():
        if data.draw(st.booleans()):
            said[name] = data.draw(CODES if prop.policy in OF_CODES else SCALARS)
    told = op("c", 0, said, creates=True)
    for cell in kind.cells.values():
        if cell.policy is not PolicyName.SERIES:
            assert first_word(said, cell) == by_the_screen(told, cell)


@given(st.sampled_from([CHILD, HOUSEHOLD, CONTACTS, RISKS, SETS]), st.data())
def test_answers_left_as_they_were_prefilled_write_nothing(kind: EntityType, data: st.DataObject) -> None:
    said: dict[str, Any] = {}
    seen: dict[str, Any] = {}
    for name, prop in kind.properties.items():
        values = CODES if prop.policy in OF_CODES else SCALARS
        for answers in (said, seen):
            if data.draw(st.booleans()):
                answers[name] = data.draw(values)
        if name in seen and data.draw(st.booleans()):
            said[name] = seen[name]
    told = op("c", 0, said, seen=seen)
    for cell in kind.cells.values():
        if unchanged(told, told, told, cell):
            assert by_the_screen(told, cell) is None


def test_what_was_left_as_it_was_is_seen_to_be_so() -> None:
    told = op("c", 0, {"full_name": "a", "phone": None}, seen={"full_name": "a", "phone": ""})
    assert all(unchanged(told, told, told, CHILD.cells[CHILD.cell_of[name]]) for name in told.said)
