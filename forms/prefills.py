"""Whether a form puts what is known into a question: then an unchanged answer says nothing new."""

import re

_PREDICATE = re.compile(r"\[[^\[\]]*\]")
_BLANKS = re.compile(r"\s+")
_UNCHANGED = (
    re.compile(r"string\((?P<inner>.*)\)"),
    re.compile(r"coalesce\((?P<inner>.*),(?:''|\"\")\)"),
    re.compile(r"\((?P<inner>.*)\)"),
)


def loads(value: str, entity_list: str, prop: str) -> bool | None:
    """Whether a setvalue's `value` shows the property `prop` of `entity_list` just as it is known.

    False if it does not speak of the property. None if it does something to it first, as `if()` or `concat()`:
    then what was on the screen cannot be told from what is known.
    Source: ODK XForms specification, "setvalue" and "Secondary instances".
    """
    value = _BLANKS.sub("", value)
    while value != (value := _PREDICATE.sub("", value)):
        pass
    known = rf"instance\((['\"]){re.escape(entity_list)}\1\)/root/item/{re.escape(prop)}(?![\w.-])"
    if re.search(known, value) is None:
        return False
    return True if re.fullmatch(known, _unwrapped(value)) else None


def _unwrapped(value: str) -> str:
    """Without the functions around it that leave a text as it is."""
    for wrapper in _UNCHANGED:
        match = wrapper.fullmatch(value)
        if match is not None:
            return _unwrapped(match["inner"])
    return value
