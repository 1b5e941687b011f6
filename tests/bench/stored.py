"""The one table of the bare endpoint; made before its server starts, whose processes would race to make it."""

from sqlalchemy import Column, LargeBinary, MetaData, String, Table

columns = Column("id", String(200), primary_key=True), Column("area", String(40)), Column("raw", LargeBinary)
stored = Table("bench_bare", MetaData(), *columns)
