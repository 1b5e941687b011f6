"""The stored feed: entries joined to the things that they tell of, served from the bytes that are stored.

Each question is one statement. See `sync.feed.Source`.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson
from sqlalchemy import BigInteger, Connection, Row, String, and_, column, func, or_, select, values

from server.store.base import table
from server.store.reads import fetch
from server.store.tables import (
    ArrangementTable,
    Counter,
    Entity,
    FeedEntry,
    FeedMark,
    ReminderLine,
    ReminderList,
    Scope,
    Submission,
    SubmissionState,
    VisitTable,
)
from sync.feed import Served
from sync.tokens import Cursor
from sync.tokens import FeedMark as Mark
from sync.visits.arrangements import Arrangement, in_force
from sync.visits.plan import Visit, VisitState

OWN = "user:"
entry, entity, visit = table(FeedEntry), table(Entity), table(VisitTable)
decided = table(ArrangementTable)
state, submission = table(SubmissionState), table(Submission)
mark, counter, issued, line = table(FeedMark), table(Counter), table(ReminderList), table(ReminderLine)


class SqlFeed:
    """Reads the feed through one connection. `visit_body` and `state_body` put visits and states into words."""

    def __init__(
        self,
        connection: Connection,
        visit_body: Callable[[Visit], Mapping[str, Any]],
        state_body: Callable[[Row[Any]], Mapping[str, Any]],
    ) -> None:
        self.connection, self._visit_body, self._state_body = connection, visit_body, state_body

    def heads(self, counters: Sequence[str]) -> dict[str, int]:
        """Every scope that these counters order, with its newest number."""
        query = select(Scope.name, Scope.head)
        found = fetch(self.connection, counters, lambda some: query.where(Scope.counter.in_(some)))
        return {row.name: row.head for row in found}

    def newest(self, counters: Sequence[str]) -> dict[str, Mark]:
        joined = select(mark).join(counter, and_(counter.c.name == mark.c.counter, counter.c.n == mark.c.seq))
        found = fetch(self.connection, counters, lambda some: joined.where(counter.c.name.in_(some)))
        return {row.counter: Mark(row.seq, row.nonce) for row in found}

    def following(self, marks: Mapping[str, Mark]) -> dict[str, str | None]:
        asked = (
            values(column("counter", String), column("seq", BigInteger), name="asked")
            .data([(name, one.seq) for name, one in sorted(marks.items())])
            .cte()
        )
        later = select(mark.c.nonce).where(mark.c.counter == asked.c.counter, mark.c.seq >= asked.c.seq)
        nonce = later.order_by(mark.c.seq).limit(1).scalar_subquery()
        return {
            row.counter: row.nonce for row in self.connection.execute(select(asked.c.counter, nonce.label("nonce")))
        }

    def entries(self, scope: str, after: Cursor, head: int, readable: frozenset[str], most: int) -> Sequence[Served]:
        if scope.startswith(OWN):
            return self._own(scope, after, head, most)
        things = select(entry.c.kind, entry.c.id, entry.c.seq, entity.c.page, entity.c.dead, entity.c.scope)
        query = things.add_columns(*(one.label(f"visit_{one.name}") for one in visit.c))
        query = query.outerjoin(entity, and_(entry.c.kind == "entity", entity.c.id == entry.c.id))
        query = query.outerjoin(visit, and_(entry.c.kind == "visit", visit.c.id == entry.c.id))
        query = query.add_columns(decided.c.assignee, decided.c.until, decided.c.cancelled)
        query = query.outerjoin(decided, and_(decided.c.visit == visit.c.id, decided.c.standing))
        found = self.connection.execute(_ahead(query, scope, after, head).order_by(entry.c.seq).limit(most))
        return [Served(row.kind, row.id, row.seq, scope, self._thing(row, readable)) for row in found]

    def remaining(self, scope: str, after: Cursor, head: int) -> int:
        return self.connection.scalar(_ahead(select(func.count()).select_from(entry), scope, after, head)) or 0

    def _thing(self, row: Row[Any], readable: frozenset[str]) -> Any:
        """An entity or a visit as its readers see it; None if it is in none of their scopes any more."""
        if row.kind == "entity":
            shown = row.page and not row.dead and row.scope in readable
            return orjson.Fragment(row.page) if shown else None
        fields = {name: getattr(row, f"visit_{name}") for name in Visit.__dataclass_fields__}
        if fields["state"] != VisitState.OPEN or fields["scope"] not in readable:
            return None
        told = Visit(**fields | {"state": VisitState(fields["state"])})
        return self._visit_body(told) if row.cancelled is None else self._arranged_body(told, row)

    def _arranged_body(self, told: Visit, row: Row[Any]) -> Mapping[str, Any] | None:
        """A visit about which something was decided; None if it was cancelled."""
        held = in_force(told, Arrangement(row.assignee, row.until, bool(row.cancelled)))
        if held.cancelled:
            return None
        show_on = max(told.show_on, held.until) if held.until else told.show_on
        return {**self._visit_body(told), "show_on": show_on.isoformat(), "assignee": held.assignee}

    def _own(self, scope: str, after: Cursor, head: int, most: int) -> Sequence[Served]:
        """What a user alone is told: what became of his submissions, and the lists issued to him."""
        user = scope.removeprefix(OWN)
        newest = select(func.max(issued.c.revision)).where(issued.c.number == entry.c.id).scalar_subquery()
        query = select(entry, *state.c, submission.c.outcome)
        query = query.add_columns(newest.label("revision"))
        query = query.outerjoin(state, and_(entry.c.kind == "submission", state.c.sub == entry.c.id))
        query = query.outerjoin(submission, submission.c.id == state.c.sub)
        found = self.connection.execute(_ahead(query, scope, after, head).order_by(entry.c.seq).limit(most)).all()
        lists = self._lists({row.id: row.revision for row in found if row.kind == "list"}, user)
        served = []
        for row in found:
            own = row.kind == "submission" and row.author == user
            body = self._state_body(row) if own else lists.get(row.id)
            served.append(Served(row.kind, row.id, row.seq, scope, body))
        return served

    def _lists(self, revisions: Mapping[str, int | None], user: str) -> dict[str, dict[str, Any]]:
        """The newest revision of lists that were issued to a user. Who is meant the phone knows from the visit."""
        if not revisions:
            return {}
        query = select(issued, line.c.line, line.c.visit)
        query = query.join(line, and_(line.c.number == issued.c.number, line.c.revision == issued.c.revision))
        query = query.where(issued.c.number.in_(list(revisions)), issued.c.collaborator == user, ~line.c.carried)
        lists: dict[str, dict[str, Any]] = {}
        for row in self.connection.execute(query.order_by(issued.c.number, line.c.line, line.c.part)):
            if row.revision == revisions[row.number]:
                body = lists.setdefault(row.number, _head(row) | {"lines": []})
                body["lines"].append({"line": row.line, "visit": row.visit})
        return lists


def _head(row: Row[Any]) -> dict[str, Any]:
    dates = {"begins": row.begins.isoformat(), "ends": row.ends.isoformat()}
    return {"number": row.number, "revision": row.revision, "area": row.area, "kind": row.kind} | dates


def _ahead(query: Any, scope: str, after: Cursor, head: int) -> Any:
    """The entries of a scope after a cursor; what had left it before the reader first came is nothing to him."""
    query = query.where(entry.c.scope == scope, entry.c.seq > after.seq, entry.c.seq <= head)
    return query.where(or_(entry.c.here, entry.c.seq > after.fresh)) if after.fresh else query
