"""What nobody waits for any longer: uploads that were left, and files that no row names."""

from collections.abc import Callable, Collection
from functools import partial

import structlog
from sqlalchemy import CompoundSelect, delete, select, union

from server.media.files import MediaFolder
from server.store.base import table
from server.store.reads import fetch
from server.store.tables import Media, SubmissionMedium, Upload, db
from server.world import Nest
from sync.times import DAY

log = structlog.get_logger()
TURN = 200  # rows deleted in one turn
upload = table(Upload)


def clear_media(nest: Nest, now: int, turn: Callable[[Callable[[], int]], int]) -> int:
    """Delete expired uploads with their files, and files without a row; returns how many uploads and files went.

    A whole file that no row names stays for as long as devices offer again what they have sent: after the database
    was put back from a backup, their submissions name it again. Of what a submission names nothing is deleted.
    """
    gone = 0
    while expired := _expired(now):
        gone += turn(partial(_forget, nest, expired))
        for ident in expired:
            _drop_begun(nest.media, ident)
    gone += sum(_drop_begun(nest.media, ident) for ident in _strays(nest.media, now))
    before = now - nest.settings.keep_days * DAY
    return gone + sum(_drop_kept(nest.media, sha256, before) for sha256 in _lost(nest.media, before))


def _expired(now: int) -> list[str]:
    query = select(upload.c.id).where(upload.c.expires_at <= now).order_by(upload.c.id).limit(TURN)
    with db.engine.connect() as connection:
        return list(connection.scalars(query))


def _forget(nest: Nest, idents: list[str]) -> int:
    with nest.store.transaction([]) as tx:
        return tx.connection.execute(delete(upload).where(upload.c.id.in_(idents))).rowcount


def _strays(folder: MediaFolder, now: int) -> list[str]:
    """Begun files of which no upload knows, or whose file is here. One that has just grown may get its row yet."""
    begun = {name for name, at in folder.all_begun() if at * 1000 < now - DAY}
    waits = select(upload.c.id).where(upload.c.sha256.not_in(select(Media.sha256)))
    with db.engine.connect() as connection:
        rows = fetch(connection, begun, lambda some: waits.where(upload.c.id.in_(some)))
    return sorted(begun - {row.id for row in rows})


def _lost(folder: MediaFolder, before: int) -> list[str]:
    """Whole files that were put in their place before that time (ms), and that no row names."""
    kept = {name for name, at in folder.all_kept() if at * 1000 < before}
    return sorted(kept - _named(kept))


def _named(kept: Collection[str]) -> set[str]:
    def naming(some: list[str]) -> CompoundSelect[tuple[str]]:
        columns = (Media.sha256, SubmissionMedium.sha256, upload.c.sha256)
        return union(*(select(column.label("sha256")).where(column.in_(some)) for column in columns))

    with db.engine.connect() as connection:
        return {row.sha256 for row in fetch(connection, kept, naming)}


def _drop_begun(folder: MediaFolder, ident: str) -> bool:
    if not folder.begun(ident).exists():
        return False
    with folder.hold(ident) as begun:
        begun.drop()
    return True


def _drop_kept(folder: MediaFolder, sha256: str, before: int) -> bool:
    """Locked and looked at again: somebody may just be giving it a row."""
    with folder.hold_kept(sha256, wait=False) as kept:
        if kept is None or kept.at >= before or _named([sha256]):
            return False
        kept.drop()
    log.info("media_without_a_row_deleted", sha256=sha256)
    return True
