"""Bearer tokens: 256 random bits, shown once, stored as their SHA-256.

A token is one user, mostly on one installation. A hash without salt is enough: nobody guesses 256 bits.
"""

import hashlib
import secrets
from dataclasses import dataclass

from flask import request
from sqlalchemy import select

from server.problems import Problem
from server.store.tables import Device, Token, db
from sync.arrival import Sender

PREFIX = "toam_"


@dataclass(frozen=True)
class Caller:
    """An authenticated request: the user, his installation, and everyone who uses it."""

    user: str
    sender: Sender
    revoked: bool

    def reader(self) -> str:
        """The user, where he may still read: a device's right to send outlives its right to read."""
        if self.revoked:
            raise Problem("device_revoked")
        return self.user


def issue(user: str, device: str | None, at: int) -> str:
    """Make a token for `user` (on `device`) and return it; it cannot be read again. The caller commits."""
    token = PREFIX + secrets.token_urlsafe(32)
    db.session.add(Token(sha256=digest(token), user=user, device=device, issued_at=at))
    return token


def digest(token: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def caller() -> Caller:
    """The caller of this request. Raises the problem `unauthenticated`."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Problem("unauthenticated")
    found = db.session.get(Token, digest(token.strip()))
    if found is None:
        raise Problem("unauthenticated")
    device = db.session.get(Device, found.device) if found.device else None
    users = {found.user}
    if device is not None:
        users |= set(db.session.scalars(select(Token.user).where(Token.device == device.id)))
    revoked = found.revoked_at is not None or (device is not None and device.revoked_at is not None)
    enrolled = device.enrolled_at if device else found.issued_at
    return Caller(found.user, Sender(found.user, found.device, frozenset(users), enrolled), revoked)
