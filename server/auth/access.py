"""What a user may read. Every page and every endpoint asks here; nothing else decides.

| role | reads |
|---|---|
| collaborator | the hamlets he is assigned to today, and his own submissions and lists |
| supervisor | every hamlet of the areas he is assigned to |
| scheduler | visits and lists of his areas, with names and addresses; no other data of a child |
| administrator | people, devices, forms; no child |
"""

from dataclasses import dataclass
from datetime import date

from server.problems import Problem
from server.store.people import author_of
from server.store.tables import ReminderList, User, db
from sync.authority import Author, Role


@dataclass(frozen=True)
class Access:
    """What one user may read on one day."""

    author: Author
    today: date

    def scope(self, area: str, scope: str | None) -> bool:
        """Whether he reads what lives in `scope`; what has no scope yet is the supervisors' of its area."""
        if self.author.role is Role.SUPERVISOR:
            return area in self.author.areas([self.today])
        if self.author.role is Role.COLLABORATOR and scope is not None:
            return self.author.may_write(area, scope.partition("/")[2], [self.today])
        return False

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
