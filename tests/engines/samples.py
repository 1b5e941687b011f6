"""Realistic, invented fillings of the forms: families of the Mekong delta, Kinh, Khmer and Hoa.

The engine decides what may be answered; this only suggests values that hang together: a head and his family,
ages that fit the relationship, dates between birth and visit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from tests.engines.fill import Ask, Chooser, Filled, Hint
from tests.engines.javarosa import Engine

TODAY = date(2026, 11, 23)
SPOIL = 0.05  # so that each question is also answered wrongly first, now and then
_HEAD, _SPOUSE, _OWN_CHILD, _PARENT, _GRANDCHILD = "1", "2", "3", "6", "8"
_MALE, _FEMALE = "1", "2"
_MET = ("1", "1", "1", "1", "1", "1", "1", "2", "3", "4", "5", "6")
_AGREED = ("1", "1", "1", "1", "1", "1", "1", "1", "1", "0")


@dataclass(frozen=True)
class _People:
    """The names of one people. `code`: list `ethnicity`; `language`: list `language`."""

    code: str
    language: str
    surnames: tuple[str, ...]
    male: tuple[str, ...]
    female: tuple[str, ...]


_KINH = _People(
    "01",
    "vi",
    ("Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng", "Bùi", "Phan", "Ngô"),
    ("Văn Hải", "Minh Khôi", "Quốc Bảo", "Hoàng Phúc", "Thanh Tùng", "Văn Út", "Hữu Nghĩa", "Gia Huy"),
    ("Thị Mỹ Duyên", "Ngọc Hân", "Thị Bé Tư", "Bảo Châu", "Thị Thủy Tiên", "Kim Ngân", "Thị Quý"),
)
_KHMER = _People(
    "05",
    "km",
    ("Thạch", "Sơn", "Kim", "Danh", "Lâm", "Kiên", "Châu", "Lý"),
    ("Sóc Kha", "Sa Rây", "Vi Sal", "Sà Quên", "Ngọc Thạnh", "Út", "Hoàng Na"),
    ("Thị Sa Rết", "Thị Nết", "Sô Phi Da", "Thị Chanh Tha", "Thị Sà Vane", "Sô Phia"),
)
_HOA = _People(
    "04",
    "zh",
    ("Quách", "Trương", "Lý", "Mã", "Tăng", "Lâm", "Triệu", "Vương"),
    ("Vĩ Cường", "Gia Hào", "Tuấn Kiệt", "Chấn Hưng", "Vĩnh Phát"),
    ("Mỹ Linh", "Lệ Hoa", "Tú Anh", "Tuyết Nhi", "Bội Bội"),
)
_PEOPLES = (_KINH, _KINH, _KINH, _KINH, _KHMER, _KHMER, _HOA)


@dataclass(frozen=True)
class _Person:
    name: str
    sex: str
    born: date
    relationship: str
    people: _People


def registrations(
    engine: Engine, xform: str, n: int, seed: int, files: Mapping[str, bytes], *, today: date = TODAY
) -> Iterator[Filled]:
    """`n` fillings of the household registration, each of another family of one to seven members."""
    for number in range(n):
        random = Random(f"family {seed} {number}")
        family = _family(random, today)
        size = len(family)
        chooser = Chooser(
            f"registration {seed} {number}", _household_hints(family), rows={"members": (size, size)}, spoil=SPOIL
        )
        yield engine.fill(xform, files, chooser, today=today)


def situations(
    engine: Engine,
    xform: str,
    n: int,
    seed: int,
    files: Mapping[str, bytes],
    children: Sequence[str],
    *,
    today: date = TODAY,
) -> Iterator[Filled]:
    """`n` fillings of the child situation form about `children`, in turn: entity ids of `child.csv`."""
    for number in range(n):
        random = Random(f"child {seed} {number}")
        hints = _child_hints(children[number % len(children)], random.choice(_PEOPLES))
        chooser = Chooser(
            f"situation {seed} {number}", hints, keep=0.8, rows={"imm_doses": (1, 4), "injuries": (1, 2)}, spoil=SPOIL
        )
        yield engine.fill(xform, files, chooser, today=today)


def updates(
    engine: Engine,
    xform: str,
    n: int,
    seed: int,
    files: Mapping[str, bytes],
    households: Mapping[str, Sequence[tuple[str, str]]],
    *,
    today: date = TODAY,
) -> Iterator[Filled]:
    """`n` updates of `households` (id -> known members as (list, id)), in turn: members come, leave, die, return."""
    homes = list(households)
    for number in range(n):
        random = Random(f"update {seed} {number}")
        home = homes[number % len(homes)]
        known = [("3" if kind == "child" else "4", ident) for kind, ident in households[home]]
        rows = random.sample([("1", ""), ("2", ""), *known], random.randint(1, min(3, 2 + len(known))))
        hints = _update_hints(home, rows, random.choice(_PEOPLES))
        chooser = Chooser(
            f"update {seed} {number}", hints, keep=0.8, rows={"member_changes": (len(rows), len(rows))}, spoil=SPOIL
        )
        yield engine.fill(xform, files, chooser, today=today)


def follow_ups(
    engine: Engine,
    xform: str,
    n: int,
    seed: int,
    files: Mapping[str, bytes],
    subjects: Sequence[tuple[str, str]],
    *,
    today: date = TODAY,
) -> Iterator[Filled]:
    """`n` follow-up visits to `subjects` in turn: (`child` or `household`, id)."""
    for number in range(n):
        kind, ident = subjects[number % len(subjects)]
        hints = _visit_hints() | {"about": [kind], kind: [ident], "next_on": _soon, "home_next_on": _soon}
        yield engine.fill(
            xform, files, Chooser(f"follow-up {seed} {number}", hints, keep=0.8, spoil=SPOIL), today=today
        )


def _report_hints(people: _People) -> dict[str, Hint]:
    return {
        "child_name": lambda ask, random: _name(random, people, random.choice((_MALE, _FEMALE))),
        "informant_name": lambda ask, random: _name(random, people, _FEMALE),
    }


def reports(
    engine: Engine, xform: str, n: int, seed: int, files: Mapping[str, bytes], *, today: date = TODAY
) -> Iterator[Filled]:
    """`n` protection reports, of children who are on the list, known by name, or not known."""
    for number in range(n):
        people = Random(f"report {seed} {number}").choice(_PEOPLES)
        hints = _report_hints(people)
        yield engine.fill(xform, files, Chooser(f"report {seed} {number}", hints, spoil=SPOIL), today=today)


def reviews(
    engine: Engine,
    xform: str,
    n: int,
    seed: int,
    files: Mapping[str, bytes],
    children: Sequence[str],
    *,
    today: date = TODAY,
) -> Iterator[Filled]:
    """`n` officers' reviews of `children` in turn, some of them together with a report of `report.csv`."""
    for number in range(n):
        hints = _visit_hints() | {"child": [children[number % len(children)]]}
        yield engine.fill(xform, files, Chooser(f"review {seed} {number}", hints, spoil=SPOIL), today=today)


def phone_number(random: Random) -> str:
    """A mobile number, now and then in the international way, or a fixed line of Cần Thơ."""
    mobile = random.choice("35789") + "".join(random.choices("0123456789", k=8))
    return random.choice(("0" + mobile,) * 8 + ("+84" + mobile, "0292" + mobile[:7]))


def _name(random: Random, people: _People, sex: str, surname: str | None = None) -> str:
    given = people.female if sex == _FEMALE else people.male
    return f"{surname or random.choice(people.surnames)} {random.choice(given)}"


def _born(random: Random, today: date, youngest: int, oldest: int) -> date:
    """A date of birth for an age of so many completed years."""
    return today - timedelta(days=random.randint(youngest * 366, oldest * 365 + 364))


def _family(random: Random, today: date) -> list[_Person]:
    people = random.choice(_PEOPLES)
    sex = random.choice((_MALE, _FEMALE))
    head = _Person(_name(random, people, sex), sex, _born(random, today, 24, 72), _HEAD, people)
    family = [head]
    age = (today - head.born).days // 366
    if random.random() < 0.7:
        other = _FEMALE if sex == _MALE else _MALE
        born = _born(random, today, max(20, age - 5), max(21, age + 3))
        family.append(_Person(_name(random, people, other), other, born, _SPOUSE, people))
    surname = head.name.split()[0]
    for _ in range(random.randint(0, 4)):
        child = random.choice((_MALE, _FEMALE))
        relationship = _OWN_CHILD if age < 50 else _GRANDCHILD
        born = _born(random, today, 0, min(17, age - 18))
        name = _name(random, people, child, surname)
        if (today - born).days < 60 and random.random() < 0.5:
            name = "Gái" if child == _FEMALE else "Trai"
        family.append(_Person(name, child, born, relationship, people))
    if age < 45 and random.random() < 0.3:
        born = _born(random, today, age + 20, age + 35)
        family.append(_Person(_name(random, people, _FEMALE), _FEMALE, born, _PARENT, people))
    return family


def _household_hints(family: Sequence[_Person]) -> dict[str, Hint]:
    def of_member(pick: str) -> Hint:
        return lambda ask, random: str(getattr(family[ask.row], pick))

    members: dict[str, Hint] = {
        "full_name": of_member("name"),
        "relationship": of_member("relationship"),
        "sex": of_member("sex"),
        "dob": of_member("born"),
        "dob_precision": _mostly("D"),
        "residence_status": _mostly("1"),
        "ethnicity": lambda ask, random: family[ask.row].people.code,
    }
    return (
        _visit_hints()
        | _of_both(members)
        | {
            "member_kind": lambda ask, random: "1" if _age(family[ask.row].born, ask) < 16 else "2",
            "head_name": [family[0].name],
            "preferred_language": [family[0].people.language],
            "head_pid": _sometimes(_personal_id),
            "phone": _sometimes(lambda ask, random: phone_number(random)),
            "address_line": lambda ask, random: _address(random),
            "dia_ban_no": _sometimes(lambda ask, random: str(random.randint(1, 60))),
            "ho_so_no": _sometimes(lambda ask, random: f"{random.randint(1, 400)}{random.choice(('', '', '.1'))}"),
            "poverty_year": lambda ask, random: str(ask.today.year - random.randint(0, 2)),
        }
    )


def _update_hints(home: str, rows: Sequence[tuple[str, str]], people: _People) -> dict[str, Hint]:
    def born(youngest: int, oldest: int) -> Hint:
        return lambda ask, random: _born(
            random, date.fromisoformat(ask.around["visit_date"]), youngest, oldest
        ).isoformat()

    members: dict[str, Hint] = {
        "full_name": lambda ask, random: _name(random, people, random.choice((_MALE, _FEMALE))),
        "ethnicity": lambda ask, random: people.code,
        "joined_on": _lately,
        "presence_on": _lately,
    }
    return (
        _visit_hints()
        | _of_both(members)
        | {
            "household": [home],
            "changes": lambda ask, random: " ".join(
                c for c in ask.choices if c == "members" or random.random() < 0.5
            ),
            "change_kind": lambda ask, random: rows[ask.row][0],
            "who_child": lambda ask, random: rows[ask.row][1],
            "who_adult": lambda ask, random: rows[ask.row][1],
            "dob": born(0, 14),
            "adult_dob": born(17, 70),
            "head_name": _known_or(lambda ask, random: _name(random, people, _MALE)),
            "head_pid": _known_or(_sometimes(_personal_id)),
            "phone": _known_or(lambda ask, random: phone_number(random)),
            "address_line": _known_or(lambda ask, random: _address(random)),
            "dia_ban_no": _known_or(_sometimes(lambda ask, random: str(random.randint(1, 60)))),
            "ho_so_no": _known_or(_sometimes(lambda ask, random: str(random.randint(1, 400)))),
            "poverty_year": lambda ask, random: str(ask.today.year - random.randint(0, 2)),
            "ward_code": _known_or(lambda ask, random: random.choice(ask.choices)),
        }
    )


def _of_both(hints: Mapping[str, Hint]) -> dict[str, Hint]:
    """The same for children and adults, whose questions stand in two groups."""
    return {**hints, **{f"adult_{name}": hint for name, hint in hints.items()}}


def _age(born: date, ask: Ask) -> int:
    visit = date.fromisoformat(ask.around["visit_date"])
    return visit.year - born.year - ((visit.month, visit.day) < (born.month, born.day))


def _lately(ask: Ask, random: Random) -> str:
    return (date.fromisoformat(ask.around["visit_date"]) - timedelta(days=random.randint(0, 200))).isoformat()


def _soon(ask: Ask, random: Random) -> str:
    return (date.fromisoformat(ask.around["visit_date"]) + timedelta(days=random.randint(0, 60))).isoformat()


def _child_hints(child: str, people: _People) -> dict[str, Hint]:
    return (
        _visit_hints()
        | {
            "child": [child],
            "full_name": _known_or(lambda ask, random: _name(random, people, ask.around.get("sex", _MALE))),
            "sex": _known_or(lambda ask, random: random.choice((_MALE, _FEMALE))),
            "dob": _known_or(lambda ask, random: _born(random, ask.today, 0, 15).isoformat()),
            "dob_precision": _known_or(_mostly("D")),
            "ethnicity": _known_or(lambda ask, random: people.code),
            "father_name": _known_or(_sometimes(lambda ask, random: _name(random, people, _MALE))),
            "mother_name": _known_or(_sometimes(lambda ask, random: _name(random, people, _FEMALE))),
            "father_birth_year": _known_or(_sometimes(lambda ask, random: str(random.randint(1975, 2003)))),
            "mother_birth_year": _known_or(_sometimes(lambda ask, random: str(random.randint(1978, 2006)))),
            "caregiver_name": _known_or(_sometimes(lambda ask, random: _name(random, people, _FEMALE))),
            "caregiver_phone": _known_or(_sometimes(lambda ask, random: phone_number(random))),
            "school_status": _known_or(_mostly("1", 0.4)),
            "school_name": _known_or(lambda ask, random: f"Trường số {random.randint(1, 9)}"),
            "weight_kg": _sometimes(lambda ask, random: f"{random.uniform(3, 28):.1f}"),
            "height_cm": _sometimes(lambda ask, random: f"{random.uniform(48, 118):.1f}"),
        }
        | dict.fromkeys(("dose_date", "injury_date", "measure_date", "dropout_date"), _since_birth)
    )


def _visit_hints() -> dict[str, Hint]:
    return {
        "visit_date": lambda ask, random: (ask.today - timedelta(days=random.choice((0, 0, 0, 1, 9)))).isoformat(),
        "visit_result": lambda ask, random: random.choice(_MET),
        "informed_and_agreed": lambda ask, random: random.choice(_AGREED),
    } | _of_both({"pid": _known_or(_sometimes(_personal_id)), "hi_number": _known_or(_sometimes(_insurance))})


def _personal_id(ask: Ask, random: Random) -> str:
    """12 digits of the right make: province, century and sex, year of birth, serial."""
    born = date.fromisoformat(ask.around.get("dob") or ask.around.get("adult_dob") or "1985-01-01")
    century = (born.year // 100 - 19) * 2 + (_FEMALE in (ask.around.get("sex"), ask.around.get("adult_sex")))
    return f"092{century}{born.year % 100:02}{random.randint(0, 999_999):06}"


def _insurance(ask: Ask, random: Random) -> str:
    digits = f"{random.randint(0, 10**13 - 1):013}"
    return random.choice((digits[:10], digits[:10], "TE" + digits))


def _address(random: Random) -> str:
    number = random.randint(1, 300)
    return random.choice((f"{number}/{random.randint(1, 30)} hẻm {random.randint(2, 60)}", f"Tổ {number % 20 + 1}"))


def _since_birth(ask: Ask, random: Random) -> str:
    born, visit = (date.fromisoformat(ask.around[name]) for name in ("dob", "visit_date"))
    return (born + timedelta(days=random.randint(0, max(0, (visit - born).days)))).isoformat()


def _mostly(value: str, share: float = 0.8) -> Hint:
    return lambda ask, random: value if random.random() < share else random.choice(ask.choices)


def _sometimes(hint: Hint) -> Hint:
    """The hint, or blank: half and half."""
    return lambda ask, random: _ask(hint, ask, random) if random.random() < 0.5 else None


def _known_or(hint: Hint) -> Hint:
    """What the list already says, nine times of ten; else the hint."""
    return lambda ask, random: ask.current if ask.current and random.random() < 0.9 else _ask(hint, ask, random)


def _ask(hint: Hint, ask: Ask, random: Random) -> str | None:
    return hint(ask, random) if callable(hint) else random.choice(hint)
