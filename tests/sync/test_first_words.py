"""The first word on a new entity is read without screens; it must be what reading it with empty ones gives."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from forms.entity_types import Cell, EntityType, PolicyName
from sync.state.answered import SETS as OF_CODES
from sync.state.answered import Context, first_word, write_of
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
