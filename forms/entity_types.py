"""What an entity is: its properties, how each is merged, and which of them move together.

Read from `forms/entities/<type>.yaml`. To change how a property merges, edit its line there.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml


class PolicyName(StrEnum):
    """The closed list of merge policies that a property may name."""

    LATEST = "latest"
    HIGHEST = "highest"
    REVIEW = "review"
    UNION = "union"
    UNION_GROW = "union_grow"
    KEEP_FIRST = "keep_first"
    SERIES = "series"
    DERIVED = "derived"


class PropertyType(StrEnum):
    """The closed list of value types; the JSON form of each is given in `forms.values`."""

    TEXT = "text"
    NAME = "name"
    INTEGER = "integer"
    DECIMAL = "decimal"
    DATE = "date"
    CODE = "code"
    SET = "set"
    GEOPOINT = "geopoint"
    WARD = "ward"
    HAMLET = "hamlet"
    REF = "ref"
    ROWS = "rows"


class EntityTypeError(ValueError):
    """An entity type file that cannot be used; the message names the file and the property."""


@dataclass(frozen=True)
class Property:
    """One property of an entity type.

    `rank` lists the codes of a `highest` property from harmless to grave. `group` names the cell that it
    shares with others. `placement` marks the cell that decides where the entity lives. `calculated` lets the
    answer of a calculated question be written. `confirms` makes an unchanged answer count as seen again.
    """

    name: str
    type: PropertyType
    policy: PolicyName
    sensitivity: str
    vi: str
    en: str
    list: str | None = None
    rank: tuple[str, ...] = ()
    group: str | None = None
    placement: bool = False
    key: str | None = None
    of: str | None = None
    confirms: bool = False
    calculated: bool = False
    fields: Mapping[str, Any] = field(default_factory=dict)

    @property
    def cell(self) -> str:
        """The name of the cell that this property is in: its group, or itself."""
        return self.group or self.name


@dataclass(frozen=True)
class Cell:
    """What is merged as one: a property, or a group of properties that only make sense together."""

    name: str
    policy: PolicyName
    members: tuple[Property, ...]

    @property
    def placement(self) -> bool:
        return self.members[0].placement


@dataclass(frozen=True)
class EntityType:
    """A kind of thing that lives on (`household`, `child`), under one version of its properties."""

    name: str
    version: int
    label: str
    properties: Mapping[str, Property]

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        """Cell name -> cell, in the order of the file; derived properties are never written, so have none."""
        members: dict[str, list[Property]] = {}
        for prop in self.properties.values():
            if prop.policy is not PolicyName.DERIVED:
                members.setdefault(prop.cell, []).append(prop)
        return {name: Cell(name, props[0].policy, tuple(props)) for name, props in members.items()}

    @cached_property
    def placement(self) -> Cell:
        """The cell that places the entity (ward and hamlet of a household, household of a child)."""
        return next(cell for cell in self.cells.values() if cell.placement)


def load_entity_types(folder: Path) -> dict[str, EntityType]:
    """Read every `*.yaml` of `folder`: type name -> entity type. Raises `EntityTypeError`."""
    types = (_entity_type(path) for path in sorted(folder.glob("*.yaml")))
    return {kind.name: kind for kind in types}


def _entity_type(path: Path) -> EntityType:
    raw = yaml.safe_load(path.read_text(encoding="utf-8"))
    properties = {name: _property(path.name, name, spec) for name, spec in raw["properties"].items()}
    kind = EntityType(raw["type"], raw["version"], raw["label"], properties)
    if sum(cell.placement for cell in kind.cells.values()) != 1:
        raise EntityTypeError(f"{path.name}: exactly one cell must be the placement")
    for cell in kind.cells.values():
        if len({(prop.policy, prop.placement) for prop in cell.members}) != 1:
            raise EntityTypeError(f"{path.name}: the members of group {cell.name} must share one policy")
    return kind


def _property(file: str, name: str, spec: Mapping[str, Any]) -> Property:
    try:
        values = dict(spec)
        values["type"] = PropertyType(values["type"])
        values["policy"] = PolicyName(values["policy"])
        values["rank"] = tuple(str(code) for code in values.get("rank", ()))
        prop = Property(name=name, **values)
    except (KeyError, TypeError, ValueError) as error:
        raise EntityTypeError(f"{file}: property {name}: {error}") from error
    if prop.policy is PolicyName.HIGHEST and prop.type is PropertyType.CODE and not prop.rank:
        raise EntityTypeError(f"{file}: property {name}: a highest code needs its rank")
    return prop
