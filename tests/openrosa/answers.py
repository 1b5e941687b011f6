"""XForm instances as phones send them."""

import uuid
from typing import Any

from tests.api.builders import as_xml, new_id, registration, situation
from tests.api.towns import Town

NAME = "Lê Ngọc Hân"


def form_of(town: Town, form: str) -> Any:
    return town.nest.catalogue.current_of(form)


def with_meta(xml: str, ident: str | None = None, replaces: str = "", **times: str) -> str:
    """The instance with an id, with what it replaces, and with the times that it states (`start`, `end`)."""
    said = f"<instanceID>{ident}</instanceID>" if ident else ""
    said += f"<deprecatedID>{replaces}</deprecatedID>" if replaces else ""
    xml = xml if "<meta>" in xml.rpartition("</data>")[0][-400:] else xml.replace("</data>", "<meta></meta></data>")
    before, _, after = xml.rpartition("</meta>")
    xml = f"{before}{said}</meta>{after}"
    for name, value in times.items():
        head, _, rest = xml.partition(">")
        xml = f"{head}><{name}>{value}</{name}>{rest}"
    return xml


def home(town: Town, name: str = NAME, ident: str | None = None, **more: Any) -> tuple[str, str, str]:
    """The registration of a household with one child: its XML, the household and the child."""
    household, child = new_id(), new_id()
    element = {"dataset": "household", "id": household, "create": "1"}
    xml = as_xml(form_of(town, "household_registration"), registration(household, {child: name}, **more), element)
    return with_meta(xml, ident or f"uuid:{uuid.uuid4()}"), household, child


def visited(
    town: Town, child: str, version: int, name: str = NAME, ident: str | None = None, replaces: str = "", **more: Any
) -> str:
    """The form of a visit to a child whose version the phone has."""
    element = {"dataset": "child", "id": child, "update": "1", "baseVersion": str(version)}
    xml = as_xml(form_of(town, "child_situation"), situation(child, name, **more), element)
    return with_meta(xml, ident or f"uuid:{uuid.uuid4()}", replaces)
