"""What the phones of `flask simulate` live through, and the promises that the server must keep on the way."""

import uuid
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from server.demo.phone import Phone, Say, Value, now, promised

WARD = "31135"


def play(url: str, tokens: Mapping[str, str], say: Say) -> None:
    """The whole story, with new families each time. Raises `Broken`, or what `requests` raises."""
    phones = [Phone(f"máy {user}", tokens[user], url, say) for user in ("u11", "u12")]
    officer = Phone("máy u21", tokens["u21"], url, say)
    config = phones[0].get("sync/config")
    forms = {form["id"]: form["version"] for form in config["forms"]}
    say(f"1. Đăng ký hộ mới khi không có mạng (mỗi lô tối đa {config['limits']['max_items']} phiếu)")
    families = [_register(phone, forms, hamlet) for phone, hamlet in zip(phones, ("01", "04"), strict=True)]
    say("2. Thăm trẻ khi không có mạng, gửi từng lô hai phiếu")
    for phone, children in zip(phones, families, strict=True):
        _visit_offline(phone, forms, children)
    say("3. Hai người sửa tên cùng một trẻ khi không có mạng")
    _quarrel(phones[0], officer, forms, families[0][0])
    say("4. Mất câu trả lời giữa chừng, gửi lại")
    _lost_answer(phones[1], forms, families[1][0])
    say("5. Phiếu ghi một xã/phường không có")
    _unplaceable(phones[0], forms)


def _register(phone: Phone, forms: Mapping[str, str], hamlet: str) -> list[str]:
    """Register a household with two children; returns their ids."""
    household, children = _id(), [_id(), _id()]
    answers = _household(household, hamlet, WARD) | {"members": [_mother(), *map(_row, children)]}
    phone.fill_in("household_registration", forms["household_registration"], answers, [_new(household)])
    (receipt,) = phone.sync()
    promised(receipt["outcome"] == "applied", "hộ mới được áp dụng")
    entities = {entity["id"] for entity in receipt["entities"]}
    promised(entities == {household, *children}, "biên nhận nêu hộ và từng trẻ")
    for child in children:
        scope = phone.pull(child)["scope"]
        promised(scope.endswith(f"{WARD}/{hamlet}"), "trẻ ở đúng ấp/khu vực của hộ")
    return children


def _visit_offline(phone: Phone, forms: Mapping[str, str], children: list[str]) -> None:
    """Three visits before the next sync, the third on top of the first; sent two at a time."""
    first = _visit(phone, forms, children[0], {"school_name": "Tiểu học Cầu Sắt"})
    _visit(phone, forms, children[1], {"helmet": "0"})
    later = phone.claim(children[0]) | {"after": [first["id"]]}
    later["seen"] = later["seen"] | {"school_name": "Tiểu học Cầu Sắt"}
    answers = _situation(children[0], later["seen"]) | {"risk_now": "2"}
    phone.fill_in("child_situation", forms["child_situation"], answers, [later])
    receipts = phone.sync(size=2)
    promised({r["outcome"] for r in receipts} == {"applied"}, "các phiếu thăm được áp dụng")
    data = phone.pull(children[0])["data"]
    promised((data["school_name"], data["risk_now"]) == ("Tiểu học Cầu Sắt", "2"), "cả hai lần thăm đều còn")
    promised(phone.pull(children[1])["data"]["helmet"] == "0", "lần thăm trẻ thứ hai còn")


def _quarrel(phone: Phone, officer: Phone, forms: Mapping[str, str], child: str) -> None:
    """A collaborator and the officer of the ward rename one child, each without the other's word."""
    for one in (phone, officer):
        one.pull(child)
    said = {_visit(one, forms, child, {"full_name": name})["id"]: name for one, name in _renamings(phone, officer)}
    (first,), (second,) = phone.sync(), officer.sync()
    promised((first["outcome"], second["outcome"]) == ("applied", "conflict"), "phiếu sau báo có chỗ khác nhau")
    conflicts = phone.pull(child)["conflicts"]
    promised([one["cell"] for one in conflicts] == ["full_name"], "đúng một chỗ khác nhau, ở tên")
    kept = {value["submission"]: value["value"]["full_name"] for value in conflicts[0]["values"]}
    promised(kept == said, "không lời nào của hai người bị mất")
    phone.say(f"  trẻ {child}: chỗ khác nhau {conflicts[0]['id']}, giữ {len(kept)} cách ghi tên")


def _renamings(phone: Phone, officer: Phone) -> list[tuple[Phone, str]]:
    return [(phone, "Nguyễn Thị Bé Hai"), (officer, "Nguyễn Thị Bé Hài")]


def _lost_answer(phone: Phone, forms: Mapping[str, str], child: str) -> None:
    """The server has the batch, the phone never heard so: it sends the same again."""
    phone.pull(child)
    item = _visit(phone, forms, child, {"water_safety_skill": "1"})
    (lost,) = phone.send([item])
    before = phone.get(f"entities/child/{child}")
    (again,) = phone.sync()
    promised(again == lost | {"repeat": True}, "gửi lại thì nhận đúng biên nhận cũ")
    promised(phone.get(f"entities/child/{child}") == before, "gửi lại không đổi gì")


def _unplaceable(phone: Phone, forms: Mapping[str, str]) -> None:
    """A ward that nobody knows: kept for a person to place, and no obstacle to the form beside it."""
    lost, fine = _id(), _id()
    for household, ward in ((lost, "99999"), (fine, WARD)):
        answers = _household(household, "01", ward) | {"members": [_mother()]}
        phone.fill_in("household_registration", forms["household_registration"], answers, [_new(household)])
    held, applied = phone.sync()
    promised((held["outcome"], held["reason"]) == ("quarantined", "ward_unknown"), "phiếu lạc được giữ lại")
    promised(applied["outcome"] == "applied", "phiếu bên cạnh vẫn được áp dụng")


def _visit(phone: Phone, forms: Mapping[str, str], child: str, changes: Value) -> Value:
    claim = phone.claim(child)
    return phone.fill_in(
        "child_situation", forms["child_situation"], _situation(child, claim["seen"]) | changes, [claim]
    )


def _id() -> str:
    return str(uuid.uuid4())


def _new(household: str) -> Value:
    return {"type": "household", "id": household, "base": "0-"}


def _born(years: int) -> str:
    return (now() - timedelta(days=years * 366 + 100)).date().isoformat()


def _household(household: str, hamlet: str, ward: str) -> Value:
    return {
        "visit_date": now().date().isoformat(),
        "visit_result": "1",
        "respondent": "1",
        "informed_and_agreed": "1",
        "household_id": household,
        "ward_code": ward,
        "hamlet_code": hamlet,
        "address_type": "1",
        "address_line": "7/2, hẻm 9, tổ 4",
        "head_name": "Nguyễn Thị Mười",
        "poverty_status": "0",
        "poverty_year": now().year,
        "water_hazard_near": "0",
        "flood_affected": "0",
    }


def _mother() -> Value:
    return _row("") | {"full_name": "Nguyễn Thị Mười", "relationship": "1", "dob": _born(34), "marital": "2"}


def _row(child: str) -> Value:
    row = {
        "full_name": "Nguyễn Thị Bé",
        "relationship": "3",
        "sex": "2",
        "dob": _born(9),
        "dob_precision": "D",
        "residence_status": "1",
    }
    return row | ({"__id": child} if child else {})


def _situation(child: str, seen: Mapping[str, Any]) -> Value:
    """A visit that finds everything as it was: what was prefilled is sent back, the rest is ordinary."""
    ordinary: Value = {
        "visit_date": now().date().isoformat(),
        "visit_result": "1",
        "respondent": "2",
        "informed_and_agreed": "1",
        "child": child,
        "birth_reg": "1",
        "father_status": "1",
        "mother_status": "1",
        "caregiver_type": "1",
        "parents_away": "0",
        "hi_card": "2",
        "disability_degree": "0",
        "school_status": "1",
        "school_level": "3",
        "grade": 4,
        "work_status": "0",
        "new_injuries": "0",
        "risk_now": "0",
    }
    asked = {
        "full_name",
        "sex",
        "dob",
        "dob_precision",
        "school_name",
        "helmet",
        "water_safety_skill",
        *ordinary,
    }
    return ordinary | {name: value for name, value in seen.items() if name in asked}
