"""Two small forms with everything that the driver has to cope with, and their media."""

from collections.abc import Mapping

from pyxform.xls2xform import convert

CHILD = "3f0a1c9e-0d55-4c1b-9d3b-6a3f1f4b7a10"
_YES_NO = [{"list_name": "yn", "name": name, "label": label} for name, label in (("1", "Có"), ("0", "Không"))]


def _row(kind: str, name: str = "", **cells: str) -> dict[str, str]:
    return {"type": kind} | ({"name": name, "label": name} if name else {}) | cells


_REGISTER = [
    _row("csv-external", "household"),
    _row("start", "start"),
    _row("end", "end"),
    _row("date", "visit_date", required="yes", constraint=". <= today()"),
    _row("calculate", "household_id", calculation="once(uuid())"),
    _row("select_one_from_file wards.csv", "ward", required="yes", save_to="household#ward"),
    _row(
        "select_one_from_file hamlets.csv",
        "hamlet",
        required="yes",
        choice_filter="ward = ${ward}",
        save_to="household#hamlet",
    ),
    _row("text", "head", required="yes", save_to="household#head"),
    _row("text", "phone", constraint="regex(., '^0[0-9]{9}$')", save_to="household#phone"),
    _row("geopoint", "gps"),
    _row("select_one yn", "water", required="yes", save_to="household#water"),
    _row("integer", "metres", required="yes", relevant="${water} = '1'", constraint=". >= 5 and . <= 50"),
    _row("select_multiple yn", "answers"),
    _row("note", "remark"),
    _row("begin_repeat", "members"),
    _row("begin_group", "member"),
    _row("text", "name", required="yes", save_to="child#full_name"),
    _row("date", "dob", required="yes", constraint=". <= ${visit_date}", save_to="child#dob"),
    _row("decimal", "weight", constraint=". > 0 and . <= 60", save_to="child#weight"),
    _row("end_group"),
    _row("calculate", "household", calculation="${household_id}", save_to="child#household"),
    _row("end_repeat"),
]


def _known(kind: str, name: str, **cells: str) -> dict[str, str]:
    """A question about the chosen child, prefilled from the list."""
    known = f"instance('child')/root/item[name=${{child}}]/{name}"
    return _row(kind, name, relevant="${met} = '1'", calculation=known, trigger="${child}", save_to=name, **cells)


_FOLLOW = [
    _row("select_one_from_file child.csv", "child", required="yes"),
    _row("select_one yn", "met", required="yes"),
    _known("text", "full_name", required="yes"),
    _known("date", "dob", required="yes", constraint=". <= today()"),
    _known("decimal", "weight", constraint=". > 0 and . <= 60"),
    _row("text", "note", save_to="note"),
]

FILES: Mapping[str, bytes] = {
    "wards.csv": "name,label\n31135,Ninh Kiều\n31120,Cái Khế\n".encode(),
    "hamlets.csv": "name,label,ward\n01,Khu vực 1,31135\n02,Khu vực 2,31135\n07,Khu vực 7,31120\n".encode(),
    "household.csv": b"name,label,__version,ward,hamlet\n",
    "child.csv": (
        f"name,label,__version,full_name,dob,weight\n{CHILD},Thạch Sô Phia,7,Thạch Sô Phia,2019-05-31,17.5\n"
    ).encode(),
}


def register() -> str:
    """An XForm that creates a household, and a child per row."""
    household = {"list_name": "household", "label": "${head}", "entity_id": "${household_id}"}
    child = {"list_name": "child", "label": "${name}", "create_if": "true()"}
    return _compile("register", _REGISTER, [household | {"create_if": "true()", "update_if": "false()"}, child])


def follow() -> str:
    """An XForm that updates a known child, prefilled with what the list says."""
    return _compile("follow", _FOLLOW, [{"list_name": "child", "entity_id": "${child}"}])


def _compile(form_id: str, survey: list[dict[str, str]], entities: list[dict[str, str]]) -> str:
    sheets = {
        "survey": survey,
        "survey_header": [{column: None for row in survey for column in row}],
        "choices": _YES_NO,
        "entities": entities,
        "settings": [{"form_id": form_id, "version": "1"}],
    }
    return str(convert(sheets).xform)
