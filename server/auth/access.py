"""What a user may read. Every page and every endpoint asks here; nothing else decides.

| role | reads |
|---|---|
| collaborator | the hamlets he is assigned to today, and his own submissions and lists |
| supervisor | every hamlet of the areas he is assigned to, and their protection scope; conflicts, submissions |
| scheduler | visits and lists of his areas, with names and addresses; no other data of a child |
| administrator | people, devices, forms; no child |
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from server.problems import Problem
from server.store.people import author_of
from server.store.tables import ReminderList, User, db
from sync.authority import Author, Role
from sync.visits.runs import midnight


@dataclass(frozen=True)
class Access:
    """What one user may read on one day."""

    author: Author
    today: date

    @property
    def areas(self) -> frozenset[str]:
        """The areas of which he is a supervisor today."""
        return self.author.supervises(self.today)

    def supervises(self, area: str) -> bool:
        """Whether he decides about what lives in `area`."""
        return area in self.areas

    def desk(self, area: str | None) -> frozenset[str]:
        """The areas that he asks to see at the supervisor's desk. Raises the problem `forbidden`."""
        wanted = self.areas if area is None else self.areas & {area}
        if not wanted:
            raise Problem("forbidden" if not self.areas else "not_found")
        return wanted

    def scope(self, area: str, scope: str | None) -> bool:
        """Whether he reads what lives in `scope`; what has no scope yet is the supervisors' of its area."""
        return self.author.reads(area, scope, midnight(self.today))

    def scopes(self, of_his_areas: Iterable[str]) -> frozenset[str]:
        """Which of the scopes of his areas he reads as a whole; his own feed comes besides."""
        return frozenset(one for one in of_his_areas if "/" in one and self.scope(one.partition("/")[0], one))

    def list(self, issued: ReminderList) -> bool:
        """Whether he reads an issued list: his own; as supervisor or scheduler, those of his areas."""
        if self.author.role is Role.COLLABORATOR:
            return issued.collaborator == self.author.id
        planners = (Role.SUPERVISOR, Role.SCHEDULER)
        return self.author.role in planners and issued.area in self.author.areas([self.today])


def access_of(user: str, today: date) -> Access:
    """The access of a user. Raises the problem `unauthenticated` if there is no such user any more."""
    if db.session.get(User, user) is None:
        raise Problem("unauthenticated")
    return Access(author_of(user), today)
