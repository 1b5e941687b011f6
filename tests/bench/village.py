"""Databases of any size for the benchmark: one area of twenty hamlets, filled straight into the tables."""

import random
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from flask import Flask
from sqlalchemy import Connection, insert, text

from server.auth.tokens import issue
from server.cli.people import enrol_device, fill_areas
from server.clock import now
from server.store.base import table
from server.store.people import add_user, assign
from server.store.rows import entity_row
from server.store.tables import Counter, Entity, FeedEntry, FeedMark, Scope, db
from sync.authority import Role
from sync.bodies import entity_body
from sync.ports import EntityRow
from sync.state.model import State
from sync.times import DAY, local_date
from tests.databases import migrate

AREA = "2025.31135"
HAMLETS = [f"{number:02d}" for number in range(1, 21)]
CHUNK = 5_000  # rows in one statement
MARKED = 10  # entries in one transaction, each of which leaves a mark
PEOPLE = {"collaborator": (Role.COLLABORATOR, HAMLETS[0]), "supervisor": (Role.SUPERVISOR, None)}
FAMILY = ["Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Thạch", "Sơn", "Lâm", "Trịnh"]
MIDDLE = ["Thị", "Văn", "Thị Kim", "Hoàng", "Thị Ngọc", "Minh", "Thị Bích", "Quốc"]
GIVEN = ["Bưởi", "Đào", "Lan", "Khang", "Nhi", "Sóc", "Thia", "Đạt", "Hân", "Vy", "Rươl", "Phượng"]
WORDS = [
    "Cả nhà đi làm đồng,", "trẻ ở với bà ngoại.", "Bé hay sốt về chiều,", "đã uống thuốc ở trạm.", "Nhà gần mương,",
    "chưa có rào chắn.", "Mẹ đi làm xa,", "cuối tháng mới về.", "Trẻ thích vẽ,", "muốn học bơi cùng các bạn.",
]  # fmt: skip


@dataclass
class Village:
    """A filled server; `ids` are its entities by hamlet, `tokens` the credentials of people."""

    app: Flask
    size: int
    ids: dict[str, list[str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)

    def read_by(self, person: str) -> dict[str, list[str]]:
        """The entities that a person reads, by hamlet."""
        own = PEOPLE[person][1]
        return {hamlet: ids for hamlet, ids in self.ids.items() if own in (hamlet, None)}

    def phone(self, person: str) -> None:
        """Put a person on a new phone that holds nothing yet."""
        with self.app.app_context():
            self.tokens[person] = issue(person, enrol_device(f"Máy của {person}", now()), now())
            db.session.commit()
            db.session.remove()


def fill(app: Flask, size: int) -> Village:
    """A migrated database with people, and with `size` children in the hamlets in turn."""
    migrate(app)
    village = Village(app, size, {hamlet: [] for hamlet in HAMLETS})
    begins = local_date(now() - 30 * DAY)
    with app.app_context():
        fill_areas()
        for ident, (role, hamlet) in PEOPLE.items():
            add_user(ident, f"Người dùng {ident}", role)
            assign(ident, AREA, hamlet, begins - timedelta(days=1))
        db.session.commit()
        db.session.remove()
        with db.engine.begin() as connection:
            _fill(connection, village)
        if (
            db.engine.dialect.name == "postgresql"
        ):  # its statistics, which otherwise come a minute later by themselves
            with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                connection.execute(text("vacuum analyze"))
    for person in PEOPLE:
        village.phone(person)
    return village


def _fill(connection: Connection, village: Village) -> None:
    dice, size = random.Random(village.size), village.size
    for first in range(1, size + 1, CHUNK):
        numbers = range(first, min(first + CHUNK, size + 1))
        children = [child(dice, number) for number in numbers]
        for one, number in zip(children, numbers, strict=True):
            village.ids[hamlet_of(number)].append(one.id)
        _insert(connection, Entity, [entity_row(one) for one in children])
        _insert(connection, FeedEntry, _entries(children, numbers))
    marks = sorted({*range(MARKED, size + 1, MARKED), size})
    nonces = [{"counter": AREA, "seq": number, "nonce": f"{dice.getrandbits(64):016x}"} for number in marks]
    _insert(connection, FeedMark, nonces)
    _insert(connection, Counter, [{"name": AREA, "n": size}])
    heads = {f"{AREA}/{hamlet_of(number)}": number for number in range(max(1, size - len(HAMLETS) + 1), size + 1)}
    _insert(connection, Scope, [{"name": name, "counter": AREA, "head": head} for name, head in heads.items()])


def _entries(children: Sequence[EntityRow], numbers: Iterable[int]) -> list[dict[str, Any]]:
    return [
        {"scope": one.scope, "kind": "entity", "id": one.id, "seq": number, "here": True}
        for one, number in zip(children, numbers, strict=True)
    ]


def _insert(connection: Connection, model: type, rows: list[dict[str, Any]]) -> None:
    connection.execute(insert(table(model)), rows)


def hamlet_of(number: int) -> str:
    """The hamlets take turns, as their collaborators' phones do."""
    return HAMLETS[number % len(HAMLETS)]


def child(dice: random.Random, number: int) -> EntityRow:
    """A child about whom as much is known as after a few visits; its page has 1.5 KB."""
    name = lambda: " ".join(map(dice.choice, (FAMILY, MIDDLE, GIVEN)))  # noqa: E731
    told = lambda most: " ".join(dice.choices(WORDS, k=dice.randint(1, most)))  # noqa: E731
    born = f"20{dice.randint(10, 25)}-{dice.randint(1, 12):02d}-{dice.randint(1, 28):02d}"
    data = {
        "household": _uuid(dice), "full_name": name(), "sex": dice.choice("12"), "dob": born, "dob_precision": "D",
        "relationship": "3", "residence_status": "1", "ethnicity": dice.choice(["01", "05"]), "birth_reg": "1",
        "father_status": "1", "father_name": name(), "mother_status": "1", "mother_name": name(),
        "caregiver_type": "1", "parents_away": "0", "hi_card": "1", "hi_number": f"{dice.getrandbits(33):010d}",
        "sc_codes": ["SC1", "SC4"], "at_risk_codes": ["AR2"], "serious_illness": "0", "disability_degree": "0",
        "weight_kg": dice.randint(90, 400) / 10, "height_cm": dice.randint(80, 170), "measure_date": born,
        "school_status": "1", "school_level": "3", "grade": dice.randint(1, 5), "school_name": "Tiểu học Bờ Kênh",
        "reads_vietnamese": "1", "water_safety_skill": "0", "uses_boat": "1", "life_jacket_transport": "0",
        "helmet": "1", "child_wish": told(3), "risk_now": dice.choice("012"), "note": told(6),
    }  # fmt: skip
    visits = [f"uuid:{_uuid(dice)}" for _ in range(2)]
    row = EntityRow(
        id=_uuid(dice),
        type="child",
        area=AREA,
        scope=f"{AREA}/{hamlet_of(number)}",
        rev=len(visits),
        etag=f"{dice.getrandbits(40):010x}",
        household=str(data["household"]),
        label=str(data["full_name"]),
        dob=born,
        since=1_795_500_000_000 + number,
        first_sub=visits[0],
        data=data,
        src={name: dice.choice(visits) for name in data},
    )
    return EntityRow(**vars(row) | {"page": entity_body(row, State(row.id, {}, data))})


def _uuid(dice: random.Random) -> str:
    return str(uuid.UUID(int=dice.getrandbits(128), version=4))


def some(village: Village, person: str, count: int, dice: random.Random) -> Iterator[tuple[str, str]]:
    """(scope, id) of different entities that a person reads; a supervisor's are spread over all hamlets."""
    read = village.read_by(person)
    for hamlet, ids in read.items():
        for ident in dice.sample(ids, count // len(read)):
            yield f"{AREA}/{hamlet}", ident
