"""A supervisor's words on an entity: correct a value, decide a conflict, delete and restore."""

from collections.abc import Mapping
from typing import Any

from forms.entity_types import Cell, PolicyName, Property, PropertyType
from forms.property_values import cell_of
from forms.values import BadValue, blank
from sync.desk.orders import Refused
from sync.desk.session import Session
from sync.places import UNKNOWN_HAMLET
from sync.state.model import DELETED, Act, CellState, Conflict
from sync.thing import Thing


def correct(session: Session) -> dict[str, Any]:
    """Set values of an entity, on the state that the supervisor saw (`base`)."""
    thing = session.thing(str(session.order.entity))
    values = dict(session.order.values)
    if "ward_code" in values and "hamlet_code" in thing.kind.properties:
        values.setdefault("hamlet_code", UNKNOWN_HAMLET)  # a hamlet of the old ward names nothing in the new one
    said = _canonical(session, thing, values)
    if not said:
        raise Refused("invalid", "Chưa có giá trị nào để sửa.")
    return _rule(session, thing, said)


def delete(session: Session) -> dict[str, Any]:
    """Delete an entity as far as the supervisor saw it; or restore it."""
    return _rule(session, session.thing(str(session.order.entity)), {})


restore = delete


def resolve(session: Session) -> dict[str, Any]:
    """Decide a conflict. Refused as `stale` with the members of now if they are not those that he saw."""
    order = session.order
    thing = session.space.find(str(order.entity))
    if thing is None or thing.row is None:
        raise Refused("not_found")
    state = thing.settle()
    conflict = next((one for one in state.conflicts if one.id == order.conflict), None)
    if conflict is None or set(order.seen) != set(conflict.members):
        session.check_area(thing.row.area, *places_wished(thing, state.conflicts))
        raise Refused("stale", conflicts=[_told(one) for one in state.conflicts])
    session.check_area(thing.row.area, *places_wished(thing, [conflict]))
    return _rule(session, thing, _decided(session, thing, conflict), {"conflict": conflict.id})


def ruling(session: Session) -> list[Thing]:
    """Where the submission that an act is about is itself a decision of a conflict; nowhere if it is none."""
    sub = str(session.order.target)
    return [thing for thing in session.space.touching(sub) if _rules(thing, sub)]


def _rules(thing: Thing, sub: str) -> bool:
    entry = thing.find(sub)
    return entry is not None and entry.present and entry.op.act is Act.RESOLVE and thing.row is not None


def take_back(session: Session, things: list[Thing]) -> dict[str, Any]:
    """Withdraw a decision, or let it stand again: the conflict is open again, or decided again."""
    order, (thing, *_) = session.order, things
    assert thing.row is not None
    session.check_area(thing.row.area)
    verdict = thing.settle().verdicts.get(str(order.target))
    if (verdict is not None and verdict.act is Act.REJECT) is (order.act is Act.REJECT):
        raise Refused("cannot_apply", "Quyết định này đã ở trạng thái đó rồi.")
    area = thing.row.area
    session.act_on(thing, {}, target=order.target)
    session.judge([thing])
    row = thing.row
    return session.finish(
        area, thing.id, {"target": order.target, "entity": thing.id, "etag": f"{row.rev}-{row.etag}"}
    )


def places_wished(thing: Thing, conflicts: Any) -> list[str]:
    """The areas between which a household's place is in conflict: each has a say."""
    cell = thing.settle().cells.get(thing.kind.placement.name)
    if cell is None or thing.kind.name != "household" or not any(c.cell == "place" for c in conflicts):
        return []
    return sorted({str(entry.value["ward_code"]) for entry in cell.live if "ward_code" in entry.value})


def _rule(
    session: Session, thing: Thing, said: Mapping[str, Any], detail: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    assert thing.row is not None
    area = thing.row.area
    session.act_on(thing, said)
    session.judge([thing])
    row = thing.row
    return session.finish(area, thing.id, {"entity": thing.id, "etag": f"{row.rev}-{row.etag}", **(detail or {})})


def _canonical(session: Session, thing: Thing, values: Mapping[str, Any]) -> dict[str, Any]:
    said: dict[str, Any] = {}
    for name, value in values.items():
        prop = thing.kind.properties.get(name)
        if prop is None or prop.policy is PolicyName.DERIVED or (thing.follows and prop.placement):
            raise Refused("invalid", f"Không có mục {name!r} để sửa.", pointer=f"/values/{name}")
        try:
            said = (
                _whole(thing, prop) | said | cell_of(thing.kind.cells[prop.cell], {name: value}, session.desk.codes)
            )
        except BadValue as error:
            raise Refused("invalid", error.args[0], pointer=f"/values/{name}") from error
        _check_reference(session, prop, said[name])
    return said


def _whole(thing: Thing, prop: Property) -> dict[str, Any]:
    """Who may write in a place follows from what is said of it alone: half a place would name none."""
    state = thing.settle().cells.get(prop.cell)
    members = thing.kind.cells[prop.cell].members
    return {one.name: state.value.get(one.name) for one in members} if prop.placement and state else {}


def _check_reference(session: Session, prop: Property, value: Any) -> None:
    """A place that does not exist, or a household that nobody knows, would take the entity out of all sight."""
    if blank(value):
        return
    if prop.type is PropertyType.WARD and session.desk.world.places.areas(value) != (value,):
        raise Refused("invalid", "Không có xã/phường nào mang mã này.", pointer=f"/values/{prop.name}")
    if prop.type is PropertyType.REF:
        found = session.space.find(value)
        if found is None or found.row is None or found.kind.name != prop.of:
            raise Refused("invalid", "Không có hộ nào mang mã này.", pointer=f"/values/{prop.name}")


def _decided(session: Session, thing: Thing, conflict: Conflict) -> dict[str, Any]:
    order = session.order
    if order.choice is not None and order.choice not in conflict.members:
        raise Refused("invalid", "Lựa chọn không thuộc xung đột này.", pointer="/choice")
    if (order.choice is None) == (not order.values):
        raise Refused("invalid", "Cần đúng một trong hai: choice hoặc value.", pointer="/choice")
    if conflict.cell == DELETED:
        return {DELETED: _deleted(thing, order.choice, order.values)}
    name, _, key = conflict.cell.partition("/")
    cell, state = thing.kind.cells[name], thing.settle().cells[name]
    if order.choice is not None:
        return _chosen(cell, state, order.choice, key)
    strange = sorted(order.values.keys() - {prop.name for prop in cell.members})
    if strange:
        raise Refused("invalid", "Giá trị không thuộc mục đang xét.", pointer=f"/value/{strange[0]}")
    said = {prop.name: None for prop in cell.members} | _canonical(session, thing, order.values)
    if key and key not in _keys(cell, said):
        raise Refused("invalid", "Giá trị quyết định phải giữ nguyên khóa của mục đang xét.", pointer="/value")
    return said


def _deleted(thing: Thing, choice: str | None, values: Mapping[str, Any]) -> bool:
    if choice is None:
        return values.get(DELETED) is True
    entry = thing.find(choice)
    return entry is not None and entry.op.act is Act.DELETE


def _chosen(cell: Cell, state: CellState, choice: str, key: str) -> dict[str, Any]:
    entry = next(entry for entry in state.entries if entry.op == choice)
    if cell.policy is not PolicyName.SERIES:
        return {prop.name: entry.value.get(prop.name) for prop in cell.members}
    prop = cell.members[0]
    item = next(item for item in entry.write.items if str(item.get(prop.key or "")) == key)
    return {prop.name: [dict(item)]} if prop.type is PropertyType.ROWS else dict(item)


def _keys(cell: Cell, said: Mapping[str, Any]) -> set[str]:
    prop = cell.members[0]
    rows = said.get(prop.name) or [] if prop.type is PropertyType.ROWS else [said]
    return {str(row.get(prop.key or "")) for row in rows}


def _told(conflict: Conflict) -> dict[str, Any]:
    return {"id": conflict.id, "cell": conflict.cell, "members": list(conflict.members)}
