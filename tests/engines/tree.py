"""Between the engine's objects and plain texts: values, paths, the tree of a filled form and its entities."""

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

import jpype

from tests.engines.fill import FilledEntity, Kind, Refused

_ENTITIES = "http://www.opendatakit.org/xforms/entities"
_VERSION_4 = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
_TEMPLATE = -2


class EngineError(Exception):
    """The engine, or Collect, would refuse this form or this filling."""


class NoAnswerError(EngineError):
    """A required question for which no offered value was taken; `refused` says which were, and why not."""

    def __init__(self, path: str, refused: tuple[Refused, ...], constraint: str) -> None:
        tried = ", ".join(f"{r.value!r} ({r.why})" for r in refused[:5])
        super().__init__(f"{path}: none of {len(refused)} values was taken (constraint {constraint!r}): {tried}")
        self.path, self.refused = path, refused


def read_leaves(
    element: Any, leaves: dict[str, str], entities: list[FilledEntity], owners: list[dict[str, str]]
) -> None:
    """Collect the relevant leaves below, and the entities with their properties as Collect reads them."""
    if not element.isRelevant() or int(element.getMult()) == _TEMPLATE:
        return
    entity = _entity_of(element)
    if entity is not None:
        owners = [*owners, {}]
    for position in range(int(element.getNumChildren())):
        child = element.getChildAt(position)
        read_leaves(child, leaves, entities, owners)
    if entity is not None:
        entities.append(_entity(entity, owners[-1]))
    if int(element.getNumChildren()) == 0:
        path, value = path_of(element), text_of(element.getValue()) or ""
        leaves[path] = value
        saved_as = element.getBindAttributeValue(_ENTITIES, "saveto")
        if saved_as is not None and owners:
            owners[-1][str(saved_as)] = value


def _entity_of(element: Any) -> Any:
    meta = element.getFirstChild("meta")
    return None if meta is None else meta.getFirstChild("entity")


def _entity(element: Any, properties: Mapping[str, str]) -> FilledEntity:
    """Raises `EngineError` for what Collect cannot apply: no version 4 UUID, a new entity without label."""

    def attribute(name: str) -> str:
        return str(element.getAttributeValue(None, name) or "")

    label = element.getFirstChild("label")
    entity = FilledEntity(
        dataset=attribute("dataset"),
        id=attribute("id"),
        create=attribute("create") in ("1", "true"),
        update=attribute("update") in ("1", "true"),
        base_version=attribute("baseVersion"),
        trunk_version=attribute("trunkVersion"),
        branch_id=attribute("branchId"),
        label="" if label is None else text_of(label.getValue()) or "",
        properties=properties,
    )
    acts = entity.create or entity.update
    nameless = entity.create and not entity.update and not entity.label.strip()
    if acts and (nameless or not _VERSION_4.fullmatch(entity.id)):
        raise EngineError(f"Collect cannot apply this entity: {entity}")
    return entity


def data_of(kind: Kind, value: str, prompt: Any, choices: Mapping[str, Any]) -> Any:
    """The engine's own value for a text. KeyError: a choice that is not offered."""
    if kind is Kind.ONE:
        return java("org.javarosa.core.model.data.SelectOneData")(choices[value].selection())
    if kind in (Kind.SEVERAL, Kind.RANK):
        picked = java("java.util.ArrayList")()
        for name in value.split():
            picked.add(choices[name].selection())
        return java("org.javarosa.core.model.data.MultipleItemsData")(picked)
    parser = java("org.javarosa.xform.util.XFormAnswerDataParser")
    data = parser.getAnswerData(value, prompt.getDataType(), prompt.getQuestion())
    if data is None:
        raise ValueError(value)
    return data


def kind_of(control: int, data_type: int) -> Kind:
    constants = java("org.javarosa.core.model.Constants")
    controls = {
        "SELECT_ONE": Kind.ONE,
        "SELECT_MULTI": Kind.SEVERAL,
        "RANK": Kind.RANK,
        "TRIGGER": Kind.ACKNOWLEDGE,
    }
    for name, kind in controls.items():
        if control == int(getattr(constants, f"CONTROL_{name}")):
            return kind
    types = {
        "INTEGER": Kind.INTEGER,
        "LONG": Kind.INTEGER,
        "DECIMAL": Kind.DECIMAL,
        "DATE": Kind.DATE,
        "TIME": Kind.TIME,
        "DATE_TIME": Kind.DATE_TIME,
        "GEOPOINT": Kind.POINT,
        "BINARY": Kind.FILE,
    }
    for name, kind in types.items():
        if data_type == int(getattr(constants, f"DATATYPE_{name}")):
            return kind
    return Kind.TEXT


def path_of(element: Any) -> str:
    parts: list[str] = []
    while element is not None and element.getName() is not None:
        number = f"[{int(element.getMult()) + 1}]" if element.isRepeatable() else ""
        parts.append(f"{element.getName()}{number}")
        element = element.getParent()
    return "/" + "/".join(reversed(parts))


def text_of(data: Any) -> str | None:
    return None if data is None else str(data.uncast().getString())


def java_date(moment: datetime) -> Any:
    return java("java.util.Date")(int(moment.timestamp() * 1000))


@cache
def java(name: str) -> Any:
    return jpype.JClass(name)
