"""What must be so after everything: looked up in the database, and asked of the server that still lives."""

from collections.abc import Sequence

import orjson
from sqlalchemy import select

from server.clock import now
from server.rebuild import rebuild_all
from server.store.tables import Entity, VisitTable
from tests.api.conftest import Town
from tests.databases import close
from tests.e2e.phones import Mirror, Phone, Value, read_all

BATCH = 200


def kept(town: Town) -> dict[str, bytes]:
    """The bytes of every submission in the database, by id."""
    found = town.stored()
    close(town.app)
    return found


def check_books(town: Town, phones: Sequence[Phone]) -> None:
    """Everything that has a receipt is kept, once, as it was sent; and the receipt is still the same."""
    sent = {ident: raw for phone in phones for ident, raw in phone.sent.items()}
    check_kept(town, sent)
    for phone in phones:
        assert phone.receipts.keys() == phone.sent.keys()
        for start in range(0, len(phone.sent), BATCH):
            ids = list(phone.sent)[start : start + BATCH]
            answer = phone.send(ids)
            assert answer is not None
            assert [receipt["id"] for receipt in answer["receipts"] if not receipt["repeat"]] == []
    check_kept(town, sent)


def check_kept(town: Town, sent: dict[str, bytes]) -> None:
    """The database holds these submissions and no other, byte for byte."""
    found = kept(town)
    assert found.keys() == sent.keys()  # an id of the server's own making would be one too many
    assert [ident for ident, raw in sent.items() if found[ident] != raw] == []


def check_derived(town: Town) -> None:
    """Everything that is derived follows from the log."""
    with town.app.app_context():
        found = rebuild_all(town.nest, now(), town.nest.committer.run, write=False)
    close(town.app)
    assert found.entities > 0
    assert not found.differences


def check_feed(town: Town, phone: Phone, reads: str) -> None:
    """Pulled from nothing one gets what the database holds in one's scopes, as one got it by following.

    `reads` is one scope, or an area with all of its scopes.
    """
    fresh = read_all(phone.post)
    assert fresh.of("entity") == entities(town, reads)
    assert fresh.of("visit").keys() == visits(town, reads)
    assert fresh.of("submission").keys() == phone.sent.keys()
    assert differences(phone.mirror, fresh) == {}


def differences(one: Mirror, other: Mirror) -> dict[tuple[str, str], tuple[Value | None, Value | None]]:
    """What two mirrors show differently."""
    keys = one.things.keys() | other.things.keys()
    pairs = {key: (one.things.get(key), other.things.get(key)) for key in keys}
    return {key: pair for key, pair in pairs.items() if pair[0] != pair[1]}


def entities(town: Town, reads: str) -> dict[str, Value]:
    """The living entities of some scopes, as their readers are served them."""
    rows = town.rows(select(Entity.id, Entity.scope, Entity.page).where(Entity.dead.is_(False)))
    close(town.app)
    return {row.id: orjson.loads(row.page) for row in rows if within(row.scope, reads)}


def visits(town: Town, reads: str) -> set[str]:
    """The open visits of some scopes."""
    rows = town.rows(select(VisitTable.id, VisitTable.scope).where(VisitTable.state == "open"))
    close(town.app)
    return {row.id for row in rows if within(row.scope, reads)}


def within(scope: str, reads: str) -> bool:
    return f"{scope}/".startswith(f"{reads}/")
