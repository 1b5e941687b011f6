"""Small entity types for the tests (few cells, so that what people do collides) and a short way to write ops."""

from collections.abc import Iterable, Mapping
from typing import Any

from forms.entity_types import EntityType, PolicyName, Property, PropertyType
from sync.extract import Extraction
from sync.model import Act, Op, Standing, State

RANK = ("thap", "vua", "cao")


def prop(name: str, kind: str = "text", policy: str = "latest", **more: Any) -> Property:
    """One property; what a merge does not look at is filled in."""
    return Property(
        name=name, type=PropertyType(kind), policy=PolicyName(policy), sensitivity="S1", vi=name, en=name, **more
    )


def kind_of(*properties: Property, name: str = "child") -> EntityType:
    """An entity type with these properties."""
    return EntityType(name, 1, properties[0].name, {p.name: p for p in properties})


CHILD = kind_of(
    prop("full_name", "name", "review"),
    prop("birth_order", "integer", "review"),
    prop("phone", group="contact"),
    prop("phone_owner", group="contact"),
    prop("risk_now", "code", "highest", rank=RANK),
    prop("school", group="school"),
    prop("grade", "integer", group="school"),
    prop("household", "ref", "review", placement=True),
)
HOUSEHOLD = kind_of(
    prop("ward_code", "ward", "review", group="place", placement=True),
    prop("hamlet_code", "hamlet", "review", group="place", placement=True),
    prop("head_name", "name", "review"),
    prop("address"),
    name="household",
)
VALUES: dict[str, list[Any]] = {
    "full_name": ["Nguyễn Thị Lan", "Nguyễn Thị Lan Anh", "Nguyễn Thị Loan"],
    "birth_order": [0, 1, 2],
    "phone": ["0912345678", "0987654321", "0909000111"],
    "phone_owner": ["mẹ", "bà ngoại", "chú"],
    "risk_now": list(RANK),
    "school": ["Tiểu học Kim Đồng", "Tiểu học Lê Lợi", "THCS An Bình"],
    "grade": [0, 4, 5],
    "household": ["ho-1", "ho-2", "ho-3"],
    "ward_code": ["2025.31135", "2025.31147", "2025.31150"],
    "hamlet_code": ["01", "02", "03"],
    "head_name": ["Trần Văn Hòa", "Trần Văn Hoà", "Lê Thị Bảy"],
    "address": ["12 Lê Lợi", "14 Lê Lợi", "khu vực 3"],
}


def op(sub: str, t: int = 0, said: Mapping[str, Any] | None = None, **more: Any) -> Op:
    """One op on the entity `e-1`. `saw` names its snapshot; `loaded` defaults to all that it said."""
    saw = more.pop("saw", ())
    loaded = more.pop("loaded", () if more.get("creates") else (said or {}))
    return Op(
        sub=sub,
        entity="e-1",
        author=more.pop("author", f"người {sub}"),
        t=t,
        said=said or {},
        snapshot=frozenset(saw),
        loaded=frozenset(loaded),
        **more,
    )


def ruling(sub: str, t: int, said: Mapping[str, Any], saw: Iterable[str], act: Act = Act.RESOLVE) -> Op:
    """A supervisor's word on values, having seen `saw`."""
    return op(sub, t, said, saw=saw, loaded=(), standing=Standing.SUPERVISOR, act=act)


def extract(kind: EntityType, *ops: Op) -> Extraction:
    """The extraction of these ops."""
    return Extraction(kind, {o.sub: o for o in ops})


def merged(kind: EntityType, *ops: Op) -> State:
    """The state that these ops make, which must not depend on their order."""
    state = extract(kind, *ops).state()
    assert state == extract(kind, *reversed(ops)).state()
    return state
