"""Everything derived follows from the log alone: computed anew it is the same, and what was spoilt is found."""

from collections.abc import Callable
from datetime import date
from typing import Any

import orjson
import pytest
from flask import Flask
from sqlalchemy import delete, func, select, update

from server.desk import desk_of
from server.rebuild import rebuild_all
from server.store.people import assign
from server.store.tables import (
    ConflictTable,
    Entity,
    FeedEntry,
    MadeTable,
    NoticeTable,
    OpTable,
    Submission,
    SubmissionState,
    VisitTable,
    db,
)
from sync.desk import quarantine, reviews, rulings
from sync.desk.orders import Order
from sync.desk.session import Perform, perform
from sync.rebuild import Rebuilt
from sync.state.model import Act
from tests.store.test_receive import CHILD, SITUATION, TOWN, Phones, prepare, renamed

OFFICER = next(user.id for user in TOWN.users if user.role == "supervisor")


def act(phones: Phones, kind: Act, how: Perform, **about: Any) -> dict[str, Any]:
    phones.at += 1000
    order = Order(f"uuid:{kind}-{phones.at}", kind, OFFICER, phones.at, reason="xem lại", raw=b"{}", **about)
    entities = [about["entity"]] if "entity" in about else []
    subs = [about["target"]] if "target" in about else []
    return perform(desk_of(phones.nest), order, how, entities, subs)


def history(phones: Phones) -> None:
    """A household with children: visits, a conflict and its ruling, a rejection, a held item and its repair."""
    phones.register()
    base = phones.base(CHILD)
    one = phones.item(SITUATION, base, id="uuid:one", answers=renamed(SITUATION, "Lê Thị Một"))
    two = phones.item(SITUATION, base, id="uuid:two", answers=renamed(SITUATION, "Lê Thị Hai"))
    bad = renamed(SITUATION, "Lê Thị Ba") | {"caregiver_phone": "x", "immediate_danger": "1", "abuse_signs": ["1"]}
    for item in (one, two, phones.item(SITUATION, base, id="uuid:bad", answers=bad)):
        phones.send(item)
    phones.send(phones.item(SITUATION, base, id="uuid:late", answers=renamed(SITUATION, "Lê Thị Tư")))
    act(phones, Act.APPROVE, reviews.approve, target="uuid:late")
    act(phones, Act.REJECT, reviews.reject, target="uuid:two")
    act(phones, Act.REPAIR, quarantine.repair, target="uuid:bad", patch={"/answers/caregiver_phone": None})
    base = phones.base(CHILD)
    act(phones, Act.CORRECT, rulings.correct, entity=CHILD, base=base, values={"risk_now": "0"})


def rebuilt(app: Flask, phones: Phones, write: bool = False) -> Rebuilt:
    with app.app_context():
        found = rebuild_all(phones.nest, phones.at, lambda work: work(), write)
        db.session.remove()
    return found


@pytest.fixture
def lived(app: Flask) -> Phones:
    phones = prepare(app)
    with app.app_context():
        assign(OFFICER, TOWN.area, None, date(2025, 7, 1))
        db.session.commit()
        db.session.remove()
    history(phones)
    return phones


def test_computed_anew_everything_is_the_same(app: Flask, lived: Phones) -> None:
    found = rebuilt(app, lived)
    assert found.entities >= 4
    assert found.differences == set()


SPOILT: dict[str, Callable[[], Any]] = {
    "entity": lambda: update(Entity).where(Entity.id == CHILD).values(data=b"{}", label="Ai đó"),
    "op": lambda: update(OpTable).where(OpTable.entity == CHILD).values(writes=orjson.dumps({})),
    "conflict": lambda: update(ConflictTable).values(open=False),
    "notice": lambda: delete(NoticeTable),
    "visit": lambda: delete(VisitTable).where(VisitTable.state == "open"),
    "visit_made": lambda: delete(MadeTable),
    "submission": lambda: update(SubmissionState).where(SubmissionState.sub == "uuid:two").values(state="approved"),
}


@pytest.mark.parametrize("kind", SPOILT)
def test_what_was_spoilt_is_found_and_mended(app: Flask, lived: Phones, kind: str) -> None:
    with app.app_context():
        before = stored()
        if kind == "notice" and not db.session.scalar(select(func.count()).select_from(NoticeTable)):
            pytest.fail("the history makes no notice")
        db.session.execute(SPOILT[kind]())
        db.session.commit()
        db.session.remove()
    found = rebuilt(app, lived)
    assert kind in {what for what, _ in found.differences}
    assert rebuilt(app, lived, write=True).differences >= found.differences
    assert rebuilt(app, lived).differences == set()
    with app.app_context():
        assert stored() == before


def stored() -> Any:
    """What a rebuild must bring back to the byte; feed numbers and revisions are the log's own business."""
    tables: dict[str, tuple[Any, ...]] = {
        "entity": (Entity.id, Entity.rev, Entity.data, Entity.src, Entity.label, Entity.scope),
        "op": (OpTable.entity, OpTable.sub, OpTable.writes, OpTable.marks),
        "conflict": (ConflictTable.id, ConflictTable.open),
        "notice": (NoticeTable.entity, NoticeTable.sub, NoticeTable.kind),
        "made": (MadeTable.subject, MadeTable.sub),
        "visit": (VisitTable.id, VisitTable.state, VisitTable.due),
        "state": (SubmissionState.sub, SubmissionState.state),
    }
    return {
        name: sorted(tuple(row) for row in db.session.execute(select(*columns))) for name, columns in tables.items()
    }


def test_a_check_writes_nothing(app: Flask, lived: Phones) -> None:
    with app.app_context():
        db.session.execute(SPOILT["entity"]())
        db.session.commit()
        feed = db.session.scalar(select(func.max(FeedEntry.seq)))
        kept = db.session.scalar(select(func.count()).select_from(Submission))
    rebuilt(app, lived)
    with app.app_context():
        assert db.session.scalar(select(func.max(FeedEntry.seq))) == feed
        assert db.session.scalar(select(func.count()).select_from(Submission)) == kept
        assert db.session.scalar(select(Entity.label).where(Entity.id == CHILD)) == "Ai đó"
