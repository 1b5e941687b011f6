"""Who knocks: the token in the address is that of one user on one phone, like any other.

It is taken out of the request before anything else sees it; it stands in no log (`server.logs`) and no referrer.
"""

import re
from dataclasses import dataclass
from functools import cached_property

from flask import request
from sqlalchemy import Connection

from server.auth.access import Access, access_of
from server.auth.tokens import PREFIX, Caller, holder
from server.openrosa.lists import Marks
from server.problems import Problem
from server.syncing import Step
from server.world import Nest, current_nest
from sync.authority import PROTECTION
from sync.times import local_date

_TOKEN = re.compile(rf"\A{PREFIX}[A-Za-z0-9_-]{{43}}\Z", re.ASCII)


def known(token: str) -> Caller:
    """Whose token this is. Raises the problems `unauthenticated` of what is none, `address_unknown`."""
    if not _TOKEN.match(token):
        raise Problem("unauthenticated")
    found = holder(token)
    if found is None:
        raise Problem("address_unknown")
    return found


@dataclass(frozen=True)
class Visitor:
    """One request of a phone that may read: what its user sees, through one connection."""

    who: Caller
    token: str
    connection: Connection
    at: int

    @cached_property
    def nest(self) -> Nest:
        return current_nest()

    @cached_property
    def access(self) -> Access:
        return access_of(self.who.reader(), local_date(self.at))

    @cached_property
    def marks(self) -> Marks:
        """Where each scope stands that he may read; read before any row, so that what is newer comes again."""
        step = Step(self.nest, self.who, self.connection, self.at)
        reader, heads = step.reader(self.access)
        scopes = sorted(scope for scope in reader.scopes if "/" in scope)
        return Marks(step.identity.epoch, tuple((scope, heads.get(scope, 0)) for scope in scopes))

    @property
    def officer(self) -> bool:
        return any(scope.endswith(f"/{PROTECTION}") for scope in self.marks.scopes)

    @property
    def base(self) -> str:
        """The address of this phone's door."""
        return f"{address()}/{self.token}"


def address() -> str:
    """Where the doors of phones are."""
    return (current_nest().settings.public_url or request.host_url).rstrip("/") + "/odk"
