"""The feed: whatever happens, a device that applies pages as docs/protocol.md says holds its scopes and no more."""

from collections.abc import Sequence
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from sync.feed import Page, Reader, known, pull
from sync.tokens import Cursor, FeedMark, Position
from tests.sync.feeds import OWN, PLACES, READER, SCOPES, Change, Phone, Server
from tests.sync.profile import PROFILE

THINGS = [("entity", f"e{n}") for n in range(4)] + [("visit", f"v{n}") for n in range(2)]
SUBMISSIONS = [("submission", "s0"), ("submission", "s1")]
MOVES = st.tuples(st.sampled_from(THINGS), st.sampled_from(PLACES), st.sampled_from([True, True, True, False]))
NEWS = st.tuples(st.sampled_from(SUBMISSIONS), st.just(OWN), st.just(True))
CHANGES = st.lists(MOVES | MOVES | NEWS, max_size=3, unique_by=lambda change: change[0])
OTHERS = st.lists(CHANGES, min_size=1, max_size=4)
LIMITS = st.integers(1, 5)
GRANTS = st.sets(st.sampled_from(PLACES))


def reader_of(scopes: set[str] | frozenset[str], form: str) -> Reader:
    """Who may read these scopes, as `server.syncing` puts him: his own feed first, then protection."""
    order = sorted(scopes - {OWN}, key=lambda scope: (not scope.endswith("/!"), scope))
    counters = sorted({SCOPES[scope] for scope in order})
    return Reader(READER, (OWN, *counters), (OWN, *order), form)


def answer(server: Server, reader: Reader, position: Position, most: int) -> Page:
    return pull(reader, position, server.heads(reader.counters), most, server)


def new_server() -> Server:
    drawn = count()
    return Server(lambda: f"n{next(drawn)}")


class Story(RuleBasedStateMachine):
    """A server, a phone and their backups; everything that may happen between them, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.server = new_server()
        self.phone = Phone()
        self.scopes: set[str] = {OWN, "P/1"}
        self.backup = self.server.backup()
        self.saved = self.phone.backup()

    @property
    def reader(self) -> Reader:
        return reader_of(self.scopes, self.server.form)

    def ahead(self, position: Position) -> int:
        """How many entries the reader has still to hear of: of a scope that is new to him, what lies there."""
        left = 0
        for scope in self.reader.scopes:
            here_only = scope not in position.cursors
            after = position.cursors.get(scope, Cursor(0))
            again = not here_only and position.view != self.server.form
            for (lies_in, _, _), (seq, here) in self.server.stored.items():
                told = lies_in == scope and (seq > after.seq or again)
                left += told and (here or again or (not here_only and seq > after.fresh))
        return left

    def next_page(self, most: int) -> Page:
        """The server's answer to the phone's token. A history that differs is found, and no other."""
        position = self.phone.position
        shared = all(self.server.history.get(c, {}).get(m.seq) == m.nonce for c, m in position.marks.items())
        assert known(position.marks, self.server) == shared
        if not shared:
            self.phone.resync()
            position = self.phone.position
        quiet, expected = not self.server.meanwhile, self.ahead(position)
        page = answer(self.server, self.reader, position, most)
        self.server.meanwhile.clear()
        keys = [(one.kind, one.id) for one in page.served] + list(page.gone)
        assert len(keys) == len(set(keys)) <= most
        assert all(one.body is not None for one in page.served)
        assert page.more == (page.remaining > 0)
        assert set(page.position.cursors) == set(self.reader.scopes)
        if quiet:
            assert page.remaining == max(0, expected - most) == self.ahead(page.position)
        return page

    def check(self, page: Page) -> None:
        if not page.more:
            assert self.phone.held == self.server.visible(self.scopes)

    @rule(changes=CHANGES)
    def something_changes(self, changes: Sequence[Change]) -> None:
        self.server.write(changes)

    @rule(scopes=GRANTS)
    def the_reader_gets_other_charges(self, scopes: set[str]) -> None:
        self.scopes = {OWN, *scopes}

    @rule(number=st.integers(0, 2))
    def pages_take_another_form(self, number: int) -> None:
        self.server.form = f"h:{number}"

    @rule(most=LIMITS, times=st.integers(1, 2))
    def a_page_is_applied(self, most: int, times: int) -> None:
        page = self.next_page(most)
        for _ in range(times):
            self.phone.apply(page)
        self.check(page)

    @rule(most=LIMITS)
    def a_page_is_lost(self, most: int) -> None:
        self.next_page(most)

    @rule(most=LIMITS, others=OTHERS)
    def others_commit_while_a_page_is_read(self, most: int, others: list[Sequence[Change]]) -> None:
        self.server.meanwhile, self.server.copies = others, []
        self.phone.apply(self.next_page(most))

    @rule(most=LIMITS, others=OTHERS, kept=st.integers(0, 4))
    def the_server_loses_what_was_committed_while_a_page_was_read(
        self, most: int, others: list[Sequence[Change]], kept: int
    ) -> None:
        self.server.meanwhile, self.server.copies = others, []
        self.phone.apply(self.next_page(most))
        copies, self.server.copies = self.server.copies, []
        self.server = [*copies, self.server][min(kept, len(copies))]

    @rule(most=LIMITS)
    def the_phone_pulls_to_the_end(self, most: int) -> None:
        page = self.next_page(most)
        self.phone.apply(page)
        while page.more:
            page = self.next_page(most)
            self.phone.apply(page)
        self.check(page)
        again = self.next_page(most)
        assert again.empty and not again.more
        assert again.position == page.position

    @rule()
    def the_phone_begins_from_nothing(self) -> None:
        self.phone.resync()

    @rule()
    def the_phone_is_saved(self) -> None:
        self.saved = self.phone.backup()

    @rule()
    def the_phone_goes_back(self) -> None:
        self.phone = self.saved.backup()

    @rule()
    def the_server_is_saved(self) -> None:
        self.backup = self.server.backup()

    @rule()
    def the_server_goes_back(self) -> None:
        form = self.server.form
        self.server = self.backup.backup()
        self.server.form = form

    @rule()
    def marks_are_thinned(self) -> None:
        named = [*self.phone.position.marks.values(), *self.saved.position.marks.values()]
        self.server.thin(named)


Story.TestCase.settings = settings(PROFILE, stateful_step_count=40)
TestStory = Story.TestCase


COUNTS = st.integers(0, 6)


@PROFILE
@given(before=st.integers(1, 6), lost=COUNTS, after=COUNTS, thinned=st.booleans())
def test_a_restored_server_is_found_even_when_it_has_overtaken(
    before: int, lost: int, after: int, thinned: bool
) -> None:
    """The phone saw what was lost, or nothing but what is there still, whatever else was marked before or since."""
    server = new_server()
    for _ in range(before):
        server.write([(THINGS[0], "P/1", True)])
    backup = server.backup()
    for _ in range(lost):
        server.write([(THINGS[0], "P/1", True)])
    marks = answer(server, reader_of({"P/1"}, "h:0"), Position(READER), 5).position.marks
    for _ in range(after):
        backup.write([(THINGS[1], "P/2", True)])
        server.write([(THINGS[1], "P/2", True)])
    for history in (server, backup):
        if thinned:
            history.thin(list(marks.values()))
    assert known(marks, server)
    assert known(marks, backup) == (lost == 0)


def test_nobody_who_has_seen_nothing_is_a_stranger() -> None:
    assert known({}, new_server()) and known({"P": FeedMark(0, "")}, new_server())
    assert not known({"P": FeedMark(1, "n0")}, new_server())


def test_whoever_comes_new_hears_nothing_of_what_left_before_and_of_all_that_leaves_later() -> None:
    server, reader = new_server(), reader_of({"P/1"}, "h:0")
    server.write([(THINGS[0], "P/1", True), (THINGS[1], "P/1", True), (THINGS[2], "P/1", True)])
    server.write([(THINGS[0], "Q/1", True)])
    first = answer(server, reader, Position(READER), 1)
    assert ([one.id for one in first.served], list(first.gone), first.remaining) == (["e1"], [], 1)
    server.write([(THINGS[1], "Q/1", True)])
    server.write([(THINGS[2], "P/1", False)])
    second = answer(server, reader, first.position, 5)
    assert (second.served, list(second.gone)) == ([], [THINGS[1], THINGS[2]])


def test_a_page_tells_the_most_urgent_scopes_first() -> None:
    server = new_server()
    for change in [("P/1", THINGS[0]), ("Q/1", THINGS[1]), ("P/!", THINGS[2]), (OWN, SUBMISSIONS[0])]:
        server.write([(change[1], change[0], True)])
    position, told = Position(READER), list[str]()
    for _ in range(4):
        page = answer(server, reader_of({"P/1", "Q/1", "P/!"}, "h:0"), position, 1)
        position, told = page.position, told + [one.id for one in page.served]
    assert told == ["s0", "e2", "e0", "e1"]


@pytest.mark.parametrize("statement", [0, 1])
def test_what_is_passed_over_while_others_write_is_no_newer_than_the_marks(statement: int) -> None:
    """It moved beyond the head before this statement of a page; a backup of just before is another history."""
    server, reader = new_server(), reader_of({"P/1"}, "h:0")
    server.write([(THINGS[0], "P/1", True)])
    server.meanwhile = [[]] * statement + [[(THINGS[0], "P/1", True)]]
    page = answer(server, reader, Position(READER), 5)
    assert known(page.position.marks, server)
    backup = server.copies[statement]
    assert not known(page.position.marks, backup) or page.served == answer(backup, reader, Position(READER), 5).served
    assert [one.body.version for one in answer(server, reader, page.position, 5).served] == [2]
