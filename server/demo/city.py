"""A whole city that does not exist, over wards that do: as many children as asked for, ward by ward.

Pure and repeatable: the same seed, day and number of children give the same city, whatever part of it is made. It is
made a block of households at a time, so that a city needs no more memory than a commune.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from itertools import count

from server.demo.commune import VIETNAM, Item, Spot, User, household_items, uuid_of
from server.demo.dice import Dice
from server.demo.names import People, Sex, family_name, full_name
from server.demo.protection import SECRET
from sync.authority import Role

LEAST = 400  # children in a ward; a smaller city has fewer wards
IN_A_HAMLET = 400  # children, where the ward's hamlets are not known
DAYS = 60  # of visits before `today`
BLOCK = 40  # households that are made and sent together
HOUSEHOLDS_A_CHILD = 0.9  # at most; it gives each ward its own range of people's numbers
ONCE = ("injuries", "imm_doses", "note", "child_wish", "support_received", *SECRET)  # what a second visit says anew


@dataclass(frozen=True)
class WardFacts:
    """A real ward: its code, centre (degrees), known hamlets, and codes of wards of which it was made in 2025."""

    code: str
    name: str
    centre: tuple[float, float]
    hamlets: tuple[str, ...] = ()
    earlier: tuple[str, ...] = ()


@dataclass(frozen=True)
class WardPlan:
    """What is made of a ward: so many children in these hamlets, by these people.

    `first` is the number of the first household's papers.
    """

    facts: WardFacts
    seed: int
    children: int
    hamlets: tuple[str, ...]
    users: tuple[User, ...]
    first: int

    @property
    def area(self) -> str:
        return f"2025.{self.facts.code}"

    @property
    def officer(self) -> User:
        return next(user for user in self.users if user.role is Role.SUPERVISOR)


@dataclass(frozen=True)
class Block:
    """A few households. What stands in one round may be sent together; a later round needs the earlier ones.

    Two visits to one child in one round were made by people neither of whom had seen the other's.
    """

    rounds: tuple[tuple[Item, ...], ...]
    children: int


def plan_city(children: int, wards: Sequence[WardFacts], seed: int) -> list[WardPlan]:
    """Share the children out among the wards, some twice as large as others."""
    chosen = wards[: max(1, min(len(wards), children // LEAST))]
    weights = [1 + Dice(f"{seed}/{ward.code}").roll("size") for ward in chosen]
    plans, left, first = [], children, 0
    for index, (ward, weight) in enumerate(zip(chosen, weights, strict=True)):
        share = round(left * weight / sum(weights[index:]))
        hamlets = ward.hamlets or tuple(f"{number:02d}" for number in range(1, 2 + min(97, share // IN_A_HAMLET)))
        users = tuple(_users(ward.code, hamlets, seed, index == 0))
        plans.append(WardPlan(ward, seed, share, hamlets, users, first))
        left, first = left - share, first + int(share * HOUSEHOLDS_A_CHILD) + 50
    return plans


def _users(ward: str, hamlets: Sequence[str], seed: int, first: bool) -> Iterator[User]:
    """A collaborator for each hamlet, an officer, who plans; some of the first ward have the demonstration's ids."""
    roles: list[tuple[str, Role, tuple[str, ...]]] = [
        (f"c{ward}-{hamlet}", Role.COLLABORATOR, (hamlet,)) for hamlet in hamlets
    ]
    roles += [(f"s{ward}", Role.SUPERVISOR, ()), (f"l{ward}", Role.SCHEDULER, ())]
    usual = {f"s{ward}": "u21", f"l{ward}": "u31"} if first else {}
    roles += [("u41", Role.ADMINISTRATOR, ())] if first else []
    for ident, role, charge in roles:
        dice = Dice(f"{seed}/{ident}")
        people, sex = (
            People(dice.one("people", {"01": 80, "05": 14, "04": 6})),
            Sex(dice.one("sex", {"1": 3, "2": 7})),
        )
        name = full_name(dice, people, family_name(dice, people, "user"), sex, "user")
        yield User(usual.get(ident, ident), name, role, charge)


def visits_a_day(user: User) -> int:
    """How many visits a collaborator can make in a day."""
    return Dice(user.id).between("capacity", 4, 10)


def blocks(plan: WardPlan, today: date) -> Iterator[Block]:
    """All of a ward, until it has its children."""
    made = 0
    yield Block((tuple(_reports(plan, today)),), 0)
    numbers = count()
    while made < plan.children:
        homes, visits, children = list[Item](), list[list[Item]](), 0
        while len(homes) < BLOCK and made + children < plan.children:
            home, of_children = _household(plan, next(numbers), today)
            homes.append(home)
            visits += of_children
            children += sum("__id" in row for row in home.answers.get("members", []))
        rounds = [tuple(homes)]
        for turn in range(max(map(len, visits), default=0)):
            told = [one for items in visits for one in _doubled(plan, items[turn : turn + 1], turn)]
            rounds.append(tuple(told))
        made += children
        yield Block(tuple(rounds), children)


def _household(plan: WardPlan, number: int, today: date) -> tuple[Item, list[list[Item]]]:
    """The registration and the visits to each child; none where the ward is written by its earlier code."""
    hamlet = plan.hamlets[number % len(plan.hamlets)]
    author = next(user for user in plan.users if hamlet in user.hamlets)
    spot = Spot(hamlet, 1 + plan.users.index(author), plan.facts.code, plan.facts.centre)
    dice = Dice(f"{plan.seed}/{plan.area}/{number}")
    ident = uuid_of(plan.seed, plan.area, number)
    home, visits = household_items(dice, number, spot, author.id, ident, today, DAYS, plan.first + number)
    if plan.facts.earlier and dice.chance("old code", 0.004):
        old = home.answers | {"ward_code": dice.pick("old ward", plan.facts.earlier)}
        return replace(home, answers=old, late=True), []
    by_child: dict[str, list[Item]] = {}
    for visit in sorted(visits, key=lambda item: item.observed_at):
        late = Dice(visit.instance_id).chance("paper", 0.03)
        by_child.setdefault(str(visit.child), []).append(replace(visit, late=late))
    return home, list(by_child.values())


def _doubled(plan: WardPlan, items: Sequence[Item], turn: int) -> Iterator[Item]:
    """A visit; now and then beside that of an officer who was told another name on the same day."""
    for item in items:
        yield item
        dice = Dice(f"{item.child}/quarrel")
        if turn == 0 and item.answers["visit_result"] == "1" and dice.chance("quarrel", 0.005):
            family, _, given = str(item.answers["full_name"]).rpartition(" ")
            answers = {name: value for name, value in item.answers.items() if name not in ONCE}
            answers |= {"full_name": f"{family} {dice.pick('name', ['Bảo', 'Ngọc', 'Gia'])} {given}"}
            answers |= {name: "0" for name in ("new_injuries", "new_doses") if name in answers}
            ident = f"uuid:{uuid_of(item.instance_id, 'quarrel')}"
            yield replace(item, instance_id=ident, author=plan.officer.id, answers=answers, late=False)


def _reports(plan: WardPlan, today: date) -> Iterator[Item]:
    """What somebody has seen of a child whose name nobody knows: one in each ward, and for every 2,000 children."""
    people = [user for user in plan.users if user.role is Role.COLLABORATOR]
    for number in range(1 + plan.children // 2_000):
        dice = Dice(f"{plan.seed}/{plan.area}/report {number}")
        day = dice.day("day", today - timedelta(days=DAYS), today - timedelta(days=1))
        at = datetime.combine(day, time(9), VIETNAM) + timedelta(minutes=dice.between("minute", 0, 600))
        answers = {
            "report_channel": dice.pick("channel", ["quan_sat", "dien_thoai", "nguoi_khac_bao"]),
            "received_at": (at - timedelta(minutes=30)).isoformat(),
            "immediate_danger": dice.one("danger", {"0": 6, "9": 3, "1": 1}),
            "abuse_signs": [dice.pick("sign", ["1", "2", "3", "6"])],
            "current_condition": "Chưa rõ",
            "child_known": "3",
            "confidentiality_level": "han_che",
            "ward_code": plan.facts.code,
        }
        ident = f"uuid:{uuid_of(plan.seed, plan.area, 'report', number)}"
        yield Item(ident, dice.pick("who", people).id, at.isoformat(), "", None, answers, "protection_report")
