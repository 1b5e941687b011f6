"""Answers to the form `household_registration`: question name -> value, repeats as lists of rows."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from server.demo.dice import Dice
from server.demo.names import People, Sex
from server.demo.people import CHILD_UNDER, Family, Kind, ParentStatus, Person

Answers = dict[str, Any]
WARD = "31135"
CENTRE = (10.0331, 105.777)  # degrees; the middle of the ward


@dataclass(frozen=True)
class House:
    """A household before its visit: where it is, who lives there, whether it is poor and lies low."""

    dice: Dice
    number: int
    id: str
    hamlet: str
    area_number: int
    family: Family
    child_ids: tuple[str | None, ...]
    phone: str
    poverty: str
    flooded: bool
    ward: str = WARD
    centre: tuple[float, float] = CENTRE


def phone(dice: Dice, topic: str) -> str:
    """A number with the form of a mobile one; no operator has the prefix 030."""
    return f"030{dice.between(f'{topic} phone', 0, 9_999_999):07d}"


def registration(house: House, day: date, result: str) -> Answers:
    """The filled form; without the interview if nobody was met (`result` 3) or the family refused (4)."""
    met = result in ("1", "2")
    answers = _place(house, met) | {
        "visit_date": day.isoformat(),
        "visit_result": result,
        "household_id": house.id,
    }
    if result != "4" and house.dice.chance("best time", 0.3 if met else 0.8):
        answers["best_time"] = house.dice.pick("time", ["Sau 17 giờ", "Chủ nhật", "Buổi trưa", "Sau 19 giờ"])
    if met:
        answers |= _contact(house) | {"members": _members(house, day)} | _living(house, day) | _safety(house, day)
    if result == "3":
        answers["note"] = house.dice.pick("note", ["Cửa khóa, hàng xóm nói đi làm đến tối.", "Gọi cửa không có ai."])
    elif house.dice.chance("note", 0.08):
        answers["note"] = "Hẹn quay lại xem sổ tiêm chủng." if met else "Gia đình đang bận, xin để dịp khác."
    return answers


def _place(house: House, met: bool) -> Answers:
    dice = house.dice
    known = met or dice.chance("head known", 0.6)
    number = f"{dice.between('number', 1, 240)}/{dice.between('back', 1, 30)}"
    answers = {
        "ward_code": house.ward,
        "hamlet_code": house.hamlet,
        "address_type": "1",
        "address_line": f"{number}, hẻm {dice.between('alley', 1, 40)}, tổ {dice.between('group', 1, 12)}",
        "dia_ban_no": str(house.area_number),
        "ho_so_no": str(house.number + 1),
        "head_name": house.family.members[0].name if known else "Chưa rõ",
    }
    if dice.chance("landmark", 0.7):
        paths = [
            "Qua cầu sắt rẽ trái",
            "Sau chợ nhỏ",
            "Cạnh trạm bơm",
            "Đối diện sân bóng",
            "Cuối hẻm, sát bờ kênh",
        ]
        roof = dice.pick("roof", ["mái tôn xanh", "mái tôn đỏ", "mái ngói", "nhà tường trắng", "cổng sắt"])
        answers["landmark"] = f"{dice.pick('path', paths)}, {roof}"
    return answers


def _contact(house: House) -> Answers:
    dice = house.dice
    others = {Kind.PARENTS: {"2": 6, "1": 3}, Kind.ONE_PARENT: {"2": 1}, Kind.NO_CHILD: {"9": 1}}
    languages = {People.KINH: {"vi": 1}, People.HOA: {"vi": 7, "zh": 3}, People.KHMER: {"vi": 4, "km": 6}}
    answers: Answers = {
        "respondent": dice.one("respondent", others.get(house.family.kind, {"3": 1})),
        "informed_and_agreed": "1",
        "preferred_language": dice.one("language", languages[house.family.people]),
    }
    head = house.family.members[0]
    if head.pid and dice.chance("head pid", 0.7):
        answers["head_pid"] = head.pid
    if house.phone:
        answers |= {
            "phone": house.phone,
            "phone_owner": "Chủ hộ",
            "zalo_ok": dice.one("zalo", {"1": 8, "0": 2}),
        }
    if dice.chance("gps", 0.75):
        lat, lon = (middle + (dice.roll(f"gps {middle}") - 0.5) * 0.016 for middle in house.centre)
        answers["gps"] = f"{lat:.6f} {lon:.6f} {dice.between('alt', 1, 4)}.0 {dice.between('acc', 4, 15)}.0"
    return answers


def _members(house: House, day: date) -> list[Answers]:
    rows = []
    for index, (person, child_id) in enumerate(zip(house.family.members, house.child_ids, strict=True)):
        row = _member(house, index, person, day)
        if child_id is not None:
            row["__id"] = child_id
        rows.append(row)
    return rows


def _member(house: House, index: int, person: Person, day: date) -> Answers:
    dice, age = house.dice, person.age(day)
    row: Answers = {
        "full_name": person.name,
        "relationship": person.relation.value,
        "sex": person.sex.value,
        "dob": person.dob.isoformat(),
        "dob_precision": person.precision,
        "residence_status": dice.one("residence", {"1": 80, "3": 16, "4": 3, "5": 1}),
        "ethnicity": person.people.value,
    }
    row |= {"pid": person.pid} if person.pid else {}
    row |= {"hi_number": person.hi_number} if person.hi_number else {}
    if age < CHILD_UNDER:
        return {"member_kind": "1"} | row
    row = {"member_kind": "2"} | {f"adult_{name}": value for name, value in row.items()}
    row |= {
        "education": _education(dice, index, age),
        "marital": "1" if person.birth_order else _marital(house.family),
    }
    if person.sex is Sex.FEMALE and age <= 49:
        row["pregnant"] = "1" if row["marital"] == "2" and dice.chance(f"pregnant {index}", 0.05) else "0"
    return row


def _marital(family: Family) -> str:
    """Of a grown-up: a parent who is alone is divorced, widowed, or was never married."""
    if family.kind is not Kind.ONE_PARENT:
        return "2"
    alone = {ParentStatus.SEPARATED: "3", ParentStatus.DEAD: "4"}
    father = family.members[-1].father
    return alone.get(father.status, "1") if father else "1"


def _education(dice: Dice, index: int, age: int) -> str:
    for limit, level in ((3, "0"), (6, "1"), (11, "2"), (15, "3"), (18, "4")):
        if age < limit:
            return level
    return dice.one(f"education {index}", {"2": 22, "3": 34, "4": 26, "5": 10, "6": 8})


def _living(house: House, day: date) -> Answers:
    dice, poor = house.dice, house.poverty in ("1", "2")
    answers: Answers = {
        "poverty_status": house.poverty,
        "poverty_year": day.year if house.poverty == "9" else day.year - 1,
        "main_livelihood": dice.one("livelihood", {"5": 6, "6": 1} if poor else {"1": 1, "3": 4, "4": 4, "5": 2}),
        "housing": dice.one("housing", {"2": 4, "3": 4, "5": 2} if poor else {"1": 6, "2": 3, "5": 1}),
        "water_source": dice.one("water", {"1": 90, "2": 4, "4": 6 if poor else 1}),
        "toilet": dice.one("toilet", {"1": 70, "2": 28, "3": 2} if poor else {"1": 97, "2": 3}),
        "internet_at_home": dice.one("internet", {"1": 5, "0": 5} if poor else {"1": 9, "0": 1}),
    }
    if poor:
        needs = ["viec_lam", "y_te", "giao_duc", "nha_o", "nuoc_ve_sinh", "thong_tin"]
        answers["deprivations"] = [need for need in needs if dice.chance(f"lacks {need}", 0.4)] or ["viec_lam"]
        answers["social_protection"] = ["bhyt", "mien_giam_hoc_phi"] if dice.chance("fees", 0.6) else ["bhyt"]
    if house.family.kind is Kind.ONE_PARENT and dice.chance("separated", 0.4):
        answers["social_issue"] = ["7"]
    return answers


def _safety(house: House, day: date) -> Answers:
    dice, children = house.dice, house.family.children(day)
    answers: Answers = {"flood_affected": "1" if house.flooded else dice.one("flood", {"0": 9, "9": 1})}
    if house.flooded:
        answers["flood_date"] = (day - timedelta(days=dice.between("flood date", 5, 60))).isoformat()
    if children:
        met = dice.between("safe home", 16, 33)
        answers |= {
            "water_hazard_near": dice.one("water near", {"1": 45, "0": 53, "9": 2}),
            "safe_home_score": met,
            "safe_home_mandatory_ok": min(15, met - dice.between("not mandatory", 8, 16)),
        }
        if answers["water_hazard_near"] == "1":
            answers["water_hazard_fenced"] = dice.one("fenced", {"1": 55, "0": 45})
    if any(child.age(day) < 6 for child in children):
        answers["electric_fire_poison_ok"] = dice.one("electric", {"1": 7, "0": 3})
    return answers
