"""Answers to the form `child_situation`: question name -> value, repeats as lists of rows."""

from dataclasses import dataclass
from datetime import date, timedelta

from server.demo.dice import Dice
from server.demo.growth import doses, measurement
from server.demo.household import Answers, House
from server.demo.names import Sex, family_name, full_name
from server.demo.people import Kind, Parent, ParentStatus, Person
from server.demo.protection import protection

_LEVELS = ((1, "3"), (6, "4"), (10, "5"))  # (first grade of the level, code of `school_level`)
_SCHOOLS = {"2": "Mầm non Bông Sen", "3": "Tiểu học Bờ Kênh", "4": "THCS Hàng Dừa", "5": "THPT Cồn Xanh"}
_IN_DANGER = 6  # the number of a household whose youngest child is in danger
_WISHES = ["Con muốn học bơi.", "Con muốn có sân chơi gần nhà.", "Con muốn ba mẹ về nhà thường hơn."]


@dataclass(frozen=True)
class Visit:
    """One visit to one child: `since` is the day of the visit before, if there was one."""

    house: House
    child: Person
    child_id: str
    day: date
    since: date | None = None

    @property
    def dice(self) -> Dice:
        """Chance that stays the same from visit to visit: what is true of the child."""
        return Dice(self.child_id)

    @property
    def today(self) -> Dice:
        """Chance of this visit alone."""
        return Dice(f"{self.child_id}/{self.day.isoformat()}")

    @property
    def age(self) -> int:
        return self.child.age(self.day)

    def past(self, topic: str, least: int, most: int) -> str:
        """A date `least` to `most` days before this visit, never before birth."""
        return self.today.day(
            topic, max(self.child.dob, self.day - timedelta(days=most)), self.day_before(least)
        ).isoformat()

    def day_before(self, days: int) -> date:
        return max(self.child.dob, self.day - timedelta(days=days))


def situation(visit: Visit, result: str) -> Answers:
    """The filled form; only child, date and a note if nobody was met (`result` 3)."""
    answers: Answers = {"visit_date": visit.day.isoformat(), "visit_result": result, "child": visit.child_id}
    if result == "3":
        return answers | {"note": visit.today.pick("note", ["Cả nhà đi vắng.", "Trẻ đi học, chưa gặp được."])}
    school = _school(visit)
    work = _work(visit, school)
    health = _health(visit)
    accidents = _injuries(visit)
    family = _family(visit)
    circumstances = _circumstances(visit, school, work, health, accidents, family)
    answers |= _identity(visit) | family | circumstances | health | _small(visit) | school | work | accidents
    in_danger = visit.house.number == _IN_DANGER and visit.child_id == visit.house.child_ids[-1]
    answers |= _safety(visit) | protection(visit.dice, visit.today, visit.age, in_danger) | _participation(visit)
    answers["risk_now"] = _risk(visit, answers)
    if visit.today.chance("note", 0.06):
        answers["note"] = "Cần nhắc gia đình mang theo sổ tiêm chủng lần sau."
    return answers


def _identity(visit: Visit) -> Answers:
    child, dice, days = visit.child, visit.dice, (visit.day - visit.child.dob).days
    registered = {"1": 93, "2": 4, "9": 1} if child.pid else {"4": 55, "1": 45}
    answers: Answers = {
        "full_name": child.name,
        "sex": child.sex.value,
        "dob": child.dob.isoformat(),
        "dob_precision": child.precision,
        "ethnicity": child.people.value,
        "birth_reg": "3" if days <= 60 else dice.one("registered", registered),
    }
    answers |= {"pid": child.pid} if child.pid else {}
    if visit.age < 1:
        answers["birth_place"] = dice.one("born at", {"benh_vien": 90, "tram_y_te": 8, "tai_nha": 2})
        answers["newborn_screening_date"] = (child.dob + timedelta(days=2)).isoformat()
    if visit.age < 6:
        answers["birth_order"] = child.birth_order
    return answers


def _family(visit: Visit) -> Answers:
    kind, dice = visit.house.family.kind, visit.dice
    types = {
        Kind.ONE_PARENT: {"3": 1},
        Kind.GRANDPARENTS: {"4": 9, "6": 1},
        Kind.THREE_GENERATIONS: {"1": 8, "4": 2},
    }
    caregiver = dice.one("caregiver", types.get(kind, {"1": 1}))
    away = {"3": 8, "2": 2} if kind is Kind.GRANDPARENTS else {"0": 92, "1": 6, "2": 2}
    answers: Answers = {
        "respondent": {"1": "2", "3": "2", "4": "3"}.get(caregiver, "4"),
        "informed_and_agreed": "1",
        "caregiver_type": caregiver,
        "parents_away": dice.one("away", away),
        "caregiver_name": _caregiver(visit, caregiver),
    }
    for who, parent in (("father", visit.child.father), ("mother", visit.child.mother)):
        answers |= _parent(who, parent) if parent else {}
    if visit.house.phone:
        answers["caregiver_phone"] = visit.house.phone
    if visit.age < 6:
        answers["left_alone"] = dice.one("left alone", {"0": 96, "1": 4})
    if caregiver == "6":
        answers["alt_care_start"] = dice.day("alt care", visit.child.dob, visit.day).isoformat()
    return answers


def _caregiver(visit: Visit, kind: str) -> str:
    """The mother, the grandmother of the house, or an aunt who lives elsewhere."""
    if kind == "6":
        people = visit.child.people
        return full_name(visit.dice, people, family_name(visit.dice, people, "aunt"), Sex.FEMALE, "aunt")
    mother = visit.child.mother
    return visit.house.family.members[1].name if kind == "4" or mother is None else mother.name


def _parent(who: str, parent: Parent) -> Answers:
    answers: Answers = {f"{who}_status": parent.status.value}
    if parent.name:
        answers |= {f"{who}_name": parent.name, f"{who}_birth_year": parent.birth_year}
    return answers | ({f"{who}_job": parent.job} if parent.job else {})


def _circumstances(visit: Visit, *known: Answers) -> Answers:
    facts = {key: value for part in known for key, value in part.items()}
    gone = {parent.status for parent in (visit.child.father, visit.child.mother) if parent}
    special = {
        "SC04": facts["disability_degree"] in ("1", "2", "3"),
        "SC08": facts.get("school_status") == "3" and facts.get("work_status") in ("3", "5"),
        "SC13": facts["serious_illness"] == "1",
    }
    risks = {
        "AR1": visit.house.poverty == "1",
        "AR2": visit.house.poverty == "2",
        "AR3": ParentStatus.DEAD in gone,
        "AR4": ParentStatus.SEPARATED in gone,
        "AR5": facts["parents_away"] in ("2", "3"),
        "AR8": facts.get("school_status") == "3",
        "AR9": facts["new_injuries"] == "1",
        "AR11": visit.house.flooded,
    }
    codes, at_risk = ([code for code, holds in table.items() if holds] for table in (special, risks))
    answers: Answers = {"at_risk_codes": at_risk} if at_risk else {}
    if codes:
        answers |= {"sc_codes": codes, "monthly_allowance": visit.dice.one("allowance", {"1": 6, "0": 4})}
        if visit.today.chance("support", 0.6):
            answers["support_received"] = [visit.today.pick("support kind", ["YT", "GD", "XH", "BV"])]
    return answers


def _health(visit: Visit) -> Answers:
    dice, young = visit.dice, (visit.day - visit.child.dob).days <= 60
    degree = dice.one("disability", {"0": 960, "8": 14, "3": 12, "2": 10, "1": 4})
    answers: Answers = {
        "hi_card": "1" if visit.child.hi_number else "3" if young else dice.one("card", {"2": 4, "3": 5, "9": 1}),
        "serious_illness": dice.one("illness", {"0": 970, "1": 20, "9": 10}),
        "disability_degree": degree,
    }
    answers |= {"hi_number": visit.child.hi_number} if visit.child.hi_number else {}
    if degree != "0":
        answers["disability_type"] = [dice.one("disability type", {"1": 4, "2": 3, "3": 1, "4": 1, "5": 3})]
    if degree in ("1", "2", "3"):
        answers["disability_cert_no"] = f"{dice.between('certificate', 1, 999):03d}/GXN-KT"
    if visit.age >= 1 and dice.chance("checkup", 0.7):
        answers["annual_checkup_date"] = visit.past("checkup", 20, 330)
    if visit.age <= 8:
        answers["ecd_service_access"] = dice.one("ecd", {"1": 7, "0": 2, "9": 1})
    return answers


def _small(visit: Visit) -> Answers:
    """Vaccinations and weighing, asked of children under 6."""
    if visit.age >= 6:
        return {}
    dice, child = visit.dice, visit.child
    missed = int(dice.one("missed doses", {"0": 82, "1": 10, "2": 5, "3": 3}))
    given = doses(dice, child.dob, visit.since, visit.day, missed)
    answers: Answers = {
        "imm_status": "2" if missed else "1",
        "imm_source": visit.today.one("source", {"1": 7, "2": 2, "3": 1}),
        "new_doses": "1" if given else "0",
    }
    answers |= {"imm_doses": given} if given else {}
    return answers | measurement(dice, visit.today, child.dob, visit.day)


def _school(visit: Visit) -> Answers:
    if visit.age < 3:
        return {}
    dice = visit.dice
    reads = {"reads_vietnamese": dice.one("reads", {"1": 95, "0": 5})} if visit.age >= 8 else {}
    if visit.age >= 11 and dice.chance("dropout", 0.3 if visit.house.poverty == "1" else 0.14):
        reason = dice.one("dropout reason", {"1": 5, "2": 2, "3": 3, "4": 1})
        return reads | {
            "school_status": "3",
            "dropout_date": visit.past("dropout", 20, 300),
            "dropout_reason": reason,
        }
    # A school year begins in September; a child enters grade 1 in the calendar year of the sixth birthday.
    grade = visit.day.year - (visit.day.month < 9) - visit.child.dob.year - 5
    level = next((code for first, code in reversed(_LEVELS) if grade >= first), "2")
    if level == "2" and dice.chance("no kindergarten", 0.2):
        return reads | {"school_status": "2"}
    answers = reads | {
        "school_status": "1",
        "school_level": level,
        "school_name": f"Trường {_SCHOOLS[level]}",
    }
    return answers | ({"grade": grade} if level != "2" else {})


def _work(visit: Visit, school: Answers) -> Answers:
    if visit.age < 5:
        return {}
    dice = visit.dice
    if school.get("school_status") == "3":
        kinds = {"0": 2, "3": 5, "5": 4} | ({"2": 2} if visit.age >= 13 else {})
    else:
        kinds = {"0": 7, "1": 3} if visit.age >= 9 else {"0": 1}
    status = dice.one("work", kinds)
    answers: Answers = {"work_status": status}
    if status != "0":
        answers["work_hours_week"] = dice.between("hours", 2, 6) if status == "1" else dice.between("hours", 10, 45)
    if status in ("3", "5"):
        answers["work_place"] = dice.pick("work place", ["Quán ăn gần chợ", "Vựa trái cây", "Khu bến tàu"])
    return answers


def _injuries(visit: Visit) -> Answers:
    today = visit.today
    if visit.age < 1 or not today.chance("injured", 0.07):
        return {"new_injuries": "0"}
    kind, place = today.pick("injury", [("2", "duong"), ("3", "nha"), ("4", "nha"), ("7", "khac"), ("9", "nha")])
    treated = today.one("treated", {"1": 6, "0": 4})
    row = {"injury_type": kind, "injury_date": visit.past("injury", 1, 60), "injury_place": place}
    return {"new_injuries": "1", "injuries": [row | {"injury_treated": treated, "injury_died": "0"}]}


def _safety(visit: Visit) -> Answers:
    dice = visit.dice
    answers: Answers = {"uses_boat": dice.one("boat", {"0": 75, "1": 25})}
    if answers["uses_boat"] == "1":
        answers["life_jacket_transport"] = dice.one("life jacket", {"1": 6, "0": 4})
    if visit.age >= 6:
        swims = 0.2 if visit.age < 10 else 0.55
        answers["water_safety_skill"] = "1" if dice.chance("swims", swims) else "0"
        answers["helmet"] = dice.one("helmet", {"1": 85, "0": 15})
    return answers


def _participation(visit: Visit) -> Answers:
    if visit.age < 7:
        return {}
    answers: Answers = {"child_consulted": visit.today.one("consulted", {"1": 7, "0": 3})}
    if visit.age >= 11:
        answers["participation_activity"] = visit.dice.one("club", {"1": 3, "0": 7})
    if answers["child_consulted"] == "1" and visit.today.chance("wish", 0.3):
        answers["child_wish"] = visit.today.pick("wish text", _WISHES)
    return answers


def _risk(visit: Visit, answers: Answers) -> str:
    """A collaborator's impression: high where a child is or works in danger, or a toddler is left alone."""
    alone, signs = answers.get("left_alone") == "1", "abuse_signs" in answers
    if (
        answers.get("immediate_danger") == "1"
        or answers.get("work_status") in ("3", "5")
        or (alone and visit.age < 3)
    ):
        return "3"
    if alone or signs or answers.get("sc_codes") or len(answers.get("at_risk_codes", [])) >= 2:
        return "2"
    return visit.today.one("risk", {"1": 97, "0": 3})
