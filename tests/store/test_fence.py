"""Writing under a lease, on both databases: who was overtaken writes nothing, even if he asked before."""

import pytest
from flask import Flask

from server.reminders.fence import FencedStore, Overtaken
from server.reminders.lease import TERM, LeaseHolder
from server.store.tables import Counter, db
from sync.ports import Changes, Touched

NOW = 1_800_000_000_000
AREA = "2025.31135"
ENTRY = Changes(touched={Touched(AREA, f"{AREA}/01", "entity", "x")})


def entries() -> list[tuple[str, int]]:
    db.session.rollback()
    return [(row.name, row.n) for row in db.session.query(Counter).where(Counter.n > 0)]


def test_the_holder_writes_and_who_was_overtaken_does_not(app: Flask) -> None:
    with app.app_context():
        first, second = LeaseHolder(), LeaseHolder()
        assert first.hold(NOW)
        store = FencedStore(db.engine, first)
        with store.transaction([AREA]) as tx:
            tx.write(ENTRY)
        assert entries() == [(AREA, 1)]
        assert second.hold(NOW + TERM + 1)
        with pytest.raises(Overtaken), store.transaction([AREA]) as tx:
            tx.write(ENTRY)
        assert entries() == [(AREA, 1)]
        with FencedStore(db.engine, second).transaction([AREA]) as tx:
            tx.write(ENTRY)
        assert entries() == [(AREA, 2)]


def test_who_never_held_it_writes_nothing(app: Flask) -> None:
    with app.app_context(), pytest.raises(Overtaken), FencedStore(db.engine, LeaseHolder()).transaction([AREA]):
        pass
