"""What another rules file would change: every entity is planned by both files, and nothing is written."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml
from sqlalchemy import func, select

from server.store.store import SqlTransaction
from server.store.tables import Entity, VisitTable, db
from server.world import Nest
from sync.planning import plan_things
from sync.ports import Changes
from sync.times import local_date
from sync.visits.law import load_lawful_rules
from sync.visits.plan import Visit, VisitState
from sync.visits.rules import RuleError, Rules
from sync.workspace import Workspace

CHUNK = 200
LONGEST = 256_000  # characters of a file that somebody sends
DEEPEST = 50  # things in things; C code that builds them recurses, and would end the process
LARGEST = 20_000  # things in it, with all that anchors repeat
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CODE = re.compile(r"^\s*-?\s*code:\s*[\"']?([\w-]+)", re.MULTILINE)


@dataclass
class Preview:
    """Open visits by id, as the file in use plans them today and as the other one would."""

    now: dict[str, Visit] = field(default_factory=dict)
    then: dict[str, Visit] = field(default_factory=dict)
    looked: int = 0  # at how many entities
    of: int = 0  # of how many

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


def preview(nest: Nest, rules: Rules, now: int, most: int | None = None) -> Preview:
    """Plan all placed entities twice. Danger in held submissions is left out: its rules are the law's.

    `most`: of more entities only so many, evenly taken from the order of areas.
    """
    found = Preview()
    query = select(Entity.area, Entity.id).where(Entity.scope.is_not(None)).order_by(Entity.area, Entity.id)
    with db.engine.connect() as connection:  # a reading one: no lock, no turn
        places = connection.execute(query).all()
        found.of = len(places)
        if most is not None and found.of > most:
            places = [places[index * found.of // most] for index in range(most)]
        found.looked = len(places)
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


@dataclass(frozen=True)
class Wrong:
    """Why a rules file cannot be used, and in which line, if that is known."""

    said: str
    line: int | None


def read_change(text: str) -> Rules | Wrong:
    """Read a rules file that somebody sends, as strictly as the server's own."""
    if len(text) > LONGEST:
        return Wrong("the file is too long", None)
    try:
        if _depth(text) > DEEPEST:
            return Wrong("the file is nested too deeply", None)
        if _size(yaml.load(text, Loader=_LOADER)) > LARGEST:  # noqa: S506 - a safe one
            return Wrong("the file repeats itself too often", None)
        return load_lawful_rules(text)
    except yaml.MarkedYAMLError as error:
        return Wrong(error.problem or "no YAML", error.problem_mark.line + 1 if error.problem_mark else None)
    except RuleError as error:
        return Wrong(str(error), _line(text, str(error)))
    except (yaml.YAMLError, RecursionError, TypeError, ValueError, KeyError, AttributeError) as error:
        return Wrong(f"the file cannot be read ({type(error).__name__})", None)


def _line(text: str, said: str) -> int | None:
    """Where the rule stands of whose code the message speaks: the last of them, if it has several versions."""
    code = said.partition(":")[0]
    found = [match.start(1) for match in _CODE.finditer(text) if match.group(1) == code]
    return text.count("\n", 0, found[-1]) + 1 if found else None


def _depth(text: str) -> int:
    """How deeply a document is nested, up to a little over DEEPEST. Raises `yaml.YAMLError`."""
    depth = deepest = 0
    for event in yaml.parse(text, Loader=_LOADER):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        deepest = max(deepest, depth)
        if deepest > DEEPEST:
            break
    return deepest


def _size(value: Any) -> int:
    """How many things there are in a document, what anchors repeat counted each time, up to a little over LARGEST."""
    count, waiting = 0, [value]
    while waiting and count <= LARGEST:
        one = waiting.pop()
        count += 1
        if isinstance(one, Mapping):
            waiting += [*one.keys(), *one.values()]
        elif isinstance(one, Sequence) and not isinstance(one, str | bytes):
            waiting += one
    return count


def open_visits() -> Mapping[tuple[str, int], int]:
    """How many visits are open, by rule and its version."""
    query = select(VisitTable.rule, VisitTable.rule_version, func.count())
    query = query.where(VisitTable.state == VisitState.OPEN.value).group_by(VisitTable.rule, VisitTable.rule_version)
    return {(rule, version): count for rule, version, count in db.session.execute(query)}
