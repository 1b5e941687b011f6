"""Files that came with submissions, as they may be looked at; and which of them are still to come."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import select

from server.auth.access import Access, NamedFile
from server.store.reads import Reads
from server.store.tables import Media, SubmissionMedium, db
from server.world import Nest
from sync.batch import MediumRow
from sync.ports import Review

WITHDRAWN = (Review.REJECTED, Review.QUARANTINED, Review.SET_ASIDE, Review.STORED)  # says nothing of anybody now


@dataclass(frozen=True)
class File:
    """A file that is here: where, its size and its media type."""

    path: Path
    size: int
    type: str


def file_of(nest: Nest, access: Access, sha256: str, sub: str) -> File | None:
    """A file that a submission names; None if it is not here, or not for this reader."""
    reads = Reads(db.session.connection())
    found = db.session.get(Media, sha256)
    said = [one for one in reads.media([sub]).get(sub, ()) if one.sha256 == sha256]
    if found is None or not said or not nest.media.has(sha256, found.size):
        return None
    if not any(access.file(one) for one in _named(reads, said)):
        return None
    return File(nest.media.kept(sha256), found.size, found.type)


def _named(reads: Reads, said: Sequence[MediumRow]) -> list[NamedFile]:
    """What decides who sees a file, of each time that one submission names it."""
    sub, sha256 = said[0].sub, said[0].sha256
    state, touched = reads.states([sub])[sub], reads.touching([sub]).get(sub, frozenset())
    ledgers = reads.ledgers({one.entity for one in said if one.entity in touched})
    secret = (
        select(SubmissionMedium.sub).where(SubmissionMedium.sha256 == sha256, SubmissionMedium.protected).limit(1)
    )
    protected = db.session.scalars(secret).first() is not None
    standing = state.state not in WITHDRAWN
    named = []
    for one in said:
        ledger = ledgers.get(one.entity or "")
        row = ledger.row if ledger is not None else None
        counts = standing and ledger is not None and any(op.op.sub == sub and op.present for op in ledger.ops)
        areas = frozenset({state.area} | ({row.area} if row is not None else set()))
        lives = (row.area, row.scope) if row is not None and counts else None
        named.append(NamedFile(state.author, protected, areas, lives))
    return named


def named_files(reads: Reads, sub: str) -> list[dict[str, Any]]:
    """What a submission names, for those who have it on their desk."""
    media = sorted(reads.media([sub]).get(sub, ()))
    here = reads.here({one.sha256 for one in media})
    names = ("name", "sha256", "size", "question", "protected")
    return [{name: getattr(one, name) for name in names} | {"here": one.sha256 in here} for one in media]


def missing_media(subs: Sequence[str]) -> Mapping[str, list[str]]:
    """The files that these submissions name and that are not here, by submission; none left out that names any."""
    reads = Reads(db.session.connection())
    named = reads.media(subs)
    here = reads.here({one.sha256 for media in named.values() for one in media})
    return {sub: sorted({one.sha256 for one in media} - here) for sub, media in named.items()}
