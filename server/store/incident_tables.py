"""The tables of lost phones: what was reported of each, and what was on it at that moment."""
# mypy: disable-error-code="misc, name-defined"

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from server.store.base import AREA, ID, SCOPE, TYPE, USER, db
from server.store.device_tables import DEVICE


class Incident(db.Model):
    """A phone that was reported as lost. The clock of the law runs from `detected_at` (Luật 91/2025/QH15, Điều 23).

    `area`: whose officers keep it. `noticed_by`: who missed it, in words. `unsent`: submissions that still waited on
    it, as it said when it was seen last. It ends with `closed_at`: the notice was given at `notified_at`, or
    `closing` says why none is needed.
    """

    __tablename__ = "incident"
    __table_args__ = (Index("incident_open", "area", "closed_at", "detected_at"),)
    device: Mapped[str] = mapped_column(DEVICE, primary_key=True)
    area: Mapped[str] = mapped_column(AREA)
    detected_at: Mapped[int]
    reported_at: Mapped[int]
    reported_by: Mapped[str] = mapped_column(USER)
    noticed_by: Mapped[str]
    circumstances: Mapped[str]
    last_seen: Mapped[int | None]
    unsent: Mapped[int | None]
    notified_at: Mapped[int | None]
    closing: Mapped[str | None]
    closed_at: Mapped[int | None]
    closed_by: Mapped[str | None] = mapped_column(USER)


class LostThing(db.Model):
    """One entity that was on a lost phone when that was reported; what the phone does later changes nothing here.

    `properties`: the names of those that said anything (JSON list), never their values.
    """

    __tablename__ = "lost_thing"
    device: Mapped[str] = mapped_column(DEVICE, primary_key=True)
    entity: Mapped[str] = mapped_column(ID, primary_key=True)
    type: Mapped[str] = mapped_column(TYPE)
    area: Mapped[str] = mapped_column(AREA)
    scope: Mapped[str | None] = mapped_column(SCOPE)
    since: Mapped[int]
    properties: Mapped[bytes]
