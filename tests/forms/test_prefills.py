"""Which questions a form fills itself with what is known: only there is an unchanged answer no news."""

import pytest

from forms.form import Form, FormError
from forms.prefills import loads
from tests.forms.test_filling import compiled, row

KNOWN = "instance('child')/root/item[name=${child}]"
CHOOSE = row("select_one_from_file child.csv", "child")
BY_ID = [{"list_name": "child", "label": "x", "entity_id": "${child}"}]


def form_with(*columns: dict[str, str], repeat: bool = False) -> Form:
    """A form about a chosen child with the question `school`; in rows if wanted. Columns may be rows before it."""
    *before, cells = columns
    question = {**row("text", "school", save_to="school"), **cells}
    survey = [CHOOSE, *before, question]
    return compiled([row("begin_repeat", "r"), *survey, row("end_repeat")] if repeat else survey, BY_ID)


def triggered(value: str) -> dict[str, str]:
    return {"calculation": value, "trigger": "${child}"}


both = pytest.mark.parametrize("repeat", [False, True], ids=["once", "rows"])


@both
@pytest.mark.parametrize(
    "cells", [triggered(f"{KNOWN}/school"), {"default": f"{KNOWN}/school"}], ids=["trigger", "default"]
)
def test_both_ways_of_loading_are_found(cells: dict[str, str], repeat: bool) -> None:
    form = form_with(cells, repeat=repeat)
    event = "xforms-value-changed" if "trigger" in cells else "odk-instance-first-load"
    assert f'event="{event}"' in form.xml
    question = form.by_name["school"]
    assert question.prefilled and question.calculation is None
    assert question.repeat == ("r" if repeat else None)
    assert not form.by_name["child"].prefilled


@both
@pytest.mark.parametrize(
    "value",
    ["string({})", "coalesce({}, '')", 'coalesce( {} ,"")', "({})", "string(coalesce(({}), ''))", "\n {} "],
)
def test_what_leaves_the_value_as_it_is_is_looked_through(value: str, repeat: bool) -> None:
    assert form_with(triggered(value.format(f"{KNOWN}/school")), repeat=repeat).by_name["school"].prefilled


@both
@pytest.mark.parametrize(
    "value",
    [
        "if({} != '', {}, '')", "if(${{child}} = '', '', {})", "coalesce({}, 'chưa rõ')", "coalesce('x', {})",
        "concat({}, ' ')", "normalize-space({})", "once({})", "{} + 1", "substr({}, 0, 3)", "'a' = {}",
    ],
)  # fmt: skip
def test_what_may_change_the_value_is_refused(value: str, repeat: bool) -> None:
    cells = triggered(value.format(*[f"{KNOWN}/school"] * value.count("{}")))
    with pytest.raises(FormError, match="/school: what it loads of school is changed on the way"):
        form_with(cells, repeat=repeat)


@both
def test_a_value_that_comes_by_way_of_a_calculation_is_found(repeat: bool) -> None:
    known = row("calculate", "known", calculation=f"{KNOWN}/school")
    again = row("calculate", "again", calculation="coalesce(${known}, '')")
    assert form_with(known, again, triggered("${again}"), repeat=repeat).by_name["school"].prefilled
    assert form_with(known, {"default": "${known}"}, repeat=repeat).by_name["school"].prefilled
    with pytest.raises(FormError, match="changed on the way"):
        form_with(known, triggered("if(${known} = 'x', '', ${known})"), repeat=repeat)
    plain = row("calculate", "known", calculation="1 + 1")
    assert not form_with(plain, triggered("${known}"), repeat=repeat).by_name["school"].prefilled


@both
@pytest.mark.parametrize(
    "cells",
    [
        {}, {"default": "Tiểu học"}, {"default": "today()"}, triggered("''"), triggered("${child}"),
        triggered(f"{KNOWN}/full_name"), triggered(f"{KNOWN}/school_name"), triggered(f"{KNOWN}/pre-school"),
        triggered("instance('household')/root/item[name=${child}]/school"),
        triggered("instance('child')/root/item[school=${child}]/label"),
    ],
    ids=str,
)  # fmt: skip
def test_what_loads_something_else_does_not_prefill(cells: dict[str, str], repeat: bool) -> None:
    lists = row("csv-external", "household")
    assert not form_with(lists, cells, repeat=False).by_name["school"].prefilled
    if "household" not in str(cells):
        assert not form_with(cells, repeat=repeat).by_name["school"].prefilled


def test_a_calculated_question_is_calculated_and_not_prefilled() -> None:
    calculated = {"type": "calculate", "calculation": f"{KNOWN}/school"}
    question = form_with(calculated).by_name["school"]
    assert question.calculation is not None and not question.prefilled


@pytest.mark.parametrize(
    ("value", "loaded"),
    [
        ("instance('child')/root/item[name= /data/child ]/full_name", True),
        ('instance("child")/root/item[name= current()/../child ] / full_name', True),
        ("instance( 'child' )/root/item[a[b='x'] = ../c][2]/full_name", True),
        ("instance('child')/root/item[name=instance('x')/root/item[b=/data/full_name]/full_name]/label", False),
        ("instance('child')/root/item[name=../c]/full_name = ''", None),
        ("instance('child')/root/item[name=../c]/full_names", False),
        ("instance('child')/root/item[name=../c]/full_name.x", False),
        ("instance('children')/root/item[name=../c]/full_name", False),
        ("coalesce(instance('child')/root/item[name=../c]/full_name, instance('child')/root/item/label)", None),
        ("", False),
    ],
)
def test_values_as_the_phone_gets_them(value: str, loaded: bool | None) -> None:
    assert loads(value, "child", "full_name") is loaded
