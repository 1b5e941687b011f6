"""Whether an entity has been deleted. A deletion covers only what its author had seen.

A collaborator's deletion is always a request; any edit that a supervisor had not seen keeps the entity alive.
"""

from collections.abc import Collection, Mapping

from sync.state.knowledge import Known
from sync.state.merge import conflict
from sync.state.model import DELETED, Act, Life, Op


def life_of(
    entity: str, ops: Mapping[str, Op], standing: Collection[str], edits: Collection[str], known: Known
) -> Life:
    """The life of an entity; `standing` are the ops that were not rejected, `edits` those that wrote something."""
    deaths = [sub for sub in standing if _deletes(ops[sub])]
    births = [sub for sub in standing if _restores(ops[sub])]
    decisions = [sub for sub in (*deaths, *births) if ops[sub].rules]
    live = sorted(d for d in deaths if not any(d in known[other] for other in decisions if other != d))
    rulings = [sub for sub in live if ops[sub].rules]
    if not rulings:
        return Life(False, conflict(entity, DELETED, live) if live else None)
    unseen = {d: [e for e in (*edits, *births) if e != d and e not in known[d]] for d in rulings}
    informed = [d for d in rulings if not unseen[d]]
    if informed:
        return Life(True, None, informed[-1])
    members = {*live, *(edit for edits in unseen.values() for edit in edits)}
    return Life(False, conflict(entity, DELETED, members))


def _deletes(op: Op) -> bool:
    return op.act is Act.DELETE or (op.rules and op.said.get(DELETED) is True)


def _restores(op: Op) -> bool:
    return op.rules and (op.act is Act.RESTORE or op.said.get(DELETED, True) is False)
