"""Families that could live next door: who lives together, how old they are, who is away."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from enum import Enum, StrEnum
from itertools import count

from server.demo.dice import Dice
from server.demo.names import UNNAMED, People, Sex, family_name, full_name

CHILD_UNDER = 16  # Luật Trẻ em 2016, Article 1
JOBS = {
    Sex.MALE: "Thợ hồ, Công nhân, Chạy xe ôm, Làm ruộng, Thợ sửa xe, Buôn bán, Tài xế, Thợ điện",
    Sex.FEMALE: "Nội trợ, Công nhân may, Bán hàng ăn, Buôn bán ở chợ, Làm ruộng, Giáo viên, Làm thuê",
}
KINDS = {"PARENTS": 50, "THREE_GENERATIONS": 24, "GRANDPARENTS": 10, "ONE_PARENT": 9, "NO_CHILD": 7}


class Kind(Enum):
    """Who heads the household, and who lives in it."""

    PARENTS = "two parents and their children"
    THREE_GENERATIONS = "grandparents, parents and children"
    GRANDPARENTS = "grandparents with the children of parents who work away"
    ONE_PARENT = "one parent and children"
    NO_CHILD = "a couple whose children have left"


class Relation(StrEnum):
    """Codes of the list `relationship_to_head`, as far as they occur here."""

    HEAD = "1"
    SPOUSE = "2"
    CHILD = "3"
    IN_LAW = "5"
    GRANDCHILD = "8"


class ParentStatus(StrEnum):
    """Codes of the list `parent_status`, as far as they occur here."""

    AT_HOME = "1"
    AWAY = "2"
    SEPARATED = "3"
    DEAD = "4"
    UNKNOWN = "9"


@dataclass(frozen=True)
class Parent:
    """What a neighbour knows of a child's father or mother; a parent of unknown whereabouts has no name."""

    name: str
    birth_year: int
    job: str
    status: ParentStatus


@dataclass(frozen=True)
class Person:
    """A member of a household. `pid` and `hi_number` are blank where there is no paper."""

    name: str
    sex: Sex
    dob: date
    relation: Relation
    people: People
    precision: str = "D"
    pid: str = ""
    hi_number: str = ""
    birth_order: int = 0
    father: Parent | None = None
    mother: Parent | None = None

    def age(self, day: date) -> int:
        """Completed years on `day`."""
        return day.year - self.dob.year - ((day.month, day.day) < (self.dob.month, self.dob.day))


@dataclass(frozen=True)
class Family:
    """A household's people, head first."""

    kind: Kind
    people: People
    members: tuple[Person, ...]

    def children(self, day: date) -> tuple[Person, ...]:
        """The members under 16 on `day`."""
        return tuple(member for member in self.members if member.age(day) < CHILD_UNDER)


def family(dice: Dice, number: int, day: date, newborn: bool) -> Family:
    """The family of household `number` as it is on `day`; with a child born in the weeks before, if asked."""
    kind = Kind.PARENTS if newborn else Kind[dice.one("kind", KINDS)]
    people = People(dice.one("people", {People.KINH: 80, People.KHMER: 14, People.HOA: 6}))
    members = tuple(_Maker(dice, people, day).members(kind, newborn))
    return Family(kind, people, tuple(_with_papers(dice, m, number, i, day) for i, m in enumerate(members)))


@dataclass(frozen=True)
class _Maker:
    """Puts one family together; the mother comes first, since her age limits everybody else's."""

    dice: Dice
    people: People
    day: date

    def members(self, kind: Kind, newborn: bool) -> Iterator[Person]:
        if kind is Kind.NO_CHILD:
            yield from self._couple("old", self.dice.between("old age", 48, 72))
            return
        age = self.dice.between("mother's age", 22, 39 if newborn else 43)
        father, mother = self._couple("young", age)
        if kind is Kind.PARENTS:
            status = ParentStatus.AT_HOME, ParentStatus.AT_HOME
            yield from (father, mother, *self._children(father, mother, (), status, newborn))
        elif kind is Kind.ONE_PARENT:
            left = self.dice.one("father", {"SEPARATED": 55, "DEAD": 30, "UNKNOWN": 15})
            status = ParentStatus[left], ParentStatus.AT_HOME
            yield replace(mother, relation=Relation.HEAD)
            yield from self._children(father, mother, (), status, newborn)
        else:
            yield from self._with_elders(father, mother, kind is Kind.GRANDPARENTS)

    def _with_elders(self, father: Person, mother: Person, away: bool) -> Iterator[Person]:
        """The father is a son of the house; the mother married into it."""
        between = self.dice.between("generation", 20, 27)
        elders = self._couple("old", max(father.age(self.day), mother.age(self.day)) + between)
        name = self._new_name(elders[0].name.split()[0], Sex.MALE, "young", [elders[0].name])
        son = replace(father, name=name, relation=Relation.CHILD)
        yield from elders
        if not away:
            yield from (son, replace(mother, relation=Relation.IN_LAW))
        status = ParentStatus.AWAY if away else ParentStatus.AT_HOME
        yield from self._children(son, mother, elders, (status, status), newborn=False)

    def _named(self, family: str, sex: Sex, topic: str) -> str:
        return full_name(self.dice, self.people, family, sex, f"{topic} {sex.name}")

    def _new_name(self, family: str, sex: Sex, topic: str, taken: Sequence[str]) -> str:
        tries = (self._named(family, sex, f"{topic}.{n}") for n in count())
        return next(name for name in tries if name not in taken)

    def _born(self, age: int, topic: str) -> date:
        """A day of birth `age` years ago; where only the year is known, 31 December as the form asks."""
        last = self.day.replace(year=self.day.year - age, day=min(self.day.day, 28))
        born = last - timedelta(days=self.dice.between(f"{topic} birthday", 1, 364))
        return born.replace(month=12, day=31) if self._year_only(age, topic) else born

    def _year_only(self, age: int, topic: str) -> bool:
        return age >= 55 and self.dice.chance(f"{topic} only year", 0.3)

    def _couple(self, topic: str, wife_age: int) -> tuple[Person, Person]:
        pair = []
        ages = {Sex.MALE: wife_age + self.dice.between(f"{topic} older by", -1, 7), Sex.FEMALE: wife_age}
        for sex, relation in ((Sex.MALE, Relation.HEAD), (Sex.FEMALE, Relation.SPOUSE)):
            who = f"{topic} {sex.name}"
            name = self._named(family_name(self.dice, self.people, who), sex, topic)
            precision = "Y" if self._year_only(ages[sex], who) else "D"
            pair.append(Person(name, sex, self._born(ages[sex], who), relation, self.people, precision))
        return pair[0], pair[1]

    def _children(
        self,
        father: Person,
        mother: Person,
        elders: tuple[Person, ...],
        status: tuple[ParentStatus, ParentStatus],
        newborn: bool,
    ) -> Iterator[Person]:
        """Eldest first; nobody bears the name of another member of the house."""
        parents = self._parent(father, status[0]), self._parent(mother, status[1])
        relation = Relation.GRANDCHILD if elders else Relation.CHILD
        taken = [person.name for person in (father, mother, *elders)]
        born = sorted(self._births(mother, newborn))
        for order, dob in enumerate(born, 1):
            sex = Sex.MALE if self.dice.chance(f"boy {order}", 0.52) else Sex.FEMALE
            name = self._new_name(taken[0].split()[0], sex, f"child {order}", taken)
            taken.append(name)
            child = Person(name, sex, dob, relation, self.people, birth_order=order)
            if newborn and order == len(born):
                child = replace(child, name=UNNAMED[sex])
            yield replace(child, father=parents[0], mother=parents[1])

    def _births(self, mother: Person, newborn: bool) -> Iterator[date]:
        """Dates of birth, youngest first; a mother is 18 or older at every birth."""
        adult_for = (mother.age(self.day) - 18) * 365
        age = self.dice.between("youngest", 3, 25) if newborn else self._youngest(mother)
        for n in range(int(self.dice.one("children", {"1": 20, "2": 55, "3": 25}))):
            if age < adult_for:
                yield self.day - timedelta(days=age)
            age += self.dice.between(f"gap {n}", 500, 1900)

    def _youngest(self, mother: Person) -> int:
        return self.dice.between("youngest", 70, min(13, mother.age(self.day) - 19) * 365)

    def _parent(self, person: Person, status: ParentStatus) -> Parent:
        job = self.dice.pick(f"job {person.sex.name}", JOBS[person.sex].split(", "))
        if status is ParentStatus.UNKNOWN:
            return Parent("", person.dob.year, "", status)
        return Parent(person.name, person.dob.year, "" if status is ParentStatus.DEAD else job, status)


def _with_papers(dice: Dice, person: Person, number: int, index: int, day: date) -> Person:
    """Numbers that belong to nobody: no province has the code 099 (personal ID) or 99 (insurance)."""
    serial = number * 20 + index
    century = 0 if person.dob.year < 2000 else 2
    sex = 0 if person.sex is Sex.MALE else 1
    has_pid = (day - person.dob).days > 60 and dice.chance(f"pid {index}", 0.9)
    has_card = (day - person.dob).days > 60 and dice.chance(f"hi {index}", 0.88)
    return replace(
        person,
        pid=f"099{century + sex}{person.dob.year % 100:02d}{serial % 1_000_000:06d}" if has_pid else "",
        hi_number=f"99{serial:08d}" if has_card else "",
    )
