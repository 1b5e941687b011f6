"""Who sits in front of the pages: a login is a token as everybody's, carried in a signed cookie that no script reads.

What counts is the token's row: whoever ends it, an administrator or the officer himself elsewhere, ends the session.
"""

import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from flask import g, session
from sqlalchemy import delete, select

from server.auth.access import Access, access_of
from server.auth.passwords import log_in
from server.auth.tokens import Caller, holder, token_table
from server.auth.writing import write
from server.clock import now
from server.problems import Problem
from server.store.base import connect
from server.store.people import user_body
from server.world import current_nest
from sync.authority import Role
from sync.times import local_date

TOKEN = "token"  # noqa: S105  the name of a place, not what is in it
LABEL = 100  # characters of a browser's name that are kept


@dataclass(frozen=True)
class Visitor:
    """Whoever is signed in, what he may read, and how he is called."""

    who: Caller
    access: Access
    name: str

    @property
    def id(self) -> str:
        return self.who.user

    @property
    def role(self) -> Role:
        return self.access.author.role


@dataclass(frozen=True)
class Login:
    """One login that is still good; `id` names it on pages, and is no key to anything. Times in ms."""

    id: str
    label: str
    begun: int
    ends: int | None
    here: bool


def visitor() -> Visitor:
    """The user of this request. Raises the problems `unauthenticated` and `not_for_phones`."""
    who = holder(session.get(TOKEN, "")) if session.get(TOKEN) else None
    if who is None or not who.reads:
        session.clear()
        raise Problem("unauthenticated")
    access = access_of(who.user, local_date(now()))
    if access.author.role is Role.COLLABORATOR:
        raise Problem("not_for_phones")
    g.visitor = Visitor(who, access, user_body(who.user)["name"])
    return g.visitor


def supervisor() -> Visitor:
    """The user of this request, who has areas in his charge. Raises the problem `forbidden` besides."""
    found = visitor()
    if not found.access.areas:
        raise Problem("forbidden")
    return found


def planner() -> Visitor:
    """The user of this request, who plans visits somewhere. Raises the problem `forbidden` besides."""
    found = visitor()
    found.access.planning(None)
    return found


def administrator() -> Visitor:
    """The user of this request, who keeps the server running and sees no child. Raises `forbidden` besides."""
    found = visitor()
    if not found.access.administers:
        raise Problem("forbidden")
    return found


def keeper() -> Visitor:
    """The user of this request, who looks after collaborators and their devices. Raises `forbidden` besides."""
    found = visitor()
    if not found.access.administers and not found.access.areas:
        raise Problem("forbidden")
    return found


def sign_in(user: str, password: str, browser: str) -> None:
    """Begin a session under a new token and a new form secret, whatever the browser brought along."""
    token, _ = log_in(user, password, None, now(), current_nest().settings.login_hours, browser[:LABEL])
    session.clear()
    session[TOKEN] = token


def sign_out() -> None:
    """End this session, its token too."""
    who = holder(session.get(TOKEN, "")) if session.get(TOKEN) else None
    if who is not None:
        _end(who.user, who.token)
    session.clear()


def logins(me: Visitor) -> list[Login]:
    """The logins of a user that are still good, the newest first; an operator's tokens and phones are none."""
    t = token_table.c
    query = select(t.sha256, t.label, t.issued_at, t.expires_at).where(*_free(me.id), t.expires_at > now())
    with connect() as connection:
        rows = connection.execute(query.order_by(t.issued_at.desc(), t.sha256)).all()
    return [
        Login(row.sha256[:16], row.label or "", row.issued_at, row.expires_at, row.sha256 == me.who.token)
        for row in rows
    ]


def end_login(me: Visitor, ident: str) -> bool:
    """End one of one's own logins; says whether there was one."""
    t = token_table.c
    with connect() as connection:
        found = connection.scalars(select(t.sha256).where(*_free(me.id))).all()
    wanted = next((sha256 for sha256 in found if sha256[:16] == ident), None)
    if wanted is not None:
        _end(me.id, wanted)
    return wanted is not None


def _free(user: str) -> tuple:
    t = token_table.c
    return t.user == user, t.device.is_(None), t.expires_at.is_not(None)


def _end(user: str, sha256: str) -> None:
    gone = delete(token_table).where(*_free(user), token_table.c.sha256 == sha256)
    write(lambda tx: tx.connection.execute(gone))


def way_back(wanted: str | None, otherwise: str) -> str:
    """Where to go after signing in: a page of the desk, never another site, whatever the address says."""
    if not (wanted or "").isprintable():  # a line break is no part of an address, nor of a header
        return otherwise
    parts = urlsplit(wanted or "")
    inside = not parts.scheme and not parts.netloc and parts.path.startswith("/desk") and "\\" not in (wanted or "")
    return wanted if wanted and inside and "//" not in parts.path else otherwise


def secret(wanted: str, folder: Path) -> str:
    """The secret that signs cookies: as set, or drawn once for all processes that share the data folder."""
    if wanted:
        return wanted
    path = folder / "secret"
    fresh = path.with_name(f".secret-{secrets.token_hex(8)}")
    if not path.exists():
        fresh.touch(mode=0o600)
        fresh.write_text(secrets.token_urlsafe(48), encoding="ascii")
        try:
            os.link(fresh, path)  # whoever is first wins; nobody reads half of one
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return path.read_text(encoding="ascii")
