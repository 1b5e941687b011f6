"""The demonstration commune: households, children and the visits of the last five months.

`commune` is pure: the same seed and date give the same commune, byte for byte.
"""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone

from server.demo.dice import Dice
from server.demo.household import CENTRE, WARD, Answers, House, phone, registration
from server.demo.people import CHILD_UNDER, Family, family
from server.demo.situation import Visit, situation
from sync.authority import Role

AREA = f"2025.{WARD}"
HAMLETS = ("01", "02", "03", "04", "05", "06", "07", "08")
VIETNAM = timezone(timedelta(hours=7))
DAYS = 150  # visits are spread over this many days before `today`
FIRST_DAY = date(2025, 7, 1)  # the forms take no earlier visit: the ward exists since then
_NAMESPACE = uuid.UUID("0d6c2a52-6f0c-5a7e-9b1d-3f0f7c1e9a55")


@dataclass(frozen=True)
class User:
    """A user of the demonstration; `hamlets` is empty for one who answers for the whole area or for none."""

    id: str
    name: str
    role: Role
    hamlets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Item:
    """One submission: `answers` maps question -> value, in the JSON form of `forms.values`.

    Groups are flattened; a repeat is a list of rows; the row of a member under 16 names the child in `__id`.
    `observed_at` is ISO 8601 with +07:00. `child` is None in a registration; `form` names another form than those
    two. `late`: written on paper first, and entered days later.
    """

    instance_id: str
    author: str
    observed_at: str
    household: str
    child: str | None
    answers: Answers
    form: str = ""
    late: bool = False


@dataclass(frozen=True)
class Spot:
    """Where a household is: its ward and hamlet (codes), the number of the collaborator's district, the centre."""

    hamlet: str
    area_number: int
    ward: str = WARD
    centre: tuple[float, float] = CENTRE


@dataclass(frozen=True)
class Commune:
    """What a demonstration server is filled with; items stand in the order of their observation."""

    area: str
    hamlets: tuple[str, ...]
    users: tuple[User, ...]
    registrations: tuple[Item, ...]
    situations: tuple[Item, ...]


USERS = (
    User("u11", "Trần Thị Bích Thảo", Role.COLLABORATOR, ("01", "02", "03")),
    User("u12", "Thạch Sa Vane", Role.COLLABORATOR, ("04", "05", "06")),
    User("u13", "Lê Hữu Nhân", Role.COLLABORATOR, ("07", "08")),
    User("u21", "Phạm Ngọc Quyên", Role.SUPERVISOR),
    User("u31", "Huỳnh Công Duy", Role.SCHEDULER),
    User("u41", "Bùi Thanh Uyên", Role.ADMINISTRATOR),
)


def commune(today: date, seed: int = 2026, households: int = 200) -> Commune:
    """Make the commune as it stands on `today` (local date); no visit is later than the day before."""
    registrations: list[Item] = []
    situations: list[Item] = []
    for number in range(households):
        hamlet = HAMLETS[number % len(HAMLETS)]
        spot = Spot(hamlet, 1 + next(n for n, user in enumerate(USERS) if hamlet in user.hamlets))
        author = USERS[spot.area_number - 1].id
        home, visits = household_items(Dice(f"{seed}/{number}"), number, spot, author, uuid_of(seed, number), today)
        registrations.append(home)
        situations += visits
    return Commune(AREA, HAMLETS, USERS, _in_order(registrations), _in_order(situations))


def _in_order(items: list[Item]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: (item.observed_at, item.instance_id)))


def uuid_of(*parts: object) -> str:
    """The same id for the same parts; in the shape of a random one, as phones make them."""
    return str(uuid.UUID(bytes=uuid.uuid5(_NAMESPACE, "/".join(map(str, parts))).bytes, version=4))


def _instance(house: House, what: str) -> str:
    return f"uuid:{uuid_of(house.id, what)}"


def household_items(
    dice: Dice,
    number: int,
    spot: Spot,
    author: str,
    ident: str,
    today: date,
    days: int = DAYS,
    papers: int | None = None,
) -> tuple[Item, list[Item]]:
    """The registration of one household, on one of the last `days`, and the visits to its children.

    `number` is that of its file; `papers` of its people's numbers, if that is another.
    """
    house, day, result = _house(dice, number, spot, ident, today, days, number if papers is None else papers)
    start = datetime.combine(day, time(7, 30), VIETNAM) + timedelta(minutes=house.dice.between("minute", 0, 480))
    answers = registration(house, day, result)
    home = Item(_instance(house, "hộ"), author, start.isoformat(), house.id, None, answers)
    visits = list(_situations(house, author, start, today)) if result in ("1", "2") else []
    return home, visits


def _house(
    dice: Dice, number: int, spot: Spot, ident: str, today: date, days: int, papers: int
) -> tuple[House, date, str]:
    """The household, the day of its registration and the result; a newborn in every 40th, some not met."""
    newborn = number % 40 == 7
    first = max(FIRST_DAY, today - timedelta(days=28 if newborn else days))
    day = dice.day("visit", first, today - timedelta(days=1))
    people = family(dice, papers, day, newborn)
    result = "3" if number % 20 == 13 else "4" if number % 100 == 57 else dice.one("result", {"1": 97, "2": 3})
    house = House(
        dice=dice,
        number=number,
        id=ident,
        hamlet=spot.hamlet,
        area_number=spot.area_number,
        family=people,
        child_ids=_child_ids(people, ident, day),
        phone=phone(dice, "house") if dice.chance("has phone", 0.85) else "",
        poverty=dice.one("poverty", {"0": 76, "1": 6, "2": 10, "3": 6, "9": 2}),
        flooded=dice.chance("flooded", 0.12),
        ward=spot.ward,
        centre=spot.centre,
    )
    return house, day, result


def _child_ids(people: Family, household: str, day: date) -> tuple[str | None, ...]:
    children = people.children(day)
    return tuple(
        uuid_of(household, index) if member in children else None for index, member in enumerate(people.members)
    )


def _situations(house: House, author: str, start: datetime, today: date) -> Iterator[Item]:
    """The first visit to each child, mostly together with the registration, and some second visits."""
    for index, (child, child_id) in enumerate(zip(house.family.members, house.child_ids, strict=True)):
        if child_id is None:
            continue
        dice = Dice(f"{child_id}/visits")
        if dice.chance("not yet", 0.06):
            continue
        later = 0 if dice.chance("same day", 0.8) else dice.between("days later", 1, 20)
        first = start + timedelta(days=later, minutes=25 + 20 * index)
        second = first + timedelta(days=dice.between("second", 30, 60), minutes=dice.between("minutes", -90, 90))
        result = "3" if dice.chance("nobody", 0.04) else "1"
        visits: list[tuple[datetime, date | None, str]] = [(first, None, result)]
        if child.age(first.date()) < 2 or dice.chance("again", 0.12):
            visits.append((second, first.date() if result == "1" else None, "1"))
        for at, since, outcome in visits:
            if at.date() < today and child.age(at.date()) < CHILD_UNDER:
                yield _item(Visit(house, child, child_id, at.date(), since), author, at, outcome)


def _item(visit: Visit, author: str, at: datetime, result: str) -> Item:
    answers = situation(visit, result)
    instance = f"uuid:{uuid_of(visit.child_id, at.isoformat())}"
    return Item(instance, author, at.isoformat(), visit.house.id, visit.child_id, answers)
