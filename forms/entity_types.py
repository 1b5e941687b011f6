"""What an entity is: its properties, how each is merged, and which of them move together.

Read from `forms/entities/<type>.yaml` by `forms.type_files`. To change how a property merges, edit its line there.
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Any

from forms.conditions import Condition

_PROTECTED = uuid.UUID("7b1f7a3e-52d9-5c3e-8a2f-6f0f9a5d2c41")


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
    DATETIME = "datetime"
    CODE = "code"
    SET = "set"
    GEOPOINT = "geopoint"
    WARD = "ward"
    HAMLET = "hamlet"
    REF = "ref"
    ROWS = "rows"
    FILE = "file"


class Half(StrEnum):
    """Who reads a property: everybody who has the entity's place, or the officers of its area alone."""

    OPEN = "open"
    PROTECTED = "protected"


class EntityTypeError(ValueError):
    """An entity type file that cannot be used; the message names the file and the property."""


@dataclass(frozen=True)
class Property:
    """One property of an entity type.

    `rank` lists the codes of a `highest` property from harmless to grave. `group` names the cell that it
    shares with others. `placement` marks the cell that decides where the entity lives. `calculated` lets the
    answer of a calculated question be written. `confirms` makes an unchanged answer count as seen again.
    `applies` is a condition (`forms.conditions`) over properties of the same entity: where it is false on the
    merged record, the value is kept and shown as not applicable. `danger` lists the codes that are a danger
    sign, `*` standing for any value. `officer`: only a supervisor's form may state it.
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
    half: Half = Half.OPEN
    applies: str | None = None
    danger: tuple[str, ...] = ()
    officer: bool = False

    @property
    def cell(self) -> str:
        """The name of the cell that this property is in: its group, or itself."""
        return self.group or self.name


@dataclass(frozen=True)
class Check:
    """A constraint between properties of one merged record: `test` true is fine, undecidable is fine too."""

    id: str
    test: str
    vi: str
    en: str


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
    """A kind of thing that lives on (`household`, `child`), under one version of its properties.

    `protected_half` is the type of its protected properties, an entity of its own beside each of this one;
    `half` says which of the two this is. A type may be protected as a whole (`report`): then it is nobody's half.
    `earlier` are the type's earlier versions.
    """

    name: str
    version: int
    label: str
    properties: Mapping[str, Property]
    checks: tuple[Check, ...] = ()
    half: Half = Half.OPEN
    protected_half: "EntityType | None" = None
    earlier: Mapping[int, "EntityType"] = field(default_factory=dict)

    @cached_property
    def cells(self) -> Mapping[str, Cell]:
        """Cell name -> cell, in the order of the file; derived properties are never written, so have none."""
        members: dict[str, list[Property]] = {}
        for prop in self.properties.values():
            if prop.policy is not PolicyName.DERIVED:
                members.setdefault(prop.cell, []).append(prop)
        return {name: Cell(name, props[0].policy, tuple(props)) for name, props in members.items()}

    @cached_property
    def cell_of(self) -> Mapping[str, str]:
        """Property name -> the name of its cell."""
        return {name: prop.cell for name, prop in self.properties.items()}

    @cached_property
    def derived(self) -> tuple[str, ...]:
        """The properties that follow from others."""
        return tuple(name for name, prop in self.properties.items() if prop.policy is PolicyName.DERIVED)

    @cached_property
    def placement(self) -> Cell:
        """The cell that places the entity (ward and hamlet of a household, household of a child)."""
        return next(cell for cell in self.cells.values() if cell.placement)

    @property
    def has_ward(self) -> bool:
        """Whether its own answers name the ward where it lives; others live where that is to which they belong."""
        return self.placement.members[0].type is PropertyType.WARD

    @property
    def follows(self) -> bool:
        """Whether it is the protected half of another type, and lives where that lives."""
        return self.half is Half.PROTECTED and not self.has_ward

    @cached_property
    def conditions(self) -> Mapping[str, Condition]:
        """Property name -> when it applies. Raises `ConditionError`."""
        return {name: Condition(prop.applies) for name, prop in self.properties.items() if prop.applies}

    @cached_property
    def tests(self) -> Mapping[str, Condition]:
        """Check id -> its test. Raises `ConditionError`."""
        return {check.id: Condition(check.test) for check in self.checks}

    def at(self, version: int) -> "EntityType":
        """The type as it was in `version`; for one that is not known, the nearest known later one, or this."""
        known = [number for number in self.earlier if version <= number]
        return self.earlier[min(known)] if known else self

    def not_applicable(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The properties that have a value in the merged `data` (property -> canonical) but do not apply."""
        held = self.conditions.keys() & data.keys()
        return tuple(
            name
            for name in self.conditions
            if name in held and data[name] not in (None, "", []) and self.conditions[name].holds(data) is False
        )

    def broken(self, data: Mapping[str, Any]) -> tuple[str, ...]:
        """The ids of the checks that the merged `data` (property -> canonical) does not pass."""
        return tuple(ident for ident, test in self.tests.items() if test.holds(data) is False)


def protected_id(ident: str) -> str:
    """The id of the protected half of the entity `ident`: UUIDv5, so that everybody finds the same one."""
    return str(uuid.uuid5(_PROTECTED, ident))


def protected_names(types: Mapping[str, EntityType]) -> frozenset[str]:
    """The names of the properties of all protected halves, by which their questions are found."""
    properties = (p for kind in types.values() for p in kind.properties.values())
    return frozenset(p.name for p in properties if p.half is Half.PROTECTED)
