"""After any history every phone holds exactly what its user may read, and nothing that has a receipt is lost.

Phones lose their network, people's charges change, families move, servers are restored from a backup.
"""

import os
from typing import Any

import pytest
from hypothesis import seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.api.conftest import Town
from tests.api.histories import COLLABORATORS, HAMLETS, SUPERVISORS, USERS, World
from tests.device import Drop
from tests.sync.profile import PROFILE

HISTORIES = int(os.environ.get("TOAM_EXAMPLES", "100"))  # in each half: two may run side by side
STEPS = 18
users, places = st.sampled_from(USERS), st.sampled_from(HAMLETS)
plans = st.lists(st.sampled_from([None, None, Drop.BEFORE, Drop.AFTER, Drop.CUT]), max_size=6)
changes = st.fixed_dictionaries(
    {},
    optional={
        "grade": st.integers(2, 5),
        "helmet": st.sampled_from("01"),
        "school_name": st.sampled_from(["Tiểu học Bờ Kênh", "Tiểu học Cầu Sắt"]),
        "full_name": st.sampled_from(["Trần Thị Bưởi", "Trần Thị Bưỡi"]),
        "risk_now": st.sampled_from("0123"),
        "secret": st.just(True),
    },
)


class Histories(RuleBasedStateMachine):
    """Histories on one town, which begins anew each time."""

    town: Town
    pristine: str

    def __init__(self) -> None:
        super().__init__()
        self.town.restore(self.pristine)
        self.world = World(self.town)
        self.backup: str | None = None

    @initialize(user=st.sampled_from(COLLABORATORS), place=places)
    def begin(self, user: str, place: tuple[str, str]) -> None:
        self.world.register(user, place, [9, 13])
        self.world.sync(user)

    @rule(user=st.sampled_from(COLLABORATORS), place=places, years=st.lists(st.sampled_from([9, 13]), max_size=2))
    def register(self, user: str, place: tuple[str, str], years: list[int]) -> None:
        self.world.register(user, place, years)

    @rule(user=users, which=st.integers(0, 9), said=changes)
    def visit(self, user: str, which: int, said: dict[str, Any]) -> None:
        self.world.visit(user, which, said)

    @rule(user=st.sampled_from([*SUPERVISORS, "u1"]), which=st.integers(0, 9), place=places)
    def move(self, user: str, which: int, place: tuple[str, str]) -> None:
        self.world.move(user, which, place)

    @rule(user=st.sampled_from(SUPERVISORS), which=st.integers(0, 9))
    def delete(self, user: str, which: int) -> None:
        self.world.delete(user, which)

    @rule(user=users, plan=plans)
    def sync(self, user: str, plan: list[Drop | None]) -> None:
        self.world.sync(user, plan)

    @rule(user=users, plan=plans)
    def sync_again(self, user: str, plan: list[Drop | None]) -> None:
        self.world.sync(user, plan)

    @rule(user=users, days=st.sampled_from([-4000, -2, 1, 11]))
    def set_the_clock(self, user: str, days: int) -> None:
        self.world.jump(user, days)

    @rule(user=st.sampled_from([*COLLABORATORS, "s5"]), place=places, lasts=st.booleans())
    def assign(self, user: str, place: tuple[str, str], lasts: bool) -> None:
        area, hamlet = place
        self.town.assigned(user, area, None if user in SUPERVISORS else hamlet, -3, None if lasts else -1)

    @rule(user=users)
    def relieve(self, user: str) -> None:
        self.town.relieved(user)

    @rule(user=st.sampled_from(["u9", "u5"]))
    def revoke(self, user: str) -> None:
        if user not in self.world.wiped:
            self.town.revoke(user)

    @rule()
    def back_up(self) -> None:
        self.backup = self.town.backup()

    @rule(told=st.booleans())
    def restore(self, told: bool) -> None:
        if self.backup is not None:
            self.world.restore(self.backup, told)

    def teardown(self) -> None:
        self.world.settle()
        self.world.check()


@pytest.mark.parametrize("half", [1, 2])
def test_every_phone_ends_with_exactly_what_its_user_may_read(town: Town, half: int) -> None:
    profile = settings(PROFILE, max_examples=HISTORIES, stateful_step_count=STEPS)
    histories = type(f"Half{half}", (Histories,), {"town": town, "pristine": town.backup()})
    if PROFILE.derandomize:
        histories = seed(half)(histories)  # the same histories in every run, others in the other half
    run_state_machine_as_test(histories, settings=profile)
