"""The tables of files: those that are here, what submissions say of them, and uploads under way."""
# mypy: disable-error-code="misc, name-defined"

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import ID, USER, db
from server.store.device_tables import DEVICE, HASH

NAME = String(200)


class Media(db.Model):
    """A file that has arrived whole; its bytes are in the folder of media, named by their hash."""

    __tablename__ = "media"
    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    size: Mapped[int]
    type: Mapped[str] = mapped_column(String(40))  # as its first bytes say
    stored_at: Mapped[int]


class SubmissionMedium(db.Model):
    """A file that a submission names, here or not. Derived from the submission's bytes: see `sync.media`."""

    __tablename__ = "submission_media"
    __table_args__ = (Index("submission_media_sha256", "sha256"),)
    sub: Mapped[str] = mapped_column(ID, primary_key=True)
    sha256: Mapped[str] = mapped_column(HASH, primary_key=True)
    name: Mapped[str] = mapped_column(NAME, primary_key=True)
    size: Mapped[int]  # as the phone says
    question: Mapped[str | None]
    entity: Mapped[str | None] = mapped_column(ID)
    protected: Mapped[bool]


class Upload(db.Model):
    """A file on its way. Whole once `media` has it; the row stays until it expires, so that its sender is answered.

    `received` counts every byte that came for it, also those that had to come again.
    """

    __tablename__ = "upload"
    __table_args__ = (Index("upload_device", "device"), Index("upload_expires", "expires_at"))
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    sha256: Mapped[str] = mapped_column(HASH)
    sub: Mapped[str] = mapped_column(ID)
    device: Mapped[str | None] = mapped_column(DEVICE)
    user: Mapped[str] = mapped_column(USER, index=True)
    offset: Mapped[int]
    size: Mapped[int]
    received: Mapped[int]
    expires_at: Mapped[int]  # a fixed time after it was last heard of
