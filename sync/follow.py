"""What follows from the ops that a transaction took in: where entities live, what is in doubt, whom to visit."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from forms.checks import national
from forms.entity_types import EntityType, PropertyType, protected_id
from sync.bodies import entity_body
from sync.danger import Alarm
from sync.names import search_key, sort_key
from sync.planning import plan_visits
from sync.ports import Changes, EntityRow, Touched
from sync.state.model import DELETED, Act, Conflict, Notice, NoticeKind, State
from sync.states import tell_authors
from sync.thing import Thing
from sync.visits.calendar import Calendar
from sync.visits.rules import Rules
from sync.workspace import Workspace, place_of

LIFE = (Act.DELETE, Act.RESTORE)


def follow(space: Workspace, changes: Changes, rules: Rules, calendar: Calendar, now: int) -> None:
    """Complete `changes` with everything that the touched entities of `space` entail."""
    follow_place(space, changes)
    left = {thing.row.household for thing in space.touched if thing.row is not None}  # where they lived before
    for thing in space.touched:
        record(thing, changes)
    tell_authors(space, changes, now, [thing for thing in space.touched if thing.row is not None])
    plan_visits(space, changes, rules, calendar, now, left)


def follow_place(space: Workspace, changes: Changes) -> None:
    """Households first; then all who live in one that has moved or is new, wherever they are; then their halves."""
    homes = [thing for thing in space.touched if thing.kind.name == "household" and thing.row is not None]
    moved = [thing for thing in homes if _move(space, thing, changes)]
    if moved:
        children = space.tx.children([thing.id for thing in moved])
        space.load(child.id for child in children)
        for child in children:
            found = space.find(child.id)
            if found is not None:
                found.moved = True
    living = [thing for thing in space.touched if thing.kind.name != "household" and thing.row is not None]
    for thing in sorted(living, key=lambda one: one.follows):
        if _move(space, thing, changes) and thing.kind.protected_half is not None:
            half = space.find(protected_id(thing.id))
            if half is not None and half.row is not None:
                half.moved = True
                _move(space, half, changes)


def _move(space: Workspace, thing: Thing, changes: Changes) -> bool:
    """Put an entity into its scope; readers of the one it left hear of it. Says whether it moved."""
    row, (area, scope) = thing.known, place_of(space, thing)
    if (row.scope, row.area) == (scope, area or row.area):
        return False
    if row.scope is not None and row.scope != scope:
        changes.touched.add(Touched(row.area, row.scope, "entity", thing.id, here=False))
    if row.scope is None and scope is not None:
        _end_alarms(space, thing)
    thing.row = replace(row, area=area or row.area, scope=scope)
    return True


def _end_alarms(space: Workspace, thing: Thing) -> None:
    """Danger that was told before there was a place for it is planned about the entity itself from now on."""
    for entry in thing.log:
        if entry.present and entry.op.sub not in thing.fresh:
            space.alarms.setdefault(entry.op.sub, Alarm(entry.op.sub, entry.area, 0, {}))


def record(thing: Thing, changes: Changes) -> None:
    """The entity's row, its new and re-derived ops, its conflicts and notices, its entry in the feed."""
    if thing.row is not None:
        thing.row = row_of(thing)
        changes.entities.append(thing.row)
        state = thing.settle()
        changes.conflicts += state.conflicts
        changes.notices += [(thing.id, notice) for notice in notices_of(state)]
        changes.closed_by |= {(thing.id, cell): by for cell, by in rulings_of(thing).items()}
        changes.also |= {one.id: area for one in state.conflicts if (area := _other_area(thing, one)) is not None}
        if thing.row.scope is not None:
            here = not thing.row.dead
            changes.touched.add(Touched(thing.row.area, thing.row.scope, "entity", thing.id, here))
    for entry in thing.log:
        if entry.op.sub in thing.fresh:
            changes.ops.append(replace(entry, area=thing.row.area if thing.row else entry.area))
        elif entry.op.sub in thing.changed:
            changes.rederived.append(entry)


def row_of(thing: Thing) -> EntityRow:
    """The stored form of an entity's state. Of one whose every op was withdrawn nothing shows."""
    row = thing.known
    present = [entry for entry in thing.log if entry.present]
    if not present:
        return replace(_named(row, ""), dob=None, data={}, src={}, broken=(), household=None, page=b"")
    state = thing.settle()
    first = min((entry.op.t, entry.op.sub) for entry in present)
    household = None if thing.kind.name == "household" else state.data.get("household")
    label = "" if thing.follows else str(state.data.get(thing.kind.label, ""))
    row = replace(
        _named(row, label, searched(thing.kind, row.id, state.data)),
        household=household,
        risk=_risk(state.data.get("risk_now")),
        dob=state.data.get("dob"),
        since=first[0],
        first_sub=first[1],
        data=state.data,
        src={name: cell.current.op for name, cell in state.cells.items()},
        broken=state.broken,
        dead=state.life.dead,
    )
    return replace(row, page=entity_body(row, state))


def _named(row: EntityRow, label: str, also: str = "") -> EntityRow:
    """What it is called, and by what it is found: its name first, then `also`, if it has a name at all."""
    search = search_key(f"{label} {also}") if label else ""
    return replace(row, label=label, search=search, sort=sort_key(label))


def searched(kind: EntityType, ident: str, data: Mapping[str, Any]) -> str:
    """Besides its name: the names of those around it, phone numbers in the national way, the beginning of its id."""
    names = [str(data.get(p.name) or "") for p in kind.properties.values() if p.type is PropertyType.NAME]
    phones = [national(str(data[name])) for name in kind.properties if name.endswith("phone") and data.get(name)]
    return " ".join([*(name for name in names if name != data.get(kind.label)), *phones, ident[:8]])


def _risk(level: Any) -> int | None:
    return int(level) if isinstance(level, str) and level.isdecimal() else None


def rulings_of(thing: Thing) -> dict[str, str]:
    """The newest ruling on each cell, and on each key of a series: what closes a conflict there."""
    found: dict[str, str] = {}
    state = thing.settle()
    for name, cell in state.cells.items():
        for entry in (entry for entry in cell.entries if entry.rules and entry.gone is None):
            key = thing.kind.cells[name].members[0].key
            keys = {str(item.get(key)) for item in entry.write.items} if key else set()
            found |= {f"{name}/{one}": entry.op for one in keys} if keys else {name: entry.op}
    words = [e.op for e in thing.log if e.op.rules and (e.op.act in LIFE or DELETED in e.op.said)]
    lives = [op for op in words if thing.speaks(op.sub)]
    return found | ({DELETED: max(lives, key=lambda op: (op.t, op.sub)).sub} if lives else {})


def _other_area(thing: Thing, conflict: Conflict) -> str | None:
    """The area to which somebody wishes a household to move: its supervisors have a say."""
    cell = thing.settle().cells.get(conflict.cell)
    if thing.kind.name != "household" or conflict.cell != thing.kind.placement.name or cell is None:
        return None
    areas = {str(entry.value["ward_code"]) for entry in cell.live if "ward_code" in entry.value}
    return min(areas - {thing.known.area}, default=None)


def notices_of(state: State) -> list[Notice]:
    """All notices of an entity: writes that lost to a rule, and acts that were made without knowing of each other."""
    acts = [
        Notice("$acts", sub, verdict.by, NoticeKind.OVERRULED)
        for verdict in state.verdicts.values()
        for sub in verdict.overruled
    ]
    found = {(one.cell, one.op, one.kind): one for one in (*state.notices, *acts)}
    return [found[key] for key in sorted(found)]
