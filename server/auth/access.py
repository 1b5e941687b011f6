"""What a user may read. Every page and every endpoint asks here; nothing else decides.

| role | reads |
|---|---|
| collaborator | the hamlets he is assigned to today, and his own submissions and lists; files of these, unless |
| | they are protected |
| supervisor | every hamlet of the areas he is assigned to, and their protection scope; conflicts, submissions and |
| | their files; the devices of their collaborators, and what of all this is on a device |
| scheduler | visits and lists of his areas, with names and addresses; no other data of a child, and no visit that |
| | follows from protected data |
| administrator | people, devices, forms; no child, so of what is on a device only how much |
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from server.problems import Problem
from server.store.people import authors_of
from server.store.tables import ReminderList
from sync.authority import PROTECTION, UNPLACED, Author, Role
from sync.visits.runs import midnight

PLANNERS = (Role.SUPERVISOR, Role.SCHEDULER)


@dataclass(frozen=True)
class NamedFile:
    """A file as one submission names it. `protected`: by whatever submission, it answers a protected question.

    `areas` are those whose officers have the submission on their desk, or the child it is about. `lives` is the area
    and scope of the household or child in whose part of the form it is, if the submission counts there.
    """

    author: str
    protected: bool
    areas: frozenset[str]
    lives: tuple[str, str | None] | None


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

    def register(self, area: str | None) -> frozenset[str]:
        """The areas in whose register he asks to look names up. Raises the problems `forbidden` and `not_found`."""
        mine = frozenset(place.partition("/")[0] for place in self.author.places([self.today]))
        wanted = mine if area is None else mine & {area}
        if not wanted:
            raise Problem("forbidden" if not mine else "not_found")
        return wanted

    def planning(self, area: str | None) -> frozenset[str]:
        """The areas whose visits and lists he asks to plan. Raises the problems `forbidden` and `not_found`."""
        mine = self.author.areas([self.today]) if self.author.role in PLANNERS else frozenset[str]()
        wanted = mine if area is None else mine & {area}
        if not wanted:
            raise Problem("forbidden" if not mine else "not_found")
        return wanted

    def plans(self, area: str, scope: str) -> bool:
        """Whether he sees and arranges visits to `scope`: those of the protection scope are the supervisors'."""
        if self.author.role is Role.SCHEDULER:
            return area in self.author.areas([self.today]) and not scope.endswith(f"/{PROTECTION}")
        return self.supervises(area)

    def scope(self, area: str, scope: str | None) -> bool:
        """Whether he reads what lives in `scope`; what has no scope yet is the supervisors' of its area."""
        return self.author.reads(area, scope, midnight(self.today))

    def scopes(self, of_his_areas: Iterable[str]) -> frozenset[str]:
        """Which of the scopes of his areas he reads as a whole; his own feed comes besides."""
        return frozenset(one for one in of_his_areas if "/" in one and self.scope(one.partition("/")[0], one))

    def file(self, named: NamedFile) -> bool:
        """Whether he sees a file that comes with a submission.

        A protected one officers alone: not even its author, once he has sent it. Another one its author, and those
        who read what it is about.
        """
        if self.areas & named.areas:
            return True
        if named.protected:
            return False
        return named.author == self.author.id or (named.lives is not None and self.scope(*named.lives))

    def list(self, issued: ReminderList) -> bool:
        """Whether he reads an issued list: his own; as supervisor or scheduler, those of his areas."""
        if self.author.role is Role.COLLABORATOR:
            return issued.collaborator == self.author.id
        return self.author.role in PLANNERS and issued.area in self.author.areas([self.today])

    @property
    def administers(self) -> bool:
        return self.author.role is Role.ADMINISTRATOR

    def phones(self) -> frozenset[str] | None:
        """The areas whose people's devices he asks about; None: of everybody. Raises the problem `forbidden`."""
        if self.administers:
            return None
        return self.desk(None)

    def phone(self, users: Collection[Author]) -> bool:
        """Whether he sees and may revoke a device with these users.

        A supervisor does if all of them are collaborators of his: a phone that officers use as well is not his alone.
        """
        return self.administers or (bool(users) and all(self._his(user, user.areas([self.today])) for user in users))

    def invites(self, user: Author) -> bool:
        """Whether he may give out a code for a user; a supervisor also before a collaborator's first day."""
        return self.administers or self._his(user, _coming(user, self.today))

    def keeps(self, area: str) -> bool:
        """Whether he looks after the people and phones of `area`: their charges, and what is reported of a phone."""
        return self.administers or self.supervises(area)

    def acts_in(self, users: Iterable[Author]) -> str:
        """The area in whose audit log it stands what he does about these users' access."""
        return acting_area(users, self.today, self.areas)

    def _his(self, user: Author, places: frozenset[str]) -> bool:
        return user.role is Role.COLLABORATOR and bool(places & self.areas)


def acting_area(users: Iterable[Author], today: date, mine: frozenset[str] = frozenset()) -> str:
    """The area in whose audit log it stands what is done about these users' access: if possible one of `mine`."""
    people = list(users)
    theirs = {area for user in people for area in _coming(user, today)}
    found = sorted(theirs & mine) or sorted(theirs) or sorted(user.home(today) for user in people)
    return found[0] if found else UNPLACED


def _coming(user: Author, today: date) -> frozenset[str]:
    """The areas in which a user has an assignment that has not ended."""
    return frozenset(held.area for held in user.assignments if held.ends is None or held.ends >= today)


def access_of(user: str, today: date) -> Access:
    """The access of a user. Raises the problem `unauthenticated` if there is no such user any more."""
    found = authors_of([user]).get(user)
    if found is None:
        raise Problem("unauthenticated")
    return Access(found, today)
