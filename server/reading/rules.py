"""What another rules file would change: every entity is planned by both files, and nothing is written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sqlalchemy import select

from server.store.store import SqlTransaction
from server.store.tables import Entity, db
from server.world import Nest
from sync.planning import plan_things
from sync.ports import Changes
from sync.times import local_date
from sync.visits.plan import Visit, VisitState
from sync.visits.rules import Rules
from sync.workspace import Workspace

CHUNK = 200


@dataclass
class Preview:
    """Open visits by id, as the file in use plans them today and as the other one would."""

    now: dict[str, Visit] = field(default_factory=dict)
    then: dict[str, Visit] = field(default_factory=dict)

    @property
    def added(self) -> list[Visit]:
        return [visit for ident, visit in sorted(self.then.items()) if ident not in self.now]

    @property
    def removed(self) -> list[Visit]:
        return [visit for ident, visit in sorted(self.now.items()) if ident not in self.then]

    @property
    def moved(self) -> list[tuple[Visit, Visit]]:
        """Visits that stay and get another date."""
        both = [(self.now[ident], self.then[ident]) for ident in sorted(self.now.keys() & self.then.keys())]
        return [(before, after) for before, after in both if before.due_at != after.due_at]


def preview(nest: Nest, rules: Rules, now: int) -> Preview:
    """Plan all placed entities twice. Danger in held submissions is left out: its rules are the law's."""
    found = Preview()
    query = select(Entity.area, Entity.id).where(Entity.scope.is_not(None)).order_by(Entity.area, Entity.id)
    with db.engine.connect() as connection:  # a reading one: no lock, no turn
        places = connection.execute(query).all()
        reads = SqlTransaction(connection, {})
        for start in range(0, len(places), CHUNK):
            ids = [row.id for row in places[start : start + CHUNK]]
            found.now |= _open(nest, reads, ids, nest.rules, now)
            found.then |= _open(nest, reads, ids, rules, now)
    return found


def _open(nest: Nest, reads: SqlTransaction, ids: list[str], rules: Rules, now: int) -> Mapping[str, Visit]:
    """The visits about these entities that would be open after a plan by `rules`."""
    space, changes = Workspace(reads, nest.world.types, ids), Changes(at=now)
    things = [thing for ident in ids if (thing := space.find(ident)) and thing.row]
    plan_things(things, [], changes, reads, rules, nest.calendar, local_date(now))
    visits = {visit.id: visit for visit in reads.visits(ids)} | {visit.id: visit for visit in changes.visits}
    return {ident: visit for ident, visit in visits.items() if visit.state is VisitState.OPEN}
