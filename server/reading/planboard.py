"""What stands around the visits of a scheduler's board: the days of its week, and why each visit is there."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, select

from server.auth.access import Access
from server.reminders.drafting import rule_words
from server.store.base import table
from server.store.reads import fetch
from server.store.rows import read_visit
from server.store.tables import AssignmentTable, Submission, User, VisitTable, db
from server.world import Nest
from sync.authority import Role
from sync.visits.calendar import Day
from sync.visits.lists import Period
from sync.visits.plan import Visit

visits, submissions = table(VisitTable), table(Submission)


@dataclass(frozen=True)
class Why:
    """Why a visit is due: the rule as it was applied, its source in the law, and the form that began its clock.

    `what` and `because` are in the reader's language. `form` is blank of an act at the desk, which is of a `kind`.
    `readable`: whether he who asks may open that form.
    """

    what: str
    because: str
    rule: str
    version: int
    source: str
    calendar: str
    predicted: bool
    cause: str | None
    form: str
    kind: str
    readable: bool


def days_of(nest: Nest, period: Period) -> list[Day]:
    """The days of a period as they are worked."""
    count = (period.ends - period.begins).days + 1
    return [nest.calendar.day(period.begins + timedelta(days=number)) for number in range(count)]


def reasons(nest: Nest, access: Access, ids: Collection[str], language: str) -> dict[str, Why]:
    """Why these visits are due, by id."""
    connection = db.session.connection()
    rows = fetch(connection, ids, lambda some: select(visits).where(visits.c.id.in_(some)))
    found = [read_visit(row) for row in rows]
    forms = _forms(connection, found)
    titles = {form.id: form.title for form in nest.catalogue.current()}
    return {one.id: _why(nest, access, one, forms, titles, language) for one in found}


def _forms(connection: Connection, found: Sequence[Visit]) -> dict[str, Any]:
    """Form, kind and area of the submissions that caused these visits; a visit by hand has none."""
    query = select(submissions.c.id, submissions.c.form, submissions.c.kind, submissions.c.area)
    causes = {one.caused_by for one in found}
    rows = fetch(connection, causes, lambda some: query.where(submissions.c.id.in_(some)))
    return {row.id: row for row in rows}


def _why(
    nest: Nest,
    access: Access,
    one: Visit,
    forms: Mapping[str, Any],
    titles: Mapping[str, str],
    language: str,
) -> Why:
    what, because = rule_words(nest, one)
    rule = nest.rules.find(one.rule, one.subject_type)
    cause = forms.get(one.caused_by)
    return Why(
        what=what.get(language) or what["vi"],
        because=because.get(language) or because["vi"],
        rule=one.rule,
        version=one.rule_version,
        source=rule.source or "" if rule is not None else "",
        calendar=one.calendar,
        predicted=nest.calendar.predicted(one.due.year),
        cause=one.caused_by if cause is not None else None,
        form=titles.get(cause.form, cause.form) if cause is not None else "",
        kind=cause.kind if cause is not None else "",
        readable=cause is not None and bool(cause.form) and access.supervises(cause.area),
    )


def people_of(area: str, day: date, roles: Sequence[Role]) -> list[tuple[str, str, str]]:
    """(id, name, role) of those with these roles who hold an assignment in an area on a day, by role and name."""
    t = AssignmentTable
    query = select(User.id, User.name, User.role).join(t, t.user == User.id).where(t.area == area, t.begins <= day)
    query = query.where(User.role.in_([role.value for role in roles]), t.ends.is_(None) | (t.ends >= day)).distinct()
    return [(row.id, row.name, row.role) for row in db.session.execute(query.order_by(User.role, User.name, User.id))]
