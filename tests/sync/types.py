"""Small entity types for the tests (few cells, so that what people do collides) and a short way to write ops."""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

from forms.entity_types import EntityType, PolicyName, Property, PropertyType
from sync.state.extract import Extraction
from sync.state.model import Act, NoticeKind, Op, Standing, State

RANK = ("thap", "vua", "cao")


def prop(name: str, kind: str = "text", policy: str = "latest", **more: Any) -> Property:
    """One property; what a merge does not look at is filled in."""
    return Property(
        name=name, type=PropertyType(kind), policy=PolicyName(policy), sensitivity="S1", vi=name, en=name, **more
    )


def kind_of(*properties: Property, name: str = "child", version: int = 1, **earlier: EntityType) -> EntityType:
    """An entity type with these properties; its earlier versions are given as `v1=…`."""
    known = {int(number[1:]): kind for number, kind in earlier.items()}
    return EntityType(name, version, properties[0].name, {p.name: p for p in properties}, earlier=known)


HOME = prop("household", "ref", "review", placement=True)
CHILD = kind_of(
    prop("full_name", "name", "review"),
    prop("birth_order", "integer", "review"),
    prop("phone", group="contact"),
    prop("phone_owner", group="contact"),
    prop("risk_now", "code", "highest", rank=RANK),
    prop("school", group="school"),
    prop("grade", "integer", group="school"),
    HOME,
)
HOUSEHOLD = kind_of(
    prop("ward_code", "ward", "review", group="place", placement=True),
    prop("hamlet_code", "hamlet", "review", group="place", placement=True),
    prop("head_name", "name", "review"),
    prop("address"),
    name="household",
)
# One theme each for the generated worlds.
NAMES = kind_of(prop("full_name", "name", "review"), prop("birth_order", "integer", "review"), HOME)
RISKS = kind_of(prop("risk_now", "code", "highest", rank=RANK), prop("checkup", "date", "highest"), HOME)
CONTACTS = kind_of(
    prop("phone", group="contact"), prop("phone_owner", group="contact"), prop("nutrition", "code", confirms=True)
)
PAPERS = kind_of(prop("pid", policy="keep_first"), prop("hi_number", policy="keep_first"), prop("phone"))
SETS = kind_of(
    prop("needs", "set", "union"), prop("sc_codes", "set", "union_grow"), prop("signs", "set", "union", confirms=True)
)
DOSES = prop("imm_doses", "rows", "series", key="dose", fields={"dose": "code", "dose_date": "date"})
MEASURES = kind_of(
    prop("weight_kg", "decimal", "series", group="measurement"),
    prop("height_cm", "decimal", "series", group="measurement"),
    DOSES,
)
LISTS = kind_of(
    prop("injuries", "rows", "series", fields={"injury_type": "code", "injury_date": "date"}),
    prop("poverty_status", "code", "series", group="poverty", key="poverty_year"),
    prop("poverty_year", "integer", "series", group="poverty", key="poverty_year"),
    name="household",
)
# In its first version `needs` was one answer that the next one replaces, and a risk could go down by itself.
EARLY = kind_of(
    prop("needs", "set"), prop("risk_now", "code", rank=RANK), prop("phone"), prop("phone_owner"), prop("old_note")
)
PINNED = kind_of(
    prop("needs", "set", "union"),
    prop("risk_now", "code", "highest", rank=RANK),
    prop("phone", group="contact"),
    prop("phone_owner", group="contact"),
    version=2,
    v1=EARLY,
)


def _sets(*codes: str) -> list[Any]:
    return [sorted(some) for size in (1, 2, 3) for some in combinations(codes, size)]


VALUES: dict[str, list[Any]] = {
    "full_name": ["Nguyễn Thị Lan", "Nguyễn Thị Lan Anh", "Nguyễn Thị Loan"],
    "birth_order": [0, 1, 2],
    "phone": ["0912345678", "0987654321", "0909000111"],
    "phone_owner": ["mẹ", "bà ngoại", "chú"],
    "nutrition": ["binh_thuong", "suy_dinh_duong"],
    "risk_now": list(RANK),
    "checkup": ["2026-03-02", "2026-09-15"],
    "school": ["Tiểu học Kim Đồng", "Tiểu học Lê Lợi", "THCS An Bình"],
    "grade": [0, 4, 5],
    "household": ["ho-1", "ho-2", "ho-3"],
    "ward_code": ["2025.31135", "2025.31147", "2025.31150"],
    "hamlet_code": ["01", "02", "03"],
    "head_name": ["Trần Văn Hòa", "Trần Văn Hoà", "Lê Thị Bảy"],
    "address": ["12 Lê Lợi", "14 Lê Lợi", "khu vực 3"],
    "pid": ["092214000123", "092214000132", "092214000999"],
    "hi_number": ["TE1929221400012", "TE1929221400021"],
    "needs": _sets("gạo", "sách vở", "xe lăn"),
    "sc_codes": _sets("SC01", "SC02", "SC08"),
    "signs": _sets("ho", "sốt"),
    "weight_kg": [12.5, 13.0],
    "height_cm": [88.0, 90.0],
    "imm_doses": [
        [{"dose": "BCG", "dose_date": "2026-01-05"}],
        [{"dose": "BCG", "dose_date": "2026-01-06"}],
        [{"dose": "Soi", "dose_date": "2026-10-01"}, {"dose": "BCG", "dose_date": "2026-01-05"}],
        [{"dose": "Soi"}, {}],
    ],
    "injuries": [
        [{"injury_type": "bỏng", "injury_date": "2026-05-01"}],
        [{"injury_type": "ngã"}, {"injury_type": "ngã"}],
    ],
    "poverty_status": ["nghèo", "cận nghèo"],
    "poverty_year": [2025, 2026],
    "old_note": ["khách", "về quê"],
}


def op(sub: str, t: int = 0, said: Mapping[str, Any] | None = None, **more: Any) -> Op:
    """One op on the entity `e-1`. `saw` names its snapshot; `loaded` defaults to all that it said."""
    saw = more.pop("saw", ())
    loaded = more.pop("loaded", () if more.get("creates") else (said or {}))
    return Op(
        sub=sub,
        entity="e-1",
        author=more.pop("author", "Chị Bảy"),
        t=t,
        said=said or {},
        snapshot=frozenset(saw),
        loaded=frozenset(loaded),
        **more,
    )


def ruling(sub: str, t: int, said: Mapping[str, Any], saw: Iterable[str], act: Act = Act.RESOLVE) -> Op:
    """A supervisor's word on values, having seen `saw`."""
    return op(sub, t, said, saw=saw, loaded=(), author="cán bộ", standing=Standing.SUPERVISOR, act=act)


def about(act: Act, target: str, sub: str, t: int, saw: Iterable[str], said: Mapping[str, Any] | None = None) -> Op:
    """A supervisor's act on one submission; of a repair, `said` is what is read instead."""
    more: dict[str, Any] = {"standing": Standing.SUPERVISOR, "act": act, "target": target, "author": "cán bộ"}
    return op(sub, t, said or {}, saw=saw, loaded=(), **more)


def extract(kind: EntityType, *ops: Op) -> Extraction:
    """The extraction of these ops."""
    return Extraction(kind, {o.sub: o for o in ops})


def merged(kind: EntityType, *ops: Op) -> State:
    """The state that these ops make, which must not depend on their order."""
    state = extract(kind, *ops).state()
    assert state == extract(kind, *reversed(ops)).state()
    return state


def notices(state: State) -> set[tuple[str, str, NoticeKind]]:
    """Whose write lost to whose, and how."""
    return {(n.op, n.by, n.kind) for n in state.notices}


def members(state: State) -> dict[str, tuple[str, ...]]:
    """Between which writes a person must decide, by cell."""
    return {conflict.cell: conflict.members for conflict in state.conflicts}
