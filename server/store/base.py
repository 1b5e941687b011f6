"""What all tables share: the metadata, the sizes of ids, and the way to their Core tables."""

from datetime import date

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import BigInteger, Boolean, Connection, Date, LargeBinary, String, Table, Text
from sqlalchemy.orm import DeclarativeBase, registry

ID = String(200)
AREA = String(40)
SCOPE = String(60)
USER = String(100)
FORM = String(100)
CELL = String(60)
TYPE = String(30)


class Base(DeclarativeBase):
    """The one metadata of the product."""

    registry = registry(
        type_annotation_map={int: BigInteger, bytes: LargeBinary, bool: Boolean, date: Date, str: Text}
    )


db = SQLAlchemy(model_class=Base, disable_autonaming=True)


def connect() -> Connection:
    """A connection that sees what is committed now.

    The session gives its own back first: if every request held one while it waits for another, all would wait.
    """
    db.session.rollback()
    return db.engine.connect()


def table(model: type) -> Table:
    """The Core table of a model."""
    return model.__table__  # type: ignore[attr-defined]
