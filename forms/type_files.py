"""Entity types from their files: `forms/entities/<type>.yaml`.

A file has `type`, `version`, `label`, `properties` and, where they are needed, `checks`, the type's own labels
`vi` and `en`, `half: protected` if officers alone read the type as a whole, and `earlier`: version -> property ->
what was different then (fields that had other values, or null for a property that did not exist), counted backwards
from the version after it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from forms.conditions import ConditionError
from forms.derived import DERIVED
from forms.entity_types import Check, EntityType, EntityTypeError, Half, PolicyName, Property, PropertyType

_CODED = (PropertyType.CODE, PropertyType.SET)
# What an author cannot read he has never seen, so nothing here may replace what was seen.
UNSEEN_POLICIES = frozenset(
    {PolicyName.UNION, PolicyName.UNION_GROW, PolicyName.HIGHEST, PolicyName.SERIES, PolicyName.KEEP_FIRST}
)

Specs = Mapping[str, Mapping[str, Any]]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where libyaml is there


def load_entity_types(folder: Path) -> dict[str, EntityType]:
    """Read every `*.yaml` of `folder`: type name -> entity type, halves included. Raises `EntityTypeError`."""
    types: dict[str, EntityType] = {}
    for path in sorted(folder.glob("*.yaml")):
        kind = _File(path.name, yaml.load(path.read_text(encoding="utf-8"), Loader=_LOADER)).read()  # noqa: S506 - it is a safe one
        for one in (kind, kind.protected_half):
            if one is not None and types.setdefault(one.name, one) is not one:
                raise EntityTypeError(f"{path.name}: there is a type {one.name} already")
    return types


@dataclass(frozen=True)
class _File:
    """One file while it is read; `name` is for messages."""

    name: str
    raw: Mapping[str, Any]

    def read(self) -> EntityType:
        checks = tuple(_check(self.name, spec) for spec in self.raw.get("checks", ()))
        earlier: dict[int, EntityType] = {}
        specs: Specs = self.raw["properties"]
        for version in sorted(self.raw.get("earlier", {}), reverse=True):
            specs = _changed(self.name, specs, self.raw["earlier"][version])
            earlier[version] = self._type(version, specs, (), {})
        kind = self._type(self.raw["version"], self.raw["properties"], checks, earlier)
        if earlier and max(earlier) >= kind.version:
            raise EntityTypeError(f"{self.name}: an earlier version must be less than {kind.version}")
        for one in (kind, kind.protected_half):
            if one is not None:
                _verify(self.name, one)
        return kind

    def _type(
        self, version: int, specs: Specs, checks: tuple[Check, ...], earlier: Mapping[int, EntityType]
    ) -> EntityType:
        properties = [_property(self.name, name, spec) for name, spec in specs.items()]
        groups = {half: {p.group for p in properties if p.half is half} - {None} for half in Half}
        if mixed := groups[Half.OPEN] & groups[Half.PROTECTED]:
            raise EntityTypeError(f"{self.name}: group {mixed.pop()} is in both halves")
        if self.raw.get("half", Half.OPEN) not in set(Half):
            raise EntityTypeError(f"{self.name}: half cannot be {self.raw['half']!r}")
        whole = Half(self.raw.get("half", Half.OPEN))
        if whole is Half.PROTECTED:
            for prop in properties:
                self._verify_unseen(prop, allowed=prop.placement and prop.type is PropertyType.WARD)
            if any(prop.placement and prop.type is not PropertyType.WARD for prop in properties):
                raise EntityTypeError(f"{self.name}: a protected type must say in which ward it is")
        kind = EntityType(
            name=self.raw["type"],
            version=version,
            label=self.raw["label"],
            properties={p.name: p for p in properties if p.half is Half.OPEN},
            checks=checks,
            half=whole,
            protected_half=self._half(version, properties, earlier),
            earlier=earlier,
        )
        _verify_cells(self.name, kind)
        return kind

    def _half(
        self, version: int, properties: Iterable[Property], earlier: Mapping[int, EntityType]
    ) -> EntityType | None:
        """The type of the protected properties, placed by the entity whose half it is; None if there are none."""
        secret = {p.name: p for p in properties if p.half is Half.PROTECTED}
        if not secret:
            return None
        owner = self.raw["type"]
        for prop in secret.values():
            self._verify_unseen(prop, allowed=False)
            if prop.placement or prop.name == owner or "half" in self.raw:
                raise EntityTypeError(f"{self.name}: property {prop.name}: not possible in the protected half")
        labels = {"vi": self.raw.get("vi", owner), "en": self.raw.get("en", owner)}
        place = {"type": "ref", "of": owner, "placement": True, "policy": "review", "sensitivity": "S1", **labels}
        half = EntityType(
            name=f"{owner}_protected",
            version=version,
            label=owner,
            properties={owner: _property(self.name, owner, place), **secret},
            half=Half.PROTECTED,
            earlier={number: kind.protected_half for number, kind in earlier.items() if kind.protected_half},
        )
        _verify_cells(self.name, half)
        return half

    def _verify_unseen(self, prop: Property, allowed: bool) -> None:
        if prop.policy not in UNSEEN_POLICIES and not allowed:
            raise EntityTypeError(f"{self.name}: property {prop.name}: not possible in the protected half")


def _changed(file: str, specs: Specs, changes: Mapping[str, Mapping[str, Any] | None]) -> Specs:
    """The properties of a version from those of the version after it."""
    found = dict(specs)
    for name, change in changes.items():
        if change is not None:
            found[name] = {**found.get(name, {}), **change}
        elif found.pop(name, None) is None:
            raise EntityTypeError(f"{file}: {name} was gone before it was there")
    return found


def _property(file: str, name: str, spec: Mapping[str, Any]) -> Property:
    try:
        values = dict(spec)
        values["type"] = PropertyType(values["type"])
        values["policy"] = PolicyName(values["policy"])
        values["half"] = Half(values.get("half", Half.OPEN))
        for codes in ("rank", "danger"):
            values[codes] = tuple(str(code) for code in values.get(codes, ()))
        prop = Property(name=name, **values)
    except (KeyError, TypeError, ValueError) as error:
        raise EntityTypeError(f"{file}: property {name}: {error}") from error
    if prop.policy is PolicyName.HIGHEST and prop.type is PropertyType.CODE and not prop.rank:
        raise EntityTypeError(f"{file}: property {name}: a highest code needs its rank")
    if prop.policy is PolicyName.DERIVED and name not in DERIVED:
        raise EntityTypeError(f"{file}: property {name}: no function derives it")
    if prop.danger and prop.type not in _CODED:
        raise EntityTypeError(f"{file}: property {name}: only codes can be a danger sign")
    return prop


def _check(file: str, spec: Mapping[str, Any]) -> Check:
    try:
        return Check(**spec)
    except TypeError as error:
        raise EntityTypeError(f"{file}: check {spec}: {error}") from error


def _verify(file: str, kind: EntityType) -> None:
    """Conditions must be decidable and speak of this half alone; no check may fail for want of an answer."""
    try:
        conditions = [*kind.conditions.items(), *kind.tests.items()]
    except ConditionError as error:
        raise EntityTypeError(f"{file}: {error}") from error
    for name, condition in conditions:
        if strange := sorted(condition.names - set(kind.properties)):
            raise EntityTypeError(f"{file}: the condition of {name} names {strange[0]}")
    if len(kind.tests) != len(kind.checks):
        raise EntityTypeError(f"{file}: two checks have one id")
    if blank := kind.broken({}):
        raise EntityTypeError(f"{file}: check {blank[0]} fails where nothing was answered")


def _verify_cells(file: str, kind: EntityType) -> None:
    if sum(cell.placement for cell in kind.cells.values()) != 1:
        raise EntityTypeError(f"{file}: exactly one cell must be the placement")
    for cell in kind.cells.values():
        if len({(prop.policy, prop.placement) for prop in cell.members}) != 1:
            raise EntityTypeError(f"{file}: the members of group {cell.name} must share one policy")
