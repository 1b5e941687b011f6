"""Submissions as they are kept, what changes about them beside that, and who waits for what."""

from dataclasses import replace

from sqlalchemy import update

from server.store.store import SqlStore, table
from server.store.tables import Submission
from sync.ports import Review, Waiting
from tests.store.samples import HERE, NOON, THERE, changes, state, submission, write


def test_a_submission_is_read_back_whole(store: SqlStore) -> None:
    rich = submission(
        "s1", area=THERE, sha256="ab" * 32, device="p1", author="u21", seq=412, form="child_situation",
        form_version="2026112301", kind="visit", dialect="openrosa", raw="<data>Đào\x00</data>".encode() * 100,
        observed_at=NOON - 9, received_at=NOON + 1, outcome="quarantined", reason="out_of_area",
        receipt={"id": "s1", "entities": [{"id": "c1"}]}, facts={"places": [HERE], "claims": {"c1": {"base": 3}}},
    )  # fmt: skip
    plain = submission("s2", observed_at=None)
    write(store, changes(submissions=[rich, plain]))
    with store.transaction([]) as tx:
        assert tx.submissions(["s1", "s2", "s3"]) == {"s1": rich, "s2": plain}


def test_a_submission_from_before_facts_were_kept_has_none(store: SqlStore) -> None:
    row = submission("s1", facts={"places": [HERE]})
    write(store, changes(submissions=[row]))
    with store.transaction([]) as tx:
        tx.connection.execute(update(table(Submission)).values(facts=None))
        assert tx.submissions(["s1"]) == {"s1": replace(row, facts={})}


def test_the_state_of_a_submission_is_overwritten(store: SqlStore) -> None:
    first, other = state("s1"), state("s2", area=THERE, state=Review.QUARANTINED, reason="out_of_area")
    write(store, changes(states={"s1": first, "s2": other}))
    told = ({"entity": "c1", "cell": "phone", "kind": "overruled"}, {"entity": "c2", "cell": "dob", "kind": "ruled"})
    changed = state(
        "s1", area=THERE, author="u12", state=Review.HAS_ISSUES, reason="r", comment="Xem lại giúp chị",
        question="school_status", by="u21", at=NOON + 5, notices=told, elsewhere=True,
    )  # fmt: skip
    write(store, changes(states={"s1": changed}))
    with store.transaction([]) as tx:
        assert tx.states(["s1", "s2", "s3"]) == {"s1": changed, "s2": other}
    write(store, changes(states={"s1": first}))
    with store.transaction([]) as tx:
        assert tx.states(["s1"]) == {"s1": first}


def test_every_state_can_be_kept(store: SqlStore) -> None:
    all_of_them = {review.value: state(review.value, state=review) for review in Review}
    write(store, changes(states=all_of_them))
    with store.transaction([]) as tx:
        assert tx.states(all_of_them) == all_of_them


def test_what_a_submission_waits_for_is_replaced(store: SqlStore) -> None:
    def waits(sub: str, *keys: str) -> frozenset[Waiting]:
        return frozenset(Waiting(key, "c1", sub) for key in keys)

    write(store, changes(waiting={"s1": waits("s1", "c1", "s0"), "s2": waits("s2", "c1")}))
    with store.transaction([]) as tx:
        assert list(tx.waiting(["c1", "c9"])) == [Waiting("c1", "c1", "s1"), Waiting("c1", "c1", "s2")]
        assert list(tx.watching(["s1", "s9"])) == [Waiting("c1", "c1", "s1"), Waiting("s0", "c1", "s1")]

    both = frozenset({Waiting("h1", "c1", "s1"), Waiting("h1", "c2", "s1")})
    with store.transaction([HERE]) as tx:
        tx.write(changes(waiting={"s1": both, "s3": waits("s3", "c1")}))
        assert set(tx.watching(["s1"])) == both
    write(store, changes(waiting={"s2": frozenset(), "s9": frozenset()}))
    with store.transaction([]) as tx:
        assert list(tx.watching(["s1", "s2", "s3"])) == [
            Waiting("c1", "c1", "s3"),
            Waiting("h1", "c1", "s1"),
            Waiting("h1", "c2", "s1"),
        ]
        assert [waiting.sub for waiting in tx.waiting(["c1"])] == ["s3"]
